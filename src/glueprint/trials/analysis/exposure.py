"""What each patient received and what it did: treatment, doses held and lowered, adverse events."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.conduct import Action, Conducted, VisitLog
from glueprint.trials.protocol import (
    MONTH_DAYS,
    AdverseEvent,
    Protocol,
    clinical_events,
    coincident_events,
    laboratory_events,
)

__all__ = ["SAFETY_DAYS", "adverse_columns", "first_day", "treatment_columns"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]
Columns = dict[str, NDArray[np.generic]]

# Adverse events count until four weeks after the first treatment.
SAFETY_DAYS = 28


def treatment_columns(conducted: Conducted) -> Columns:
    """What each patient received, and when and why it ended."""
    dosing, ended, log = conducted.ward.dosing, conducted.ward.follow_up, conducted.log
    second = np.where(dosing.line == 1, dosing.second_day, np.nan)
    second = np.where(np.isfinite(dosing.next_therapy_day), dosing.next_therapy_day, second)
    dead, lost = np.isfinite(ended.death_day), np.isfinite(ended.dropout_day)
    off = np.where(np.isfinite(dosing.off_day), dosing.off_day, np.where(dead | lost, ended.end_day, np.nan))
    reason = np.where(
        dosing.off_reason != "", dosing.off_reason, np.where(dead, "death", np.where(lost, "withdrawal", ""))
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        intensity = np.where(dosing.planned_mg > 0, dosing.given_mg / dosing.planned_mg, np.nan)
    first_treatment = log.line == 0
    held = first_day(log, first_treatment & (log.action == Action.HOLD), off.size)
    lowered = first_day(log, first_treatment & (log.action == Action.RESUME_LOWER), off.size)
    return {
        "crossover_months": second / MONTH_DAYS,
        "off_treatment_months": off / MONTH_DAYS,
        "off_treatment_reason": reason,
        "dose_reductions": dosing.reductions,
        "dose_holds": dosing.holds,
        "intolerances": conducted.ward.toxicity.intolerances,
        "gcsf_courses": dosing.gcsf_courses,
        "first_hold_months": held / MONTH_DAYS,
        "first_reduction_months": lowered / MONTH_DAYS,
        "days_on_drug": dosing.dosed_days,
        "relative_dose_intensity": intensity,
    }


def first_day(log: VisitLog, chosen: Bools, patients: int) -> Floats:
    """(n,) day of each patient's first visit among the chosen, NaN where there is none.

    chosen: (v,) visits of the log, which is in the order of days.
    """
    day = np.full(patients, np.nan)
    at = np.flatnonzero(chosen)[::-1]
    day[log.patient[at]] = log.day[at]
    return day


def adverse_columns(protocol: Protocol, conducted: Conducted) -> Columns:
    """Worst grades of each patient between the first dose and four weeks after the first treatment, and the
    counts behind them."""
    dosing, log, n = conducted.ward.dosing, conducted.log, conducted.people.size
    until = np.where(np.isfinite(dosing.off_day), dosing.off_day + SAFETY_DAYS, np.inf)
    counts = (log.line == 0) & (log.day > 0) & (log.day <= until[log.patient])

    def lowest(values: Floats) -> Floats:
        worst = np.full(n, np.inf)
        np.minimum.at(worst, log.patient[counts], values[counts])
        return np.where(np.isfinite(worst), worst, np.nan)

    version = protocol.measurement.ctcae_version
    grades: Columns = {}
    counts_behind: Columns = {}
    months: Columns = {}
    for event, rule in laboratory_events():
        worst = lowest(getattr(log.labs, rule.value))
        grades[f"{event.name}_grade"] = rule.grade(worst, version)
        counts_behind[rule.lowest] = worst
    for event, grade, began in _clinical(conducted):
        if event.optional and event.name not in protocol.records:
            continue
        day = np.where(began <= until, began, np.inf)
        seen = np.isfinite(day)
        grades[f"{event.name}_grade"] = np.where(seen, grade, 0)
        months[f"{event.name}_months"] = np.where(seen, day, np.nan) / MONTH_DAYS
    return grades | counts_behind | months


def _clinical(conducted: Conducted) -> Iterator[tuple[AdverseEvent, int, Floats]]:
    """Each event that is no laboratory value, its grade, and the day of each patient's first, (n,) or inf."""
    first_day, log = conducted.ward.toxicity.first_day, conducted.log
    began: dict[str, Floats] = {}
    for event, hazard in clinical_events():
        every = [first_day[name] for name in (event.name, *hazard.includes)]
        began[event.name] = np.min(every, axis=0)
        yield event, hazard.grade, began[event.name]
    for event, rule in coincident_events():
        day = began[rule.event]
        value = _value_at(log, getattr(log.labs, rule.value), day)
        yield event, rule.grade, np.where(value < rule.below, day, np.inf)


def _value_at(log: VisitLog, values: Floats, day: Floats) -> Floats:
    """(n,) a laboratory value on a day of each patient, (n,): log-linear between the visit on it, or before,
    and the next; that of the only one where there is no other, NaN without any or where the day is inf."""
    visits = np.arange(log.day.size)
    earlier = log.day <= day[log.patient]
    before, after = np.full(day.size, -1), np.full(day.size, log.day.size)
    np.maximum.at(before, log.patient[earlier], visits[earlier])
    np.minimum.at(after, log.patient[~earlier], visits[~earlier])
    times = np.append(log.day.astype(np.float64), np.nan)  # what a patient without such a visit has
    size = np.log(np.append(values, np.nan))
    with np.errstate(invalid="ignore", divide="ignore"):
        part = (day - times[before]) / (times[after] - times[before])
        between = size[before] + part * (size[after] - size[before])
    only = np.fmax(size[before], size[after])
    return np.asarray(np.exp(np.where(np.isfinite(day), np.where(np.isnan(between), only, between), np.nan)))
