"""Whether numbers are logarithms: doses told by their steps and signs, counts by their size, and the base of
those that say so."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glueprint.assays.findings import Finding
from glueprint.assays.intake.labels import listed

__all__ = ["base", "counts", "doses"]

Floats = NDArray[np.float64]
FEWEST_DOSES = 4
# Above 1 M nothing dissolves; nobody ends a series at 10 pM; above 3 mM glues are not tested.
DOSE_NM, USUAL_NM = (1e-2, 1e9), 3e6
# log10, ln and log2 of the usual dilution factors, as the steps of a series that was written as logarithms.
FACTORS = (2.0, 3.0, 10.0**0.5, 4.0, 5.0, 10.0)
# Without log2(4): amounts in steps of 2 are common, unless they begin at no half or whole number.
LOG_STEPS = tuple(
    step for log in (math.log10, math.log, math.log2) for step in map(log, FACTORS) if step != math.log2(4.0)
)
# So far from a half or whole number, doubled, a first amount was computed and not chosen.
NEAR_HALF = 0.04
# log2 of 100 uM in nM is 16.6.
MOST_LOG = 17.0
# Nobody dilutes less than this from dose to dose; logarithms of doses rise by less.
LEAST_RATIO = 1.4
# ln 2 and log10 5 differ by 0.8 %; a mean step is known better, however the logarithms were rounded.
EVEN = 0.004
RARE_FACTORS = (1.5, 2.5, 6.0, 8.0, 20.0, 100.0)
# Counts of photons and cells; a reader gives hundreds and more, their log2 ends near 24.
COUNTED = frozenset(
    listed(
        "rlu|rfu|luminescence|lum|lumi|fluorescence|fluo|ctg|celltiter glo|cell titer glo|cps|cell count|"
        "counts|mfi|intensity|raw signal"
    )
)
MOST_LOG_COUNT = 25.0


def counts(column: str, words: str, values: Floats) -> list[Finding]:
    """Counts of light or cells so small that they may be logarithms, or thousands.

    words: the name of the column in small letters, without its unit.
    """
    if words not in COUNTED or not values.size or not 3.0 < float(values.max()) < MOST_LOG_COUNT:
        return []
    text = f"counts of {float(values.min()):.3g} to {float(values.max()):.3g} may be logarithms"
    remedy = "name the column log10 signal if they are; a logarithm is not divided by its control"
    return [
        Finding("GP-A209", "warning", text, f'column "{column}"', "counts in their hundreds and more", remedy)
    ]


def base(column: str, written: Sequence[float], said: float) -> list[Finding]:
    """Logarithms to another base than their header says, told by the amounts that each base gives.

    written: as they stand in the column.   said: the base of the header.
    """
    logs = np.unique([value for value in written if math.isfinite(value)])
    if logs.size < FEWEST_DOSES or _amounts(np.sort(logs * math.log10(said))):
        return []
    others = {"e": math.e, "2": 2.0, "10": 10.0}
    right = [name for name, other in others.items() if _amounts(logs * math.log10(other))]
    if not right:
        return []
    text = f"{logs[0]:g}, {logs[1]:g}, {logs[2]:g} ... are logarithms to the base {right[0]}"
    remedy = "name the column ln_dose, log2_dose or log10_dose, for what it holds"
    place = f'column "{column}"'
    return [Finding("GP-A205", "refusal", text, place, "logarithms to the base of the header", remedy)]


def _amounts(logs10: Floats) -> bool:
    """Whether logarithms to the base 10, sorted, are of round numbers or in steps of a usual dilution."""
    steps = np.diff(logs10)
    even = float(np.abs(steps - steps.mean()).max()) <= 0.02 * float(steps.mean())
    usual = any(
        abs(float(steps.mean()) / math.log10(factor) - 1.0) < EVEN for factor in (*FACTORS, *RARE_FACTORS)
    )
    return (even and usual) or _round(logs10)


def _round(logs10: Floats) -> bool:
    """Whether all amounts of these logarithms have two digits that count."""
    digits = 10.0 ** (logs10 - np.floor(logs10) + 1.0)
    return bool(np.all(np.abs(digits - np.round(digits)) < 0.06))


def doses(
    column: str, raw: Sequence[float], nanomolar: Sequence[float] = (), where: str = ""
) -> list[Finding]:
    """Logarithms named as doses, told by their steps and signs, and doses that nothing dissolves at.

    raw: as written, of one series, zeros included.   nanomolar: the same in nM, where they are molar.
    """
    place = ", ".join(part for part in (where, f'column "{column}"') if part)
    written = np.unique(np.asarray(raw, dtype=float))
    if _is_logs(written):
        steps = ", ".join(f"{value:g}" for value in written[:5])
        text = f"doses of {steps} ... look like logarithms"
        remedy = "name the column log10_dose (with the unit), or linear_dose if they are amounts"
        return [Finding("GP-A205", "refusal", text, place, "doses in a geometric series", remedy)]
    molar = np.asarray([value for value in nanomolar if value > 0.0], dtype=float)
    if not molar.size:
        return []
    top = float(molar.max())
    if not DOSE_NM[0] <= top <= DOSE_NM[1]:
        text = f"the highest dose is {top:g} nM"
        remedy = "check the unit: molar values in a column of nM, or mM for uM"
        return [Finding("GP-A206", "refusal", text, place, "doses that dissolve and can act", remedy)]
    if top > USUAL_NM:
        text = f"the highest dose is {top / 1e6:g} mM"
        return [Finding("GP-A206", "warning", text, place, "at most a few mM", "check the unit of the doses")]
    return []


def _is_logs(written: Floats) -> bool:
    """Whether distinct doses, sorted, are logarithms: below zero, in equal steps, or of round numbers."""
    above = written[written > 0.0]
    if above.size >= 3 and np.all(np.diff(above) == 1.0) and np.all(above == np.round(above)):
        # 2, 3, 4: nobody doses so narrowly, and these are what the exponents look like.
        return bool(written.min() >= 0.0 and above.max() <= MOST_LOG)
    if written.size < FEWEST_DOSES:
        return False
    if (
        (written < 0.0).sum() >= FEWEST_DOSES - 1
        and written.min() > -MOST_LOG - 1.0
        and written.max() < MOST_LOG
    ):
        return True
    if written.min() < 0.0 or written.max() > MOST_LOG:
        return False
    for series in (written, above):
        steps = np.diff(series)
        step = float(steps.mean())
        even = float(np.abs(steps - step).max()) <= 0.02 * step
        odd = abs(2.0 * series[0] - round(2.0 * series[0])) > NEAR_HALF
        known = (*LOG_STEPS, math.log2(4.0)) if odd else LOG_STEPS
        if even and series.size > FEWEST_DOSES and any(abs(step / one - 1.0) < 0.02 for one in known):
            return True
    ratios = above[1:] / above[:-1]
    broken = np.abs(above - np.round(above, 2)) > 1e-4
    if ratios.size < 2 or broken.sum() < 2:
        return False
    if float(ratios.mean()) > LEAST_RATIO and float(ratios.max() / ratios.min()) < 1.3:
        return False
    # Of few numbers some look round by chance in one base or the other.
    others = (math.e, 2.0) if written.size > FEWEST_DOSES else ()
    return any(_round(written * math.log10(one)) for one in (10.0, *others))
