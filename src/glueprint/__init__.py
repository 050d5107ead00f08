"""Glueprint: cereblon molecular glues from the plate to the patient.

What is done most often is one verb away: `glueprint.run_trial`, `glueprint.load_compound`, `glueprint.fit`.
Everything else stands in its room: `glueprint.trials.sweep`, `glueprint.calibration.clinical.posterior`.
Verbs and rooms are imported when they are first used, so `import glueprint` stays quick.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from glueprint import forks as forks  # from the first room on, a fork is answered

if TYPE_CHECKING:
    # The same as ROOMS and VERBS, for editors and type checkers; tests compare them. Where a function has the
    # name of its module, checkers need the module's own path.
    from glueprint import assays as assays
    from glueprint import calibration as calibration
    from glueprint import chemistry as chemistry
    from glueprint import curves as curves
    from glueprint import engine as engine
    from glueprint import errors as errors
    from glueprint import evidence as evidence
    from glueprint import experiments as experiments
    from glueprint import inference as inference
    from glueprint import mechanism as mechanism
    from glueprint import qualification as qualification
    from glueprint import references as references
    from glueprint import report as report
    from glueprint import runs as runs
    from glueprint import study as study
    from glueprint import survival as survival
    from glueprint import trials as trials
    from glueprint import units as units
    from glueprint import workshop as workshop
    from glueprint.assays import layout as _layout
    from glueprint.assays import readers as _readers
    from glueprint.calibration.clinical import posterior as clinical_posterior
    from glueprint.chemistry import structures as _structures
    from glueprint.curves import fit as fit
    from glueprint.curves import fit_table as fit_table
    from glueprint.curves import pool as pool_potencies
    from glueprint.engine import compile as compile_model
    from glueprint.evidence import load as load_evidence
    from glueprint.experiments import run as run_experiment
    from glueprint.mechanism import compounds as _compounds
    from glueprint.study import load as load_study
    from glueprint.study import run as run_study
    from glueprint.study.glue import run as run_glue
    from glueprint.survival import analyse as analyse_patients
    from glueprint.survival.cox import cox as cox
    from glueprint.survival.kaplan_meier import kaplan_meier as kaplan_meier
    from glueprint.survival.log_rank import log_rank as log_rank
    from glueprint.survival.rmst import rmst as rmst
    from glueprint.trials import load_protocol as load_protocol
    from glueprint.trials import run as run_trial
    from glueprint.trials.sweep import sweep as sweep_trial

    load_compound = _compounds.load
    load_structure = _structures.load
    read_layout = _layout.read
    read_plate = _readers.read

__version__ = "0.1.0"

ROOMS = (
    "assays",
    "calibration",
    "chemistry",
    "curves",
    "engine",
    "errors",
    "evidence",
    "experiments",
    "inference",
    "mechanism",
    "qualification",
    "references",
    "report",
    "runs",
    "study",
    "survival",
    "trials",
    "units",
    "workshop",
)

# Verb -> its module below `glueprint`, and its name there. Which there are, and why: docs/python.md.
VERBS: Mapping[str, tuple[str, str]] = {
    "analyse_patients": ("survival", "analyse"),
    "clinical_posterior": ("calibration.clinical", "posterior"),
    "compile_model": ("engine", "compile"),
    "cox": ("survival.cox", "cox"),
    "fit": ("curves", "fit"),
    "fit_table": ("curves", "fit_table"),
    "kaplan_meier": ("survival.kaplan_meier", "kaplan_meier"),
    "load_compound": ("mechanism.compounds", "load"),
    "load_evidence": ("evidence", "load"),
    "load_protocol": ("trials", "load_protocol"),
    "load_structure": ("chemistry.structures", "load"),
    "load_study": ("study", "load"),
    "log_rank": ("survival.log_rank", "log_rank"),
    "pool_potencies": ("curves", "pool"),
    "read_layout": ("assays.layout", "read"),
    "read_plate": ("assays.readers", "read"),
    "rmst": ("survival.rmst", "rmst"),
    "run_experiment": ("experiments", "run"),
    "run_glue": ("study.glue", "run"),
    "run_study": ("study", "run"),
    "run_trial": ("trials", "run"),
    "sweep_trial": ("trials.sweep", "sweep"),
}

__all__ = [
    "__version__",
    "analyse_patients",
    "assays",
    "calibration",
    "chemistry",
    "clinical_posterior",
    "compile_model",
    "cox",
    "curves",
    "engine",
    "errors",
    "evidence",
    "experiments",
    "fit",
    "fit_table",
    "inference",
    "kaplan_meier",
    "load_compound",
    "load_evidence",
    "load_protocol",
    "load_structure",
    "load_study",
    "log_rank",
    "mechanism",
    "pool_potencies",
    "qualification",
    "read_layout",
    "read_plate",
    "references",
    "report",
    "rmst",
    "run_experiment",
    "run_glue",
    "run_study",
    "run_trial",
    "runs",
    "study",
    "survival",
    "sweep_trial",
    "trials",
    "units",
    "workshop",
]


def __getattr__(name: str) -> Any:
    if name in ROOMS:
        return importlib.import_module(f"glueprint.{name}")
    if name in VERBS:
        module, attribute = VERBS[name]
        return getattr(importlib.import_module(f"glueprint.{module}"), attribute)
    # `errors` is small and always wanted where something is wrong.
    from glueprint.errors import nearest

    raise AttributeError(f"module 'glueprint' has no attribute {name!r}{nearest(name, (*ROOMS, *VERBS))}")


def __dir__() -> list[str]:
    return sorted({*globals(), *ROOMS, *VERBS})
