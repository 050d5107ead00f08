"""One's own table analysed: curves, tests, hazard ratios, restricted means and milestones."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
import polars as pl

from glueprint.survival._check import as_level
from glueprint.survival.analysis_curves import (
    ALL,
    Row,
    apart,
    between,
    cells,
    counted,
    curve,
    group,
    incidence,
    means,
    milestone,
    parts,
    steps,
)
from glueprint.survival.analysis_models import medians, terms
from glueprint.survival.analysis_models import models as fitted_models
from glueprint.survival.analysis_tests import (
    comparisons,
    gray_rows,
    proportional,
    ratios,
    regression,
    rows_of_fit,
    subdistribution,
    wanted,
)
from glueprint.survival.columns import Patients, patients
from glueprint.survival.cox import Cox
from glueprint.survival.kaplan_meier import KaplanMeier
from glueprint.survival.request import Request

__all__ = ["Analysis", "analyse"]

# What is tested where nothing is asked for, as `wanted` has it.
USUAL = [("log-rank", ())]
# "Few" begins between 20 and 50 clusters, by how alike they are. Source: Cameron and Miller 2015,
# doi:10.3368/jhr.50.2.317, section VI.
FEW_CLUSTERS = 50
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
    "subdistribution": {
        "cause": TEXT,
        "term": TEXT,
        "hazard_ratio": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
        "p_value": NUMBER,
        "status": TEXT,
    },
    "models": {
        "model": TEXT,
        "term": TEXT,
        "kind": TEXT,
        "ratio": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
        "p_value": NUMBER,
        "log_likelihood": NUMBER,
        "aic": NUMBER,
        "status": TEXT,
    },
    "model_medians": {"model": TEXT, "arm": TEXT, "median": NUMBER, "low": NUMBER, "high": NUMBER},
    "cells": {"arm": TEXT, "left": NUMBER, "right": NUMBER, "mass": NUMBER},
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
    "subdistribution" (Fine and Gray), "models", "model_medians", "cells" (of events between two looks),
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
        with pl.Config(tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, tbl_cols=-1):
            parts = [f"{title}\n{table}" for title, table in self._shown().items()]
        return "\n".join((self._head, *parts, *self.notes))

    def _repr_html_(self) -> str:
        """The same in a notebook."""
        with pl.Config(tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, tbl_cols=-1):
            parts = [f"<h4>{title}</h4>{table._repr_html_()}" for title, table in self._shown().items()]
        return "".join(
            (f"<p>{escape(self._head)}</p>", *parts, *(f"<p>{escape(one)}</p>" for one in self.notes))
        )

    @property
    def _head(self) -> str:
        return f"times in {self.unit or 'the unit of the column'}, intervals of {100 * self.level:g} %"

    def _shown(self) -> dict[str, pl.DataFrame]:
        return {
            name.replace("_", " "): table
            for name, table in self.tables.items()
            if name != "curves" and table.height
        }

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
    models: Sequence[str] = (),
    level: float = 0.95,
) -> Analysis:
    """Curves by arm, their comparison, and a regression, from a table with one row a patient.

    table: polars, pandas or Arrow, or a mapping of columns.   request: which column is what.
    milestones: times at which survival is read.   tau: horizon of restricted means; both in the unit of the
    answers.   tests: of the arms: "log-rank", "max-combo", or "fh:RHO,GAMMA" for other weights.
    models: "weibull", "exponential", "lognormal", "loglogistic" or "spline:KNOTS".   level: of all intervals.
    Returns Analysis; what the data cannot give is a note or a status. Events between two looks (`left` and
    `right` of the request) give Turnbull's estimate and models, and no test.
    Raises InputError GP-V007 (level, horizon, model), GP-V010 (tau), GP-V012 (looks), GP-V017 (rows of one
    patient that overlap), GP-V024 (models), GP-V030 to GP-V034 (table).
    Source: the functions it calls, docs/survival.md.

    >>> from glueprint.survival import Request
    >>> table = pl.DataFrame({"months": [2, 5, 7, 9], "died": [1, 1, 0, 1], "arm": ["a", "b", "a", "b"]})
    >>> analyse(table, Request(time="months", event="died", arm="arm")).arms
    ('a', 'b')
    """
    level = as_level(level)
    rows = patients(table, request)
    asked = wanted(tests)
    fits, said = fitted_models(rows, models, level)
    found: dict[str, list[Row]] = {
        "models": list(terms(rows, fits)),
        "model_medians": list(medians(rows, fits)),
    }
    curves: dict[str, KaplanMeier] = {}
    if rows.right is not None:
        notes = _between(rows, found, milestones, tau, asked)
    else:
        curves, notes = _seen(rows, found, (tuple(milestones), tau, asked), level)
    tables = {name: pl.DataFrame(found.get(name, []), schema=schema) for name, schema in SCHEMAS.items()}
    return Analysis(tables, rows.unit, level, rows.arms or (ALL,), curves, (*rows.notes, *notes, *said))


def _seen(
    rows: Patients, found: dict[str, list[Row]], asked: tuple[Any, ...], level: float
) -> tuple[dict[str, KaplanMeier], list[str]]:
    """Tables of events that were seen when they happened, put into `found`; the curves, and notes."""
    milestones, tau, tests = asked
    notes = list(apart(rows))
    each = parts(rows)
    curves = {arm: curve(rows, use, level) for arm, use in each.items()}
    fit = regression(rows, level)
    found |= {
        "groups": [group(arm, one, rows, each[arm]) for arm, one in curves.items()],
        "milestones": [milestone(arm, one, time) for time in milestones for arm, one in curves.items()],
        "restricted_means": [] if tau is None or counted(rows) else list(means(rows, each, tau, level)),
        "incidence": []
        if rows.cause is None or counted(rows)
        else list(incidence(rows, each, milestones, level)),
        "tests": [*comparisons(rows, tests), *gray_rows(rows), *rows_of_fit(fit)],
        "hazard_ratios": ratios(tuple(rows.covariates), fit),
        "subdistribution": list(subdistribution(rows, level)),
        "proportional_hazards": proportional(tuple(rows.covariates), fit),
        "curves": [row for arm, one in curves.items() for row in steps(arm, one)],
    }
    return curves, notes + list(_remarks(rows, curves, fit, (tau, tests)))


def _between(
    rows: Patients,
    found: dict[str, list[Row]],
    milestones: Sequence[float],
    tau: float | None,
    tests: Sequence[Any],
) -> list[str]:
    """Tables of events between two looks, put into `found`; notes."""
    curves = {arm: between(rows, use) for arm, use in parts(rows).items()}
    nothing = {"low": math.nan, "high": math.nan}
    each = parts(rows)
    found["groups"] = [
        {
            "arm": arm,
            "n": one.n,
            "events": float(rows.event[each[arm]].sum()),
            "median": one.median,
            **nothing,
        }
        for arm, one in curves.items()
    ]
    found["cells"] = [row for arm, one in curves.items() for row in cells(arm, one)]
    notes = ["events lie between two looks: medians are Turnbull's, the comparison is that of the models"]
    if milestones or tau is not None:
        notes.append("milestones and restricted means left out: they take events that were seen")
    if tests != USUAL:
        notes.append("tests of the arms left out: they take events that were seen")
    return notes + [f"curve of {arm}: {one.status}" for arm, one in curves.items() if one.status != "ok"]


def _remarks(
    rows: Patients, curves: Mapping[str, KaplanMeier], fit: Cox | None, asked: tuple[Any, Any]
) -> Iterator[str]:
    tau, tests = asked
    if len(rows.arms) < 2:
        if tests != USUAL or rows.arms:
            yield f"tests of the arms left out: {'there is one arm' if rows.arms else 'no arm was named'}"
        if rows.strata is not None and fit is None:
            yield "strata act on nothing: they stratify tests of arms and regressions, not curves"
    for arm, one in curves.items():
        if one.advice:
            yield f"curve of {arm}: {one.advice}"
    if fit is not None and fit.advice:
        yield f"regression: {fit.advice}"
    if fit is not None and fit.robust_covariance is not None:
        yield "errors of the regression are robust (Lin and Wei)"
    if counted(rows):
        left = ["the log-rank test"] if len(rows.arms) > 1 else []
        left += ["restricted means"] if tau is not None else []
        left += ["incidence by cause and what compares it"] if rows.cause is not None else []
        if left:
            why = "rows are late, weighted or several of a patient; see the score test"
            yield f"{' and '.join(left)} left out: {why}"
    elif rows.cluster is not None:
        yield (
            "clusters act on curves and regression; tests of the arms, means and models take rows as "
            "independent"
        )
    count = 0 if rows.cluster is None else np.unique(rows.cluster).size
    if 0 < count < FEW_CLUSTERS:
        yield f"{count} clusters are few: with fewer than {FEW_CLUSTERS}, robust errors come out too small"
