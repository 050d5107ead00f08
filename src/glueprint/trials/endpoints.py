"""A trial's endpoints from its patients: rates, medians, hazard ratios; and the survival curves behind
them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import fisher_exact

from glueprint.survival import clopper_pearson, cox, kaplan_meier, log_rank
from glueprint.trials.protocol import Protocol

__all__ = ["ENDPOINTS", "endpoints_table", "survival_curves_table"]

Row = dict[str, Any]
RESPONSES = ("PR", "VGPR", "CR")
TIMES = {"pfs": "progression-free survival", "os": "overall survival", "dor": "duration of response"}
SCHEMA = {
    "trial": pl.String,
    "replicate": pl.Int64,
    "arm": pl.String,
    "endpoint": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "interval_kind": pl.String,
    "unit": pl.String,
    "n": pl.Int64,
    "events": pl.Int64,
    "p_value": pl.Float64,
    "method": pl.String,
}
CURVES = {
    "trial": pl.String,
    "replicate": pl.Int64,
    "arm": pl.String,
    "endpoint": pl.String,
    "time_months": pl.Float64,
    "survival": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "at_risk": pl.Int64,
    "events": pl.Int64,
    "censored": pl.Int64,
}
# Shares of patients: name -> condition on the patients table.
RATES = {
    "orr": pl.col("best_response").is_in(RESPONSES),
    "vgpr_or_better": pl.col("best_response").is_in(("VGPR", "CR")),
    "mr_or_better": pl.col("best_response").is_in(("MR", *RESPONSES)),
    "stable_disease": pl.col("best_response") == "SD",
    "progressive_disease": pl.col("best_response") == "PD",
    "neutropenia_grade_3_4": pl.col("neutropenia_grade") >= 3,
    "anaemia_grade_3_4": pl.col("anaemia_grade") >= 3,
    "thrombocytopenia_grade_3_4": pl.col("thrombocytopenia_grade") >= 3,
    "pneumonia_grade_3_4": pl.col("pneumonia_grade") >= 3,
    "dose_interruption": pl.col("dose_holds") > 0,
    "dose_reduction": pl.col("dose_reductions") > 0,
    "stopped_for_toxicity": pl.col("off_treatment_reason") == "toxicity",
    "second_treatment": pl.col("crossover_months").is_not_null(),
}
ENDPOINTS = (
    *RATES,
    *(f"median_{name}" for name in TIMES),
    "median_response_months",
    "mean_relative_dose_intensity",
    "orr_odds_ratio",
    "hr_pfs",
    "hr_os",
    "hr_pfs_stratified",
    "hr_os_stratified",
)


def endpoints_table(protocol: Protocol, patients: pl.DataFrame) -> pl.DataFrame:
    """All endpoints of one replicate; patients that could not be computed are left out and counted elsewhere.

    patients: the patients table of one replicate.
    Returns the endpoints table of docs/design.md.
    """
    usable = patients.filter(pl.col("status") == 0)
    rows: list[Row] = []
    names = [arm.name for arm in protocol.arms]
    for name in names:
        rows += [{"arm": name, **row} for row in _arm_rows(usable.filter(pl.col("arm") == name))]
    for first, second in combinations(names, 2):
        both = usable.filter(pl.col("arm").is_in((first, second)))
        rows += [{"arm": f"{first} vs {second}", **row} for row in _comparison_rows(both, first)]
    head = {"trial": protocol.name, "replicate": patients.get_column("replicate")[0]}
    frame = pl.DataFrame([{**head, **row} for row in rows], schema=SCHEMA, orient="row")
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))


def _arm_rows(patients: pl.DataFrame) -> Iterator[Row]:
    n = patients.height
    for name, condition in RATES.items():
        yield _rate(name, int(patients.select(condition.sum()).item()), n)
    for name in TIMES:
        yield _median(name, patients)
    first = patients.get_column("response_months").drop_nulls()
    yield _plain("median_response_months", first.median(), "months", (first.len(), first.len(), "responders"))
    dose = patients.get_column("relative_dose_intensity").drop_nulls()
    yield _plain(
        "mean_relative_dose_intensity", dose.mean(), "fraction", (dose.len(), None, "given over planned mg")
    )


def _plain(name: str, value: Any, unit: str, counts: tuple[int, int | None, str]) -> Row:
    n, events, method = counts
    number = None if value is None else float(value)
    return {
        "endpoint": name,
        "value": number,
        "interval_kind": "",
        "unit": unit,
        "n": n,
        "events": events,
        "method": method,
    }


def _rate(name: str, count: int, n: int) -> Row:
    row: Row = {"endpoint": name, "unit": "%", "n": n, "events": count, "interval_kind": "95% CI"}
    row["method"] = "Clopper-Pearson"
    if n:
        share = clopper_pearson(count, n)
        values = (share.estimate, share.low, share.high)
        row["value"], row["low"], row["high"] = (100.0 * float(value) for value in values)
    return row


def _times(name: str, patients: pl.DataFrame) -> pl.DataFrame:
    """Times and events of one endpoint, patients without the endpoint left out."""
    return patients.select(
        "arm", "stratum", time=pl.col(f"{name}_months"), event=pl.col(f"{name}_event")
    ).drop_nulls("time")


def _median(name: str, patients: pl.DataFrame) -> Row:
    data = _times(name, patients)
    row: Row = {
        "endpoint": f"median_{name}",
        "unit": "months",
        "n": data.height,
        "events": int(data.get_column("event").sum()),
        "interval_kind": "95% CI",
        "method": "Kaplan-Meier, log-log",
    }
    if data.height:
        curve = kaplan_meier(data.get_column("time").to_numpy(), data.get_column("event").to_numpy())
        row["value"], (row["low"], row["high"]) = curve.median, curve.median_interval
    return row


def _comparison_rows(patients: pl.DataFrame, first: str) -> Iterator[Row]:
    yield _odds_ratio(patients, first)
    for name in ("pfs", "os"):
        data = _times(name, patients)
        for stratified in (False, True):
            yield _hazard_ratio(name, data, first, stratified)


def _hazard_ratio(name: str, data: pl.DataFrame, first: str, stratified: bool) -> Row:
    """Cox hazard ratio of the first arm against the second, with the log-rank p value."""
    time, event = data.get_column("time").to_numpy(), data.get_column("event").to_numpy()
    treated = (data.get_column("arm") == first).to_numpy().astype(np.float64)
    row: Row = {
        "endpoint": f"hr_{name}_stratified" if stratified else f"hr_{name}",
        "unit": "ratio",
        "n": data.height,
        "events": int(event.sum()),
        "interval_kind": "95% CI",
        "method": "Cox (Efron), log-rank" + (", stratified" if stratified else ""),
    }
    if event.any() and 0 < treated.sum() < treated.size:
        strata = data.get_column("stratum").to_numpy() if stratified else None
        fit = cox(time, event, treated, strata=strata)
        row["value"] = float(fit.hazard_ratio[0])
        row["low"], row["high"] = float(fit.interval[0][0]), float(fit.interval[1][0])
        row["p_value"] = log_rank(time, event, treated, strata=strata).p_value
    return row


def _odds_ratio(patients: pl.DataFrame, first: str) -> Row:
    """Odds ratio of response, first arm against second, with Fisher's exact p value."""
    counts = patients.group_by(pl.col("arm") == first).agg(yes=RATES["orr"].sum(), n=pl.len()).sort("arm")
    row: Row = {"endpoint": "orr_odds_ratio", "unit": "ratio", "n": patients.height, "interval_kind": ""}
    row |= {"events": int(counts.get_column("yes").sum()), "method": "sample odds ratio, Fisher's exact test"}
    if counts.height == 2:
        (other_yes, other_n), (yes, n) = counts.select("yes", "n").rows()
        table = np.array([[yes, n - yes], [other_yes, other_n - other_yes]])
        result = fisher_exact(table)
        row["value"], row["p_value"] = float(result.statistic), float(result.pvalue)
    return row


def survival_curves_table(protocol: Protocol, patients: pl.DataFrame) -> pl.DataFrame:
    """Kaplan-Meier curves of one replicate, a row per arm, endpoint and distinct time."""
    usable = patients.filter(pl.col("status") == 0)
    frames = []
    for arm in protocol.arms:
        for name in TIMES:
            data = _times(name, usable.filter(pl.col("arm") == arm.name))
            if not data.height:
                continue
            curve = kaplan_meier(data.get_column("time").to_numpy(), data.get_column("event").to_numpy())
            frames.append(
                pl.DataFrame(
                    {
                        "time_months": curve.times,
                        **{column: getattr(curve, column) for column in list(CURVES)[5:]},
                    }
                )
                .with_columns(
                    trial=pl.lit(protocol.name),
                    replicate=pl.lit(patients.get_column("replicate")[0], dtype=pl.Int64),
                    arm=pl.lit(arm.name),
                    endpoint=pl.lit(name),
                )
                .select(list(CURVES))
            )
    frame = pl.concat(frames) if frames else pl.DataFrame(schema=CURVES)
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))
