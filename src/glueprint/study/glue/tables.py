"""The tables of a result: of the fit, of the virtual trials, and of the project itself."""

from __future__ import annotations

import polars as pl

from glueprint.calibration import clinical
from glueprint.calibration.compound import CompoundPosterior, Dossier
from glueprint.mechanism import Compound
from glueprint.study import profiles
from glueprint.study.definition import ProfileRequest
from glueprint.study.glue import answers, patients, uncertainty
from glueprint.study.glue.answers import Column
from glueprint.study.glue.patients import PLANNED, REFERENCE, Case
from glueprint.study.glue.project import Project
from glueprint.study.glue.steps import Steps
from glueprint.trials import CALIBRATED, EXTRAPOLATED, TrialResult, outside

__all__ = ["about", "of_fit", "of_trials"]

FOLLOWED = ProfileRequest(patients=100, days=28)


def of_fit(dossier: Dossier, posterior: CompoundPosterior) -> dict[str, pl.DataFrame]:
    """Measurements with their use, draws, what was learnt, and measured beside predicted."""
    return {
        "dossier": dossier.measurements,
        "draws": posterior.draws,
        "learnt": posterior.parameters,
        "measured_and_predicted": posterior.comparison,
        "correlations": posterior.correlations(),
    }


def about(project: Project, pk: str, posterior: CompoundPosterior) -> pl.DataFrame:
    """One row: what the result is of, and what it rests on."""
    return pl.DataFrame(
        [
            {
                "compound": project.compound,
                "smiles": project.smiles,
                "reference": posterior.reference,
                "pk": pk,
                "simulated": project.simulated,
                "fit": posterior.status,
                "fit_reason": posterior.reason,
                "orr_above_percent": project.sweep.orr_above_percent if project.sweep else None,
                "neutropenia_limit_percent": project.sweep.neutropenia_limit_percent
                if project.sweep
                else None,
                "structure": project.trial.structure if project.trial else "",
                "replicates": project.trial.replicates if project.trial else 0,
                "patients": project.trial.patients if project.trial else 0,
                "protocol": patients.protocol_of(project).name if project.trial else "",
            }
        ]
    )


def of_trials(
    project: Project,
    glue: Compound,
    posterior: CompoundPosterior,
    steps: Steps,
    given: tuple[Case, ...],
) -> dict[str, pl.DataFrame]:
    """Patients, visits, endpoints and curves of the glue and the reference; outcomes of every design, the
    glue against the reference, odds and limits of the sweep; where the uncertainty comes from and what would
    lower it; time courses of the first cycle."""
    whole = {case.part: patients.result(steps, case) for case in given if case.whole}
    columns = [_column(project, steps, case, whole) for case in given]
    planned, beside = (next(c for c in columns if c.part == part) for part in (PLANNED, REFERENCE))
    found = {
        f"trial_{name}": pl.concat([whole[part].tables()[name] for part in (PLANNED, REFERENCE)])
        for name in whole[PLANNED].tables()
    }
    found |= {"outcomes": answers.outcomes(columns), "against": answers.against(planned, beside)}
    if project.sweep:
        swept = sorted((c for c in columns if c.part != REFERENCE), key=lambda column: column.dose_mg)
        found["odds"] = answers.odds(swept, project.sweep)
        found["limits"] = answers.limits(swept, project.sweep)
    found |= _uncertainty(project, posterior, given, (planned, beside))
    lead = next(case for case in given if case.part == PLANNED)
    truth = clinical.posterior(lead.draws.structure).central(lead.protocol).truth(1)
    found["profiles"] = profiles.compute(lead.protocol, glue, FOLLOWED, project.seed, truth=truth)
    return found


def _uncertainty(
    project: Project, posterior: CompoundPosterior, given: tuple[Case, ...], columns: tuple[Column, Column]
) -> dict[str, pl.DataFrame]:
    own, other = (next(c for c in given if c.part == part).draws for part in (PLANNED, REFERENCE))
    samples = {
        endpoint: sample
        for endpoint in uncertainty.ASKED
        if (sample := uncertainty.sample_of(endpoint, columns, own, other)) is not None
    }
    return {
        "uncertainty": uncertainty.shares(samples, project.seed),
        "next_experiment": uncertainty.gains(samples, posterior),
    }


def _column(project: Project, steps: Steps, case: Case, whole: dict[str, TrialResult]) -> Column:
    """The endpoints of a design; the reference's own arm was fitted to, so that it is no prediction."""
    label = EXTRAPOLATED if outside(case.protocol) else case.draws.label
    if case.part == REFERENCE and clinical.label_of(patients.protocol_of(project)) == CALIBRATED:
        label = CALIBRATED
    endpoints = whole[case.part].endpoints if case.whole else patients.endpoints(steps, case)
    return Column(case.part, case.arm, case.dose_mg, label, endpoints)
