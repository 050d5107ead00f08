"""How many events and patients a trial with a time-to-event endpoint needs, and how it then behaves.

Hazards are constant, patients come evenly, and the hazard ratio is the same at all times: what a protocol
states. Without these assumptions a trial is simulated from its mechanism (`glueprint.trials`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from glueprint.errors import InputError
from glueprint.survival._check import Flags, Floats, as_events, as_times
from glueprint.survival.group_sequential import Boundaries, group_sequential
from glueprint.survival.kaplan_meier import kaplan_meier
from glueprint.survival.replicates import replicate_log_rank

__all__ = ["Assumptions", "Behaviour", "Plan", "behaviour", "plan"]

LARGEST = 1_000_000
# Replicates times patients that one pass of a simulation holds.
ROOM = 2_000_000


@dataclass(frozen=True)
class Assumptions:
    """What a trial is planned for; times in any one unit.

    hazard_ratio: new arm against control, below 1 for a benefit.   median: of control.   ratio: patients of
    the new arm for one of control.   accrual: time over which patients come.   follow_up: of the patient who
    comes last, at the last look.   dropout: hazard of leaving without the event, in both arms.
    """

    hazard_ratio: float
    median: float
    ratio: float = 1.0
    accrual: float = 12.0
    follow_up: float = 12.0
    dropout: float = 0.0

    def __post_init__(self) -> None:
        """Raises InputError GP-V036."""
        for name in ("hazard_ratio", "median", "ratio", "accrual", "follow_up"):
            _positive(name, getattr(self, name))
        if not (math.isfinite(self.dropout) and self.dropout >= 0.0):
            raise _refused("dropout", f"{self.dropout:g}", "a hazard of 0 or more")
        if self.hazard_ratio >= 1.0:
            raise _refused("hazard_ratio", f"{self.hazard_ratio:g}", "a ratio below 1, a benefit")

    @property
    def share(self) -> float:
        """Share of the patients in the new arm."""
        return self.ratio / (1.0 + self.ratio)

    @property
    def hazards(self) -> tuple[float, float]:
        """Of control and of the new arm."""
        control = math.log(2.0) / self.median
        return control, control * self.hazard_ratio

    def events_by(self, time: float) -> float:
        """Events to be expected by a time since the first patient, per patient who ever comes."""
        shares = (1.0 - self.share, self.share)
        return sum(
            share * self._events(time, hazard) for share, hazard in zip(shares, self.hazards, strict=True)
        )

    def _events(self, time: float, hazard: float) -> float:
        """Of one arm. Source: the integral of an exponential distribution over even accrual."""
        leaving = hazard + self.dropout
        come = min(time, self.accrual)
        inside = math.exp(-leaving * (time - come)) - math.exp(-leaving * time)
        return hazard / leaving * (come - inside / leaving) / self.accrual


@dataclass(frozen=True)
class Plan:
    """A planned trial.

    events: at the last look.   patients: in both arms; patients_new of them in the new arm.   look_events:
    (looks,) events at each.   look_times: (looks,) since the first patient, as expected.
    critical_ratios: (looks,) hazard ratio below which each look stops for benefit.
    """

    assumptions: Assumptions
    boundaries: Boundaries
    events: int
    patients: int
    patients_new: int
    look_events: tuple[int, ...]
    look_times: tuple[float, ...]
    critical_ratios: tuple[float, ...]


def plan(
    assumptions: Assumptions,
    looks: tuple[float, ...] = (1.0,),
    *,
    alpha: float = 0.025,
    power: float = 0.9,
    spending: str = "obrien-fleming",
    futility: str | None = None,
) -> Plan:
    """Events and patients of a trial with a log-rank test at each look.

    assumptions: Assumptions.   looks: fractions of the events.   alpha, power, spending, futility: as in
    `group_sequential`, alpha one-sided.
    Returns Plan.
    Raises InputError GP-V007, GP-V035 (looks), GP-V036 (assumptions, or a trial of more than a million).
    Source: Schoenfeld 1981, doi:10.1093/biomet/68.1.316; information of a log-rank test is events times the
    shares of the arms.
    """
    bounds = group_sequential(looks, alpha=alpha, power=power, spending=spending, futility=futility)
    share = assumptions.share
    effect = -math.log(assumptions.hazard_ratio)
    exact = bounds.drift**2 / (effect**2 * share * (1.0 - share))
    end = assumptions.accrual + assumptions.follow_up
    wanted = exact / assumptions.events_by(end)
    if wanted > LARGEST:
        said = f"{wanted:.3g} patients for a hazard ratio of {assumptions.hazard_ratio:g}"
        raise _refused("assumptions", said, f"at most {LARGEST}: a larger effect or a longer follow-up")
    events = math.ceil(exact - 1e-9)
    patients = math.ceil(wanted - 1e-9)
    at_looks = tuple(math.ceil(events * t - 1e-9) for t in bounds.information)
    information = np.sqrt(np.array(at_looks) * share * (1.0 - share))
    return Plan(
        assumptions,
        bounds,
        events,
        patients,
        round(patients * share),
        at_looks,
        tuple(_time_of(assumptions, n / patients, end) for n in at_looks),
        tuple(float(r) for r in np.exp(-bounds.efficacy / information)),
    )


def _time_of(assumptions: Assumptions, events: float, end: float) -> float:
    """When so many events per patient are expected; infinite if never."""
    late = 100.0 * end
    if assumptions.events_by(late) <= events:
        return math.inf
    return float(brentq(lambda time: assumptions.events_by(time) - events, 1e-9, late, xtol=1e-9))


@dataclass(frozen=True)
class Behaviour:
    """What simulated trials of a plan did.

    trials: how many.   hazard_ratio: the true one.   stop_for_benefit, stop_for_futility: (looks,) shares of
    the trials.   power: share that showed a benefit.   events, patients, time: means at the stop.
    without_look: trials that ended before their last look had its events, analysed with those they had.
    """

    trials: int
    hazard_ratio: float
    stop_for_benefit: Floats
    stop_for_futility: Floats
    power: float
    events: float
    patients: float
    time: float
    without_look: int


@dataclass(frozen=True)
class _Source:
    """Where simulated patients come from: exponential times, or patients of a table with their own curve.

    time, event: (n,) of the patients, or None.   event_curve, loss_curve: times, ascending, and the chance to
    be beyond each.
    """

    time: Floats | None
    event: Flags | None
    event_curve: tuple[Floats, Floats] | None = None
    loss_curve: tuple[Floats, Floats] | None = None

    @classmethod
    def of(cls, patients: tuple[ArrayLike, ArrayLike] | None) -> _Source:
        if patients is None:
            return cls(None, None)
        time = as_times(patients[0])
        event = as_events(patients[1], time.shape)
        seen, lost = (kaplan_meier(time, flags) for flags in (event, ~event))
        return cls(time, event, (seen.times, seen.survival), (lost.times, lost.survival))

    def draw(
        self, given: Assumptions, hazard: tuple[float, Flags], n: int, chance: np.random.Generator
    ) -> tuple[Floats, Flags]:
        """Time and event (n, patients) without a data cut; hazard: ratio of the new arm, and who is in it."""
        ratio, new = hazard
        size = (n, new.size)
        if self.time is None or self.event is None:
            rate = given.hazards[0] * np.where(new, ratio, 1.0)
            event = chance.exponential(1.0, size) / rate
            left = chance.exponential(1.0, size) / given.dropout if given.dropout else np.full(size, np.inf)
            return np.minimum(event, left), event < left
        whom = chance.integers(0, self.time.size, size)
        time, happened = self.time[whom], self.event[whom]
        if ratio == 1.0 or self.event_curve is None or self.loss_curve is None:
            return time, happened
        # Of a curve S the times with hazards in proportion have S^ratio; their losses are drawn apart.
        wide = np.flatnonzero(new)
        event = _beyond(self.event_curve, chance.random((n, wide.size)) ** (1.0 / ratio))
        left = _beyond(self.loss_curve, chance.random((n, wide.size)))
        # What lies beyond both curves is censored where the patients end.
        time[:, wide] = np.minimum(np.minimum(event, left), self.time.max())
        happened[:, wide] = (event < left) & np.isfinite(event)
        return time, happened


def _beyond(curve: tuple[Floats, Floats], chance: Floats) -> Floats:
    """The time at which a falling curve comes down to each chance; infinite if it does not."""
    times, level = curve
    at = np.searchsorted(-level, -chance, side="left")
    return np.where(at < times.size, times[np.minimum(at, times.size - 1)], np.inf)


def behaviour(
    of: Plan,
    hazard_ratio: float,
    *,
    trials: int = 10_000,
    seed: int = 1,
    patients: tuple[ArrayLike, ArrayLike] | None = None,
) -> Behaviour:
    """Simulate trials of a plan under a hazard ratio, 1 for none: what its boundaries do with patients.

    of: Plan.   hazard_ratio: the true one.   trials: how many.   seed: same seed, same numbers.
    patients: (n,) times and events of patients of control to draw from, with replacement, in place of
    exponential times: conducted ones, say, followed to the end. Under a ratio of 1 both arms draw whole
    patients; under another the new arm's times have the hazard of theirs times the ratio.
    Returns Behaviour.
    Raises InputError GP-V036; GP-V001 to GP-V005 for the patients.
    Source: even accrual, log-rank at each look by the events it is planned for.
    """
    _positive("hazard_ratio", hazard_ratio)
    _positive("trials", trials)
    chance, source = np.random.default_rng(seed), _Source.of(patients)
    size = max(1, ROOM // of.patients)
    sizes = [min(size, trials - done) for done in range(0, trials, size)]
    parts = [_batch(of, hazard_ratio, (n, source), chance) for n in sizes]
    look, benefit, short, events, enrolled, time = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    looks = len(of.look_events)
    count = np.stack([np.bincount(look[benefit == kind], minlength=looks) for kind in (True, False)]) / trials
    # What was never stopped is counted at the last look, and has stopped for nothing.
    last_bound = of.boundaries.futility[-1] > -np.inf
    below = count[1] if last_bound else np.append(count[1][:-1], 0.0)
    return Behaviour(
        trials,
        hazard_ratio,
        count[0],
        below,
        float(count[0].sum()),
        float(events.mean()),
        float(enrolled.mean()),
        float(time.mean()),
        int(short.sum()),
    )


def _batch(
    of: Plan, hazard_ratio: float, drawn: tuple[int, _Source], chance: np.random.Generator
) -> tuple[NDArray[Any], ...]:
    """The look at which each trial stops, whether for benefit, and events, patients and time by then."""
    (n, source), patients = drawn, of.patients
    new = np.arange(patients) < of.patients_new
    came = chance.uniform(0.0, of.assumptions.accrual, (n, patients))
    span, happened = source.draw(of.assumptions, (hazard_ratio, new), n, chance)
    when = np.sort(np.where(happened, came + span, np.inf), axis=1)
    look = np.full(n, len(of.look_events) - 1)
    benefit, stopped = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    cut_at_stop, short = np.zeros(n), np.zeros(n, dtype=bool)
    for k, wanted in enumerate(of.look_events):
        last = k == len(of.look_events) - 1
        cut = when[:, min(wanted, patients) - 1]
        # A trial whose patients have all had the event or left is read with what there is.
        over = np.isinf(cut)
        cut = np.where(over, np.where(np.isinf(when), 0.0, when).max(axis=1), cut)
        z = _statistics(span, happened, came, cut, new)
        up = ~stopped & (z > of.boundaries.efficacy[k])
        down = ~stopped & ~up & ((z < of.boundaries.futility[k]) | last)
        benefit |= up
        now = up | down
        look[now], cut_at_stop[now], short[now] = k, cut[now], over[now]
        stopped |= now
    events = (when <= cut_at_stop[:, None]).sum(axis=1)
    enrolled = (came <= cut_at_stop[:, None]).sum(axis=1)
    return look, benefit, short, events, enrolled, cut_at_stop


def _statistics(span: Floats, happened: Flags, came: Floats, cut: Floats, new: Flags) -> Floats:
    """Z of the log-rank test of each trial at its cut, above 0 for a benefit of the new arm."""
    followed = cut[:, None] - came
    there = followed > 0.0
    time = np.where(there, np.minimum(span, followed), 0.0)
    event = happened & (span <= followed) & there
    test = replicate_log_rank(time, event, new.astype(np.int64), included=there)
    spread = np.sqrt(np.where(test.variance > 0, test.variance, 1.0))
    return np.where(test.variance > 0, -test.difference / spread, 0.0)


def _positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0.0):
        raise _refused(name, f"{value:g}", "a finite number above 0")


def _refused(where: str, what: str, expected: str) -> InputError:
    next_step = "see docs/survival.md, Several looks"
    return InputError("GP-V036", what, where=where, expected=expected, next_step=next_step)
