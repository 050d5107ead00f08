"""One typical patient on a glue: concentration, degradation, blood counts and M-protein over a few cycles.

It answers what a dose, a schedule, a Kd or a baseline changes, without chance and without uncertainty: a
trial has both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic_core import PydanticCustomError

from glueprint.engine import Model
from glueprint.errors import InputError
from glueprint.frames import Framed
from glueprint.mechanism import Compound, Outside, Partner, Scenario, compounds, models, parameters, partners
from glueprint.study import pathway
from glueprint.trials import (
    MONTH_DAYS,
    NAMES_IN_CASE_MIX,
    DoseList,
    Taken,
    intakes,
    outside_of_one,
    parse_days,
    swallowed,
)

__all__ = ["RANGES", "SERIES", "Course", "Patient", "Plan", "follow"]

Floats = NDArray[np.float64]

GLUE_TARGET = "glue_gut"
HOURS = 24.0
FINE_H, COARSE_H = 1.0, 12.0  # the peaks of a daily dose, and what takes days
CLEARANCE, KD, EFFICACY = "clearance_l_per_h", "kd_nm", "_rho"
WEEKLY = "1,8,15,22"
WHOLE = ("cycle_days", "cycles", "day")


@dataclass(frozen=True)
class Series:
    """One line: its figure, its name, which output of the trial model, in which unit.

    fast: it follows every dose, and is so looked at every hour of the first cycle and not after it.
    """

    figure: str
    name: str
    output: str
    unit: str
    fast: bool = False


SERIES = (
    Series("Concentration in plasma, cycle 1", "glue", "cp_ng_per_ml", "ng/mL", fast=True),
    Series("Neosubstrates in myeloma cells, cycle 1", "IKZF1", "ikzf1_myeloma", "of untreated", fast=True),
    Series("Neosubstrates in myeloma cells, cycle 1", "IKZF3", "ikzf3_myeloma", "of untreated", fast=True),
    Series("Neutrophils", "neutrophils", "anc_1e9_per_l", "1e9/L"),
    Series("Platelets", "platelets", "platelets_1e9_per_l", "1e9/L"),
    Series("M-protein", "M-protein", "m_protein_g_per_l", "g/L"),
)
# What each number may be; beyond it nobody has been followed.
RANGES: Mapping[str, tuple[float, float]] = {
    "dose_mg": (0.0, 1000.0),
    "cycle_days": (1, 56),
    "cycles": (1, 12),
    "day": (1, 672),
    "partner_mg": (0.0, 100.0),
    "kd_fold": (0.01, 100.0),
    "efficacy_fold": (0.01, 100.0),
    "clearance_fold": (0.05, 20.0),
    "age_y": (18.0, 100.0),
    "weight_kg": (30.0, 200.0),
    "anc0": (0.5, 15.0),
    "platelets0": (20.0, 600.0),
    "haemoglobin0": (5.0, 18.0),
    "m_protein0": (1.0, 100.0),
    "total_protein_g_per_l": (40.0, 150.0),
}


@dataclass(frozen=True)
class Patient:
    """Who takes it. anc0, platelets0: 1e9/L, haemoglobin0: g/dL, m_protein0: g/L, all before treatment."""

    sex_female: bool = False
    age_y: float = 64.0
    weight_kg: float = 75.0
    total_protein_g_per_l: float = 75.0
    anc0: float = 3.4
    platelets0: float = 180.0
    haemoglobin0: float = 10.5
    m_protein0: float = 20.0


@dataclass(frozen=True)
class Plan:
    """What is given to whom.

    compound: the glue.   dose_mg: on each of the `days` ("1-21", "1-14,22-28") of a cycle.
    partner_mg: of the partner drug, on days 1, 8, 15 and 22 of each cycle.
    kd_fold, efficacy_fold, clearance_fold: on the numbers of the compound's file.   day: of treatment, on
    which the pathway is looked at; the last day of dosing of the first cycle if None.
    Raises InputError GP-S070 for a number or days that cannot be used, GP-S071 for a compound that has no
    pharmacokinetics.
    """

    compound: Compound = field(default_factory=lambda: compounds.load(compounds.REFERENCE))
    dose_mg: float = 4.0
    days: str = "1-21"
    cycle_days: int = 28
    cycles: int = 3
    partner_mg: float = 0.0
    kd_fold: float = 1.0
    efficacy_fold: float = 1.0
    clearance_fold: float = 1.0
    patient: Patient = field(default_factory=Patient)
    day: int | None = None

    def __post_init__(self) -> None:
        for part in (self, self.patient):
            for one in fields(part):
                if one.name in RANGES and getattr(part, one.name) is not None:
                    _check(one.name, getattr(part, one.name))
        self.days_of_cycle()
        if self.day is not None and self.day > self.days_in_all:
            raise _wrong("day", f"day {self.day} of {self.days_in_all}", "a day of the cycles")
        if self.compound.pk is None:
            raise InputError(
                "GP-S071",
                f"{self.compound.name} has no pharmacokinetics",
                where="compound",
                expected="a compound whose file has [pk]",
                next_step="choose another, or add the numbers to its file",
            )

    @property
    def days_in_all(self) -> int:
        """Days of all cycles."""
        return self.cycle_days * self.cycles

    @property
    def shown_day(self) -> int:
        """The day on which the pathway is looked at."""
        return self.day if self.day is not None else max(self.days_of_cycle(), default=1)

    def days_of_cycle(self) -> tuple[int, ...]:
        """The days of a cycle on which the glue is taken, from 1."""
        try:
            days = parse_days(self.days) if self.days.strip() and len(self.days) <= 100 else ()
        except PydanticCustomError as error:
            raise _wrong("days", str(error), "days such as 1-21 or 1,8,15") from error
        if days and days[-1] > self.cycle_days:
            raise _wrong("days", f"day {days[-1]} of a cycle of {self.cycle_days}", "days within the cycle")
        if not days and self.days.strip():
            raise _wrong("days", self.days[:40], "days such as 1-21 or 1,8,15")
        return days


@dataclass(frozen=True)
class Course(Framed):
    """What happens.

    table: figure, series, time_d, value, unit; what follows every dose for the first cycle only.
    peak_ng_per_ml, trough_ng_per_ml: on the last day of dosing of that cycle.   lowest: series -> lowest
    value in the table and its day.   m_protein_change_percent: at the end against the start.
    pathway: node, cells, before, value, unit, model, reason; means over one day, of the patient or of cells
    in culture at the patient's free concentration (`study.pathway`).
    """

    plan: Plan
    table: pl.DataFrame
    peak_ng_per_ml: float
    trough_ng_per_ml: float
    lowest: Mapping[str, tuple[float, float]]
    m_protein_change_percent: float
    pathway: pl.DataFrame

    @cached_property
    def outside(self) -> tuple[Outside, ...]:
        """In what the plan goes beyond the trials that the clinical parameters were fitted to."""
        return _outside(self.plan)

    def to_table(self) -> pl.DataFrame:
        """The table."""
        return self.table


def follow(plan: Plan) -> Course:
    """Follow one typical patient through the cycles of a plan.

    Returns the course, without random effects: every parameter is at its typical value.
    Raises what `models.trial` raises for a compound whose file lacks numbers.

    >>> course = follow(Plan(dose_mg=4.0, cycles=1))
    >>> 40 < course.peak_ng_per_ml < 60
    True
    """
    scenario = Scenario.of(plan.compound)
    model = _model(scenario)
    values = _values(scenario, plan)
    chosen, initial = models.split(model, values)
    people = np.zeros(1, dtype=np.int64)
    every = {name: np.array([value]) for name, value in parameters.typical(scenario).items()} | values
    doses = swallowed(_doses(plan), intakes((scenario,), people, every))
    times_h = _times_h(plan)
    outputs = [one.output for one in SERIES]
    outputs += [one.output for one in pathway.NODES if one.model == "trial"]
    ran = model.ensemble(chosen, initial=initial).simulate(times_h, doses=doses, outputs=outputs)
    if ran.status[0]:
        raise _wrong("plan", str(ran.reasons[0]), "numbers that the model can follow")
    series, steps = ran.values[0][:, : len(SERIES)], ran.values[0][:, len(SERIES) :]
    folds = {KD: plan.kd_fold, EFFICACY: plan.efficacy_fold}
    return _course(plan, times_h, series, pathway.table(scenario, folds, (times_h, steps), plan.shown_day))


@lru_cache(maxsize=8)
def _model(scenario: Scenario) -> Model:
    """The trial model of a scenario; writing its text takes longer than following a patient."""
    return models.trial(scenario)


def _values(scenario: Scenario, plan: Plan) -> dict[str, Floats]:
    """Every parameter of the patient; those that a plan may change are always among them, so that one machine
    code serves all plans."""
    names, _ = parameters.random_effects(scenario)
    about = {one.name: np.array([float(getattr(plan.patient, one.name))]) for one in fields(Patient)}
    values = parameters.individual(scenario, about, np.zeros((1, len(names))))
    usual = parameters.typical(scenario)
    folds = {KD: plan.kd_fold, CLEARANCE: plan.clearance_fold}
    folds |= {name: plan.efficacy_fold for name in usual if name.endswith(EFFICACY)}
    scaled = {
        name: fold * values.get(name, np.array([usual[name]]))
        for name, fold in folds.items()
        if name in usual
    }
    return {**values, **scaled}


def _outside(plan: Plan) -> tuple[Outside, ...]:
    folds = {CLEARANCE: plan.clearance_fold, KD: plan.kd_fold}
    typical = parameters.typical(Scenario(plan.compound))
    folds |= {name: plan.efficacy_fold for name in typical if name.endswith(EFFICACY)}
    asked = {"kd": plan.kd_fold, "efficacy": plan.efficacy_fold, "clearance": plan.clearance_fold}
    words = "".join(f", {name} times {fold:g}" for name, fold in asked.items() if fold != 1.0)
    daily, weekly = (len(days) / plan.cycle_days for days in (plan.days_of_cycle(), _weekly(plan)))
    taken = {
        "dose_mg": Taken(plan.compound, plan.dose_mg, daily, folds, words),
        "partner_mg": Taken(_partner(), plan.partner_mg, weekly),
    }
    about = {
        NAMES_IN_CASE_MIX[one.name]: float(getattr(plan.patient, one.name))
        for one in fields(Patient)
        if one.name in NAMES_IN_CASE_MIX
    }
    return outside_of_one(taken, about, plan.days_in_all / MONTH_DAYS)


def _partner() -> Partner:
    return next(iter(partners.rows().values()))


def _weekly(plan: Plan) -> list[int]:
    """The days of a cycle on which the partner drug is taken."""
    return [day for day in parse_days(WEEKLY) if day <= plan.cycle_days]


def _doses(plan: Plan) -> DoseList:
    starts = plan.cycle_days * np.arange(plan.cycles)[:, None]
    glue = (starts + np.array(plan.days_of_cycle(), dtype=np.int64) - 1).ravel()
    weekly = np.array(_weekly(plan), dtype=np.int64)
    partner = (starts + weekly - 1).ravel() if plan.partner_mg else np.zeros(0, dtype=np.int64)
    glue = glue if plan.dose_mg else np.zeros(0, dtype=np.int64)
    target = _partner().dose_target
    day = np.concatenate([glue, partner]).astype(np.int64)
    order = np.argsort(day, kind="stable")
    return DoseList(
        np.zeros(day.size, dtype=np.int64),
        day[order],
        np.array([GLUE_TARGET] * glue.size + [target] * partner.size, dtype=np.str_)[order],
        np.array([plan.dose_mg] * glue.size + [plan.partner_mg] * partner.size)[order],
        np.array([True] * glue.size + [False] * partner.size)[order],
    )


def _times_h(plan: Plan) -> Floats:
    first, last = HOURS * plan.cycle_days, HOURS * plan.days_in_all
    day = HOURS * (plan.shown_day - 1) + np.arange(0.0, HOURS + 1.0, FINE_H)
    return np.unique(
        np.concatenate([np.arange(0.0, first, FINE_H), np.arange(first, last + 1.0, COARSE_H), day])
    )


def _course(plan: Plan, times_h: Floats, values: Floats, steps: pl.DataFrame) -> Course:
    days = times_h / HOURS
    parts, lowest = [], {}
    for one, line in zip(SERIES, values.T, strict=True):
        shown = days < plan.cycle_days if one.fast else np.ones(days.size, dtype=bool)
        time_d, value = days[shown], line[shown]
        parts.append(
            pl.DataFrame(
                {"figure": one.figure, "series": one.name, "time_d": time_d, "value": value, "unit": one.unit}
            )
        )
        lowest[one.name] = (float(value.min()), float(time_d[value.argmin()]))
    taken = plan.days_of_cycle() if plan.dose_mg else ()
    on = (days >= taken[-1] - 1) & (days < taken[-1]) if taken else np.zeros(days.size, dtype=bool)
    m_protein = values[:, -1]
    return Course(
        plan,
        pl.concat(parts),
        peak_ng_per_ml=float(values[on, 0].max()) if on.any() else 0.0,
        trough_ng_per_ml=float(values[on, 0].min()) if on.any() else 0.0,
        lowest=lowest,
        m_protein_change_percent=100.0 * (float(m_protein[-1]) / float(m_protein[0]) - 1.0),
        pathway=steps,
    )


def _check(name: str, value: float) -> None:
    low, high = RANGES[name]
    what = "a whole number" if name in WHOLE else "a number"
    whole = name not in WHOLE or value == int(value) if math.isfinite(value) else False
    if isinstance(value, bool) or not whole or not low <= value <= high:
        raise _wrong(name, f"{value:g}", f"{what} from {low:g} to {high:g}")


def _wrong(name: str, message: str, expected: str) -> InputError:
    return InputError(
        "GP-S070", f"{message} cannot be used", where=name, expected=expected, next_step="correct the number"
    )
