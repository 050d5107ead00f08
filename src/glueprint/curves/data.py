"""What is fitted: doses, responses and weights, checked once and laid out as a rectangle of curves by
points."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.curves.logistic import Floats, Rows
from glueprint.errors import InputError

__all__ = ["Data", "prepare"]

# Weighted sums of squares outside 1e-120 to 1e120 lose digits in products with their own square.
LEAST_SIZE = 1e-120


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

    def rows(self, which: slice | Rows) -> Data:
        """The batch of some of the curves."""
        return Data(**{field.name: getattr(self, field.name)[which] for field in fields(self)})


def prepare(dose: ArrayLike, response: ArrayLike, weights: ArrayLike | None) -> Data:
    """Check and lay out a batch; arguments as in `curves.fit`.

    Raises InputError GP-C001, GP-C002 or GP-C003, naming curve and point.
    """
    y = np.atleast_2d(_floats(response, "response"))
    x = np.atleast_2d(_floats(dose, "dose"))
    w = np.ones((1, y.shape[-1])) if weights is None else np.atleast_2d(_floats(weights, "weights"))
    if y.ndim != 2 or x.shape not in ((1, y.shape[1]), y.shape) or w.shape not in ((1, y.shape[1]), y.shape):
        raise InputError(
            "GP-C001",
            f"dose of shape {x.shape}, response of shape {y.shape} and weights of shape {w.shape} do not fit",
            expected="response (curves, points); dose and weights of the same shape or (points,)",
            next_step="give one row a curve, with NaN for missing responses",
        )
    _refuse(
        (x < 0.0) | np.isinf(x), x, "GP-C002", "a dose must be finite and not negative",
        "correct the dose; zero is allowed and means no drug",
    )  # fmt: skip
    _refuse(
        np.isinf(y), y, "GP-C003", "a response must be finite, or NaN where missing", "correct the response"
    )
    _refuse(
        (w < 0.0) | ~np.isfinite(w), w, "GP-C003", "a weight must be finite and not negative", "correct it"
    )
    data = _lay_out(x, y, w)
    _refuse_extremes(data)
    return data


def _refuse_extremes(data: Data) -> None:
    """Squares of such responses leave the range of a double, and the fit would end anywhere."""
    extreme = (data.size > 1.0 / LEAST_SIZE) | (data.size < LEAST_SIZE)
    if extreme.any():
        bad = extreme[:, None] & (data.response != 0.0) & (data.weights > 0.0)
        _refuse(
            bad, data.response, "GP-C003", "weighted responses between 1e-60 and 1e60",
            "give the responses in another unit, or the weights on another scale",
        )  # fmt: skip


def _lay_out(x: Floats, y: Floats, w: Floats) -> Data:
    """The batch; what all curves share is worked out once, for a single row."""
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


def _floats(values: ArrayLike, name: str) -> Floats:
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(
            "GP-C001",
            f"{name} is not a rectangle of numbers: {error}",
            expected="numbers in rows of equal length",
            next_step="fill short rows with NaN",
        ) from error


def _refuse(bad: NDArray[np.bool_], values: Floats, code: str, expected: str, next_step: str) -> None:
    if bad.any():
        curve, point = (int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            code, f"{values[curve, point]:g}", where=f"curve {curve}, point {point}", expected=expected,
            next_step=next_step,
        )  # fmt: skip
