"""The result of virtual trials: frozen tables, and a summary over replicates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import polars as pl

from glueprint.frames import as_pandas
from glueprint.mechanism import Outside
from glueprint.trials.analysis import estimands_table, grades_table, subgroups_table
from glueprint.trials.protocol import Protocol, outside

__all__ = ["TrialResult"]

# Range of an endpoint over replicates that the summary gives.
LOW, HIGH = 0.025, 0.975
CALIBRATED, PREDICTED = "calibrated", "predicted"
# Computed as a prediction is, for patients, doses or times that no fitted trial had.
EXTRAPOLATED = "extrapolated"
MOST_PROBABLE = "computed with the most probable parameters of the fit, without their uncertainty"
# With the first digits of the population's digest.
OF_POPULATION = "computed for the patients of the given population {}"
TYPICAL = "computed with typical parameters, each of which is a median of its own, without their uncertainty"


@dataclass(frozen=True)
class TrialResult:
    """All replicates of a trial: the four tables of docs/design.md, the protocol and the seed.

    draws_label: how numbers out of given parameter draws are to be read; empty without draws.
    looks, earlier_endpoints: of a trial with data cuts, a row for each with its test, and the endpoints at
    those before the last, which the other tables are of; empty without cuts.
    """

    protocol: Protocol
    seed: int
    patients: pl.DataFrame
    visits: pl.DataFrame
    endpoints: pl.DataFrame
    survival_curves: pl.DataFrame
    draws_label: str = ""
    looks: pl.DataFrame = field(default_factory=pl.DataFrame)
    earlier_endpoints: pl.DataFrame = field(default_factory=pl.DataFrame)

    def __repr__(self) -> str:
        """What was run and how to read it; `overview()` has the endpoints."""
        arms = ", ".join(f"{arm.name} {arm.patients}" for arm in self.protocol.arms)
        failed = f", {self.failed} patients could not be computed" if self.failed else ""
        many = f"{self.replicates} virtual trial{'s' if self.replicates > 1 else ''}"
        return f"<TrialResult {self.protocol.name}: {many} of {arms}, seed {self.seed}{failed}; {self.label}>"

    def _repr_html_(self) -> str:
        """The same in a notebook, with the endpoints below."""
        with pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True):
            return f"<p>{escape(repr(self))}</p>{self.overview()._repr_html_()}"

    @property
    def replicates(self) -> int:
        """How many virtual trials of this protocol were run."""
        return int(self.patients.get_column("replicate").n_unique())

    @property
    def failed(self) -> int:
        """Patients that could not be computed; they are in `patients` with a reason and in no endpoint."""
        return int((self.patients.get_column("status") != 0).sum())

    @property
    def label(self) -> str:
        """How to read the numbers: as the draws of their parameters say, else with typical parameters."""
        return self.draws_label or TYPICAL

    @property
    def outside(self) -> tuple[Outside, ...]:
        """In what the protocol goes beyond the trials that the clinical parameters were fitted to."""
        return outside(self.protocol)

    def tables(self) -> dict[str, pl.DataFrame]:
        """The tables by name: four, and of a trial with data cuts `looks` and `earlier_endpoints`."""
        tables = {
            "patients": self.patients,
            "visits": self.visits,
            "endpoints": self.endpoints,
            "survival_curves": self.survival_curves,
        }
        if self.protocol.data_cuts:
            tables |= {"looks": self.looks, "earlier_endpoints": self.earlier_endpoints}
        return tables

    def to_pandas(self) -> dict[str, Any]:
        """Every table as a pandas frame.   Raises EnvironmentProblemError GP-N090 without pandas."""
        return as_pandas(self.tables())

    def subgroups(self) -> pl.DataFrame:
        """Hazard ratios and response by subgroup, in each replicate; see `subgroups.subgroups_table`."""
        return self._each(subgroups_table)

    def grades(self) -> pl.DataFrame:
        """Worst grades by version of the CTCAE, in each replicate; see `safety.grades_table`."""
        return self._each(grades_table)

    def estimands(self) -> pl.DataFrame:
        """PFS by the rules of FDA and EMA beside the trial's own, in each replicate; see
        `estimands.estimands_table`."""
        parts = self.patients.partition_by("replicate", maintain_order=True)
        seen = self.visits.partition_by("replicate", as_dict=True)
        return pl.concat(
            estimands_table(self.protocol, part, seen[part.get_column("replicate")[0],]) for part in parts
        )

    def _each(self, table: Callable[[Protocol, pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
        """A table of each replicate's patients, put together."""
        parts = self.patients.partition_by("replicate", maintain_order=True)
        return pl.concat(table(self.protocol, part) for part in parts)

    def overview(self) -> pl.DataFrame:
        """Mean of each endpoint over the replicates, with the 2.5 and 97.5 % quantiles between them.

        Returns columns arm, endpoint, unit, mean, low, high, replicates (those in which the endpoint exists).
        """
        values = pl.col("value").drop_nulls()
        return self.endpoints.group_by("arm", "endpoint", "unit", maintain_order=True).agg(
            mean=values.mean(),
            low=values.quantile(LOW, "linear"),
            high=values.quantile(HIGH, "linear"),
            replicates=values.len(),
        )

    def summary(self) -> Mapping[str, Any]:
        """Everything a reader asks first, ready for JSON: each replicate's endpoints per arm, and their
        means."""
        return {
            "trial": self.protocol.name,
            "seed": self.seed,
            "label": self.label,
            "outside": [finding.as_dict() for finding in self.outside],
            **({"looks": self.looks.to_dicts()} if self.protocol.data_cuts else {}),
            "patients": self.patients.height,
            "failed": self.failed,
            "failure_reasons": self.patients.filter(pl.col("status") != 0)
            .get_column("reason")
            .unique()
            .sort()
            .to_list(),
            "over_replicates": _nested(self.overview().to_dicts()),
            "replicates": [
                {"replicate": replicate, "arms": _nested(part.drop("trial", "replicate").to_dicts())}
                for (replicate,), part in self.endpoints.group_by("replicate", maintain_order=True)
            ],
        }


def _nested(rows: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Rows as {arm: {endpoint: the rest}}."""
    nested: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        rest = {key: value for key, value in row.items() if key not in ("arm", "endpoint")}
        nested.setdefault(row["arm"], {})[row["endpoint"]] = rest
    return nested
