"""A study's result as the plain tables of the report."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from glueprint import evidence, references
from glueprint.calibration import clinical
from glueprint.calibration.clinical import ClinicalPosterior
from glueprint.chemistry import drawing, groups, structures
from glueprint.mechanism import Compound, compounds
from glueprint.references import Reference
from glueprint.report.tables import UNKNOWN_SAFETY, ReportInput, TrialTables
from glueprint.study import StudyResult, headlines, reference_of
from glueprint.trials import TrialResult

__all__ = ["input_of", "limits"]

ALWAYS = (
    "Complete response is overstated: urine, marrow and immunofixation are not modelled.",
    "Intolerance that is no blood count does not depend on the dose, which is assumed. So a lower dose is "
    "tolerated better here only as far as blood counts go.",
    "The weights of the hazard of pneumonia are assumed, and so are the hazard of being lost to follow-up "
    "and what patients received after progression; the parameter table and the protocols say why.",
    "No effect of the drug on haemoglobin is modelled.",
)
CLINICAL = "tumour growth, kill, hazards, marrow block"


def input_of(result: StudyResult) -> ReportInput:
    """Everything the page shows, taken from a study's tables; nothing is computed here."""
    tables, plan = result.tables, result.study
    compound, reference = plan.load_compound(), reference_of(plan)
    posterior = clinical.posterior(plan.posterior) if plan.posterior else None
    parameters = tables["parameters"].with_columns(pl.col("evidence").list.join(", "))
    findings, left_out = (tables["findings"], ()) if reference else _that_matter(result)
    other = "" if compound == compounds.load(references.default().compound) else compound.name
    return ReportInput(
        title=plan.title,
        comparison=tables.get("comparison"),
        trials={name: _trial(trial) for name, trial in result.trials.items()},
        profiles=tables["profiles"],
        parameters=parameters,
        findings=findings,
        compounds=_drawn(tables["compounds"], compound),
        provenance=_provenance(result),
        statements=(
            *_failed(result),
            *_outside(result),
            *limits(posterior, reference, other=other),
            *left_out,
        ),
        plates={
            name.removeprefix("plates_"): table for name, table in tables.items() if name.startswith("plates")
        },
        held_out=tables.get("held_out"),
        posterior=plan.posterior or "",
        compound=compound.name,
        guide=reference.titles if reference else {},
        fitted_to=references.default().trials_in_words,
        safety=(reference.sentences.safety if reference else "") or _safety(compound),
        no_raw_data=reference.sentences.plates if reference else "",
    )


def limits(
    posterior: ClinicalPosterior | None, reference: Reference | None = None, *, other: str = ""
) -> tuple[str, ...]:
    """What the numbers of a study's trials cannot say, a sentence each.

    posterior: of the study; None for its most probable draw.   reference: that it is set beside, if any.
    other: name of the study's compound where the clinical parameters were fitted to trials of another.
    """
    own = reference.sentences.limits if reference else ()
    return (*(_most_probable(other) if posterior is None else _of(posterior, other)), *ALWAYS, *own)


def _most_probable(other: str) -> tuple[str, ...]:
    """What the parameters of a study without a posterior are, and what its intervals do not carry."""
    return (
        *_trusted(clinical.posterior()),
        f"Clinical parameters ({CLINICAL}) stand at the most probable draw of a fit to {_fitted_to(other)}. "
        f"{_agreement(other)} This study names no posterior.",
        "An interval beside a trial's number is what chance does at the trial's size over many virtual "
        "trials. It does not carry the uncertainty of the parameters.",
    )


def _trusted(posterior: ClinicalPosterior) -> tuple[str, ...]:
    return () if posterior.status == "ok" else (f"The posterior is {posterior.status}: {posterior.reason}.",)


def _fitted_to(other: str) -> str:
    about = references.default()
    return (
        f"published trials of {about.compound}"
        if other
        else f"published summaries of {about.trials_in_words}"
    )


def _agreement(other: str) -> str:
    if other:
        return f"That they hold for {other} is assumed, and nothing here was calibrated to it."
    return "Calibrated is not predicted: agreement with these trials is no achievement beyond them."


