"""The plain tables a report is made of, and the checks that they can be shown.

The report knows nothing of how a number was made. It takes polars tables, checks that each column it
shows is there and that each number carries one of the labels, and refuses otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from glueprint.errors import InputError, nearest
from glueprint.trials import Protocol

__all__ = ["LABELS", "UNKNOWN_SAFETY", "ReportInput", "TrialTables", "check", "require", "without_nan"]

LABELS = ("input", "calibrated", "predicted", "extrapolated", "assumed", "not modelled yet")

# What the page reads; further columns are welcome and unused.
COMPARISON = (
    "guide_table", "row", "column", "claim_id", "published", "published_value", "published_low",
    "published_high", "unit", "computed", "computed_low", "computed_high", "label", "how", "note",
)  # fmt: skip
PATIENTS = (
    "replicate", "arm", "patient", "status", "sex", "age_y", "weight_kg", "best_response",
    "best_change_pct", "off_treatment_reason", "dose_reductions", "dose_holds",
    "relative_dose_intensity", "neutropenia_grade", "thrombocytopenia_grade", "anaemia_grade",
    "pneumonia_grade",
)  # fmt: skip
ENDPOINT_COLUMNS = (
    "replicate", "arm", "endpoint", "value", "low", "high", "unit", "n", "events", "p_value", "method"
)  # fmt: skip
CURVES = (
    "replicate", "arm", "endpoint", "time_months", "survival", "low", "high", "at_risk", "events", "censored"
)  # fmt: skip
PROFILES = ("profile", "series", "value", "low", "high", "unit")
PARAMETERS = ("name", "typical", "unit", "role", "evidence", "why")
HEADLINES = ("arm", "endpoint", "unit", "computed", "computed_low", "computed_high", "label")
FINDINGS = ("code", "severity", "claim_ids", "what")
COMPOUNDS = ("name", "smiles", "formula", "mass_da", "inchikey")
HELD_OUT = (
    "trial", "arm", "endpoint", "unit", "observed", "predicted", "low", "high", "inside", "log_score",
    "width_ratio", "replicates", "label", "source", "note",
)  # fmt: skip
# Said of a compound whose structure is no member of the thalidomide class, or not known.
UNKNOWN_SAFETY = "What binds cereblon is handled as a human teratogen until the opposite is shown."


@dataclass(frozen=True)
class TrialTables:
    """The four tables of one virtual trial (docs/design.md), with its title and its arms in order.

    protocol: its schema is drawn from it; without one there is no schema.   headlines: its main numbers for
    the top of a page without a guide, as `study.comparison.headlines` gives them.
    """

    title: str
    arms: tuple[str, ...]
    patients: pl.DataFrame
    visits: pl.DataFrame
    endpoints: pl.DataFrame
    survival_curves: pl.DataFrame
    protocol: Protocol | None = None
    headlines: pl.DataFrame | None = None

    @property
    def first_replicate(self) -> int:
        """The replicate whose patients are shown one by one; the others show the spread."""
        return int(self.patients.get_column("replicate").min() or 0)  # type: ignore[arg-type]

    @property
    def replicates(self) -> int:
        """How many virtual trials of the same design the tables hold."""
        return self.patients.get_column("replicate").n_unique()


@dataclass(frozen=True)
class ReportInput:
    """Everything the page shows, as plain tables; docs/report.md lists their columns.

    comparison: one row per number of a guide's tables, published beside computed; None: without a guide.
    trials: trial name -> its tables, in the order of the page.
    profiles: time courses, the median of the virtual patients with a 5-95 % band.
    parameters, findings, compounds: what was put in, what the evidence checks found, the substances.
    provenance: versions, seed, hashes and inputs, shown as given.   statements: the limits, a sentence each.
    plates: simulated raw files, truth and estimate, and the tables of their figures; empty: no such section.
    held_out: rows that the fit never read, predicted beside published; None: no such section.
    posterior: structure of the tumour whose posterior the trials drew their parameters from; empty without.
    compound: what the study is about.   guide: title of each of the guide's tables.   fitted_to: published
    names of the trials that the held-out rows are of.   safety: what must be said of the compound at the top.
    no_raw_data: what is said before simulated raw files.
    """

    comparison: pl.DataFrame | None
    trials: Mapping[str, TrialTables]
    profiles: pl.DataFrame
    parameters: pl.DataFrame
    findings: pl.DataFrame
    compounds: pl.DataFrame
    provenance: Mapping[str, object]
    statements: Sequence[str]
    title: str = "From published evidence to a virtual trial"
    summary: str = ""
    plates: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    held_out: pl.DataFrame | None = None
    posterior: str = ""
    compound: str = ""
    guide: Mapping[int, str] = field(default_factory=dict)
    fitted_to: str = ""
    safety: str = UNKNOWN_SAFETY
    no_raw_data: str = ""


def require(frame: pl.DataFrame, columns: Iterable[str], where: str) -> None:
    """Refuse a table without one of the columns that will be shown.

    Raises InputError GP-P001 naming the table and the first missing column.
    """
    for column in columns:
        if column not in frame.columns:
            raise InputError(
                "GP-P001",
                f'column "{column}" is missing{nearest(column, frame.columns)}',
                where=f'table "{where}"',
                expected=f"the columns {', '.join(columns)}",
                next_step="write the table again with this version of Glueprint, or add the column",
            )


def check(given: ReportInput) -> None:
    """Refuse what cannot be shown honestly: missing columns, foreign labels, unknown arms.

    Raises InputError GP-P001 (column), GP-P002 (label), GP-P003 (arm).
    """
    if given.comparison is not None:
        require(given.comparison, COMPARISON, "comparison")
        _check_labels(given.comparison, "comparison")
    require(given.parameters, PARAMETERS, "parameters")
    require(given.findings, FINDINGS, "findings")
    require(given.compounds, COMPOUNDS, "compounds")
    require(given.profiles, PROFILES, "profiles")
    if "time_d" not in given.profiles.columns:
        require(given.profiles, ("time_h",), "profiles")
    if given.held_out is not None:
        require(given.held_out, HELD_OUT, "held_out")
        _check_labels(given.held_out, "held_out")
    for name, trial in given.trials.items():
        require(trial.patients, PATIENTS, f"{name}.patients")
        require(trial.endpoints, ENDPOINT_COLUMNS, f"{name}.endpoints")
        require(trial.survival_curves, CURVES, f"{name}.survival_curves")
        if trial.headlines is not None:
            require(trial.headlines, HEADLINES, f"{name}.headlines")
            _check_labels(trial.headlines, f"{name}.headlines")
        _check_arms(name, trial)


def without_nan(given: ReportInput) -> ReportInput:
    """The same tables with each NaN, which kernels use for "none", as a missing value."""
    trials = {
        name: replace(
            trial,
            patients=trial.patients.fill_nan(None),
            visits=trial.visits.fill_nan(None),
            endpoints=trial.endpoints.fill_nan(None),
            survival_curves=trial.survival_curves.fill_nan(None),
        )
        for name, trial in given.trials.items()
    }
    return replace(
        given,
        comparison=None if given.comparison is None else given.comparison.fill_nan(None),
        trials=trials,
        profiles=given.profiles.fill_nan(None),
        parameters=given.parameters.fill_nan(None),
        plates={name: table.fill_nan(None) for name, table in given.plates.items()},
        held_out=None if given.held_out is None else given.held_out.fill_nan(None),
    )


def _check_labels(frame: pl.DataFrame, table: str) -> None:
    for row, label in enumerate(frame.get_column("label").to_list(), start=1):
        if label not in LABELS:
            raise InputError(
                "GP-P002",
                f'label "{label}" is not one of those there are',
                where=f'table "{table}" row {row}, column "label"',
                expected=", ".join(LABELS),
                next_step="label each number by how it was made; a calibrated number is never a prediction",
            )


def _check_arms(name: str, trial: TrialTables) -> None:
    for table, frame in (("patients", trial.patients), ("survival_curves", trial.survival_curves)):
        for arm in frame.get_column("arm").unique(maintain_order=True).to_list():
            if arm not in trial.arms:
                raise InputError(
                    "GP-P003",
                    f'arm "{arm}" is not among the arms of the trial{nearest(str(arm), trial.arms)}',
                    where=f'table "{name}.{table}", column "arm"',
                    expected=", ".join(trial.arms),
                    next_step="give every arm of the tables in TrialTables.arms",
                )
