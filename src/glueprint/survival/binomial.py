"""Exact intervals of a proportion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv

from glueprint.errors import InputError
from glueprint.survival._check import Floats, as_floats, as_level, place


@dataclass(frozen=True)
class Proportion:
    """Fractions with their exact interval, each of the shape given."""

    estimate: Floats
    low: Floats
    high: Floats
    level: float


def clopper_pearson(successes: ArrayLike, n: ArrayLike, level: float = 0.95) -> Proportion:
    """The exact binomial interval of a response rate.

    successes, n: whole numbers, scalars or arrays that broadcast, 0 <= successes <= n, n >= 1.
    Returns Proportion as fractions.
    Raises InputError GP-V001 and GP-V002 for arrays, GP-V007 for the level, GP-V009 for counts.
    Source: Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404, by quantiles of the beta distribution.
    """
    level = as_level(level)
    any_shape = tuple(range(8))
    x, total = np.broadcast_arrays(as_floats(successes, "successes", any_shape), as_floats(n, "n", any_shape))
    bad = ~((x >= 0) & (x <= total) & (total >= 1) & (x == np.floor(x)) & (total == np.floor(total)))
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            "GP-V009",
            f"{x[index]:g} of {total[index]:g} is not a count",
            where=place("successes", index) if index else "successes",
            expected="whole numbers with 0 <= successes <= n and n >= 1",
            next_step="pass numbers of patients, not percentages",
        )
    tail = (1 - level) / 2
    low = np.where(x > 0, betaincinv(np.maximum(x, 1), total - x + 1, tail), 0.0)
    high = np.where(x < total, betaincinv(x + 1, np.maximum(total - x, 1), 1 - tail), 1.0)
    return Proportion(x / total, low, high, level)