def _of(posterior: ClinicalPosterior, other: str) -> tuple[str, ...]:
    """What a posterior carries, and what it could not learn."""
    ratio = 10.0 ** clinical.free(posterior.structure).study_sd_log10
    return (
        *_trusted(posterior),
        f"Clinical parameters are draws of a posterior (structure of the tumour: {posterior.structure}), "
        f"calibrated to {_fitted_to(other)}. {_agreement(other)}",
        "An interval beside a trial's number carries the uncertainty of the parameters, of the patients and "
        "of sampling at the trial's size. It does not carry that of the model's form.",
        _not_identified(posterior.parameters),
        "So few trials cannot say how much trials differ: that the hazard of death differs between them by a "
        f"factor of {ratio:.1f} either way is assumed.",
        "Time courses of drug, targets and blood counts are of the most probable draw alone.",
    )


def _not_identified(parameters: pl.DataFrame) -> str:
    def names(verdict: str) -> list[str]:
        return parameters.filter(verdict=verdict).get_column("name").to_list()

    unknown, weakly, known = names("not identified"), names("weakly identified"), names("identified")
    if len(known) == parameters.height:
        return (
            f"All {parameters.height} free parameters are identified by those trials: each lost at least "
            "half of its prior variance."
        )
    half = f" ({', '.join(weakly)})" if weakly else ""
    rest = f" ({', '.join(unknown)})" if unknown else ""
    return (
        f"Of {parameters.height} free parameters those trials identify {len(known)}, which lost at least "
        f"half of their prior variance, and {len(weakly)} weakly{half}; {len(unknown)} are not identified, "
        f"and so believed as before{rest}."
    )


def _trial(result: TrialResult) -> TrialTables:
    return TrialTables(
        title=f"{references.default().published_name(result.protocol.name)}: {result.protocol.title}",
        arms=tuple(arm.name for arm in result.protocol.arms),
        patients=result.patients,
        visits=result.visits,
        endpoints=result.endpoints,
        survival_curves=result.survival_curves,
        protocol=result.protocol,
        headlines=headlines(result),
    )


def _that_matter(result: StudyResult) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """The findings about evidence that a parameter of the study rests on, without those about trials that it
    did not run, and a sentence about the others."""
    findings = result.tables["findings"]
    cited = result.tables["parameters"].get_column("evidence").explode().drop_nulls().unique().implode()
    ran = {name for name, own in references.default().trials.items() if own in result.trials}
    elsewhere = {claim.id for claim in evidence.load() if claim.trial and claim.trial not in ran}
    claims = pl.col("claim_ids").str.split(", ")
    on_cited = claims.list.set_intersection(cited).list.len() > 0
    on_others = claims.list.set_intersection(pl.lit(pl.Series([list(elsewhere)]))).list.len() > 0
    mine = findings.filter(on_cited & ~on_others)
    others = findings.height - mine.height
    told = (
        f"{others} further findings of the evidence checks are about claims that no parameter of this study "
        "rests on, or about trials that it did not run; `glueprint evidence check` lists them.",
    )
    return mine, told if others else ()


def _drawn(listed: pl.DataFrame, compound: Compound) -> pl.DataFrame:
    """The drugs among the built-in compounds and the study's own before them, with their structure drawn."""
    drugs = listed.filter(pl.col("role") == "drug").rename({"average_mass_g_per_mol": "mass_da"})
    columns = ("name", "smiles", "formula", "mass_da", "inchikey")
    own = _structure(compound)
    if own.inchikey not in drugs.get_column("inchikey"):
        row = (own.name, own.smiles, own.formula, own.average_mass_g_per_mol, own.inchikey)
        first = pl.DataFrame([row], schema=list(columns), orient="row")
        drugs = pl.concat([first, drugs.select(columns)])
    pictures = [drawing.draw(structures.from_smiles(smiles)) for smiles in drugs.get_column("smiles")]
    return drugs.with_columns(pl.Series("svg", pictures, dtype=pl.String))


def _structure(compound: Compound) -> structures.Structure:
    return structures.from_smiles(
        compound.structure.smiles, name=compound.name, where=f"compound {compound.name}, structure.smiles"
    )


def _safety(compound: Compound) -> str:
    """What must be said of the compound, by its structure."""
    return groups.safety_note(_structure(compound)) or UNKNOWN_SAFETY


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


def _outside(result: StudyResult) -> Sequence[str]:
    """In what each trial goes beyond those that its parameters were fitted to."""
    return [
        f"{name} lies outside of what was fitted, so its numbers are extrapolated: {finding}."
        for name, trial in result.trials.items()
        for finding in trial.outside
    ]


def _failed(result: StudyResult) -> Sequence[str]:
    return [
        f"{trial.failed} of {trial.patients.height} virtual patients of {name} could not be computed "
        "and are in no endpoint."
        for name, trial in result.trials.items()
        if trial.failed
    ]
