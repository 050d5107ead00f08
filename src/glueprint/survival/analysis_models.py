"""Parametric and spline models of one's own table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from glueprint.errors import InputError, nearest
from glueprint.survival._check import Floats
from glueprint.survival.analysis_curves import Row, counted
from glueprint.survival.columns import Patients
from glueprint.survival.locations import DISTRIBUTIONS
from glueprint.survival.parametric import Parametric, parametric, parametric_between
from glueprint.survival.spline import Spline, royston_parmar

__all__ = ["medians", "models", "terms"]

SPLINE = "spline"
KNOTS = 2


def models(
    rows: Patients, names: Sequence[str], level: float
) -> tuple[dict[str, Parametric | Spline], list[str]]:
    """The models asked for by name, and what was left out; without names, a Weibull model of intervals.

    names: keys of DISTRIBUTIONS, "spline" or "spline:KNOTS".
    Raises InputError GP-V007 for a name, GP-V024 for an event at time 0.
    """
    asked = [(name, *_named(name)) for name in (names or (["weibull"] if rows.right is not None else []))]
    if asked and counted(rows):
        return {}, ["models left out: rows are late, weighted or several of a patient"]
    found: dict[str, Parametric | Spline] = {}
    notes = []
    matrix = np.stack(list(rows.covariates.values()), axis=1) if rows.covariates else None
    if asked and rows.strata is not None:
        notes.append("models are not stratified")
    for name, kind, knots in asked:
        if kind != SPLINE and rows.right is not None:
            found[name] = parametric_between(rows.time, rows.right, matrix, distribution=kind, level=level)
        elif kind != SPLINE:
            found[name] = parametric(rows.time, rows.event, matrix, distribution=kind, level=level)
        elif rows.right is not None:
            notes.append(f"{name} left out: it takes no events between two looks")
        else:
            found[name] = royston_parmar(rows.time, rows.event, matrix, knots=knots, level=level)
    notes += [f"{name}: {fit.advice}" for name, fit in found.items() if fit.advice]
    return found, notes


def _named(name: str) -> tuple[str, int]:
    kind, _, knots = name.partition(":")
    if kind == SPLINE and (not knots or knots.isdigit()):
        return kind, int(knots) if knots else KNOTS
    if name in DISTRIBUTIONS:
        return name, 0
    every = (*sorted(DISTRIBUTIONS), "spline:KNOTS")
    raise InputError(
        "GP-V007",
        f'"{name}" is not a model{nearest(name, every)}',
        where="model",
        expected=", ".join(every),
        next_step="see docs/survival.md, Parametric models",
    )


def terms(rows: Patients, found: dict[str, Parametric | Spline]) -> Iterator[Row]:
    """A row a covariate and model: ratio of times, or of hazards for a spline; one row without covariates."""
    for name, fit in found.items():
        facts = {"model": name, "aic": fit.aic, "log_likelihood": fit.log_likelihood, "status": fit.status}
        skip = 0 if isinstance(fit, Spline) else 1
        kind = "hazard ratio" if isinstance(fit, Spline) else "time ratio"
        z = fit.coefficients[skip:]
        low, high = _limits(fit, skip)
        for k, term in enumerate(rows.covariates):
            yield {
                **facts,
                "term": term,
                "kind": kind,
                "ratio": math.exp(z[k]),
                "low": float(low[k]),
                "high": float(high[k]),
                "p_value": float(fit.p_value[skip + k]),
            }
        if not rows.covariates:
            nothing = dict.fromkeys(("ratio", "low", "high", "p_value"), math.nan)
            yield {**facts, "term": "", "kind": "", **nothing}


def _limits(fit: Parametric | Spline, skip: int) -> tuple[Floats, Floats]:
    if isinstance(fit, Spline):
        return fit.interval
    return np.exp(fit.low[skip:]), np.exp(fit.high[skip:])


def medians(rows: Patients, found: dict[str, Parametric | Spline]) -> Iterator[Row]:
    """The median that each model gives each arm, other covariates at their mean."""
    count = max(len(rows.arms) - 1, 0)
    means = [float(values.mean()) for values in rows.beside.values()]
    for name, fit in found.items():
        for place, arm in enumerate(rows.arms or ("all",)):
            pattern = np.array([*(float(place == k + 1) for k in range(count)), *means])
            median, low, high = fit.quantile(0.5, pattern if pattern.size else None)
            yield {"model": name, "arm": arm, "median": median, "low": low, "high": high}
