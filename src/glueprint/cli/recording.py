"""The record that a command leaves beside what it wrote, whichever command it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from glueprint.boundary import journal
from glueprint.cli import choices
from glueprint.cli.streams import refused
from glueprint.errors import GlueprintError, InternalError

__all__ = ["GROUPS", "recorded"]

# Whose commands make numbers. Studies and the projects of a glue keep ledgers of their own.
GROUPS = frozenset({"assay", "calibrate", "experiment", "fit", "model", "survival", "trial"})
INTERRUPTED = 130


def recorded(command: Any) -> Any:
    """`command`, which leaves a record of every call that writes files; of a group, each of its commands."""
    if isinstance(command, TyperGroup):
        for inner in command.commands.values():
            recorded(inner)
    elif command.callback is not None:
        command.callback = _recorded(command.callback)
    return command


def _recorded(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(**given: Any) -> Any:
        with _recording(given):
            return function(**given)

    return call


@contextmanager
def _recording(given: Mapping[str, Any]) -> Iterator[None]:
    """A journal for one command, and its record once the command has ended, however it did."""
    from glueprint.runs import records  # imports tables, which a help page can do without

    folder = Path(given["out"]) if given.get("out") is not None else None
    if folder is not None:
        records.refuse_foreign(folder / records.FILE_NAME)
    seed = given.get("seed")
    record = records.begun(choices.words.get(), seed if isinstance(seed, int) else None)
    with journal.opened() as noted:
        try:
            yield
        except BaseException as error:
            try:
                records.leave(record, noted, folder, _status(error))
            except GlueprintError as second:  # the first error is the reason, and this one is told beside it
                error.add_note(f"The record of this command could not be written: {second.message}")
            raise
    records.leave(record, noted, folder, 0)


def _status(error: BaseException) -> int:
    """The exit code that a command ends with."""
    if isinstance(error, typer.Exit):
        return int(error.exit_code)
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, GlueprintError):
        return error.exit_code
    # As the root command answers what no room expected.
    return ((isinstance(error, Exception) and refused(error)) or InternalError).exit_code
