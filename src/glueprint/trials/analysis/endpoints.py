"""A trial's endpoints from its patients: per arm and between arms; and the survival curves behind them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.trials.analysis import estimates, landmark
from glueprint.trials.analysis.estimates import Cohort, Counted, Row, Times
from glueprint.trials.analysis.exposure import SAFETY_DAYS
from glueprint.trials.protocol import (
    AT,
    CAUSE_MONTHS,
    MEAN,
    MEAN_MONTHS,
    MEDIAN,
    MONTH_DAYS,
    NUMBER,
    ODDS,
    RATIO,
    SHARE,
    TIME,
    Endpoint,
    Pool,
    Protocol,
    clinical_events,
    coincident_events,
    endpoints,
)

__all__ = ["cohort", "endpoints_table", "survival_curves_table"]

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
CAUSES = {"progression": 1, "death_without_progression": 2}
IMPROVED = f"cycle_{landmark.CYCLE}_stable_improved_by_cycle_{landmark.LATER_CYCLE}"


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
    for pool in protocol.pools:
        together = _pooled(usable, pool)
        mine = together.of(together["arm"] == pool.name)
        rows += [{"arm": pool.name, **row} for row in _arm_rows(protocol, mine)]
        for other in (name for name in names if name not in pool.arms):
            both = together.of((together["arm"] == pool.name) | (together["arm"] == other))
            rows += [{"arm": f"{pool.name} vs {other}", **row} for row in _comparison_rows(both, pool.name)]
    head = {"trial": protocol.name, "replicate": patients.get_column("replicate")[0]}
    frame = pl.DataFrame([{**head, **row} for row in rows], schema=SCHEMA, orient="row")
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))


def cohort(patients: pl.DataFrame) -> Cohort:
    """The patients that could be computed, with the columns of each endpoint that can be read from theirs: a
    flag `<name>` of a share, and `<name>_months` and `<name>_event` of a time."""
    usable = patients.filter(pl.col("status") == 0)
    there = set(usable.columns)
    known: dict[str, pl.Expr] = {}
    for endpoint in endpoints():
        if endpoint.value is None or not there.issuperset(endpoint.columns):
            continue
        if endpoint.kind == SHARE:
            known[endpoint.name] = endpoint.value
        elif endpoint.kind == TIME and endpoint.event is not None:
            known |= {f"{endpoint.name}_months": endpoint.value, f"{endpoint.name}_event": endpoint.event}
        elif endpoint.kind == NUMBER:
            known[_number(endpoint)] = endpoint.value.cast(pl.Float64)
    return Cohort.of_table(usable.with_columns(**known))


def _pooled(patients: Cohort, pool: Pool) -> Cohort:
    """The same patients, those of the pool's arms in one arm of its name."""
    arm = np.where(np.isin(patients["arm"], pool.arms), pool.name, patients["arm"])
    return Cohort({**patients.columns, "arm": arm})


def _number(endpoint: Endpoint) -> str:
    """The column of a number; its row in the table of endpoints is named after how it is summarised."""
    return f"value of {endpoint.name}"


def _read(patients: Cohort, kind: str, summary: str = "") -> list[Endpoint]:
    """The endpoints of a kind, and with a summary, that the patients have."""
    column = {SHARE: "{}", TIME: "{}_months", NUMBER: "value of {}"}[kind]
    return [
        endpoint
        for endpoint in endpoints()
        if endpoint.kind == kind
        and (not summary or summary in endpoint.summaries)
        and column.format(endpoint.name) in patients.columns
    ]


def _arm_rows(protocol: Protocol, patients: Cohort) -> Iterator[Row]:
    shares = {one.name: Counted.of(patients[one.name]) for one in _read(patients, SHARE)}
    yield from estimates.rates(shares | {IMPROVED: _improved(protocol, patients)})
    times = {endpoint: patients.times(endpoint.name) for endpoint in _read(patients, TIME)}
    for endpoint, data in times.items():
        if MEDIAN in endpoint.summaries:
            yield estimates.median(endpoint.name, data)
    yield estimates.interval_median("pfs", patients["pfs_left_months"], patients["pfs_right_months"])
    for endpoint, data in times.items():
        if AT in endpoint.summaries:
            yield from estimates.survival_at(endpoint.name, data, protocol.landmark_months)
        if MEAN in endpoint.summaries:
            yield estimates.restricted_mean(endpoint.name, data, MEAN_MONTHS)
    yield from _cause_rows(patients)
    yield from _landmark_rows(patients, patients.times("os"))
    for endpoint in _read(patients, NUMBER):
        yield _number_row(endpoint, patients[_number(endpoint)])


