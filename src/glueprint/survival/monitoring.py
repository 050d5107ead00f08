"""The boundaries of a trial at the looks it has had, by the events that were there.

A plan names events; a trial is looked at when it can be. Error is spent by the share of the planned events
that has come, and the last look spends what is left, whatever came.
Source: Lan and DeMets 1983, doi:10.1093/biomet/70.3.659; Jennison and Turnbull 2000, chapter 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from glueprint.errors import InputError
from glueprint.survival._check import Floats, as_floats, place
from glueprint.survival.group_sequential import SPENDING, group_sequential, lower_bounds, upper_bounds

__all__ = ["Look", "SpendingPlan"]


@dataclass(frozen=True)
class Look:
    """Bounds of Z at one look: above `efficacy` a trial stops for benefit, below `futility` for want of one.

    information: share of the planned events.   nominal_p: one-sided, of efficacy.   spent: error by now.
    """

    information: float
    efficacy: float
    futility: float
    nominal_p: float
    spent: float


@dataclass(frozen=True)
class SpendingPlan:
    """How error is spent over the planned events.

    events: planned.   alpha: one-sided.   spending: a key of SPENDING.   futility: the same for the error of
    the second kind at `power`, or None.   looks: planned events at each look, which futility needs.
    """

    events: int
    alpha: float = 0.025
    spending: str = "obrien-fleming"
    futility: str | None = None
    power: float = 0.9
    looks: tuple[int, ...] = ()

    def bounds(self, events: Sequence[float], *, last: bool) -> tuple[Look, ...]:
        """Bounds of the looks so far.

        events: (k,) at each look, rising.   last: whether the trial ends with the last of them.
        Returns a Look for each. A look with all planned events is the last one.
        Raises InputError GP-V007 (alpha, power, spending), GP-V035 (events).
        Source: see the module.
        """
        seen = as_floats(events, "events")
        bad = np.flatnonzero(~(np.diff(seen, prepend=0.0) > 0))
        if bad.size:
            index = int(bad[0])
            raise InputError(
                "GP-V035",
                f"{seen[index]:g} events, no more than at the look before",
                where=place("events", (index,)),
                expected="more events at every look",
                next_step="leave out a look at which nothing new had come",
            )
        share = np.minimum(seen / self.events, 1.0)
        # Checks alpha, power and both names.
        planned = [look / self.events for look in self.looks] or [1.0]
        design = group_sequential(
            planned, alpha=self.alpha, power=self.power, spending=self.spending, futility=self.futility
        )
        spend = SPENDING[self.spending]
        spent = np.array([spend(float(t), self.alpha) for t in share])
        if last:
            spent[-1] = self.alpha
        efficacy = upper_bounds(seen / self.events, spent)
        futility = np.full(seen.size, -np.inf)
        if self.futility is not None:
            lose = SPENDING[self.futility]
            lost = np.array([lose(float(t), 1.0 - self.power) for t in share])
            futility = lower_bounds(seen / self.events, efficacy, lost, design.drift)
            if last:
                futility[-1] = efficacy[-1]
            futility = np.minimum(futility, efficacy)
        return tuple(self._look(k, share, (efficacy, futility, spent)) for k in range(seen.size))

    @staticmethod
    def _look(k: int, share: Floats, found: tuple[Floats, Floats, Floats]) -> Look:
        efficacy, futility, spent = (float(values[k]) for values in found)
        return Look(float(share[k]), efficacy, futility, float(ndtr(-efficacy)), spent)
