"""IC50s of each donor from its inhibition curves, and their pool over donors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import t as student

from glueprint import curves
from glueprint.assays.elisa.result import Named
from glueprint.assays.elisa.settings import Settings
from glueprint.assays.elisa.shapes import Floats
from glueprint.assays.findings import Finding
from glueprint.curves import Potency
from glueprint.curves.pooling import pool
from glueprint.curves.potency import Reason

__all__ = ["DONORS", "LEAST", "MIDDLE", "MOST", "POOLED", "Curve", "Donors", "Row", "potencies"]

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
    level_sd, level_degrees: standard error of the level of 50 %, in per cent, and its degrees of freedom; NaN
    with a single control well.
    about: what the row of the table `donors` says of the controls.
    """

    sample: str
    donor: str
    experiment: str
    dose: Floats
    inhibition: Floats
    level_sd: float
    level_degrees: float
    about: Row


def potencies(found: list[Curve], settings: Settings, out: Donors) -> None:
    """Fit all curves in one batch, each three times, and join the three readings of the censored values."""
    if not found:
        return
    longest = max(curve.dose.size for curve in found)
    dose = np.full((3 * len(found), longest), np.nan)
    response = np.full_like(dose, np.nan)
    for i, curve in enumerate(found):
        dose[3 * i : 3 * i + 3, : curve.dose.size] = curve.dose
        response[3 * i : 3 * i + 3, : curve.dose.size] = curve.inhibition
    fits = curves.fit(dose, response, confidence=settings.confidence)
    readings = {
        "relative": curves.relative(fits, "IC50"),
        "absolute": curves.absolute(fits, HALF_PERCENT, "IC50", control=0.0),
    }
    named = []
    per_donor: dict[str, list[Potency]] = {name: [] for name in readings}
    for i, curve in enumerate(found):
        joined = {name: _widest(all_of[3 * i : 3 * i + 3]) for name, all_of in readings.items()}
        joined["absolute"] = _with_controls(joined["absolute"], curve, fits, 3 * i)
        donor = " ".join(part for part in (curve.donor, curve.experiment) if part)
        named += [Named(curve.sample, donor, potency) for potency in joined.values()]
        for name, potency in joined.items():
            per_donor[name].append(potency)
        out.donors.append(_donor_row(curve, fits, 3 * i, joined))
    out.named = (*_pooled(found, per_donor, out), *named)


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


def _with_controls(potency: Potency, curve: Curve, fits: curves.Fits, i: int) -> Potency:
    """The absolute potency with the error of the level itself: 50 % is as uncertain as the controls.

    Each bound moves out by the root of the sum of squares of its own reach and that of the level.
    Source: own derivation, docs/elisa.md.
    """
    if potency.relation != "=" or potency.value_nm is None:
        return potency
    front, back, slope = (float(values[i]) for values in (fits.front, fits.back, fits.slope))
    share = (HALF_PERCENT - back) / (front - back)
    per_decade = abs((front - back) * share * (1.0 - share)) * slope * float(np.log(10.0))
    residual = float(np.sqrt(fits.rss[i] / max(int(fits.dof[i]), 1)))
    # A single control well has no scatter of its own: the scatter about the curve stands in for it.
    known = np.isfinite(curve.level_degrees)
    level_sd = curve.level_sd if np.isfinite(curve.level_sd) else residual / np.sqrt(2.0)
    degrees = curve.level_degrees if known else float(max(int(fits.dof[i]), 1))
    error = level_sd / per_decade
    centre = float(np.log10(potency.value_nm))
    reach = float(student.ppf(0.5 + 0.5 * potency.confidence, degrees)) * error

    def moved(bound: float | None, side: float) -> float | None:
        if bound is None:
            return None
        return float(10.0 ** (centre + side * np.hypot(np.log10(bound) - centre, reach)))

    return replace(
        potency,
        low_nm=moved(potency.low_nm, -1.0),
        high_nm=moved(potency.high_nm, 1.0),
        log10_se=None if potency.log10_se is None else float(np.hypot(potency.log10_se, error)),
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