def _number_row(endpoint: Endpoint, values: Floats) -> Row:
    """The median or mean of those who have a number, (n,), NaN where there is none."""
    known = values[~np.isnan(values)]
    value = None
    if known.size:
        value = endpoint.scale * np.median(known) if MEDIAN in endpoint.summaries else known.mean()
    # Those to whom something happened are counted as events; a quantity that everybody has is none.
    events = known.size if endpoint.unit in ("months", "weeks") else None
    return estimates.plain(endpoint.name, value, endpoint.unit, Counted(known.size, events), endpoint.method)


def _improved(protocol: Protocol, patients: Cohort) -> Counted:
    """How many of the patients who were stable when cycle 3 opened had responded when cycle 7 opened."""
    days = (landmark.LATER_CYCLE - 1) * protocol.cycle_days + protocol.visits.window_days
    stable = patients["cycle_3_state"] == landmark.STABLE
    return Counted.of((patients["response_months"] <= days / MONTH_DAYS)[stable])


def _cause_rows(patients: Cohort) -> Iterator[Row]:
    """Progression against death without it, and clinical events against the end of the time at risk."""
    kind = patients["pfs_cause"]
    cause = np.select([kind == "progression", kind == "death"], list(CAUSES.values()), 0)
    yield from estimates.incidences(CAUSES, patients["pfs_months"], cause, CAUSE_MONTHS)
    ends = patients["off_treatment_months"] + SAFETY_DAYS / MONTH_DAYS
    survival = patients["os_months"]
    ended = (ends <= survival) | patients["os_event"]
    for event, _ in (*clinical_events(), *coincident_events()):
        if f"{event.name}_months" not in patients.columns:
            continue  # not recorded, or kept before the event was registered
        first = patients[f"{event.name}_months"]
        time = np.fmin(np.fmin(first, ends), survival)
        at_risk = np.select([~np.isnan(first), ended], [1, 2], 0)
        yield from estimates.incidences({event.name: 1}, time, at_risk, CAUSE_MONTHS)


def _landmark_rows(patients: Cohort, times: Times) -> Iterator[Row]:
    """Survival from randomisation by the state in which cycle 3 was opened, each against stable disease."""
    state = patients["cycle_3_state"]
    for name in landmark.STATES[1:]:
        yield estimates.median(f"os_cycle_3_{name}", times.of(state == name))
    for name in (landmark.RESPONSE, landmark.PROGRESSION):
        chosen = (state == name) | (state == landmark.STABLE)
        yield estimates.hazard_ratio(f"os_cycle_3_{name}", times.of(chosen), state[chosen] == name)


def _comparison_rows(patients: Cohort, first: str) -> Iterator[Row]:
    mine = patients["arm"] == first
    for endpoint in _read(patients, SHARE, ODDS):
        yield estimates.odds_ratio(f"{endpoint.name}_odds_ratio", patients[endpoint.name], mine)
    for endpoint in _read(patients, TIME):
        data = patients.times(endpoint.name)
        if RATIO in endpoint.summaries:
            for stratified in (False, True):
                yield estimates.hazard_ratio(endpoint.name, data, data.arm == first, stratified=stratified)
        if MEAN in endpoint.summaries:
            yield estimates.mean_difference(endpoint.name, data, first, MEAN_MONTHS)


def survival_curves_table(protocol: Protocol, patients: pl.DataFrame) -> pl.DataFrame:
    """Kaplan-Meier curves of one replicate, a row per arm or pool of arms, endpoint and distinct time."""
    usable = cohort(patients)
    frames = []
    pools = [(pool.name, _pooled(usable, pool)) for pool in protocol.pools]
    for name, people in (*((arm.name, usable) for arm in protocol.arms), *pools):
        mine = people.of(people["arm"] == name)
        for endpoint in _read(mine, TIME):
            curve = mine.times(endpoint.name).curve if endpoint.curve else None
            if curve is None:
                continue
            frames.append(
                pl.DataFrame(
                    {
                        "trial": [protocol.name] * curve.times.size,
                        "replicate": np.full(curve.times.size, patients.get_column("replicate")[0]),
                        "arm": [name] * curve.times.size,
                        "endpoint": [endpoint.name] * curve.times.size,
                        "time_months": curve.times,
                        **{column: getattr(curve, column) for column in list(CURVES)[5:]},
                    },
                    schema=CURVES,
                )
            )
    frame = pl.concat(frames) if frames else pl.DataFrame(schema=CURVES)
    return frame.with_columns(pl.col(pl.Float64).fill_nan(None))
