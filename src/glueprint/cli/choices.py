"""What the command line was asked for, for everything below it, and what a word on it may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import ContextVar

__all__ = ["FORMATS", "command", "completed", "form", "keep_formulas", "words"]

# How tables may be printed.
FORMATS = ("table", "csv", "md", "json")

# Whether CSV files keep text that a spreadsheet would compute.
keep_formulas: ContextVar[bool] = ContextVar("keep_formulas", default=False)
# The command line itself, without the name of the program.
words: ContextVar[tuple[str, ...]] = ContextVar("words", default=())
# The command that runs, as the help names it: "trial run".
command: ContextVar[str] = ContextVar("command", default="")
# One of FORMATS.
form: ContextVar[str] = ContextVar("form", default="table")


def completed(known: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """The `autocompletion` of an argument: what Tab offers of the names in `known`."""

    def complete(incomplete: str) -> list[str]:
        return [name for name in known() if name.startswith(incomplete)]

    return complete
