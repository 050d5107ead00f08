"""From measured quantities to the compound: dossier, joint fit, its file, and draws for its trials."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from glueprint.assays.findings import Finding
from glueprint.calibration import clinical
from glueprint.calibration import compound as dossiers
from glueprint.calibration.compound import CompoundPosterior, Dossier
from glueprint.chemistry import structures
from glueprint.mechanism import Compound, compounds
from glueprint.study.glue import patients
from glueprint.study.glue.measuring import Step
from glueprint.study.glue.pk import Known
from glueprint.study.glue.project import Project
from glueprint.study.glue.steps import digest_of
from glueprint.trials import ParameterDraws, alone

__all__ = ["compound", "doubts", "draws", "fitted"]


def fitted(
    project: Project, rows: Sequence[pl.DataFrame], step: Step, *, quick: bool
) -> tuple[CompoundPosterior, Dossier]:
    """The dossier of the compound, and the posterior that follows from it, fitted or found.

    rows: of `dossiers.MEASUREMENTS`, a table an assay.   Raises what `dossier` and `fit` raise.
    """
    found = dossiers.dossier(rows, compound=project.compound, reference=project.reference)
    key = digest_of(found.measurements.write_json(), found.compound, found.reference, project.seed, quick)

    def compute() -> dict[str, pl.DataFrame]:
        return dossiers.tables_of(dossiers.fit(found, seed=project.seed, quick=quick))

    return dossiers.from_tables(step("fit", key, compute)), found


def doubts(posterior: CompoundPosterior) -> tuple[Finding, ...]:
    """A finding where the fit itself is not to be trusted."""
    if posterior.status == "ok":
        return ()
    return (
        Finding(
            "GP-S035",
            "warning",
            f"the fit is {posterior.status}: {posterior.reason}",
            where="fit",
            expected="a fit that converged",
            next_step="look at the assays that contradict each other, and run again without --quick",
        ),
    )


def compound(project: Project, posterior: CompoundPosterior, known: Known) -> Compound:
    """The compound's file as a value: what was fitted, and its pharmacokinetics."""
    structure = structures.from_smiles(project.smiles, name=project.compound, where="glue.toml, smiles")
    mass = {
        "typical": float(f"{structure.average_mass_g_per_mol:.6g}"),
        "unit": "g/mol",
        "role": "assumed",
        "why": "computed from the SMILES",
        "prior": {"distribution": "fixed", "why": "a computed mass"},
    }
    said = compounds.Structure.model_validate({"smiles": project.smiles, "molar_mass_g_per_mol": mass})
    return dossiers.compound_of(
        posterior, structure=said, pk=known.pk, fraction_unbound=known.fraction_unbound
    )


def draws(
    project: Project, posterior: CompoundPosterior, glue: Compound
) -> tuple[ParameterDraws, ParameterDraws]:
    """What the virtual trials are run with, a row each: of the glue, and of the reference.

    Both share every draw of what is not known of patients; the glue's are relative to the reference's.
    """
    asked = project.trial
    assert asked is not None
    written = alone(patients.protocol_of(project), asked.arm, patients=asked.patients)
    beside = clinical.posterior(asked.structure).for_trial(written, count=asked.replicates, seed=project.seed)
    return dossiers.trial_draws(posterior, glue, beside, seed=project.seed), beside
