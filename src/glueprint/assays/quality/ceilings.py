"""Readings that stop at one highest number, or at zero: a detector at its end, or a file that was cut off
there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from glueprint.assays.findings import Finding

__all__ = ["ceiling"]

FEWEST_TIED, FEWEST_READINGS = 3, 8
# The highest number in steps of the finest that the file has: below this, ties at the top are chance.
FINE = 1000.0
# The lowest other number in the same steps: below this, a zero may be one.
FLOOR = 50.0
MOST_NAMED = 6
DECIMALS = range(-3, 7)


def ceiling(values: Sequence[float | None], names: Sequence[str], where: str = "") -> list[Finding]:
    """A warning where several wells read exactly the highest number of their plate and channel, or any reads
    exactly zero, far below the next.

    values: (n,) raw readings, None for none; fractions and polarisations have no ceiling.   names: (n,) of
    the wells.
    Where other numbers come several times as well, the file is rounded or made up, and nothing is said.
    """
    known = [value for value in values if value is not None]
    zeros = [name for name, value in zip(names, values, strict=True) if value == 0.0]
    others = [value for value in known if value != 0.0]
    if zeros and len(others) >= max(FEWEST_READINGS, len(zeros)):
        least = min(others)
        if least >= FLOOR * _finest(others):
            said = (
                f"{_wells(zeros)} exactly 0, where no other reads below {least:g}: not measured, or cut off"
            )
            return [_finding(said, zeros, where, "an empty cell for no reading; else --exclude")]
    counts = Counter(known)
    top = max(counts, default=0.0)
    repeated = sum(count >= FEWEST_TIED for value, count in counts.items() if value != top)
    if len(known) < FEWEST_READINGS or counts[top] < FEWEST_TIED or repeated > 1 or len(counts) < FEWEST_TIED:
        return []
    if top < FINE * _finest(known):
        return []
    wells = [name for name, value in zip(names, values, strict=True) if value == top]
    said = f"{_wells(wells)} exactly {top:g}, the highest number: saturated, or cut off"
    remedy = "read again at a lower gain or a shorter path, or leave the wells out: --exclude"
    return [_finding(said, wells, where, remedy)]


def _finding(said: str, wells: Sequence[str], where: str, remedy: str) -> Finding:
    named = ", ".join(wells[:MOST_NAMED]) + (" ..." if len(wells) > MOST_NAMED else "")
    return Finding(
        "GP-A250", "warning", f"{said} ({named})", where, "readings that differ, as wells do", remedy
    )


def _wells(wells: Sequence[str]) -> str:
    return f"{len(wells)} wells read" if len(wells) > 1 else "one well reads"


def _finest(values: Sequence[float]) -> float:
    """The step in which numbers were written: the power of ten that all are multiples of."""
    whole = (place for place in DECIMALS if all(abs(round(v, place) - v) <= 1e-9 * abs(v) for v in values))
    return 10.0 ** -next(whole, DECIMALS[-1])
