"""Checks of accrual, data cuts, tests at them, pools and records against the rest of the protocol."""

from __future__ import annotations

import math
from collections.abc import Iterator

from glueprint.errors import InputError, nearest
from glueprint.trials.protocol.course import follow_up_of
from glueprint.trials.protocol.document import Protocol
from glueprint.trials.protocol.endpoint import RATIO, TIME
from glueprint.trials.protocol.registry import adverse_events, endpoints

__all__ = ["COURSE_CHECKS", "tested_endpoints"]

PAGE = 'see docs/trials.md, "Calendar, looks and departures"'
# M-protein of myeloma in g/dL stands below these; in g/L a whole case-mix below them is rare.
DECILITRE_MEDIAN, DECILITRE_HIGH = 5.0, 15.0
DECILITRES = 10.0


def tested_endpoints() -> tuple[str, ...]:
    """Times to an event from randomisation that all patients have: what a cut may count and a look test."""
    return tuple(
        endpoint.name
        for endpoint in endpoints()
        if endpoint.kind == TIME
        and RATIO in endpoint.summaries
        and not endpoint.among
        and not endpoint.optional
    )


def _refused(code: str, message: str, where: str, expected: str, next_step: str = PAGE) -> InputError:
    return InputError(code, message, where=where, expected=expected, next_step=next_step)


def cuts_have_a_calendar(protocol: Protocol, where: str) -> Iterator[InputError]:
    """GP-T093: patients come before the data are cut, and follow-up is not said twice."""
    if (protocol.accrual is None) != (not protocol.data_cuts):
        lacking = "data cut" if protocol.accrual else "accrual"
        expected = "[accrual] and at least one [[data_cuts]], or neither of them"
        yield _refused("GP-T093", f"no {lacking} beside the other", f"{where}, accrual", expected)
    if protocol.accrual is None or not protocol.data_cuts:
        return
    names = [cut.name for cut in protocol.data_cuts]
    if len({name.strip().casefold() for name in names}) < len(names):
        said = f"two data cuts share a name: {', '.join(names)}"
        yield _refused("GP-T093", said, f"{where}, data_cuts", "a name for each", "rename one")
    yield from _cuts_that_fall(protocol, where)
    derived = follow_up_of(protocol.accrual, protocol.data_cuts, protocol.patients)
    if derived["minimum_months"] <= 0:
        last = derived["maximum_months"] - derived["minimum_months"]
        latest = derived["maximum_months"]
        said = f"patients come for {last:.4g} months, and the last data cut is at {latest:.4g}"
        expected = "a last data cut after the last patient came"
        yield _refused("GP-T093", said, f"{where}, data_cuts", expected)
        return
    written = protocol.follow_up
    for name in ("minimum_months", "median_months", "maximum_months"):
        if not math.isclose(getattr(written, name), derived[name], rel_tol=1e-4, abs_tol=1e-4):
            said = f"follow_up says {name} {getattr(written, name):g}, the calendar {derived[name]:g}"
            expected = "no follow_up beside an accrual, which says it"
            step = 'leave follow_up out; of a base: without = ["follow_up"]'
            yield _refused("GP-T093", said, f"{where}, follow_up", expected, step)
            break


def _cuts_that_fall(protocol: Protocol, where: str) -> Iterator[InputError]:
    """Data cuts that come before the one above them, by the same clock: they would be made with it."""
    clocks: dict[str, list[float]] = {}
    for cut in protocol.data_cuts:
        events = None if protocol.monitoring else cut.events  # else the looks of the test are looked at
        of = {
            "months": cut.months,
            "last_patient_months": cut.last_patient_months,
            f"events of {cut.endpoint}": events,
        }
        for clock, value in of.items():
            if value is not None:
                clocks.setdefault(clock, []).append(value)
    for clock, values in clocks.items():
        if values != sorted(values):
            said = f"data cuts at {', '.join(f'{value:g}' for value in values)} {clock}"
            yield _refused("GP-T093", said, f"{where}, data_cuts", "cuts in the order of time")


def cuts_count_known_events(protocol: Protocol, where: str) -> Iterator[InputError]:
    """GP-T093: data cuts and looks are about an endpoint that there is, events that patients can have."""
    known = tested_endpoints()
    asked = [
        (f"data_cuts[{place}]", cut.endpoint, cut.events)
        for place, cut in enumerate(protocol.data_cuts)
        if cut.events is not None
    ]
    if protocol.monitoring:
        asked.append(("monitoring", protocol.monitoring.endpoint, protocol.monitoring.events))
    for field, endpoint, events in asked:
        if endpoint not in known:
            said = f'no endpoint "{endpoint}"{nearest(endpoint, known)} that a trial could count'
            yield _refused("GP-T093", said, f"{where}, {field}.endpoint", f"one of {', '.join(known)}")
        if events > protocol.patients:
            said = f"{events} events of {protocol.patients} patients"
            yield _refused("GP-T093", said, f"{where}, {field}.events", "at most one event a patient")


