"""The rank-preserving structural failure time model: how much longer life on a treatment lasts."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from glueprint.errors import InputError
from glueprint.survival._check import Flags, Floats, Integers, as_codes, as_level
from glueprint.survival.cox import Cox, cox
from glueprint.survival.replicates import replicate_log_rank
from glueprint.survival.switching.cohort import Cohort, Lives, as_cohort
from glueprint.survival.weighted import fleming_harrington

__all__ = ["Rpsft", "rpsft"]

ADVICE = {
    "ok": "",
    "several roots": "the test crosses zero more than once; the middle crossing is shown. Look at `z` over "
    "`grid`: few events or much recensoring make it uneven",
    "open interval": "no end of the interval within the range searched; pass a wider `between`",
    "no hazard ratio": "without switches an arm has no event left to compare, mostly because recensoring "
    "ends its follow-up early; read `psi`, or leave `follow_up` out",
    "no root": "no ratio within the range searched makes the arms alike; pass a wider `between`, and look "
    "whether the arms are exchanged",
}
# Points per unit of psi at which the test is made before its crossings are narrowed down.
STEPS_PER_UNIT = 20
HALVINGS = 24


@dataclass(frozen=True)
class Rpsft:
    """What switching took from the comparison, if treatment stretches every life by one factor.

    psi: time off the experimental treatment is exp(psi) times the time on it; below 0 for a treatment that
    prolongs life.   psi_interval: all psi that the test does not reject.   time_ratio, time_ratio_interval:
    exp(-psi), how many times longer life lasts on it.   grid, z: (k,) psi and the test there, above 0 where
    the experimental arm is the worse.   crossings: how often it crosses zero.
    lives: as observed in the experimental arm, and in control as if nobody had switched to it; with
    `both_arms` nobody left either treatment.   hazard_ratio, interval: of these, the interval as wide as the
    test of the arms as randomised says (`randomised_z`).   randomised: Cox fit of the arms as randomised.
    switched: patients.   recensored: whether follow-up was given.   status: a key of ADVICE.
    """

    psi: float
    psi_interval: tuple[float, float]
    grid: Floats
    z: Floats
    crossings: int
    lives: Lives
    hazard_ratio: float
    interval: tuple[float, float]
    p_value: float
    randomised: Cox
    randomised_z: float
    n: int
    switched: int
    recensored: bool
    status: str
    level: float

    @property
    def time_ratio(self) -> float:
        """How many times longer life lasts on the experimental treatment."""
        return math.exp(-self.psi)

    @property
    def time_ratio_interval(self) -> tuple[float, float]:
        """Limits of `time_ratio`."""
        low, high = self.psi_interval
        return math.exp(-high), math.exp(-low)

    @property
    def advice(self) -> str:
        """What the status means and what to do; empty when the fit is in order."""
        return ADVICE[self.status]

    def summary(self) -> str:
        """The result in words."""
        ratio, (low, high) = self.time_ratio, self.time_ratio_interval
        percent = f"{100 * self.level:g} %"
        lines = [
            f"rank-preserving structural failure time model, {self.switched} of {self.n} patients switched",
            f"life on the experimental treatment lasts {ratio:.3g} times as long ({percent} {low:.3g} to "
            f"{high:.3g})",
            f"hazard ratio without switching {self.hazard_ratio:.3g} ({self.interval[0]:.3g} to "
            f"{self.interval[1]:.3g}), as randomised {float(self.randomised.hazard_ratio[0]):.3g}",
            f"recensored: {self.lives.recensored} events" if self.recensored else "not recensored",
            "assumes one factor for whoever takes the treatment, early or late",
        ]
        return "\n".join([*lines, *([f"{self.status}: {self.advice}"] if self.advice else [])])


def rpsft(
    time: ArrayLike,
    event: ArrayLike,
    arm: ArrayLike,
    switch: ArrayLike,
    *,
    reference: object = None,
    both_arms: bool = False,
    follow_up: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    weights: tuple[float, float] = (0.0, 0.0),
    between: tuple[float, float] = (-3.0, 3.0),
    level: float = 0.95,
) -> Rpsft:
    """Survival of the control arm had nobody switched, by the factor that makes the randomised arms alike.

    time, event: (n,) follow-up in any unit and 1 for the event.   arm: (n,) two labels.   switch: (n,) when
    a patient of control began the experimental treatment, NaN for never.   reference: label of control, None:
    the first in order.   both_arms: patients of the experimental arm may switch to control's treatment, too.
    follow_up: (n,) time from each patient's start to the data cut. It recenses every arm with switches; None
    leaves censoring as it is, which then depends on the prognosis.
    strata: (n,) labels for test and hazard ratio.   weights: rho and gamma of the test, (0, 0) log-rank.
    between: least and largest psi searched.
    Returns Rpsft. Its p-value is that of the arms as randomised, by construction.
    Raises InputError GP-V001 to GP-V008, GP-V020 and GP-V034 (arms), GP-V037 to GP-V040 (switches).
    Source: Robins and Tsiatis 1991, doi:10.1080/03610929108830654; White, Babiker, Walker and Darbyshire
    1999, doi:10.1002/(SICI)1097-0258(19991015)18:19<2617::AID-SIM187>3.0.CO;2-E; interval of the hazard ratio
    as there.
    """
    level = as_level(level)
    cohort = as_cohort(
        time, event, arm, switch, reference=reference, both_arms=both_arms, follow_up=follow_up
    )
    low, high = _range(between)
    blocks = None if strata is None else as_codes(strata, cohort.time.shape, "strata")[1]
    test = _Test(cohort, blocks, weights)
    grid = np.linspace(low, high, max(2, round((high - low) * STEPS_PER_UNIT) + 1))
    z = test(grid)
    found = _search(test, grid, z, float(ndtri(0.5 + level / 2)))
    none = np.zeros(cohort.time.size, dtype=np.bool_)
    itt_z = test.of(cohort.lived(0.0, treated=False, arm=none, recensored=none))
    group = cohort.new.astype(np.float64)
    lives, adjusted = Lives(cohort.time, cohort.event), math.nan
    if math.isfinite(found.psi):
        lives = test.without_switches(found.psi)
        adjusted = float(cox(lives.time, lives.event, group, strata=blocks).coefficients[0])
        adjusted = adjusted if math.isfinite(adjusted) else math.nan
    with np.errstate(divide="ignore"):
        half = float(ndtri(0.5 + level / 2)) * abs(adjusted) / abs(itt_z) if itt_z else math.inf
    return Rpsft(
        psi=found.psi,
        psi_interval=found.interval,
        grid=grid,
        z=z,
        crossings=found.crossings,
        lives=lives,
        hazard_ratio=math.exp(adjusted),
        interval=(math.exp(adjusted - half), _bounded_exp(adjusted + half)),
        p_value=2 * float(ndtr(-abs(itt_z))),
        randomised=cox(cohort.time, cohort.event, group, strata=blocks, level=level),
        randomised_z=itt_z,
        n=cohort.time.size,
        switched=int(cohort.switched.sum()),
        recensored=cohort.follow_up is not None,
        status="no hazard ratio"
        if math.isfinite(found.psi) and not math.isfinite(adjusted)
        else found.status,
        level=level,
    )


def _bounded_exp(value: float) -> float:
    """exp, infinite where a float ends."""
    return math.exp(value) if not value > 700 else math.inf


def _range(between: tuple[float, float]) -> tuple[float, float]:
    low, high = (float(end) for end in between)
    if not (math.isfinite(low) and math.isfinite(high) and low < high and high - low <= 100):
        raise InputError(
            "GP-V007",
            f"{between!r} is no range of psi",
            where="between",
            expected="two finite numbers, the smaller first, at most 100 apart, e.g. (-3, 3)",
            next_step="psi is the logarithm of a ratio of times: 3 is twentyfold",
        )
    return low, high


@dataclass(frozen=True)
class _Test:
    """The test of the arms as they would be without any experimental treatment, at psi."""

    cohort: Cohort
    strata: Integers | None
    weights: tuple[float, float]

    @property
    def switching(self) -> Flags:
        """Patients of arms in which somebody switched, (n,): the others' censoring hangs on nothing."""
        new, switched = self.cohort.new, self.cohort.switched
        flags: Flags = np.where(new, (switched & new).any(), (switched & ~new).any())
        return flags

    def untreated(self, psi: float) -> Lives:
        """Lives of all patients off the experimental treatment."""
        everybody = np.ones_like(self.cohort.new)
        return self.cohort.lived(psi, treated=False, arm=everybody, recensored=self.switching)

    def without_switches(self, psi: float) -> Lives:
        """Control off the experimental treatment, and the experimental arm on it, throughout."""
        cohort = self.cohort
        off = cohort.lived(psi, treated=False, arm=~cohort.new, recensored=self.switching)
        on = cohort.lived(psi, treated=True, arm=cohort.new, recensored=self.switching)
        time, event = (
            np.where(cohort.new, getattr(on, name), getattr(off, name)) for name in ("time", "event")
        )
        return Lives(time, event, on.recensored + off.recensored)

    def __call__(self, psi: Floats) -> Floats:
        lives = [self.untreated(float(value)) for value in psi]
        if any(self.weights):
            return np.array([self.of(life) for life in lives])
        times, events = (np.stack([getattr(life, name) for life in lives]) for name in ("time", "event"))
        test = replicate_log_rank(times, events, self.cohort.new.astype(np.int64), strata=self.strata)
        return np.where(
            test.variance > 0, test.difference / np.sqrt(np.maximum(test.variance, 1e-300)), np.nan
        )

    def of(self, lives: Lives) -> float:
        """The test of one set of lives."""
        test = fleming_harrington(lives.time, lives.event, self.cohort.new, *self.weights, strata=self.strata)
        return float(test.z)


