"""From a protocol's regimens to doses between two visits, patient by patient. Kernel but for
`compile_regimens`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.compounds import DEXAMETHASONE, target_of
from glueprint.trials.protocol import Drug, Protocol
from glueprint.trials.schedule import day_mask

__all__ = ["Course", "DoseList", "Regimen", "compile_regimens", "doses_between"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

NO_REGIMEN = -1


@dataclass(frozen=True)
class DrugPlan:
    """One drug of a regimen, ready for use: where doses go, on which days, how much; `rules` govern dose and
    holds."""

    compound: str
    target: str
    on_day: Bools
    dose_mg: float
    dose_above_age_mg: float
    above_age_y: float
    rules: str | None

    def planned_mg(self, age_y: Floats) -> Floats:
        """(n,) dose in mg for patients of these ages."""
        return np.where(age_y > self.above_age_y, self.dose_above_age_mg, self.dose_mg)


@dataclass(frozen=True)
class Regimen:
    """The drugs of an arm, or of what follows it; at most one of them is a glue."""

    drugs: tuple[DrugPlan, ...]

    @property
    def glue(self) -> DrugPlan | None:
        """The glue compound, None where there is none."""
        return next((drug for drug in self.drugs if drug.compound != DEXAMETHASONE), None)


@dataclass(frozen=True)
class Course:
    """Where each patient stands, (n,) each: regimen number (-1: none), its first day, glue dose in mg,
    held."""

    regimen: Integers
    start_day: Integers
    glue_mg: Floats
    glue_held: Bools


@dataclass(frozen=True)
class DoseList:
    """Doses, one row each: patient, day from randomisation, drug's place in its regimen, target species,
    amount in mg."""

    patient: Integers
    day: Integers
    target: NDArray[np.str_]
    amount_mg: Floats


def compile_regimens(protocol: Protocol) -> tuple[tuple[Regimen, ...], tuple[int, ...]]:
    """All regimens of a protocol, arms first, and per arm the number of the regimen that may follow (-1:
    none)."""
    regimens = [
        Regimen(tuple(_plan(drug, protocol.cycle_days) for drug in arm.drugs)) for arm in protocol.arms
    ]
    following = []
    for arm in protocol.arms:
        then = arm.after_progression
        following.append(len(regimens) if then else NO_REGIMEN)
        if then:
            drugs = (*(arm.drugs if then.keep_current else ()), *then.drugs)
            regimens.append(Regimen(tuple(_plan(drug, protocol.cycle_days) for drug in drugs)))
    return tuple(regimens), tuple(following)


def _plan(drug: Drug, cycle_days: int) -> DrugPlan:
    older = drug.above_age
    return DrugPlan(
        compound=drug.compound,
        target=target_of(drug.compound),
        on_day=day_mask(drug.days, cycle_days),
        dose_mg=drug.dose_mg,
        dose_above_age_mg=older.dose_mg if older else drug.dose_mg,
        above_age_y=older.age_y if older else np.inf,
        rules=drug.rules,
    )


def doses_between(
    regimens: tuple[Regimen, ...], course: Course, age_y: Floats, from_day: Integers, to_day: Integers
) -> DoseList:
    """Doses from `from_day` (included) to `to_day` (not included), (n,) days from randomisation.

    A held glue is not given; the drugs beside it go on.
    """
    longest = int(np.max(to_day - from_day, initial=0))
    day = from_day[:, None] + np.arange(longest)
    ahead = day < to_day[:, None]
    parts: list[tuple[Integers, Integers, NDArray[np.str_], Floats]] = []
    for number, regimen in enumerate(regimens):
        mine = course.regimen == number
        if not mine.any():
            continue
        for drug in regimen.drugs:
            in_cycle = (day - course.start_day[:, None]) % drug.on_day.size
            due = ahead & mine[:, None] & drug.on_day[in_cycle] & (day >= course.start_day[:, None])
            amount = drug.planned_mg(age_y)
            if drug is regimen.glue:
                due &= ~course.glue_held[:, None]
                amount = course.glue_mg
            patient, column = np.nonzero(due & (amount > 0)[:, None])
            target = np.full(patient.size, drug.target)
            parts.append((patient, day[patient, column], target, amount[patient]))
    if not parts:
        empty = np.zeros(0, dtype=np.int64)
        return DoseList(empty, empty, np.zeros(0, dtype="<U1"), np.zeros(0))
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort((joined[1], joined[0]))
    patient, dose_day, target, amount = (column[order] for column in joined)
    return DoseList(patient, dose_day, target, amount)
