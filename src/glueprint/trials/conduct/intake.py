"""From doses that are swallowed to doses of the engine, glue by glue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.engine import Doses
from glueprint.mechanism import Scenario, pharmacokinetics
from glueprint.mechanism.pharmacokinetics import Intake, Pharmacokinetics
from glueprint.trials.conduct.doses import DoseList
from glueprint.trials.protocol import GLUE_TARGET

__all__ = ["GlueIntake", "intakes", "swallowed"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

HOURS_PER_DAY = 24.0


@dataclass(frozen=True, eq=False)
class GlueIntake:
    """How one glue is taken up: whose of n patients it is, and lag, share and duration of each."""

    mine: NDArray[np.bool_]
    pk: Pharmacokinetics
    intake: Intake


def intakes(
    scenarios: Sequence[Scenario], arm: Integers, values: Mapping[str, Floats]
) -> tuple[GlueIntake, ...]:
    """How each glue of a replicate is taken up.

    scenarios: of each arm.   arm: (n,) of each patient.   values: (n,) by name, NaN where a patient's glue
    has no such number.
    """
    found = []
    for glue in dict.fromkeys(scenario.compound for scenario in scenarios):
        mine = np.array([scenario.compound == glue for scenario in scenarios])[arm]
        if glue.pk is None or not mine.any():
            continue
        names = pharmacokinetics.conduct_quantities(glue.pk)
        own = {name: np.where(mine, values[name], values[name][mine][0]) for name in names}
        found.append(GlueIntake(mine, glue.pk, Intake.of(glue.pk, arm.size, **own)))
    return tuple(found)


def swallowed(doses: DoseList, glues: Sequence[GlueIntake]) -> Doses:
    """What the engine is given for doses of a list, h from randomisation: a glue after its lag, as far as it
    is bioavailable; partner drugs at once."""
    hours, glue = HOURS_PER_DAY * doses.day, doses.target == GLUE_TARGET
    other = np.flatnonzero(~glue)
    parts = [Doses(doses.patient[other], hours[other], doses.target[other], doses.amount_mg[other])]
    for one in glues:
        rows = np.flatnonzero(glue & one.mine[doses.patient])
        if rows.size:
            given = doses.patient[rows], hours[rows], doses.amount_mg[rows]
            parts.append(pharmacokinetics.doses_of(one.pk, one.intake, *given))
    return pharmacokinetics.together(*parts)
