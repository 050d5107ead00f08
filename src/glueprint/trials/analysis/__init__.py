"""What is read off: tables of a conducted trial, its endpoints and their intervals."""

from __future__ import annotations

from glueprint.trials.analysis.endpoints import cohort, endpoints_table, survival_curves_table
from glueprint.trials.analysis.estimands import estimands_table
from glueprint.trials.analysis.intervals import TAIL, existing, finite, order_statistics, prediction_intervals
from glueprint.trials.analysis.looks import (
    BENEFIT,
    FUTILITY,
    LOOKS,
    NO_BENEFIT,
    Tested,
    cut_day,
    known_days,
    look_row,
    tested,
)
from glueprint.trials.analysis.safety import CLINICAL, LABORATORY, grades_table
from glueprint.trials.analysis.subgroups import subgroups_table
from glueprint.trials.analysis.tables import patients_table, visits_table

__all__ = [
    "BENEFIT",
    "CLINICAL",
    "FUTILITY",
    "LABORATORY",
    "LOOKS",
    "NO_BENEFIT",
    "TAIL",
    "Tested",
    "cohort",
    "cut_day",
    "endpoints_table",
    "estimands_table",
    "existing",
    "finite",
    "grades_table",
    "known_days",
    "look_row",
    "order_statistics",
    "patients_table",
    "prediction_intervals",
    "subgroups_table",
    "survival_curves_table",
    "tested",
    "visits_table",
]
