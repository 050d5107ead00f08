"""A table that a user has already analysed: one row a quantity, with its error, as a CSV file."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from glueprint.boundary import read_text
from glueprint.calibration.compound.measured import (
    CONCENTRATIONS,
    EFFECTS,
    MEASUREMENTS,
    QUANTITIES,
    table_of,
)
from glueprint.calibration.in_vitro.pooling import NM_PER_UNIT
from glueprint.errors import InputError, nearest
from glueprint.runs.store import file_hash

__all__ = ["measured_table"]

NEEDED = ("compound", "quantity")
RELATIONS = ("=", "<", ">", "between", "none")
NUMBERS = tuple(name for name, kind in MEASUREMENTS.items() if kind == pl.Float64())
GIVEN = tuple(name for name in MEASUREMENTS if name not in ("file", "sha256", "role", "flags"))
SHARES = {"fraction": 1.0, "%": 0.01, "": 1.0}
ASSAYS = ("fp", "degradation", "elisa", "growth", "table")
Row = dict[str, Any]


def _records(reader: csv.DictReader[str], path: Path) -> Iterator[dict[str, Any]]:
    try:
        yield from reader
    except csv.Error as error:
        raise _refused(f"a line cannot be read: {error}", f"{path.name} row {reader.line_num + 1}") from error


def measured_table(path: Path) -> pl.DataFrame:
    """Rows of `MEASUREMENTS` from a CSV file in UTF-8.

    path: columns compound and quantity, and value, or low and high; where known assay, experiment, run,
    target, cells, time_h, dose_nm, relation, unit, confidence, log10_se, shared_log10_se, n, why. Rows of one
    experiment share the assay's own error; without the column the file is one experiment.
    Raises InputError GP-K031 for what cannot be read, with row and column.
    """
    try:
        text = read_text(path)
    except (OSError, ValueError) as problem:
        raise _refused(str(problem), str(path)) from problem
    reader = csv.DictReader(io.StringIO(text))
    head = [name.strip() for name in reader.fieldnames or ()]
    missing = [name for name in NEEDED if name not in head]
    strange = [name for name in head if name not in GIVEN]
    if missing or strange:
        what = f'no column "{missing[0]}"' if missing else f'a column "{strange[0]}"'
        near = nearest(missing[0], head) if missing else nearest(strange[0], GIVEN)
        raise _refused(f"{what}{near}", str(path))
    rows = []
    for number, record in enumerate(_records(reader, path), 2):
        cells = {(key or "").strip(): (value or "").strip() for key, value in record.items() if key}
        if any(cells.values()):
            rows.append(_row(cells, f"{path.name} row {number}"))
    about = {"experiment": path.stem, "assay": "table"}
    origin = {"file": path.name, "sha256": file_hash(path), "role": "measured"}
    return table_of(about | row | origin for row in rows)


def _row(cells: dict[str, str], where: str) -> Row:
    """One row with its numbers read, in nM or as a fraction."""
    row: Row = {name: value for name, value in cells.items() if value and name not in (*NUMBERS, "n")}
    row |= {name: _number(cells[name], f"{where}, {name}") for name in NUMBERS if cells.get(name)}
    if cells.get("n"):
        row["n"] = round(_number(cells["n"], f"{where}, n"))
    for name, known in (("quantity", tuple(QUANTITIES)), ("relation", RELATIONS), ("assay", ASSAYS)):
        value = row.get(name, "=" if name == "relation" else "table" if name == "assay" else "")
        if value not in known:
            raise _refused(f'no {name} "{value}"{nearest(value, known)}', where, f"one of {', '.join(known)}")
    if not row.get("compound"):
        raise _refused("no compound", where, "the name of a compound")
    _convert(row, where)
    _check(row, where)
    return row


def _convert(row: Row, where: str) -> None:
    quantity, unit = row["quantity"], row.get("unit", "")
    if quantity in CONCENTRATIONS:
        unit = unit or "nM"
        if unit not in NM_PER_UNIT:
            raise _refused(f'the unit "{unit}"', where, f"one of {', '.join(NM_PER_UNIT)}")
        factor, row["unit"] = NM_PER_UNIT[unit], "nM"
    elif quantity == "rate_max_over_k_deg":
        if unit not in ("", "1", "dimensionless"):
            raise _refused(f'the unit "{unit}"', where, "no unit: it is a ratio of rates")
        factor, row["unit"] = 1.0, "dimensionless"
    else:
        if unit not in SHARES:
            raise _refused(f'the unit "{unit}"', where, '"fraction" or "%"')
        factor, row["unit"] = SHARES[unit], "fraction"
    row |= {name: row[name] * factor for name in ("value", "low", "high") if row.get(name) is not None}


def _check(row: Row, where: str) -> None:
    """Whether the numbers can be what they say."""
    relation = row.get("relation", "=")
    ends: list[float] = [row[name] for name in ("low", "value", "high") if row.get(name) is not None]
    share = row["quantity"] in EFFECTS and row["unit"] == "fraction"
    if relation == "between" and (row.get("low") is None or row.get("high") is None):
        raise _refused('"between" without both ends', where, "low and high")
    if relation in ("=", "<", ">") and row.get("value") is None:
        raise _refused(f'"{relation}" without a value', where, "a value")
    possible = all(0.0 < end < (1.0 if share else math.inf) for end in ends)
    if not possible or sorted(ends) != ends:
        raise _refused(
            f"{row.get('low')} to {row.get('high')} around {row.get('value')}",
            where,
            "numbers above 0 in the order low, value, high" + ("; fractions below 1" if share else ""),
        )
    for name in ("log10_se", "shared_log10_se"):
        if row.get(name) is not None and row[name] < 0.0:
            raise _refused(f"{row[name]:g}", f"{where}, {name}", "a standard error of zero or more")
    if row["quantity"] == "loss" and row.get("dose_nm") is None:
        raise _refused("a loss without a dose", f"{where}, dose_nm", "the dose in nM")
    if not 0.0 < row.get("confidence", 0.95) < 1.0:
        raise _refused(f"{row['confidence']:g}", f"{where}, confidence", "a number between 0 and 1")


def _number(text: str, where: str) -> float:
    try:
        found = float(text)
    except ValueError as problem:
        raise _refused(f'"{text}" is no number', where, "a number with a point for decimals") from problem
    if not math.isfinite(found):
        raise _refused(f'"{text}" is not finite', where, "a finite number, or an empty cell")
    return found


def _refused(what: str, where: str, expected: str = "") -> InputError:
    return InputError(
        "GP-K031",
        f"the table of measured quantities cannot be used: {what}",
        where=where,
        expected=expected
        or f"a CSV file in UTF-8 with the columns {', '.join(NEEDED)}, value, and of "
        f"{', '.join(name for name in GIVEN if name not in (*NEEDED, 'value'))} what is known",
        next_step="correct it; docs/your-glue-fit.md shows a whole table",
    )
