"""Days of a cycle, "1-21", "1,8,15,22" or "1-21/2", as text, as a tuple, as a mask; the length of a month."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray
from pydantic_core import PydanticCustomError

__all__ = ["MONTH_DAYS", "day_mask", "parse_days"]

MONTH_DAYS = 30.4375  # docs/design.md

PART = re.compile(r"^\s*(\d+)\s*(?:-\s*(\d+)\s*(?:/\s*(\d+)\s*)?)?$")


def parse_days(text: str) -> tuple[int, ...]:
    """Days of the cycle, counted from 1, in order and without repeats.

    text: "1-21", "1,8,15,22", "1-4,9-12,17-20"; "1-21/2" is every second day from day 1 to 21.
    Raises PydanticCustomError GP-T009 if a part cannot be read, is before day 1, or runs backwards.
    """
    days: set[int] = set()
    for part in text.split(","):
        match = PART.match(part)
        first = int(match[1]) if match else 0
        last = int(match[2]) if match and match[2] else first
        step = int(match[3]) if match and match[3] else 1
        if first < 1 or last < first or step < 1:
            raise PydanticCustomError(
                "GP-T009",
                'days "{days}": cannot read "{part}"',
                {
                    "days": text,
                    "part": part.strip(),
                    "expected": 'days of the cycle counted from 1, such as "1-21", "1,8,15,22" or "1-21/2"',
                    "next_step": "correct `days`",
                },
            )
        days.update(range(first, last + 1, step))
    return tuple(sorted(days))


def day_mask(text: str, cycle_days: int) -> NDArray[np.bool_]:
    """(cycle_days,) whether a dose is due on each day of the cycle; entry 0 is day 1."""
    mask = np.zeros(cycle_days, dtype=np.bool_)
    mask[np.array(parse_days(text)) - 1] = True
    return mask
