"""The command line: one thin skin per room over the same functions that Python users call."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit with the code its outcome has."""
    try:
        from glueprint.cli import app  # every room is loaded here, and Ctrl-C may come already
    except KeyboardInterrupt:
        sys.exit(130)
    app.main()
