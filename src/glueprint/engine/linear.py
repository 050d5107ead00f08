"""The order of elimination for a sparse matrix whose pattern never changes, pivots on the diagonal.

The matrices are I / (h gamma) - J: as h shrinks the diagonal wins, so a rejected step cures a bad pivot, and
the order can be fixed when the model is compiled.
Source: Markowitz 1957, doi 10.1287/mnsc.3.3.255 (least fill, diagonal pivots only).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Elimination", "eliminate"]

Place = tuple[int, int]


@dataclass(frozen=True)
class Elimination:
    """order: pivots in turn.   updates: (target row, pivot, columns) in order of execution.
    lower, upper: places of the factors off the diagonal.
    """

    order: tuple[int, ...]
    updates: tuple[tuple[int, int, tuple[int, ...]], ...]
    lower: tuple[Place, ...]
    upper: tuple[Place, ...]


def eliminate(size: int, pattern: Iterable[Place]) -> Elimination:
    """The elimination of a size x size matrix with entries at `pattern` and on the diagonal."""
    rows: list[set[int]] = [{i} for i in range(size)]
    columns: list[set[int]] = [{i} for i in range(size)]
    for i, j in pattern:
        rows[i].add(j)
        columns[j].add(i)
    left = set(range(size))
    order: list[int] = []
    updates: list[tuple[int, int, tuple[int, ...]]] = []
    lower: list[Place] = []
    upper: list[Place] = []
    while left:
        pivot = min(left, key=lambda k: ((len(rows[k]) - 1) * (len(columns[k]) - 1), k))
        left.remove(pivot)
        order.append(pivot)
        right = tuple(sorted(rows[pivot] - {pivot}))
        upper += [(pivot, j) for j in right]
        for i in sorted(columns[pivot] - {pivot}):
            lower.append((i, pivot))
            updates.append((i, pivot, right))
            rows[i].discard(pivot)
            rows[i].update(right)
            for j in right:
                columns[j].add(i)
        for j in right:
            columns[j].discard(pivot)
    return Elimination(tuple(order), tuple(updates), tuple(lower), tuple(upper))
