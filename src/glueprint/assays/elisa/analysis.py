"""From wells to concentrations and potencies: the order of the steps, a plate at a time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl

from glueprint.assays.contract import Observations, tables_of
from glueprint.assays.elisa import inhibition, inversion, quality, results, standards, suspects
from glueprint.assays.elisa.calibration import Calibration, Problem, calibrate
from glueprint.assays.elisa.result import Result
from glueprint.assays.elisa.settings import Settings
from glueprint.assays.elisa.signal import choose, signals
from glueprint.assays.findings import Finding
from glueprint.assays.intake import meaning
from glueprint.assays.quality import exclusions, inspection, verdicts
from glueprint.assays.wells import check

__all__ = ["analyse"]

ROLES = ("control", "sample", "compound", "stimulated", "unstimulated", "vehicle")
GATHERED = ("standards", "levels", "wells", "dilutions", "samples", "curve", "precision", "ranges")
# Points of the precision profile that are kept: enough for a figure.
KEPT_POINTS = 100


# Rows of the tables, quality and findings, gathered plate by plate, by the name of what they belong to.
Parts = dict[str, list[Any]]


def analyse(observations: pl.DataFrame | Observations, settings: Settings | None = None) -> Result:
    """Back-calculate every well, sample and control, and read the inhibition of TNF where donors were
    treated.

    observations: one row a well and channel, with the columns of `assays.wells.SCHEMA`; only well, value,
    role, and the concentration of standards are needed.   settings: `Settings`, None for the defaults.
    Returns `Result`; a plate without a usable curve, and a donor without its controls, is a finding, not an
    error.
    Raises InputError GP-A045 (table), GP-A081 (channel), GP-A083 (settings), GP-A084 (no standard), GP-A085
    (value), GP-A201, GP-A205, GP-A206, GP-A209 and GP-A210 (what cannot be what it says).
    Source: docs/elisa.md.
    """
    chosen, given = settings or Settings(), Observations.of(observations)
    table, said = exclusions.marked(check(given.table), chosen.exclude)
    choice = choose(table, chosen)
    rows, findings = signals(table, choice)
    rows, unit, more = standards.prepared(rows)
    more += _meant(table, rows)
    parts: Parts = defaultdict(list, findings=[*given.findings, *said, *findings, *more])
    for (plate,), here in rows.group_by("plate", maintain_order=True):
        _plate(here, (str(plate), unit, chosen), parts)
    donors = inhibition.analyse(rows, parts["wells"], chosen)
    odd, of_cultures = suspects.of_cultures(parts["wells"], unit)
    parts["suspects"].append(odd)
    parts["findings"] += [*donors.findings, *of_cultures]
    used = (pl.col(exclusions.COLUMN) == "") & (pl.col("channel") == choice.channel)
    numbers, of_plates = inspection.of_plates(table.filter(used))
    parts["findings"] += of_plates
    parts["quality"] += numbers
    parts["quality"] += donors.quality
    return Result(
        settings=chosen,
        tables=tables_of(
            Result.SCHEMAS,
            {
                **{name: parts[name] for name in GATHERED},
                "inhibition": donors.inhibition,
                "donors": donors.donors,
                "pooled": donors.pooled,
                "suspects": pl.concat(parts["suspects"]),
                "excluded": _excluded(rows),
            },
        ),
        potencies=tuple(one.potency for one in sorted(donors.named, key=lambda one: one.donor != "")),
        quality=pl.DataFrame(parts["quality"], schema=verdicts.QUALITY),
        findings=tuple(parts["findings"]),
        signal=choice.text,
        unit=unit,
        named=donors.named,
    )


def _excluded(rows: pl.DataFrame) -> pl.DataFrame:
    """What was left out, with the signal that it had."""
    return rows.filter(pl.col(exclusions.COLUMN) != "").select(
        where=pl.format("{}:{}", "plate", "well"),
        curve="plate",
        role="role",
        sample="sample",
        x="concentration",
        value="signal_left_out",
        reason=exclusions.COLUMN,
    )


def _meant(table: pl.DataFrame, rows: pl.DataFrame) -> list[Finding]:
    """Warn of samples without dilution beside others.

    Raises InputError GP-A201, GP-A205, GP-A206, GP-A209 or GP-A210 for what is no density, concentration,
    dose, viability or factor.
    """
    for (channel, unit), part in table.drop_nulls("value").group_by(["channel", "unit"], maintain_order=True):
        meaning.refused(meaning.densities(str(unit), part["value"].to_numpy(), f'channel "{channel}"'))
    known = rows.filter(pl.col("role") == "standard")["concentration"].drop_nulls()
    meaning.refused(meaning.doses("concentration", known.to_list(), where="standards"))
    treated = rows.filter(pl.col("role") == "compound")
    for (sample,), part in treated.group_by(["sample"], maintain_order=True):
        amounts, where = part["concentration"].drop_nulls().to_list(), f"doses of {sample}"
        meaning.refused(meaning.doses("concentration", amounts, inhibition.doses_nm(part), where))
    inhibition.check_viability(rows)
    meaning.refused(meaning.dilutions(rows["dilution"].drop_nulls().to_list()))
    samples = rows.filter(pl.col("role") == "sample").group_by("sample", maintain_order=True)
    return meaning.undiluted(dict(samples.agg("dilution").rows()))


def _plate(rows: pl.DataFrame, context: tuple[str, str, Settings], parts: Parts) -> None:
    plate, unit, settings = context
    known, findings = standards.collect(rows, plate)
    parts["findings"] += findings
    blind = results.Scale(plate, None, inversion.Range(None, None), unit, settings)
    usual = _usual_replicates(rows)
    try:
        curve = _calibrated(known, rows, blind)
        limits = inversion.quantification_range(curve, usual, settings.cv_limit_percent / 100.0)
        scale = results.Scale(plate, curve, limits, unit, settings)
        parts["findings"] += quality.curve_findings(scale)
    except Problem as problem:
        scale = blind
        parts["findings"].append(
            Finding(
                "GP-A086", "refusal", f"no standard curve: {problem}", f'plate "{plate}"',
                "standards over the range, at more levels than the curve has parameters",
                "check roles and concentrations in the layout, or ask for a model with fewer parameters",
            )
        )  # fmt: skip
    unknown = rows.filter(pl.col("role").is_in(ROLES))
    parts["wells"] += results.well_rows(unknown, scale)
    dilutions = results.dilution_rows(unknown, scale)
    samples = results.sample_rows(dilutions, scale)
    parts["dilutions"] += dilutions
    parts["samples"] += samples
    _describe(scale, usual, parts)
    of_standards, of_levels, found = quality.of_standards(known, scale)
    parts["standards"] += of_standards
    parts["levels"] += of_levels
    rows_of_quality, more = quality.of_plate(scale, of_levels, samples)
    parts["quality"] += [*found, *rows_of_quality]
    parts["findings"] += [*more, *quality.sample_findings(scale, dilutions, samples)]
    odd, off = suspects.of_standards(known, scale)
    parts["suspects"].append(odd)
    parts["findings"] += [
        *suspects.hook(known, scale, dilutions),
        *off,
        *suspects.of_replicates(dilutions, scale),
    ]


def _calibrated(known: standards.Standards, rows: pl.DataFrame, scale: results.Scale) -> Calibration:
    settings = scale.settings
    y = scale.on_fit(known.signal)
    usable = np.isfinite(y)
    signal, group = standards.replicates(rows)
    others = scale.on_fit(signal)
    seen = np.isfinite(others)
    return calibrate(
        known.concentration[usable],
        y[usable],
        replicates=(others[seen], group[seen]),
        model=settings.model,
        weights=settings.weights,
        response=settings.response,
    )


def _usual_replicates(rows: pl.DataFrame) -> float:
    """How many wells a sample usually has at one dilution: the precision profile is that of their mean."""
    keys: Iterable[tuple[Any, ...]] = (
        rows.filter(
            pl.col("role").is_in(["sample", "control"]) & (pl.col("donor") == "") & (pl.col("sample") != "")
        )
        .select("role", "sample", "group", "concentration", "dilution")
        .rows()
    )
    counts = Counter(Counter(keys).values())
    return float(max(counts, key=lambda n: (counts[n], n))) if counts else 1.0


def _describe(scale: results.Scale, replicates: float, parts: Parts) -> None:
    """Rows of the tables `ranges`, `curve` and `precision`."""
    parts["ranges"].append(
        {"plate": scale.plate, "lloq": scale.range.lloq, "uloq": scale.range.uloq, "unit": scale.unit,
         "cv_limit_percent": scale.settings.cv_limit_percent, "replicates": replicates}
    )  # fmt: skip
    curve = scale.curve
    if curve is None:
        return
    head = {
        "plate": scale.plate,
        "model": curve.shape.name,
        "weights": curve.weighting,
        "response": curve.response,
    }
    errors = np.sqrt(np.diag(curve.covariance))
    values: list[tuple[str, float, float | None]] = []
    for name, value, error in zip(curve.shape.parameters, curve.theta.tolist(), errors.tolist(), strict=True):
        values.append((name, value, error))
        if name == "log10_ec50":
            values.append(("ec50", 10.0**value, None))
        elif name.startswith("ln_"):
            values.append((name.removeprefix("ln_"), float(np.exp(value)), float(np.exp(value) * error)))
    values += [
        ("rss", curve.rss, None),
        ("well_variance", curve.sigma2, None),
        ("variance_power", curve.power, None),
    ]
    values += [(name, value, None) for name, value in curve.evidence.items()]
    parts["curve"] += [
        head | {"parameter": name, "value": value, "standard_error": error} for name, value, error in values
    ]
    grid = np.geomspace(curve.lowest, curve.highest, KEPT_POINTS)
    cv = 100.0 * inversion.precision(curve, grid, replicates) / grid
    parts["precision"] += [
        {"plate": scale.plate, "concentration": x, "signal": y, "cv_percent": c}
        for x, y, c in zip(grid.tolist(), curve.mean(grid).tolist(), cv.tolist(), strict=True)
    ]
