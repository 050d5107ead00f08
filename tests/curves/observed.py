"""Standard errors from the observed curvature of the sum of squares, as R's drc reports them."""

from __future__ import annotations

import numpy as np

from glueprint.curves.models.model import Floats
from glueprint.curves.result import Fits

__all__ = ["observed_errors"]

# Share of a parameter, or of its standard error, by which derivatives are differenced.
STEP = 1e-4


def observed_errors(fits: Fits) -> Floats:
    """Standard errors (n, p) in natural units from the second derivatives of the sum of squares.

    They equal `standard_errors` where the model is nearly linear over them; where they differ, trust neither
    but the profile.   NaN where a parameter is fixed, the curvature is not positive or responses are limits.
    Source: inv(H/2) rss/dof, H by central differences of the exact gradient; own derivation.
    """
    problem, natural = fits.problem, fits.estimates
    free = problem.free & np.isfinite(natural)
    every = np.arange(natural.shape[0])
    known = np.isfinite(fits.standard_errors)
    step = STEP * np.where(known, fits.standard_errors, np.abs(natural))
    step = np.where(free & (step > 0.0), step, 1.0)

    def gradient(at: Floats) -> Floats:
        residual, jacobian = problem.evaluate(problem.fitting(at), every)
        return np.asarray(np.einsum("nm,nmp->np", residual, jacobian) / problem.slope(at))

    curvature = np.zeros((*natural.shape, natural.shape[1]))
    for place in range(natural.shape[1]):
        moved = np.zeros_like(natural)
        moved[:, place] = np.where(free[:, place], step[:, place], 0.0)
        rise = gradient(natural + moved) - gradient(natural - moved)
        curvature[:, place] = rise / (2.0 * step[:, place, None])
    both = free[:, :, None] & free[:, None, :] & np.isfinite(curvature)
    # In units of the step, so that parameters of any size invert together.
    scaled = np.where(both, curvature * step[:, :, None] * step[:, None, :], 0.0)
    size = np.sqrt(np.abs(np.einsum("npp->np", scaled)))
    size = np.where(free & (size > 0.0), size, 1.0)
    apart = np.where(free, 0.0, 1.0)[:, :, None] * np.eye(free.shape[1])
    unit = scaled / (size[:, :, None] * size[:, None, :]) + apart
    unit = 0.5 * (unit + unit.transpose(0, 2, 1))
    inverse = np.linalg.pinv(unit, hermitian=True)
    sound = np.linalg.eigvalsh(unit)[:, 0] > 0.0
    variance = np.einsum("npp->np", inverse) * (step / size) ** 2
    variance = variance * (fits.rss / np.maximum(fits.dof, 1))[:, None]
    if problem.between is not None:
        sound &= ~problem.between.held.any(axis=1)
    known = free & sound[:, None] & (fits.dof > 0)[:, None] & (variance > 0.0)
    return np.where(known, np.sqrt(np.where(known, variance, 1.0)), np.nan)
