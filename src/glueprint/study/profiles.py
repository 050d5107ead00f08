"""What happens inside virtual patients through their first cycle: concentration, degradation, blood counts.

Every planned dose is taken: the profiles show what the drug does, not what the dose rules make of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.mechanism import Compound, models
from glueprint.study.definition import ProfileRequest
from glueprint.trials import (
    Course,
    DoseList,
    Population,
    Protocol,
    Stream,
    Truth,
    compile_regimens,
    doses_between,
    draw_population,
    intakes,
    model_parameters,
    scenarios,
    swallowed,
)

__all__ = ["compute"]

Floats = NDArray[np.float64]

HOURS = 24.0


@dataclass(frozen=True)
class Series:
    """One line of a profile: which output of the trial model, in which unit; {glue} is the glue's name."""

    profile: str
    name: str
    output: str
    unit: str


SERIES = (
    Series("pk", "{glue} in plasma", "cp_ng_per_ml", "ng/mL"),
    Series("degradation", "Ikaros, myeloma cells", "ikzf1_myeloma", "fraction of baseline"),
    Series("degradation", "Aiolos, myeloma cells", "ikzf3_myeloma", "fraction of baseline"),
    Series("degradation", "Ikaros, T cells", "ikzf1_tcell", "fraction of baseline"),
    Series("degradation", "Ikaros, marrow progenitors", "ikzf1_progenitor", "fraction of baseline"),
    Series("marrow", "Neutrophils", "anc_1e9_per_l", "1e9/L"),
    Series("marrow", "Platelets", "platelets_1e9_per_l", "1e9/L"),
)


def compute(
    protocol: Protocol, glue: Compound, request: ProfileRequest, seed: int, *, truth: Truth | None = None
) -> pl.DataFrame:
    """Median and 5 to 95 % band of virtual patients on the first arm with a glue, over the requested days.

    truth: the numbers that hold for all of them; typical ones if None.
    Returns profile, series, time_h, value, low, high, unit, patients (those whose integration ended well).
    """
    times_h = _times_h(request.days)
    alone = _arm_alone(protocol, glue, request.patients)
    stream = Stream(seed, f"{protocol.name}/profiles", 0)
    people = draw_population(alone, stream, truth)
    values, arms = model_parameters(alone, people, stream), scenarios(alone, people.truth)
    model = models.trial(arms[0])
    chosen, initial = models.split(model, values)
    doses = swallowed(_doses(alone, people, request.days), intakes(arms, people.arm, values))
    course = model.ensemble(chosen, initial=initial).simulate(
        times_h, doses=doses, outputs=[s.output for s in SERIES]
    )
    done = course.values[course.status == 0]
    named = [replace(series, name=series.name.format(glue=glue.name)) for series in SERIES]
    return pl.concat([_frame(series, times_h, done[..., k]) for k, series in enumerate(named)])


def _times_h(days: int) -> Floats:
    """Every hour of the first day, then every four hours."""
    first = np.arange(0.0, HOURS, 1.0)
    return np.concatenate([first, np.arange(HOURS, days * HOURS + 1, 4.0)])


def _arm_alone(protocol: Protocol, glue: Compound, patients: int) -> Protocol:
    with_glue = next(arm for arm in protocol.arms if any(drug.glue == glue for drug in arm.drugs))
    arm = with_glue.model_copy(update={"patients": patients})
    randomisation = protocol.randomisation.model_copy(update={"ratio": (1,), "blocks_of": 1})
    return protocol.model_copy(update={"arms": (arm,), "randomisation": randomisation})


def _doses(protocol: Protocol, people: Population, days: int) -> DoseList:
    """All planned doses of the arm."""
    regimens, _ = compile_regimens(protocol)
    glue = regimens[0].glue
    age_y = people.values["age_y"]
    start = np.zeros(people.size, dtype=np.int64)
    course = Course(
        regimen=start,
        start_day=start,
        glue_mg=glue.planned_mg(age_y) if glue else np.zeros(people.size),
        glue_held=np.zeros(people.size, dtype=bool),
    )
    return doses_between(regimens, course, age_y, (start, start + days))


def _frame(series: Series, times_h: Floats, values: Floats) -> pl.DataFrame:
    low, middle, high = np.percentile(values, [5, 50, 95], axis=0)
    return pl.DataFrame(
        {
            "profile": series.profile,
            "series": series.name,
            "time_h": times_h,
            "value": middle,
            "low": low,
            "high": high,
            "unit": series.unit,
            "patients": len(values),
        }
    )
