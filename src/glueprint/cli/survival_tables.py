"""What the survival commands share: a table of patients from any file, cells whose bounds may be open, and
the figure of curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from glueprint.assays import tidy_table
from glueprint.cli.plates import shown
from glueprint.trials import cdisc

__all__ = ["TableFile", "cell", "draw", "read"]

TableFile = Annotated[Path, typer.Argument(help="CSV, TSV, xlsx, Dataset-JSON or XPT: one row a patient.")]
CDISC = (".json", ".xpt")
BOUND = ("low", "high", "median", "median_control")


def read(table: Path, sheet: str | None) -> Any:
    """The table of a file; raises as `cdisc.read` and `tidy_table.read`."""
    return cdisc.read(table) if table.suffix.lower() in CDISC else tidy_table.read(table, sheet)


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
