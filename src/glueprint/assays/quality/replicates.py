"""Wells that hold the same: how far they differ, and which is far off. Kernel: arrays in and out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glueprint.assays.quality.outliers import Readings

__all__ = ["falls", "of_groups"]

Floats = NDArray[np.float64]


def of_groups(
    name: str, where: Sequence[str], value: Floats, group: NDArray[np.int64], without: frozenset[str]
) -> Readings:
    """Groups of alike wells as one curve of logarithms, with a mean a group and one scatter for all.

    where: (m,) names.   value: (m,) above zero.   group: (m,) whole numbers.   without: names to leave out.
    """
    kept = np.array([place not in without for place in where], dtype=bool)
    log, labels = np.log(value[kept]), np.unique(group[kept], return_inverse=True)[1].ravel()
    middle = np.array([np.median(log[labels == label]) for label in range(labels.max(initial=-1) + 1)])
    return Readings(
        name=name,
        where=tuple(place for place, here in zip(where, kept, strict=True) if here),
        level=np.zeros(log.size),
        value=log,
        fitted=middle[labels] if log.size else log,
        jacobian=(labels[:, None] == np.arange(middle.size)).astype(float),
        weights=np.ones(log.size),
        aside=np.zeros(log.size, dtype=bool),
        log=True,
    )


def falls(means: Floats, errors: Floats) -> Floats:
    """How far each of the means (k,) lies below the largest before it, in standard errors, 0 where it is not.

    errors: (k,) standard errors of the means.
    """
    out = np.zeros(means.size)
    for i in range(1, means.size):
        best = int(np.argmax(means[:i]))
        error = float(np.hypot(errors[i], errors[best]))
        out[i] = max(means[best] - means[i], 0.0) / error if error > 0.0 else 0.0
    return out