@dataclass(frozen=True)
class _Found:
    psi: float
    interval: tuple[float, float]
    crossings: int
    status: str


def _search(test: Callable[[Floats], Floats], grid: Floats, z: Floats, limit: float) -> _Found:
    """The middle root of the test and the outermost psi that it does not reject."""
    known = np.isfinite(z)
    points, values = grid[known], z[known]
    change = np.flatnonzero((values[:-1] > 0) != (values[1:] > 0))
    if not change.size:
        return _Found(math.nan, (math.nan, math.nan), 0, "no root")
    at = int(change[change.size // 2])
    kept = np.flatnonzero(np.abs(values) < limit)
    # A step function may jump over the band of psi that are kept: its ends then lie at the jump.
    first, last = (int(kept[0]), int(kept[-1])) if kept.size else (at + 1, at)
    begins, levels = [at], [0.0]
    open_end = first == 0 or last == points.size - 1
    if first > 0:
        begins.append(first - 1)
        levels.append(math.copysign(limit, values[first - 1]))
    if last < points.size - 1:
        begins.append(last)
        levels.append(math.copysign(limit, values[last + 1]))
    low, high = points[begins], points[np.array(begins) + 1]
    above = values[begins] > np.array(levels)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        here = test(middle) > np.array(levels)
        low, high = np.where(here == above, middle, low), np.where(here == above, high, middle)
    ends = ((low + high) / 2).tolist()
    psi, rest = ends[0], ends[1:]
    least = rest.pop(0) if first > 0 else -math.inf
    most = rest.pop(0) if last < points.size - 1 else math.inf
    status = "several roots" if change.size > 1 else "open interval" if open_end else "ok"
    return _Found(psi, (least, most), int(change.size), status)
