"""The one registry of what a trial reports: our endpoints and adverse events, and those of other packages.

Another package registers a record, or a tuple of them, by the entry points `glueprint.endpoints` and
`glueprint.adverse_events`. Conduct, analysis, calibration, tables, datasets and pages read this registry.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import TypeVar

from glueprint.errors import EnvironmentProblemError, nearest
from glueprint.trials.protocol import adverse
from glueprint.trials.protocol.adverse import (
    LABS,
    AdverseEvent,
    CoincidenceRule,
    HazardRule,
    LaboratoryRule,
)
from glueprint.trials.protocol.endpoint import (
    AT,
    LANDMARK_MONTHS,
    MEAN,
    MEDIAN,
    NUMBER,
    ODDS,
    RATE,
    RATIO,
    SHARE,
    TIME,
    Endpoint,
    Reported,
)
from glueprint.trials.protocol.endpoints import OF_DOSES, OF_RESPONSE, OF_TIMES
from glueprint.trials.protocol.rules_document import DoseRules

__all__ = [
    "adverse_events",
    "asked_first",
    "by_review",
    "claimed",
    "clinical_events",
    "coincident_events",
    "endpoints",
    "forget_plug_ins",
    "headlines",
    "label_of",
    "laboratory_events",
    "refuse_unread",
    "reported",
    "row_of",
]

ENDPOINT_PLUG_INS, EVENT_PLUG_INS = "glueprint.endpoints", "glueprint.adverse_events"
ASKED_FIRST = (RATIO, MEDIAN, RATE)
SUMMARIES = {SHARE: (RATE, ODDS), TIME: (MEDIAN, RATIO, AT, MEAN), NUMBER: (MEDIAN, MEAN)}
Record = TypeVar("Record", Endpoint, AdverseEvent)


@lru_cache(maxsize=1)
def adverse_events() -> tuple[AdverseEvent, ...]:
    """Every adverse event, ours first.

    Raises EnvironmentProblemError GP-T090 for one of another package that cannot be used.
    """
    return tuple(_all(adverse.OURS, EVENT_PLUG_INS, AdverseEvent))


@lru_cache(maxsize=1)
def laboratory_events() -> tuple[tuple[AdverseEvent, LaboratoryRule], ...]:
    """The adverse events that are graded by a laboratory value, with their rules."""
    every = ((event, event.rule) for event in adverse_events())
    return tuple((event, rule) for event, rule in every if isinstance(rule, LaboratoryRule))


@lru_cache(maxsize=1)
def clinical_events() -> tuple[tuple[AdverseEvent, HazardRule], ...]:
    """The adverse events that come by a hazard of the trial model, with their rules."""
    every = ((event, event.rule) for event in adverse_events())
    return tuple((event, rule) for event, rule in every if isinstance(rule, HazardRule))


@lru_cache(maxsize=1)
def coincident_events() -> tuple[tuple[AdverseEvent, CoincidenceRule], ...]:
    """The adverse events that are others which fall together with a low count, with their rules."""
    every = ((event, event.rule) for event in adverse_events())
    return tuple((event, rule) for event, rule in every if isinstance(rule, CoincidenceRule))


@lru_cache(maxsize=1)
def endpoints() -> tuple[Endpoint, ...]:
    """Every endpoint, ours first, those of adverse events among them.

    Raises EnvironmentProblemError GP-T090 for one of another package that cannot be used.
    """
    of_events = [endpoint for event in adverse_events() for endpoint in event.endpoints]
    ours = (*OF_RESPONSE, *of_events, *OF_DOSES, *OF_TIMES)
    return tuple(_all(ours, ENDPOINT_PLUG_INS, Endpoint))


def reported(months: tuple[float, ...] = LANDMARK_MONTHS) -> Mapping[str, Reported]:
    """Every row of the table of endpoints by its name; months: of landmarks, as the protocol has them."""
    return _reported(tuple(months))


@lru_cache(maxsize=32)
def _reported(months: tuple[float, ...]) -> Mapping[str, Reported]:
    rows = (row for endpoint in endpoints() for row in endpoint.reported(months))
    return MappingProxyType({row.name: row for row in rows})


def row_of(name: str) -> Reported | None:
    """The row of this name, at any landmark; None where it is none of the registry."""
    landmark = re.fullmatch(r".+_at_(\d+(?:\.\d+)?)_months", name)
    months = (float(landmark[1]),) if landmark else LANDMARK_MONTHS
    return reported(months).get(name)


def label_of(name: str) -> str:
    """The words of a row of the table of endpoints; its name where it is none of the registry."""
    row = row_of(name)
    return row.label if row else name


def claimed() -> Mapping[str, Reported]:
    """The rows that parameters may be calibrated to, by what evidence calls them."""
    rows: dict[str, Reported] = {}
    for row in reported().values():
        for claim, summary in row.endpoint.claims.items():
            if summary == row.summary:
                rows.setdefault(claim, row)
    return rows


def by_review(row: Reported) -> Reported:
    """The same row as an independent review reads it; the row itself where it does not."""
    of_review = (other for other in reported().values() if other.endpoint.name == row.endpoint.reviewed)
    return next((other for other in of_review if other.summary == row.summary), row)


def headlines() -> Mapping[str, Reported]:
    """The rows that an overview of a trial shows, by their names."""
    rows: dict[tuple[str, str], Reported] = {}
    for row in reported().values():
        if row.summary in row.endpoint.headlines:
            # Of a ratio the one that is not stratified.
            rows.setdefault((row.endpoint.name, row.summary), row)
    return {row.name: row for row in rows.values()}


def asked_first() -> tuple[Reported, ...]:
    """The few rows that a reader asks for first: ratios between arms, medians, shares."""
    rows = [row for row in headlines().values() if row.summary in row.endpoint.first]
    return tuple(sorted(rows, key=lambda row: ASKED_FIRST.index(row.summary)))


def refuse_unread(columns: Collection[str]) -> None:
    """Refuse endpoints that read columns which the table of patients has not, those of `columns`.

    Raises EnvironmentProblemError GP-T092.
    """
    for endpoint in endpoints():
        absent = [name for name in endpoint.columns if name not in columns]
        if absent and not endpoint.optional:
            raise EnvironmentProblemError(
                "GP-T092",
                f'the endpoint "{endpoint.name}" reads "{absent[0]}"{nearest(absent[0], columns)}',
                where="table of patients",
                expected="columns of docs/design.md, or a record that says optional=True",
                next_step="correct the record, or remove the package that registers it",
            )


def forget_plug_ins() -> None:
    """Look for other packages' records again at the next call."""
    for known in (
        adverse_events,
        laboratory_events,
        clinical_events,
        coincident_events,
        endpoints,
        _reported,
    ):
        known.cache_clear()


