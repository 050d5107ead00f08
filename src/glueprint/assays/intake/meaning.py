"""Whether numbers can be what their column says: scale, complement, direction, logarithms and limits of
nature.

Every function returns findings. One of severity "refusal" is a contradiction: its numbers are not fitted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from glueprint.assays.findings import Finding, Severity
from glueprint.errors import InputError

__all__ = [
    "RESPONSES",
    "Response",
    "Sense",
    "densities",
    "dilutions",
    "doses",
    "hours",
    "polarization",
    "refused",
    "scale",
]

Floats = NDArray[np.float64]
# Nobody multiplies cells fivefold over the control by a drug, and no per cent of a control ends at 2.
MOST_FRACTION, MOST_OF_FRACTIONS, MOST_OVER_CONTROL = 5.0, 2.0, 3.0
# A control that is 1 by division is 1; other wells of a plate than those divided by differ by edges and
# solvent.
CONTROL_REFUSED, CONTROL_ODD = (0.7, 1.4), 0.1
BELOW_ZERO = -0.15
# Rise from no dose to the highest doses, and rank correlation with dose, that noise alone hardly gives.
RISE, RANK, SIGMAS = 0.25, 0.7, 4.0
FEWEST_DOSES = 4
# Above 1 M nothing dissolves; nobody ends a series at 10 pM; above 3 mM glues are not tested.
DOSE_NM, USUAL_NM = (1e-2, 1e9), 3e6
HOURS, DOUBLING_H = 1000.0, (5.0, 1000.0)
# log10, ln and log2 of the usual dilution factors, as the steps of a series that was written as logarithms.
FACTORS = (2.0, 3.0, 10.0**0.5, 4.0, 5.0, 10.0)
# Without log2(4): amounts in steps of 2 are common.
LOG_STEPS = tuple(
    step for log in (math.log10, math.log, math.log2) for step in map(log, FACTORS) if step != math.log2(4.0)
)
MOST_LOG = 14.0
# Lakowicz, Principles of Fluorescence Spectroscopy, 3rd ed., ch. 10: P is at most 0.5 and at least -1/3 with
# one
# photon in an isotropic solution; a dye that is excited to its first state does not read below 0.
MOST_MP, LEAST_MP = 500.0, -20.0
# No plate reader sees one photon in 10^6.
MOST_OD = 6.0
# A sample concentrated twofold has a factor of 0.5; one of a quarter and less is a share.
LEAST_FACTOR = 0.25


@dataclass(frozen=True)
class Sense:
    """What a column of responses claims: its words, per cent or not, 1 - x or not, relative to the
    control."""

    words: str
    per_cent: bool = False
    complement: bool = False
    relative: bool = True

    def fraction(self, value: float) -> float:
        """A number of the column as a fraction of the control that is left."""
        share = value / 100.0 if self.per_cent else value
        return 1.0 - share if self.complement else share


# In the order in which they are looked for.
RESPONSES = MappingProxyType(
    {
        "viability": Sense("viability, fraction of the control"),
        "viability_percent": Sense("viability, per cent of the control", per_cent=True),
        "inhibition": Sense("inhibition, fraction of the control lost", complement=True),
        "inhibition_percent": Sense(
            "inhibition, per cent of the control lost", per_cent=True, complement=True
        ),
        "fraction_remaining": Sense("fraction of the vehicle remaining"),
        "percent_remaining": Sense("per cent of the vehicle remaining", per_cent=True),
        "fraction_degraded": Sense("fraction of the vehicle lost", complement=True),
        "percent_degraded": Sense("per cent of the vehicle lost", per_cent=True, complement=True),
        "signal": Sense("raw signal", relative=False),
    }
)


@dataclass(frozen=True)
class Response:
    """One curve to be asked: dose and value (m,) of treated wells, control (k,), all as fractions that are
    left.

    column: its name in the file.
    """

    column: str
    sense: Sense
    dose: Floats
    value: Floats
    control: Floats
    where: str = ""

    def problems(self, *, may_rise: bool = False) -> list[Finding]:
        """What contradicts the column's name: the control, values below zero, the direction.

        may_rise: a response above a sound control contradicts nothing, as that of a protein that gathers.
        """
        sound = not self.control.size or self._sound(float(self.control.mean()))
        rising = [] if may_rise and sound else self._rising()
        return [*self._below_zero(), *(rising or self._control())]

    def _sound(self, control: float) -> bool:
        return not self.sense.relative or CONTROL_REFUSED[0] <= control <= CONTROL_REFUSED[1]

    def _means(self) -> tuple[Floats, Floats]:
        doses = np.unique(self.dose)
        return doses, np.array([float(self.value[self.dose == dose].mean()) for dose in doses])

    def _shown(self, left: float) -> str:
        share = 1.0 - left if self.sense.complement else left
        return f"{100.0 * share:.3g} %" if self.sense.per_cent else f"{share:.3g}"

    def _control(self) -> list[Finding]:
        if not self.control.size:
            return []
        mean = float(self.control.mean())
        if not self.sense.relative:
            most = float(self._means()[1].max(initial=0.0)) / mean if mean > 0.0 else 0.0
            if most <= MOST_OVER_CONTROL:
                return []
            text = f"a treated well reads {most:.3g} times the control"
            remedy = "check which wells are controls; a control of full effect has the role positive"
            return [_said("GP-A202", "refusal", text, self._place(), "controls without effect", remedy)]
        wanted = self._shown(1.0)
        message = f"the control of a {self.sense.words} is {self._shown(mean)}, not {wanted}"
        if not self._sound(mean):
            remedy = "divide by the control, or give raw values in a column signal"
            return [_said("GP-A202", "refusal", message, self._place(), f"a control of {wanted}", remedy)]
        error = float(self.control.std(ddof=1)) / self.control.size**0.5 if self.control.size > 1 else 0.0
        if abs(mean - 1.0) > max(CONTROL_ODD, 3.0 * error):
            remedy = "an absolute potency refers to 1: say by which wells the values were divided"
            return [_said("GP-A202", "warning", message, self._place(), f"a control of {wanted}", remedy)]
        return []

    def _below_zero(self) -> list[Finding]:
        doses, means = self._means()
        if not self.sense.relative or not means.size or means.min() >= BELOW_ZERO:
            return []
        worst = int(means.argmin())
        shown = self._shown(float(means[worst]))
        text = f"{shown} at dose {doses[worst]:g}: less than nothing is left of the control"
        remedy = (
            "GR values, logarithms, changes from the control or over-subtracted blanks are another column"
        )
        expected = "at most 100 %" if self.sense.complement else "zero or more"
        return [_said("GP-A203", "refusal", text, self._place(), expected, remedy)]

    def _rising(self) -> list[Finding]:
        """A response that rises where the column says that it falls, beyond what its replicates explain."""
        doses, means = self._means()
        if doses.size < FEWEST_DOSES:
            return []
        near = float(self.control.mean()) if self.control.size else float(means[0])
        far = float(means[-2:].mean())
        groups = [self.control, *(self.value[self.dose == dose] for dose in doses)]
        free = sum(group.size - 1 for group in groups if group.size > 1)
        squares = sum(float(((group - group.mean()) ** 2).sum()) for group in groups if group.size > 1)
        error = (squares / free / max(self.control.size, 1)) ** 0.5 if free >= FEWEST_DOSES else 0.0
        rank = float(np.corrcoef(np.argsort(np.argsort(means)), np.arange(means.size))[0, 1])
        if far - near <= max(RISE, SIGMAS * error) or rank < RANK or means.min() < near - RISE:
            return []
        verb = "falls" if self.sense.complement else "rises"
        text = f"the {self.sense.words}, {verb} with dose from {self._shown(near)} to {self._shown(far)}"
        begins = self._shown(1.0)
        text += "" if self._sound(near) or not self.control.size else f", and its control is not {begins}"
        return [
            _said(
                "GP-A204",
                "refusal",
                f"{text}: no IC50 of inhibition",
                self._place(),
                f"{begins} without compound, and less of the control at higher doses",
                "name the column for what it holds (inhibition, viability, signal), or check which "
                "wells are controls",
            )
        ]

    def _place(self) -> str:
        return ", ".join(part for part in (self.where, f'column "{self.column}"') if part)


def scale(column: str, sense: Sense, raw: Floats, where: str = "") -> list[Finding]:
    """Per cent named as fractions and fractions named as per cent, told by the largest numbers of the
    column."""
    if not sense.relative or not raw.size:
        return []
    # One odd well does not make the scale; of few values all count.
    largest = float(np.quantile(np.abs(raw), 0.95)) if raw.size >= 40 else float(np.abs(raw).max())
    place = ", ".join(part for part in (where, f'column "{column}"') if part)
    if sense.per_cent and largest <= MOST_OF_FRACTIONS:
        text = f"per cent that end at {largest:g} look like fractions"
        other = column.replace("_percent", "").replace("percent_", "fraction_")
        return [_said("GP-A201", "refusal", text, place, "per cent, near 100", f"name the column {other}")]
    if not sense.per_cent and largest > MOST_FRACTION:
        text = f"fractions that reach {largest:g} look like per cent, or like raw signals"
        other = "percent_" + column.removeprefix("fraction_") if "fraction" in column else f"{column}_percent"
        remedy = f"name the column {other}, or signal"
        return [_said("GP-A201", "refusal", text, place, "fractions of the control, near 1", remedy)]
    return []


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
        return [_said("GP-A205", "refusal", text, place, "doses in a geometric series", remedy)]
    molar = np.asarray([value for value in nanomolar if value > 0.0], dtype=float)
    if not molar.size:
        return []
    top = float(molar.max())
    if not DOSE_NM[0] <= top <= DOSE_NM[1]:
        text = f"the highest dose is {top:g} nM"
        remedy = "check the unit: molar values in a column of nM, or mM for uM"
        return [_said("GP-A206", "refusal", text, place, "doses that dissolve and can act", remedy)]
    if top > USUAL_NM:
        text = f"the highest dose is {top / 1e6:g} mM"
        return [_said("GP-A206", "warning", text, place, "at most a few mM", "check the unit of the doses")]
    return []


def _is_logs(written: Floats) -> bool:
    """Whether distinct doses, sorted, are logarithms: below zero, in equal steps, or of round numbers."""
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
    above = written[written > 0.0]
    for series in (written, above):
        steps = np.diff(series)
        step = float(steps.mean())
        even = float(np.abs(steps - step).max()) <= 0.02 * step
        if even and series.size > FEWEST_DOSES and any(abs(step / one - 1.0) < 0.02 for one in LOG_STEPS):
            return True
    ratios = above[1:] / above[:-1]
    broken = np.abs(above - np.round(above, 2)) > 1e-4
    if ratios.size < 2 or float(ratios.max() / ratios.min()) < 1.3 or broken.sum() < 2:
        return False
    amounts = 10.0**written
    digits = 10.0 ** (np.floor(written) - 1.0)
    return bool(np.all(np.abs(amounts / digits - np.round(amounts / digits)) < 0.06))


def hours(column: str, values: Sequence[float], where: str = "") -> list[Finding]:
    """Hours that no assay lasts, or in which no human cell divides: minutes or days."""
    known = [value for value in values if value > 0.0]
    low, high = DOUBLING_H if column == "doubling_time_h" else (0.0, HOURS)
    wrong = [value for value in known if not low <= value <= high]
    if not wrong:
        return []
    text = f"{wrong[0]:g} hours"
    expected = f"between {low:g} and {high:g} hours"
    place = ", ".join(part for part in (where, f'column "{column}"') if part)
    return [_said("GP-A207", "refusal", text, place, expected, "convert minutes or days to hours")]


def polarization(free: Floats, bound: Floats, *, stored: bool, where: str) -> list[Finding]:
    """Whether the controls of a polarisation assay can be: mP of tracer alone, and with protein.

    stored: the mP are the file's, not computed from channels.
    """
    named = {"tracer_only": free, "tracer_protein": bound}
    means = {name: float(values.mean()) for name, values in named.items() if values.size}
    said = " and ".join(f"{name} {value:.3g} mP" for name, value in means.items())
    if not means:
        return []
    expected = "between 0 and 500 mP, and higher with protein"
    if stored and max(abs(value) for value in means.values()) < 1.0:
        remedy = "mP are 1000 times P: multiply by 1000"
        return [_said("GP-A208", "refusal", f"{said}: polarisations, not mP", where, expected, remedy)]
    falls = False
    if len(means) == 2:
        error = sum(float(v.var(ddof=1)) / v.size for v in named.values() if v.size > 1) ** 0.5
        falls = means["tracer_protein"] < means["tracer_only"] - max(3.0 * error, 5.0)
    if min(means.values()) < LEAST_MP:
        why = ", and lower with protein" if falls else ""
        remedy = "exchange the channels (--parallel, --perpendicular), or correct the G factor"
        text = f"{said}: below zero{why}: channels exchanged, or a wrong G factor"
        return [_said("GP-A208", "refusal", text, where, expected, remedy)]
    if max(means.values()) > MOST_MP:
        remedy = "correct the G factor and the blank, and check the channels"
        return [
            _said("GP-A208", "refusal", f"{said}: above what a solution can have", where, expected, remedy)
        ]
    if falls:
        remedy = "check which wells have protein, and which channel is parallel"
        text = f"{said}: protein lowers it: roles or channels exchanged"
        return [_said("GP-A208", "refusal", text, where, expected, remedy)]
    return []


def densities(unit: str, values: Floats, where: str) -> list[Finding]:
    """Optical densities that no reader can see: milli-OD, per cent of transmission, or another quantity."""
    if unit != "OD" or not values.size or float(np.median(values)) <= MOST_OD:
        return []
    text = f"optical densities with a median of {float(np.median(values)):g}"
    remedy = "thousandths of OD are mOD; give the unit that was measured"
    return [_said("GP-A209", "refusal", text, where, f"OD of at most {MOST_OD:g}", remedy)]


def dilutions(factors: Sequence[float]) -> list[Finding]:
    """Shares of the sample named as factors of dilution: all that are not 1 lie below it."""
    told = sorted({factor for factor in factors if factor != 1.0})
    if not told or told[-1] > 1.0 or told[0] > LEAST_FACTOR:
        return []
    remedy = f"{told[0]:g} as a share is the factor {1.0 / told[0]:g}"
    text = f"dilutions of {told[0]:g} to {told[-1]:g} look like shares"
    return [_said("GP-A210", "refusal", text, 'column "dilution"', "factors of 1 and more", remedy)]


def refused(findings: Sequence[Finding]) -> None:
    """Raise the first refusal among findings as an InputError with its code; else nothing."""
    for one in findings:
        if one.severity == "refusal":
            raise InputError(
                one.code, one.message, where=one.where, expected=one.expected, next_step=one.next_step
            )


def _said(code: str, severity: Severity, message: str, where: str, expected: str, next_step: str) -> Finding:
    return Finding(code, severity, message, where, expected, next_step)
