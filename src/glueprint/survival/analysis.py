"""One's own table analysed: curves, tests, hazard ratios, restricted means and milestones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.errors import InputError
from glueprint.survival._check import as_level
from glueprint.survival.columns import Patients, Request, patients
from glueprint.survival.competing import cumulative_incidence
from glueprint.survival.cox import Cox, cox
from glueprint.survival.differences import contrast
from glueprint.survival.gray import gray
from glueprint.survival.kaplan_meier import KaplanMeier, kaplan_meier
from glueprint.survival.log_rank import LogRank, log_rank
from glueprint.survival.proportional_hazards import proportional_hazards
from glueprint.survival.rmst import rmst
from glueprint.survival.weighted import WeightedLogRank, fleming_harrington, max_combo

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
    "incidence": {
        "arm": TEXT,
        "cause": TEXT,
        "time": NUMBER,
        "incidence": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
    },
    "tests": {"test": TEXT, "z": NUMBER, "chi2": NUMBER, "df": COUNT, "p_value": NUMBER, "status": TEXT},
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

    tables: "groups", "milestones", "restricted_means", "incidence", "tests", "hazard_ratios",
    "proportional_hazards" and "curves", each a polars table.   unit: of the times, "" where nobody said.
    arms: in order, the reference first.   curves: by arm.   notes: what was left out, converted or could not
    be computed, for people.
    """

    tables: Mapping[str, pl.DataFrame]
    unit: str
    level: float
    arms: tuple[str, ...]
    curves: Mapping[str, KaplanMeier]
    notes: tuple[str, ...] = field(default=())

    def __repr__(self) -> str:
        """Its tables but the steps of the curves, as a person reads them."""
        shown = {name: table for name, table in self.tables.items() if name != "curves" and table.height}
        with pl.Config(tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, tbl_cols=-1):
            parts = [f"{name.replace('_', ' ')}\n{table}" for name, table in shown.items()]
        head = f"times in {self.unit or 'the unit of the column'}, intervals of {100 * self.level:g} %"
        return "\n".join((head, *parts, *self.notes))

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
    tests: Sequence[str] = ("log-rank",),
    level: float = 0.95,
) -> Analysis:
    """Curves by arm, their comparison, and a regression, from a table with one row a patient.

    table: polars, pandas or Arrow, or a mapping of columns.   request: which column is what.
    milestones: times at which survival is read.   tau: horizon of restricted means; both in the unit of the
    answers.   tests: of the arms: "log-rank", "max-combo", or "fh:RHO,GAMMA" for other weights.
    level: of all intervals.
    Returns Analysis; what the data cannot give is a note or a status.
    Raises InputError GP-V007 (level, horizon), GP-V010 (tau), GP-V030 to GP-V034 (table).
    Source: the functions it calls, docs/survival.md.
    """
    level = as_level(level)
    rows = patients(table, request)
    parts = _parts(rows)
    curves = {arm: _curve(rows, use, level) for arm, use in parts.items()}
    wanted, fit = _wanted(tests), _regression(rows, level)
    found: dict[str, list[Row]] = {
        "groups": [_group(arm, curve) for arm, curve in curves.items()],
        "milestones": [_milestone(arm, curve, time) for time in milestones for arm, curve in curves.items()],
        "restricted_means": [] if tau is None or _counted(rows) else list(_means(rows, parts, tau, level)),
        "incidence": list(_incidence(rows, parts, milestones, level)) if rows.cause is not None else [],
        "tests": [*_tests(rows, wanted), *_gray(rows), *_rows_of_fit(fit)],
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
    survival, _, low, high = curve.reading(time)
    if np.isnan(curve.at(time)):
        survival = low = high = math.nan
    row = {"arm": arm, "time": float(time), "survival": survival, "low": low, "high": high}
    return {**row, "at_risk": float(curve.risk_table(time))}


def _means(rows: Patients, parts: Mapping[str, Any], tau: float, level: float) -> Iterator[Row]:
    """One row an arm, then one a difference from the reference."""
    means = {arm: rmst(rows.time[use], rows.event[use], tau, level=level) for arm, use in parts.items()}
    for arm, mean in means.items():
        row = {"arm": arm, "tau": mean.tau, "mean": mean.value, "std_error": mean.std_error}
        yield {**row, "low": mean.low, "high": mean.high, "p_value": math.nan}
    first, *others = means
    for arm in others:
        error = math.hypot(means[arm].std_error, means[first].std_error)
        gain = contrast(means[arm].value - means[first].value, error, level)
        row = {"arm": f"{arm} minus {first}", "tau": means[arm].tau, "mean": gain.value, "std_error": error}
        yield {**row, "low": gain.low, "high": gain.high, "p_value": gain.p_value}


def _incidence(
    rows: Patients, parts: Mapping[str, Any], milestones: Sequence[float], level: float
) -> Iterator[Row]:
    """Incidence of each cause at the milestones, or at the end of the follow-up."""
    labels, codes = _codes(rows)
    for arm, use in parts.items():
        if not codes[use].any():
            continue
        found = cumulative_incidence(rows.time[use], codes[use], level=level)
        for time in milestones or [float(found.times[-1])]:
            step = int(np.searchsorted(found.times, time, side="right")) - 1
            for k, code in enumerate(found.causes):
                row = {"arm": arm, "cause": labels[code - 1], "time": float(time)}
                known = step >= 0 and time <= found.times[-1]
                values = {
                    name: float(getattr(found, name)[step, k]) if known else math.nan
                    for name in ("incidence", "low", "high")
                }
                yield {**row, **values, **({"incidence": 0.0} if step < 0 else {})}


def _codes(rows: Patients) -> tuple[list[str], NDArray[np.int64]]:
    """The causes by name, and of each patient 0 or the number of its cause."""
    cause = np.asarray(rows.cause)
    labels = sorted(set(cause.tolist()) - {""})
    return labels, np.array([labels.index(c) + 1 if c else 0 for c in cause.tolist()], dtype=np.int64)


def _gray(rows: Patients) -> Iterator[Row]:
    if rows.cause is None or rows.arm is None or len(rows.arms) < 2 or not rows.event.any():
        return
    labels, codes = _codes(rows)
    found = gray(rows.time, codes, rows.arm, strata=rows.strata)
    for k, code in enumerate(found.causes):
        row = {"test": f"Gray, {labels[code - 1]}", "z": math.nan, "chi2": float(found.chi2[k])}
        yield {
            **row,
            "df": int(found.df[k]),
            "p_value": float(found.p_value[k]),
            "status": str(found.status[k]),
        }


def _wanted(tests: Sequence[str]) -> list[tuple[str, tuple[float, ...]]]:
    """The tests by name, with rho and gamma."""
    found: list[tuple[str, tuple[float, ...]]] = []
    for text in tests:
        name, _, rest = text.partition(":")
        try:
            weights = tuple(float(x) for x in rest.split(",")) if rest else ()
        except ValueError:
            weights = (math.nan,)
        if (name, len(weights)) not in (("log-rank", 0), ("max-combo", 0), ("fh", 2)):
            raise InputError(
                "GP-V007",
                f'"{text}" is not a test',
                where="tests",
                expected='"log-rank", "max-combo" or "fh:RHO,GAMMA", as fh:0,1 for late differences',
                next_step="see docs/survival.md, Hazards that are not proportional",
            )
        found.append((name, weights))
    return found


def _tests(rows: Patients, wanted: Sequence[tuple[str, tuple[float, ...]]]) -> Iterator[Row]:
    if rows.arm is None or len(rows.arms) < 2 or _counted(rows):
        return
    # Codes in the order of the arms: a z below 0 is fewer events in the arm that is not the reference.
    codes = np.array([rows.arms.index(arm) for arm in rows.arm.tolist()])
    given = (rows.time, rows.event, codes)
    stratified = "stratified " if rows.strata is not None else ""
    for name, weights in wanted:
        row: Row = {"test": f"{stratified}{name}", "z": math.nan, "chi2": math.nan, "df": None}
        if name == "max-combo":
            best = max_combo(*given, strata=rows.strata)
            yield {**row, "z": best.statistic, "p_value": best.p_value, "status": best.status}
            continue
        test: LogRank | WeightedLogRank
        if name == "fh":
            row["test"] = f"{stratified}log-rank, weights {weights[0]:g}, {weights[1]:g}"
            test = weighted = fleming_harrington(*given, weights[0], weights[1], strata=rows.strata)
            row["z"] = weighted.z
        else:
            test = log_rank(*given, strata=rows.strata)
        yield {**row, "chi2": test.chi2, "df": test.df, "p_value": test.p_value, "status": test.status}


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
        yield {
            "test": said,
            "z": math.nan,
            "chi2": test.chi2,
            "df": test.df,
            "p_value": test.p_value,
            "status": fit.status,
        }


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
