"""The masses that make intervals most likely, each with the proof that none could do better. Kernel.

A cell's gain is the slope of the likelihood as mass moves there. Masses are at the maximum when no gain is
above 1 and cells below 1 hold nothing (Kuhn and Tucker); so the largest gain less 1, the gap, is the proof.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csc_array
from scipy.sparse.linalg import splu

from glueprint.survival._check import Floats, Integers

__all__ = ["GAP", "GAP_MANY", "MANY", "maximise"]

# A step of the interior point solves as many equations as there are cells, each with as few unknowns as
# intervals allow: seconds for ten thousand cells under wide intervals. More of them are first left to cheap
# steps of self-consistency, with a wider gap.
MANY, GAP, GAP_MANY = 10_000, 1e-9, 1e-4
SELF_CONSISTENT_STEPS, INTERIOR_STEPS, ROUNDS = 5000, 200, 50
# Share of the way to the edge, where a mass would be 0, that a step may go; the shortest step.
SHORT_OF_EDGE, SHORTEST = 0.995, 1e-9
# How near the top for one weight, in weights, the next is taken; how far mass times slack may be from it.
NEAR_TOP, FAR = 100.0, 1e8
FALL = 0.03  # of the weight from one to the next


def maximise(spans: Integers, share: Floats, cells: int) -> tuple[Floats, float]:
    """Masses of the cells with the largest likelihood, and their gap.

    spans: (k, 2) first cell and the one after the last of each kind of interval.   share: (k,) of the
    intervals, unitless, sum 1.   cells: m, each inside a span.
    Returns masses (m,), sum 1, and the gap: at most GAP, or GAP_MANY for more than MANY cells, else the
    maximum was not found.
    Source: the conditions of Gentleman and Geyer 1994, doi:10.1093/biomet/81.3.618.
    """
    if cells <= MANY:
        return _interior(spans, share, cells)
    mass, gap = _self_consistent(spans, share, np.full(cells, 1.0 / cells))
    return (mass, gap) if gap <= GAP_MANY else _by_rounds(spans, share, mass)


def _likelihood(spans: Integers, mass: Floats) -> Floats:
    """(k,) mass inside each span."""
    total = np.concatenate([[0.0], np.cumsum(mass)])
    return np.asarray(total[spans[:, 1]] - total[spans[:, 0]])


def _gain(spans: Integers, share: Floats, mass: Floats) -> Floats:
    """(m,) slope of the log likelihood as mass moves into each cell; all spans hold mass."""
    return _over(spans, share / _likelihood(spans, mass), mass.size)


def _over(spans: Integers, rate: Floats, cells: int) -> Floats:
    """(m,) sum of what the spans over each cell have, (k,)."""
    steps = np.bincount(spans[:, 0], rate, cells + 1) - np.bincount(spans[:, 1], rate, cells + 1)
    return np.asarray(np.cumsum(steps)[:-1])


def _self_consistent(spans: Integers, share: Floats, mass: Floats) -> tuple[Floats, float]:
    """Turnbull's steps, cheap and slow, until the wider gap."""
    for _ in range(SELF_CONSISTENT_STEPS):
        gain = _gain(spans, share, mass)
        if gain.max() - 1.0 <= GAP_MANY:
            break
        mass = mass * gain
        mass = mass / mass.sum()
    return mass, float(_gain(spans, share, mass).max()) - 1.0


def _by_rounds(spans: Integers, share: Floats, mass: Floats) -> tuple[Floats, float]:
    """The maximum among few cells, then with those beside them that would gain, until none would."""
    held = _peaks(mass) & (mass > 0.1 / mass.size)
    for first, last in spans:
        if not held[first:last].any():
            held[first + int(mass[first:last].argmax())] = True
    gap = np.inf
    for _ in range(ROUNDS):
        place = np.concatenate([[0], np.cumsum(held)])
        mass = np.zeros(held.size)
        mass[held], _ = _interior(place[spans], share, int(place[-1]))
        gain = _gain(spans, share, mass)
        gap = float(gain.max()) - 1.0
        if gap <= GAP:
            break
        held = (mass > 0) | (_peaks(gain) & (gain > 1.0))
    return mass, gap


