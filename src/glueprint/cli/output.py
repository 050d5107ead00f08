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
from rich.table import Table
from rich.text import Text

from glueprint.boundary import in_json, shown
from glueprint.errors import GlueprintError

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on standard output.")]


class _Console(Console):
    """Text is data: the [nH] of a SMILES is no markup, and no name of a file moves the cursor."""

    def render_str(self, text: str, **style: Any) -> Text:
        """As that of rich, with what a terminal would obey written out."""
        return super().render_str(shown(text), **style)


# A pipe or a file has no width: rows stay whole there, so that other programs can search them.
_is_seen = sys.stdout is not None and sys.stdout.isatty()
console = _Console(width=None if _is_seen else 1000, highlight=False, markup=False, emoji=False)
progress_console = _Console(stderr=True, highlight=False, markup=False, emoji=False)


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
    plain = not sys.stdout.encoding.lower().startswith("utf")
    text = json.dumps(_plain(value), indent=2, ensure_ascii=plain, default=str)
    sys.stdout.write(in_json(text) + "\n")


def write(text: str) -> None:
    """A file's text on standard output: as it is into a pipe or a file, and as text on a terminal."""
    sys.stdout.write(shown(text) if sys.stdout.isatty() else text)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table for people; None shows as an empty cell."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*["" if cell is None else str(cell) for cell in row])
    console.print(table)


def report_error(error: GlueprintError, *, as_json: bool, cause: BaseException | None = None) -> None:
    """Say on standard error what went wrong, as text or as JSON."""
    # Where the error was met on the way up; longer notes, such as a traceback, are for developers.
    notes = [note for note in getattr(error, "__notes__", ()) if "\n" not in note]
    if as_json:
        about = {**error.as_dict(), **({"notes": notes} if notes else {})}
        sys.stderr.write(in_json(json.dumps({"error": about}, ensure_ascii=False)) + "\n")
    else:
        sys.stderr.write("\n".join(map(shown, (error.render(), *notes))) + "\n")
    if cause is not None and os.environ.get("GLUEPRINT_TRACEBACK"):
        traceback.print_exception(cause, file=sys.stderr)
