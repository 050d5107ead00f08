"""Curves whose far plateau is out of sight or impossible, fitted again between plateaus that can be. Kernel.

A fall that ends with the highest dose fits ever better with a plateau ever further off: a ridge without end.
The dose at a level, which such data determine, does not care where the ridge is cut.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from glueprint.curves import batch, profile
from glueprint.curves.batch import Block, Reach
from glueprint.curves.data import Data
from glueprint.curves.logistic import BACK, FRONT, Flags, Floats, Rows

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
    """The fits with some of them made again, where each may go, and what it says of its plateaus (n,)."""

    block: Block
    reach: Reach
    plateau: NDArray[np.int64]


def confine(
    data: Data,
    pinned: Floats,
    block: Block,
    wanted: Flags,
    *,
    within: tuple[float | None, float | None],
    confidence: float,
    sought: Flags,
) -> Confined:
    """Fit again what did not converge, or ended at an impossible plateau.

    wanted: (n,) curves with an effect.   within: least and largest response that are possible, None where
    nothing limits them.   Others as in `batch.solve`.
    A plateau at its physical limit is held there unless the curve then fits worse than the profile's
    threshold (F test with one degree of freedom): such a plateau is impossible, and says so.
    """
    low, high = batch.reach_of(data)
    found = Confined(block, (low, high), np.full(block.rss.size, int(Plateau.SEEN)))
    rows = np.flatnonzero(wanted & ~block.converged)
    if rows.size:
        reach = tuple(side[rows] for side in cut(found.reach, far(data)))
        again = batch.solve(data.rows(rows), pinned, confidence, sought, reach=(reach[0], reach[1]))
        _put(found, rows, again, (reach[0], reach[1]), Plateau.OUT_OF_SIGHT)
    if within == (None, None):
        return found
    possible = (
        np.full(block.rss.size, -np.inf if within[0] is None else within[0]),
        np.full(block.rss.size, np.inf if within[1] is None else within[1]),
    )
    rows = np.flatnonzero(wanted & (_outside(found.block.theta, possible) | (found.plateau > 0)))
    if rows.size:
        _physical(data, pinned, found, (rows, sought), possible, confidence)
    return found


def _physical(
    data: Data, pinned: Floats, found: Confined, what: tuple[Rows, Flags], possible: Reach, confidence: float
) -> None:
    """Hold the plateaus of some curves within what is possible, where they fit it."""
    rows, sought = what
    part = data.rows(rows)
    low, high = (side[rows] for side in cut(found.reach, possible))
    # The plateau without drug carries the noise of its control: what was measured is possible.
    seen_low, seen_high = _seen(part)
    low[:, FRONT] = np.minimum(low[:, FRONT], seen_low)
    high[:, FRONT] = np.maximum(high[:, FRONT], seen_high)
    again = batch.solve(part, pinned, confidence, sought, reach=(low, high))
    dof = part.points - int(np.isnan(pinned).sum())
    leave = profile.threshold(found.block.rss[rows], dof, 0.95)
    fits = again.converged & ~(again.rss > leave)
    found.plateau[rows[~fits]] = Plateau.IMPOSSIBLE
    kept = np.flatnonzero(fits)
    _put(found, rows[kept], _rows(again, kept), (low[kept], high[kept]), Plateau.HELD)


def _put(found: Confined, rows: Rows, again: Block, reach: Reach, name: Plateau) -> None:
    """Write fits made again in place; their plateaus were seen if they ended inside."""
    for field in fields(Block):
        getattr(found.block, field.name)[rows] = getattr(again, field.name)
    for side, part in zip(found.reach, reach, strict=True):
        side[rows] = part
    ends = again.theta[:, (FRONT, BACK)]
    stopped = (ends <= reach[0][:, (FRONT, BACK)]) | (ends >= reach[1][:, (FRONT, BACK)])
    found.plateau[rows] = np.where(stopped.any(axis=1), int(name), int(Plateau.SEEN))


def _rows(block: Block, which: Rows) -> Block:
    return Block(**{field.name: getattr(block, field.name)[which] for field in fields(Block)})


def _seen(data: Data) -> Reach:
    """Least and largest response measured (n,)."""
    used = data.weights > 0.0
    least = np.where(used, data.response, np.inf).min(axis=1, initial=np.inf)
    return least, np.where(used, data.response, -np.inf).max(axis=1, initial=-np.inf)


def far(data: Data, level: Floats | None = None) -> Reach:
    """Plateaus (n,) so far outside what was measured, and a level, that further changes nothing but
    rounding."""
    least, most = _seen(data)
    if level is not None:
        least, most = np.minimum(least, level), np.maximum(most, level)
    span = FAR * np.where(most > least, most - least, 1.0)
    return least - span, most + span


def cut(reach: Reach, plateaus: Reach) -> Reach:
    """Where fits may go, with plateaus (n,) within those given."""
    low, high = (side.copy() for side in reach)
    for place in (FRONT, BACK):
        low[:, place], high[:, place] = plateaus
    return low, high


def _outside(theta: Floats, possible: Reach) -> Flags:
    """Far plateaus outside what is possible by more than noise about the limit (n,)."""
    back = theta[:, BACK]
    slack = NOISE * np.abs(theta[:, FRONT] - back)
    return np.asarray((back < possible[0] - slack) | (back > possible[1] + slack))
