"""Who is drawn: covariates, arms, bodies, and the chance that each patient carries."""

from __future__ import annotations

from glueprint.trials.patients.attendance import Leaving
from glueprint.trials.patients.bodies import Bodies, Outcome, admit_bodies
from glueprint.trials.patients.chance import Stream
from glueprint.trials.patients.draws import ParameterDraws, Truth, check_draws
from glueprint.trials.patients.fate import Fate
from glueprint.trials.patients.given import check_given
from glueprint.trials.patients.idle import idle_covariates
from glueprint.trials.patients.population import (
    NAMES_IN_CASE_MIX,
    Population,
    draw_population,
    joined,
    model_parameters,
    scenarios,
    separate,
    some_of,
)
from glueprint.trials.patients.timetable import Timetable
from glueprint.trials.patients.tolerability import Intolerance, Tolerability, missed_doses

__all__ = [
    "NAMES_IN_CASE_MIX",
    "Bodies",
    "Fate",
    "Intolerance",
    "Leaving",
    "Outcome",
    "ParameterDraws",
    "Population",
    "Stream",
    "Timetable",
    "Tolerability",
    "Truth",
    "admit_bodies",
    "check_draws",
    "check_given",
    "draw_population",
    "idle_covariates",
    "joined",
    "missed_doses",
    "model_parameters",
    "scenarios",
    "separate",
    "some_of",
]
