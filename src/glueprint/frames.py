"""Results as tables of other libraries: pandas, xarray, and whatever reads Arrow."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from glueprint.errors import optional_package

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Framed", "as_pandas", "in_notebook", "library"]

SHOWN = 10  # rows in a notebook


class Framed:
    """What has a table, in every form that notebooks use. A class gives `to_table`."""

    def to_table(self) -> pl.DataFrame:
        """The result as a polars table."""
        raise NotImplementedError

    def to_pandas(self) -> Any:
        """The table for pandas. Raises EnvironmentProblemError GP-N090 without it."""
        return as_pandas({"": self.to_table()})[""]

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        """The table as an Arrow stream: pyarrow.table(result), duckdb, polars.DataFrame(result)."""
        return self.to_table().__arrow_c_stream__(requested_schema)

    def _repr_html_(self) -> str:
        table = self.to_table()
        return in_notebook(f"{type(self).__name__}, {table.height} rows", table.head(SHOWN))


def as_pandas(tables: Mapping[str, pl.DataFrame]) -> dict[str, Any]:
    """Every table as a pandas frame, by name. Raises EnvironmentProblemError GP-N090 without pandas."""
    pandas = library("pandas")
    return {name: pandas.DataFrame(table.to_dict(as_series=False)) for name, table in tables.items()}


def in_notebook(words: str, table: pl.DataFrame) -> str:
    """A table as HTML under some words, which may hold names of a stranger's."""
    return f"<p>{escape(words)}</p>{table._repr_html_()}"


def library(name: str) -> Any:
    """pandas or xarray. Raises EnvironmentProblemError GP-N090."""
    return optional_package(
        name,
        "GP-N090",
        where=f"to_{name}",
        next_step=f"python -m pip install {name}, or take the tables as they are, which is polars",
    )
