"""Trials drawn from a pool of conducted patients, with their calendar, cuts and tests. Kernel, but for the
seeded generator that it is given."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.survival import Look, SpendingPlan, replicate_cox, replicate_log_rank
from glueprint.trials.analysis import cohort
from glueprint.trials.protocol import MONTH_DAYS, Accrual, DataCut, FollowUp, Monitoring, Protocol

__all__ = ["NONE", "PLANNED", "Course", "Pool", "simulate"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

PLANNED, NONE = "as the model has it", "no effect"
# Trials times patients that one pass holds.
ROOM = 300_000
ALPHA = 0.025  # one-sided, of a protocol that says nothing of a test
EVER = 1e9  # days; in place of infinity, which sorting and differences take badly


@dataclass(frozen=True)
class Course:
    """When patients of a design come and when it is analysed.

    arms: the new one and the other, with the share of the patients in the first.   follow_up: of a design
    without a calendar.
    """

    arms: tuple[str, str]
    share: float
    endpoint: str
    monitoring: Monitoring | None
    accrual: Accrual | None
    cuts: tuple[DataCut, ...]
    follow_up: FollowUp

    @classmethod
    def of(cls, protocol: Protocol) -> Course:
        """That of a protocol; without monitoring the last cut tests PFS of the first two arms."""
        plan = protocol.monitoring
        names = plan.arms if plan and plan.arms else tuple(arm.name for arm in protocol.arms)
        first, second = (*names, "", "")[:2]
        sizes = {arm.name: arm.patients for arm in protocol.arms}
        new, other = sizes.get(first, 0), sizes.get(second, 0)
        return cls(
            (first, second),
            new / max(new + other, 1),
            plan.endpoint if plan else "pfs",
            plan,
            protocol.accrual,
            protocol.data_cuts,
            protocol.follow_up,
        )

    @property
    def most_events(self) -> int:
        """The events that a cut waits for."""
        return max((cut.events for cut in self.cuts if cut.events), default=1)

    def latest_months(self, size: int) -> float:
        """The longest that any patient of a trial of this size is followed."""
        if self.accrual is None:
            return self.follow_up.maximum_months
        last = float(self.accrual.months_of(np.array([1.0]), size)[0])
        return max(cut.latest_months(last) for cut in self.cuts)

    def split(self, size: int) -> tuple[int, int]:
        """Patients of the new arm and of the other."""
        new = round(size * self.share)
        return new, size - new

    @property
    def spending(self) -> SpendingPlan:
        """How error is spent; with one test, all at once."""
        plan = self.monitoring
        if plan is None:
            return SpendingPlan(1, ALPHA)
        counted = tuple(cut.events for cut in self.cuts if cut.events and cut.endpoint == plan.endpoint)
        whole = len(counted) == len(self.cuts) and counted[-1] == plan.events
        looks = counted if whole else ()
        return SpendingPlan(plan.events, plan.alpha, plan.spending, plan.futility, plan.power, looks)


@dataclass(frozen=True)
class Pool:
    """Conducted patients, (n,) each, days from randomisation: the event and when it is known, EVER without
    one; the end of follow-up; whether in the new arm; stratum.   assessed: (n, k) days of disease
    assessments, EVER for none, or None where an endpoint is followed day by day."""

    event_day: Floats
    known_day: Floats
    end_day: Floats
    new: Flags
    stratum: Integers
    assessed: Floats | None

    @classmethod
    def of(
        cls, patients: pl.DataFrame, assessed: Floats, known_day: Floats, *, endpoint: str, new_arm: str
    ) -> Pool:
        """From the table of patients; those that could not be computed are left out.

        assessed: (n, k) days of assessments, NaN for none.   known_day: (n,) of each event, inf for none.
        """
        usable = cohort(patients)
        computed = (patients.get_column("status") == 0).to_numpy()
        time, event = usable[f"{endpoint}_months"] * MONTH_DAYS, usable[f"{endpoint}_event"]
        end = usable["os_months"] * MONTH_DAYS
        at_visits = bool((~event & (time < end - 1e-6)).any())
        known = known_day[computed]
        return cls(
            np.where(event, time, EVER),
            np.where(np.isfinite(known), known, EVER),
            end,
            usable["arm"] == new_arm,
            usable["stratum"].astype(np.int64),
            np.where(np.isnan(assessed), EVER, assessed)[computed] if at_visits else None,
        )


def simulate(
    pool: Pool, course: Course, size: int, trials: int, chance: np.random.Generator, *, effect: bool
) -> dict[str, float]:
    """How trials of a size behave that are drawn from a pool.

    effect: whether the new arm's patients come from the new arm, or from the other as well.
    Returns trials, power_percent, futility_percent, and means of events, patients, months at the end and of
    the hazard ratio (geometric), and the power of each look.
    """
    most = max(ROOM // size, 1)
    parts = [
        _some(pool, course, size, min(most, trials - first), chance, effect=effect)
        for first in range(0, trials, most)
    ]
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    looks = max(len(course.cuts), 1)
    benefit = found["ended"] == BENEFIT
    ratios = found["log_ratio"][np.isfinite(found["log_ratio"])]
    return {
        "trials": float(trials),
        "power_percent": 100.0 * float(benefit.mean()),
        "futility_percent": 100.0 * float((found["ended"] == FUTILITY).mean()),
        "events": float(found["events"].mean()),
        "enrolled": float(found["enrolled"].mean()),
        "months": float(found["months"].mean()),
        "hazard_ratio": float(np.exp(ratios.mean())) if ratios.size else math.nan,
        **{
            f"benefit_at_look_{k + 1}_percent": 100.0 * float((benefit & (found["look"] == k)).mean())
            for k in range(looks)
        },
    }


GOES_ON, BENEFIT, FUTILITY, NO_BENEFIT = 0.0, 1.0, 2.0, 3.0


def _some(
    pool: Pool, course: Course, size: int, trials: int, chance: np.random.Generator, *, effect: bool
) -> dict[str, Floats]:
    """`trials` of them at once: arrays (trials,)."""
    new_size, other_size = course.split(size)
    group = np.concatenate([np.ones(new_size, dtype=np.int64), np.zeros(other_size, dtype=np.int64)])
    new, other = np.flatnonzero(pool.new), np.flatnonzero(~pool.new)
    who = np.concatenate(
        [
            chance.choice(new if effect else other, (trials, new_size)),
            chance.choice(other, (trials, other_size)),
        ],
        axis=1,
    )
    entry, follow = _entries(course, size, (trials, size), chance)
    known, event_day = pool.known_day[who], pool.event_day[who]
    result = {
        name: np.zeros(trials) for name in ("ended", "look", "events", "enrolled", "months", "log_ratio")
    }
    going = np.arange(trials)
    history = np.zeros((trials, 0))
    cuts: tuple[DataCut | None, ...] = course.cuts or (None,)
    for place, cut in enumerate(cuts):
        day = _cut_days(cut, entry, known)[going]
        followed = follow[going] if cut is None else day[:, None] - entry[going]
        there = followed > 0
        time, event = _seen(pool, who[going], followed, (known[going], event_day[going]))
        strata = pool.stratum[who[going]] if course.monitoring and course.monitoring.stratified else None
        test = replicate_log_rank(
            np.where(there, time, 0.0), event & there, group, strata=strata, included=there
        )
        with np.errstate(invalid="ignore", divide="ignore"):
            z = -test.difference / np.sqrt(test.variance)
        events = (event & there).sum(axis=1).astype(np.float64)
        history = np.concatenate([history[:, :place], events[:, None]], axis=1)
        ended = _decisions(course, history, np.nan_to_num(z), last=place == len(cuts) - 1)
        over = ended != GOES_ON
        if over.any():
            fit = replicate_cox(
                np.where(there, time, 0.0)[over], (event & there)[over], group, included=there[over]
            )
            at = going[over]
            result["ended"][at], result["look"][at] = ended[over], place
            result["events"][at], result["enrolled"][at] = events[over], there[over].sum(axis=1)
            result["months"][at] = (followed + entry[going]).max(axis=1)[over] / MONTH_DAYS
            result["log_ratio"][at] = fit.coefficient
        going, history = going[~over], history[~over]
        if not going.size:
            break
    return result


def _entries(
    course: Course, size: int, shape: tuple[int, int], chance: np.random.Generator
) -> tuple[Floats, Floats]:
    """Calendar days of entry and, without a calendar, days of follow-up, (trials, size) each."""
    uniform = chance.random(shape)
    if course.accrual is not None:
        months = course.accrual.months_of(uniform, size)
        return np.floor((months - months.min(axis=1, keepdims=True)) * MONTH_DAYS), np.zeros(shape)
    low, middle, high = (
        getattr(course.follow_up, f"{name}_months") for name in ("minimum", "median", "maximum")
    )
    share = np.clip((middle - low) / max(high - low, 1e-9), 1e-6, 1 - 1e-6)
    months = low + (high - low) * uniform ** (math.log(share) / math.log(0.5))
    return np.zeros(shape), np.floor(months * MONTH_DAYS)


def _cut_days(cut: DataCut | None, entry: Floats, known: Floats) -> Floats:
    """(trials,) calendar day of a cut in each trial, as `analysis.cut_day` has it."""
    if cut is None:
        return np.zeros(len(entry))
    if cut.months is not None:
        return np.full(len(entry), np.floor(cut.months * MONTH_DAYS))
    if cut.last_patient_months is not None:
        return np.asarray(entry.max(axis=1) + np.floor(cut.last_patient_months * MONTH_DAYS))
    wanted = (cut.events or 1) - 1
    reached = np.partition(entry + known, wanted, axis=1)[:, wanted]
    return np.minimum(np.floor(reached) + 1.0, np.floor((cut.at_most_months or 0.0) * MONTH_DAYS))


def _seen(pool: Pool, who: Integers, followed: Floats, events: tuple[Floats, Floats]) -> tuple[Floats, Flags]:
    """Time and event of patients followed for so many days, (trials, size) each: censored at the last
    assessment by then where the endpoint is seen at assessments."""
    known, event_day = events
    event = known <= followed
    until = np.minimum(np.maximum(followed, 0.0), pool.end_day[who])
    if pool.assessed is not None:
        last = np.zeros_like(until)
        for column in pool.assessed.T:
            day = column[who]
            last = np.where(day <= until, np.maximum(last, day), last)
        until = last
    return np.where(event, event_day, until), event


def _decisions(course: Course, history: Floats, z: Floats, *, last: bool) -> Floats:
    """(trials,) what each comes to, by the events at its looks so far, (trials, looks)."""
    spending = course.spending
    found = np.full(len(z), GOES_ON)
    rows, which = np.unique(history, axis=0, return_inverse=True)
    for number, row in enumerate(rows):
        mine = which.reshape(-1) == number
        fresh = np.append(True, np.diff(row) > 0)
        final = last or (course.monitoring is not None and row[-1] >= course.monitoring.events)
        if row[-1] <= 0 or (not fresh[-1] and not final):
            found[mine] = NO_BENEFIT if last else GOES_ON
            continue
        look = _look(spending, tuple(np.unique(row[row > 0]).tolist()), final)
        ends = np.where(z >= look.efficacy, BENEFIT, NO_BENEFIT if final else GOES_ON)
        if not final:
            ends = np.where((z <= look.futility) & (ends != BENEFIT), FUTILITY, ends)
        found[mine] = ends[mine]
    return found


@lru_cache(maxsize=10_000)
def _look(spending: SpendingPlan, events: tuple[float, ...], last: bool) -> Look:
    return spending.bounds(events, last=last)[-1]
