"""The model workshop: a user's own model and data, fitted and questioned. Knows no biology."""

from __future__ import annotations

from glueprint.workshop.fitting import Fit, Settings, Told, draw_starts, fit
from glueprint.workshop.kept import fit_into
from glueprint.workshop.objective import Cost, Fitted, Objective
from glueprint.workshop.priors import Prior
from glueprint.workshop.problem import Experiment, Observable, Parameter, Problem, Rows
from glueprint.workshop.profiles import VERDICTS, Profile, rise_for
from glueprint.workshop.reading import read
from glueprint.workshop.search import STATUSES
from glueprint.workshop.sets import FittedSets, fit_sets, simulate_sets

__all__ = [
    "STATUSES",
    "VERDICTS",
    "Cost",
    "Experiment",
    "Fit",
    "Fitted",
    "FittedSets",
    "Objective",
    "Observable",
    "Parameter",
    "Prior",
    "Problem",
    "Profile",
    "Rows",
    "Settings",
    "Told",
    "draw_starts",
    "fit",
    "fit_into",
    "fit_sets",
    "read",
    "rise_for",
    "simulate_sets",
]
