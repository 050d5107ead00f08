"""Two arms whose patients may change treatment: what is checked, and lives as they would have been."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from glueprint.errors import InputError
from glueprint.survival._check import (
    Flags,
    Floats,
    as_codes,
    as_events,
    as_floats,
    as_times,
    place,
    same_shape,
    single_group,
)
from glueprint.survival.counts import TIE_TOLERANCE

__all__ = ["Cohort", "Lives", "as_cohort", "follow_up_times", "two_arms"]


@dataclass(frozen=True)
class Lives:
    """Times (n,) and events (n,) of patients as they were or would have been, in the order given.

    recensored: patients whose event lies after the time at which they are now censored.
    """

    time: Floats
    event: Flags
    recensored: int = 0


@dataclass(frozen=True)
class Cohort:
    """Patients of two arms, (n,) each.

    new: in the experimental arm.   switch: when a patient left the treatment of the arm for that of the
    other, infinite for never.   follow_up: when a patient would have been censored at the latest, or None.
    control, experimental: labels of the arms.
    """

    time: Floats
    event: Flags
    new: Flags
    switch: Floats
    follow_up: Floats | None
    control: Any
    experimental: Any

    @property
    def switched(self) -> Flags:
        """Who changed treatment, (n,)."""
        return np.isfinite(self.switch)

    @property
    def on(self) -> Floats:
        """Time on the experimental treatment, (n,)."""
        before = np.minimum(self.switch, self.time)
        return np.where(self.new, before, self.time - before)

    def lived(self, psi: float, *, treated: bool, arm: Flags, recensored: Flags) -> Lives:
        """Lives had `arm` (n,) been off the experimental treatment throughout, or on it; others as they were.

        psi: time off it is exp(psi) times the time on it.   recensored: (n,) patients censored at the
        shortest that their follow-up can come to, whenever they change treatment; needs `follow_up`.
        Source: Robins and Tsiatis 1991, doi:10.1080/03610929108830654; White et al. 1999,
        doi:10.1002/(SICI)1097-0258(19991015)18:19<2617::AID-SIM187>3.0.CO;2-E, for the censoring.
        """
        factor = float(np.exp(-psi if treated else psi))
        moved = self.time - self.on if treated else self.on
        time = np.where(arm, self.time - moved + factor * moved, self.time)
        if self.follow_up is None:
            return Lives(time, self.event)
        latest = np.where(arm & recensored, self.follow_up * min(1.0, factor), np.inf)
        over = time > latest * (1 + TIE_TOLERANCE)
        return Lives(np.minimum(time, latest), self.event & ~over, int((over & self.event).sum()))


def as_cohort(
    time: ArrayLike,
    event: ArrayLike,
    arm: ArrayLike,
    switch: ArrayLike,
    *,
    reference: Any = None,
    both_arms: bool = False,
    follow_up: ArrayLike | None = None,
) -> Cohort:
    """Check the columns of two arms with patients who change treatment.

    time, event, arm: (n,).   switch: (n,) unit of time, NaN or infinite for never.   reference: the label of
    the control arm, None: the first in order.   both_arms: whether patients of the experimental arm may
    switch, too.   follow_up: (n,) >= time, or None.
    Returns Cohort.
    Raises InputError GP-V001 to GP-V006, GP-V020 (arms), GP-V037 (a switch outside the follow-up), GP-V038
    (switches in both arms without a word), GP-V039 (nobody switched), GP-V040 (follow-up).
    """
    times = as_times(time)
    events = as_events(event, times.shape)
    new, control, experimental = two_arms(arm, times.shape, reference)
    moved = _switches(switch, times)
    switched = np.isfinite(moved)
    if not (switched & ~new).any() and not (both_arms and switched.any()):
        raise InputError(
            "GP-V039",
            f"no patient of the arm {control!r} switched",
            where="switch",
            expected="a time for every patient who changed treatment, NaN for the others",
            next_step="without a switch compare the arms as randomised, or name the other arm as reference",
        )
    if not both_arms and (switched & new).any():
        index = int(np.flatnonzero(switched & new)[0])
        raise InputError(
            "GP-V038",
            f"a patient of the experimental arm {experimental!r} switched at {moved[index]:g}",
            where=place("switch", (index,)),
            expected="switches from control to the experimental treatment only",
            next_step="say both_arms=True (--both-arms) if patients left the experimental treatment for that "
            "of the other arm; a later therapy that is neither is no switch",
        )
    return Cohort(times, events, new, moved, follow_up_times(follow_up, times, events), control, experimental)


def two_arms(arm: ArrayLike, shape: tuple[int, ...], reference: Any) -> tuple[Flags, Any, Any]:
    """Who is in the experimental arm, (n,), and the labels of control and of it; raises as `as_cohort`."""
    labels, codes = as_codes(arm, shape, "arm")
    if labels.size == 1:
        raise single_group(labels[0].item(), "arm")
    if labels.size > 2:
        raise InputError(
            "GP-V020",
            f"{labels.size} arms: {', '.join(str(label) for label in labels[:5])}",
            where="arm",
            expected="two arms",
            next_step="leave out the patients of the other arms, or compare the arms two by two",
        )
    names = [label.item() for label in labels]
    first = names[0] if reference is None else reference
    if first not in names:
        raise InputError(
            "GP-V034",
            f"no arm {first!r}",
            where="reference",
            expected=f"{names[0]!r} or {names[1]!r}",
            next_step="name the control arm as the column writes it",
        )
    at = names.index(first)
    return codes != at, names[at], names[1 - at]


def _switches(switch: ArrayLike, times: Floats) -> Floats:
    """Times of switches, infinite for none."""
    values = as_floats(switch, "switch")
    same_shape(values, times.shape, "switch")
    moved = np.where(np.isnan(values), np.inf, values)
    # Months computed from days by two roads differ in the last bits.
    near = np.isfinite(moved) & (moved > times) & (moved - times <= TIE_TOLERANCE * np.maximum(1.0, times))
    moved = np.where(near, times, moved)
    some = moved[np.isfinite(moved)]
    if some.size and np.isin(some, (0.0, 1.0)).all() and (some == 0).any() and (times > 1).any():
        raise InputError(
            "GP-V037",
            "switches at 0 and 1 only, as in a column that says whether a patient switched",
            where="switch",
            expected="the time of each switch, NaN for a patient who did not switch",
            next_step="name the column of its time, or leave it empty for patients who did not switch",
        )
    bad = np.flatnonzero((moved < 0) | (np.isfinite(moved) & (moved > times)))
    if bad.size:
        index = int(bad[0])
        when = "before the start" if moved[index] < 0 else f"after the follow-up ended at {times[index]:g}"
        raise InputError(
            "GP-V037",
            f"a switch at {moved[index]:g}, {when}",
            where=place("switch", (index,)),
            expected="0 <= switch <= time, or NaN for a patient who did not switch",
            next_step="look whether both columns have one unit and one origin, or correct the dates",
        )
    return moved


def follow_up_times(follow_up: ArrayLike | None, times: Floats, events: Flags) -> Floats | None:
    """When each patient would have been censored at the latest, (n,), not before the patient's time."""
    if follow_up is None:
        return None
    latest = as_floats(follow_up, "follow_up")
    same_shape(latest, times.shape, "follow_up")
    slack = TIE_TOLERANCE * np.maximum(1.0, times)
    bad = np.flatnonzero(~np.isfinite(latest) | (latest < times - slack))
    if bad.size:
        index = int(bad[0])
        raise InputError(
            "GP-V040",
            f"a follow-up of {latest[index]:g} for a time of {times[index]:g}",
            where=place("follow_up", (index,)),
            expected="the time from the patient's start to the data cut, for those with the event, too",
            next_step="subtract each patient's start from the date of the cut",
        )
    if events.sum() > 1 and (latest <= times + slack)[events].all():
        raise InputError(
            "GP-V040",
            "the follow-up of every patient with the event ends with the event",
            where="follow_up",
            expected="the time to the data cut, which comes after the event",
            next_step="subtract each patient's start from the date of the cut",
        )
    return np.maximum(latest, times)
