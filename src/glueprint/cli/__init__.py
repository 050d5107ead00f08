"""The command line: one thin skin per room over the same functions that Python users call."""

from __future__ import annotations

import signal
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit with the code its outcome has."""
    try:
        from glueprint.cli import app  # every room is loaded here, and Ctrl-C may come already

        app.main()
    except KeyboardInterrupt:
        sys.exit(130)
    except SystemExit:
        # What was asked is done and written: while Python takes itself down its handler is gone, and Ctrl-C
        # would kill a process that has succeeded.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise
