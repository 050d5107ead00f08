"""The ensemble engine: SBML or Antimony models to many patients at once. Knows no biology."""

from __future__ import annotations

from glueprint.engine.batch import Settings
from glueprint.engine.doses import Doses
from glueprint.engine.emit_c import c_source
from glueprint.engine.ensemble import Ensemble
from glueprint.engine.measures import Measures, TimeUnit, time_unit
from glueprint.engine.model import Model, compile  # noqa: A004 - the interface of docs/design.md
from glueprint.engine.records import Records
from glueprint.engine.records_reading import read_records
from glueprint.engine.records_run import Followed, follow
from glueprint.engine.results import Outcome, Trajectories
from glueprint.engine.routes import Routes, dosable
from glueprint.engine.sensitivity import Sensitivities, SensitivityModel, sensitivities
from glueprint.engine.status import REASONS, Status
from glueprint.engine.summary import describe
from glueprint.engine.verify import Verified, verified

__all__ = [
    "REASONS",
    "Doses",
    "Ensemble",
    "Followed",
    "Measures",
    "Model",
    "Outcome",
    "Records",
    "Routes",
    "Sensitivities",
    "SensitivityModel",
    "Settings",
    "Status",
    "TimeUnit",
    "Trajectories",
    "Verified",
    "c_source",
    "compile",
    "describe",
    "dosable",
    "follow",
    "read_records",
    "sensitivities",
    "time_unit",
    "verified",
]
