"""What the survival commands share: a table of patients from any file, cells whose bounds may be open, and
the figure of curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import glueprint as gp  # a room is imported when it is first used: help needs none
from glueprint.cli.plates import shown

if TYPE_CHECKING:
    import polars as pl

__all__ = ["TableFile", "cell", "draw", "read"]

TableFile = Annotated[Path, typer.Argument(help="CSV, TSV, xlsx, Dataset-JSON or XPT: one row a patient.")]
CDISC = (".json", ".xpt")
BOUND = ("low", "high", "median", "median_control")


def read(table: Path, sheet: str | None) -> Any:
    """The table of a file; raises as `cdisc.read` and `tidy_table.read`."""
    if table.suffix.lower() in CDISC:
        return gp.trials.cdisc.read(table)
    return gp.assays.tidy_table.read(table, sheet)


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
