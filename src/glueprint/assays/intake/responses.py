"""Whether a response can be what its column says: its scale, its complement, its direction and its control.

Every function returns findings. One of severity "refusal" is a contradiction: its numbers are not fitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from glueprint.assays.findings import Finding

__all__ = [
    "RESPONSES",
    "Response",
    "Sense",
    "levels_apart",
    "losses",
    "one_scale",
    "replicates_apart",
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
# Of the control: what separates a course from its control, and the most that is no effect of a compound.
HALF, MOST_WITHOUT_CONTROL = 0.5, 2.0
MOST_BETWEEN_LEVELS = 1.5
# Wells of one day differ less: at a tenth of noise and a slope of one half, by a factor of two.
MOST_BETWEEN_REPLICATES = 3.5


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

        may_rise: a response above a sound control contradicts nothing, as that of a protein that gathers;
        without a control, its lowest dose is one.
        """
        means = self._means[1]
        near = self.control if self.control.size else means[:1]
        sound = not near.size or self._sound(float(near.mean()))
        rising = [] if may_rise and sound else self._rising()
        turned = [] if may_rise else self.turned()
        return [*self._below_zero(), *(rising or turned or self._control())]

    def _sound(self, control: float) -> bool:
        return not self.sense.relative or CONTROL_REFUSED[0] <= control <= CONTROL_REFUSED[1]

    @cached_property
    def _means(self) -> tuple[Floats, Floats]:
        doses = np.unique(self.dose)
        return doses, np.array([float(self.value[self.dose == dose].mean()) for dose in doses])

    @cached_property
    def _rank(self) -> float:
        """Rank correlation of the means with dose."""
        means = self._means[1]
        return float(np.corrcoef(_ranks(means), np.arange(means.size))[0, 1])

    def _shown(self, left: float) -> str:
        share = 1.0 - left if self.sense.complement else left
        return f"{100.0 * share:.3g} %" if self.sense.per_cent else f"{share:.3g}"

    def turned(self) -> list[Finding]:
        """A course against its control: up to it from little, or down to it from far above."""
        means = self._means[1]
        if means.size < FEWEST_DOSES or not self.control.size:
            return []
        control, near, far = float(self.control.mean()), float(means[:2].mean()), float(means[-2:].mean())
        scale = control if control > 0.0 else 1.0
        off, back = (near - control) / scale, abs(far - control) / scale
        if abs(off) <= HALF or back >= HALF * abs(off) or self._rank * off > -RANK * abs(off):
            return []
        shown = " ".join(("from", self._shown(near), "to", self._shown(far), "with dose"))
        kind = f"the {self.sense.words}, runs {shown}, towards its control of {self._shown(control)}"
        if off > 0.0:
            remedy = "check which wells are controls; a control of full effect has the role positive"
            expected = "controls that read like the lowest doses"
            return [Finding("GP-A202", "refusal", kind, self._place(), expected, remedy)]
        remedy = "check the order of the doses, and whether the column holds what was lost"
        expected = f"{self._shown(1.0)} at low doses, like the control"
        return [Finding("GP-A204", "refusal", kind, self._place(), expected, remedy)]

    def _control(self) -> list[Finding]:
        if not self.control.size:
            return self._without_control()
        mean = float(self.control.mean())
        if not self.sense.relative:
            most = float(self._means[1].max(initial=0.0)) / mean if mean > 0.0 else 0.0
            if most <= MOST_OVER_CONTROL:
                return []
            text = f"a treated well reads {most:.3g} times the control"
            remedy = "check which wells are controls; a control of full effect has the role positive"
            return [Finding("GP-A202", "refusal", text, self._place(), "controls without effect", remedy)]
        wanted = self._shown(1.0)
        message = f"the control of a {self.sense.words} is {self._shown(mean)}, not {wanted}"
        if not self._sound(mean):
            remedy = "divide by the control, or give raw values in a column signal"
            return [Finding("GP-A202", "refusal", message, self._place(), f"a control of {wanted}", remedy)]
        error = float(self.control.std(ddof=1)) / self.control.size**0.5 if self.control.size > 1 else 0.0
        if abs(mean - 1.0) > max(CONTROL_ODD, 3.0 * error):
            remedy = "an absolute potency refers to 1: say by which wells the values were divided"
            return [Finding("GP-A202", "warning", message, self._place(), f"a control of {wanted}", remedy)]
        return []

    def _without_control(self) -> list[Finding]:
        means = self._means[1]
        if not self.sense.relative or not means.size or float(means[0]) <= MOST_WITHOUT_CONTROL:
            return []
        lowest = self._shown(float(means[0]))
        text = f"a {self.sense.words} of {lowest} at the lowest dose, and no control beside it"
        remedy = "give the control, or check whether the columns of doses and responses are exchanged"
        return [Finding("GP-A202", "refusal", text, self._place(), f"about {self._shown(1.0)} there", remedy)]

    def _below_zero(self) -> list[Finding]:
        doses, means = self._means
        if not means.size or means.min() >= BELOW_ZERO:
            return []
        worst = int(means.argmin())
        if not self.sense.relative:
            text = f"a signal of {means[worst]:.3g} of the control at dose {doses[worst]:g}: below the blank"
            remedy = "check which wells are blanks, and that the blank was not subtracted before"
            return [Finding("GP-A203", "refusal", text, self._place(), "signals above the blank", remedy)]
        shown = self._shown(float(means[worst]))
        text = f"{shown} at dose {doses[worst]:g}: less than nothing is left of the control"
        remedy = (
            "GR values, logarithms, changes from the control or over-subtracted blanks are another column"
        )
        expected = "at most 100 %" if self.sense.complement else "zero or more"
        return [Finding("GP-A203", "refusal", text, self._place(), expected, remedy)]

    def _rising(self) -> list[Finding]:
        """A response that rises where the column says that it falls, beyond what its replicates explain."""
        doses, means = self._means
        if doses.size < FEWEST_DOSES:
            return []
        near = float(self.control.mean()) if self.control.size else float(means[0])
        far = float(means[-2:].mean())
        groups = [self.control, *(self.value[self.dose == dose] for dose in doses)]
        free = sum(group.size - 1 for group in groups if group.size > 1)
        squares = sum(float(((group - group.mean()) ** 2).sum()) for group in groups if group.size > 1)
        error = (squares / free / max(self.control.size, 1)) ** 0.5 if free >= FEWEST_DOSES else 0.0
        if far - near <= max(RISE, SIGMAS * error) or self._rank < RANK or means.min() < near - RISE:
            return []
        verb = "falls" if self.sense.complement else "rises"
        text = f"the {self.sense.words}, {verb} with dose from {self._shown(near)} to {self._shown(far)}"
        begins = self._shown(1.0)
        text += "" if self._sound(near) or not self.control.size else f", and its control is not {begins}"
        return [
            Finding(
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
        return [Finding("GP-A201", "refusal", text, place, "per cent, near 100", f"name the column {other}")]
    if not sense.per_cent and largest > MOST_FRACTION:
        text = f"fractions that reach {largest:g} look like per cent, or like raw signals"
        other = "percent_" + column.removeprefix("fraction_") if "fraction" in column else f"{column}_percent"
        remedy = f"name the column {other}, or signal"
        return [Finding("GP-A201", "refusal", text, place, "fractions of the control, near 1", remedy)]
    return []


def losses(column: str, sense: Sense, raw: Floats) -> list[Finding]:
    """What was lost, written as changes: hardly a number above zero, and many far below it."""
    if not sense.complement or not raw.size:
        return []
    share = raw / 100.0 if sense.per_cent else raw
    if float(share.max()) > CONTROL_ODD or float(share.min()) > -RISE:
        return []
    text = f"losses of {raw.max():.3g} to {raw.min():.3g} look like changes from the vehicle, with their sign"
    remedy = "write what was lost without its sign, or what remains"
    return [Finding("GP-A203", "refusal", text, f'column "{column}"', "losses above zero", remedy)]


def one_scale(column: str, sense: Sense, values: tuple[Floats, Floats, Floats], where: str) -> list[Finding]:
    """Per cent of which one curve is in fractions, told by its course from about 1 down, or up to it.

    values: the whole column; doses in rising order, and readings, of the curve.
    """
    column_values, dose, reading = values
    if not sense.per_cent or np.abs(column_values).max() <= MOST_OF_FRACTIONS or reading.size < FEWEST_DOSES:
        return []
    least, most = float(reading.min()), float(reading.max())
    rank = (
        float(np.corrcoef(_ranks(dose), _ranks(reading))[0, 1]) if most > least and np.ptp(dose) > 0 else 0.0
    )
    if not (0.5 <= most <= MOST_OF_FRACTIONS and least < 0.5 * most and abs(rank) > RANK):
        return []
    text = (
        f"per cent that end at {most:g} look like fractions, beside others that reach {column_values.max():g}"
    )
    place = ", ".join(part for part in (where, f'column "{column}"') if part)
    return [
        Finding("GP-A201", "refusal", text, place, "one scale in a column", "bring the column to one scale")
    ]


def replicates_apart(curves: Mapping[str, tuple[Floats, Floats]], where: str = "") -> list[Finding]:
    """A warning where what counts as replicates of one curve is halved at doses far from each other, or runs
    up in one and down in another.

    curves: replicate -> its doses above zero, and what is left at each, as fractions.
    """
    halves = {name: _half_dose(*curve) for name, curve in curves.items()}
    told = {name: half for name, half in halves.items() if half is not None}
    never = _never_halved(curves, min(told, key=told.__getitem__)) if told else ""
    runs = {name: _run(*curve) for name, curve in curves.items()}
    low, high = (pick(told or runs, key=(told or runs).__getitem__) for pick in (min, max))
    text = ""
    if len(told) > 1 and told[high] > MOST_BETWEEN_REPLICATES * told[low]:
        text = f'replicate "{low}" is halved at a dose of {told[low]:.3g}, "{high}" at {told[high]:.3g}'
    elif never:
        low = min(told, key=told.__getitem__)
        text = f'replicate "{low}" is halved at a dose of {told[low]:.3g}, "{never}" at none'
    elif min(runs.values()) < -HALF and max(runs.values()) > HALF:
        low, high = (pick(runs, key=runs.__getitem__) for pick in (min, max))
        text = f'replicate "{low}" falls with dose and "{high}" rises'
    if not text:
        return []
    remedy = "name them compound, line or experiment if they are; else look at the doses of each"
    return [Finding("GP-A223", "warning", text, where, "replicates of one curve", remedy)]


def levels_apart(levels: Mapping[str, float]) -> list[Finding]:
    """A warning where raw signals of replicates, by the name of each, are on levels far from each other."""
    low, high = min(levels, key=levels.__getitem__), max(levels, key=levels.__getitem__)
    if not levels[low] > 0.0 or levels[high] <= MOST_BETWEEN_LEVELS * levels[low]:
        return []
    text = f'without compound replicate "{low}" reads {levels[low]:.4g} and "{high}" {levels[high]:.4g}'
    remedy = "give each its plate or experiment, so that it is divided by its own control"
    return [Finding("GP-A223", "warning", text, "", "replicates on one level", remedy)]


def _run(dose: Floats, left: Floats) -> float:
    """How far a course runs from its lowest doses to its highest, where it follows them; else 0."""
    if dose.size < FEWEST_DOSES or not (np.ptp(dose) and np.ptp(left)):
        return 0.0
    order = np.argsort(dose, kind="stable")
    follows = abs(float(np.corrcoef(_ranks(dose), _ranks(left))[0, 1])) > RANK
    return float(left[order[-2:]].mean() - left[order[:2]].mean()) if follows else 0.0


def _half_dose(dose: Floats, left: Floats) -> float | None:
    """Where a course first falls through one half, on the line between the logarithms of two doses."""
    doses = np.unique(dose)
    means = np.array([float(left[dose == one].mean()) for one in doses])
    below = np.flatnonzero(means < HALF)
    if doses.size < FEWEST_DOSES or not below.size or below[0] == 0:
        return None
    at = int(below[0])
    share = (means[at - 1] - HALF) / (means[at - 1] - means[at])
    return float(doses[at - 1] ** (1.0 - share) * doses[at] ** share)


def _never_halved(curves: Mapping[str, tuple[Floats, Floats]], low: str) -> str:
    """The replicate that no dose halves and that lies far above the one halved first, at the doses beyond
    it; "" for none."""
    half = _half_dose(*curves[low]) or np.inf
    beyond = {name: left[dose >= MOST_BETWEEN_REPLICATES * half] for name, (dose, left) in curves.items()}
    for name, left in beyond.items():
        if (
            min(left.size, beyond[low].size) > 1
            and left.min() > HALF
            and left.mean() > beyond[low].mean() + RISE
        ):
            return name
    return ""


def _ranks(values: Floats) -> Floats:
    return np.argsort(np.argsort(values)).astype(float)
