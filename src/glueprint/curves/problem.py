"""A batch of curves with a model: residuals on the fitting scale, limits and starts. Kernel: arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint.curves.between import Between, least
from glueprint.curves.evidence import f_test
from glueprint.curves.logistic import LN_ASYMMETRY, LOG10_DOSE, log10_shift, shift_slopes
from glueprint.curves.models.model import Flags, Floats, Given, Model, Rows

__all__ = ["Problem", "Reach", "rounding_of"]

# Least and largest parameters (n, p) that a fit may take.
Reach = tuple[Floats, Floats]

# Below this share of the data's sum of squares a residual is rounding, not effect.
ROUNDING = 1e-24
# Below this ratio of the least to the largest singular value the data do not tell parameters apart.
SINGULAR = 1e-13
BASES = {"linear": 1.0, "log10": 10.0, "ln": math.e}


@dataclass(frozen=True)
class Problem:
    """n curves of one model; theta (n, p) is on the fitting scale (a logarithm where the parameter says so).

    response, weights: (n, m), weight 0 where a point is missing.   pinned: (n, p), NaN where free.
    reach: where a fit may go, by default as far as the model says.   level: (n,) the response at the dose
    that stands in the place of a logistic's EC50, or None for the EC50 itself.
    careful: whether to use the general descent where machine code could fit.
    between: the responses of which only ends are known, None where all are values; `response` then holds an
    end that is known, drawn to the values where all of them meet it, or the middle, to begin with.
    prior: what is stated of parameters: r residuals more of each curve, lines (theta - centre) + off, as
    centre (n, p), lines (n, r, p) and off (n, r).
    """

    model: Model
    given: Given
    response: Floats
    weights: Floats
    pinned: Floats
    reach: Reach | None = None
    level: Floats | None = None
    careful: bool = False
    between: Between | None = None
    prior: tuple[Floats, Floats, Floats] | None = None

    @cached_property
    def root(self) -> Floats:
        """Roots of the weights (n, m)."""
        return np.asarray(np.sqrt(self.weights))

    @cached_property
    def free(self) -> Flags:
        """Which parameters may move (n, p)."""
        return np.isnan(self.pinned)

    @cached_property
    def moving(self) -> NDArray[np.int64]:
        """How many parameters may move (n,)."""
        return np.asarray(self.free.sum(axis=1))

    @cached_property
    def size(self) -> Floats:
        """Weighted sum of squares of the data (n,)."""
        return np.asarray(np.einsum("nm,nm,nm->n", self.weights, self.response, self.response))

    @cached_property
    def points(self) -> NDArray[np.int64]:
        """How many points each curve has (n,)."""
        return np.asarray((self.weights > 0.0).sum(axis=1))

    @cached_property
    def told(self) -> NDArray[np.int64]:
        """How many points tell the error of each curve (n,): all but limits."""
        return self.points if self.between is None else self.between.two_sided

    @cached_property
    def dof(self) -> NDArray[np.int64]:
        """Points less free parameters (n,); limits do not count, for a curve through every value has no
        error, whatever its limits."""
        dof = self.told - self.moving
        return dof if self.between is None else np.maximum(dof, 0)

    @cached_property
    def distinct_doses(self) -> NDArray[np.int64]:
        """How many different places (all inputs together) were measured (n,)."""
        n = len(self.weights)
        used = self.weights[:1] > 0.0 if self.given.alike else self.weights > 0.0
        place = np.zeros(used.shape)
        for turn, name in enumerate(self.model.inputs):
            value = np.where(used, self.given[name][: len(used)], np.nan)
            # Irrational weights keep different pairs of inputs apart.
            place = place * np.pi + value * (1.0 + turn / math.e)
        ordered = np.sort(place, axis=1)
        return np.broadcast_to((np.diff(ordered, axis=1) > 0.0).sum(axis=1) + used.any(axis=1), n)

    @cached_property
    def logistic(self) -> bool:
        """Whether it is a logistic with the same parameters free in all curves."""
        if not self.model.fast or self.careful:
            return False
        pinned = self.pinned[:1] if self.pinned.strides[0] == 0 else self.pinned
        free, straight = np.isnan(pinned), pinned[:, LN_ASYMMETRY] == 0.0
        alike = (free == free[:1]).all() and (straight == straight[:1]).all()
        return bool(alike and free[:, LOG10_DOSE].all())

    @property
    def fast(self) -> bool:
        """Whether machine code fits it."""
        return self.logistic and self.between is None

    @property
    def pins(self) -> Floats:
        """Theta of the parameters that all curves hold (p,), NaN where free."""
        return self.pinned[0] if len(self.pinned) else np.full(self.base.size, np.nan)

    @cached_property
    def log10_dose(self) -> Floats:
        """Log10 of the doses (n, m), -inf for a dose of zero."""
        dose = self.given["dose"]
        with np.errstate(divide="ignore"):
            return np.broadcast_to(np.log10(dose[:1] if dose.strides[0] == 0 else dose), dose.shape)

    @cached_property
    def tested(self) -> tuple[Floats, Floats]:
        """Lowest and highest dose above zero (n,), NaN where there is none."""
        least, most = self.given.positive_range("dose")
        none = ~(self.given.used & (self.given["dose"] > 0.0)).any(axis=1)
        return np.where(none, np.nan, least), np.where(none, np.nan, most)

    @cached_property
    def side_by_side(self) -> Floats:
        """Log10 dose, response and weight of every point (n, m, 3)."""
        return np.stack([self.log10_dose, self.response, self.weights], axis=-1)

    @property
    def lowest_dose(self) -> Floats:
        """The lowest dose tested (n,)."""
        return self.tested[0]

    @property
    def highest_dose(self) -> Floats:
        """The highest dose tested (n,)."""
        return self.tested[1]

    def rows(self, which: Rows | slice) -> Problem:
        """The same for some of the curves."""

        def part(value: Any) -> Any:
            if isinstance(value, tuple):
                return tuple(map(part, value))
            if isinstance(value, Given | Between):
                return value.rows(which)
            return value[which] if isinstance(value, np.ndarray) else value

        return replace(self, **{field.name: part(getattr(self, field.name)) for field in fields(self)})

    @cached_property
    def base(self) -> Floats:
        """Base of the logarithm as which each parameter is fitted (p,); 1 for none."""
        return np.array([BASES[parameter.scale] for parameter in self.model.parameters])

    @property
    def logarithmic(self) -> Flags:
        """Which parameters are fitted as logarithms (p,)."""
        return np.asarray(self.base > 1.0)

    def natural(self, theta: Floats) -> Floats:
        """Parameters in natural units (..., p)."""
        return np.where(self.logarithmic, self.base ** np.where(self.logarithmic, theta, 0.0), theta)

    def fitting(self, natural: Floats) -> Floats:
        """Parameters on the fitting scale (..., p)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            positive = np.where(self.logarithmic, natural, 1.0)
            logs = np.where(self.base == math.e, np.log(positive), np.log10(positive))
        return np.where(self.logarithmic, logs, natural)

    def slope(self, natural: Floats) -> Floats:
        """Derivative of the natural by the fitted parameters (..., p)."""
        return np.where(self.logarithmic, natural * np.log(self.base), 1.0)

    @cached_property
    def mean(self) -> Floats:
        """The weighted mean response (n,), which is the best flat line; 0 without points."""
        total = self.weights.sum(axis=1)
        return np.asarray(
            np.einsum("nm,nm->n", self.weights, self.response) / np.where(total > 0.0, total, 1.0)
        )

    @cached_property
    def flat(self) -> tuple[Floats, NDArray[np.int64]]:
        """Sum of squares (n,) about the flat line, and how many parameters it has: none where the model's
        level without effect is held, for then that is the line; else one, the mean."""
        names, free = self.model.names, self.free
        at = names.index(self.model.level) if self.model.level else 0
        held = ~free[:, at] & bool(self.model.level)
        level = np.where(held, self.natural(np.where(free, 0.0, self.pinned))[:, at], self.mean)
        line = np.where(held, 0, 1)
        if self.between is not None:
            free, open_ends = ~held[:, None], np.full((len(level), 1), np.inf)
            best = least(self._line, self.between, level[:, None], free, (-open_ends, open_ends), self.size)
            return best.cost, line
        miss = self.response - level[:, None]
        return np.einsum("nm,nm,nm->n", self.weights, miss, miss), line

    def _line(self, theta: Floats, rows: Rows) -> tuple[Floats, Floats]:
        """The flat line at theta (k, 1)."""
        shape = rows.size, self.response.shape[1]
        return np.broadcast_to(theta, shape), np.ones((*shape, 1))

    @property
    def constant(self) -> Flags:
        """Curves (n,) whose responses are the flat line, but for rounding."""
        return np.asarray(self.flat[0] <= ROUNDING * self.size)

    def effect(self, rss: Floats) -> tuple[Floats, Floats]:
        """F test of curves that leave `rss` (n,) against the flat line: F (n,) and p (n,), NaN without
        freedom."""
        flat, line = self.flat
        # Exactly flat data leave 0 / 0, or one rounding over another.
        return f_test(flat - rss, self.moving - line, rss, self.dof, none=self.constant)

    def curve(self, theta: Floats, rows: Rows | None = None) -> tuple[Floats, Floats]:
        """Responses (k, m) and derivatives (k, m, p) by theta (k, p) of the curves `rows`."""
        moved = None
        if self.level is not None:
            level = self.level if rows is None else self.level[rows]
            moved = shift_slopes(theta, level)
            theta = theta.copy()
            theta[:, LOG10_DOSE] -= log10_shift(theta, level)
        natural = self.natural(theta)
        given = self.given if rows is None else self.given.rows(rows)
        with np.errstate(all="ignore"):
            y, jacobian = self.model.curve(natural, given)
            jacobian = jacobian * self.slope(natural)[:, None, :]
            if moved is not None:
                jacobian = jacobian - jacobian[..., LOG10_DOSE, None] * moved[:, None, :]
        return y, jacobian

    def evaluate(self, theta: Floats, rows: Rows) -> tuple[Floats, Floats]:
        """Weighted residuals and their Jacobian, for `descend`; what is stated of parameters comes last."""
        y, jacobian = self.curve(theta, rows)
        root = self.root[rows]
        counts = root > 0.0
        with np.errstate(all="ignore"):
            residual = np.where(counts, root * (y - self.response[rows]), 0.0)
            jacobian = np.where(counts[..., None], root[..., None] * jacobian, 0.0)
        if self.prior is None:
            return residual, jacobian
        centre, lines, off = (part[rows] for part in self.prior)
        stated = np.einsum("krp,kp->kr", lines, theta - centre) + off
        return np.concatenate([residual, stated], axis=1), np.concatenate([jacobian, lines], axis=1)

    @property
    def reaching(self) -> Flags:
        """Parameters (p,) whose limits are how far the data let one look, not what is possible."""
        return np.array([callable(parameter.reach) for parameter in self.model.parameters])

    def limits(self) -> Reach:
        """Least and largest theta (n, p)."""
        return self._edges

    @cached_property
    def _edges(self) -> Reach:
        if self.reach is not None:
            return self.reach
        given = self.given.rows(np.zeros(1, dtype=int)) if self.given.alike else self.given
        sides = [parameter.limits(given) for parameter in self.model.parameters]
        low, high = (np.stack([side[i] for side in sides], axis=1) for i in range(2))
        at_zero = np.where(self.logarithmic, 0.0, -np.inf)
        shape = len(self.response), self.base.size
        ends = self.fitting(np.maximum(low, at_zero)), self.fitting(high)
        return np.broadcast_to(ends[0], shape), np.broadcast_to(ends[1], shape)

    def starts(self, count: int) -> Floats:
        """The `count` best starts (count, n, p) of the model's own grid, best first, linear parameters
        solved."""
        n, grids = len(self.response), []
        for i, parameter in enumerate(self.model.parameters):
            if not self.free[:, i].any():
                grids.append(self.pinned[None, :, i])
            elif parameter.linear:
                grids.append(np.zeros((1, n)))
            else:
                natural = parameter.begin(self.given)[..., None] * np.ones(self.base.size)
                grids.append(self.fitting(natural)[..., i])
        candidates = np.stack(
            [np.stack(values, axis=1) for values in product(*(list(grid) for grid in grids))]
        )
        candidates = np.where(self.free, candidates, self.pinned)
        linear = [i for i, parameter in enumerate(self.model.parameters) if parameter.linear]
        return self.ranked(candidates, linear, count)

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

    def inverse(self, theta: Floats, at_bound: Flags) -> Floats:
        """inv(J'J) (n, p, p) at theta (n, p); NaN where fixed, at a bound or unknown."""
        every = np.arange(theta.shape[0])
        if self.between is None:
            return self._inverse(self.evaluate(theta, every)[1], at_bound)
        y, jacobian = self.curve(theta)
        sigma = self.between.spread(y)
        # As if of a sum of squares, of which the variance is a share.
        unit = (self.told / self.between.cost(y, sigma))[:, None, None]
        return self._inverse(self.between.residuals(y, jacobian, sigma)[1], at_bound) * unit

    def _inverse(self, jacobian: Floats, at_bound: Flags) -> Floats:
        moving = self.free & ~at_bound
        upper = np.where(moving[:, None, :], jacobian, 0.0)
        upper = np.where(np.isfinite(upper), upper, 0.0)
        norm = np.sqrt(np.einsum("nmj,nmj->nj", upper, upper))
        usable = moving & (norm > 0.0)
        scale = np.where(usable, norm, 1.0)
        # Fixed columns become unit columns of their own below, so that the rest is inverted as it is.
        apart = np.where(usable, 0.0, 1.0)[:, :, None] * np.eye(jacobian.shape[2])
        stacked = np.linalg.qr(np.concatenate([upper / scale[:, None, :], apart], axis=1), mode="r")
        _, size, turn = np.linalg.svd(stacked)
        sound = size[:, -1] > SINGULAR * size[:, 0]
        size = np.where(sound[:, None], size, 1.0)
        half = turn.transpose(0, 2, 1) / size[:, None, :]
        inverse = (half @ half.transpose(0, 2, 1)) / (scale[:, :, None] * scale[:, None, :])
        known = usable[:, :, None] & usable[:, None, :] & sound[:, None, None]
        return np.where(known, inverse, np.nan)


def rounding_of(cost: Floats, size: Floats) -> Floats:
    """How far rounding alone moves the cost: residuals carry the rounding of the data they are taken from.

    Source: own derivation: d(r'r) = 2 r'dr with |dr| <= eps |y|, and the rounding of the sum itself.
    """
    return np.asarray(4.0 * np.finfo(float).eps * (cost + np.sqrt(cost * size)))
