"""Wells without a dose: what their names, a logarithm that cannot be written and their level say of them."""

from __future__ import annotations

import re

import polars as pl

from glueprint.assays.intake.headers import dose_column
from glueprint.assays.intake.labels import UNUSED, is_vehicle, plain, role_of
from glueprint.assays.intake.meaning import RESPONSES
from glueprint.assays.intake.numbers import finite
from glueprint.assays.readers.text import short

__all__ = ["ALIKE", "LEFT_OUT", "named", "undosed"]

# What the role of a well says that is left out for its name; the name follows.
LEFT_OUT = f"{UNUSED}: "
# "High control", "Min", "LC": of two such names the one that reads more has the untreated cells or lanes.
BEHIND = r"(?: (?:control|controls|ctrl|ctl|signal|wells?))?(?: #?\d{1,2})?"
HIGH = re.compile(rf"(?:high|hi|hc|max|maximum|maximal|top){BEHIND}")
LOW = re.compile(rf"(?:low|lo|lc|min|minimum|minimal|bottom){BEHIND}")
# What the lowest dose may read over the control, also where a response has no name (`tables`).
ALIKE = (0.7, 1.4)


def undosed(found: pl.DataFrame, changes: list[str], *, logarithms: bool) -> pl.DataFrame:
    """The table with what its names say of wells without a dose.

    A compound that has no dose in any row is a control of full effect, or unknown: its wells are left out by
    name. Where doses were written as logarithms, an empty cell is a dose of 0, which has none.
    logarithms: whether they were.   changes: what was done, added to.
    """
    column = dose_column(found.columns)
    if not column or not found[column].null_count():
        return found
    empty = found[column].is_null().to_list()
    names, roles = zip(*_rows(found), strict=True)
    dosed = {name for name, none in zip(names, empty, strict=True) if not none}
    known = [bool(role) or _says(name) for name, role in zip(names, roles, strict=True)]
    open_ = [none and not said for none, said in zip(empty, known, strict=True)]
    out = [one and bool(name) and name not in dosed for one, name in zip(open_, names, strict=True)]
    zero = [logarithms and one and not left for one, left in zip(open_, out, strict=True)]
    if any(zero):
        s = "s" * (sum(zero) > 1)
        changes.append(f"{sum(zero)} row{s} without a logarithm of the dose as control{s}")
        amounts = pl.when(pl.Series(zero)).then(pl.lit(0.0)).otherwise(pl.col(column).cast(pl.Float64))
        found = found.with_columns(amounts.alias(column))
    if any(out):
        found = _with(found, "role", [
            f"{LEFT_OUT}{name}, no dose" if one else role or None
            for name, role, one in zip(names, roles, out, strict=True)
        ])  # fmt: skip
    return found


def named(found: pl.DataFrame, response: str, changes: list[str]) -> pl.DataFrame:
    """The table with High and Low control told apart where nothing else is a control; who is left out is
    said."""
    found = _of_extremes(found, response, changes)
    out = dict.fromkeys(name for name, role in _rows(found) if role.startswith(LEFT_OUT))
    if out:
        changes.append(f"no dose, not used: {short(out)}")
    return found


def _of_extremes(found: pl.DataFrame, response: str, changes: list[str]) -> pl.DataFrame:
    """A raw signal falls with the effect: what reads more is untreated, if the lowest doses read alike."""
    column = dose_column(found.columns)
    if not column or not response or RESPONSES[response].relative or "role" not in found.columns:
        return found
    names, roles = zip(*_rows(found), strict=True)
    amounts, values = ([finite(cell) for cell in found[name]] for name in (column, response))
    if any(
        amount == 0.0 or role_of(role) == "control" or _vehicle(name)
        for name, role, amount in zip(names, roles, amounts, strict=True)
    ):
        return found
    readings: dict[str, list[float]] = {}
    for name, role, value in zip(names, roles, values, strict=True):
        if role.startswith(LEFT_OUT) and value is not None and _extreme(name):
            readings.setdefault(name, []).append(value)
    if sorted(map(_extreme, readings)) != ["high", "low"]:
        return found
    low, high = sorted(readings, key=lambda name: _mean(readings[name]))
    least = min((amount for amount in amounts if amount), default=None)
    lowest = [
        value for amount, value in zip(amounts, values, strict=True) if amount == least and value is not None
    ]
    if least is None or not lowest or not ALIKE[0] <= _mean(lowest) / _mean(readings[high]) <= ALIKE[1]:
        return found
    changes.append(f'"{high}", which reads more than "{low}" and like the lowest dose, as the control')
    mine = [name == high and role.startswith(LEFT_OUT) for name, role in zip(names, roles, strict=True)]
    found = _with(
        found, "role", ["control" if one else role or None for one, role in zip(mine, roles, strict=True)]
    )
    return _with(
        found, "compound", [None if one else name or None for one, name in zip(mine, names, strict=True)]
    )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _vehicle(name: str) -> bool:
    """Whether a name is that of a vehicle, and not nothing."""
    return bool(name) and is_vehicle(name)


def _says(name: str) -> bool:
    """Whether the name of a compound says what is in the well, so that it needs no dose."""
    return _vehicle(name) or role_of(name) in ("blank", "time0")


def _extreme(name: str) -> str:
    words = plain(name)
    return "high" if HIGH.fullmatch(words) else "low" if LOW.fullmatch(words) else ""


def _rows(found: pl.DataFrame) -> list[tuple[str, str]]:
    """Compound and role of every row."""
    return list(zip(_labels(found, "compound"), _labels(found, "role"), strict=True))


def _labels(found: pl.DataFrame, name: str) -> list[str]:
    cells = found[name].to_list() if name in found.columns else [None] * found.height
    return [str(cell).strip() if cell is not None else "" for cell in cells]


def _with(found: pl.DataFrame, name: str, cells: list[str | None]) -> pl.DataFrame:
    return found.with_columns(pl.Series(name, cells, dtype=pl.String))
