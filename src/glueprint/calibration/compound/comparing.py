"""Each measurement beside what the posterior predicts for it, and measurements that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.assays.findings import Finding
from glueprint.calibration.compound.choosing import FITTED
from glueprint.calibration.compound.dossier import Dossier, key_of, name_of
from glueprint.calibration.compound.forward import readers
from glueprint.calibration.compound.likelihood import Terms, terms
from glueprint.calibration.compound.measured import EFFECTS
from glueprint.runs import streams

__all__ = ["comparison", "conflicts"]

Floats = NDArray[np.float64]
Row = dict[str, Any]
Values = Mapping[str, Floats]
# Two standard errors apart is a conflict; threefold apart is worth a word even where assays may differ so.
FAR, FOLD = 2.0, 3.0


def comparison(dossier: Dossier, values: Values, seed: int) -> pl.DataFrame:
    """The dossier's rows with predicted, predicted_low, predicted_high and inside (null where not fitted).

    The prediction is of a repeat on the same plates: it knows the assay's error as far as the plate shows it.
    """
    rows = dossier.fitted
    mean, spread = _repeat(rows, values, dossier.compound)
    normal = streams.normals(seed, "calibration/compound/repeat", np.arange(mean.shape[0]), len(rows))
    drawn = mean + spread * normal
    ends = np.quantile(drawn, (0.5, 0.025, 0.975), axis=0)
    given = terms(rows)
    table = dossier.measurements.with_row_index("nth")
    fitted = table.filter(pl.col("use") == FITTED)["nth"]
    found = [
        {"nth": nth, "inside": _inside(given, k, ends[1:, k])}
        | dict(zip(("predicted", "predicted_low", "predicted_high"), _back(row, ends[:, k]), strict=True))
        for k, (nth, row) in enumerate(zip(fitted, rows, strict=True))
    ]
    shown = dict.fromkeys(("predicted", "predicted_low", "predicted_high"), pl.Float64())
    beside = pl.DataFrame(found, schema=pl.Schema({"nth": pl.UInt32(), "inside": pl.Boolean(), **shown}))
    return table.join(beside, on="nth", how="left", maintain_order="left").drop("nth")


def _repeat(rows: list[Row], values: Values, compound: str) -> tuple[Floats, Floats]:
    """Mean and SD (n, r) of what each row's plate would show again: with the errors that it shares, as the
    values on it tell them."""
    given = terms(rows)
    shown = readers(rows, compound).shown(values)
    common = given.common(values["tau_log10"], values["run_log10"])
    own = values["repeat_log10"][:, None]
    v = np.flatnonzero(given.is_value)
    if not v.size:
        return shown, np.sqrt(np.diagonal(common, axis1=1, axis2=2) + own**2 + given.se**2)
    within = (common + own[..., None] ** 2 * given.own)[:, v[:, None], v]
    within[:, np.arange(v.size), np.arange(v.size)] += given.se[v] ** 2
    gain = np.linalg.solve(within, np.swapaxes(common[:, :, v], 1, 2))
    mean = shown + np.einsum("nvr,nv->nr", gain, given.value[v] - shown[:, v])
    spread = np.diagonal(common, axis1=1, axis2=2) - np.einsum("nrv,nvr->nr", common[:, :, v], gain)
    return mean, np.sqrt(np.maximum(spread, 0.0) + own**2 + given.se**2)


def _inside(given: Terms, k: int, ends: Floats) -> bool:
    """Whether the value, or some of what the limit allows, lies between the ends."""
    if given.is_value[k]:
        return bool(ends[0] <= given.value[k] <= ends[1])
    return bool(given.low[k] <= ends[1] and ends[0] <= given.high[k])


def _back(row: Row, log10: Floats) -> list[float]:
    """From log10 of nM or of odds to the row's unit."""
    found = 10.0**log10
    if row["quantity"] in EFFECTS and row["unit"] == "fraction":
        found = found / (1.0 + found)
    return [float(x) for x in found]


