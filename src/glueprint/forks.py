"""Processes that were forked from one with threads: refused, for they would wait for threads that are gone.

`multiprocessing` forks by default on Linux before Python 3.14. A fork copies the memory of polars and not
its threads, so the first large table would hang. In the child every module of ours that is loaded loses its
polars and has one that refuses instead; what needs no table, such as a compiled model, works as before.
"""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

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


class _Gone:
    """What stands for polars in a fork."""

    def __getattr__(self, _: str) -> NoReturn:
        refuse()
        raise AttributeError  # only where there is no fork


def _forget() -> None:
    """In the child, at once: our modules reach polars by this name and no other (tests/test_house.py)."""
    polars = sys.modules.get("polars")
    for name, module in list(sys.modules.items()):
        if polars is not None and name.startswith("glueprint.") and _has(module, polars):
            vars(module)["pl"] = _Gone()


def _has(module: Any, polars: Any) -> bool:
    return getattr(module, "__dict__", {}).get("pl") is polars


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
