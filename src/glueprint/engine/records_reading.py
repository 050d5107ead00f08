"""Reads data sets as NONMEM and its kin write them: one row an event, columns by name, "." for nothing."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glueprint.boundary import read_text
from glueprint.engine.records import DOSE, OBSERVATION, Records, checked
from glueprint.errors import InputError, NotSupportedError, nearest

__all__ = ["read_records"]

Floats = NDArray[np.float64]

NEEDED = ("ID", "TIME")
NUMBERS = ("TIME", "AMT", "RATE", "DUR", "II", "DV")
COUNTS = ("EVID", "MDV", "ADDL", "SS")
RESERVED = ("ID", "CMT", *NUMBERS, *COUNTS)
DROPPED = ("DROP", "SKIP")
DATES = ("DATE", "DAT1", "DAT2", "DAT3")
MISSING = frozenset({"", ".", "NA"})
# As Fortran writes numbers, too: 1.5D+2.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?")
CLOCK = re.compile(r"\d+:\d+(:\d+)?")
REMARK = "#"


@dataclass(frozen=True)
class _Table:
    """Cells by row, with names of columns and the lines they stand in."""

    name: str
    columns: tuple[str, ...]
    cells: list[list[str]]
    lines: list[int]
    ignored: int

    def has(self, column: str) -> bool:
        return column in self.columns

    def column(self, column: str) -> list[str]:
        place = self.columns.index(column)
        return [row[place] for row in self.cells]

    def numbers(self, column: str) -> Floats:
        """The numbers of a column, NaN where missing; zeros where there is no such column."""
        if not self.has(column):
            return np.zeros(len(self.cells))
        return np.array([self._number(row, text, column) for row, text in enumerate(self.column(column))])

    def or_zero(self, column: str) -> Floats:
        return np.nan_to_num(self.numbers(column), nan=0.0)

    def counts(self, column: str) -> NDArray[np.int64]:
        values = self.or_zero(column)
        for row in np.flatnonzero(values != np.floor(values)):
            raise self.fault(int(row), column, f'"{values[row]:g}"', "a whole number")
        return values.astype(np.int64)

    def _number(self, row: int, text: str, column: str) -> float:
        if text in MISSING:
            return np.nan
        if not NUMBER.fullmatch(text):
            if column == "TIME" and CLOCK.fullmatch(text):
                raise NotSupportedError(
                    "GP-N058",
                    f'"{text}", the time of a clock',
                    where=f"{self.name}, line {self.lines[row]}, column TIME",
                    next_step="write the time since the patient's first row as a number",
                )
            raise self.fault(row, column, f'"{text}"', 'a number, or "." for nothing')
        return _value(text)

    def fault(self, row: int, column: str, what: str, expected: str) -> InputError:
        return InputError(
            "GP-N056",
            what,
            where=f"{self.name}, line {self.lines[row]}, column {column}",
            expected=expected,
            next_step="correct the cell; remarks begin with #, and --ignore @ leaves out lines of text",
        )


def read_records(
    path: str | os.PathLike[str],
    *,
    columns: Sequence[str] | None = None,
    ignore: str = REMARK,
    drop: Sequence[str] = (),
) -> Records:
    """The records of a data set, checked.

    path: a file with commas, semicolons, tabs or blanks between cells.   columns: names, where the file has
    no line of them, as in $INPUT: also "DOSE=AMT" and "DATE=DROP".   ignore: lines that begin with this
    character are remarks, "@" stands for any letter (as IGNORE of $DATA); lines with # always are.   drop:
    columns not to read.
    Names of columns count in any case; ".", nothing and NA are missing values, which are 0 in columns that
    describe doses.
    Raises InputError GP-N055 (no such file, no names, no ID or TIME), GP-N056 (a cell that is no number),
    and as `records.checked`.
    """
    where = os.fspath(path)
    try:
        text = read_text(Path(path))
    except (OSError, ValueError) as error:
        raise _unreadable(where, f"it cannot be read: {error}") from error
    table = _table(where, text, columns, ignore, {name.upper() for name in drop})
    for name in DATES:
        if table.has(name):
            raise NotSupportedError(
                "GP-N058",
                f"column {name}: times that are counted from dates",
                where=where,
                next_step=f"write TIME in one unit from the first row on, and use --drop {name}",
            )
    return checked(_records(table))


def _table(where: str, text: str, columns: Sequence[str] | None, ignore: str, drop: set[str]) -> _Table:
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    names, start = (list(columns), 0) if columns else _header(where, lines, ignore)
    names = [_synonym(name) for name in names]
    places = {f"DROP {place}" for place, name in enumerate(names) if name.upper() in DROPPED}
    names = [f"DROP {place}" if name.upper() in DROPPED else name for place, name in enumerate(names)]
    drop = drop | places
    separator = _separator(lines[start - 1][1] if start else lines[0][1]) if lines else ","
    known = [name.upper() if name.upper() in (*RESERVED, *DATES, "C") else name for name in names]
    folded = [name.upper() for name in names]
    for name in folded:
        if folded.count(name) > 1:
            raise _unreadable(where, f'two columns are called "{name}"')
    for name in NEEDED:
        if name not in known:
            raise _unreadable(where, f'no column is called "{name}"{nearest(name, names)}')
    unknown = sorted(drop - set(folded))
    if unknown:
        raise _unreadable(where, f'no column is called "{unknown[0]}", which was to be dropped')
    cells, numbers, ignored = [], [], 0
    for number, line in lines[start:]:
        row = _cells(line, separator, f"{where}, line {number}")
        if _is_remark(line, ignore) or (
            "C" in known and row[known.index("C") : known.index("C") + 1] == ["C"]
        ):
            ignored += 1
            continue
        while len(row) > len(known) and not row[-1]:
            row.pop()
        if len(row) != len(known):
            raise InputError(
                "GP-N056",
                f"{len(row)} cells",
                where=f"{where}, line {number}",
                expected=f"{len(known)}, as many as there are columns",
                next_step='write "." for what is missing; remarks begin with #',
            )
        cells.append([cell for cell, name in zip(row, folded, strict=True) if name not in drop])
        numbers.append(number)
    if not cells:
        raise _unreadable(where, "it has no rows")
    kept = tuple(name for name, plain in zip(known, folded, strict=True) if plain not in drop)
    return _Table(where, kept, cells, numbers, ignored)


def _synonym(name: str) -> str:
    """Of the two names in "DOSE=AMT", the one that says what the column is."""
    parts = [part.strip().strip("\"'").strip() for part in name.split("=")]
    meant = [part for part in parts if part.upper() in (*RESERVED, *DROPPED)]
    return meant[0] if meant else parts[0]


def _header(where: str, lines: list[tuple[int, str]], ignore: str) -> tuple[list[str], int]:
    """Names of columns, and how many lines there are until the first row."""
    for place, (_, line) in enumerate(lines):
        bare = line.strip().removeprefix(REMARK)
        found = _cells(bare, _separator(bare), where)
        if set(NEEDED) <= {name.strip("\"' ").upper() for name in found}:
            return found, place + 1
        if not _is_remark(line, ignore):
            break
    raise _unreadable(where, "no first line names the columns, ID and TIME among them")


def _separator(line: str) -> str:
    return next((mark for mark in (",", "\t", ";") if mark in line), " ")


def _cells(line: str, separator: str, where: str) -> list[str]:
    if separator == " ":
        return line.split()
    try:
        (row,) = csv.reader([line], delimiter=separator, skipinitialspace=True)
    except csv.Error as error:
        raise _unreadable(where, f"a line cannot be read: {error}") from error
    return [cell.strip() for cell in row]


def _is_remark(line: str, ignore: str) -> bool:
    first = line.strip()[0]
    return first in (REMARK, ignore) or (ignore == "@" and first.isalpha())


def _records(table: _Table) -> Records:
    amount = table.or_zero("AMT")
    ids = table.column("ID")
    labelled = [_label(table, row, text) for row, text in enumerate(ids)]
    labels = tuple(dict.fromkeys(labelled))
    _refuse_mixed(table, ids)
    place = {label: number for number, label in enumerate(labels)}
    time = table.numbers("TIME")
    for row in np.flatnonzero(np.isnan(time)):
        raise table.fault(int(row), "TIME", "no time", "a number")
    rate, duration, steady = table.or_zero("RATE"), table.or_zero("DUR"), table.counts("SS")
    missing = table.counts("MDV")
    for row in np.flatnonzero(~np.isin(missing, (0, 1, 100, 101))):
        raise table.fault(int(row), "MDV", f'"{missing[row]}"', "0 or 1")
    gives = (amount != 0) | (rate != 0) | (duration != 0) | (steady != 0)
    event = table.counts("EVID") if table.has("EVID") else np.where(gives, DOSE, OBSERVATION)
    observed = table.numbers("DV") if table.has("DV") else np.full(len(ids), np.nan)
    observed[(event != OBSERVATION) | np.isin(missing, (1, 101))] = np.nan
    covariates, texts = _covariates(table)
    patient = np.array([place[label] for label in labelled], dtype=np.int64)
    filled = {name: _fill(values, patient) for name, values in covariates.items()}
    compartment = table.column("CMT") if table.has("CMT") else [""] * len(ids)
    return Records(
        name=table.name,
        labels=labels,
        line=np.array(table.lines, dtype=np.int64),
        patient=patient,
        time=time,
        event=np.asarray(event, dtype=np.int64),
        amount=amount,
        rate=rate,
        duration=duration,
        compartment=np.array([_compartment(text) for text in compartment], dtype=np.str_),
        additional=table.counts("ADDL"),
        interval=table.or_zero("II"),
        steady=steady,
        observed=observed,
        covariates=covariates,
        texts=texts,
        filled={name: count for name, count in filled.items() if count},
        ignored=table.ignored,
    )


def _fill(values: Floats, patient: NDArray[np.int64]) -> int:
    """Give missing values that of the patient's row before, if there is one; returns how many."""
    missing = np.isnan(values)
    rows = np.arange(values.size)
    begins = np.diff(patient, prepend=-1) != 0
    source = np.maximum.accumulate(np.where(~missing | begins, rows, 0))
    values[:] = values[source]
    return int((missing & ~np.isnan(values)).sum())


