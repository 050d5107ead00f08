"""What the root command was asked for, for all commands below it."""

from __future__ import annotations

from contextvars import ContextVar

__all__ = ["keep_formulas", "words"]

# Whether CSV files keep text that a spreadsheet would compute.
keep_formulas: ContextVar[bool] = ContextVar("keep_formulas", default=False)
# The command line itself, without the name of the program.
words: ContextVar[tuple[str, ...]] = ContextVar("words", default=())
