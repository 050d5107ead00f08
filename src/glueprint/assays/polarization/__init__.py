"""Fluorescence polarisation: raw channels to tracer Kd and competitor Ki, exact and with honest intervals."""

from __future__ import annotations

from glueprint.assays.intake.door import wells as read
from glueprint.assays.polarization.analysis import analyse
from glueprint.assays.polarization.result import Result
from glueprint.assays.polarization.saturation import saturation
from glueprint.assays.polarization.settings import Amount, Conditions, Optics, Settings

__all__ = ["Amount", "Conditions", "Optics", "Result", "Settings", "analyse", "read", "saturation"]
