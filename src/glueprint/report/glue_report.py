"""A project's result as the plain tables of its page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from glueprint import references
from glueprint.calibration import clinical
from glueprint.chemistry import drawing, groups, structures
from glueprint.mechanism import Compound
from glueprint.report.chemistry import image
from glueprint.report.study_report import limits
from glueprint.report.tables import UNKNOWN_SAFETY, TrialTables
from glueprint.study.glue import GlueResult

__all__ = ["GlueInput", "input_of"]

NUMBERS = ("name", "typical", "unit", "role", "why")
ANSWERS = ("outcomes", "against", "odds", "limits", "profiles", "uncertainty", "next_experiment")
SEVERITIES = ("refusal", "warning", "note")
OWN_LIMITS = (
    "What the glue does beyond its affinity and its efficacies is taken to be that of the reference: the "
    "same cells, the same thresholds, the same toxicity that is no blood count.",
    "Its efficacy is measured in cells in culture and taken to hold in tumour, T cells and marrow alike.",
    "A virtual patient can have one glue: where the protocol gives the reference after progression, the new "
    "glue stands in. Overall survival is to be read with that in mind.",
    "Dose rules are those of the reference's arm with their doses in proportion, unless the project gives "
    "its own.",
)


@dataclass(frozen=True)
class GlueInput:
    """Everything the page shows, as plain tables and sentences; what a project has not is None.

    rests_on: one line at the top.   picture: the structure, as an image.   numbers: of the compound's file.
    compared: measured beside predicted.   assays, figures: one row an assay, and its tables by
    "ASSAY_TABLE".   trial: patients of glue and reference.
    """

    title: str
    compound: str
    reference: str
    simulated: bool
    rests_on: str
    safety: str
    picture: str
    facts: tuple[tuple[str, str], ...]
    learnt: pl.DataFrame
    numbers: pl.DataFrame
    compared: pl.DataFrame
    assays: pl.DataFrame
    figures: Mapping[str, pl.DataFrame]
    findings: pl.DataFrame
    statements: tuple[str, ...]
    provenance: tuple[tuple[str, str], ...]
    trial: TrialTables | None = None
    outcomes: pl.DataFrame | None = None
    against: pl.DataFrame | None = None
    odds: pl.DataFrame | None = None
    limits: pl.DataFrame | None = None
    profiles: pl.DataFrame | None = None
    uncertainty: pl.DataFrame | None = None
    next_experiment: pl.DataFrame | None = None


def input_of(result: GlueResult) -> GlueInput:
    """Everything the page shows, taken from a result's tables; nothing is computed here."""
    tables = {name: table.fill_nan(None) for name, table in result.tables.items()}
    about = tables["about"].to_dicts()[0]
    structure = structures.from_smiles(result.project.smiles, name=result.compound.name)
    return GlueInput(
        title=f"{result.compound.name}: from its plates to its predicted trial"
        if result.has_trial
        else f"{result.compound.name}: what its plates say",
        compound=result.compound.name,
        reference=str(about["reference"]),
        simulated=bool(about["simulated"]),
        rests_on=_rests_on(tables, about),
        safety=groups.safety_note(structure) or UNKNOWN_SAFETY,
        picture=image(drawing.draw(structure)),
        facts=(
            ("Formula", structure.formula),
            ("Molar mass", f"{structure.average_mass_g_per_mol:.2f} g/mol"),
            ("SMILES", structure.smiles),
            ("InChIKey", structure.inchikey),
        ),
        learnt=tables["learnt"],
        numbers=_numbers(result.compound),
        compared=tables["measured_and_predicted"],
        assays=tables["assays"],
        figures={
            name.removeprefix("plates_"): table
            for name, table in tables.items()
            if name.startswith("plates_")
        },
        findings=_ordered(tables["findings"]),
        statements=_statements(result, about),
        provenance=_provenance(result),
        trial=_trial(tables, about) if result.has_trial else None,
        **{name: tables.get(name) for name in ANSWERS},
    )


