"""What is read off: tables of a conducted trial, its endpoints and their intervals."""

from __future__ import annotations

from glueprint.trials.analysis.endpoints import endpoints_table, survival_curves_table
from glueprint.trials.analysis.intervals import TAIL, existing, finite, order_statistics, prediction_intervals
from glueprint.trials.analysis.safety import CLINICAL, LABORATORY, grades_table
from glueprint.trials.analysis.subgroups import subgroups_table
from glueprint.trials.analysis.tables import patients_table, visits_table

__all__ = [
    "CLINICAL",
    "LABORATORY",
    "TAIL",
    "endpoints_table",
    "existing",
    "finite",
    "grades_table",
    "order_statistics",
    "patients_table",
    "prediction_intervals",
    "subgroups_table",
    "survival_curves_table",
    "visits_table",
]
