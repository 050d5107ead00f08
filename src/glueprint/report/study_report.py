"""A study's result as the plain tables of the report."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from glueprint.chemistry import drawing, structures
from glueprint.report.tables import ReportInput, TrialTables
from glueprint.study import StudyResult
from glueprint.trials import TrialResult

__all__ = ["input_of"]

LIMITS = (
    "Clinical parameters (tumour growth, kill, hazards, marrow block, baselines) are set by hand with the "
    "published results of MM-002 and MM-003 in view. Agreement with these trials is calibrated, not "
    "predicted; no posterior stands behind it yet.",
    "An interval beside a trial's number is what chance does at the trial's size over many virtual trials. "
    "It does not carry the uncertainty of the parameters.",
    "Pneumonia, dropout and death hazards have assumed weights; the parameter table says where and why.",
    "Haemoglobin and platelet effects of the drug cannot be identified from MM-003 alone.",
    "Growth inhibition and regulatory T cells are not modelled yet; their published numbers stand alone.",
    "No raw data of the drug are public: nothing here was measured by Glueprint.",
)


def input_of(result: StudyResult) -> ReportInput:
    """Everything the page shows, taken from a study's tables; nothing is computed here."""
    tables = result.tables
    return ReportInput(
        title=result.study.title,
        comparison=tables["comparison"],
        trials={name: _trial(trial) for name, trial in result.trials.items()},
        profiles=tables["profiles"],
        parameters=tables["parameters"].with_columns(pl.col("evidence").list.join(", ")),
        findings=tables["findings"],
        compounds=_drawn(tables["compounds"]),
        provenance=_provenance(result),
        statements=_statements(result),
        plates={
            name.removeprefix("plates_"): table for name, table in tables.items() if name.startswith("plates")
        },
    )


def _trial(result: TrialResult) -> TrialTables:
    return TrialTables(
        title=f"{result.protocol.name.upper().replace('MM0', 'MM-0')}: {result.protocol.title}",
        arms=tuple(arm.name for arm in result.protocol.arms),
        patients=result.patients,
        visits=result.visits,
        endpoints=result.endpoints,
        survival_curves=result.survival_curves,
        protocol=result.protocol,
    )


def _drawn(compounds: pl.DataFrame) -> pl.DataFrame:
    """The drugs among the compounds, with their structure drawn."""
    drugs = compounds.filter(pl.col("role") == "drug").rename({"average_mass_g_per_mol": "mass_da"})
    pictures = [drawing.draw(structures.load(name)) for name in drugs.get_column("name")]
    return drugs.with_columns(pl.Series("svg", pictures, dtype=pl.String))


def _provenance(result: StudyResult) -> dict[str, object]:
    record = result.record
    return {
        "study": result.study.name,
        "seed": result.study.seed,
        "Glueprint": record.glueprint,
        "Python": record.python,
        "packages": dict(record.packages or {}),
        "inputs (SHA-256)": dict(record.inputs),
        "tables (SHA-256)": dict(record.outputs),
    }


def _statements(result: StudyResult) -> Sequence[str]:
    failed = [
        f"{trial.failed} of {trial.patients.height} virtual patients of {name} could not be computed "
        "and are in no endpoint."
        for name, trial in result.trials.items()
        if trial.failed
    ]
    return (*failed, *LIMITS)