def _peaks(height: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Cells higher than the one before and no lower than the one after."""
    around = np.concatenate([[-np.inf], height, [-np.inf]])
    return np.asarray((height > around[:-2]) & (height >= around[2:]))


def _interior(spans: Integers, share: Floats, cells: int) -> tuple[Floats, float]:
    """Newton's steps from inside: every mass, and the slack that each gain has to 1, stays above 0.

    For a weight w that falls to 0, they climb the log likelihood less the sum of the masses plus w times the
    sum of their logarithms; at its top mass times slack is w in every cell. Steps are judged by slopes and by
    the gap and not by the likelihood, whose last digit a gap of 1e-8 no longer moves.
    Source: Waechter and Biegler 2006, doi:10.1007/s10107-004-0559-y; for such likelihoods Koenker and Mizera
    2014, doi:10.1080/01621459.2013.869224.
    """
    mass, slack, weight = np.full(cells, 1.0 / cells), np.ones(cells), 1.0 / cells
    for _ in range(INTERIOR_STEPS):
        gain = _gain(spans, share, mass)
        gap = float(gain.max() * mass.sum()) - 1.0
        if gap <= GAP:
            clear, proof = _cleared(spans, share, mass, slack)
            if proof <= GAP:
                return clear, proof
        if gap <= GAP / 1000:
            break
        if np.abs(mass * (1.0 - gain) - weight).max() <= NEAR_TOP * weight:
            weight = max(FALL * weight, GAP / 5000 / cells)
        try:
            mass, slack = _step(spans, share, (mass, slack, gain), weight)
        except RuntimeError:  # equations that rounding has spoilt; the gap tells how far we came
            break
    return mass / mass.sum(), gap


def _cleared(spans: Integers, share: Floats, mass: Floats, slack: Floats) -> tuple[Floats, float]:
    """Masses without the dust in cells that should hold none, and their gap."""
    clear = np.where(mass > slack, mass, 0.0)
    if not _likelihood(spans, clear).min() > 0:
        return mass, np.inf
    clear = clear / clear.sum()
    return clear, float(_gain(spans, share, clear).max()) - 1.0


def _step(
    spans: Integers, share: Floats, at: tuple[Floats, Floats, Floats], weight: float
) -> tuple[Floats, Floats]:
    """Mass and slack after one step from (mass, slack, gain), its unknowns the masses' relative changes."""
    mass, slack, gain = at
    pull = gain - 1.0 + weight / mass
    curvature = share / _likelihood(spans, mass) ** 2
    moved = _solved(spans, curvature, slack / mass, pull)
    # What a sum tells of a mass far below it is rounding; such a cell's own equation tells its change.
    lost = _over(spans, curvature * (moved[spans[:, 1]] - moved[spans[:, 0]]), mass.size)
    alone = (pull - lost) / slack
    change = np.where(mass < slack, alone, np.diff(moved) / mass)
    turn = weight / mass / slack - 1.0 - change
    mass = mass * (1.0 + _climbing(spans, share, (mass, change), weight) * change)
    slack = slack * (1.0 + _reach(turn) * turn)
    # Where mass and slack have lost each other, the equations would no longer be those of this weight.
    return mass, np.clip(slack, weight / mass / FAR, weight / mass * FAR)


def _climbing(spans: Integers, share: Floats, along: tuple[Floats, Floats], weight: float) -> float:
    """The longest halved step along (mass, its relative change) that surely climbs.

    What is climbed is concave, so that slopes in the middle and at the end that are positive in sum prove the
    end to be higher, also where the heights differ by less than their rounding.
    """
    mass, change = along

    def slope(step: float) -> float:
        there = 1.0 + step * change
        return float(
            (mass * change) @ (_gain(spans, share, mass * there) - 1.0) + weight * (change / there).sum()
        )

    step = _reach(change)
    while step > SHORTEST and slope(step / 2) + slope(step) < 0:
        step /= 2
    return step


def _reach(change: Floats) -> float:
    """How much of a relative change may be taken so that nothing reaches 0, at most all."""
    worst = float(change.min())
    return min(1.0, -SHORT_OF_EDGE / worst) if worst < 0 else 1.0


def _solved(spans: Integers, curvature: Floats, stiffness: Floats, pull: Floats) -> Floats:
    """(m + 1,) how the sums of masses before each cell change, 0 before the first.

    curvature: (k,) of each span.   stiffness, pull: (m,) of each cell.
    In these sums a span ties the two ends of its own alone and a cell two neighbours: the equations are as
    sparse as the intervals, where in the masses they were full.
    """
    cells = pull.size
    first = np.concatenate([spans[:, 0], np.arange(cells)])
    last = np.concatenate([spans[:, 1], np.arange(1, cells + 1)])
    tie = np.concatenate([curvature, stiffness])
    inner = first > 0
    one, other, both = first[inner] - 1, last[inner] - 1, tie[inner]
    rows, columns = np.concatenate([last - 1, one, one, other]), np.concatenate([last - 1, one, other, one])
    every = csc_array((np.concatenate([tie, both, -both, -both]), (rows, columns)), shape=(cells, cells))
    factors = splu(every, "MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    return np.concatenate([[0.0], factors.solve(np.append(-np.diff(pull), pull[-1]))])
