"""Bootstrap intervals of any statistic of patients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from glueprint.errors import InputError
from glueprint.survival._check import Floats, Integers, as_codes, as_level

# Limits are not given when more than this part of the replicates has no answer.
MOST_UNDEFINED = 0.05
ADVICE = {
    "ok": "",
    "undefined": f"more than {MOST_UNDEFINED:.0%} of the resamples have no answer (e.g. a median that is not "
    "reached); choose a statistic that every resample has, such as a restricted mean",
    "no spread": "every resample gives the same answer; there is nothing to make an interval of",
}


@dataclass(frozen=True)
class Bootstrap:
    """An estimate with bootstrap limits.

    replicates: (n,), NaN where a resample has no answer; `undefined` counts them.   bias: their mean less the
    estimate.   std_error: their spread.   method: "bca" or "percentile".   status: a key of ADVICE.
    """

    estimate: float
    low: float
    high: float
    std_error: float
    bias: float
    replicates: Floats
    undefined: int
    method: str
    status: str
    seed: int
    level: float

    @property
    def advice(self) -> str:
        """What the status means and what to do; empty when the interval is in order."""
        return ADVICE[self.status]


def bootstrap(
    statistic: Callable[..., float],
    *columns: ArrayLike,
    n: int = 2000,
    seed: int,
    within: ArrayLike | None = None,
    method: str = "bca",
    level: float = 0.95,
) -> Bootstrap:
    """Resample patients and see how a statistic varies.

    statistic: takes the columns and gives one number, e.g. lambda t, e: kaplan_meier(t, e).median.
    columns: each (patients,) or (patients, p): time, event, group, covariates, as the statistic takes them.
    n: resamples.   seed: the same seed gives the same bits.   within: (patients,) labels inside which
    patients are resampled, e.g. the arm, so that every resample has as many of each; None for all together.
    method: "bca" (corrected for bias and skewness) or "percentile".
    Returns Bootstrap. A resample that the statistic refuses, or answers by NaN, is counted in `undefined`.
    Raises InputError GP-V003 for columns of different length, GP-V007 for options, GP-V008 for missing
    labels, GP-V029 for a statistic that gives no number for the patients as they are.
    Source: Efron 1987, doi:10.1080/01621459.1987.10478410; numbers from numpy's Philox.
    """
    arrays, sizes = [np.asarray(column) for column in columns], {len(np.asarray(c)) for c in columns}
    level = as_level(level)
    if len(sizes) != 1:
        raise InputError(
            "GP-V003",
            f"columns of {', '.join(str(size) for size in sorted(sizes)) or 'no'} patients",
            where="columns",
            expected="one or more columns with one row per patient",
            next_step="take all columns from the same rows of one table",
        )
    patients = sizes.pop()
    _options(n, seed, method)
    estimate = _value(statistic, arrays, np.arange(patients))
    if not np.isfinite(estimate):
        raise InputError(
            "GP-V029",
            f"the statistic of the patients as they are is {estimate}",
            where="statistic",
            expected="one finite number",
            next_step="call the statistic on your columns and look at what it gives",
        )
    codes = np.zeros(patients, np.int64) if within is None else as_codes(within, (patients,), "within")[1]
    replicates = np.array([_value(statistic, arrays, rows) for rows in _draws(codes, n, seed)])
    known = replicates[np.isfinite(replicates)]
    undefined = n - known.size
    low = high = float("nan")
    status = "undefined" if undefined > MOST_UNDEFINED * n else "no spread" if np.ptp(known) == 0 else "ok"
    if status == "ok":
        tails = np.array([(1 - level) / 2, (1 + level) / 2])
        if method == "bca":
            tails = _corrected(tails, estimate, known, _left_out(statistic, arrays, patients), codes)
        low, high = (float(limit) for limit in np.quantile(known, tails))
    spread = float(known.std(ddof=1)) if known.size > 1 else float("nan")
    bias = float(known.mean() - estimate) if known.size else float("nan")
    return Bootstrap(
        estimate, low, high, spread, bias, replicates, undefined, method, status, int(seed), level
    )


def _options(n: int, seed: int, method: str) -> None:
    for name, good, value, expected in (
        ("n", isinstance(n, int | np.integer) and n >= 100, n, "100 resamples or more"),
        ("seed", isinstance(seed, int | np.integer) and seed >= 0, seed, "a whole number, 0 or more"),
        ("method", method in ("bca", "percentile"), method, '"bca" or "percentile"'),
    ):
        if not good:
            raise InputError(
                "GP-V007",
                f"{value!r} does not fit",
                where=name,
                expected=expected,
                next_step="2,000 resamples are enough for limits of 95 %",
            )


def _value(statistic: Callable[..., float], arrays: list[NDArray[Any]], rows: Integers) -> float:
    """The statistic of some patients; NaN if it refuses them."""
    try:
        return float(statistic(*(array[rows] for array in arrays)))
    except InputError:
        return float("nan")


def _draws(codes: Integers, n: int, seed: int) -> Iterator[Integers]:
    """Patients of one resample after the other, (patients,), as many of each code as there are."""
    members = [np.flatnonzero(codes == code) for code in range(int(codes.max()) + 1)]
    # A stream for each stratum, so that resamples come one by one however many patients there are.
    streams = [np.random.Generator(np.random.Philox(seed).jumped(code)) for code in range(len(members))]
    for _ in range(n):
        rows = np.empty(codes.size, dtype=np.int64)
        for own, stream in zip(members, streams, strict=True):
            rows[own] = own[stream.integers(0, own.size, own.size)]
        yield rows


def _left_out(statistic: Callable[..., float], arrays: list[NDArray[Any]], patients: int) -> Floats:
    """The statistic without each patient in turn, (patients,)."""
    everyone = np.arange(patients)
    return np.array([_value(statistic, arrays, np.delete(everyone, i)) for i in range(patients)])


def _corrected(tails: Floats, estimate: float, known: Floats, left_out: Floats, codes: Integers) -> Floats:
    """The tails of the BCa interval; acceleration from patients left out, about the mean of their stratum."""
    below = (np.sum(known < estimate) + np.sum(known <= estimate)) / (2 * known.size)
    bias = ndtri(np.clip(below, 0.5 / known.size, 1 - 0.5 / known.size))
    use = np.isfinite(left_out)
    sizes = np.bincount(codes[use], minlength=int(codes.max()) + 1)
    mean = np.bincount(codes[use], left_out[use], sizes.size) / np.maximum(sizes, 1)
    # Influence of a patient, in a stratum of its own size.
    pull = (sizes[codes[use]] - 1) * (mean[codes[use]] - left_out[use])
    share = sizes[codes[use]].astype(np.float64)
    square = float((pull**2 / share**2).sum())
    skew = float((pull**3 / share**3).sum())
    acceleration = skew / (6 * square**1.5) if square > 0 else 0.0
    z = bias + ndtri(tails)
    return np.asarray(ndtr(bias + z / (1 - acceleration * z)), dtype=np.float64)
