"""IC50s of each donor from its inhibition curves, and their pool over donors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint import curves
from glueprint.assays import scatter
from glueprint.assays.controls import SharedError, widened
from glueprint.assays.elisa.settings import Settings
from glueprint.assays.elisa.shapes import Floats
from glueprint.assays.findings import Finding
from glueprint.curves import Potency
from glueprint.curves.pooling import pool
from glueprint.curves.potency import Reason

__all__ = ["DONORS", "LEAST", "MIDDLE", "MOST", "POOLED", "Curve", "Donors", "Named", "Row", "potencies"]

TEXT, NUMBER, COUNT = pl.String(), pl.Float64(), pl.Int64()
_IC50 = {
    f"{definition}_{name}": kind
    for definition in ("relative", "absolute")
    for name, kind in (("relation", TEXT), ("ic50_nm", NUMBER), ("low_nm", NUMBER), ("high_nm", NUMBER))
}
DONORS = pl.Schema(
    {"sample": TEXT, "donor": TEXT, "experiment": TEXT, "stimulated": NUMBER, "unstimulated": NUMBER,
     "unstimulated_relation": TEXT, "unit": TEXT, "wells": COUNT, "doses": COUNT, "slope": NUMBER,
     "inhibition_at_zero_percent": NUMBER, "inhibition_at_infinity_percent": NUMBER, **_IC50, "reason": TEXT}
)  # fmt: skip
POOLED = pl.Schema(
    {"sample": TEXT, "definition": TEXT, "relation": TEXT, "ic50_nm": NUMBER, "low_nm": NUMBER,
     "high_nm": NUMBER,
     "donors": COUNT, "experiments": COUNT, "tau_donor": NUMBER, "reasons": TEXT}
)  # fmt: skip
HALF_PERCENT = 50.0
# A censored value enters in the middle of what it can be; the fits at both ends widen the interval.
MIDDLE, LEAST, MOST = range(3)
Row = dict[str, Any]


@dataclass(frozen=True)
class Named:
    """A potency with the compound and the donor that it belongs to; donor "" is the pool of all donors."""

    sample: str
    donor: str
    potency: Potency


@dataclass
class Donors:
    """Rows of the tables `inhibition`, `donors` and `pooled`, potencies, quality rows and findings."""

    inhibition: list[Row] = field(default_factory=list)
    donors: list[Row] = field(default_factory=list)
    pooled: list[Row] = field(default_factory=list)
    named: tuple[Named, ...] = ()
    quality: list[Row] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Curve:
    """One compound in one donor.

    dose: (m,) nM.   inhibition: (3, m) per cent, for three readings of the censored.
    control, censored: (m,) which wells are the stimulated ones, whose mean is 0 %, and which are limits.
    means: standard error, in per cent of the window, and degrees of freedom of the means of the stimulated
    and of the unstimulated wells; NaN of a single well.
    about: what the row of the table `donors` says of the controls.
    """

    sample: str
    donor: str
    experiment: str
    dose: Floats
    inhibition: Floats
    control: NDArray[np.bool_]
    censored: NDArray[np.bool_]
    means: tuple[tuple[float, float], ...]
    about: Row


def potencies(found: list[Curve], settings: Settings, out: Donors) -> None:
    """Fit all curves in one batch, each three times, and join the three readings of the censored values."""
    if not found:
        return
    batch = _batch(found)
    fits = scatter.fit(
        batch.dose, batch.inhibition, batch.spread, blur=batch.blur, confidence=settings.confidence
    ).fits
    errors = _errors(found, batch, fits)
    readings = {
        name: widened(potencies, fits, errors)
        for name, potencies in (
            ("relative", curves.relative(fits, "IC50")),
            ("absolute", curves.absolute(fits, HALF_PERCENT, "IC50", control=0.0)),
        )
    }
    named = []
    per_donor: dict[str, list[Potency]] = {name: [] for name in readings}
    for i, curve in enumerate(found):
        joined = {name: _widest(all_of[3 * i : 3 * i + 3]) for name, all_of in readings.items()}
        donor = " ".join(part for part in (curve.donor, curve.experiment) if part)
        named += [Named(curve.sample, donor, potency) for potency in joined.values()]
        for name, potency in joined.items():
            per_donor[name].append(potency)
        out.donors.append(_donor_row(curve, fits, 3 * i, joined))
    out.named = (*_pooled(found, per_donor, out), *named)


@dataclass(frozen=True)
class _Batch:
    """dose, inhibition, blur: (3 n, m), three rows a curve, short ones filled with NaN (blur with 0); blur is
    the standard deviation of a censored well over what it can be.
    control: (3 n, m) the stimulated wells.   foot: (3 n, 1) unstimulated over stimulated.
    """

    dose: Floats
    inhibition: Floats
    blur: Floats
    control: NDArray[np.bool_]
    foot: Floats

    def spread(self, mean: Floats) -> tuple[Floats, Floats]:
        """TNF over that of the stimulated wells, and per cent of inhibition per such unit of TNF."""
        window = 1.0 - self.foot
        signal = np.maximum(1.0 - mean / 100.0 * window, 0.0)
        return signal, np.broadcast_to(100.0 / window, signal.shape)


def _batch(found: list[Curve]) -> _Batch:
    longest = max(curve.dose.size for curve in found)
    dose = np.full((3 * len(found), longest), np.nan)
    inhibition, blur, control = (
        np.full_like(dose, np.nan),
        np.zeros_like(dose),
        np.zeros(dose.shape, dtype=bool),
    )
    for i, curve in enumerate(found):
        rows, wells = slice(3 * i, 3 * i + 3), slice(0, curve.dose.size)
        dose[rows, wells], inhibition[rows, wells] = curve.dose, curve.inhibition
        control[rows, wells] = curve.control
        # Where in its range a censored well lies is as good as uniform.
        blur[rows, wells] = np.ptp(curve.inhibition, axis=0) / np.sqrt(12.0) * curve.censored
    foot = [curve.about["unstimulated"] / curve.about["stimulated"] for curve in found]
    return _Batch(dose, inhibition, blur, control, np.repeat(foot, 3)[:, None])


def _errors(found: list[Curve], batch: _Batch, fits: curves.Fits) -> tuple[SharedError, SharedError]:
    """What the means of the stimulated and the unstimulated wells do to all wells of a curve."""
    share = np.nan_to_num(fits.predict(np.where(np.isfinite(batch.dose), batch.dose, 0.0))) / 100.0
    (zero, zero_degrees), (full, full_degrees) = (
        np.repeat([curve.means[i] for curve in found], 3, axis=0).T for i in range(2)
    )
    # A single unstimulated well has no scatter of its own: that about the curve stands in for it.
    about_curve = np.sqrt(np.nan_to_num(fits.rss) / np.maximum(fits.dof, 1))
    alone = np.isnan(full)
    return (
        SharedError(zero, zero_degrees, 1.0 - share, wells=np.where(batch.control, -1.0, 0.0)),
        SharedError(
            np.where(alone, about_curve, full), np.where(alone, np.maximum(fits.dof, 1), full_degrees), share
        ),
    )


def _widest(readings: Sequence[Potency]) -> Potency:
    """The middle reading with an interval, and an error to pool with, that cover all three."""
    middle = readings[MIDDLE]
    if middle.relation != "=" or all(one == middle for one in readings):
        return middle
    lows = [one.low_nm for one in readings]
    highs = [one.high_nm for one in readings]
    reasons = (*middle.reasons, Reason.CONTROL_CENSORED)
    notes = middle.notes
    if any(one.relation != "=" for one in readings):
        notes = (*notes, "a limit, not a value, at one end of what censored wells can be")
    values = np.log10([one.value_nm for one in readings if one.value_nm is not None])
    error = None if middle.log10_se is None else float(np.hypot(middle.log10_se, np.ptp(values) / 2.0))
    return replace(
        middle,
        low_nm=None if None in lows else min(low for low in lows if low is not None),
        high_nm=None if None in highs else max(high for high in highs if high is not None),
        log10_se=error,
        reasons=reasons,
        notes=notes,
    )


def _pooled(found: list[Curve], per_donor: Mapping[str, list[Potency]], out: Donors) -> list[Named]:
    """Potencies of each compound over donors, with a row of the table `pooled` each."""
    named = []
    for sample in dict.fromkeys(curve.sample for curve in found):
        mine = [i for i, curve in enumerate(found) if curve.sample == sample]
        for definition, potencies in per_donor.items():
            joint = pool(
                [potencies[i] for i in mine],
                donor=[found[i].donor for i in mine],
                experiment=[found[i].experiment for i in mine],
                confidence=potencies[0].confidence,
            )
            named.append(Named(sample, "", joint.potency))
            out.pooled.append(
                {
                    "sample": sample,
                    "definition": definition,
                    "relation": joint.potency.relation,
                    "ic50_nm": joint.potency.value_nm,
                    "low_nm": joint.potency.low_nm,
                    "high_nm": joint.potency.high_nm,
                    "donors": joint.donors,
                    "experiments": joint.experiments,
                    "tau_donor": joint.tau_donor,
                    "reasons": "; ".join(joint.potency.explanations),
                }
            )
    return named


def _donor_row(curve: Curve, fits: curves.Fits, i: int, joined: Mapping[str, Potency]) -> Row:
    row: Row = curve.about | {
        "sample": curve.sample,
        "donor": curve.donor,
        "experiment": curve.experiment,
        "wells": int(curve.dose.size),
        "doses": int(np.unique(curve.dose).size),
        "slope": float(fits.slope[i]),
        "inhibition_at_zero_percent": float(fits.front[i]),
        "inhibition_at_infinity_percent": float(fits.back[i]),
        "reason": fits.reasons[i],
    }
    for name, potency in joined.items():
        row |= {
            f"{name}_relation": potency.relation,
            f"{name}_ic50_nm": potency.value_nm,
            f"{name}_low_nm": potency.low_nm,
            f"{name}_high_nm": potency.high_nm,
        }
    return row
