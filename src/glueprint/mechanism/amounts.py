"""What a concentration or constant may be: finite, and not negative."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.errors import InputError

__all__ = ["amount", "constant"]

Floats = NDArray[np.float64]


def amount(name: str, value: ArrayLike) -> Floats:
    """`value` as numbers of zero or more. Raises InputError GP-M008."""
    array = np.asarray(value, dtype=np.float64)
    if not np.all(np.isfinite(array)) or np.any(array < 0.0):
        raise _refusal(name, "finite numbers, zero or more")
    return array


def constant(name: str, value: ArrayLike) -> Floats:
    """`value` as numbers above zero. Raises InputError GP-M008."""
    array = np.asarray(value, dtype=np.float64)
    if not np.all(np.isfinite(array)) or np.any(array <= 0.0):
        raise _refusal(name, "finite numbers above zero")
    return array


def _refusal(name: str, expected: str) -> InputError:
    return InputError(
        "GP-M008",
        f'"{name}" holds a value that no concentration or constant can have',
        where=f"binding, {name}",
        expected=expected,
        next_step="correct or leave out these rows",
    )
