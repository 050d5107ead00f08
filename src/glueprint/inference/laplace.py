"""The normal approximation of a posterior around its mode."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from glueprint.errors import InputError
from glueprint.inference.mode import Floats, Objective, evaluate

# Second differences err by h^2 from curvature and eps/h^2 from rounding: the fourth root of eps is best.
STEP = float(np.finfo(np.float64).eps ** 0.25)


@dataclass(frozen=True)
class Laplace:
    """Normal approximation; (p,) and (p, p).

    status: "ok", or "not a minimum" when the Hessian is not positive definite: then some direction is not
    held by the data, covariance, sd and correlation are NaN, and `flat` is that direction.
    """

    values: Floats
    hessian: Floats
    covariance: Floats
    sd: Floats
    correlation: Floats
    status: str
    flat: Floats


def laplace(objective: Objective, values: ArrayLike, *, scale: ArrayLike | None = None) -> Laplace:
    """Covariance of the parameters as the inverse Hessian of minus the log posterior at the mode.

    objective: (m, p) -> (m,) minus log posterior.   values: (p,) the mode.
    scale: (p,) size over which each parameter matters, > 0; its absolute value, at least 1, when None.
    Returns Laplace. The Hessian is one call of the objective with 1 + 2 p^2 vectors.
    Raises InputError GP-I001 for shapes, GP-I002 if the objective is not finite around the mode.
    Source: central second differences; Tierney and Kadane 1986, doi:10.1080/01621459.1986.10478240.
    """
    x = np.asarray(values, dtype=np.float64)
    size = np.maximum(np.abs(x), 1.0) if scale is None else np.asarray(scale, dtype=np.float64)
    if x.ndim != 1 or size.shape != x.shape or not (size > 0).all():
        raise InputError(
            "GP-I001",
            f"values of shape {x.shape} with scale of shape {size.shape}",
            where="scale",
            expected="one positive scale per parameter",
            next_step="pass the prior standard deviations as the scale",
        )
    hessian = _hessian(objective, x, STEP * size)
    # Judged on the scale of the parameters, or units would decide what is flat.
    spectrum, directions = np.linalg.eigh(hessian * np.outer(size, size))
    p = x.size
    unknown = np.full((p, p), np.nan)
    if spectrum[0] <= 1e-7 * max(abs(spectrum[-1]), 1.0):
        flat = directions[:, 0] * size
        return Laplace(x, hessian, unknown, np.full(p, np.nan), unknown, "not a minimum", flat)
    covariance = (directions / spectrum) @ directions.T * np.outer(size, size)
    sd = np.sqrt(np.diag(covariance))
    return Laplace(x, hessian, covariance, sd, covariance / np.outer(sd, sd), "ok", np.zeros(p))


def _hessian(objective: Objective, x: Floats, step: Floats) -> Floats:
    p = x.size
    first, second = np.triu_indices(p, 1)
    along = np.diag(step)
    pairs = [
        a * along[first] + b * along[second] for a, b in ((1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0))
    ]
    moves = np.concatenate([np.zeros((1, p)), along, -along, *pairs])
    f = evaluate(objective, x + moves)
    if not np.isfinite(f).all():
        raise InputError(
            "GP-I002",
            "the objective is not finite close to the mode",
            where="objective",
            expected="finite values within a small step of the mode",
            next_step="look whether the mode lies on a bound of the model",
        )
    hessian = np.zeros((p, p))
    hessian[np.diag_indices(p)] = (f[1 : p + 1] - 2 * f[0] + f[p + 1 : 2 * p + 1]) / step**2
    plus, mixed_a, mixed_b, minus = f[2 * p + 1 :].reshape(4, -1)
    cross = (plus - mixed_a - mixed_b + minus) / (4 * step[first] * step[second])
    hessian[first, second] = hessian[second, first] = cross
    return hessian
