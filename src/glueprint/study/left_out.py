"""Numbers of a guide as a fit predicts them that has not read their trial, beside the calibrated ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from glueprint.calibration import clinical
from glueprint.references import Reference
from glueprint.trials import load_protocol
from glueprint.units import convert

__all__ = ["PRIOR_ONLY", "predictions", "with_left_out"]

PRIOR_ONLY = "prior only"
COLUMNS = {
    "left_out": pl.Float64,
    "left_out_low": pl.Float64,
    "left_out_high": pl.Float64,
    "left_out_score": pl.Float64,
    "left_out_verdict": pl.String,
}
Key = tuple[str, str, str]


def predictions(structure: str, trials: tuple[str, ...]) -> dict[str, pl.DataFrame]:
    """Trial -> its rows as the fit to the other trial alone predicts them (`prediction.compare`).

    structure: of the tumour.   trials: of the reference, by the names of their protocols. Only fits that come
    with Glueprint are read; empty where there are none.
    """
    found: dict[str, pl.DataFrame] = {}
    for read in trials:
        if (structure, read) in clinical.SHIPPED:
            table = clinical.posterior(structure, read).held_out
            if table is not None:
                parts = table.partition_by("trial", as_dict=True)
                found |= {str(name): part for (name,), part in parts.items()}
    return found


def with_left_out(
    comparison: pl.DataFrame,
    reference: Reference,
    tables: Mapping[str, pl.DataFrame],
    assays: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The guide's rows with what is predicted of each where its trial, or its claim, was left out of the fit.

    comparison: of `comparison.compare`.   tables: of `predictions`.   assays: of `in_vitro.leave_each_out`.
    Returns it with the columns left_out, left_out_low, left_out_high, left_out_score (log score) and
    left_out_verdict: "inside" or "outside" of the 95 % interval; "prior only", without a score, where no
    other trial has the arm, or no other claim tells of the cells; empty where nothing is predicted.
    """
    arms = {name: {arm.name for arm in load_protocol(name).arms} for name in reference.trials.values()}
    known: dict[Key, list[dict[str, Any]]] = {}
    for table in tables.values():
        for row in table.iter_rows(named=True):
            known.setdefault((row["trial"], row["arm"], row["endpoint"]), []).append(row)
    claims = {} if assays is None else {row["claim_id"]: row for row in assays.iter_rows(named=True)}
    rows = []
    for row in comparison.iter_rows(named=True):
        if row["claim_id"] in claims:
            rows.append(_of_assay(claims[row["claim_id"]], row["unit"]))
            continue
        cell = reference.cells.get(row["claim_id"] or "")
        same = known.get((cell.trial, cell.arm, cell.endpoint), []) if cell and cell.column == "value" else []
        others = {arm for name, own in arms.items() if not cell or name != cell.trial for arm in own}
        rows.append(_left_out(row["published_value"], same, cell is not None and _shared(cell.arm, others)))
    return comparison.hstack(pl.DataFrame(rows, schema=COLUMNS, orient="row"))


def _of_assay(row: dict[str, Any], unit: str) -> dict[str, Any]:
    """What is predicted of a number of an assay, in the unit of its cell."""
    if row["prior_only"]:
        return dict.fromkeys(COLUMNS) | {"left_out_verdict": PRIOR_ONLY}
    inside = "inside" if row["low"] <= row["published"] <= row["high"] else "outside"
    found = [convert(row[name], row["unit"], unit) for name in ("predicted", "low", "high")]
    return dict(zip(COLUMNS, (*found, row["log_score"], inside), strict=True))


def _shared(arm: str, others: set[str]) -> bool:
    """Whether an arm, or both arms of "A vs B", are in another trial too."""
    return set(arm.split(" vs ")) <= others


def _left_out(value: float | None, same: list[dict[str, Any]], shared: bool) -> dict[str, Any]:
    if not same:
        return dict.fromkeys(COLUMNS)
    # Readings differ in what was observed and not in what is predicted.
    row = next((row for row in same if row["observed"] == value), same[0])
    low, high = row["low"], row["high"]
    verdict = PRIOR_ONLY
    if shared and value is not None and low is not None:
        verdict = "inside" if low <= value and (high is None or value <= high) else "outside"
    scored = shared and row["observed"] == value
    return {
        "left_out": row["predicted"],
        "left_out_low": low,
        "left_out_high": high,
        "left_out_score": row["log_score"] if scored else None,
        "left_out_verdict": verdict,
    }
