"""One's own table analysed: curves, tests, hazard ratios, restricted means and milestones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from scipy.special import ndtr, ndtri

from glueprint.survival._check import as_level
from glueprint.survival.columns import Patients, Request, patients
from glueprint.survival.cox import Cox, cox
from glueprint.survival.kaplan_meier import KaplanMeier, kaplan_meier
from glueprint.survival.log_rank import LogRank, log_rank
from glueprint.survival.proportional_hazards import proportional_hazards
from glueprint.survival.rmst import RestrictedMean, rmst

__all__ = ["Analysis", "analyse"]

ALL = "all"
Row = dict[str, Any]
NUMBER, COUNT, TEXT = pl.Float64, pl.Int64, pl.String
SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "groups": {"arm": TEXT, "n": COUNT, "events": NUMBER, "median": NUMBER, "low": NUMBER, "high": NUMBER},
    "milestones": {
        "arm": TEXT,
        "time": NUMBER,
        "survival": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
        "at_risk": NUMBER,
    },
    "restricted_means": {
        "arm": TEXT,
        "tau": NUMBER,
        "mean": NUMBER,
        "std_error": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
        "p_value": NUMBER,
    },
    "tests": {"test": TEXT, "chi2": NUMBER, "df": COUNT, "p_value": NUMBER, "status": TEXT},
    "hazard_ratios": {
        "term": TEXT,
        "hazard_ratio": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
        "p_value": NUMBER,
        "coefficient": NUMBER,
        "std_error": NUMBER,
        "status": TEXT,
    },
    "proportional_hazards": {"term": TEXT, "chi2": NUMBER, "df": COUNT, "p_value": NUMBER, "status": TEXT},
    "curves": {
        "arm": TEXT,
        "time": NUMBER,
        "at_risk": NUMBER,
        "events": NUMBER,
        "censored": NUMBER,
        "survival": NUMBER,
        "std_error": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
    },
}


@dataclass(frozen=True)
class Analysis:
    """What a table of patients says; NaN in `low` or `high` is an open end.

    tables: "groups", "milestones", "restricted_means", "tests", "hazard_ratios", "proportional_hazards" and
    "curves", each a polars table.   unit: of the times, "" where nobody said.   arms: in order, the reference
    first.   curves: by arm.   notes: what was left out, converted or could not be computed, for people.
    """

    tables: Mapping[str, pl.DataFrame]
    unit: str
    level: float
    arms: tuple[str, ...]
    curves: Mapping[str, KaplanMeier]
    notes: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        rows = {name: table.to_dicts() for name, table in self.tables.items()}
        return {
            "unit": self.unit,
            "level": self.level,
            "arms": list(self.arms),
            **rows,
            "notes": list(self.notes),
        }


def analyse(
    table: Any,
    request: Request,
    *,
    milestones: Sequence[float] = (),
    tau: float | None = None,
    level: float = 0.95,
) -> Analysis:
    """Curves by arm, their comparison, and a regression, from a table with one row a patient.

    table: polars, pandas or Arrow, or a mapping of columns.   request: which column is what.
    milestones: times at which survival is read.   tau: horizon of restricted means; both in the unit of the
    answers.   level: of all intervals.
    Returns Analysis; what the data cannot give is a note or a status.
    Raises InputError GP-V007 (level, horizon), GP-V010 (tau), GP-V030 to GP-V034 (table).
    Source: `kaplan_meier`, `log_rank`, `cox`, `rmst`.
    """
    level = as_level(level)
    rows = patients(table, request)
    parts = _parts(rows)
    curves = {arm: _curve(rows, use, level) for arm, use in parts.items()}
    test, fit = _tests(rows), _regression(rows, level)
    found: dict[str, list[Row]] = {
        "groups": [_group(arm, curve) for arm, curve in curves.items()],
        "milestones": [_milestone(arm, curve, time) for time in milestones for arm, curve in curves.items()],
        "restricted_means": [] if tau is None or _counted(rows) else list(_means(rows, parts, tau, level)),
        "tests": [*_rows_of_test(test, rows), *_rows_of_fit(fit)],
        "hazard_ratios": _ratios(tuple(rows.covariates), fit),
        "proportional_hazards": _proportional(tuple(rows.covariates), fit),
        "curves": [row for arm, curve in curves.items() for row in _steps(arm, curve)],
    }
    notes = [*rows.notes, *_remarks(rows, curves, fit, tau)]
    tables = {name: pl.DataFrame(found[name], schema=schema) for name, schema in SCHEMAS.items()}
    return Analysis(tables, rows.unit, level, tuple(curves), curves, tuple(notes))


def _parts(rows: Patients) -> dict[str, Any]:
    if rows.arm is None:
        return {ALL: slice(None)}
    return {arm: rows.arm == arm for arm in rows.arms}


def _counted(rows: Patients) -> bool:
    """Whether rows count otherwise than as one patient from the start."""
    return rows.entry is not None or rows.weights is not None or rows.patient is not None


def _remarks(
    rows: Patients, curves: Mapping[str, KaplanMeier], fit: Cox | None, tau: float | None
) -> Iterator[str]:
    for arm, curve in curves.items():
        if curve.advice:
            yield f"curve of {arm}: {curve.advice}"
    if fit is not None and fit.advice:
        yield f"regression: {fit.advice}"
    if fit is not None and fit.robust_covariance is not None:
        yield "errors of the regression are robust (Lin and Wei)"
    if _counted(rows):
        left = ["the log-rank test"] if len(rows.arms) > 1 else []
        left += ["restricted means"] if tau is not None else []
        if left:
            why = "rows are late, weighted or several of a patient; see the score test"
            yield f"{' and '.join(left)} left out: {why}"


def _curve(rows: Patients, use: Any, level: float) -> KaplanMeier:
    entry, weights = (None if x is None else x[use] for x in (rows.entry, rows.weights))
    who = rows.cluster if rows.cluster is not None else rows.patient if rows.weights is not None else None
    cluster = None if who is None else who[use]
    return kaplan_meier(
        rows.time[use], rows.event[use], entry=entry, weights=weights, cluster=cluster, level=level
    )


def _group(arm: str, curve: KaplanMeier) -> Row:
    low, high = curve.median_interval
    events = float(curve.events.sum())
    return {"arm": arm, "n": curve.n, "events": events, "median": curve.median, "low": low, "high": high}


def _milestone(arm: str, curve: KaplanMeier, time: float) -> Row:
    survival = float(curve.at(time))
    step = int(np.searchsorted(curve.times, time, side="right")) - 1
    low, high = (float(limit[step]) if step >= 0 else math.nan for limit in (curve.low, curve.high))
    if math.isnan(survival):
        low = high = math.nan
    row = {"arm": arm, "time": float(time), "survival": survival, "low": low, "high": high}
    return {**row, "at_risk": float(curve.risk_table(time))}


def _means(rows: Patients, parts: Mapping[str, Any], tau: float, level: float) -> Iterator[Row]:
    """One row an arm, then one a difference from the reference."""
    means = {arm: rmst(rows.time[use], rows.event[use], tau, level=level) for arm, use in parts.items()}
    for arm, mean in means.items():
        yield _mean(arm, mean, math.nan)
    first, *others = means
    for arm in others:
        gain = means[arm].value - means[first].value
        error = math.hypot(means[arm].std_error, means[first].std_error)
        half = float(ndtri(0.5 + level / 2)) * error
        p = float(2 * ndtr(-abs(gain) / error)) if error > 0 else math.nan
        row = RestrictedMean(gain, error, gain - half, gain + half, float(tau), level)
        yield _mean(f"{arm} minus {first}", row, p)


def _mean(arm: str, mean: RestrictedMean, p: float) -> Row:
    row = {"arm": arm, "tau": mean.tau, "mean": mean.value, "std_error": mean.std_error}
    return {**row, "low": mean.low, "high": mean.high, "p_value": p}


def _tests(rows: Patients) -> LogRank | None:
    if rows.arm is None or len(rows.arms) < 2 or _counted(rows):
        return None
    return log_rank(rows.time, rows.event, rows.arm, strata=rows.strata)


def _rows_of_test(test: LogRank | None, rows: Patients) -> Iterator[Row]:
    if test is not None:
        name = "log-rank" if rows.strata is None else "stratified log-rank"
        yield {"test": name, "chi2": test.chi2, "df": test.df, "p_value": test.p_value, "status": test.status}


def _regression(rows: Patients, level: float) -> Cox | None:
    if not rows.covariates:
        return None
    matrix = np.stack(list(rows.covariates.values()), axis=1)
    return cox(
        rows.time,
        rows.event,
        matrix,
        strata=rows.strata,
        entry=rows.entry,
        weights=rows.weights,
        patient=rows.patient,
        cluster=rows.cluster,
        level=level,
    )


def _rows_of_fit(fit: Cox | None) -> Iterator[Row]:
    if fit is None:
        return
    for name in ("likelihood_ratio", "wald", "score"):
        test = getattr(fit, name)
        said = f"Cox, {name.replace('_', ' ')}"
        yield {"test": said, "chi2": test.chi2, "df": test.df, "p_value": test.p_value, "status": fit.status}


def _ratios(terms: Sequence[str], fit: Cox | None) -> list[Row]:
    if fit is None:
        return []
    columns = {
        "hazard_ratio": fit.hazard_ratio,
        "low": fit.interval[0],
        "high": fit.interval[1],
        "p_value": fit.p_value,
        "coefficient": fit.coefficients,
        "std_error": fit.std_error,
    }
    return [
        {"term": term, **{name: float(value[k]) for name, value in columns.items()}, "status": fit.status}
        for k, term in enumerate(terms)
    ]


def _proportional(terms: Sequence[str], fit: Cox | None) -> list[Row]:
    """Whether each hazard ratio is the same at all times, and all of them together."""
    if fit is None or not fit.converged:
        return []
    test = proportional_hazards(fit)
    rows: list[Row] = [
        {"term": term, "chi2": float(chi2), "df": 1, "p_value": float(p), "status": test.status}
        for term, chi2, p in zip(terms, test.chi2, test.p_value, strict=True)
    ]
    if len(rows) > 1:
        together = test.together
        named = {"chi2": together.chi2, "df": together.df, "p_value": together.p_value}
        rows.append({"term": "all together", **named, "status": test.status})
    return rows


def _steps(arm: str, curve: KaplanMeier) -> Iterator[Row]:
    names = ("at_risk", "events", "censored", "survival", "std_error", "low", "high")
    for k, time in enumerate(curve.times.tolist()):
        yield {"arm": arm, "time": time, **{name: getattr(curve, name)[k].item() for name in names}}
