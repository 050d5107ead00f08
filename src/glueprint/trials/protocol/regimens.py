"""The regimens of a protocol, ready for use: which drug on which day, how much, under which rules."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.protocol.document import Drug, Protocol
from glueprint.trials.protocol.drugs import target_of
from glueprint.trials.protocol.rules_document import DoseRules
from glueprint.trials.protocol.rules_loading import rules_in_force
from glueprint.trials.protocol.schedule import day_mask

__all__ = ["NO_REGIMEN", "DrugPlan", "Regimen", "compile_regimens"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NO_REGIMEN = -1


@dataclass(frozen=True)
class DrugPlan:
    """One drug of a regimen, ready for use: where doses go, on which days, how much; `rules` govern dose and
    holds."""

    is_glue: bool
    target: str
    on_day: Bools
    dose_mg: float
    dose_above_age_mg: float
    above_age_y: float
    rules: DoseRules | None

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
        return next((drug for drug in self.drugs if drug.is_glue), None)

    @property
    def leading(self) -> DrugPlan:
        """The drug whose doses are counted: the glue, or the first where there is none."""
        return self.glue or self.drugs[0]


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
        is_glue=drug.glue is not None,
        target=target_of(drug.compound),
        on_day=day_mask(drug.days, cycle_days),
        dose_mg=drug.dose_mg,
        dose_above_age_mg=older.dose_mg if older else drug.dose_mg,
        above_age_y=older.age_y if older else np.inf,
        rules=rules_in_force(drug.rules),
    )
