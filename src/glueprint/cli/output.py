"""What every command prints alike: tables for people, JSON for machines, errors with their remedy.

All JSON has one envelope, on success and on failure: `schema`, `version`, `data`, `findings` (docs/json.md).
"""

from __future__ import annotations

import json
import math
import os
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from glueprint.boundary import in_json, shown
from glueprint.cli import choices, tables
from glueprint.errors import GlueprintError, nearest

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output on standard output.")]


class _Console(Console):
    """Text is data: the [nH] of a SMILES is no markup, and no name of a file moves the cursor."""

    def render_str(self, text: str, **style: Any) -> Text:
        """As that of rich, with what a terminal would obey written out."""
        return super().render_str(shown(text), **style)


class _Prose(_Console):
    """Standard output for people; beside tables for programs, what is said goes to standard error."""

    def print(self, *objects: Any, **style: Any) -> None:
        """As that of rich."""
        if choices.form.get() in TO_PROGRAMS:
            progress_console.print(*objects, **style)
        else:
            super().print(*objects, **style)


TO_PROGRAMS = ("csv", "md")
# A pipe or a file has no width: tables are as wide there as a log shows, and sentences and paths stay on one
# line, so that other programs can read them.
UNSEEN_TABLE, UNSEEN_LINE = 120, 1000


def _columns() -> int | None:
    """The width that COLUMNS sets."""
    word = os.environ.get("COLUMNS", "")
    return int(word) if word.isdecimal() and int(word) else None


_is_seen = sys.stdout is not None and sys.stdout.isatty()
_width = None if _is_seen else _columns() or UNSEEN_LINE
progress_console = _Console(stderr=True, highlight=False, markup=False, emoji=False)
console = _Prose(width=_width, highlight=False, markup=False, emoji=False)


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


def print_json(value: Any, *, findings: Iterable[Any] | None = None, version: int = 1) -> None:
    """Print what a command found as JSON on standard output, in the one envelope.

    value: the answer; the `findings` of a mapping are moved to those of the envelope.
    findings: what was noticed, each a mapping, where `value` does not hold it.
    version: of the shape of `value`; it rises when a field goes or changes its meaning.
    """
    if findings is None and isinstance(value, Mapping) and isinstance(value.get("findings"), list | tuple):
        findings = value["findings"]
        value = {name: item for name, item in value.items() if name != "findings"}
    said = _envelope(choices.command.get(), version, value, list(findings or ()))
    plain = not sys.stdout.encoding.lower().startswith("utf")
    text = json.dumps(_plain(said), indent=2, ensure_ascii=plain, default=str)
    sys.stdout.write(in_json(text) + "\n")


def _envelope(command: str, version: int, data: Any, findings: list[Any]) -> dict[str, Any]:
    schema = ".".join(("glueprint", *command.split()))
    return {"schema": schema, "version": version, "data": data, "findings": findings}


def write(text: str) -> None:
    """A file's text on standard output: as it is into a pipe or a file, and as text on a terminal."""
    sys.stdout.write(shown(text) if sys.stdout.isatty() else text)


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table as `--format` has it; None shows as an empty cell.

    For people it fits the terminal, or UNSEEN_TABLE where there is none and COLUMNS sets no width: cells wrap
    between words, and columns that find no room follow below, the first one repeated.
    """
    cells = [["" if cell is None else shown(str(cell)) for cell in row] for row in rows]
    form = choices.form.get()
    if form == "csv":
        progress_console.print(title)
        sys.stdout.write(tables.as_csv(columns, cells, keep_formulas=choices.keep_formulas.get()) + "\n")
    elif form == "md":
        sys.stdout.write(tables.as_markdown(title, columns, cells) + "\n")
    else:
        width = console.width if _is_seen else _columns() or UNSEEN_TABLE
        for table in tables.drawn(title, columns, cells, width):
            console.print(table)


def report_error(error: GlueprintError, *, as_json: bool, cause: BaseException | None = None) -> None:
    """Say on standard error what went wrong, as text or as JSON."""
    # Where the error was met on the way up; longer notes, such as a traceback, are for developers.
    notes = [note for note in getattr(error, "__notes__", ()) if "\n" not in note]
    notes += _files_nearby(error)
    if as_json:
        about = {"severity": "error", **error.as_dict(), **({"notes": notes} if notes else {})}
        said = _envelope("error", 1, None, [about])
        sys.stderr.write(in_json(json.dumps(said, ensure_ascii=False)) + "\n")
    else:
        sys.stderr.write("\n".join(map(shown, (error.render(), *notes))) + "\n")
    if cause is not None and os.environ.get("GLUEPRINT_TRACEBACK"):
        traceback.print_exception(cause, file=sys.stderr)


def _files_nearby(error: GlueprintError) -> list[str]:
    """For each file of the command line that an error names and that is not there: the nearest beside it."""
    said = error.render()
    found = []
    for word in dict.fromkeys(choices.words.get()):
        path = Path(word.rpartition("=")[2])
        try:
            if not path.suffix or path.name not in said or path.exists():
                continue
            hint = nearest(path.name, (entry.name for entry in path.parent.iterdir()))
        except (OSError, ValueError):  # no such folder, one that may not be read, or no path at all
            continue
        if hint:
            found.append(f"{path} is not there{hint}")
    return found
