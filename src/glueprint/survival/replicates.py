"""Two arms, many replicates of a trial at once: the same numbers as one by one, in a few array passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, ndtr, ndtri

from glueprint.errors import InputError
from glueprint.survival._check import (
    Flags,
    Floats,
    Integers,
    as_codes,
    as_events,
    as_floats,
    as_level,
    as_times,
    place,
    same_shape,
)
from glueprint.survival.counts import TIE_TOLERANCE, count, tie
from glueprint.survival.log_rank import two_group_parts
from glueprint.survival.two_group import Deaths, death_rows, maximise_two_group


@dataclass(frozen=True)
class ReplicateLogRank:
    """Log-rank tests, one per replicate, (replicates,).

    difference: observed minus expected events of group 1.   variance: of the difference.
    status: "ok", or "no comparison" with NaN in chi2 and p_value.
    """

    difference: Floats
    variance: Floats
    chi2: Floats
    p_value: Floats
    status: NDArray[np.str_]


@dataclass(frozen=True)
class ReplicateCox:
    """Hazard ratios of group 1 against group 0, one per replicate, (replicates,).

    status: "ok", "monotone" (infinite coefficient, NaN interval), "no comparison" (NaN), "not converged".
    """

    coefficient: Floats
    std_error: Floats
    hazard_ratio: Floats
    low: Floats
    high: Floats
    p_value: Floats
    status: NDArray[np.str_]
    ties: str
    level: float


@dataclass(frozen=True)
class _Flat:
    """Patients of all replicates in a row, (patients,); `block` numbers replicate and stratum together."""

    time: Floats
    event: Flags
    group: Integers
    block: Integers
    replicate: Integers
    replicates: int


def replicate_log_rank(
    time: ArrayLike,
    event: ArrayLike,
    group: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    included: ArrayLike | None = None,
) -> ReplicateLogRank:
    """Log-rank test of two groups in every replicate.

    time, event: (replicates, n).   group: (n,) or (replicates, n), 0 or 1.
    strata: labels, (n,) or (replicates, n), or None.   included: flags of the same shapes, or None for all.
    Returns ReplicateLogRank.
    Raises InputError GP-V001 to GP-V005 for arrays, GP-V006 for group codes that are not 0 and 1.
    Source: as log_rank, to which each replicate is equal.
    """
    flat = _flatten(time, event, group, strata, included)
    table = count(flat.time, flat.event, flat.group, 2, flat.block)
    replicate = _replicate_of(flat, table.block)
    apart, spread = two_group_parts(table)
    difference = np.bincount(replicate, apart, flat.replicates).astype(np.float64)
    variance = np.bincount(replicate, spread, flat.replicates).astype(np.float64)
    ok = variance > 0
    chi2 = np.where(ok, difference**2 / np.where(ok, variance, 1.0), np.nan)
    return ReplicateLogRank(difference, variance, chi2, chdtrc(1, chi2), np.where(ok, "ok", "no comparison"))


def replicate_cox(
    time: ArrayLike,
    event: ArrayLike,
    group: ArrayLike,
    *,
    ties: str = "efron",
    strata: ArrayLike | None = None,
    included: ArrayLike | None = None,
    level: float = 0.95,
) -> ReplicateCox:
    """Hazard ratio of two groups in every replicate.

    time, event: (replicates, n).   group: (n,) or (replicates, n), 0 or 1.   ties: "efron" or "breslow".
    strata: labels, (n,) or (replicates, n), or None.   included: flags of the same shapes, or None for all.
    Returns ReplicateCox.
    Raises InputError GP-V001 to GP-V005 for arrays, GP-V006 for group codes, GP-V007 for options.
    Source: as cox, to which each replicate is equal.
    """
    if ties not in ("efron", "breslow"):
        raise InputError(
            "GP-V007",
            f"{ties!r} is not a method for ties",
            where="ties",
            expected='"efron" or "breslow"',
            next_step='use "efron" unless a comparison asks for Breslow',
        )
    level = as_level(level)
    flat = _flatten(time, event, group, strata, included)
    table = count(flat.time, flat.event, flat.group, 2, flat.block)
    deaths: Deaths = death_rows(table, _replicate_of(flat, table.block), flat.replicates, ties)
    beta, information, status = maximise_two_group(deaths)
    with np.errstate(divide="ignore", invalid="ignore"):
        std_error = np.where(np.isfinite(beta), 1 / np.sqrt(information), np.nan)
        half = ndtri(0.5 + level / 2) * std_error
        p_value = 2 * ndtr(-np.abs(beta / std_error))
    hazard_ratio = np.exp(beta)
    low, high = np.exp(beta - half), np.exp(beta + half)
    return ReplicateCox(beta, std_error, hazard_ratio, low, high, p_value, status, ties, level)


def replicate_median(time: ArrayLike, event: ArrayLike, *, included: ArrayLike | None = None) -> Floats:
    """Kaplan-Meier median of every replicate, (replicates,), in the unit of the times.

    time, event: (replicates, n).   included: flags, (n,) or (replicates, n), e.g. one arm; None for all.
    Returns medians, NaN where the curve stays above one half or nobody is included.
    Raises InputError GP-V001 to GP-V005 for arrays.
    Source: as kaplan_meier, to which each replicate is equal.
    """
    shape = as_times(np.where(_mask(included, np.shape(time)), time, 0.0), (2,)).shape
    flat = _flatten(time, event, np.zeros(shape), None, included)
    medians = np.full(flat.replicates, np.nan)
    if flat.time.size == 0:
        return medians
    table = count(flat.time, flat.event, flat.group, 1, flat.block)
    present, row, size = np.unique(table.block, return_inverse=True, return_counts=True)
    row = row.reshape(-1)
    column = np.arange(row.size) - (np.cumsum(size) - size)[row]
    factor = np.ones((present.size, int(size.max())))
    factor[row, column] = (table.at_risk[:, 0] - table.events[:, 0]) / table.at_risk[:, 0]
    times = np.zeros_like(factor)
    times[row, column] = table.time
    survival = np.cumprod(factor, axis=1)
    reached, beyond = survival <= 0.5 + TIE_TOLERANCE, survival <= 0.5 - TIE_TOLERANCE
    rows = np.arange(present.size)
    start = times[rows, reached.argmax(axis=1)]
    end = np.where(beyond.any(axis=1), times[rows, beyond.argmax(axis=1)], times[rows, size - 1])
    medians[present] = np.where(reached.any(axis=1), (start + end) / 2, np.nan)
    return medians


def _mask(included: ArrayLike | None, shape: tuple[int, ...]) -> Flags:
    if included is None:
        return np.ones(shape, dtype=np.bool_)
    return np.array(_wide(np.asarray(included, dtype=np.bool_), shape, "included"))


def _wide(array: NDArray[Any], shape: tuple[int, ...], name: str) -> NDArray[Any]:
    """One value per patient stretched over the replicates."""
    if array.ndim == 1 and len(shape) == 2 and array.shape[0] == shape[1]:
        return np.broadcast_to(array, shape)
    same_shape(array, shape, name)
    return array


def _flatten(
    time: ArrayLike, event: ArrayLike, group: ArrayLike, strata: ArrayLike | None, included: ArrayLike | None
) -> _Flat:
    """Check the matrices and lay the included patients out in one row."""
    raw = as_floats(time, "time", (2,))
    use = _mask(included, raw.shape)
    # A patient left out takes the time of one who is not, so that it cannot change what counts as a tie.
    stand_in = raw[np.arange(raw.shape[0]), use.argmax(axis=1)][:, None]
    times = as_times(np.where(use, raw, np.where(use.any(axis=1, keepdims=True), stand_in, 0.0)), (2,))
    events = as_events(np.where(use, event, 0) if np.shape(event) == raw.shape else event, raw.shape)
    arm = _wide(as_floats(group, "group", (1, 2)), raw.shape, "group")
    bad = use & (arm != 0) & (arm != 1)
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            "GP-V006",
            f"{arm[index]:g} is not a group of a two-group comparison",
            where=place("group", index),
            expected="0 (control) or 1 (treated)",
            next_step="code the two arms as 0 and 1; for more groups use log_rank",
        )
    replicate = np.broadcast_to(np.arange(raw.shape[0])[:, None], raw.shape)
    block = replicate
    if strata is not None:
        labels, stratum = as_codes(_wide(np.asarray(strata), raw.shape, "strata"), raw.shape, "strata")
        block = replicate * labels.size + stratum
    return _Flat(
        tie(times)[use], events[use], arm[use].astype(np.int64), block[use], replicate[use], raw.shape[0]
    )


def _replicate_of(flat: _Flat, block: Integers) -> Integers:
    """Replicate of each block number."""
    table = np.zeros(int(flat.block.max()) + 1 if flat.block.size else 1, dtype=np.int64)
    table[flat.block] = flat.replicate
    return table[block]
