"""Responses of which only ends are known, below detection or beyond a detector: their likelihood. Kernel.

With e the distance of a value from the curve, w its weight and s the error at weight 1, the deviance is
n_v ln s^2 + sum w e^2 / s^2 - 2 sum ln(Phi(b) - Phi(a)), where a limit's ends lie a and b of its own errors
from the curve; s is where it is least. n exp(deviance / n - 1) is the sum of squares where all n responses
are values, so it stands in for that sum, and tests and thresholds, which are ratios of likelihoods, hold as
they are. As n count values and intervals: a limit far from its curve tells nothing and must change nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from glueprint.curves.descent import Descent, Flags, Floats, Rows, descend

__all__ = ["Between", "least"]

# A limit this flat says nothing.
TINY = 1e-30
LOG_ROOT_TAU = 0.5 * math.log(2.0 * math.pi)
# Curve and error take turns until a turn lowers the cost by less than this share of it.
TURN, TURNS = 1e-8, 40
# Natural logarithms of the least and largest error, in standard deviations of the responses; steps in
# between, and how near they come.
LEAST, MOST = -28.0, 7.0
NEWTON, CLOSE = 60, 1e-10
# The error of the next turn is looked for beyond the last where the turns shrink no faster than this.
SLOWEST = 0.95


@dataclass(frozen=True)
class Between:
    """Responses of n curves by m points.

    low, high: (n, m) ends, equal for a value, infinite where open.   root: (n, m) roots of the weights, 0
    where missing.   unit: (n,) a standard deviation of the responses, for limits lose the unit that the
    logarithm of an error has.
    """

    low: Floats
    high: Floats
    root: Floats
    unit: Floats

    @cached_property
    def held(self) -> Flags:
        """Which are limits (n, m)."""
        return np.asarray((self.root > 0.0) & (self.low < self.high))

    @cached_property
    def values(self) -> Flags:
        """Which are values (n, m)."""
        return np.asarray((self.root > 0.0) & ~self.held)

    @property
    def two_sided(self) -> NDArray[np.int64]:
        """How many values and intervals each curve has, which alone tell its error (n,)."""
        closed = self.held & np.isfinite(self.low) & np.isfinite(self.high)
        return np.asarray((self.values | closed).sum(axis=1))

    def rows(self, which: Rows | slice) -> Between:
        """The same for some of the curves."""
        return Between(self.low[which], self.high[which], self.root[which], self.unit[which])

    def residuals(self, y: Floats, jacobian: Floats, sigma: Floats) -> tuple[Floats, Floats]:
        """Residuals (n, 2 m) of which the squares add up to the deviance, but for the logarithm of the errors
        (n,), at responses y (n, m), and their derivatives (n, 2 m, p).

        A limit is a residual with the slope and the curvature of its own part, so that steps are Newton's,
        and what is left of that part, which no step sees: never below zero, for the normal law is
        logarithmically concave.   Source: own derivation.
        """
        scale = self.root / sigma[:, None]
        miss = np.where(self.values, scale * (y - np.where(self.values, self.low, 0.0)), 0.0)
        a, b, log_share, at_low, at_high = self._shares(y, sigma)
        part, pull = np.maximum(-2.0 * log_share, TINY), at_high - at_low
        # Far from the curve the curvature loses its digits; it is never below this share of the slope.
        with np.errstate(all="ignore"):
            least = np.maximum(pull**2 / part, TINY)
            bend = np.maximum(pull**2 + b * at_high - a * at_low, least)
        root = np.where(self.held, np.sqrt(bend), 1.0)
        miss = np.where(self.held, pull / root, miss)
        rest = np.where(self.held, np.sqrt(np.maximum(part - miss**2, 0.0)), 0.0)
        jacobian = np.where((self.root > 0.0)[..., None], (root * scale)[..., None] * jacobian, 0.0)
        together = np.concatenate([miss, rest], axis=1)
        return together, np.concatenate([jacobian, np.zeros_like(jacobian)], axis=1)

    def spread(self, y: Floats, guess: Floats | None = None) -> Floats:
        """The error of weight 1 (n,) by its own maximum likelihood at responses y (n, m), from a guess (n,).

        Source: own derivation: Newton's method on the logarithm of the error, within a bracket.
        """
        squares, count = self._squares(y), self.values.sum(axis=1)
        low, high = np.log(self.unit) + LEAST, np.log(self.unit) + MOST
        with np.errstate(divide="ignore", invalid="ignore"):
            found = 0.5 * np.log(squares / count)
        found = np.clip(np.where(np.isnan(found), 0.5 * (low + high), found), low, high)
        if guess is not None:
            found = np.where(self.held.any(axis=1), np.log(guess), found)
        rows = np.flatnonzero(self.held.any(axis=1) & np.isfinite(squares))
        for _ in range(NEWTON):
            if rows.size == 0:
                break
            at = found[rows]
            a, b, _, at_low, at_high = self.rows(rows)._shares(y[rows], np.exp(at))
            pulls = b * at_high - a * at_low
            pull, rest = pulls.sum(axis=1), squares[rows] * np.exp(-2.0 * at)
            slope = count[rows] - rest + pull
            bend = 2.0 * rest + (pulls**2 - pulls + b**3 * at_high - a**3 * at_low).sum(axis=1)
            low[rows], high[rows] = (
                np.where(slope < 0.0, at, low[rows]),
                np.where(slope < 0.0, high[rows], at),
            )
            with np.errstate(divide="ignore", invalid="ignore"):
                step = at - slope / bend
            inside = (bend > 0.0) & (step > low[rows]) & (step < high[rows])
            found[rows] = np.where(inside, step, 0.5 * (low[rows] + high[rows]))
            rows = rows[np.abs(found[rows] - at) > CLOSE]
        return np.asarray(np.exp(found))

    def deviance(self, y: Floats, sigma: Floats) -> Floats:
        """The deviance (n,); infinite where a curve has no value."""
        log_share = np.where(self.held, self._shares(y, sigma)[2], 0.0).sum(axis=1)
        with np.errstate(all="ignore"):
            found = self._squares(y) / sigma**2 + 2.0 * self.values.sum(axis=1) * np.log(sigma)
            found = np.asarray(found - 2.0 * log_share)
        return np.where(np.isfinite(found), found, np.inf)

    def cost(self, y: Floats, sigma: Floats) -> Floats:
        """What stands for the sum of squares (n,); infinite where a curve has no value."""
        points, count = np.maximum(self.two_sided, 1), self.values.sum(axis=1)
        with np.errstate(over="ignore"):
            log_unit = 2.0 * (1.0 - count / points) * np.log(self.unit)
            return np.asarray(points * np.exp(self.deviance(y, sigma) / points - 1.0 + log_unit))

    def _squares(self, y: Floats) -> Floats:
        miss = np.where(self.values, self.root * (y - np.where(self.values, self.low, 0.0)), 0.0)
        return np.asarray(np.einsum("nm,nm->n", miss, miss))

    def _shares(self, y: Floats, sigma: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Where the ends of each limit lie in errors (n, m), 0 where open; the logarithm of the chance
        between them, and the density at either end over that chance, 0 where there is no limit."""
        scale = np.where(self.held, self.root / sigma[:, None], 1.0)
        with np.errstate(all="ignore"):
            a, b = (
                np.where(self.held, scale * (end - y), 0.0)
                for end in (np.where(self.held, self.low, 0.0), np.where(self.held, self.high, 0.0))
            )
            # The smaller tail keeps its digits.
            beyond = a + b > 0.0
            first, last = np.where(beyond, -b, a), np.where(beyond, -a, b)
            log_last = log_ndtr(last)
            log_share = log_last + np.log1p(-np.exp(log_ndtr(first) - log_last))
            at_low, at_high = (np.exp(-0.5 * end**2 - LOG_ROOT_TAU - log_share) for end in (a, b))
        a, b = (np.where(np.isfinite(end), end, 0.0) for end in (a, b))
        return a, b, log_share, np.where(self.held, at_low, 0.0), np.where(self.held, at_high, 0.0)


