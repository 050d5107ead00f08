"""One's own table as arrays: columns by name, what is missing counted, the coding of events asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint import units
from glueprint.errors import InputError, nearest
from glueprint.survival._check import Flags, Floats

__all__ = ["Patients", "Request", "patients"]

YES, NO = ("1", "1.0", "true", "yes"), ("0", "0.0", "false", "no")
UNITS = {"day": "days", "week": "weeks", "month": "months", "year": "years", "hour": "hours"}
# A column that no table has: the line of the file.
ROW = "\0row"
SPELLED = {"d": "day", "wk": "week", "mo": "month", "mos": "month", "y": "year", "yr": "year", "h": "hour"}
# Columns of these names hold 1 for censored, as CNSR of CDISC ADTTE does.
CENSORING = re.compile(r"^(cnsr|censor\w*)$", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """Which column is what.

    time: follow-up, or the date of its end with `origin`, the date of its start.   event: a column of 1
    and 0, or "COLUMN=VALUE" (values by comma) for the values that are the event.   unit: of the times, None:
    as the header says.   to: unit of the answers.   arm, strata, covariates (numbers, or text as levels),
    factors (numbers as levels).   reference: the arm others are compared with, None: the first by name.
    where: "COLUMN=VALUE" (values by comma), the rows that are meant.
    entry: when a row comes under observation, in the unit of the times.   weights: of rows.   patient: whose
    row it is, where one has several.   cluster: which rows belong together otherwise, such as a centre.
    cause: in place of `event`, what ended the follow-up, where it is one of several things; `censored`: its
    values that are no event.
    """

    time: str
    event: str = ""
    arm: str | None = None
    reference: str | None = None
    strata: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    factors: tuple[str, ...] = ()
    origin: str | None = None
    unit: str | None = None
    to: str | None = None
    where: tuple[str, ...] = ()
    entry: str | None = None
    weights: str | None = None
    patient: str | None = None
    cluster: str | None = None
    cause: str | None = None
    censored: tuple[str, ...] = ()

    @property
    def event_column(self) -> str:
        """The column of `event`, without its values."""
        return self.event.partition("=")[0].strip()

    @property
    def named(self) -> tuple[str, ...]:
        """Every column asked for."""
        columns = (self.arm, self.origin, self.entry, self.weights, self.patient, self.cluster)
        single = (self.time, self.event_column, self.cause, *columns)
        return tuple(filter(None, (*single, *self.strata, *self.covariates, *self.factors)))


@dataclass(frozen=True)
class Patients:
    """The rows that can be used.

    time, event: (n,).   arm, strata: (n,) labels or None.   covariates: (n,) by term, in the order asked for.
    arms: in order, the reference first.   unit: of the times, "" where nobody said.   notes: for people.
    """

    time: Floats
    event: Flags
    arm: NDArray[np.str_] | None
    arms: tuple[str, ...]
    strata: NDArray[np.str_] | None
    covariates: Mapping[str, Floats]
    unit: str
    entry: Floats | None = None
    weights: Floats | None = None
    patient: NDArray[np.str_] | None = None
    cluster: NDArray[np.str_] | None = None
    cause: NDArray[np.str_] | None = None
    notes: tuple[str, ...] = field(default=())


def patients(table: Any, request: Request) -> Patients:
    """The arrays of a table with one row a patient.

    table: polars, pandas or Arrow, or a mapping of columns.   request: which column is what.
    Returns Patients; rows with something missing are left out and named in the notes.
    Raises InputError GP-V030 (columns), GP-V031 (events), GP-V032 (times), GP-V033 (units), GP-V034 (arms).
    """
    frame = _frame(table)
    if bool(request.event) == (request.cause is not None):
        _refuse(
            "GP-V031",
            "both an event and a cause" if request.event else "no event",
            expected="an event, or a cause with the values of it that are censored",
        )
    chosen = [_split(item) for item in request.where]
    for name in (*request.named, *(name for name, _ in chosen)):
        if name not in frame.columns:
            _refuse("GP-V030", f'no column "{name}"{nearest(name, frame.columns)}', frame)
    row = pl.int_range(2, pl.len() + 2)
    blank = pl.col(pl.String).str.strip_chars().replace("", None)
    frame = frame.with_columns(blank, row.alias(ROW)).with_columns(
        pl.col(pl.Float64, pl.Float32).fill_nan(None)
    )
    for name, values in chosen:
        present = frame[name].cast(pl.String).unique().drop_nulls().sort().to_list()
        frame = frame.filter(pl.col(name).cast(pl.String).is_in(values))
        if frame.is_empty():
            _refuse("GP-V030", f"no row with {name}={','.join(values)}", frame, _values(present))
    kept = frame.drop_nulls(list(request.named))
    notes = list(_left_out(frame, kept, request.named))
    if kept.is_empty():
        _refuse("GP-V030", "no row without a missing value", frame)
    time, unit, factor, said = _times(kept, request)
    arm, arms = _arms(kept, request)
    covariates, levels = _covariates(kept, request, arm, arms)
    strata = _labels(kept, request.strata) if request.strata else None
    cause = _causes(kept, request.cause, request.censored) if request.cause else None
    notes += [*said, *levels]
    return Patients(
        time,
        _events(kept, request) if cause is None else cause != "",
        arm,
        arms,
        strata,
        covariates,
        unit,
        entry=factor * _numbers(kept, request.entry) if request.entry else None,
        weights=_numbers(kept, request.weights) if request.weights else None,
        patient=_labels(kept, (request.patient,)) if request.patient else None,
        cluster=_labels(kept, (request.cluster,)) if request.cluster else None,
        cause=cause,
        notes=tuple(notes),
    )


def _split(item: str) -> tuple[str, list[str]]:
    name, found, values = item.partition("=")
    if not found:
        _refuse("GP-V030", f'"{item}"', expected="COLUMN=VALUE, as PARAMCD=OS")
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


def _times(table: pl.DataFrame, request: Request) -> tuple[Floats, str, float, list[str]]:
    """Times in the unit asked for, the unit, the factor to it, and what was converted."""
    column = table[request.time]
    if request.origin is not None:
        ends, starts = (_dates(table, name) for name in (request.time, request.origin))
        values, unit = (ends - starts) / np.timedelta64(1, "D"), "day"
    elif column.dtype == pl.Duration:
        values, unit = column.to_numpy() / np.timedelta64(1, "D"), "day"
    elif column.dtype.is_temporal() or (column.dtype == pl.String and _is_date(str(column[0]))):
        _refuse(
            "GP-V032", f'dates in "{request.time}", such as {column[0]}', table, "--origin COLUMN: the start"
        )
    else:
        values, unit = _numbers(table, request.time), _unit(request)
    bad = np.flatnonzero(~np.isfinite(values) | (values < 0))
    if bad.size:
        where = f"row {table[ROW][int(bad[0])]}, {request.time}"
        _refuse("GP-V032", f"{where}: a follow-up of {values[bad[0]]:g}", table, "a time of 0 or more")
    if request.to is None:
        return values, UNITS.get(unit, ""), 1.0, []
    to = _known(request.to, "--in")
    if not unit:
        _refuse(
            "GP-V033", f'"{request.time}" has no unit to convert from', table, "--unit, such as --unit days"
        )
    said = [] if to == unit else [f"{request.time} read in {UNITS[unit]}, shown in {UNITS[to]}"]
    factor = units.convert(1.0, unit, to)
    return values * factor, UNITS[to], factor, said


def _unit(request: Request) -> str:
    """The unit of the times as the header or the request says it; "" where neither does."""
    words = re.findall(r"[a-z]+", request.time.lower())
    named = [unit for unit in map(_of_text, words) if unit]
    asked = _known(request.unit, "--unit") if request.unit else ""
    if asked and named and asked not in named:
        said = f'"{request.time}" says {UNITS[named[-1]]}, the request {UNITS[asked]}'
        _refuse("GP-V033", said, expected="one unit")
    return asked or (named[-1] if named else "")


def _of_text(word: str) -> str:
    single = word.removesuffix("s")
    return single if single in UNITS else SPELLED.get(word, "") if len(word) > 1 else ""


def _known(unit: str, option: str) -> str:
    text = unit.strip().lower()
    found = SPELLED.get(text) or _of_text(text)
    if not found:
        _refuse(
            "GP-V033", f'{option} "{unit}"{nearest(unit, UNITS.values())}', expected=", ".join(UNITS.values())
        )
    return found


def _numbers(table: pl.DataFrame, name: str) -> Floats:
    if table[name].dtype.is_temporal():
        _refuse("GP-V032", f'dates or durations in "{name}"', table, "numbers, in the unit of the times")
    numbers = table[name].cast(pl.Float64, strict=False)
    bad = numbers.is_null().arg_true()
    if bad.len():
        at = int(bad[0])
        _refuse(
            "GP-V032", f'row {table[ROW][at]}, {name}: "{table[name][at]}" is no number', table, "numbers"
        )
    return np.asarray(numbers.to_numpy(), dtype=float)


def _is_date(text: str) -> bool:
    return re.match(r"^\d{4}-\d\d-\d\d", text) is not None


def _dates(table: pl.DataFrame, name: str) -> NDArray[np.datetime64]:
    column = table[name]
    if column.dtype == pl.String:
        column = column.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    elif not column.dtype.is_temporal():
        _refuse("GP-V032", f'no dates in "{name}", such as {table[name][0]}', table, "dates, as 2024-05-31")
    bad = column.is_null().arg_true()
    if bad.len():
        at = int(bad[0])
        said = f'row {table[ROW][at]}, {name}: "{table[name][at]}" is no date'
        _refuse("GP-V032", said, table, "dates of one form, as 2024-05-31")
    return np.asarray(column.to_numpy(), dtype="datetime64[us]")


def _events(table: pl.DataFrame, request: Request) -> Flags:
    name, given, values = request.event.partition("=")
    name = name.strip()
    found = table[name].cast(pl.String).str.to_lowercase()
    present = found.unique().sort().to_list()
    if given:
        wanted = [value.strip().lower() for value in values.split(",")]
        strange = [value for value in wanted if value not in present and f"{value}.0" not in present]
        if strange:
            _refuse("GP-V031", f'no row has {name} "{strange[0]}"', table, _values(present))
        wanted += [f"{value}.0" for value in wanted]
        return np.asarray(found.is_in(wanted).to_numpy(), dtype=np.bool_)
    if CENSORING.match(name):
        said = f'"{name}" may hold 1 for censored, and not for the event'
        _refuse(
            "GP-V031",
            said,
            table,
            f'the values that are the event: "{name}=0" as in CDISC ADTTE, or "{name}=1"',
        )
    other = [value for value in present if value not in (*YES, *NO)]
    if other:
        said = f'{name} "{other[0]}" is neither 1 nor 0'
        _refuse(
            "GP-V031",
            said,
            table,
            f'the values that are the event, as "{name}={other[-1]}"; {_values(present)}',
        )
    return np.asarray(found.is_in(YES).to_numpy(), dtype=np.bool_)


def _causes(table: pl.DataFrame, name: str, censored: Sequence[str]) -> NDArray[np.str_]:
    labels = _labels(table, (name,))
    present = sorted(set(labels.tolist()))
    missing = [value for value in censored if value not in present]
    if missing or not censored or len(present) > 20:
        said = (
            f'{name} is never "{missing[0]}"'
            if missing
            else f"which values of {name} are no event is not said"
        )
        _refuse("GP-V031", said, table, f"the values that are censored, as 0; {_values(present)}")
    return np.where(np.isin(labels, censored), "", labels)


def _values(present: Sequence[str]) -> str:
    more = " ..." if len(present) > 8 else ""
    return f"the column holds {', '.join(present[:8])}{more}"


def _labels(table: pl.DataFrame, names: Sequence[str]) -> NDArray[np.str_]:
    text = pl.concat_str([pl.col(name).cast(pl.String) for name in names], separator=", ")
    return np.asarray(table.select(text).to_series().to_list(), dtype=np.str_)


def _arms(table: pl.DataFrame, request: Request) -> tuple[NDArray[np.str_] | None, tuple[str, ...]]:
    """Labels of the arms and their order: the reference first, then by name."""
    if request.arm is None:
        return None, ()
    labels = _labels(table, (request.arm,))
    names = sorted(set(labels.tolist()))
    if len(names) > 20:
        _refuse(
            "GP-V034", f'{len(names)} values in "{request.arm}"', table, "a column with the name of the arm"
        )
    first = request.reference if request.reference is not None else names[0]
    if first not in names:
        said = f'no arm "{first}"{nearest(first, names)}'
        _refuse("GP-V034", said, expected="one of " + ", ".join(names))
    return labels, (first, *(name for name in names if name != first))


def _covariates(
    table: pl.DataFrame, request: Request, arm: NDArray[np.str_] | None, arms: Sequence[str]
) -> tuple[dict[str, Floats], list[str]]:
    """Terms of a regression: the arms but the first, then covariates; levels of text but the first."""
    terms: dict[str, Floats] = {}
    said = []
    if arm is not None:
        terms |= {f"{name} against {arms[0]}": (arm == name).astype(float) for name in arms[1:]}
    for name in (*request.covariates, *request.factors):
        text = table[name].cast(pl.Float64, strict=False).null_count() > 0
        if name not in request.factors and not text:
            terms[name] = _numbers(table, name)
            continue
        labels = _labels(table, (name,))
        levels = sorted(set(labels.tolist()))
        if len(levels) > 20:
            _refuse(
                "GP-V034", f'{len(levels)} levels in "{name}"', table, "a column of numbers, or of few levels"
            )
        terms |= {
            f"{name}: {level} against {levels[0]}": (labels == level).astype(float) for level in levels[1:]
        }
        said.append(f"{name}: {len(levels)} levels, against {levels[0]}")
    return terms, said


def _refuse(code: str, message: str, table: pl.DataFrame | None = None, expected: str = "") -> NoReturn:
    columns = [] if table is None else [name for name in table.columns if name != ROW]
    raise InputError(
        code,
        message,
        where="table of patients",
        expected=expected or f"one of the columns {', '.join(columns)}",
        next_step="see docs/survival.md, Your own table",
    )
