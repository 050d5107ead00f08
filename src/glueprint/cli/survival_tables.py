"""What the survival commands share: a table of patients from any file, and bounds that may be open."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from glueprint.assays import tidy_table
from glueprint.trials import cdisc

__all__ = ["BOUND", "TableFile", "read"]

TableFile = Annotated[Path, typer.Argument(help="CSV, TSV, xlsx, Dataset-JSON or XPT: one row a patient.")]
CDISC = (".json", ".xpt")
BOUND = ("low", "high", "median")


def read(table: Path, sheet: str | None) -> Any:
    """The table of a file; raises as `cdisc.read` and `tidy_table.read`."""
    return cdisc.read(table) if table.suffix.lower() in CDISC else tidy_table.read(table, sheet)
