"""Times of one's own table in one unit: numbers, durations, or dates from a start."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint import units
from glueprint.errors import InputError, nearest
from glueprint.survival._check import Flags, Floats
from glueprint.survival.request import Request

__all__ = ["ROW", "Clock", "clock_of", "numbers", "refuse", "times", "unit_of_answers"]

UNITS = {"day": "days", "week": "weeks", "month": "months", "year": "years", "hour": "hours"}
# A column that no table has: the line of the file.
ROW = "\0row"
SPELLED = {"d": "day", "wk": "week", "mo": "month", "mos": "month", "y": "year", "yr": "year", "h": "hour"}


# Days after which a follow-up is no follow-up but a date counted from 1960 or 1970: 27 years for everybody.
DATE_LIKE = 10_000.0
DATE_NAME = re.compile(r"(dt|dtc|date)$", re.IGNORECASE)
SAS_DATE = re.compile(r"^\d{1,2}[A-Za-z]{3}\d{4}$")


@dataclass(frozen=True)
class Clock:
    """How columns of times are read.

    unit: of the numbers, "" where nobody said.   factor: to the unit of the answers.   origin: column of the
    date on which follow-up begins, or None.
    """

    unit: str
    factor: float
    origin: str | None


def clock_of(table: pl.DataFrame, request: Request) -> Clock:
    """The unit of the times of a request, as the header or the request says it, and the factor to --in."""
    column = table[request.clock]
    in_days = request.origin is not None or column.dtype == pl.Duration
    if in_days and request.unit and _known(request.unit, "--unit") != "day":
        said = f'--unit "{request.unit}" beside dates or durations, "{request.clock}", read in days'
        refuse("GP-V033", said, expected="no --unit; --in for the unit of the answers")
    unit = "day" if in_days else _unit(request)
    if request.to is None:
        return Clock(unit, 1.0, request.origin)
    to = _known(request.to, "--in")
    if not unit:
        said = f'"{request.clock}" has no unit to convert from'
        refuse("GP-V033", said, table, "--unit, such as --unit days")
    return Clock(unit, units.convert(1.0, unit, to), request.origin)


def unit_of_answers(clock: Clock, request: Request) -> tuple[str, list[str]]:
    """The unit of the answers in words, and what was converted."""
    if request.to is None:
        return UNITS.get(clock.unit, ""), []
    to = _known(request.to, "--in")
    said = f"{request.clock} read in {UNITS[clock.unit]}, shown in {UNITS[to]}"
    return UNITS[to], [] if to == clock.unit else [said]


def times(table: pl.DataFrame, name: str, clock: Clock, *, missing: bool = False) -> Floats:
    """A column of times in the unit of the answers, (n,).

    missing: whether nothing is a time, too; it is then NaN.
    Raises InputError GP-V032 for what is no time, GP-V033 for a header with another unit.
    """
    column = table[name]
    there = column.is_not_null().to_numpy()
    dated = column.dtype.is_temporal() and column.dtype != pl.Duration
    text = column.dtype == pl.String and any(map(_is_date, column.drop_nulls().head(5).to_list()))
    if column.dtype == pl.Duration:
        values = np.where(there, column.dt.total_microseconds().to_numpy() / 86_400e6, np.nan)
        values = values * _from_days(name, clock, table)
    elif clock.origin is not None and (dated or text or name == clock.origin or not missing):
        values = np.full(table.height, np.nan)
        ends, starts = _dates(table.filter(there), name), _dates(table.filter(there), clock.origin)
        values[there] = (ends - starts) / np.timedelta64(1, "D")
    elif dated or text:
        said = f'dates in "{name}", such as {column.drop_nulls()[0]}'
        refuse("GP-V032", said, table, "--origin COLUMN: the start")
    else:
        _one_unit(name, clock, table)
        values = np.full(table.height, np.nan)
        values[there] = numbers(table.filter(there), name)
    _possible(table, name, values, there, clock)
    return values * clock.factor


def _possible(table: pl.DataFrame, name: str, values: Floats, there: Flags, clock: Clock) -> None:
    """Refuse times that are none: before the start, or dates as numbers."""
    bad = np.flatnonzero(there & ~(np.isfinite(values) & (values >= 0)))
    if bad.size:
        where = f"row {table[ROW][int(bad[0])]}, {name}"
        refuse("GP-V032", f"{where}: a follow-up of {values[bad[0]]:g}", table, "a time of 0 or more")
    least = float(values[there].min()) if there.any() else 0.0
    if least > DATE_LIKE and (clock.unit == "day" or DATE_NAME.search(name)):
        said = f'"{name}" holds {least:g} and more, which look like dates counted in days from 1960'
        refuse("GP-V032", said, table, "days from each patient's start: subtract the date of its start")


def _from_days(name: str, clock: Clock, table: pl.DataFrame) -> float:
    if not clock.unit:
        refuse("GP-V033", f'durations in "{name}" beside times without a unit', table, "--unit")
    return units.convert(1.0, "day", clock.unit)


def _one_unit(name: str, clock: Clock, table: pl.DataFrame) -> None:
    """Refuse a header that says another unit than that of the times."""
    named = _named(name)
    if named and clock.unit and clock.unit not in named:
        said = f'"{name}" says {UNITS[named[-1]]}, the times are in {UNITS[clock.unit]}'
        refuse("GP-V033", said, table, "one unit in all columns of times")


def _unit(request: Request) -> str:
    """The unit of the times as the header or the request says it; "" where neither does."""
    named = _named(request.clock)
    asked = _known(request.unit, "--unit") if request.unit else ""
    if asked and named and asked not in named:
        said = f'"{request.clock}" says {UNITS[named[-1]]}, the request {UNITS[asked]}'
        refuse("GP-V033", said, expected="one unit")
    if not asked and len(set(named)) > 1:
        said = f'"{request.clock}" says {" and ".join(UNITS[unit] for unit in dict.fromkeys(named))}'
        refuse("GP-V033", said, expected=f"--unit, such as --unit {UNITS[named[0]]}")
    return asked or (named[-1] if named else "")


def _named(header: str) -> list[str]:
    """The units that the words of a header name."""
    return [unit for unit in map(_of_text, re.findall(r"[a-z]+", header.lower())) if unit]


def _of_text(word: str) -> str:
    single = word.removesuffix("s")
    return single if single in UNITS else SPELLED.get(word, "") if len(word) > 1 else ""


def _known(unit: str, option: str) -> str:
    text = unit.strip().lower()
    found = SPELLED.get(text) or _of_text(text)
    if not found:
        refuse(
            "GP-V033", f'{option} "{unit}"{nearest(unit, UNITS.values())}', expected=", ".join(UNITS.values())
        )
    return found


def numbers(table: pl.DataFrame, name: str) -> Floats:
    """A column of numbers, (n,); raises InputError GP-V032 for what is none."""
    if table[name].dtype.is_temporal():
        refuse("GP-V032", f'dates or durations in "{name}"', table, "numbers, in the unit of the times")
    values = table[name].cast(pl.Float64, strict=False)
    bad = values.is_null().arg_true()
    if bad.len():
        at = int(bad[0])
        refuse("GP-V032", f'row {table[ROW][at]}, {name}: "{table[name][at]}" is no number', table, "numbers")
    return np.asarray(values.to_numpy(), dtype=float)


def _is_date(text: str) -> bool:
    return re.match(r"^\d{4}-\d\d-\d\d", text) is not None or SAS_DATE.match(text) is not None


def _dates(table: pl.DataFrame, name: str) -> NDArray[np.datetime64]:
    column = table[name]
    if column.dtype == pl.String:
        iso = column.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
        column = iso.fill_null(column.str.to_titlecase().str.to_date("%d%b%Y", strict=False))
    elif not column.dtype.is_temporal():
        refuse("GP-V032", f'no dates in "{name}", such as {table[name][0]}', table, "dates, as 2024-05-31")
    bad = column.is_null().arg_true()
    if bad.len():
        at = int(bad[0])
        said = f'row {table[ROW][at]}, {name}: "{table[name][at]}" is no date'
        refuse("GP-V032", said, table, "dates of one form, as 2024-05-31 or 31MAY2024")
    return np.asarray(column.to_numpy(), dtype="datetime64[us]")


def refuse(code: str, message: str, table: pl.DataFrame | None = None, expected: str = "") -> NoReturn:
    """Raise an InputError about the table; without `expected` it lists the columns."""
    columns = [] if table is None else [name for name in table.columns if name != ROW]
    raise InputError(
        code,
        message,
        where="table of patients",
        expected=expected or f"one of the columns {', '.join(columns)}",
        next_step="see docs/survival.md, Your own table",
    )
