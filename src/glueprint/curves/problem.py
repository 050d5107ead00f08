"""A batch of curves with a model: residuals on the fitting scale, limits and starts. Kernel: arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from glueprint.curves.models.model import Flags, Floats, Given, Model, Rows

__all__ = ["Problem"]

LN10 = float(np.log(10.0))


@dataclass(frozen=True)
class Problem:
    """n curves of one model; theta (n, p) is on the fitting scale (log10 where the parameter says so).

    response, root: (n, m), root of the weights, 0 where a point is missing.   pinned: (n, p), NaN where free.
    """

    model: Model
    given: Given
    response: Floats
    root: Floats
    pinned: Floats

    @property
    def free(self) -> Flags:
        """Which parameters may move (n, p)."""
        return np.isnan(self.pinned)

    @property
    def size(self) -> Floats:
        """Weighted sum of squares of the data (n,)."""
        return np.asarray(np.einsum("nm,nm->n", self.root * self.response, self.root * self.response))

    def rows(self, which: Rows) -> Problem:
        """The same for some of the curves."""
        return Problem(
            self.model, self.given.rows(which), self.response[which], self.root[which], self.pinned[which]
        )

    @property
    def logarithmic(self) -> Flags:
        """Which parameters are fitted as logarithms (p,)."""
        return np.array([parameter.scale == "log10" for parameter in self.model.parameters])

    def natural(self, theta: Floats) -> Floats:
        """Parameters in natural units (..., p)."""
        return np.where(self.logarithmic, 10.0 ** np.where(self.logarithmic, theta, 0.0), theta)

    def fitting(self, natural: Floats) -> Floats:
        """Parameters on the fitting scale (..., p)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.logarithmic, np.log10(np.where(self.logarithmic, natural, 1.0)), natural)

    def slope(self, natural: Floats) -> Floats:
        """Derivative of the natural by the fitted parameters (..., p)."""
        return np.where(self.logarithmic, natural * LN10, 1.0)

    def curve(self, theta: Floats, rows: Rows | None = None) -> tuple[Floats, Floats]:
        """Responses (k, m) and derivatives (k, m, p) by theta (k, p) of the curves `rows`."""
        natural = self.natural(theta)
        given = self.given if rows is None else self.given.rows(rows)
        with np.errstate(all="ignore"):
            y, jacobian = self.model.curve(natural, given)
        return y, jacobian * self.slope(natural)[:, None, :]

    def evaluate(self, theta: Floats, rows: Rows) -> tuple[Floats, Floats]:
        """Weighted residuals and their Jacobian, for `descend`."""
        y, jacobian = self.curve(theta, rows)
        root = self.root[rows]
        counts = root > 0.0
        with np.errstate(all="ignore"):
            residual = np.where(counts, root * (y - self.response[rows]), 0.0)
            return residual, np.where(counts[..., None], root[..., None] * jacobian, 0.0)

    @property
    def reaching(self) -> Flags:
        """Parameters (p,) whose limits are how far the data let one look, not what is possible."""
        return np.array([callable(parameter.reach) for parameter in self.model.parameters])

    def limits(self) -> tuple[Floats, Floats]:
        """Least and largest theta (n, p)."""
        sides = [parameter.limits(self.given) for parameter in self.model.parameters]
        low, high = (np.stack([side[i] for side in sides], axis=1) for i in range(2))
        at_zero = np.where(self.logarithmic, 0.0, -np.inf)
        return self.fitting(np.maximum(low, at_zero)), self.fitting(high)

    def starts(self, count: int) -> Floats:
        """The `count` best starts (count, n, p) of the model's own grid, best first, linear parameters
        solved."""
        grids = [
            self.pinned_start(i)
            if not self.free[:, i].any()
            else np.zeros((1, self.response.shape[0]))
            if parameter.linear
            else self.fitting_of(i, parameter.begin(self.given))
            for i, parameter in enumerate(self.model.parameters)
        ]
        candidates = np.stack(
            [np.stack(values, axis=1) for values in product(*(list(grid) for grid in grids))]
        )
        candidates = np.where(self.free, candidates, self.pinned)
        linear = [i for i, parameter in enumerate(self.model.parameters) if parameter.linear]
        return self.ranked(candidates, linear, count)

    def pinned_start(self, index: int) -> Floats:
        """The value (1, n) at which a parameter is held."""
        return self.pinned[None, :, index]

    def fitting_of(self, index: int, natural: Floats) -> Floats:
        """Values of one parameter on the fitting scale."""
        return np.asarray(np.log10(natural) if self.logarithmic[index] else natural)

    def ranked(self, candidates: Floats, linear: Sequence[int], count: int) -> Floats:
        """The `count` best of candidates (s, n, p) after solving for the linear parameters."""
        n = self.response.shape[0]
        every: Rows = np.arange(n)
        solved, costs = [], []
        for theta in candidates:
            ready = self.solve_linear(theta, linear)
            residual, _ = self.evaluate(ready, every)
            cost = np.einsum("nm,nm->n", residual, residual)
            solved.append(ready)
            costs.append(np.where(np.isfinite(cost), cost, np.inf))
        order = np.argsort(np.stack(costs), axis=0, kind="stable")[:count]
        return np.take_along_axis(np.stack(solved), order[..., None], axis=0)

    def solve_linear(self, theta: Floats, linear: Sequence[int]) -> Floats:
        """theta (n, p) with its free linear parameters at their least-squares values, the others as they are.

        Source: the response is affine in them, so one linear regression is exact (Golub and Pereyra 1973,
        doi 10.1137/0710036).
        """
        moving = [i for i in linear if self.free[:, i].any()]
        if not moving:
            return theta
        bare = theta.copy()
        bare[:, moving] = np.where(self.free[:, moving], 0.0, theta[:, moving])
        residual, jacobian = self.evaluate(bare, np.arange(theta.shape[0]))
        basis = np.where(self.free[:, None, moving], jacobian[:, :, moving], 0.0)
        sound = np.asarray(np.isfinite(basis).all(axis=(1, 2)) & np.isfinite(residual).all(axis=1))
        basis = np.where(sound[:, None, None], basis, 0.0)
        target = np.where(sound[:, None], residual, 0.0)
        norm = np.sqrt(np.einsum("nmp,nmp->np", basis, basis))
        norm = np.where(norm > 0.0, norm, 1.0)
        basis = basis / norm[:, None, :]
        turned = basis.transpose(0, 2, 1)
        # The ridge keeps columns that coincide (plateaus out of sight) from blowing up.
        matrix = turned @ basis + 1e-12 * np.eye(len(moving))
        found = -np.linalg.solve(matrix, turned @ target[..., None])[..., 0] / norm
        ready = bare
        ready[:, moving] = np.where(self.free[:, moving], found, theta[:, moving])
        return ready
