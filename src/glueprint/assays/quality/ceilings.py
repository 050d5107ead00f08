"""Readings that stop at one highest number: a detector at its end, or a file that was cut off there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from glueprint.assays.findings import Finding

__all__ = ["ceiling"]

FEWEST_TIED, FEWEST_READINGS = 3, 8
# The highest number in steps of the finest that the file has: below this, ties at the top are chance.
FINE = 1000.0
MOST_NAMED = 6
DECIMALS = range(-3, 7)


def ceiling(values: Sequence[float | None], names: Sequence[str], where: str = "") -> list[Finding]:
    """A warning where several wells read exactly the highest number of their plate and channel.

    values: (n,) raw readings, None for none; fractions and polarisations have no ceiling.   names: (n,) of
    the wells.
    Where other numbers come several times as well, the file is rounded or made up, and nothing is said.
    """
    known = [value for value in values if value is not None]
    counts = Counter(known)
    top = max(counts, default=0.0)
    repeated = sum(count >= FEWEST_TIED for value, count in counts.items() if value != top)
    if len(known) < FEWEST_READINGS or counts[top] < FEWEST_TIED or repeated > 1 or len(counts) < FEWEST_TIED:
        return []
    if top < FINE * _finest(known):
        return []
    wells = [name for name, value in zip(names, values, strict=True) if value == top]
    named = ", ".join(wells[:MOST_NAMED]) + (" ..." if len(wells) > MOST_NAMED else "")
    return [
        Finding(
            "GP-A250",
            "warning",
            f"{len(wells)} wells read exactly {top:g}, the highest number: saturated, or cut off ({named})",
            where,
            "readings that differ, as wells do",
            "read again at a lower gain or a shorter path, or leave the wells out: --exclude",
        )
    ]


def _finest(values: Sequence[float]) -> float:
    """The step in which numbers were written: the power of ten that all are multiples of."""
    whole = (place for place in DECIMALS if all(abs(round(v, place) - v) <= 1e-9 * abs(v) for v in values))
    return 10.0 ** -next(whole, DECIMALS[-1])
