"""Degradation from fractions remaining over dose and time: Dmax, DC50s, rates and recovery."""

from __future__ import annotations

from glueprint.assays.degradation.kinetics import Kinetics
from glueprint.assays.degradation.per_time import REQUIRED, SCHEMA, Result, TimePoint, analyse

__all__ = ["REQUIRED", "SCHEMA", "Kinetics", "Result", "TimePoint", "analyse"]
