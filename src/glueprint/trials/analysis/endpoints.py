"""A trial's endpoints from its patients: per arm and between arms; and the survival curves behind them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.trials.analysis import estimates, landmark
from glueprint.trials.analysis.estimates import Cohort, Row, Times
from glueprint.trials.analysis.exposure import SAFETY_DAYS
from glueprint.trials.protocol import MONTH_DAYS, Protocol

__all__ = ["ENDPOINTS", "cohort", "endpoints_table", "survival_curves_table"]

Floats = NDArray[np.float64]

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
RESPONSES = ("PR", "VGPR", "CR")
# Shares of patients: name -> condition on the patients table.
RATES = {
    "orr": pl.col("best_response").is_in(RESPONSES),
    "vgpr_or_better": pl.col("best_response").is_in(("VGPR", "CR")),
    "mr_or_better": pl.col("best_response").is_in(("MR", *RESPONSES)),
    "complete_response": pl.col("best_response") == "CR",
    "very_good_partial_response": pl.col("best_response") == "VGPR",
    "partial_response": pl.col("best_response") == "PR",
    "minimal_response": pl.col("best_response") == "MR",
    "stable_disease": pl.col("best_response") == "SD",
    "progressive_disease": pl.col("best_response") == "PD",
    "not_evaluable": pl.col("best_response") == "NE",
    "orr_committee": pl.col("best_response_committee").is_in(RESPONSES),
    "neutropenia_grade_3_4": pl.col("neutropenia_grade") >= 3,
    "neutropenia_grade_4": pl.col("neutropenia_grade") >= 4,
    "anaemia_grade_3_4": pl.col("anaemia_grade") >= 3,
    "thrombocytopenia_grade_3_4": pl.col("thrombocytopenia_grade") >= 3,
    "thrombocytopenia_grade_4": pl.col("thrombocytopenia_grade") >= 4,
    "pneumonia_grade_3_4": pl.col("pneumonia_grade") >= 3,
    "dose_interruption": pl.col("dose_holds") > 0,
    "dose_reduction": pl.col("dose_reductions") > 0,
    "stopped_for_toxicity": pl.col("off_treatment_reason") == "toxicity",
    "second_treatment": pl.col("crossover_months").is_not_null(),
    **{f"cycle_3_{state}": pl.col("cycle_3_state") == state for state in landmark.STATES},
}
TIMES = ("pfs", "pfs_committee", "os", "dor")
# Survival had nobody been given what follows progression; there where the trial was run with it.
WITHOUT_LATER = "os_without_later"
MONTHS = (6, 12)  # of landmark survival
MEAN_MONTHS = 12  # of restricted means
CAUSE_MONTHS = 6  # of competing causes
CAUSES = {"progression": 1, "death_without_progression": 2}
WEEKS_PER_MONTH = MONTH_DAYS / 7.0
# Medians over those patients who have a number: name -> column, factor, unit, how it was got.
PLAIN = {
    "median_response_months": ("response_months", 1.0, "months", "responders"),
    "time_to_first_interruption": ("first_hold_months", WEEKS_PER_MONTH, "weeks", "patients ever held"),
    "time_to_first_reduction": ("first_reduction_months", WEEKS_PER_MONTH, "weeks", "patients ever reduced"),
    "median_days_on_drug": ("days_on_drug", 1.0, "days", "days with a dose of the leading drug"),
}
IMPROVED = f"cycle_3_stable_improved_by_cycle_{landmark.LATER_CYCLE}"
ENDPOINTS = (
    *RATES,
    IMPROVED,
    *(f"median_{name}" for name in TIMES),
    "median_pfs_interval",
    "median_treatment",
    *(f"{name}_at_{month}_months" for name in ("pfs", "os") for month in MONTHS),
    *(f"rmst_{name}_{MEAN_MONTHS}_months" for name in ("pfs", "os")),
    *(f"{cause}_by_{CAUSE_MONTHS}_months" for cause in (*CAUSES, "pneumonia")),
    *(f"median_os_cycle_3_{state}" for state in landmark.STATES[1:]),
    "hr_os_cycle_3_response",
    "hr_os_cycle_3_progression",
    *PLAIN,
    "mean_relative_dose_intensity",
    "orr_odds_ratio",
    *(f"hr_{name}{kind}" for name in ("pfs", "pfs_committee", "os") for kind in ("", "_stratified")),
    *(f"rmst_difference_{name}_{MEAN_MONTHS}_months" for name in ("pfs", "os")),
)


def endpoints_table(protocol: Protocol, patients: pl.DataFrame) -> pl.DataFrame:
    """All endpoints of one replicate; patients that could not be computed are left out and counted elsewhere.

    patients: the patients table of one replicate.
    Returns the endpoints table of docs/design.md.
    """
    usable = cohort(patients)
    rows: list[Row] = []
    names = [arm.name for arm in protocol.arms]
    for name in names:
        mine = usable.of(usable["arm"] == name)
        rows += [{"arm": name, **row} for row in _arm_rows(protocol, mine)]
    for first, second in combinations(names, 2):
        both = usable.of((usable["arm"] == first) | (usable["arm"] == second))
        rows += [{"arm": f"{first} vs {second}", **row} for row in _comparison_rows(both, first)]
    head = {"trial": protocol.name, "replicate": patients.get_column("replicate")[0]}
    frame = pl.DataFrame([{**head, **row} for row in rows], schema=SCHEMA, orient="row")
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))


def cohort(patients: pl.DataFrame) -> Cohort:
    """The patients that could be computed, with a flag for each finding in RATES."""
    usable = patients.filter(pl.col("status") == 0)
    known = {name: rate for name, rate in RATES.items() if set(rate.meta.root_names()) <= set(usable.columns)}
    return Cohort.of_table(usable.with_columns(**known))


def _arm_rows(protocol: Protocol, patients: Cohort) -> Iterator[Row]:
    counts = {name: (int(patients[name].sum()), patients.size) for name in RATES}
    yield from estimates.rates(counts | {IMPROVED: _improved(protocol, patients)})
    times = {name: patients.times(name) for name in (*TIMES, *_without_later(patients))}
    for name, data in times.items():
        yield estimates.median(name, data)
    yield estimates.interval_median("pfs", patients["pfs_left_months"], patients["pfs_right_months"])
    yield estimates.median("treatment", _treatment(patients))
    for name in ("pfs", "os"):
        yield from estimates.survival_at(name, times[name], MONTHS)
        yield estimates.restricted_mean(name, times[name], MEAN_MONTHS)
    yield from _cause_rows(patients)
    yield from _landmark_rows(patients, times["os"])
    for name, (column, factor, unit, method) in PLAIN.items():
        values = _known(patients[column])
        value = factor * np.median(values) if values.size else None
        events = None if name == "median_days_on_drug" else values.size
        yield estimates.plain(name, value, unit, (values.size, events, method))
    dose = _known(patients["relative_dose_intensity"])
    counted = (dose.size, None, "given over planned mg")
    mean = dose.mean() if dose.size else None
    yield estimates.plain("mean_relative_dose_intensity", mean, "fraction", counted)


def _known(values: Floats) -> Floats:
    """The numbers that are not missing."""
    return values[~np.isnan(values)]


def _without_later(patients: Cohort) -> tuple[str, ...]:
    return (WITHOUT_LATER,) if f"{WITHOUT_LATER}_months" in patients.columns else ()


def _treatment(patients: Cohort) -> Times:
    """How long the first treatment lasted; censored where it goes on at the end of follow-up."""
    off = patients["off_treatment_months"]
    return patients.times_to(np.fmin(off, patients["os_months"]), ~np.isnan(off))


def _improved(protocol: Protocol, patients: Cohort) -> tuple[int, int]:
    """How many of the patients who were stable when cycle 3 opened had responded when cycle 7 opened."""
    days = (landmark.LATER_CYCLE - 1) * protocol.cycle_days + protocol.visits.window_days
    stable = patients["cycle_3_state"] == landmark.STABLE
    return int((stable & (patients["response_months"] <= days / MONTH_DAYS)).sum()), int(stable.sum())


def _cause_rows(patients: Cohort) -> Iterator[Row]:
    """Progression against death without it, and pneumonia against the end of the time at risk."""
    kind = patients["pfs_cause"]
    cause = np.select([kind == "progression", kind == "death"], list(CAUSES.values()), 0)
    yield from estimates.incidences(CAUSES, patients["pfs_months"], cause, CAUSE_MONTHS)
    ends = patients["off_treatment_months"] + SAFETY_DAYS / MONTH_DAYS
    pneumonia, survival = patients["pneumonia_months"], patients["os_months"]
    time = np.fmin(np.fmin(pneumonia, ends), survival)
    ended = (ends <= survival) | patients["os_event"]
    at_risk = np.select([~np.isnan(pneumonia), ended], [1, 2], 0)
    yield from estimates.incidences({"pneumonia": 1}, time, at_risk, CAUSE_MONTHS)


def _landmark_rows(patients: Cohort, times: Times) -> Iterator[Row]:
    """Survival from randomisation by the state in which cycle 3 was opened, each against stable disease."""
    state = patients["cycle_3_state"]
    for name in landmark.STATES[1:]:
        yield estimates.median(f"os_cycle_3_{name}", times.of(state == name))
    for name in (landmark.RESPONSE, landmark.PROGRESSION):
        chosen = (state == name) | (state == landmark.STABLE)
        yield estimates.hazard_ratio(f"os_cycle_3_{name}", times.of(chosen), state[chosen] == name)


def _comparison_rows(patients: Cohort, first: str) -> Iterator[Row]:
    yield estimates.odds_ratio("orr_odds_ratio", patients["orr"], patients["arm"] == first)
    for name in ("pfs", "pfs_committee", "os", *_without_later(patients)):
        data = patients.times(name)
        for stratified in (False, True):
            yield estimates.hazard_ratio(name, data, data.arm == first, stratified=stratified)
        if name in ("pfs", "os"):
            yield estimates.mean_difference(name, data, first, MEAN_MONTHS)


def survival_curves_table(protocol: Protocol, patients: pl.DataFrame) -> pl.DataFrame:
    """Kaplan-Meier curves of one replicate, a row per arm, endpoint and distinct time."""
    usable = cohort(patients)
    frames = []
    for arm in protocol.arms:
        mine = usable.of(usable["arm"] == arm.name)
        for name in (*TIMES, *_without_later(mine)):
            curve = mine.times(name).curve()
            if curve is None:
                continue
            frames.append(
                pl.DataFrame(
                    {
                        "trial": [protocol.name] * curve.times.size,
                        "replicate": np.full(curve.times.size, patients.get_column("replicate")[0]),
                        "arm": [arm.name] * curve.times.size,
                        "endpoint": [name] * curve.times.size,
                        "time_months": curve.times,
                        **{column: getattr(curve, column) for column in list(CURVES)[5:]},
                    },
                    schema=CURVES,
                )
            )
    frame = pl.concat(frames) if frames else pl.DataFrame(schema=CURVES)
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))
