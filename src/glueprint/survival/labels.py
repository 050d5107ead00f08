"""Labels of one's own table: arms, strata, levels and patients, and what is wrong with them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.survival.durations import refuse
from glueprint.survival.request import Request

__all__ = ["labels_of", "levels_of", "numeric", "one_row_each", "one_spelling", "spelling"]

MOST = 20
DASHES = re.compile("[\u2010-\u2015\u2212]")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")
# Columns of these names say whose row it is, and which endpoint it is of in CDISC ADTTE.
WHOSE = re.compile(
    r"^(usubjid|subjid|(p|pt|u)?id|(patient|subject|participant|pat|subj)([ ._-]?(id|no|nr|number))?)$",
    re.IGNORECASE,
)
ENDPOINT = ("PARAMCD", "PARAM")


def labels_of(table: pl.DataFrame, names: Sequence[str]) -> NDArray[np.str_]:
    """The labels of each row, several columns joined, (n,); whole numbers without a decimal point."""
    columns = []
    for name in names:
        column = table[name]
        if column.dtype.is_float() and (column == column.floor()).all():
            column = column.cast(pl.Int64)
        text = column.cast(pl.String)
        # "a, b" and "c" are not "a" and "b, c".
        columns.append(text.str.replace_all(",", "\\,", literal=True) if len(names) > 1 else text)
    joined = pl.select(pl.concat_str(columns, separator=", ")).to_series()
    return np.asarray(joined.to_list(), dtype=np.str_)


def levels_of(labels: NDArray[np.str_], name: str, *, of_arms: bool = False) -> list[str]:
    """The distinct labels in order, numbers by size.

    Raises InputError GP-V034 for more than twenty, and as `one_spelling`.
    """
    levels = sorted(set(labels.tolist()))
    if len(levels) > MOST:
        few = "a column of numbers, or of few levels"
        expected = "a column with the name of the arm" if of_arms else few
        said = f'{len(levels)} {"values" if of_arms else "levels"} in "{name}"'
        refuse("GP-V034", said, expected=expected)
    one_spelling(levels, name)
    try:
        return sorted(levels, key=float)
    except ValueError:
        return levels


def one_spelling(levels: Iterable[str], name: str) -> None:
    """Raise InputError GP-V034 for two labels that differ in capitals, spaces or dashes alone, or are one
    number."""
    spelled: dict[str, str] = {}
    for level in levels:
        other = spelled.setdefault(spelling(level), level)
        if other != level:
            said = f'"{other}" and "{level}" in "{name}"'
            refuse("GP-V034", said, expected="one spelling of each label")


def spelling(label: str) -> str:
    """What labels that mean the same have in common."""
    plain = DASHES.sub("-", " ".join(unicodedata.normalize("NFKC", label).casefold().split()))
    return repr(float(plain)) if NUMBER.fullmatch(plain) else plain


def numeric(table: pl.DataFrame, name: str) -> bool:
    """Whether a column is one of numbers; raises InputError GP-V032 where most of it are, but not all."""
    values = table[name].drop_nulls().unique()
    wrong = values.filter(values.cast(pl.Float64, strict=False).is_null())
    if 0 < wrong.len() < values.len() / 2:
        said = f'"{wrong[0]}" in "{name}", whose other values are numbers'
        refuse("GP-V032", said, expected="numbers, or --factor if they are levels")
    return not wrong.len()


def one_row_each(table: pl.DataFrame, request: Request) -> list[str]:
    """Notes on patients with several rows that nobody asked for.

    Raises InputError GP-V045 for rows of several endpoints.
    """
    for name in ENDPOINT:
        if name in table.columns and name not in request.strata and table[name].n_unique() > 1:
            several = ", ".join(table[name].unique().drop_nulls().sort().cast(pl.String).to_list()[:8])
            said = f"rows of several endpoints in one analysis: {several}"
            refuse("GP-V045", said, expected=f"--where {name}=VALUE: the rows of one endpoint")
    used = {request.patient, request.cluster}
    if used - {None}:
        return []
    notes: list[str] = []
    for name in table.columns:
        if WHOSE.match(name) and table[name].n_unique() < table.height:
            more = table.height - table[name].n_unique()
            notes.append(
                f"{more} rows more than patients in {name}, each counted as a patient: choose rows with "
                f"--where, or say --patient {name} or --cluster {name}"
            )
    return notes
