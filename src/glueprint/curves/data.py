"""Doses, responses and weights as the machine code of the logistic family takes them. Kernel: arrays."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint.curves.logistic import Floats, Rows

__all__ = ["Data", "prepare"]


@dataclass(frozen=True)
class Data:
    """A batch of n curves by m points; a missing point has weight 0.

    log10_dose: (n, m), -inf for a dose of zero.   response, weights: (n, m).   points, distinct_doses:
    (n,) counts.
    size: (n,) weighted sum of squares of the responses.
    lowest_dose, highest_dose: (n,) tested doses above zero, NaN if there are none.
    """

    log10_dose: Floats
    response: Floats
    weights: Floats
    size: Floats
    points: NDArray[np.int64]
    distinct_doses: NDArray[np.int64]
    lowest_dose: Floats
    highest_dose: Floats

    @cached_property
    def machine(self) -> Floats:
        """Dose, response and weight side by side (n, m, 3)."""
        return np.stack([self.log10_dose, self.response, self.weights], axis=-1)

    def rows(self, which: slice | Rows) -> Data:
        """The batch of some of the curves."""
        return Data(**{field.name: getattr(self, field.name)[which] for field in fields(self)})


def prepare(x: Floats, y: Floats, w: Floats) -> Data:
    """Lay out a batch; x, w: (1, m) or (n, m), y: (n, m), NaN where missing.

    What all curves share, a single row or one repeated without copies, is worked out once.
    """
    x, w = (part[:1] if part.strides[0] == 0 else part for part in (x, w))
    missing = np.isnan(y)
    used = (w > 0.0) & ~np.isnan(x)
    if missing.any():
        used = used & ~missing
    w = np.where(used, w, 0.0)
    y = np.where(used, y, 0.0)
    with np.errstate(divide="ignore"):
        log10_dose = np.log10(np.where(used, x, 1.0))
    positive = used & (x > 0.0)
    lowest = np.where(positive, x, np.inf).min(axis=1, initial=np.inf)
    highest = np.where(positive, x, -np.inf).max(axis=1, initial=-np.inf)
    ordered = np.sort(np.where(used, x, np.nan), axis=1)
    steps = np.sum(np.diff(ordered, axis=1) > 0.0, axis=1)
    n = y.shape[0]
    return Data(
        log10_dose=np.broadcast_to(log10_dose, y.shape),
        response=y,
        weights=np.broadcast_to(w, y.shape),
        size=np.einsum("nm,nm,nm->n", np.broadcast_to(w, y.shape), y, y),
        points=_each(used.sum(axis=1), n),
        distinct_doses=_each(steps + used.any(axis=1), n),
        lowest_dose=_each(np.where(np.isfinite(lowest), lowest, np.nan), n),
        highest_dose=_each(np.where(np.isfinite(highest), highest, np.nan), n),
    )


def _each(values: NDArray[Any], n: int) -> NDArray[Any]:
    """One number a curve (n,), of one for all or one a curve."""
    return np.broadcast_to(values, n).copy()