def looks_have_two_arms(protocol: Protocol, where: str) -> Iterator[InputError]:
    """GP-T093: a test at the data cuts has two arms and cuts, and futility has its planned events."""
    plan, field = protocol.monitoring, f"{where}, monitoring"
    if plan is None:
        return
    names = [arm.name for arm in protocol.arms]
    chosen = plan.arms or tuple(names[:2])
    if not protocol.data_cuts:
        yield _refused("GP-T093", "no data cut to test at", field, "[[data_cuts]], one a look")
    if len(chosen) != 2 or len(set(chosen)) != 2 or not set(chosen) <= set(names):
        said = f"the arms {', '.join(chosen)} of {', '.join(names)}"
        yield _refused("GP-T093", said, f"{field}.arms", "two arms of the protocol, the new one first")
    counted = [cut for cut in protocol.data_cuts if cut.events and cut.endpoint == plan.endpoint]
    if plan.futility and (
        len(counted) < len(protocol.data_cuts) or not counted or counted[-1].events != plan.events
    ):
        said = "futility without the planned events of every look"
        expected = f"data cuts with rising events of {plan.endpoint}, the last with {plan.events}"
        yield _refused("GP-T093", said, f"{field}.futility", expected)
    events = [cut.events or 0 for cut in counted]
    if events != sorted(set(events)) or (events and events[-1] > plan.events):
        said = f"looks at {', '.join(map(str, events))} of {plan.events} events"
        yield _refused("GP-T093", said, f"{where}, data_cuts", "events that rise, up to those planned")


def pools_are_of_arms(protocol: Protocol, where: str) -> Iterator[InputError]:
    """GP-T096: a pool has a name of its own and arms that there are."""
    names = [arm.name for arm in protocol.arms]
    taken = [*names, *(pool.name for pool in protocol.pools)]
    for place, pool in enumerate(protocol.pools):
        field = f"{where}, pools[{place}]"
        strange = [name for name in pool.arms if name not in names]
        if strange or len(set(pool.arms)) < len(pool.arms):
            said = f'no arm "{strange[0]}"{nearest(strange[0], names)}' if strange else "an arm twice"
            yield _refused("GP-T096", said, f"{field}.arms", f"arms out of {', '.join(names)}, each once")
        if taken.count(pool.name) > 1:
            said = f'"{pool.name}" is the name of something else'
            yield _refused("GP-T096", said, f"{field}.name", "a name of its own")


def records_are_known(protocol: Protocol, where: str) -> Iterator[InputError]:
    """GP-T096: what is recorded beside the usual is an optional record of the registry."""
    known = optional_records()
    for name in protocol.records:
        if name not in known:
            said = f'nothing optional is called "{name}"{nearest(name, known)}'
            yield _refused("GP-T096", said, f"{where}, records", f"names out of {', '.join(known)}")


def optional_records() -> tuple[str, ...]:
    """What a protocol may ask to be recorded: optional adverse events and endpoints of the registry."""
    events = adverse_events()
    of_events = {endpoint.name for event in events for endpoint in event.endpoints}
    asked = (one.name for one in endpoints() if one.recorded and one.name not in of_events)
    return (*(event.name for event in events if event.optional), *asked)


def m_protein_is_in_g_per_l(protocol: Protocol, where: str) -> Iterator[InputError]:
    """GP-T095: a case-mix of M-protein that reads as g/dL is one only if the protocol says so."""
    mine = protocol.case_mix.m_protein_g_per_l
    middle = float(getattr(mine, "median", getattr(mine, "mean", math.inf)))
    if middle < DECILITRE_MEDIAN and mine.high < DECILITRE_HIGH and not protocol.eligibility.low_m_protein:
        tenfold = f"{DECILITRES * middle:g} within {DECILITRES * mine.low:g} to {DECILITRES * mine.high:g}"
        yield _refused(
            "GP-T095",
            f"M-protein of {middle:g} within {mine.low:g} to {mine.high:g} g/L reads as g/dL, which is "
            f"{tenfold} g/L",
            f"{where}, case_mix.m_protein_g_per_l",
            "g/L",
            "multiply by 10; or, if so little is meant, write [eligibility] low_m_protein = true",
        )


def measurable_disease_is_there(protocol: Protocol, where: str) -> Iterator[InputError]:
    """GP-T095: some of the case-mix have as much M-protein as eligibility asks for."""
    least, mine = protocol.eligibility.m_protein_at_least_g_per_l, protocol.case_mix.m_protein_g_per_l
    if least is not None and least >= mine.high:
        said = f"measurable disease from {least:g} g/L, and a case-mix up to {mine.high:g}"
        field = f"{where}, eligibility.m_protein_at_least_g_per_l"
        yield _refused("GP-T095", said, field, "a limit within the case-mix")


COURSE_CHECKS = (
    cuts_have_a_calendar,
    cuts_count_known_events,
    looks_have_two_arms,
    pools_are_of_arms,
    records_are_known,
    m_protein_is_in_g_per_l,
    measurable_disease_is_there,
)
