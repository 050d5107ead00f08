"""How far a long command is: a bar on a terminal, JSON lines on standard error anywhere else."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn

from glueprint.boundary import in_json
from glueprint.cli import choices
from glueprint.cli.output import progress_console

__all__ = ["EVERY_S", "Events", "Lines", "bar", "told_bar"]

# A command that is done sooner says nothing, and a longer one no more often.
EVERY_S = 5.0
Events = Annotated[Path | None, typer.Option(help="Add progress to this file, as JSON lines.")]


def bar(*columns: ProgressColumn | str, transient: bool = True) -> Progress | Lines:
    """A bar of these columns; where nobody would see it, lines, or nothing for GLUEPRINT_PROGRESS=none."""
    if sys.stderr.isatty():
        return Progress(*columns, console=progress_console, transient=transient)
    return Lines()


@contextmanager
def told_bar(first: str = "compiling") -> Iterator[Callable[[str, int, int], None]]:
    """A bar for what says (what, done, all) as it goes on.   first: what is done before it says anything."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with bar(*columns) as shown:
        task = shown.add_task(first, total=None)

        def told(what: str, done: int, total: int) -> None:
            shown.update(task, description=what, completed=done, total=total)

        yield told


class Lines:
    """As much of rich's `Progress` as commands use, as JSON lines in the envelope of docs/json.md."""

    def __init__(self) -> None:
        self._tasks: list[dict[str, Any]] = []
        self._silent = os.environ.get("GLUEPRINT_PROGRESS") == "none"
        self._last = time.monotonic()

    def __enter__(self) -> Lines:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is open."""

    def add_task(self, description: str, total: float | None = None, **_shown: Any) -> Any:
        """A piece of work; its number."""
        self._tasks.append({"what": description, "done": 0, "total": total})
        return len(self._tasks) - 1

    def update(
        self,
        task: Any,
        *,
        description: str | None = None,
        completed: float | None = None,
        total: float | None = None,
        **_shown: Any,
    ) -> None:
        """What has changed; a line if the last one is old enough."""
        new = {"what": description, "done": completed, "total": total}
        self._tasks[task] |= {name: value for name, value in new.items() if value is not None}
        now = time.monotonic()
        if self._silent or now - self._last < EVERY_S:
            return
        self._last = now
        said = {
            "schema": "glueprint.progress",
            "version": 1,
            "data": {"command": choices.command.get(), **self._tasks[task]},
            "findings": [],
        }
        sys.stderr.write(in_json(json.dumps(said, ensure_ascii=True)) + "\n")
        sys.stderr.flush()
