"""Curves whose far plateau is out of sight or impossible, fitted again between plateaus that can be. Kernel.

A fall that ends with the highest dose fits ever better with a plateau ever further off: a ridge without end.
The dose at a level, which such data determine, does not care where the ridge is cut.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from glueprint.curves import profile
from glueprint.curves.logistic import BACK, FRONT, Flags, Floats, Rows
from glueprint.curves.problem import Problem, Reach
from glueprint.curves.search import Best, put, rows_of, thorough

__all__ = ["Confined", "Plateau", "confine", "cut", "far"]

# How far a plateau may lie outside what was measured, in ranges of the responses: further changes nothing.
FAR = 10.0
# A plateau this share of the curve's height outside what is possible is noise about the limit.
NOISE = 0.05


class Plateau(IntEnum):
    """What a curve says about its plateaus."""

    SEEN = 0
    HELD = 1
    OUT_OF_SIGHT = 2
    IMPOSSIBLE = 3


@dataclass(frozen=True)
class Confined:
    """Fits (n,) that may be made again, where each may go, and what it says of its plateaus (n,)."""

    best: Best
    reach: Reach
    plateau: NDArray[np.int64]


def confine(
    problem: Problem, best: Best, wanted: Flags, within: tuple[float | None, float | None]
) -> Confined:
    """Fit again what did not converge, or ended at an impossible plateau; `best` changes in place.

    wanted: (n,) curves with an effect.   within: least and largest response that are possible, None where
    nothing limits them.
    A plateau at its physical limit is held there unless the curve then fits worse than the profile's
    threshold (F test with one degree of freedom): such a plateau is impossible, and says so.
    """
    low, high = (side.copy() for side in problem.limits())
    found = Confined(best, (low, high), np.full(best.cost.size, int(Plateau.SEEN)))
    rows = np.flatnonzero(wanted & ~best.converged)
    if rows.size:
        _again(problem, found, rows, cut(found.reach, far(problem), rows))
    if within == (None, None):
        return found
    possible = (
        np.full(best.cost.size, -np.inf if within[0] is None else within[0]),
        np.full(best.cost.size, np.inf if within[1] is None else within[1]),
    )
    rows = np.flatnonzero(wanted & (_outside(best.theta, possible) | (found.plateau > 0)))
    if rows.size:
        reach = cut(found.reach, possible, rows)
        # The plateau without drug carries the noise of its control: what was measured is possible.
        least, most = _seen(problem)
        reach[0][:, FRONT] = np.minimum(reach[0][:, FRONT], least[rows])
        reach[1][:, FRONT] = np.maximum(reach[1][:, FRONT], most[rows])
        _again(problem, found, rows, reach, held=True)
    return found


def _again(problem: Problem, found: Confined, rows: Rows, reach: Reach, *, held: bool = False) -> None:
    """Fit some curves again within `reach` and write them in place; held: unless they then fit worse."""
    again = thorough(replace(problem.rows(rows), reach=reach))
    if held:
        leave = profile.threshold(found.best.cost[rows], problem.dof[rows], 0.95)
        fits = again.converged & ~(again.cost > leave)
        found.plateau[rows[~fits]] = Plateau.IMPOSSIBLE
        kept = np.flatnonzero(fits)
        rows, again, reach = rows[kept], rows_of(again, kept), (reach[0][kept], reach[1][kept])
    put(found.best, rows, again)
    stopped = np.zeros(rows.size, dtype=bool)
    for side, part, past in zip(found.reach, reach, (np.less_equal, np.greater_equal), strict=True):
        side[rows] = part
        stopped |= past(again.theta[:, :2], part[:, :2]).any(axis=1)
    name = Plateau.HELD if held else Plateau.OUT_OF_SIGHT
    found.plateau[rows] = np.where(stopped, int(name), int(Plateau.SEEN))


def _seen(problem: Problem) -> Reach:
    """Least and largest response measured (n,)."""
    used = problem.weights > 0.0
    least = np.where(used, problem.response, np.inf).min(axis=1, initial=np.inf)
    return least, np.where(used, problem.response, -np.inf).max(axis=1, initial=-np.inf)


def far(problem: Problem, level: Floats | None = None) -> Reach:
    """Plateaus (n,) so far outside what was measured, and a level, that further changes nothing but
    rounding."""
    least, most = _seen(problem)
    if level is not None:
        least, most = np.minimum(least, level), np.maximum(most, level)
    span = FAR * np.where(most > least, most - least, 1.0)
    return least - span, most + span


def cut(reach: Reach, plateaus: Reach, rows: Rows) -> Reach:
    """Where the fits of some curves may go, with plateaus (n,) within those given."""
    low, high = (side[rows] for side in reach)
    for place in (FRONT, BACK):
        low[:, place], high[:, place] = (side[rows] for side in plateaus)
    return low, high


def _outside(theta: Floats, possible: Reach) -> Flags:
    """Far plateaus outside what is possible by more than noise about the limit (n,)."""
    back = theta[:, BACK]
    slack = NOISE * np.abs(theta[:, FRONT] - back)
    return np.asarray((back < possible[0] - slack) | (back > possible[1] + slack))