def least(
    curve: Callable[[Floats, Rows], tuple[Floats, Floats]],
    given: Between,
    start: Floats,
    free: Flags,
    bounds: tuple[Floats, Floats],
    size: Floats,
    **options: Any,
) -> Descent:
    """Minimise the cost of `Between` of every curve from start (n, p): curve and error in turns.

    curve: (theta, rows) -> responses (k, m), derivatives (k, m, p); others as in `descent.descend`.
    Source: maximum likelihood of a regression with limits, Tobin 1958, doi 10.2307/1907382.
    """
    theta, rows = start.copy(), np.arange(len(start))
    sigma, cost = given.spread(curve(theta, rows)[0]), np.full(len(start), np.inf)
    moved, converged = np.full(len(start), np.nan), np.zeros(len(start), bool)
    at_bound = np.zeros(start.shape, bool)
    for _ in range(TURNS):
        if rows.size == 0:
            break
        part, own = given.rows(rows), sigma[rows]

        def evaluate(
            at: Floats, which: Rows, rows: Rows = rows, part: Between = part, own: Floats = own
        ) -> tuple[Floats, Floats]:
            return part.rows(which).residuals(*curve(at, rows[which]), own[which])

        with np.errstate(all="ignore"):
            ends = bounds[0][rows], bounds[1][rows]
            end = descend(evaluate, theta[rows], free[rows], ends, size=size[rows] / own**2, **options)
            y = curve(end.theta, rows)[0]
            spread = part.spread(y, own)
            now, step = part.cost(y, spread), np.log(spread / own)
            share = np.nan_to_num(step / moved[rows])
            # The turns shrink by one share, so their sum is known (Aitken).
            ahead = np.where((share > 0.0) & (share < SLOWEST), step * share / (1.0 - share), 0.0)
        # Without limits the curve does not depend on the error, and one turn is all.
        going = (now < cost[rows] * (1.0 - TURN)) & part.held.any(axis=1)
        kept = now <= cost[rows]
        converged[rows] = end.converged & ~going
        better = rows[kept]
        theta[better], cost[better], at_bound[better] = end.theta[kept], now[kept], end.at_bound[kept]
        sigma[rows], moved[rows] = spread * np.exp(ahead), np.where(ahead == 0.0, step, np.nan)
        rows = rows[going]
    return Descent(theta, cost, converged & np.isfinite(cost), at_bound)
