"""What a dataset of CDISC is: variables with labels and types over rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

__all__ = ["TYPES", "Dataset", "Variable"]

TYPES = {"string": pl.String, "integer": pl.Int64, "float": pl.Float64}


@dataclass(frozen=True)
class Variable:
    """One column.

    name: at most 8 characters.   label: at most 40.   type: a key of TYPES.   terms: the values it may have,
    as controlled terminology; empty where it is free.
    """

    name: str
    label: str
    type: str = "string"
    terms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """A dataset with one row an observation.

    keys: names of the variables that tell rows apart.   structure: what one row is, in words.
    """

    name: str
    label: str
    structure: str
    keys: tuple[str, ...]
    variables: tuple[Variable, ...]
    frame: pl.DataFrame

    @classmethod
    def of(
        cls, about: tuple[str, str, str, tuple[str, ...]], variables: Iterable[Variable], frame: pl.DataFrame
    ) -> Dataset:
        """A dataset in the order and types of its variables; NaN is missing.

        about: name, label, structure and keys.
        """
        listed = tuple(variables)
        columns = [pl.col(variable.name).cast(TYPES[variable.type]) for variable in listed]
        return cls(*about, listed, frame.select(columns).with_columns(pl.col(pl.Float64).fill_nan(None)))
