"""Response, progression and survival of each patient, by both readings, from a conducted replicate."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.analysis import landmark, readings
from glueprint.trials.analysis.readings import Reading
from glueprint.trials.conduct import Assessments, Conducted, Ward, response
from glueprint.trials.protocol import MONTH_DAYS, Measurement, Protocol

__all__ = ["disease_columns", "unconfirmed"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Columns = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class _Best:
    """Best response of each patient, (n,): its label's number, the day of the first partial response (NaN:
    none), the deepest change from baseline in %."""

    response: Integers
    first_day: Floats
    change_pct: Floats


def disease_columns(protocol: Protocol, conducted: Conducted) -> Columns:
    """Response, progression and survival of each patient."""
    ward, seen = conducted.ward, conducted.seen
    death, end = ward.follow_up.death_day, ward.follow_up.end_day
    local = readings.investigator(seen.day, ward.disease.seen_progression_day, death)
    best = _best(protocol.measurement, seen, local, ward)
    left, right = readings.interval(seen.day, local)
    true_day = np.minimum(np.minimum(ward.disease.true_progression_day, death), end)
    progressed = local.event & (local.day == local.progression_day)
    off = ward.dosing.off_day
    columns: Columns = {
        "best_response": np.array(response.LABELS)[best.response],
        "best_change_pct": best.change_pct,
        "response_months": best.first_day / MONTH_DAYS,
        "dor_months": (local.day - best.first_day) / MONTH_DAYS,
        "dor_event": np.isfinite(best.first_day) & local.event,
        "pfs_months": local.day / MONTH_DAYS,
        "pfs_event": local.event,
        "pfs_cause": np.select([progressed, local.event], ["progression", "death"], ""),
        "pfs_left_months": left / MONTH_DAYS,
        "pfs_right_months": np.where(np.isfinite(right), right, np.nan) / MONTH_DAYS,
        "pfs_true_months": true_day / MONTH_DAYS,
        "cycle_3_state": landmark.states(
            best.first_day,
            local.progression_day,
            off,
            np.minimum(death, end),
            cycle_days=protocol.cycle_days,
            window_days=protocol.visits.window_days,
        ),
        "os_months": np.minimum(death, end) / MONTH_DAYS,
        "os_event": np.isfinite(death),
    }
    if conducted.without_later:
        columns["os_without_later_months"] = conducted.without_later.end_day / MONTH_DAYS
        columns["os_without_later_event"] = conducted.without_later.died
    if "pfs2" in protocol.records:
        second = np.minimum(ward.dosing.later_progression_day, death)
        columns["pfs2_months"] = np.minimum(second, end) / MONTH_DAYS
        columns["pfs2_event"] = np.isfinite(second)
    return columns | _committee_columns(protocol, conducted)


def _committee_columns(protocol: Protocol, conducted: Conducted) -> Columns:
    """The review committee's reading of the same patients, from its files."""
    seen, files = conducted.seen, conducted.review
    dated, death = conducted.ward.disease.seen_progression_day, conducted.ward.follow_up.death_day
    called, by_marker = readings.called_day(seen.m_protein_g_per_l, seen.day, dated)
    documented = files.documented & ~by_marker
    reading = readings.committee(
        files.m_protein_g_per_l,
        seen.day,
        death,
        until_day=called,
        documented_day=np.where(documented, dated, np.inf),
    )
    read = replace(seen, m_protein_g_per_l=files.m_protein_g_per_l)
    best = _best(protocol.measurement, read, reading, conducted.ward)
    return {
        "pfs_committee_months": reading.day / MONTH_DAYS,
        "pfs_committee_event": reading.event,
        "best_response_committee": np.array(response.LABELS)[best.response],
    }


def unconfirmed(limits: Measurement, seen: Assessments) -> Integers:
    """(n, k) category of each assessment by itself; immunofixation sees the true M-protein to its limit."""
    with np.errstate(invalid="ignore"):
        found = seen.true_m_protein_g_per_l >= limits.immunofixation_g_per_l
    return response.categories(seen.m_protein_g_per_l, limits.m_protein_detection_g_per_l, found)


def _best(limits: Measurement, seen: Assessments, reading: Reading, ward: Ward) -> _Best:
    """Best confirmed response before the reader's progression or another therapy, of the assessments as the
    reader sees them."""
    died, turned = np.isfinite(ward.follow_up.death_day), ward.dosing.next_therapy_day
    marker, day = seen.m_protein_g_per_l, seen.day
    category = response.settle_unconfirmed(unconfirmed(limits, seen), died)
    with np.errstate(invalid="ignore"):
        usable = reading.counts & (day > 0) & (day < reading.progression_day[:, None])
        usable &= day <= turned[:, None]
    best = response.best_response(np.where(reading.counts & (day > 0), category, response.NE), usable)
    progressed = np.isfinite(reading.progression_day)
    label = np.where((best.response == response.NE) & progressed, response.PD, best.response)
    first = np.where(
        best.first_column >= 0, day[np.arange(len(day)), np.maximum(best.first_column, 0)], np.nan
    )
    # A baseline that electrophoresis does not find has no change in per cent. The assessment that shows the
    # progression is a measurement too: without it whoever progresses at the first has no change.
    baseline = marker[:, :1]
    found = np.where(baseline >= limits.m_protein_detection_g_per_l, baseline, np.nan)
    with np.errstate(invalid="ignore"):
        measured = reading.counts & (day > 0) & (day <= turned[:, None]) & np.isfinite(found)
    change = np.where(measured, 100.0 * (marker / found - 1.0), np.inf).min(axis=1)
    return _Best(label, first, np.where(np.isfinite(change), change, np.nan))
