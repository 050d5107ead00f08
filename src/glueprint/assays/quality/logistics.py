"""Fitted logistics as the tests of outliers take them, with a robust fit beside those that need one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from glueprint.assays.quality.outliers import Readings
from glueprint.assays.scatter import linear
from glueprint.curves import Fits, Status
from glueprint.curves.robust import reweighted

__all__ = ["of_logistics"]

Floats = NDArray[np.float64]
# Residuals beyond this many robust standard deviations ask for the robust fit: 4 of a thousand normal ones.
FAR = 2.9
# Flat curves and those without enough doses have no parameters to be robust about.
UNFIT = (Status.TOO_FEW_POINTS, Status.NOT_CONVERGED, Status.NO_DEGREES, Status.NO_EFFECT, Status.TURNS)


def of_logistics(fits: Fits, names: Sequence[str], wells: Sequence[Sequence[str]]) -> list[Readings]:
    """The readings of every curve that was fitted, with the weights of the fit.

    fits: of n curves.   names: of the curves.   wells: names of the readings, in the order of the fit.
    A curve with a far reading is fitted again by Tukey's biweight; what that holds for an outlier is set
    aside. A flat curve is its mean.
    """
    data = fits.problem
    used = data.weights > 0.0
    line = linear(fits)
    mean, jacobian = line.mean.copy(), line.jacobian.copy()
    flat = np.isin(fits.status, UNFIT)
    total = np.where(used, data.weights, 0.0).sum(axis=1)
    level = np.where(used, data.weights * data.response, 0.0).sum(axis=1) / np.where(total > 0.0, total, 1.0)
    mean[flat] = level[flat, None]
    jacobian[flat] = 0.0
    jacobian[flat, :, 0] = 1.0
    aside = np.zeros_like(used)
    for i, found in _robust(fits, np.flatnonzero(_far(data.response - mean, data.weights) & ~flat)).items():
        mean[i], jacobian[i], aside[i] = found
    return [
        Readings(
            name=name,
            where=tuple(wells[i]),
            level=10.0 ** data.log10_dose[i, : len(wells[i])],
            value=data.response[i, : len(wells[i])],
            fitted=mean[i, : len(wells[i])],
            jacobian=jacobian[i, : len(wells[i])],
            weights=data.weights[i, : len(wells[i])],
            aside=aside[i, : len(wells[i])],
        )
        for i, name in enumerate(names)
    ]


def _far(miss: Floats, weights: Floats) -> NDArray[np.bool_]:
    """Curves (n,) with a residual far beyond the middle of all."""
    used = weights > 0.0
    size = np.where(used, np.abs(miss) * np.sqrt(weights), np.nan)
    with np.errstate(all="ignore"):
        middle = np.nanmedian(np.where(used.any(axis=1, keepdims=True), size, 0.0), axis=1, keepdims=True)
        return np.asarray((np.nan_to_num(size) > FAR * 1.4826 * np.nan_to_num(middle)).any(axis=1))


def _robust(fits: Fits, rows: NDArray[np.int64]) -> Mapping[int, tuple[Floats, Floats, NDArray[np.bool_]]]:
    """Mean, derivatives and outliers of curves by the robust fit; those that it cannot settle are left."""
    if rows.size == 0:
        return {}
    problem = fits.problem.rows(rows)
    found = reweighted(problem, fits.theta[rows], np.ones(rows.size, dtype=bool))
    mean, jacobian = problem.curve(found.theta)
    jacobian = np.where(problem.free[:, None, :], jacobian, 0.0)
    return {
        int(row): (mean[i], jacobian[i], found.outliers[i])
        for i, row in enumerate(rows)
        if found.converged[i] and np.isfinite(jacobian[i]).all()
    }