def conflicts(dossier: Dossier, values: Values) -> list[Finding]:
    """Pairs of experiments that say different things of one parameter, of each pair what differs most.

    Each value of the compound stands as a ratio to the reference's on the same plate, or without one as it
    is, with the assay's own error. What two of them imply for the parameter is compared at the posterior's
    medians.
    """
    said = [*_implied(dossier, values)]
    worst: dict[tuple[str, ...], tuple[float, Finding]] = {}
    for one, other in combinations(said, 2):
        if one.about != other.about or one.key[:2] == other.key[:2]:
            continue
        apart = abs(one.value - other.value)
        z = apart / np.hypot(one.sd, other.sd)
        plain = apart / np.hypot(one.plain_sd, other.plain_sd)
        if z > FAR or (apart > np.log10(FOLD) and plain > FAR):
            pair = (*one.key[:2], *other.key[:2], one.about)
            found = (z, _conflict(one, other, z > FAR, 10.0**apart))
            worst[pair] = max(worst.get(pair, found), found, key=lambda each: each[0])
    return [finding for _, finding in worst.values()]


class _Said:
    """What one experiment says of a parameter, on log10: value, SD with and without the assay's own error."""

    def __init__(self, key: tuple[str, ...], about: str, rows: list[Row], numbers: tuple[float, ...]) -> None:
        self.key, self.about, self.rows = key, about, rows
        self.value, self.sd, self.plain_sd = numbers

    @property
    def text(self) -> str:
        """In words, as an analysis writes it."""
        values = np.exp(np.mean([np.log(row["value"]) for row in self.rows]))
        unit = self.rows[0]["unit"].replace("dimensionless", "").replace("fraction", "")
        return f"{name_of(self.rows[0])} {values:.3g} {unit}".strip()


def _implied(dossier: Dossier, values: Values) -> Iterator[_Said]:
    rows = [row for row in dossier.fitted if row["relation"] == "="]
    if not rows:
        return
    given = terms(rows)
    shown = readers(rows, dossier.compound).shown(values)
    middle = np.median(given.value - shown, axis=0)
    tau, own = (float(np.median(values[name])) for name in ("tau_log10", "repeat_log10"))
    reference = np.array([row["compound"] != dossier.compound for row in rows])
    spread = float(np.std(np.log10(values["kd_nm"])))
    for key in dict.fromkeys(key_of(row) for row in rows if row["compound"] == dossier.compound):
        alike = np.array([key_of(row) == key for row in rows])
        mine, beside = alike & ~reference, alike & reference
        plain = _mean_error(given.se[mine], own)
        value = float(middle[mine].mean())
        if beside.any() and dossier.compound != dossier.reference:
            value -= float(middle[beside].mean())
            plain = float(np.hypot(plain, _mean_error(given.se[beside], own)))
            sd = plain
        else:
            sd = float(np.hypot(plain, np.hypot(tau, spread)))
        row = rows[int(np.flatnonzero(mine)[0])]
        about = f"efficacy for {row['target']}" if row["quantity"] in EFFECTS else "affinity"
        yield _Said(key, about, [rows[int(k)] for k in np.flatnonzero(mine)], (value, sd, plain))


def _mean_error(se: Floats, own: float) -> float:
    return float(np.sqrt((se**2 + own**2).sum()) / se.size)


def _conflict(one: _Said, other: _Said, beyond: bool, fold: float) -> Finding:
    told = (
        "more than their errors allow"
        if beyond
        else "more than their own errors allow; without a reference on both plates the assays may differ so"
    )
    return Finding(
        "GP-K045",
        "warning" if beyond else "note",
        f"{one.text} against {other.text}: of the {one.about} they say {fold:.1f}-fold different things, "
        f"{told}",
        where=f"{one.key[0]}, {one.key[1]}; {other.key[0]}, {other.key[1]}",
        expected="assays that agree on the ratio to the reference",
        next_step="look at both curves; repeat the one with fewer runs, with the reference on its plate",
    )
