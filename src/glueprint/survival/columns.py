"""One's own table as arrays: columns by name, what is missing counted, the coding of events asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.errors import InputError, nearest
from glueprint.survival._check import Flags, Floats, Integers
from glueprint.survival.durations import ROW, clock_of, numbers, refuse, times, unit_of_answers
from glueprint.survival.labels import labels_of, levels_of, numeric, one_row_each, one_spelling, spelling
from glueprint.survival.request import Request

__all__ = ["Patients", "patients"]

YES, NO = ("1", "1.0", "true", "yes"), ("0", "0.0", "false", "no")
# What files write where nothing is known, in any capitals.
MISSING = ("", ".", "?", "na", "n/a", "#n/a", "nan", "null")
# Words of a column's name by which 1 may be who had no event: CNSR of CDISC ADTTE, event_free, ongoing; and
# such as do so unless another word names the event.
CENSORED = re.compile(
    r"(cnsr|cens|alive|living|survived|survivor|vital|remission|ongoing|lost|nonev|(free|no|non|not|never|without)$)"
)
SURVIVAL, EVENT = re.compile("surviv"), re.compile("(event|dea|die|relaps|progress|fail)")


@dataclass(frozen=True)
class Patients:
    """The rows that can be used.

    time, event: (n,).   arm, strata: (n,) labels or None.   covariates: (n,) by term, in the order asked for.
    arms: in order, the reference first.   unit: of the times, "" where nobody said.
    right: where events lie between two looks, the second, infinite for one not seen; `time` is the first.
    switch, progression, follow_up: times, NaN where there is none.   row: (n,) of the table, its header
    being row 1.   notes: for people.
    """

    time: Floats
    event: Flags
    arm: NDArray[np.str_] | None
    arms: tuple[str, ...]
    strata: NDArray[np.str_] | None
    covariates: Mapping[str, Floats]
    unit: str
    row: Integers
    entry: Floats | None = None
    weights: Floats | None = None
    patient: NDArray[np.str_] | None = None
    cluster: NDArray[np.str_] | None = None
    cause: NDArray[np.str_] | None = None
    right: Floats | None = None
    switch: Floats | None = None
    progression: Floats | None = None
    follow_up: Floats | None = None
    eligible: Flags | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def beside(self) -> Mapping[str, Floats]:
        """The covariates but those that tell the arms apart."""
        return dict(list(self.covariates.items())[max(len(self.arms) - 1, 0) :])


def patients(table: Any, request: Request) -> Patients:
    """The arrays of a table with one row a patient.

    table: polars, pandas or Arrow, or a mapping of columns.   request: which column is what.
    Returns Patients; rows with something missing are left out and named in the notes.
    Raises InputError GP-V030 (columns), GP-V031 (events), GP-V032 (times), GP-V033 (units), GP-V034 (arms).
    """
    frame = _frame(table)
    _complete(request)
    chosen = [_split(item) for item in request.where]
    for name in (*request.named, *request.open, *(name for name, _ in chosen)):
        if name not in frame.columns:
            refuse("GP-V030", f'no column "{name}"{nearest(name, frame.columns)}', frame)
    row = pl.int_range(2, pl.len() + 2)
    text = pl.col(pl.String).str.strip_chars()
    blank = pl.when(~text.str.to_lowercase().is_in(MISSING)).then(text)
    frame = frame.with_columns(blank, row.alias(ROW)).with_columns(
        pl.col(pl.Float64, pl.Float32).fill_nan(None)
    )
    for name, values in chosen:
        frame = _chosen(frame, name, values)
    kept = frame.drop_nulls(list(request.named))
    notes = list(_left_out(frame, kept, request.named))
    if kept.is_empty():
        refuse("GP-V030", "no row without a missing value", frame)
    _says_who_has_none(frame, kept, request)
    notes += one_row_each(kept, request)
    return _arrays(kept, request, notes)


def _chosen(frame: pl.DataFrame, name: str, values: Sequence[str]) -> pl.DataFrame:
    """The rows that hold one of `values`, in whatever spelling; refuses a value that no row holds."""
    text = frame[name].cast(pl.String)
    present = text.unique().drop_nulls().sort().to_list()
    spelled = {word: spelling(word) for word in present}
    strange = [value for value in values if spelling(value) not in spelled.values()]
    if strange:
        refuse("GP-V030", f"no row with {name}={strange[0]}", frame, _values(present))
    meant = {spelling(value) for value in values}
    return frame.filter(text.is_in([word for word in present if spelled[word] in meant]))


def _says_who_has_none(frame: pl.DataFrame, kept: pl.DataFrame, request: Request) -> None:
    """Refuse an event column that says the event or nothing: who had none would be left out."""
    name = request.event_column
    if not name or not frame[name].null_count() or kept[name].n_unique() > 1:
        return
    empty = f"{frame[name].null_count()} of {frame.height} rows"
    said = f'"{name}" holds {kept[name][0]}, or nothing in {empty}'
    refuse("GP-V031", said, expected="0, or a word, for patients without the event")


def _complete(request: Request) -> None:
    """Refuse a request with nothing, or two things, that say when the event was, or what acts on nothing."""
    if request.reference is not None and request.arm is None:
        said = f'reference "{request.reference}" and no arm'
        refuse("GP-V034", said, expected="--arm: the column of the arms")
    if request.censored and request.cause is None:
        said = f'censored "{", ".join(request.censored)}" and no cause'
        refuse("GP-V031", said, expected="--cause: the column that holds these values, in place of an event")
    if request.between:
        if request.time or request.event or request.cause or not (request.left and request.right):
            said = "looks before and after the event beside a time of it"
            refuse("GP-V031", said, expected="either --left and --right, or --time with an event or a cause")
        apart = (request.entry, request.weights, request.patient, request.cluster)
        if any(apart):
            said = f'looks before and after the event beside "{next(filter(None, apart))}"'
            refuse("GP-V031", said, expected="rows that each count as one patient from the start")
        return
    if not request.time:
        refuse("GP-V030", "no column of times", expected="--time, or --left and --right")
    if bool(request.event) == (request.cause is not None):
        refuse(
            "GP-V031",
            "both an event and a cause" if request.event else "no event",
            expected="an event, or a cause with the values of it that are censored",
        )


def _arrays(kept: pl.DataFrame, request: Request, notes: list[str]) -> Patients:
    """The arrays of rows without missing values."""
    clock = clock_of(kept, request)
    for name in filter(None, (*request.strata, request.cause, request.patient, request.cluster)):
        one_spelling(sorted(set(labels_of(kept, (name,)).tolist())), name)
    unit, said = unit_of_answers(clock, request)
    arm, arms = _arms(kept, request)
    covariates, levels = _covariates(kept, request, arm, arms)
    cause = _causes(kept, request.cause, request.censored) if request.cause else None
    right = None
    if request.left is not None and request.right is not None:
        time = np.nan_to_num(times(kept, request.left, clock, missing=True), nan=0.0)
        right = times(kept, request.right, clock, missing=True)
        right = np.where(np.isnan(right), np.inf, right)
        event = np.isfinite(right)
    else:
        time = times(kept, request.time, clock)
        event = _events(kept, request) if cause is None else cause != ""

    def at(name: str | None) -> Floats | None:
        return None if name is None else times(kept, name, clock, missing=True)

    return Patients(
        time,
        event,
        arm,
        arms,
        labels_of(kept, request.strata) if request.strata else None,
        covariates,
        unit,
        kept[ROW].to_numpy().astype(np.int64),
        entry=at(request.entry),
        weights=numbers(kept, request.weights) if request.weights else None,
        patient=labels_of(kept, (request.patient,)) if request.patient else None,
        cluster=labels_of(kept, (request.cluster,)) if request.cluster else None,
        cause=cause,
        right=right,
        switch=at(request.switch),
        progression=at(request.progression),
        follow_up=at(request.follow_up),
        eligible=numbers(kept, request.eligible) != 0 if request.eligible else None,
        notes=(*notes, *said, *levels),
    )


def _split(item: str) -> tuple[str, list[str]]:
    name, found, values = item.partition("=")
    if not found:
        refuse("GP-V030", f'"{item}"', expected="COLUMN=VALUE, as PARAMCD=OS")
    return name.strip(), [value.strip() for value in values.split(",")]


def _frame(table: Any) -> pl.DataFrame:
    if isinstance(table, pl.DataFrame):
        return table
    try:
        return pl.DataFrame(table)
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise InputError(
            "GP-V030",
            f"{type(table).__name__} is no table: {str(error)[:80]}",
            where="table",
            expected="a table of polars, pandas or Arrow, or columns by name",
            next_step="pass the table itself",
        ) from error


def _left_out(frame: pl.DataFrame, kept: pl.DataFrame, named: Iterable[str]) -> Iterable[str]:
    if kept.height == frame.height:
        return
    gone = frame.join(kept.select(ROW), on=ROW, how="anti")
    lacking = [name for name in dict.fromkeys(named) if gone[name].null_count()]
    rows = ", ".join(map(str, gone[ROW][:5])) + (" ..." if gone.height > 5 else "")
    yield f"{gone.height} of {frame.height} rows left out, nothing in {', '.join(lacking)}: row {rows}"


def _events(table: pl.DataFrame, request: Request) -> Flags:
    name, given, values = request.event.partition("=")
    name = name.strip()
    found = table[name].cast(pl.String).str.to_lowercase()
    present = found.unique().sort().to_list()
    if given:
        wanted = [value.strip().lower() for value in values.split(",")]
        strange = [value for value in wanted if value not in present and f"{value}.0" not in present]
        if strange:
            refuse("GP-V031", f'no row has {name} "{strange[0]}"', table, _values(present))
        wanted += [f"{value}.0" for value in wanted]
        return np.asarray(found.is_in(wanted).to_numpy(), dtype=np.bool_)
    if _says_censored(name):
        said = f'"{name}" may hold 1 for censored, and not for the event'
        refuse(
            "GP-V031",
            said,
            table,
            f'the values that are the event: "{name}=0" as in CDISC ADTTE, or "{name}=1"',
        )
    other = [value for value in present if value not in (*YES, *NO)]
    if other:
        said = f'{name} "{other[0]}" is neither 1 nor 0'
        refuse(
            "GP-V031",
            said,
            table,
            f'the values that are the event, as "{name}={other[-1]}"; {_values(present)}',
        )
    return np.asarray(found.is_in(YES).to_numpy(), dtype=np.bool_)


def _says_censored(name: str) -> bool:
    """Whether a column may hold 1 for who had no event, by the words of its name."""
    words = re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())
    said = any(map(CENSORED.match, words))
    return said or (any(map(SURVIVAL.match, words)) and not any(map(EVENT.match, words)))


def _causes(table: pl.DataFrame, name: str, censored: Sequence[str]) -> NDArray[np.str_]:
    labels = labels_of(table, (name,))
    present = sorted(set(labels.tolist()))
    missing = [value for value in censored if value not in present]
    if missing or not censored or len(present) > 20:
        said = (
            f'{name} is never "{missing[0]}"'
            if missing
            else f"which values of {name} are no event is not said"
        )
        refuse("GP-V031", said, table, f"the values that are censored, as 0; {_values(present)}")
    return np.where(np.isin(labels, censored), "", labels)


def _values(present: Sequence[str]) -> str:
    more = " ..." if len(present) > 8 else ""
    return f"the column holds {', '.join(present[:8])}{more}"


def _arms(table: pl.DataFrame, request: Request) -> tuple[NDArray[np.str_] | None, tuple[str, ...]]:
    """Labels of the arms and their order: the reference first, then by name."""
    if request.arm is None:
        return None, ()
    labels = labels_of(table, (request.arm,))
    names = levels_of(labels, request.arm, of_arms=True)
    first = request.reference if request.reference is not None else names[0]
    if first not in names:
        said = f'no arm "{first}"{nearest(first, names)}'
        refuse("GP-V034", said, expected="one of " + ", ".join(names))
    return labels, (first, *(name for name in names if name != first))


def _covariates(
    table: pl.DataFrame, request: Request, arm: NDArray[np.str_] | None, arms: Sequence[str]
) -> tuple[dict[str, Floats], list[str]]:
    """Terms of a regression: the arms but the first, then covariates; levels of text but the first."""
    terms: dict[str, Floats] = {}
    said = []
    if arm is not None:
        terms |= {f"{name} against {arms[0]}": (arm == name).astype(float) for name in arms[1:]}
    for name in request.beside:
        there = table[name].is_not_null().to_numpy()
        if name not in request.factors and numeric(table.filter(there), name):
            terms[name] = np.full(table.height, np.nan)
            terms[name][there] = numbers(table.filter(there), name)
            continue
        labels = labels_of(table.filter(there), (name,))
        levels = levels_of(labels, name)
        for level in levels[1:]:
            term = np.full(table.height, np.nan)
            term[there] = labels == level
            terms[f"{name}: {level} against {levels[0]}"] = term
        said.append(f"{name}: {len(levels)} levels, against {levels[0]}")
    return terms, said
