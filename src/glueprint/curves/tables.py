"""Curves out of a plain table of x and y: columns by name, one curve a data set."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import polars as pl

from glueprint.curves.models.model import Floats
from glueprint.errors import InputError, nearest

__all__ = ["DataSets", "Weights", "data_sets", "refuse", "weights_of"]


MOST_NAMED = 8
# The name of a column whose cells were per cent, without their signs.
PER_CENT = "{} (%)"
# Names of columns that hold errors, of which a larger one speaks against a point.
# A response of which only an end is known: "< 5" below detection, "> 60000" beyond the detector.
LIMIT = re.compile(r"\s*(<=?|≤|>=?|≥)\s*(.+)")
ERRORS = re.compile(r"(?i)(^|[^a-z])(sd|se|sem|std|stdev|stddev|cv|err|error|var|variance)([^a-z]|$)")


@dataclass(frozen=True)
class DataSets:
    """n data sets of up to m points each, NaN where one is shorter.

    names: (n,).   inputs: (n, m) by the name of the model's input.   response: (n, m).   upper: (n, m) ends
    of responses that are limits, as `fit` takes them, None where there are none.   weights: (n, m) from a
    column, or None.   notes: what was left out, for people.
    """

    names: tuple[str, ...]
    inputs: Mapping[str, Floats]
    response: Floats
    upper: Floats | None
    weights: Floats | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Weights:
    """Weights out of a column: its values to a power, 1 or below."""

    column: str
    power: int = 1

    def of(self, values: Floats) -> Floats:
        """Weights of the column's values, as they are asked for."""
        return values**self.power


def weights_of(text: str, columns: Sequence[str], source: str = "") -> Weights:
    """What `weights` asks for: a column, or 1/column or 1/column2 such as 1/sd2.

    Raises InputError GP-C051 for a column of errors given as weights, with which the worst points count most.
    """
    found = re.fullmatch(r"1/(.+?)(\^?2)?", text)
    if text not in columns and found and found[1] in columns:
        return Weights(found[1], -2 if found[2] else -1)
    if text in columns and ERRORS.search(text):
        refuse(
            "GP-C051",
            f'weights out of "{text}", by its name an error: points with the largest would count most',
            source=source,
            expected=f'weights such as "1/{text}2", or a column of weights under another name',
        )
    return Weights(text)


def data_sets(
    table: pl.DataFrame,
    inputs: Mapping[str, str],
    y: Sequence[str],
    *,
    by: Sequence[str] = (),
    weights: Weights | None = None,
    upper: str | None = None,
    replicates: bool = False,
    log10_x: bool = False,
    source: str = "",
) -> DataSets:
    """The data sets of a table with one row a point.

    inputs: columns by the name of the model's input.   y: response columns: each a data set of its own, or,
    with `replicates`, all of them replicates of one.   by: columns whose values tell data sets apart.
    weights: a column, and the power of its values.   upper: a column of upper ends, where a response lies
    between two; cells such as "<5" and ">60000" are limits in any case.   log10_x: x are log10 of doses.
    source: the file, for refusals.
    Returns `DataSets`; rows without x or y are left out and counted.
    Raises InputError GP-C050 (columns, numbers).
    """
    asked = (*inputs.values(), *y, *by, *((weights.column,) if weights else ()), *filter(None, [upper]))
    # A reader that takes the signs out of the cells puts them into the header.
    signed = {PER_CENT.format(name): name for name in asked if name not in table.columns}
    signed = {of: name for of, name in signed.items() if of in table.columns}
    table = table.rename(signed)
    for name in asked:
        if name not in table.columns:
            refuse("GP-C050", f'no column "{name}"{nearest(name, table.columns)}', table, source=source)
    if not y or not table.height:
        refuse("GP-C050", "no response column" if not y else "a table without rows", table, source=source)
    long = pl.concat([_long(table, name, (inputs, by, weights, upper), source) for name in y])
    kept = long.drop_nulls([*(f"x {name}" for name in inputs), "y", "w"])
    what = "x, y or weight" if weights else "x or y"
    notes = [f"{long.height - kept.height} rows without {what} left out"] if kept.height < long.height else []
    notes += [f'"{name}" is in per cent' for name in signed.values()]
    silent = int((kept["w"] == 0.0).sum())
    notes += [f"{silent} rows with a weight of 0 left out"] if silent else []
    column = weights.column if weights else None
    unread = [name for name in table.columns if name not in (*inputs.values(), *y, *by, column, upper)]
    if unread:
        more = f" and {len(unread) - MOST_NAMED} more" if len(unread) > MOST_NAMED else ""
        notes.append(f"columns not read: {', '.join(unread[:MOST_NAMED])}{more}")
    if not kept.height:
        refuse("GP-C050", "no row with both x and y", table, source=source)
    names = [*by] if replicates or len(y) == 1 else [*by, "column"]
    told_by = [f"by {name}" if name in by else name for name in names]
    parts = kept.partition_by(told_by, maintain_order=True, as_dict=True) if names else {(): kept}
    labels = _labels([tuple(map(str, key)) for key in parts])
    notes += _doubts(labels)
    shape = len(parts), max(part.height for part in parts.values())
    arrays = {name: np.full(shape, np.nan) for name in kept.columns if name[:2] in ("x ", "y", "u", "w")}
    for i, part in enumerate(parts.values()):
        for name, array in arrays.items():
            array[i, : part.height] = part[name].to_numpy()
    found = {name: arrays[f"x {name}"] for name in inputs}
    if log10_x:
        found = {name: 10.0**value for name, value in found.items()}
    weight = np.nan_to_num(arrays["w"]) if weights else None  # NaN only past the end of a shorter set
    limits = kept["u"].count()
    if limits:
        notes.append(f"{limits} responses are limits, and enter by their likelihood")
    ends = arrays["u"] if limits else None
    return DataSets(labels, found, arrays["y"], ends, weight, tuple(notes))


