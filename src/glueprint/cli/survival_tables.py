"""What the survival commands share: a table of patients from any file, cells whose bounds may be open, and
the figure of curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from glueprint.cli.plates import shown
from glueprint.errors import InputError

__all__ = ["TableFile", "cell", "draw", "of_file", "read"]

TableFile = Annotated[Path, typer.Argument(help="CSV, TSV, xlsx, Dataset-JSON or XPT: one row a patient.")]
CDISC = (".json", ".xpt")
BOUND = ("low", "high", "median", "median_control")


# What a table without a file is called in messages, where they do not begin with its row.
TABLE, ROW = "table of patients", "row "


def read(table: Path, sheet: str | None) -> Any:
    """The table of a file; raises as `cdisc.read` and `tidy_table.read`."""
    # Readers cost an import that help need not pay.
    from glueprint.assays import tidy_table
    from glueprint.trials import cdisc

    return cdisc.read(table) if table.suffix.lower() in CDISC else tidy_table.read(table, sheet)


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
    # Drawing costs an import that numbers need not pay.
    from glueprint.report import figures

    chart = figures.kaplan_meier(curves.with_columns(replicate=pl.lit(0)), arms=arms, since="", **words)
    figures.save(chart, path)
