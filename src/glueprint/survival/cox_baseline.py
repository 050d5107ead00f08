"""The cumulative hazard and the survival curve that a fitted regression gives a patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.errors import InputError
from glueprint.survival._check import Floats, as_floats, as_level, place
from glueprint.survival.cox import Cox, estimated
from glueprint.survival.influence import Hazards, hazards
from glueprint.survival.kaplan_meier import log_log_band


@dataclass(frozen=True)
class CoxCurve:
    """Hazard and survival at some covariates; one entry per stratum and distinct time, (m,), in that order.

    stratum: label of the stratum (0 without strata).   times: in the unit of the fit.
    hazard: at the time.   cumulative_hazard, cumulative_error: up to and with it, and its standard error.
    survival: exp(-cumulative_hazard).   std_error: of survival.   low, high: log-log band of it.
    covariates: (p,) of the patient.
    """

    stratum: NDArray[Any]
    times: Floats
    hazard: Floats
    cumulative_hazard: Floats
    cumulative_error: Floats
    survival: Floats
    std_error: Floats
    low: Floats
    high: Floats
    covariates: Floats
    level: float


def baseline_hazard(fit: Cox, covariates: ArrayLike | None = None, *, level: float | None = None) -> CoxCurve:
    """Cumulative hazard and survival of a patient with the given covariates, in every stratum.

    fit: Cox.   covariates: (p,), or None for all at 0, the baseline.   level: of the band; the fit's if None.
    Returns CoxCurve. The error holds that of the coefficients, robust if the fit is.
    Raises InputError GP-V019 for a fit without finite estimates, GP-V003 and GP-V008 for covariates,
    GP-V007 for the level.
    Source: Breslow 1974, or Efron 1977 for a fit with Efron's ties; Tsiatis 1981,
    doi:10.1214/aos/1176345335, for the variance. Equal to R survival's survfit of a coxph
    (conf.type = "log-log").
    """
    beta = estimated(fit, "baseline hazard")
    level = fit.level if level is None else as_level(level)
    profile = _profile(covariates, beta.size)
    data, sets = fit.data, fit.data.sets
    at = hazards(sets, beta)
    codes = np.repeat(np.arange(data.strata.size), np.diff(sets.strata))
    ends = np.append((np.diff(sets.time) != 0) | (np.diff(codes) != 0), True)
    code, times = codes[ends], sets.time[ends]
    steps = _steps(at, sets.died, ends)
    z = (profile - data.centre) / data.scale
    # The hazards are those of a row at the largest log risk of its stratum.
    risk = np.exp(z[code] @ beta - at.largest[ends])
    size, spread, mean = (_cumulated(step, code) for step in steps)
    away = size[:, None] * z[code] - mean
    kept = np.flatnonzero(~np.isnan(fit.coefficients))
    unit = data.scale[kept]
    covariance = fit.covariance[np.ix_(kept, kept)] * np.outer(unit, unit)
    of_beta = np.einsum("ij,jk,ik->i", away[:, kept], covariance, away[:, kept])
    error = np.sqrt(spread + of_beta) * risk
    survival = np.exp(-size * risk)
    low, high = log_log_band(survival, error, level)
    return CoxCurve(
        stratum=data.strata[code],
        times=times,
        hazard=steps[0] * risk,
        cumulative_hazard=size * risk,
        cumulative_error=error,
        survival=survival,
        std_error=survival * error,
        low=low,
        high=high,
        covariates=profile,
        level=level,
    )


def _profile(covariates: ArrayLike | None, p: int) -> Floats:
    if covariates is None:
        return np.zeros(p)
    values = as_floats(covariates, "covariates", (0, 1)).reshape(-1)
    if values.size != p:
        raise InputError(
            "GP-V003",
            f"{values.size} values for {p} covariates",
            where="covariates",
            expected="one value for each covariate of the fit, for one patient",
            next_step="give them in the order of the fit; call once for each patient",
        )
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise InputError(
            "GP-V008",
            f"{values[bad[0]]} is not a covariate value",
            where=place("covariates", (int(bad[0]),)),
            expected="a finite number for every covariate",
            next_step="give the value the curve is wanted for",
        )
    return values


def _steps(at: Hazards, died: NDArray[np.bool_], ends: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Hazard, its variance (m,) and hazard times mean covariates (m, p) summed at each distinct time."""
    until = np.cumsum(died)[ends]
    since = np.append(0, until[:-1])
    row = np.repeat(np.arange(until.size), until - since)
    size, spread = (np.bincount(row, values, until.size) for values in (at.size, at.spread))
    moved = at.size[:, None] * at.mean
    mean = np.column_stack([np.bincount(row, column, until.size) for column in moved.T])
    return size.astype(np.float64), spread.astype(np.float64), mean.astype(np.float64)


def _cumulated(values: Floats, code: NDArray[np.int64]) -> Floats:
    """Cumulative sum within each stratum, (m, ...)."""
    begins = np.flatnonzero(np.append(True, np.diff(code) != 0))
    total = np.zeros_like(values)
    for begin, end in zip(begins, np.append(begins[1:], code.size), strict=True):
        total[begin:end] = np.cumsum(values[begin:end], axis=0)
    return total
