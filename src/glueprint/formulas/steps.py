"""Recursion without the interpreter's stack: a function that would call itself yields instead.

    def depth(tree):
        return 1 + max([(yield depth(part)) for part in tree], default=0)

    run(depth(deep))

Each `yield` of a generator gives what that generator returns, however deep they nest.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

__all__ = ["Steps", "run"]

Steps = Generator[Any, int, int]


def run(steps: Steps) -> int:
    """What `steps` returns once all that it yields has been run; errors pass through as in calls."""
    waiting: list[Generator[Any, int | None, int]] = [steps]  # type: ignore[list-item]
    value: int | None = None
    error: Exception | None = None
    while waiting:
        try:
            # What has not begun takes no value.
            wanted = waiting[-1].send(value) if error is None else waiting[-1].throw(error)
        except StopIteration as done:
            waiting.pop()
            value, error = done.value, None
        except Exception as raised:
            waiting.pop()
            value, error = None, raised
        else:
            waiting.append(wanted)
            value, error = None, None
    if error is not None:
        raise error
    assert value is not None
    return value
