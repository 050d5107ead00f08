"""From a conducted replicate to the tables of docs/design.md: one row per visit, one row per patient."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.trials import response, toxicity
from glueprint.trials.conduct import Conducted, VisitLog
from glueprint.trials.doserules import Action
from glueprint.trials.dosing import NO_REGIMEN
from glueprint.trials.measuring import LABS, Labs
from glueprint.trials.population import MONTH_DAYS
from glueprint.trials.protocol import Protocol

__all__ = ["patients_table", "visits_table"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

ACTIONS = {
    Action.NONE: "",
    Action.HOLD: "hold",
    Action.KEEP_HELD: "held",
    Action.RESUME_LOWER: "resume lower",
    Action.RESUME_SAME: "resume",
    Action.STOP: "stop",
}
OK, FAILED = 0, 1
# Adverse events count until four weeks after the first treatment.
SAFETY_DAYS = 28


def _joined(conducted: Conducted) -> VisitLog:
    """All visits in one log, by patient and day."""
    logs = conducted.visits
    parts = {
        f.name: np.concatenate([getattr(log, f.name) for log in logs])
        for f in fields(VisitLog)
        if f.name != "labs"
    }
    labs = {name: np.concatenate([getattr(log.labs, name) for log in logs]) for name in LABS}
    order = np.lexsort((parts["day"], parts["patient"]))
    return VisitLog(
        labs=Labs(**{name: value[order] for name, value in labs.items()}),
        **{name: value[order] for name, value in parts.items()},
    )


@dataclass(frozen=True)
class Assessments:
    """Disease assessments of the first treatment and its follow-up: (n, k) M-protein and days, padded with
    NaN.

    column: (v,) where each visit stands among them, -1 for a visit that is none.
    """

    m_protein_g_per_l: Floats
    day: Floats
    column: Integers


def _assessments(log: VisitLog, n: int) -> Assessments:
    chosen = log.assessment & (log.line == 0)
    patient = log.patient[chosen]
    count = np.bincount(patient, minlength=n)
    place = np.arange(patient.size) - np.repeat(np.cumsum(count) - count, count)
    width = max(int(count.max(initial=1)), 1)
    marker, day = np.full((n, width), np.nan), np.full((n, width), np.nan)
    marker[patient, place] = log.labs.m_protein_g_per_l[chosen]
    day[patient, place] = log.day[chosen]
    column = np.full(log.patient.size, -1, dtype=np.int64)
    column[chosen] = place
    return Assessments(marker, day, column)


def visits_table(protocol: Protocol, conducted: Conducted, replicate: int) -> pl.DataFrame:
    """One row per patient and visit."""
    log, people = _joined(conducted), conducted.people
    seen = _assessments(log, people.size)
    category = response.categories(seen.m_protein_g_per_l, protocol.measurement.m_protein_detection_g_per_l)
    labels = np.array(response.LABELS)[category[log.patient, np.maximum(seen.column, 0)]]
    treated = log.regimen != NO_REGIMEN
    period = np.where(treated, np.where(log.line == 0, "treatment", "second treatment"), "follow-up")
    since = log.day - log.start_day
    names = np.array([arm.name for arm in protocol.arms])
    return pl.DataFrame(
        {
            "trial": np.full(log.day.size, protocol.name),
            "replicate": np.full(log.day.size, replicate),
            "arm": names[people.arm[log.patient]],
            "patient": log.patient,
            "time_days": log.day.astype(np.float64),
            "cycle": np.where(treated, since // protocol.cycle_days + 1, 0),
            "cycle_day": np.where(treated, since % protocol.cycle_days + 1, 0),
            "period": period,
            "dose_mg": log.dose_mg,
            **{name: getattr(log.labs, name) for name in reversed(LABS)},
            "action": np.array([ACTIONS[Action(code)] for code in log.action]),
            "response": np.where((seen.column > 0), labels, ""),
        }
    )


def patients_table(protocol: Protocol, conducted: Conducted, replicate: int) -> pl.DataFrame:
    """One row per patient: who, what was seen, what is true."""
    people, ward = conducted.people, conducted.ward
    log = _joined(conducted)
    names = np.array([arm.name for arm in protocol.arms])
    failed = ward.failure != ""
    frame = pl.DataFrame(
        {
            "trial": np.full(people.size, protocol.name),
            "replicate": np.full(people.size, replicate),
            "arm": names[people.arm],
            "patient": people.number,
            "status": np.where(failed, FAILED, OK),
            "reason": ward.failure.astype(str),
            "stratum": people.stratum,
            **dict(people.levels),
            **dict(people.values),
            **_disease(protocol, conducted, log),
            **_treatment(conducted),
            **_toxicity(protocol, conducted, log),
        }
    )
    order = [*frame.columns[:7], *protocol.case_mix.names, *frame.columns[7 + len(protocol.case_mix.names) :]]
    floats = [name for name, kind in frame.schema.items() if kind == pl.Float64]
    return frame.select(order).with_columns(pl.col(floats).fill_nan(None))


def _disease(protocol: Protocol, conducted: Conducted, log: VisitLog) -> dict[str, NDArray[np.generic]]:
    """Response, progression and survival of each patient."""
    ward, n = conducted.ward, conducted.people.size
    seen = _assessments(log, n)
    marker, day = seen.m_protein_g_per_l, seen.day
    category = response.categories(marker, protocol.measurement.m_protein_detection_g_per_l)
    category = response.settle_unconfirmed(category, np.isfinite(ward.death_day))
    with np.errstate(invalid="ignore"):
        usable = (day > 0) & (day < ward.seen_progression_day[:, None])
    before = usable | (day == ward.seen_progression_day[:, None])
    best = response.best_response(np.where(before, category, response.NE), usable)
    progressed = np.isfinite(ward.seen_progression_day)
    label = np.where((best.response == response.NE) & progressed, response.PD, best.response)
    change = np.where(usable, 100.0 * (marker / marker[:, :1] - 1.0), np.inf).min(axis=1)

    death, rows = ward.death_day, np.arange(n)
    event_day = np.minimum(ward.seen_progression_day, death)
    last_seen = np.nanmax(np.where(before | (day == 0), day, 0.0), axis=1)
    pfs_event = np.isfinite(event_day)
    pfs_day = np.where(pfs_event, event_day, last_seen)
    responded = best.first_column >= 0
    response_day = np.where(responded, day[rows, np.maximum(best.first_column, 0)], np.nan)
    true_day = np.minimum(np.minimum(ward.true_progression_day, death), ward.end_day)
    return {
        "best_response": np.array(response.LABELS)[label],
        "best_change_pct": np.where(np.isfinite(change), change, np.nan),
        "response_months": response_day / MONTH_DAYS,
        "dor_months": (pfs_day - response_day) / MONTH_DAYS,
        "dor_event": responded & pfs_event,
        "pfs_months": pfs_day / MONTH_DAYS,
        "pfs_event": pfs_event,
        "pfs_true_months": true_day / MONTH_DAYS,
        "os_months": np.minimum(death, ward.end_day) / MONTH_DAYS,
        "os_event": np.isfinite(death),
    }


def _treatment(conducted: Conducted) -> dict[str, NDArray[np.generic]]:
    """What each patient received, and when and why it ended."""
    ward = conducted.ward
    second = np.where(ward.line == 1, ward.second_day, np.nan)
    dead, lost = np.isfinite(ward.death_day), np.isfinite(ward.dropout_day)
    off = np.where(np.isfinite(ward.off_day), ward.off_day, np.where(dead | lost, ward.end_day, np.nan))
    reason = np.where(
        ward.off_reason != "", ward.off_reason, np.where(dead, "death", np.where(lost, "withdrawal", ""))
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        intensity = np.where(ward.planned_mg > 0, ward.given_mg / ward.planned_mg, np.nan)
    return {
        "crossover_months": second / MONTH_DAYS,
        "off_treatment_months": off / MONTH_DAYS,
        "off_treatment_reason": reason,
        "dose_reductions": ward.first_reductions(),
        "dose_holds": ward.first_holds(),
        "relative_dose_intensity": intensity,
    }


def _toxicity(protocol: Protocol, conducted: Conducted, log: VisitLog) -> dict[str, Integers]:
    """Worst grade of each patient between the first dose and four weeks after the first treatment."""
    ward, n = conducted.ward, conducted.people.size
    until = np.where(np.isfinite(ward.off_day), ward.off_day + SAFETY_DAYS, np.inf)
    counts = (log.line == 0) & (log.day > 0) & (log.day <= until[log.patient])

    def worst(grade: Integers) -> Integers:
        highest = np.zeros(n, dtype=np.int64)
        np.maximum.at(highest, log.patient[counts], grade[counts])
        return highest

    version = protocol.measurement.ctcae_version
    return {
        "neutropenia_grade": worst(toxicity.neutropenia_grade(log.labs.anc_1e9_per_l, version=version)),
        "thrombocytopenia_grade": worst(toxicity.thrombocytopenia_grade(log.labs.platelets_1e9_per_l)),
        "anaemia_grade": worst(toxicity.anaemia_grade(log.labs.haemoglobin_g_per_dl)),
        # The hazard counts pneumonia of grade 3 or 4 only.
        "pneumonia_grade": np.where(
            ward.pneumonia_day <= until, np.where(np.isfinite(ward.pneumonia_day), 3, 0), 0
        ),
    }
