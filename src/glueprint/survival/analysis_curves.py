"""What a table of patients says of each arm by itself: curves, medians, milestones, means, incidence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint.survival.columns import Patients
from glueprint.survival.competing import cumulative_incidence
from glueprint.survival.differences import contrast
from glueprint.survival.kaplan_meier import KaplanMeier, kaplan_meier
from glueprint.survival.rmst import rmst
from glueprint.survival.rows import as_rows, no_overlap
from glueprint.survival.turnbull import Turnbull, turnbull

__all__ = [
    "ALL",
    "Row",
    "apart",
    "between",
    "cells",
    "codes",
    "counted",
    "curve",
    "group",
    "incidence",
    "means",
    "milestone",
    "parts",
    "steps",
]

ALL = "all"
MOST_LISTED = 5
Row = dict[str, Any]


def parts(rows: Patients) -> dict[str, Any]:
    """The rows of each arm, by its name; all of them without arms."""
    if rows.arm is None:
        return {ALL: slice(None)}
    return {arm: rows.arm == arm for arm in rows.arms}


def counted(rows: Patients) -> bool:
    """Whether rows count otherwise than as one patient from the start."""
    return rows.entry is not None or rows.weights is not None or rows.patient is not None


def apart(rows: Patients) -> Iterator[str]:
    """Notes on rows that count otherwise than as one patient from the start.

    Refuses, by the row of the table, entries and weights that are none, GP-V014 to GP-V016, and rows of one
    patient that overlap, GP-V017: each of them would count the same time.
    """
    checked = as_rows(rows.time, rows.event, rows.entry, rows.weights, line=rows.row)
    if checked.left_out:
        gone = np.delete(rows.row, checked.kept)
        yield f"{gone.size} rows of weight 0 left out: {listed('row', gone)}"
    if rows.patient is None:
        return
    names, codes_of = checked.codes(rows.patient, "patient")
    no_overlap(checked, codes_of, np.zeros_like(codes_of), rows.row)
    last = np.zeros(names.size)
    np.maximum.at(last, codes_of, checked.time)
    on = names[np.unique(codes_of[checked.event & (checked.time < last[codes_of])])]
    if on.size:
        yield (
            f"an event before the last row, each event counted: {listed('patient', on)}; for the first "
            "event of each patient leave the rows after it out"
        )
    if rows.arm is not None:
        pairs = np.unique(
            np.stack([codes_of, np.unique(rows.arm[checked.kept], return_inverse=True)[1]]), axis=1
        )
        in_several = names[np.flatnonzero(np.bincount(pairs[0]) > 1)]
        if in_several.size:
            yield f"rows in more than one arm, each counted in its own: {listed('patient', in_several)}"


def listed(what: str, labels: NDArray[Any]) -> str:
    """The first labels, after what they are of."""
    more = " ..." if labels.size > MOST_LISTED else ""
    return f"{what} {', '.join(map(str, labels[:MOST_LISTED].tolist()))}{more}"


def curve(rows: Patients, use: Any, level: float) -> KaplanMeier:
    """Kaplan-Meier curve of some rows, each counted as it asks to be."""
    entry, weights = (None if x is None else x[use] for x in (rows.entry, rows.weights))
    who = rows.cluster if rows.cluster is not None else rows.patient if rows.weights is not None else None
    cluster = None if who is None else who[use]
    return kaplan_meier(
        rows.time[use], rows.event[use], entry=entry, weights=weights, cluster=cluster, level=level
    )


def group(arm: str, curve: KaplanMeier, rows: Patients, use: Any) -> Row:
    """Patients, events and median of an arm, whose rows are `use`; a patient with several rows is one."""
    low, high = curve.median_interval
    events = float(curve.events.sum())
    # Clusters may be centres, which nobody would call patients.
    n = curve.observed.rows
    if rows.patient is not None:
        counts = np.ones(rows.time.size, dtype=np.bool_) if rows.weights is None else rows.weights > 0
        n = np.unique(rows.patient[use][counts[use]]).size
    return {"arm": arm, "n": n, "events": events, "median": curve.median, "low": low, "high": high}


def milestone(arm: str, curve: KaplanMeier, time: float) -> Row:
    """Survival of an arm at one time; NaN beyond its follow-up."""
    survival, _, low, high = curve.reading(time)
    if np.isnan(curve.at(time)):
        survival = low = high = math.nan
    row = {"arm": arm, "time": float(time), "survival": survival, "low": low, "high": high}
    return {**row, "at_risk": float(curve.risk_table(time))}


def means(rows: Patients, parts: Mapping[str, Any], tau: float, level: float) -> Iterator[Row]:
    """One row an arm, then one a difference from the reference."""
    means = {arm: rmst(rows.time[use], rows.event[use], tau, level=level) for arm, use in parts.items()}
    for arm, mean in means.items():
        row = {"arm": arm, "tau": mean.tau, "mean": mean.value, "std_error": mean.std_error}
        yield {**row, "low": mean.low, "high": mean.high, "p_value": math.nan}
    first, *others = means
    for arm in others:
        error = math.hypot(means[arm].std_error, means[first].std_error)
        gain = contrast(means[arm].value - means[first].value, error, level)
        row = {"arm": f"{arm} minus {first}", "tau": means[arm].tau, "mean": gain.value, "std_error": error}
        yield {**row, "low": gain.low, "high": gain.high, "p_value": gain.p_value}


def incidence(
    rows: Patients, parts: Mapping[str, Any], milestones: Sequence[float], level: float
) -> Iterator[Row]:
    """Incidence of each cause at the milestones, or at the end of the follow-up."""
    labels, numbers = codes(rows)
    for arm, use in parts.items():
        if not numbers[use].any():
            continue
        found = cumulative_incidence(rows.time[use], numbers[use], level=level)
        for time in milestones or [float(found.times[-1])]:
            step = int(np.searchsorted(found.times, time, side="right")) - 1
            for k, code in enumerate(found.causes):
                row = {"arm": arm, "cause": labels[code - 1], "time": float(time)}
                known = step >= 0 and time <= found.times[-1]
                values = {
                    name: float(getattr(found, name)[step, k]) if known else math.nan
                    for name in ("incidence", "low", "high")
                }
                yield {**row, **values, **({"incidence": 0.0} if step < 0 else {})}


def codes(rows: Patients) -> tuple[list[str], NDArray[np.int64]]:
    """The causes by name, and of each patient 0 or the number of its cause."""
    cause = np.asarray(rows.cause)
    labels = sorted(set(cause.tolist()) - {""})
    return labels, np.array([labels.index(c) + 1 if c else 0 for c in cause.tolist()], dtype=np.int64)


def steps(arm: str, curve: KaplanMeier) -> Iterator[Row]:
    """One row a time of the curve."""
    names = ("at_risk", "events", "censored", "survival", "std_error", "low", "high")
    for k, time in enumerate(curve.times.tolist()):
        yield {"arm": arm, "time": time, **{name: getattr(curve, name)[k].item() for name in names}}


def cells(arm: str, found: Turnbull) -> Iterator[Row]:
    """Where the probability of an event between two looks lies."""
    for left, right, mass in zip(found.left, found.right, found.mass, strict=True):
        yield {"arm": arm, "left": float(left), "right": float(right), "mass": float(mass)}


def between(rows: Patients, use: Any) -> Turnbull:
    """The curve of events that lie between two looks."""
    right = np.full(rows.time.size, np.inf) if rows.right is None else rows.right
    return turnbull(rows.time[use], right[use])
