"""ELISA: standard curves, back-calculation with honest limits, and the inhibition of TNF per donor."""

from __future__ import annotations

from glueprint.assays.elisa.analysis import analyse
from glueprint.assays.elisa.calibration import Calibration, Problem, calibrate
from glueprint.assays.elisa.inversion import intervals, precision, quantification_range
from glueprint.assays.elisa.result import Named, Result
from glueprint.assays.elisa.settings import Settings
from glueprint.assays.intake.door import wells as read

__all__ = [
    "Calibration",
    "Named",
    "Problem",
    "Result",
    "Settings",
    "analyse",
    "calibrate",
    "intervals",
    "precision",
    "quantification_range",
    "read",
]
