"""The mode of an objective that evaluates many parameter vectors at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize

from glueprint.errors import InputError

Floats = NDArray[np.float64]
Objective = Callable[[Floats], Floats]
"""Minus log posterior, or any loss: (m, p) parameter vectors in, (m,) values out, lower is better."""

# Central differences err by h^2 from curvature and eps/h from rounding: the cube root of eps balances them.
STEP = float(np.finfo(np.float64).eps ** (1 / 3))


@dataclass(frozen=True)
class Mode:
    """Where the search ended.

    values: (p,).   objective: at values.   gradient: (p,) by central differences.
    at_bound: (p,) flags; the value may be held there by the bound, not by the data.
    evaluations: parameter vectors evaluated.   converged and message: as the optimiser says.
    """

    values: Floats
    objective: float
    gradient: Floats
    at_bound: NDArray[np.bool_]
    evaluations: int
    converged: bool
    message: str


def mode(
    objective: Objective, start: ArrayLike, bounds: ArrayLike | None = None, *, max_iterations: int = 500
) -> Mode:
    """Search the minimum of a smooth objective from a starting point.

    objective: (m, p) -> (m,).   start: (p,).   bounds: (p, 2) lower and upper, infinite where open, or None.
    Returns Mode. Each gradient is one call of the objective with 2 p + 1 vectors.
    Raises InputError GP-I001 for start and bounds that do not fit, GP-I002 for an objective that is not
    finite at the start or does not return one value per vector.
    Source: L-BFGS-B of scipy (Byrd, Lu, Nocedal, Zhu 1995, doi:10.1137/0916069), central differences.
    """
    x, low, high = _box(start, bounds)
    scale = np.maximum(np.abs(x), 1.0)
    first = evaluate(objective, x[None, :])
    if not np.isfinite(first).all():
        raise InputError(
            "GP-I002",
            f"the objective is {first[0]} at the start",
            where="start",
            expected="a finite value",
            next_step="start inside the region the model can simulate",
        )
    evaluations = 1

    def with_gradient(z: Floats) -> tuple[float, Floats]:
        nonlocal evaluations
        value, gradient = _gradient(objective, z * scale, low, high)
        evaluations += 2 * z.size + 1
        return value, gradient * scale

    found: Any = minimize(
        with_gradient,
        x / scale,
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(low / scale, high / scale, strict=True)),
        options={"maxiter": max_iterations, "ftol": 1e-14, "gtol": 1e-9},
    )
    best = np.clip(found.x * scale, low, high)
    value, gradient = _gradient(objective, best, low, high)
    return Mode(
        values=best,
        objective=value,
        gradient=gradient,
        at_bound=(best <= low) | (best >= high),
        evaluations=evaluations + 2 * best.size + 1,
        converged=bool(found.success),
        message=str(found.message),
    )


def evaluate(objective: Objective, vectors: Floats) -> Floats:
    """Values (m,) of the objective at vectors (m, p), checked to be one per vector."""
    values = np.asarray(objective(vectors), dtype=np.float64)
    if values.shape != (vectors.shape[0],):
        raise InputError(
            "GP-I002",
            f"the objective gave shape {values.shape} for {vectors.shape[0]} vectors",
            where="objective",
            expected="one value per parameter vector",
            next_step="return an array with one loss for each row of the argument",
        )
    return values


def _gradient(objective: Objective, x: Floats, low: Floats, high: Floats) -> tuple[float, Floats]:
    """Value and gradient; a step that would leave the box is cut at the bound."""
    step = STEP * np.maximum(np.abs(x), 1.0)
    up, down = np.minimum(x + step, high), np.maximum(x - step, low)
    vectors = np.tile(x, (2 * x.size + 1, 1))
    index = np.arange(x.size)
    vectors[1 + index, index] = up
    vectors[1 + x.size + index, index] = down
    values = evaluate(objective, vectors)
    # A region that cannot be simulated is a wall: high, but finite, so that the line search turns back.
    values = np.where(np.isfinite(values), values, 1e300)
    width = up - down
    rise = values[1 : 1 + x.size] - values[1 + x.size :]
    return float(values[0]), np.where(width > 0, rise / np.where(width > 0, width, 1.0), 0.0)


def _box(start: ArrayLike, bounds: ArrayLike | None) -> tuple[Floats, Floats, Floats]:
    x = np.asarray(start, dtype=np.float64)
    if x.ndim != 1 or x.size == 0 or not np.isfinite(x).all():
        raise InputError(
            "GP-I001",
            f"not a starting point: shape {x.shape}",
            where="start",
            expected="finite numbers in one dimension",
            next_step="pass one starting value per parameter",
        )
    box = np.tile([-np.inf, np.inf], (x.size, 1)) if bounds is None else np.asarray(bounds, dtype=np.float64)
    fits = box.shape == (x.size, 2) and bool(((box[:, 0] <= x) & (x <= box[:, 1])).all())
    if not fits:
        raise InputError(
            "GP-I001",
            f"bounds of shape {box.shape} do not hold the {x.size} starting values",
            where="bounds",
            expected="a lower and an upper bound around each starting value",
            next_step="widen the bounds or move the start",
        )
    return x, box[:, 0], box[:, 1]
