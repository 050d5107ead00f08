"""What speaks for a model over another, and against it at all: F tests and Akaike's criterion. Kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import fdtrc

from glueprint.curves.logistic import Floats

__all__ = ["Comparison", "LackOfFit", "aicc", "compared", "f_test", "lack_of_fit", "turns"]

# Level at which a parabola says that a response without a falling or rising effect turns back instead.
TURNING = 0.01
# Where along the doses it must turn: nearer to an end it is a curve that levels off.
TURN_WITHIN = 0.15, 0.85


@dataclass(frozen=True)
class Comparison:
    """A simple fit against a general one of the same points: F of the extra sum of squares with its degrees
    of freedom, and p, where the general model contains the simple one; both by Akaike's criterion, and the
    chance by it that the general one is the better."""

    f: float
    extra: int
    dof: int
    p: float
    aicc_simple: float
    aicc_general: float
    probability_general: float


@dataclass(frozen=True)
class LackOfFit:
    """A curve against free means of its replicates: F and p, NaN without replicates or spare places.

    pure: sum of squares within replicates, on `pure_dof` degrees of freedom.   missed: what the curve leaves
    beyond it, on `extra`.
    """

    f: float
    p: float
    pure: float
    pure_dof: int
    missed: float
    extra: float


def f_test(
    fall: ArrayLike, extra: ArrayLike, rss: ArrayLike, dof: ArrayLike, *, none: ArrayLike = False
) -> tuple[Floats, Floats]:
    """F and p of `extra` more parameters that lower the sum of squares by `fall` to `rss` on `dof`; NaN
    without freedom.

    none: where nothing was left to explain but rounding, so that F is 0.

    Source: Bates and Watts 1988, section 3.10, doi 10.1002/9780470316757.
    """
    more, left = np.asarray(extra, dtype=float), np.asarray(dof, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.maximum(fall, 0.0) / np.maximum(more, 1.0) / (rss / np.maximum(left, 1.0))
    ratio = np.where(none, 0.0, ratio)
    ratio = np.where((more > 0) & (left > 0), ratio, np.nan)
    return ratio, np.asarray(fdtrc(np.maximum(more, 1.0), np.maximum(left, 1.0), ratio))


def compared(simple: tuple[float, int], general: tuple[float, int], points: int) -> Comparison:
    """Both criteria of two fits of so many points: a sum of squares and a number of parameters each.

    Source: Bates and Watts 1988, section 3.10, doi 10.1002/9780470316757; Burnham and Anderson 2002, chapter
    2.
    """
    (rss, few), (least, many) = simple, general
    scores = aicc(rss, points, few), aicc(least, points, many)
    ratio, p = f_test(rss - least, many - few, least, points - many)
    share = 1.0 / (1.0 + np.exp(np.clip(0.5 * (scores[1] - scores[0]), -700.0, 700.0)))
    return Comparison(float(ratio), many - few, points - many, float(p), *scores, float(share))


def lack_of_fit(place: NDArray[Any], response: Floats, rss: float, dof: float, weights: Floats) -> LackOfFit:
    """F test of a curve against free means at every place.

    place: (m,) or (m, k) what replicates have in common.   response, weights: (m,).   rss, dof: of the curve.
    Source: Draper and Smith 1998, Applied Regression Analysis, section 2.1.
    """
    levels, group = np.unique(place, axis=0, return_inverse=True)
    group = group.reshape(-1)
    total = np.bincount(group, weights)
    mean = np.bincount(group, weights * response) / np.where(total > 0.0, total, 1.0)
    pure = float(np.sum(weights * (response - mean[group]) ** 2))
    pure_dof = response.size - len(levels)
    missed, extra = max(rss - pure, 0.0), dof - pure_dof
    if pure_dof < 1 or extra < 1.0 or not pure > 0.0:
        return LackOfFit(np.nan, np.nan, pure, pure_dof, missed, extra)
    ratio, p = f_test(missed, extra, pure, pure_dof)
    return LackOfFit(float(ratio), float(p), pure, pure_dof, missed, extra)


def turns(dose: Floats, response: Floats, weights: Floats) -> NDArray[np.bool_]:
    """Whether the response (n, m) of each curve turns back within its doses: the F test of a parabola over
    the order of the doses, beside a straight line, whose vertex lies within them (n,).

    dose: (n, m), on any scale.   weights: (n, m), 0 where missing.
    Source: Bates and Watts 1988, section 3.10, doi 10.1002/9780470316757; docs/curves.md.
    """
    used = weights > 0.0
    x, y = np.where(used, dose, np.inf), np.where(used, response, 0.0)
    order = np.argsort(x, axis=1, kind="stable")
    ranked = np.take_along_axis(x, order, axis=1)
    with np.errstate(invalid="ignore"):
        steps = np.pad(np.cumsum(np.diff(ranked, axis=1) > 0.0, axis=1), ((0, 0), (1, 0)))
    place = np.empty_like(steps)
    np.put_along_axis(place, order, steps, axis=1)
    levels = np.where(used, place, 0).max(axis=1, initial=0, keepdims=True)
    at = np.where(used, place / np.maximum(levels, 1), 0.0)
    line, bend = (_polynomial(weights, at, y, degree) for degree in (1, 2))
    slope, curvature = bend[1][:, 1], bend[1][:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        vertex = -slope / (2.0 * curvature)
    p = f_test(line[0] - bend[0], 1, bend[0], used.sum(axis=1) - 3)[1]
    inside = (vertex > TURN_WITHIN[0]) & (vertex < TURN_WITHIN[1])
    return np.asarray((levels[:, 0] >= 3) & inside & (p < TURNING))


def _polynomial(weights: Floats, at: Floats, y: Floats, degree: int) -> tuple[Floats, Floats]:
    """Weighted sum of squares (n,) about the best polynomial, and its coefficients (n, degree + 1)."""
    bases = at[..., None] ** np.arange(degree + 1)
    matrix = np.einsum("nm,nmi,nmj->nij", weights, bases, bases)
    told = np.einsum("nm,nmi,nm->ni", weights, bases, y)
    found = np.einsum("nij,nj->ni", np.linalg.pinv(matrix, hermitian=True), told)
    return np.einsum("nm,nm->n", weights, (y - np.einsum("nmi,ni->nm", bases, found)) ** 2), found


def aicc(rss: float, points: int, parameters: int) -> float:
    """Akaike's criterion with its correction for few points; the error counts as a parameter.

    Infinite where points do not exceed parameters by three or more.
    Source: Hurvich and Tsai 1989, doi 10.1093/biomet/76.2.297.
    """
    k = parameters + 1
    spare = points - k - 1
    penalty = 2.0 * k * (k + 1) / spare if spare > 0 else np.inf
    return float(points * np.log(max(rss, np.finfo(float).tiny) / points) + 2.0 * k + penalty)
