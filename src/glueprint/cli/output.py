"""What every command prints alike: tables for people, JSON for machines, errors with their remedy."""

from __future__ import annotations

import json
import math
import os
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from glueprint.errors import GlueprintError

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on standard output.")]

# A pipe or a file has no width: rows stay whole there, so that other programs can search them.
console = Console(highlight=False, width=None if sys.stdout.isatty() else 1000)
progress_console = Console(stderr=True, highlight=False)


def _plain(value: Any) -> Any:
    """`value` with NaN and infinities as null, which strict JSON readers accept."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def between(low: float, high: float) -> str:
    """Two limits in words."""
    return f"{low:.3g} to {high:.3g}"


def print_json(value: Any) -> None:
    """Print `value` as JSON on standard output."""
    sys.stdout.write(json.dumps(_plain(value), indent=2, ensure_ascii=False, default=str) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table for people; None shows as an empty cell."""
    table = Table(title=escape(title), title_justify="left", title_style="bold", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        # Text is data: the [nH] of a SMILES is no markup.
        table.add_row(*["" if cell is None else escape(str(cell)) for cell in row])
    console.print(table)


def report_error(error: GlueprintError, *, as_json: bool, cause: BaseException | None = None) -> None:
    """Say on standard error what went wrong, as text or as JSON."""
    # Where the error was met on the way up; longer notes, such as a traceback, are for developers.
    notes = [note for note in getattr(error, "__notes__", ()) if "\n" not in note]
    if as_json:
        about = {**error.as_dict(), **({"notes": notes} if notes else {})}
        sys.stderr.write(json.dumps({"error": about}, ensure_ascii=False) + "\n")
    else:
        sys.stderr.write("\n".join((error.render(), *notes)) + "\n")
    if cause is not None and os.environ.get("GLUEPRINT_TRACEBACK"):
        traceback.print_exception(cause, file=sys.stderr)
