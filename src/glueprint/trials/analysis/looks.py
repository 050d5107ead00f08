"""When the data are cut, and what the test at a cut says: from conducted patients and their table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.survival import Look, SpendingPlan, log_rank
from glueprint.trials.analysis.endpoints import cohort
from glueprint.trials.analysis.estimates import Times, hazard_ratio
from glueprint.trials.analysis.readings import called_day
from glueprint.trials.conduct import Conducted
from glueprint.trials.protocol import MONTH_DAYS, DataCut, Monitoring, Protocol

__all__ = ["LOOKS", "Tested", "cut_day", "known_days", "look_row", "tested"]

Floats = NDArray[np.float64]

LOOKS = {
    "trial": pl.String,
    "replicate": pl.Int64,
    "cut": pl.String,
    "months": pl.Float64,
    "reason": pl.String,
    "patients": pl.Int64,
    "endpoint": pl.String,
    "arm": pl.String,
    "events": pl.Int64,
    "planned_events": pl.Int64,
    "information": pl.Float64,
    "z": pl.Float64,
    "p_one_sided": pl.Float64,
    "efficacy_z": pl.Float64,
    "efficacy_p": pl.Float64,
    "futility_z": pl.Float64,
    "spent": pl.Float64,
    "hazard_ratio": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "decision": pl.String,
}
EVENTS, CALENDAR, LATEST = "events", "calendar", "latest month, before the events"
CONTINUE, BENEFIT, FUTILITY, NO_BENEFIT = "goes on", "benefit", "futility", "no benefit"
ANALYSED, OVERTAKEN = "analysed", "nothing new since the cut before"


def known_days(name: str, conducted: Conducted, patients: pl.DataFrame) -> Floats:
    """(n,) day from randomisation on which each patient's event of an endpoint is known; inf without one.

    name: of a time to an event.   patients: the table of all patients of `conducted`, in their order.
    A progression is dated at the first of two assessments and known at the second.
    """
    usable = cohort(patients)
    time, event = usable[f"{name}_months"] * MONTH_DAYS, usable[f"{name}_event"]
    dated = conducted.ward.disease.seen_progression_day
    seen = conducted.seen
    called, _ = called_day(seen.m_protein_g_per_l, seen.day, dated)
    computed = (patients.get_column("status") == 0).to_numpy()
    day = np.full(patients.height, np.inf)
    day[computed] = np.where(event, time, np.inf)
    return np.where(np.isclose(day, dated, rtol=0.0, atol=1e-6), called, day)


def cut_day(cut: DataCut, entry_day: Floats, known_day: Floats, not_before: float) -> tuple[float, str]:
    """The calendar day of a data cut, and which of its clocks said so.

    entry_day: (n,) since the first patient.   known_day: (n,) of each event from randomisation, inf for none.
    not_before: day of the cut before. What happens on the day of a cut is not in its data.
    """
    day: float
    if cut.months is not None:
        day, why = math.floor(cut.months * MONTH_DAYS), CALENDAR
    elif cut.last_patient_months is not None:
        day, why = float(entry_day.max()) + math.floor(cut.last_patient_months * MONTH_DAYS), CALENDAR
    else:
        latest = math.floor((cut.at_most_months or 0.0) * MONTH_DAYS)
        calendar = np.sort(entry_day + known_day)
        wanted = cut.events or 1
        reached = float(calendar[wanted - 1]) if calendar.size >= wanted else math.inf
        come = reached < latest
        day, why = (math.floor(reached) + 1, EVENTS) if come else (latest, LATEST)
    return max(float(day), not_before), why


@dataclass(frozen=True)
class Tested:
    """The log-rank test of the new arm against the other at one cut: events of both, Z (above 0 for a
    benefit), and the row of the hazard ratio."""

    events: int
    z: float
    ratio: Mapping[str, Any]


def tested(plan: Monitoring, arms: tuple[str, str], patients: pl.DataFrame) -> Tested:
    """The test of one cut.

    arms: the new one and the other.   patients: the table of patients at the cut.
    """
    usable = cohort(patients)
    both = usable.of(np.isin(usable["arm"], arms))
    data: Times = both.times(plan.endpoint)
    treated = data.arm == arms[0]
    z = math.nan
    if data.event.any() and 0 < treated.sum() < treated.size:
        test = log_rank(data.time, data.event, treated, strata=data.stratum if plan.stratified else None)
        # Groups are in order, so that the second is the new arm.
        spread = math.sqrt(test.variance[1, 1])
        z = float(test.expected[1] - test.observed[1]) / spread if spread > 0 else math.nan
    ratio = hazard_ratio(plan.endpoint, data, treated, stratified=plan.stratified)
    return Tested(int(data.event.sum()), z, ratio)


def _spending(protocol: Protocol, plan: Monitoring) -> SpendingPlan:
    """How the protocol spends error; its looks are the events of the data cuts, where those count them."""
    counted = [cut.events for cut in protocol.data_cuts if cut.events and cut.endpoint == plan.endpoint]
    whole = len(counted) == len(protocol.data_cuts) and counted[-1] == plan.events
    looks = tuple(counted) if whole else ()
    return SpendingPlan(plan.events, plan.alpha, plan.spending, plan.futility, plan.power, looks)


def decide(look: Look, z: float, *, last: bool) -> str:
    """What a look comes to; a test that could not be made stops nothing before the end."""
    if z >= look.efficacy:
        return BENEFIT
    if last:
        return NO_BENEFIT
    return FUTILITY if z <= look.futility else CONTINUE


def look_row(
    about: Mapping[str, Any], protocol: Protocol, seen: Sequence[Tested], *, last: bool
) -> dict[str, Any]:
    """The row of a cut: about it, and the test where there is one.

    about: trial, replicate, cut, months, reason, patients, arm.   seen: tests of the looks so far, this one
    last; empty where nothing is tested or nothing new has come.
    """
    plan = protocol.monitoring
    if plan is None:
        return {**about, "decision": ANALYSED}
    row = {**about, "endpoint": plan.endpoint, "planned_events": plan.events}
    if not seen:
        return {**row, "decision": OVERTAKEN}
    here = seen[-1]
    last = last or here.events >= plan.events
    look = _spending(protocol, plan).bounds([one.events for one in seen], last=last)[-1]
    from_z = 0.5 * math.erfc(here.z / math.sqrt(2.0))
    return {
        **row,
        "events": here.events,
        "information": look.information,
        "z": here.z,
        "p_one_sided": from_z,
        "efficacy_z": look.efficacy,
        "efficacy_p": look.nominal_p,
        "futility_z": look.futility if math.isfinite(look.futility) else None,
        "spent": look.spent,
        "hazard_ratio": here.ratio.get("value"),
        "low": here.ratio.get("low"),
        "high": here.ratio.get("high"),
        "decision": decide(look, here.z, last=last),
    }
