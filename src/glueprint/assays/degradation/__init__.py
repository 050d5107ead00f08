"""Degradation from fractions remaining over dose and time: Dmax, DC50s, rates and recovery."""

from __future__ import annotations

from glueprint.assays.degradation.analysis import analyse
from glueprint.assays.degradation.design import Design, design
from glueprint.assays.degradation.joining import joined, read
from glueprint.assays.degradation.kinetics import Kinetics
from glueprint.assays.degradation.reading import REQUIRED, checked
from glueprint.assays.degradation.result import SCHEMA, Result, TimePoint
from glueprint.assays.degradation.settings import Settings

__all__ = [
    "REQUIRED",
    "SCHEMA",
    "Design",
    "Kinetics",
    "Result",
    "Settings",
    "TimePoint",
    "analyse",
    "checked",
    "design",
    "joined",
    "read",
]
