"""The command line: one thin skin per room over the same functions that Python users call."""

from __future__ import annotations

from glueprint.cli.app import main

__all__ = ["main"]
