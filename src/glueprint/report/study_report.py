"""A study's result as the plain tables of the report."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from glueprint.calibration import clinical
from glueprint.calibration.clinical import ClinicalPosterior
from glueprint.chemistry import drawing, structures
from glueprint.report.tables import ReportInput, TrialTables
from glueprint.study import StudyResult
from glueprint.trials import TrialResult

__all__ = ["fitted", "input_of", "limits"]

TYPICAL = (
    "Clinical parameters (tumour growth, kill, hazards, marrow block) stand at the medians of a fit to the "
    "published summaries of MM-002 and MM-003. Agreement with these trials is calibrated, not "
    "predicted. This study names no posterior.",
    "An interval beside a trial's number is what chance does at the trial's size over many virtual trials. "
    "It does not carry the uncertainty of the parameters.",
)
ALWAYS = (
    "Complete response is overstated: urine, marrow and immunofixation are not modelled.",
    "The first dose reductions come too late: half of those of MM-003 came within 4.5 weeks (CL081).",
    "Intolerance that is no blood count does not depend on the dose, which is assumed. So a lower dose is "
    "tolerated better here only as far as blood counts go.",
    "The weights of the hazard of pneumonia are assumed, and so are the hazard of being lost to follow-up "
    "and what patients received after progression; the parameter table and the protocols say why.",
    "No baseline table was seen: haemoglobin and platelets before treatment were set with the published "
    "anaemia and thrombocytopenia in view. An effect of the drug on platelets cannot be told from them; none "
    "on haemoglobin is modelled.",
    "No raw data of the drug are public: nothing here was measured by Glueprint.",
)


def input_of(result: StudyResult) -> ReportInput:
    """Everything the page shows, taken from a study's tables; nothing is computed here."""
    tables = result.tables
    posterior = clinical.posterior(result.study.posterior) if result.study.posterior else None
    parameters = tables["parameters"].with_columns(pl.col("evidence").list.join(", "))
    return ReportInput(
        title=result.study.title,
        comparison=tables["comparison"],
        trials={name: _trial(trial) for name, trial in result.trials.items()},
        profiles=tables["profiles"],
        parameters=fitted(parameters, posterior) if posterior else parameters,
        findings=tables["findings"],
        compounds=_drawn(tables["compounds"]),
        provenance=_provenance(result),
        statements=(*_failed(result), *limits(posterior)),
        plates={
            name.removeprefix("plates_"): table for name, table in tables.items() if name.startswith("plates")
        },
        held_out=tables.get("held_out"),
        posterior=result.study.posterior or "",
    )


def limits(posterior: ClinicalPosterior | None) -> tuple[str, ...]:
    """What the numbers of a study's trials cannot say, a sentence each.

    posterior: of the study; None for typical parameters.
    """
    return (*(TYPICAL if posterior is None else _of(posterior)), *ALWAYS)


def _of(posterior: ClinicalPosterior) -> tuple[str, ...]:
    """What a posterior carries, and what it could not learn."""
    trusted = (
        () if posterior.status == "ok" else (f"The posterior is {posterior.status}: {posterior.reason}.",)
    )
    ratio = 10.0 ** clinical.free(posterior.structure).study_sd_log10
    return (
        *trusted,
        f"Clinical parameters are draws of a posterior (structure of the tumour: {posterior.structure}), "
        "calibrated to published summaries of MM-002 and MM-003. Calibrated is not predicted: agreement with "
        "these two trials is no achievement beyond them.",
        "An interval beside a trial's number carries the uncertainty of the parameters, of the patients and "
        "of sampling at the trial's size. It does not carry that of the model's form.",
        _not_identified(posterior.parameters),
        "Two trials cannot say how much trials differ: that the hazard of death differs between them by a "
        f"factor of {ratio:.1f} either way is assumed.",
        "Time courses of drug, targets and blood counts are of the typical parameters in the table, not of "
        "draws.",
    )


def _not_identified(parameters: pl.DataFrame) -> str:
    unknown = parameters.filter(pl.col("verdict") != "identified").get_column("name").to_list()
    if not unknown:
        return f"All {parameters.height} free parameters are identified by the two trials, more or less well."
    return (
        f"Not identified by the two trials, and so believed as before them: {len(unknown)} of "
        f"{parameters.height} free parameters ({', '.join(unknown)})."
    )


def fitted(parameters: pl.DataFrame, posterior: ClinicalPosterior) -> pl.DataFrame:
    """The parameters of the page, with what the posterior's draws put in their place.

    Adds columns fitted, fitted_low and fitted_high (median and middle 95 % of the draws), missing for
    parameters that no draw replaces. Variances between patients have no row of their own.
    """
    sets = clinical.free(posterior.structure).sets
    replaced = pl.DataFrame(
        [(target, name) for name, targets in sets.items() for target in targets],
        schema={"name": pl.String, "of": pl.String},
        orient="row",
    )
    learnt = posterior.parameters.select(
        "name", fitted="median", fitted_low="low_95", fitted_high="high_95"
    ).rename({"name": "of"})
    return parameters.join(
        replaced.join(learnt, on="of").drop("of"), on="name", how="left", maintain_order="left"
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


def _failed(result: StudyResult) -> Sequence[str]:
    return [
        f"{trial.failed} of {trial.patients.height} virtual patients of {name} could not be computed "
        "and are in no endpoint."
        for name, trial in result.trials.items()
        if trial.failed
    ]