def _labels(keys: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The name of each data set, by what tells it apart: with commas where blanks would leave two alike."""
    plain = tuple(" ".join(key) for key in keys)
    return plain if len(set(plain)) == len(plain) else tuple(", ".join(map(repr, key)) for key in keys)


def _doubts(labels: Sequence[str]) -> list[str]:
    """Notes on data sets that may be one, and on those without a name."""
    alike: dict[str, list[str]] = {}
    for label in labels:
        alike.setdefault(" ".join(label.casefold().split()), []).append(label)
    found = [
        f"data sets {' and '.join(map(repr, some))} differ in capitals or blanks alone, and are fitted apart"
        for some in alike.values()
        if len(some) > 1
    ]
    return found + (
        ["rows without a name of their data set are one set"] if "" in alike and len(labels) > 1 else []
    )


def _long(
    table: pl.DataFrame,
    y: str,
    columns: tuple[Mapping[str, str], Sequence[str], Weights | None, str | None],
    source: str,
) -> pl.DataFrame:
    """One response column as rows of x, y, weight and labels."""
    inputs, by, weights, upper = columns
    parts = {f"x {name}": _numbers(table, column, source) for name, column in inputs.items()}
    low, high = _ends(table, y, source)
    if upper is not None:
        told = _numbers(table, upper, source)
        high = np.where(np.isnan(told), high, told)
    parts |= {
        "y": low,
        "u": high,
        "w": _weights(table, weights, source) if weights else np.ones(table.height),
    }
    labels = {f"by {name}": table[name].cast(pl.String).fill_null("").str.strip_chars() for name in by}
    return pl.DataFrame({**parts, **labels, "column": [y] * table.height}).with_columns(
        pl.col(pl.Float64).fill_nan(None)
    )


def _weights(table: pl.DataFrame, weights: Weights, source: str) -> Floats:
    values = _numbers(table, weights.column, source)
    bad = np.flatnonzero(values <= 0.0) if weights.power < 0 else np.array([])
    if bad.size:
        row = int(bad[0])
        what = f'row {row + 2}, column "{weights.column}": an error of {values[row]:g}'
        refuse(
            "GP-C050", what, source=source, expected="errors above 0, or an empty cell to leave the row out"
        )
    return weights.of(values)


def _ends(table: pl.DataFrame, name: str, source: str) -> tuple[Floats, Floats]:
    """A column of responses and the upper ends of those that are limits, as `fit` takes them."""
    column = table[name]
    if column.dtype != pl.String:
        return _numbers(table, name, source), np.full(table.height, np.nan)
    found = [LIMIT.fullmatch(text or "") for text in column]
    bare = pl.Series(
        name, [one[2] if one else text for one, text in zip(found, column, strict=True)], pl.String
    )
    low = _numbers(table.with_columns(bare), name, source)
    below, above = (
        np.array([one is not None and one[1][0] in signs for one in found]) for signs in ("<≤", ">≥")
    )
    high = np.where(below, low, np.where(above, np.inf, np.nan))
    return np.where(below & np.isfinite(low), -np.inf, low), high


def _numbers(table: pl.DataFrame, name: str, source: str) -> Floats:
    column = table[name]
    if column.dtype == pl.String:
        column = column.str.strip_chars().replace("", None)
        if column.str.ends_with("%").all():
            column = column.str.strip_suffix("%").str.strip_chars()
    numbers = column.cast(pl.Float64, strict=False)
    bad = (numbers.is_null() & column.is_not_null()).arg_true()
    if bad.len():
        row = int(bad[0])
        what = f'row {row + 2}, column "{name}": "{column[row]}" is no number'
        refuse("GP-C050", what, table, source=source)
    return np.asarray(numbers.fill_null(np.nan).to_numpy(), dtype=float)


def refuse(
    code: str,
    message: str,
    table: pl.DataFrame | None = None,
    expected: str = "",
    source: str = "",
    next_step: str = "see docs/prism.md for the options, with an example of each",
) -> NoReturn:
    """Raise InputError on a table, from the file `source`, or an option, that cannot be fitted."""
    columns = "" if table is None else "numbers in the columns " + ", ".join(table.columns)
    raise InputError(
        code,
        message,
        where=source or "fit of a table",
        expected=expected or columns,
        next_step=next_step,
    )
