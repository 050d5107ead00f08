"""Every claim that was fitted or held out beside what the posterior predicts for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.calibration.in_vitro.claims import decided
from glueprint.calibration.in_vitro.parameters import ASSAYS, OTHER_KD, errors
from glueprint.calibration.in_vitro.pooling import NM_PER_UNIT
from glueprint.calibration.in_vitro.potencies import ABOUT
from glueprint.evidence import Claim
from glueprint.runs import streams

__all__ = ["TYPICAL", "Predictive", "column", "in_unit", "predict", "repeated", "spoken_of", "summary"]

Floats = NDArray[np.float64]
# What counts as met where a claim prints no interval.
NEAR_LOG10 = 0.3
# Claims in another unit than nM.
UNITS: Mapping[str, str] = {ABOUT.comparator.loss: "%", ABOUT.blood_shift: "1"}
# What an assay without an error of its own would show: the column, where it is not that of the claim itself.
TYPICAL: Mapping[str, str] = {
    **dict.fromkeys(ASSAYS.values(), "kd_nm"),
    **{assay.claim: f"typical:{assay.claim}" for assay in ABOUT.assays if assay.shows == "competition"},
    ABOUT.comparator.affinity: OTHER_KD,
}


@dataclass(frozen=True)
class Predictive:
    """What the posterior predicts for one claim, in `unit`.

    published_low, published_high: printed, else None.   median, low, high: of the assay or culture of the
    claim, 95 %.   repeat_low, repeat_high: where the same assay's next result would fall, with its error;
    None where it has none on this scale.   typical, typical_*: of an assay without an error of its own.
    met, typical_met: whether the median lies inside the printed interval, or within 0.3 log10 of the value
    where none is printed.   covered: whether the value lies between low and high.
    label: "calibrated" or "predicted".   note: on what it rests.
    """

    claim_id: str
    quantity: str
    unit: str
    published: float
    published_low: float | None
    published_high: float | None
    median: float
    low: float
    high: float
    repeat_low: float | None
    repeat_high: float | None
    typical: float
    typical_low: float
    typical_high: float
    met: bool
    typical_met: bool
    covered: bool
    label: str
    note: str


def spoken_of() -> tuple[str, ...]:
    """Ids of the claims that were fitted or held out."""
    return (*decided("likelihood"), *decided("held out"))


def predict(draws: pl.DataFrame, claim: Claim, without: Collection[str] = ()) -> Predictive:
    """The posterior predictive of one claim of `spoken_of`.

    draws: of an InVitroPosterior.   without: claims of the likelihood that it did not read.
    """
    assert claim.value is not None
    unit, published = in_unit(claim)
    printed = _printed(claim, published / claim.value)
    shown = column(draws, f"shown:{claim.id}")
    middle, usual = summary(shown), summary(column(draws, TYPICAL.get(claim.id, f"shown:{claim.id}")))
    again: tuple[float | None, ...] = (None, None, None)
    if unit == "nM":
        again = summary(repeated(draws, claim))
    least, most = printed or (published / 10.0**NEAR_LOG10, published * 10.0**NEAR_LOG10)
    held_out = decided("held out")
    return Predictive(
        claim_id=claim.id,
        quantity=claim.quantity,
        unit=unit,
        published=published,
        published_low=printed[0] if printed else None,
        published_high=printed[1] if printed else None,
        median=middle[0],
        low=middle[1],
        high=middle[2],
        repeat_low=again[1],
        repeat_high=again[2],
        typical=usual[0],
        typical_low=usual[1],
        typical_high=usual[2],
        met=least <= middle[0] <= most,
        typical_met=least <= usual[0] <= most,
        covered=middle[1] <= published <= middle[2],
        label="predicted" if claim.id in held_out or claim.id in without else "calibrated",
        note=held_out.get(claim.id, ""),
    )


def repeated(draws: pl.DataFrame, claim: Claim) -> Floats:
    """What the assay of a claim in nM would print the next time (n,), with its error, a number a draw."""
    printed = _printed(claim, NM_PER_UNIT[claim.unit])
    error = 0.5 * np.log10(printed[1] / printed[0]) if printed else errors()["default_log10"]
    shown = column(draws, f"shown:{claim.id}")
    noise = streams.normals(1, f"calibration/{claim.id}", np.arange(shown.size), 1)[:, 0]
    return np.asarray(shown * 10.0 ** (error * noise))


def column(draws: pl.DataFrame, name: str) -> Floats:
    """A column of the draws (n,)."""
    return draws[name].cast(pl.Float64).to_numpy()


def in_unit(claim: Claim) -> tuple[str, float]:
    """The unit a claim is compared in, and its published number there."""
    assert claim.value is not None
    unit = UNITS.get(claim.id, "nM")
    return unit, claim.value * (NM_PER_UNIT[claim.unit] if unit == "nM" else 1.0)


def _printed(claim: Claim, factor: float) -> tuple[float, float] | None:
    """The limits that a claim prints, in nM or its own unit."""
    if claim.interval_kind != "plus-minus" or claim.low is None or claim.high is None:
        return None
    return claim.low * factor, claim.high * factor


def summary(values: Floats) -> tuple[float, float, float]:
    """Median and 95 % limits; an infinite one where the level is not reached in so many draws."""
    # Order statistics, as a mean of two infinities is no number.
    ordered = np.sort(values)
    middle, low, high = (float(ordered[int(q * (ordered.size - 1))]) for q in (0.5, 0.025, 0.975))
    return middle, low, high
