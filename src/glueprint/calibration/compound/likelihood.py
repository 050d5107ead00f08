"""Minus the log posterior of a compound's fit: errors of assays and runs are integrated out. Kernel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, logsumexp, ndtr

from glueprint.calibration.compound.forward import Readers
from glueprint.calibration.compound.latents import COMMON
from glueprint.calibration.compound.measured import CONCENTRATIONS, EFFECTS, log10_odds, normal_z
from glueprint.calibration.in_vitro.parameters import errors
from glueprint.runs import streams

__all__ = ["LEAST_SE", "Reading", "Terms", "minus_log_likelihood", "reading", "terms"]

Floats = NDArray[np.float64]
Row = dict[str, Any]
# Points over which the errors that limits share are averaged.
POINTS = 64
# A fit of one experiment cannot be surer than this: doses are pipetted.
LEAST_SE = 0.01
CHUNK = 1024


@dataclass(frozen=True)
class Reading:
    """One row on the scale of comparison, log10 of nM or of odds.

    se: standard error of a value, or how soft a limit is.   value: None for a limit.
    low, high: ends of a limit or bracket, infinite where open.
    """

    se: float
    value: float | None = None
    low: float = -np.inf
    high: float = np.inf


@dataclass(frozen=True)
class Terms:
    """Rows of a fit as numbers, (r,) each, and which of them share an error, (r, r) each.

    value: 0 for a limit.   assay, run, own: correlation of the assay's error, of a run's, and of one
    compound's in a run.   shared: covariance of what a plate's rows have in common by its inputs.
    """

    value: Floats
    se: Floats
    low: Floats
    high: Floats
    is_value: NDArray[np.bool_]
    assay: Floats
    run: Floats
    own: Floats
    shared: Floats

    def common(self, tau: Floats, run: Floats) -> Floats:
        """Covariance (n, r, r) of the errors that compounds share, at SDs (n,)."""
        parts = tau[:, None, None] ** 2 * self.assay + run[:, None, None] ** 2 * self.run
        return np.asarray(parts + self.shared)


def terms(rows: Sequence[Row]) -> Terms:
    """The rows on the scale of comparison, with their errors."""
    read = [reading(row) for row in rows]
    shared = np.array([row["shared_log10_se"] or 0.0 for row in rows])
    same = {
        name: np.array([[float(a == b) for b in keys] for a in keys]) for name, keys in _keys(rows).items()
    }
    return Terms(
        value=np.array([one.value or 0.0 for one in read]),
        se=np.array([one.se for one in read]),
        low=np.array([one.low for one in read]),
        high=np.array([one.high for one in read]),
        is_value=np.array([one.value is not None for one in read]),
        assay=COMMON * same["assay"] + (1.0 - COMMON) * same["part"],
        run=same["run"],
        own=same["own"],
        shared=np.outer(shared, shared) * same["run"],
    )


def _keys(rows: Sequence[Row]) -> dict[str, list[tuple[object, ...]]]:
    """What rows must have in common to share an error, by error."""
    found: dict[str, list[tuple[object, ...]]] = {"assay": [], "part": [], "run": [], "own": []}
    for row in rows:
        kind = "concentration" if row["quantity"] in CONCENTRATIONS else "effect"
        assay = (row["assay"], row["experiment"], kind)
        run = (*assay, row["run"])
        found["assay"].append(assay)
        found["part"].append((*assay, row["target"], row["cells"]))
        found["run"].append(run)
        # One series of doses serves all targets of a run; how much is lost is of each target.
        target = row["target"] if kind == "effect" else ""
        found["own"].append((*run, row["compound"], target, row["cells"]))
    return found


def reading(row: Row) -> Reading:
    """A row of `MEASUREMENTS` on the scale of comparison.

    A value whose interval is open on one side is read as the limit on the other; one without any error has
    that of a good assay's repeat, 0.15 log10.
    """
    there = _scale(row)
    value, low, high = (None if row[name] is None else there(row[name]) for name in ("value", "low", "high"))
    z, se = normal_z(row["confidence"]), row["log10_se"]
    if row["relation"] != "=":
        soft = max(se or 0.0, LEAST_SE)
        if row["relation"] == "<":
            return Reading(soft, high=_first(high, value))
        if row["relation"] == ">":
            return Reading(soft, low=_first(low, value))
        return Reading(soft, low=_first(low), high=_first(high))
    assert value is not None
    if se is not None and (row["shared_log10_se"] or None in (low, high)):
        return Reading(max(se, LEAST_SE), value)
    if low is not None and high is not None:
        return Reading(max((high - low) / (2.0 * z), LEAST_SE), value)
    if low is not None:
        return Reading(max((value - low) / (2.0 * z), LEAST_SE), low=low)
    if high is not None:
        return Reading(max((high - value) / (2.0 * z), LEAST_SE), high=high)
    return Reading(errors()["default_log10"], value)


def _first(*ends: float | None) -> float:
    return next(end for end in ends if end is not None)


def _scale(row: Row) -> Callable[[float], float]:
    if row["quantity"] in EFFECTS and row["unit"] == "fraction":
        return log10_odds
    return lambda x: float(np.log10(x))


def minus_log_likelihood(readers: Readers, given: Terms, values: Mapping[str, Floats]) -> Floats:
    """(n,) minus the log likelihood of all rows at parameters (n,) by name.

    Source: own derivation, docs/your-glue-fit.md, "Errors".
    """
    shown = readers.shown(values)
    sds = [values[name] for name in ("tau_log10", "run_log10", "repeat_log10")]
    parts = [
        _chunk(given, shown[at], *(sd[at] for sd in sds))
        for at in (slice(k, k + CHUNK) for k in range(0, shown.shape[0], CHUNK))
    ]
    return np.concatenate(parts)


def _chunk(given: Terms, shown: Floats, tau: Floats, run: Floats, own: Floats) -> Floats:
    common = given.common(tau, run)
    v = np.flatnonzero(given.is_value)
    away = given.value[v] - shown[:, v]
    within = (common + own[:, None, None] ** 2 * given.own)[:, v[:, None], v]
    within[:, np.arange(v.size), np.arange(v.size)] += given.se[v] ** 2
    minus = np.zeros(shown.shape[0])
    if v.size:
        root = np.linalg.cholesky(within)
        scaled = np.linalg.solve(root, away[..., None])[..., 0]
        minus += 0.5 * (scaled**2).sum(axis=1) + np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    if v.size < given.value.size:
        minus -= _limits(given, shown, common, (within, away), own)
    return minus


def _limits(
    given: Terms, shown: Floats, common: Floats, values: tuple[Floats, Floats], own: Floats
) -> Floats:
    """(n,) log probability of the limits, given the values with which they share errors.

    values: covariance (n, v, v) of the values and what they are off by (n, v).
    """
    v, k = np.flatnonzero(given.is_value), np.flatnonzero(~given.is_value)
    mean, spread = shown[:, k], common[:, k[:, None], k]
    if v.size:
        across = common[:, k[:, None], v]
        gain = np.linalg.solve(values[0], np.swapaxes(across, 1, 2))
        mean = mean + np.einsum("nvk,nv->nk", gain, values[1])
        spread = spread - across @ gain
    own_sd = np.sqrt(given.se[k] ** 2 + own[:, None] ** 2)
    if k.size == 1:
        return _inside(given, k, mean, np.sqrt(np.maximum(spread[:, 0], 0.0) + own_sd**2))[:, 0]
    # What several limits share is averaged over points that stay the same, so that the sum is smooth.
    root = np.linalg.cholesky(spread + 1e-9 * np.eye(k.size))
    half = streams.normals(1, "calibration/compound/limits", np.arange(POINTS // 2), k.size)
    points = np.concatenate([half, -half])
    logs = np.stack([_inside(given, k, mean + root @ point, own_sd).sum(axis=1) for point in points])
    return np.asarray(logsumexp(logs, axis=0) - np.log(POINTS))


def _inside(given: Terms, k: NDArray[np.int64], mean: Floats, sd: Floats) -> Floats:
    """log probability (n, k) that a normal lies between the ends of its limit."""
    low, high = (given.low[k] - mean) / sd, (given.high[k] - mean) / sd
    below, above = np.isneginf(given.low[k]), np.isposinf(given.high[k])
    # A bracket by the tail in which its ends lie, as a difference of two numbers near 1 has no digits.
    flip = low > 0.0
    ends = np.where(flip, -high, low), np.where(flip, -low, high)
    inner = np.log(np.maximum(ndtr(ends[1]) - ndtr(ends[0]), 1e-300))
    return np.select([below, above], [log_ndtr(high), log_ndtr(-low)], inner)
