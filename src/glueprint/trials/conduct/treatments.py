"""What each patient is to be given: regimens with their doses, at first and after progression."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.patients import Population
from glueprint.trials.protocol import NO_REGIMEN, DoseRules, Protocol, Regimen, compile_regimens

__all__ = ["Treatments"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

NO_RULES = -1


@dataclass(frozen=True)
class Treatments:
    """What n patients are to be given out of r regimens, those of arms first.

    with_glue, counts_every_days: (r,) whether a glue is among the drugs, and how often counts are looked at
    while it is held.   rules, rules_of: the dose rules there are, and (r + 1,) which of them hold under each
    regimen (-1: none), the last under no regimen.
    leading_mg: (r, n) dose of the glue, or of the first drug where there is none.
    first, following: (n,) regimen at first, and after progression (-1: none), which begins after `delay_days`
    (n,).   goes_on: (n,) whether the first goes on beside what follows.
    starting_mg: (n,) of the leading drug of the first.   cycle_days: of all regimens.   age_y: (n,).
    missed: (n, days) days without a dose.
    """

    regimens: tuple[Regimen, ...]
    with_glue: Bools
    counts_every_days: Integers
    rules: tuple[DoseRules, ...]
    rules_of: Integers
    leading_mg: Floats
    first: Integers
    following: Integers
    delay_days: Integers
    goes_on: Bools
    starting_mg: Floats
    cycle_days: int
    age_y: Floats
    missed: Bools

    @classmethod
    def of(cls, protocol: Protocol, people: Population, continues: Bools, missed: Bools) -> Treatments:
        """Those of a protocol; continues: (n,) whether chance lets therapy follow progression."""
        regimens, following = compile_regimens(protocol)
        later = [arm.after_progression for arm in protocol.arms]
        rules = [regimen.glue.rules if regimen.glue else None for regimen in regimens]
        age, arm = people.values["age_y"], people.arm
        distinct = [one for place, one in enumerate(rules) if one and one not in rules[:place]]
        rules_of = [distinct.index(one) if one else NO_RULES for one in (*rules, None)]
        leading_mg = np.stack([regimen.leading.planned_mg(age) for regimen in regimens])
        return cls(
            regimens=regimens,
            with_glue=np.array([regimen.glue is not None for regimen in regimens]),
            # Without rules no drug is held.
            counts_every_days=np.array(
                [one.counts_while_held_every_days if one else 1 for one in rules], dtype=np.int64
            ),
            rules=tuple(distinct),
            rules_of=np.array(rules_of, dtype=np.int64),
            leading_mg=leading_mg,
            first=arm,
            following=np.where(continues, np.array(following)[arm], NO_REGIMEN),
            delay_days=np.array([then.delay_days if then else 0 for then in later])[arm],
            goes_on=np.array([bool(then and then.keep_current) for then in later])[arm],
            starting_mg=leading_mg[arm, np.arange(people.size)],
            cycle_days=protocol.cycle_days,
            age_y=age,
            missed=missed,
        )

    @cached_property
    def first_ones(self) -> tuple[int, ...]:
        """The regimens that somebody begins with."""
        return tuple(np.unique(self.first).tolist())

    def glue_mg(self, regimen: Integers, who: Integers) -> Floats:
        """(m,) planned dose of the glue of these regimens (m,) for the patients `who` (m,); 0 without one."""
        return np.where(self.with_glue[regimen], self.leading_mg[regimen, who], 0.0)