def _all(ours: Iterable[Record], group: str, kind: type[Record]) -> Iterator[Record]:
    """Our records and those of other packages, none of which may take a name."""
    taken: set[str] = set()
    for record in ours:
        taken |= _names(record)
        yield record
    for entry in sorted(entry_points(group=group), key=lambda entry: (entry.name, entry.value)):
        for record in _loaded(entry, kind):
            twice = sorted(taken & _names(record))
            problem = f'takes a name that is in use: "{twice[0]}"' if twice else _contradiction(record)
            if problem:
                raise _unusable(entry, kind, problem)
            taken |= _names(record)
            yield record


def _loaded(entry: EntryPoint, kind: type[Record]) -> tuple[Record, ...]:
    """The records of an entry point; whatever another package raises is told as its fault."""
    try:
        loaded = entry.load()
    except Exception as error:
        raise _unusable(entry, kind, f"cannot be loaded: {type(error).__name__}: {error}") from error
    records = loaded if isinstance(loaded, tuple) else (loaded,)
    for record in records:
        if not isinstance(record, kind):
            raise _unusable(entry, kind, f"gives {type(record).__name__} where a record is expected")
    return records


def _names(record: Endpoint | AdverseEvent) -> set[str]:
    """What a record calls itself and its rows."""
    if isinstance(record, AdverseEvent):
        return {record.name}
    return {record.name, *(row.name for row in record.reported(LANDMARK_MONTHS))}


def _contradiction(record: Endpoint | AdverseEvent) -> str:
    """What a record says that cannot be, or nothing."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", record.name):
        return f'is called "{record.name}": lower-case letters, digits and _ are wanted'
    if isinstance(record, AdverseEvent):
        if record.dosing not in (*DoseRules.model_fields, ""):
            return f'does "{record.dosing}" to dosing, which is no part of dose rules'
        if not isinstance(record.rule, HazardRule | LaboratoryRule | CoincidenceRule):
            return f"has a rule of type {type(record.rule).__name__}"
        if isinstance(record.rule, LaboratoryRule | CoincidenceRule) and record.rule.value not in LABS:
            return f'is graded by "{record.rule.value}": one of {", ".join(LABS)} is wanted'
        return ""
    if record.kind not in (SHARE, TIME, NUMBER):
        return f'is of kind "{record.kind}": one of {SHARE}, {TIME}, {NUMBER} is wanted'
    if record.value is None or (record.kind == TIME) != (record.event is not None):
        return "needs a value, and, of a time to event, whether it happened"
    allowed = SUMMARIES[record.kind]
    wrong = [summary for summary in record.summaries if summary not in allowed]
    return f'is summarised by "{wrong[0]}": one of {", ".join(allowed)} is wanted' if wrong else ""


def _unusable(entry: EntryPoint, kind: type, problem: str) -> EnvironmentProblemError:
    package = entry.dist.name if entry.dist is not None else "an unknown package"
    return EnvironmentProblemError(
        "GP-T090",
        f"the record of {package} ({entry.value}) {problem}",
        where=f"{entry.group}, {entry.name}",
        expected=f"a record of the kind {kind.__name__}, or a tuple of them, as docs/trials.md describes",
        next_step=f"repair or remove {package}: what a trial reports must be known before one is run",
    )
