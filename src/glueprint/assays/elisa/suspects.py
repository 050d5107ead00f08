"""What does not fit on an ELISA plate: standards, a hook, replicates that differ, cultures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from scipy.special import stdtr

from glueprint import curves
from glueprint.assays.elisa.results import REPLICATES_DIFFER, Scale
from glueprint.assays.elisa.shapes import Floats
from glueprint.assays.elisa.standards import Standards
from glueprint.assays.findings import Finding
from glueprint.assays.quality import exclusions, logistics, replicates, verdicts
from glueprint.assays.quality.outliers import Readings

__all__ = ["hook", "of_cultures", "of_replicates", "of_standards"]

# Chance alone makes a standard fall so far below a lower one once in a thousand plates, and less than a
# twentieth of the signal is no hook worth a word.
HOOK_LEVEL, LEAST_FALL = 1e-3, 0.05
# Standard deviation of duplicates that agree to the last digit: what a reader prints.
LEAST_CV = 0.002
# Concentrations near the ends of the curve scatter more than the others: a false discovery rate that allows
# for it.
CULTURES = 0.0005
# Fewer standards say nothing of each other.
LEAST_STANDARDS, LEAST_LEVELS = 8, 5
SHOWN = 6
Row = dict[str, Any]


def of_standards(known: Standards, scale: Scale) -> tuple[pl.DataFrame, list[Finding]]:
    """Standards that the others contradict; of a curve with five parameters only those that four parameters
    and one bad standard explain better than it does."""
    rows = known.table.filter(pl.col("signal").is_not_null())
    y = scale.on_fit(rows["signal"].to_numpy())
    usable = np.isfinite(y)
    x, y = rows["concentration"].to_numpy()[usable], y[usable]
    where = np.array([f"{scale.plate}:{well}" for well in rows["well"]])[usable]
    curve = scale.curve
    if y.size < LEAST_STANDARDS or np.unique(x).size < LEAST_LEVELS:
        return verdicts.suspects_table([]), []
    weights = np.ones(y.size) if curve is None else 1.0 / curve.well_variance(curve.mean(x))
    asymmetric = curve is not None and curve.shape.name.startswith("5pl")
    given = scale.settings.model.startswith("5pl")
    logistic = curve is None or asymmetric or curve.shape.name == "4pl"

    def fitted(_: int, without: frozenset[str]) -> Readings:
        kept = ~np.isin(where, list(without))
        if logistic or curve is None:
            name = "5pl" if given else "4pl"
            fits = curves.fit(name, x[kept], y[kept], weights=weights[kept], intervals=False)
            return logistics.of_logistics(fits, [""], [where[kept].tolist()])[0]
        return Readings(
            name="",
            where=tuple(where[kept]),
            level=x[kept],
            value=y[kept],
            fitted=curve.mean(x[kept]),
            jacobian=curve.shape.gradient(curve.theta, x[kept]),
            weights=weights[kept],
            aside=np.zeros(int(kept.sum()), dtype=bool),
        )

    table, findings = verdicts.judged(1, fitted, unit=scale.unit)
    if curve is not None and asymmetric and not given and table.height:
        four = _without(table, (x, y, weights, where))
        five = float(weights @ (y - curve.mean(x)) ** 2) / max(y.size - curve.theta.size, 1)
        if not four < five:
            return table.clear(), []
    return table, findings


def _without(table: pl.DataFrame, standards: tuple[Floats, Floats, Floats, Any]) -> float:
    """Mean square that four parameters leave without the suspects."""
    x, y, weights, where = standards
    names = {name for text in table["where"] for name in text.split(", ")}
    kept = ~np.isin(where, list(names))
    fits = curves.fit("4pl", x[kept], y[kept], weights=weights[kept], intervals=False)
    return float(fits.rss[0]) / max(int(fits.dof[0]), 1)


def hook(known: Standards, scale: Scale, dilutions: Sequence[Row]) -> list[Finding]:
    """Standards that read lower than a lower one: a hook at the top, or two that changed places."""
    table = known.table.with_columns(seen=pl.coalesce("signal", "signal_left_out")).drop_nulls("seen")
    groups = list(table.sort("concentration").group_by("concentration", maintain_order=True))
    if len(groups) < 3:
        return []
    values = [part["seen"].to_numpy() for _, part in groups]
    level = np.array([v.mean() for v in values])
    counts = np.array([float(v.size) for v in values])
    spare = int((counts - 1.0).sum())
    squares = sum(float(((v / v.mean() - 1.0) ** 2).sum()) for v in values if v.mean() != 0.0)
    cv = max(float(np.sqrt(squares / spare)) if spare else 0.0, LEAST_CV)
    # Competitive assays fall; the direction is that of most pairs.
    rises = np.sign(level[None, :] - level[:, None])[np.triu_indices(level.size)].sum() >= 0.0
    means = level * (1.0 if rises else -1.0)
    found = [] if rises else [_falling(level, scale)]
    p = stdtr(max(spare, 1), -replicates.falls(means, cv * np.abs(level) / np.sqrt(counts)))
    odd = (p < HOOK_LEVEL) & (np.maximum.accumulate(means) - means > LEAST_FALL * np.ptp(means))
    if not odd.any():
        return found
    peak = int(np.argmax(means))
    top = np.flatnonzero(odd & (np.arange(odd.size) > peak))
    if not (top.size and odd[peak + 1 :].all()):
        return [*found, _disorder(groups, np.flatnonzero(odd), scale)]
    return [*found, _hooked(groups, (peak, top), scale, dilutions)]


def _falling(level: Floats, scale: Scale) -> Finding:
    return Finding(
        "GP-A222",
        "warning",
        f"the signal falls with concentration, from {level[0]:.3g} to {level[-1]:.3g}",
        f'plate "{scale.plate}"',
        "a signal that rises, as in a sandwich ELISA",
        "nothing if the assay is competitive; else the standards are in reverse order, or it is transmission",
    )


def _named(groups: list[Any], which: Any, scale: Scale) -> str:
    wells = [well for i in which for well in groups[i][1]["well"]]
    return f"{scale.plate}:{','.join(wells)}"


def _disorder(groups: list[Any], which: Any, scale: Scale) -> Finding:
    levels = ", ".join(f"{groups[i][0][0]:g}" for i in which)
    return Finding(
        "GP-A248",
        "warning",
        f"the standard {levels} {scale.unit} reads as if it were a lower one",
        f'plate "{scale.plate}"',
        "signals that follow the concentration",
        f'exchanged or badly diluted? compare with --exclude "{_named(groups, which, scale)}=out of order"',
    )


def _hooked(groups: list[Any], found: tuple[int, Any], scale: Scale, dilutions: Sequence[Row]) -> Finding:
    peak, top = found
    lowest = float(min(groups[i][1]["seen"].min() for i in top))
    known = f"{groups[peak][0][0]:g} {scale.unit}".rstrip()
    both = [
        row["sample"] for row in dilutions if row["mean_signal"] is not None and row["mean_signal"] >= lowest
    ]
    names = ", ".join(dict.fromkeys(both[:SHOWN])) + (
        f" and {len(both) - SHOWN} more" if len(both) > SHOWN else ""
    )
    levels = ", ".join(f"{groups[i][0][0]:g}" for i in top)
    out = all((groups[i][1][exclusions.COLUMN] != "").all() for i in top)
    affected = f"; affected: {names}" if names else ""
    return Finding(
        "GP-A247",
        "warning",
        f"hook: the standard {levels} {scale.unit} reads {lowest:.3g}, less than that of {known}; a signal "
        f"of {lowest:.3g} or more is ambiguous, it may also belong to more than {known}{affected}",
        f'plate "{scale.plate}"',
        "signals that rise up to the top standard",
        "dilute such samples further and compare"
        if out
        else f'compare with --exclude "{_named(groups, top, scale)}=hook", and dilute such samples further',
    )


def of_replicates(dilutions: Sequence[Row], scale: Scale) -> list[Finding]:
    """Technical replicates whose concentrations differ by more than the limit."""
    limit = scale.settings.replicate_cv_percent
    bad = [row for row in dilutions if row["status"] == REPLICATES_DIFFER]
    if not bad:
        return []
    said = [
        f"{row['sample'] or row['role']} ({row['wells']}) {row['cv_concentration_percent']:.0f} %"
        for row in bad
    ]
    more = f" and {len(said) - SHOWN} more" if len(said) > SHOWN else ""
    return [
        Finding(
            "GP-A246",
            "warning",
            f"replicates differ by a CV of more than {limit:g} %: {'; '.join(said[:SHOWN])}{more}",
            f'plate "{scale.plate}"',
            f"a CV of at most {limit:g} %",
            "read these samples again; their results stay, with the status replicates_differ",
        )
    ]


def of_cultures(wells: Sequence[Row], unit: str) -> tuple[pl.DataFrame, list[Finding]]:
    """Cultures of donors that are far from those that hold the same, by one CV of all groups."""
    rows = [row for row in wells if row["donor"] and _amount(row) is not None]
    keys = [
        tuple(
            row[name] for name in ("plate", "donor", "experiment", "role", "sample", "layout_concentration")
        )
        for row in rows
    ]
    numbers = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    group = np.array([numbers[key] for key in keys], dtype=np.int64)
    value = np.array([_amount(row) for row in rows], dtype=float)
    where = [f"{row['plate']}:{row['well']}" for row in rows]

    def fitted(_: int, without: frozenset[str]) -> Readings:
        return replicates.of_groups(f"cultures, {unit}", where, value, group, without)

    if not rows:
        return verdicts.suspects_table([]), []
    return verdicts.judged(1, fitted, what="culture", rate=CULTURES)


def _amount(row: Row) -> float | None:
    """The concentration, or the limit where it is beyond the curve; None without either."""
    found = row["concentration"] if row["concentration"] is not None else row["limit"]
    known = row["status"] not in ("no_reading", "excluded", "no_curve") and found is not None and found > 0.0
    return float(found) if known else None
