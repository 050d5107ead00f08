"""Guide tables 1 to 5: each published number beside what Glueprint computes, and how it was made.

Labels: "input" (put in), "calibrated" (parameters were set with this number in view), "predicted" (not used
in any setting), "not modelled yet". A calibrated number is never called a prediction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from glueprint.evidence import Claims
from glueprint.trials import TrialResult

__all__ = ["Computed", "compare", "from_trial"]

TABLES = ("guide-1", "guide-2", "guide-3", "guide-4", "guide-5")
NUMBERS = (
    "published_value", "published_low", "published_high", "computed", "computed_low", "computed_high"
)  # fmt: skip
INTERVAL = (0.025, 0.975)
FEWEST_FOR_INTERVAL = 20

# Guide cell -> (trial, arm or comparison, endpoint, column of the endpoints table).
POM, POM_ALONE, HIDEX = "POM+LoDEX", "POM", "HiDEX"
AGAINST = f"{POM} vs {HIDEX}"
FROM_TRIALS: Mapping[str, tuple[str, str, str, str]] = {
    "G3-orr-pomdex": ("mm002", POM, "orr", "value"),
    "G3-orr-pom": ("mm002", POM_ALONE, "orr", "value"),
    "G3-dor-pomdex": ("mm002", POM, "median_dor", "value"),
    "G3-dor-pom": ("mm002", POM_ALONE, "median_dor", "value"),
    "G3-pfs-pomdex": ("mm002", POM, "median_pfs", "value"),
    "G3-pfs-pom": ("mm002", POM_ALONE, "median_pfs", "value"),
    "G3-os-pomdex": ("mm002", POM, "median_os", "value"),
    "G3-os-pom": ("mm002", POM_ALONE, "median_os", "value"),
    "G4-pfs-pomdex": ("mm003", POM, "median_pfs", "value"),
    "G4-pfs-hidex": ("mm003", HIDEX, "median_pfs", "value"),
    "G4-pfs-hr": ("mm003", AGAINST, "hr_pfs", "value"),
    "G4-pfs-p": ("mm003", AGAINST, "hr_pfs", "p_value"),
    "G4-os-pomdex": ("mm003", POM, "median_os", "value"),
    "G4-os-hidex": ("mm003", HIDEX, "median_os", "value"),
    "G4-os-hr": ("mm003", AGAINST, "hr_os", "value"),
    "G4-os-p": ("mm003", AGAINST, "hr_os", "p_value"),
    "G4-orr-pomdex": ("mm003", POM, "orr", "value"),
    "G4-orr-hidex": ("mm003", HIDEX, "orr", "value"),
    "G4-orr-p": ("mm003", AGAINST, "orr_odds_ratio", "p_value"),
    "G5-neutropenia": ("mm003", POM, "neutropenia_grade_3_4", "value"),
    "G5-anaemia": ("mm003", POM, "anaemia_grade_3_4", "value"),
    "G5-thrombocytopenia": ("mm003", POM, "thrombocytopenia_grade_3_4", "value"),
    "G5-pneumonia": ("mm003", POM, "pneumonia_grade_3_4", "value"),
}


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

    With fewer than 20 trials the first trial's own confidence interval is given instead.
    Returns None where the endpoint is not in the result.
    """
    rows = result.endpoints.filter((pl.col("arm") == arm) & (pl.col("endpoint") == endpoint))
    if rows.is_empty():
        return None
    values = rows.get_column(column).drop_nulls()
    many = rows.height >= FEWEST_FOR_INTERVAL
    reached = f"; reached in {values.len()} of {rows.height}" if values.len() < rows.height else ""
    if many and values.len() * 2 >= rows.height:
        low, high = (values.quantile(q, "linear") for q in INTERVAL)
        drawn = ", each with a draw of the posterior" if result.draws_label else ""
        how = f"median of {rows.height} virtual trials{drawn}, 95 % of them in the interval{reached}"
        return Computed(_number(values.median()), low, high, "calibrated", how)
    if many:
        return Computed(
            None, None, None, "calibrated", f"not reached in most of {rows.height} virtual trials{reached}"
        )
    first = rows.row(0, named=True)
    low, high = (first["low"], first["high"]) if column == "value" else (None, None)
    return Computed(first[column], low, high, "calibrated", f"one virtual trial, 95 % CI ({first['method']})")


def compare(
    claims: Claims, trials: Mapping[str, TrialResult], in_vitro: Mapping[str, Computed]
) -> pl.DataFrame:
    """The guide's tables 1 to 5 in their own order, each cell beside the computed number.

    trials: protocol name -> result.   in_vitro: guide claim id -> computed, for tables 1 and 2.
    """
    computed: dict[str, Computed] = dict(in_vitro)
    for claim_id, (trial, arm, endpoint, column) in FROM_TRIALS.items():
        found = from_trial(trials[trial], arm, endpoint, column) if trial in trials else None
        if found is not None:
            computed[claim_id] = found
    return pl.DataFrame(
        _rows(claims, computed), schema_overrides=dict.fromkeys(NUMBERS, pl.Float64), infer_schema_length=None
    )


def _rows(claims: Claims, computed: Mapping[str, Computed]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for number, table in enumerate(TABLES, start=1):
        for cell in claims.table(table).iter_rows(named=True):
            claim_id = cell["claim_id"]
            beside = computed.get(claim_id, NOT_MODELLED)
            trial, arm, endpoint, _ = FROM_TRIALS.get(claim_id, ("", "", "", ""))
            rows.append(
                {
                    "guide_table": number,
                    "row": cell["row"],
                    "column": cell["column"],
                    "claim_id": claim_id,
                    "trial": trial,
                    "arm": arm,
                    "endpoint": endpoint,
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