def _rests_on(tables: Mapping[str, pl.DataFrame], about: Mapping[str, object]) -> str:
    """In one line: assays, reference, pharmacokinetics, patients."""
    fitted = tables["measured_and_predicted"].filter(pl.col("use") == "fitted")
    own = fitted.filter(pl.col("compound") == about["compound"])
    beside = set(fitted.filter(pl.col("compound") == about["reference"]).get_column("experiment"))
    kinds = own.select("assay", "experiment").unique(maintain_order=True)
    counts = kinds.group_by("assay", maintain_order=True).len().iter_rows()
    assays = _listed([_counted(number, str(assay)) for assay, number in counts])
    alone = [name for name in kinds.get_column("experiment") if name not in beside]
    reference = (
        f"with {about['reference']} on every plate"
        if not alone
        else f"without {about['reference']} in {_listed(alone)}, where the assay's own error dominates"
    )
    pk = {"none": "no pharmacokinetics, so no trial"}.get(
        str(about["pk"]), f"pharmacokinetics {_from(str(about['pk']))}"
    )
    people = (
        f"; patients as in trials of {about['reference']}, none of whom took {about['compound']}"
        if "outcomes" in tables
        else ""
    )
    mark = "Nothing here was measured: the raw files are simulated. " if about["simulated"] else ""
    return f"{mark}It rests on {own.height} quantities from {assays}, {reference}; {pk}{people}."


def _from(source: str) -> str:
    return source if source.startswith("borrowed") else f"from {source}"


def _counted(number: int, assay: str) -> str:
    one, many = WORDS.get(assay, (assay, assay))
    return f"one {one}" if number == 1 else f"{number} {many}"


def _listed(parts: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else "no assay"


WORDS: Mapping[str, tuple[str, str]] = {
    "fp": ("polarisation plate", "polarisation plates"),
    "degradation": ("set of fractions remaining", "sets of fractions remaining"),
    "elisa": ("ELISA", "ELISAs"),
    "growth": ("growth assay", "growth assays"),
    "table": ("table of quantities", "tables of quantities"),
}


def _numbers(compound: Compound) -> pl.DataFrame:
    """Every number of the compound's file, as its card lists it."""
    rows = [
        (name, quantity.typical, quantity.unit, quantity.role, quantity.why or ", ".join(quantity.evidence))
        for name, quantity in compound.quantities().items()
    ]
    return pl.DataFrame(rows, schema=list(NUMBERS), orient="row")


def _ordered(findings: pl.DataFrame) -> pl.DataFrame:
    """The gravest first; the same note of several places once, with their number."""
    order = {severity: place for place, severity in enumerate(SEVERITIES)}
    counted = findings.group_by("code", "severity", "message", "next_step", maintain_order=True).agg(
        pl.col("where").unique(maintain_order=True)
    )
    return counted.with_columns(
        pl.col("where").list.join("; "), pl.col("severity").replace_strict(order).alias("order")
    ).sort("order", maintain_order=True)


def _trial(tables: Mapping[str, pl.DataFrame], about: Mapping[str, object]) -> TrialTables:
    arms = tables["trial_patients"].get_column("arm").unique(maintain_order=True).to_list()
    name = references.default().published_name(str(about["protocol"]))
    return TrialTables(
        title=f"{arms[0]} beside {arms[1]}, in the patients of {name}",
        arms=tuple(arms),
        patients=tables["trial_patients"],
        visits=tables["trial_visits"],
        endpoints=tables["trial_endpoints"],
        survival_curves=tables["trial_survival_curves"],
    )


def _statements(result: GlueResult, about: Mapping[str, object]) -> tuple[str, ...]:
    if not result.has_trial:
        return OWN_LIMITS[:2]
    posterior = clinical.posterior(str(about["structure"]))
    failed = result.tables["trial_patients"].filter(pl.col("status") != 0).height
    told = (f"{failed} virtual patients could not be computed and are in no endpoint.",) if failed else ()
    return (*told, *OWN_LIMITS, *limits(posterior, other=result.compound.name))


def _provenance(result: GlueResult) -> tuple[tuple[str, str], ...]:
    record = result.record
    pairs = [
        ("project", result.compound.name),
        ("compound file", f"{result.project.compound}.toml, digest {result.compound.digest}"),
        ("seed", str(result.project.seed)),
        ("Glueprint", record.glueprint),
        ("Python", record.python),
        *((f"package {name}", version) for name, version in (record.packages or {}).items()),
        *((f"input {name}, SHA-256", digest) for name, digest in record.inputs.items()),
    ]
    return tuple((name, str(value)) for name, value in pairs)
