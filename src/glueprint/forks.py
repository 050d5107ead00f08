"""Processes that were forked from one with threads: refused, for they would wait for threads that are gone.

`multiprocessing` forks by default on Linux before Python 3.14. A fork copies the memory of polars and not its
threads, so the first large table would hang.
"""

from __future__ import annotations

import os

from glueprint.errors import EnvironmentProblemError

__all__ = ["refuse"]

# Of the process that imported Glueprint and, with it, the libraries that have threads.
OWNER = os.getpid()


def refuse() -> None:
    """Raises EnvironmentProblemError GP-X006 in a process that was forked after Glueprint was imported."""
    if os.getpid() != OWNER:
        raise EnvironmentProblemError(
            "GP-X006",
            f"this process was forked from process {OWNER}, which has threads that a fork does not copy",
            expected="a process that began by itself",
            next_step='use multiprocessing.get_context("spawn").Pool(...), or the workers argument of ours',
        )
