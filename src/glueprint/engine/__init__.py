"""The ensemble engine: SBML or Antimony models to many patients at once. Knows no biology."""

from __future__ import annotations

from glueprint.engine.batch import Settings
from glueprint.engine.doses import Doses
from glueprint.engine.emit_c import c_source
from glueprint.engine.ensemble import Ensemble
from glueprint.engine.model import Model, compile  # noqa: A004 - the interface of docs/design.md
from glueprint.engine.results import Outcome, Trajectories
from glueprint.engine.sensitivity import Sensitivities, SensitivityModel, sensitivities
from glueprint.engine.status import REASONS, Status
from glueprint.engine.summary import describe

__all__ = [
    "REASONS",
    "Doses",
    "Ensemble",
    "Model",
    "Outcome",
    "Sensitivities",
    "SensitivityModel",
    "Settings",
    "Status",
    "Trajectories",
    "c_source",
    "compile",
    "describe",
    "sensitivities",
]