def _value(text: str) -> float:
    """A number as Fortran may write it, 1D3."""
    return float(text.upper().replace("D", "E"))


def _label(table: _Table, row: int, text: str) -> str:
    """1, 1.0 and 01 are one patient."""
    if text in MISSING:
        raise table.fault(row, "ID", "no ID", "the patient's number or name")
    return f"{_value(text):.15g}" if NUMBER.fullmatch(text) else text


def _refuse_mixed(table: _Table, ids: list[str]) -> None:
    """A remark that is none would be a patient."""
    is_number = [NUMBER.fullmatch(text) is not None for text in ids]
    if any(is_number) and not all(is_number):
        row = is_number.index(not is_number[0])
        raise table.fault(row, "ID", f'"{ids[row]}" beside "{ids[0]}"', "all numbers, or all names")


def _compartment(text: str) -> str:
    if text in MISSING or (NUMBER.fullmatch(text) and _value(text) == 0):
        return ""
    return f"{_value(text):g}" if NUMBER.fullmatch(text) else text


def _covariates(table: _Table) -> tuple[dict[str, Floats], tuple[str, ...]]:
    """Other columns: those of numbers, and the names of the rest."""
    found, texts = {}, []
    for name in table.columns:
        if name in RESERVED:
            continue
        cells = table.column(name)
        if all(cell in MISSING or NUMBER.fullmatch(cell) for cell in cells):
            found[name] = table.numbers(name)
        else:
            texts.append(name)
    return found, tuple(texts)


def _unreadable(where: str, message: str) -> InputError:
    return InputError(
        "GP-N055",
        message,
        where=where,
        expected="a table whose first line names its columns: ID, TIME, AMT, ... (docs/dosing.md)",
        next_step="correct the file, or name the columns of a file without such a line (--columns ID,TIME)",
    )
