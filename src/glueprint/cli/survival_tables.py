"""What the survival commands share: a table of patients from any file, cells whose bounds may be open, and
the figure of curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import glueprint as gp  # a room is imported when it is first used: help needs none
from glueprint.cli.plates import shown
from glueprint.errors import InputError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["TableFile", "cell", "draw", "of_file", "read"]

TableFile = Annotated[Path, typer.Argument(help="CSV, TSV, xlsx, Dataset-JSON or XPT: one row a patient.")]
CDISC = (".json", ".xpt")
BOUND = ("low", "high", "median", "median_control")
# What a table without a file is called in messages, where they do not begin with its row.
TABLE, ROW = "table of patients", "row "


def read(table: Path, sheet: str | None) -> Any:
    """The table of a file; raises as `cdisc.read` and `tidy_table.read`."""
    if table.suffix.lower() in CDISC:
        return gp.trials.cdisc.read(table)
    return gp.assays.tidy_table.read(table, sheet)


@contextmanager
def of_file(table: Path) -> Iterator[None]:
    """Let what is refused of the table say which file it is in."""
    try:
        yield
    except InputError as error:
        if error.where == TABLE or error.where.startswith(ROW):
            error.where = table.name if error.where == TABLE else f"{table.name} {error.where}"
            error.args = (error.render(),)
        raise


def cell(value: Any, column: str) -> Any:
    """A number to four digits; a bound that is not reached is open."""
    if isinstance(value, float) and value != value:
        return "open" if column in BOUND else ""
    return shown(value)


def draw(curves: pl.DataFrame, path: Path, *, arms: Sequence[str], **words: Any) -> None:
    """Save the figure of curves; words: those of `figures.kaplan_meier`."""
    import polars as pl

    from glueprint.report import figures

    chart = figures.kaplan_meier(curves.with_columns(replicate=pl.lit(0)), arms=arms, since="", **words)
    figures.save(chart, path)
