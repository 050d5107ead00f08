"""The guide of a reference: each published number beside what Glueprint computes, and how it was made.

Labels: "input" (put in), "calibrated" (parameters were set with this number in view), "predicted" (not used
in any setting), "extrapolated" (likewise, outside of what the fitted trials cover), "assumed" (parameters of
another trial or compound, without their uncertainty), "not modelled yet". A calibrated
number is never called a prediction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from glueprint import references
from glueprint.errors import InputError
from glueprint.evidence import Claims
from glueprint.mechanism import compounds
from glueprint.references import Reference
from glueprint.study.definition import Study
from glueprint.trials import CALIBRATED, EXTRAPOLATED, PREDICTED, TrialResult, asked_first

__all__ = ["Computed", "compare", "from_trial", "headlines", "reference_of"]

NUMBERS = (
    "published_value", "published_low", "published_high", "computed", "computed_low", "computed_high"
)  # fmt: skip
INTERVAL = (0.025, 0.975)
# Endpoints that a trial is asked for first.
HEADLINE = pl.Schema(
    {
        "arm": pl.String(),
        "endpoint": pl.String(),
        "unit": pl.String(),
        "computed": pl.Float64(),
        "computed_low": pl.Float64(),
        "computed_high": pl.Float64(),
        "label": pl.String(),
        "how": pl.String(),
    }
)
FEWEST_FOR_INTERVAL = 20
ASSUMED = "assumed"


@dataclass(frozen=True)
class Computed:
    """One computed number for a guide cell: value, interval, label, and in one line how it was made."""

    value: float | None
    low: float | None
    high: float | None
    label: str
    how: str
    note: str = ""


NOT_MODELLED = Computed(None, None, None, "not modelled yet", "")


def from_trial(result: TrialResult, arm: str, endpoint: str, column: str) -> Computed | None:
    """The median of an endpoint over the virtual trials, with the interval that 95 % of them fall into.

    With fewer than 20 trials the first trial's own confidence interval is given instead. Of a trial that
    was not calibrated to, typical parameters give what is assumed, draws of a posterior a prediction.
    Returns None where the endpoint is not in the result.
    """
    rows = result.endpoints.filter((pl.col("arm") == arm) & (pl.col("endpoint") == endpoint))
    if rows.is_empty():
        return None
    values = rows.get_column(column).drop_nulls()
    label = result.label if result.label in (CALIBRATED, EXTRAPOLATED, PREDICTED) else ASSUMED
    many = rows.height >= FEWEST_FOR_INTERVAL
    reached = f"; reached in {values.len()} of {rows.height}" if values.len() < rows.height else ""
    if many and values.len() * 2 >= rows.height:
        low, high = (values.quantile(q, "linear") for q in INTERVAL)
        drawn = ", each with a draw of the posterior" if result.draws_label else ""
        how = f"median of {rows.height} virtual trials{drawn}, 95 % of them in the interval{reached}"
        return Computed(_number(values.median()), low, high, label, how)
    if many:
        return Computed(
            None, None, None, label, f"not reached in most of {rows.height} virtual trials{reached}"
        )
    first = rows.row(0, named=True)
    low, high = (first["low"], first["high"]) if column == "value" else (None, None)
    return Computed(first[column], low, high, label, f"one virtual trial, 95 % CI ({first['method']})")


def compare(
    claims: Claims,
    reference: Reference,
    trials: Mapping[str, TrialResult],
    in_vitro: Mapping[str, Computed],
) -> pl.DataFrame:
    """The guide's tables in their own order, each cell beside the computed number.

    reference: whose guide.   trials: protocol name -> result.   in_vitro: guide claim id -> computed, for the
    tables about assays.
    """
    computed: dict[str, Computed] = dict(in_vitro)
    for claim_id, cell in reference.cells.items():
        run = trials.get(cell.trial)
        found = from_trial(run, cell.arm, cell.endpoint, cell.column) if run else None
        if found is not None:
            computed[claim_id] = found
    rows = _rows(claims, reference, computed)
    return pl.DataFrame(rows, schema_overrides=dict.fromkeys(NUMBERS, pl.Float64), infer_schema_length=None)


def reference_of(plan: Study) -> Reference | None:
    """The reference that a study sets itself beside; None if it names none.

    Raises InputError GP-S010 for a study of another compound, and what `references.load` raises.
    """
    if plan.reference is None:
        return None
    reference = references.load(plan.reference)
    if plan.load_compound() != compounds.load(reference.compound):
        raise InputError(
            "GP-S010",
            f'reference "{reference.name}" is about {reference.compound}, the study about {plan.compound}',
            where=f"{plan.name}, reference",
            expected="the compound file of the reference, unchanged",
            next_step="leave reference out: the study then stands without a comparison with that guide",
        )
    return reference


def headlines(result: TrialResult) -> pl.DataFrame:
    """What a reader of a trial asks first, for trials with nothing published beside them.

    Returns arm, endpoint, unit, computed, computed_low, computed_high, label, how; one row for each of
    the rows that a reader asks for first and each arm or comparison that the trial has.
    """
    rows = []
    present = result.endpoints.filter(pl.col("endpoint").is_in([row.name for row in asked_first()]))
    for arm, endpoint, unit in present.select("arm", "endpoint", "unit").unique(maintain_order=True).rows():
        found = from_trial(result, arm, endpoint, "value")
        if found is not None:
            numbers = {"computed": found.value, "computed_low": found.low, "computed_high": found.high}
            head = {"arm": arm, "endpoint": endpoint, "unit": unit}
            rows.append(head | numbers | {"label": found.label, "how": found.how})
    return pl.DataFrame(rows, schema=HEADLINE)


def _rows(claims: Claims, reference: Reference, computed: Mapping[str, Computed]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for table in reference.tables:
        for cell in claims.table(table.id).iter_rows(named=True):
            claim_id = cell["claim_id"]
            beside, at = computed.get(claim_id, NOT_MODELLED), reference.cells.get(claim_id)
            rows.append(
                {
                    "guide_table": table.number,
                    "row": cell["row"],
                    "column": cell["column"],
                    "claim_id": claim_id,
                    "trial": at.trial if at else "",
                    "arm": at.arm if at else "",
                    "endpoint": at.endpoint if at else "",
                    "published": cell["printed"],
                    "published_value": cell["value"],
                    "published_low": cell["low"],
                    "published_high": cell["high"],
                    "unit": cell["unit"],
                    "computed": beside.value,
                    "computed_low": beside.low,
                    "computed_high": beside.high,
                    "label": beside.label,
                    "how": beside.how,
                    "note": beside.note,
                }
            )
    return rows


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
