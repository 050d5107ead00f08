"""What each measured quantity would be without error, for many parameter sets in one call. Kernel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint.calibration.compound import latents as coordinates
from glueprint.calibration.compound import thresholds
from glueprint.calibration.compound.choosing import culture_of
from glueprint.calibration.compound.latents import SUBSTRATES
from glueprint.calibration.compound.thresholds import Assay
from glueprint.experiments import forward as experiments

__all__ = ["LONG_H", "Readers", "assay_of", "cells_of", "readers"]

Floats = NDArray[np.float64]
Values = Mapping[str, Floats]
Row = dict[str, Any]
# A time at which nothing changes any more stands where a row gives none.
LONG_H = 1e4
# Log odds of occupancy between which a dose is searched, and halvings: below a thousandth of a decade.
ODDS, HALVINGS = 14.0, 40
# Hours of a growth assay where a row gives none: the assay day of most lines.
GROWTH_H = 120.0
# What stands for a loss that no dose reaches: far above any dose, and finite, so that limits tell how far.
BEYOND = 6.0
# What decides how a row is read.
SEEN_BY = ("assay", "compound", "quantity", "target", "cells", "time_h", "dose_nm")


@dataclass(frozen=True)
class Readers:
    """How rows are read; those that differ in their run alone are read once.

    read: values to (n,) on log10 of nM or of odds.   place: (r,) which of them is a row's.
    """

    read: tuple[Callable[[Values], Floats], ...]
    place: NDArray[np.int64]

    def shown(self, values: Values) -> Floats:
        """What every row would be without error, (n, r)."""
        return np.stack([read(values) for read in self.read], axis=1)[:, self.place]


def readers(rows: Sequence[Row], compound: str) -> Readers:
    """How each of the rows is read; rows are such as `choosing` fits."""
    keys = [tuple(row[name] for name in SEEN_BY) for row in rows]
    first = {key: nth for nth, key in reversed(list(enumerate(keys)))}
    order = list(dict.fromkeys(keys))
    return Readers(
        tuple(_reader(rows[first[key]], rows[first[key]]["compound"] == compound) for key in order),
        np.array([order.index(key) for key in keys], dtype=np.int64),
    )


def cells_of(row: Row) -> str:
    """Cells whose capacity a row reads, "" for none."""
    if row["quantity"] in ("kd", "ki") or row["assay"] == "fp":
        return ""
    if culture_of(row) == "monocyte":
        return "monocyte"
    return coordinates.known_cells(row["cells"]) or row["cells"].strip() or "unnamed cells"


def assay_of(row: Row) -> Assay | None:
    """The culture that a row reads, None for binding and loss."""
    culture = culture_of(row)
    if culture == "monocyte":
        return Assay("monocyte", row["time_h"] or experiments.TNF_H)
    if culture == "line":
        level = "half rate" if row["quantity"] == "gr50" else "half"
        return Assay(cells_of(row), row["time_h"] or GROWTH_H, level)
    return None


def _reader(row: Row, is_new: bool) -> Callable[[Values], Floats]:
    quantity, target = row["quantity"], row["target"]
    time_h = row["time_h"] or LONG_H
    cells, assay = cells_of(row), assay_of(row)

    def kd(v: Values) -> Floats:
        return np.log10(v["kd_nm"] * v["kd_ratio"]) if is_new else np.log10(v["kd_nm"])

    def efficacy(v: Values, substrate: str) -> Floats:
        return np.log10(v[f"efficacy:{substrate}"]) if is_new else np.zeros_like(v["kd_nm"])

    def rho(v: Values) -> Floats:
        return np.asarray(v[f"{cells}_rho"] * 10.0 ** efficacy(v, target))

    if quantity in ("kd", "ki", "rate_ec50"):
        return kd
    if row["assay"] == "fp":
        return lambda v: experiments.fp_competition(
            {
                "ki_nm": 10.0 ** kd(v),
                "protein_nm": v["fp_protein_nm"],
                "tracer_nm": v["fp_tracer_kd_nm"],
                "tracer_kd_nm": v["fp_tracer_kd_nm"],
            }
        )
    if quantity == "rate_max_over_k_deg":
        return lambda v: np.log10(rho(v))
    if quantity == "dmax":
        return lambda v: _odds(_loss(rho(v), np.inf, v["kdeg_per_h"] * time_h))
    if quantity == "loss":
        dose = np.log10(row["dose_nm"] or 1e9)
        return lambda v: _odds(_loss(rho(v), (dose - kd(v)) * np.log(10.0), v["kdeg_per_h"] * time_h))
    if quantity in ("dc50_absolute", "dc50_relative"):
        relative = quantity == "dc50_relative"
        return lambda v: kd(v) + _half_dose(rho(v), v["kdeg_per_h"] * time_h, relative=relative)
    assert assay is not None

    def culture(v: Values) -> Floats:
        known = thresholds.surface(assay)
        log10_rho = np.log10(v[f"{assay.cells}_rho"])
        both = (efficacy(v, SUBSTRATES[0]), efficacy(v, SUBSTRATES[1]))
        at = thresholds.potency(
            known, v[coordinates.scores(assay)], v[coordinates.margin(assay)], log10_rho, both
        )
        return kd(v) + at

    return culture


def _loss(rho: Floats, log_odds: Floats | float, turnovers: Floats) -> Floats:
    """Share lost (n,) at log odds of the occupancy, after so many natural lifetimes.

    Source: docs/degradation.md, with EC50 = Kd, k_max/k_deg = rho and slope 1.
    """
    added = rho / (1.0 + np.exp(-np.asarray(log_odds)))
    return np.asarray(added / (1.0 + added) * -np.expm1(-(1.0 + added) * turnovers))


def _odds(share: Floats) -> Floats:
    kept = np.clip(share, 1e-12, 1.0 - 1e-12)
    return np.asarray(np.log10(kept) - np.log10(1.0 - kept))


def _half_dose(rho: Floats, turnovers: Floats, *, relative: bool) -> Floats:
    """log10 of dose over Kd (n,) with half of the greatest loss, or with a loss of one half."""
    most = _loss(rho, np.inf, turnovers)
    wanted = 0.5 * most if relative else np.full_like(most, 0.5)
    low, high = np.full_like(most, -ODDS), np.full_like(most, ODDS)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        under = _loss(rho, middle, turnovers) < wanted
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    found = 0.5 * (low + high) / np.log(10.0)
    return np.where(most > wanted, found, BEYOND + np.log10(np.maximum(wanted / most, 1.0)))
