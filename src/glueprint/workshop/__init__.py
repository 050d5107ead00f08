"""The model workshop: a user's own model and data, fitted and questioned. Knows no biology."""

from __future__ import annotations

from glueprint.workshop import exchange
from glueprint.workshop.asked import Asked, Range, unusable
from glueprint.workshop.fitting import Fit, Settings, Told, draw_starts, fit
from glueprint.workshop.kept import fit_into
from glueprint.workshop.objective import Cost, Fitted, Objective
from glueprint.workshop.population import Drawing, Population, Target, load_population, populate
from glueprint.workshop.posterior import Draws, Sampling, draw_posterior
from glueprint.workshop.priors import Prior
from glueprint.workshop.problem import Experiment, Observable, Parameter, Problem, Rows
from glueprint.workshop.profiles import VERDICTS, Profile, rise_for
from glueprint.workshop.questions import (
    SUMMARIES,
    Answer,
    Question,
    check_count,
    everyone,
    local,
    morris,
    sobol,
    sweep,
)
from glueprint.workshop.reading import read
from glueprint.workshop.search import STATUSES
from glueprint.workshop.sets import FittedSets, fit_sets, simulate_sets

__all__ = [
    "STATUSES",
    "SUMMARIES",
    "VERDICTS",
    "Answer",
    "Asked",
    "Cost",
    "Drawing",
    "Draws",
    "Experiment",
    "Fit",
    "Fitted",
    "FittedSets",
    "Objective",
    "Observable",
    "Parameter",
    "Population",
    "Prior",
    "Problem",
    "Profile",
    "Question",
    "Range",
    "Rows",
    "Sampling",
    "Settings",
    "Target",
    "Told",
    "check_count",
    "draw_posterior",
    "draw_starts",
    "everyone",
    "exchange",
    "fit",
    "fit_into",
    "fit_sets",
    "load_population",
    "local",
    "morris",
    "populate",
    "read",
    "rise_for",
    "simulate_sets",
    "sobol",
    "sweep",
    "unusable",
]
