"""What a table of patients says of its arms against each other: tests, hazard ratios, models."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from glueprint.errors import InputError
from glueprint.survival.analysis_curves import Row, codes, counted
from glueprint.survival.columns import Patients
from glueprint.survival.cox import Cox, cox
from glueprint.survival.fine_gray import fine_gray
from glueprint.survival.gray import gray
from glueprint.survival.log_rank import LogRank, log_rank
from glueprint.survival.proportional_hazards import proportional_hazards
from glueprint.survival.weighted import WeightedLogRank, fleming_harrington, max_combo

__all__ = [
    "comparisons",
    "gray_rows",
    "proportional",
    "ratios",
    "regression",
    "rows_of_fit",
    "subdistribution",
    "wanted",
]


def gray_rows(rows: Patients) -> Iterator[Row]:
    """Gray's test of each cause."""
    if rows.cause is None or rows.arm is None or len(rows.arms) < 2 or not rows.event.any() or counted(rows):
        return
    labels, numbers = codes(rows)
    found = gray(rows.time, numbers, rows.arm, strata=rows.strata)
    for k, code in enumerate(found.causes):
        row = {"test": f"Gray, {labels[code - 1]}", "z": math.nan, "chi2": float(found.chi2[k])}
        yield {
            **row,
            "df": int(found.df[k]),
            "p_value": float(found.p_value[k]),
            "status": str(found.status[k]),
        }


def subdistribution(rows: Patients, level: float) -> Iterator[Row]:
    """Fine and Gray's ratios of each cause, adjusted as the regression is."""
    if rows.cause is None or not rows.covariates or counted(rows):
        return
    labels, numbers = codes(rows)
    matrix = np.stack(list(rows.covariates.values()), axis=1)
    for number in range(1, len(labels) + 1):
        fit = fine_gray(rows.time, numbers, matrix, of=number, strata=rows.strata, level=level)
        for k, term in enumerate(rows.covariates):
            yield {
                "cause": labels[number - 1],
                "term": term,
                "hazard_ratio": float(fit.hazard_ratio[k]),
                "low": float(fit.interval[0][k]),
                "high": float(fit.interval[1][k]),
                "p_value": float(fit.p_value[k]),
                "status": fit.status,
            }


def wanted(tests: Sequence[str]) -> list[tuple[str, tuple[float, ...]]]:
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


def comparisons(rows: Patients, wanted: Sequence[tuple[str, tuple[float, ...]]]) -> Iterator[Row]:
    """The tests of the arms that were asked for."""
    if rows.arm is None or len(rows.arms) < 2 or counted(rows):
        return
    # Codes in the order of the arms: a z below 0 is fewer events in the arm that is not the reference.
    places = np.array([rows.arms.index(arm) for arm in rows.arm.tolist()])
    given = (rows.time, rows.event, places)
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


def regression(rows: Patients, level: float) -> Cox | None:
    """Cox regression on the arms and covariates; None without any."""
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


def rows_of_fit(fit: Cox | None) -> Iterator[Row]:
    """The global tests of a regression."""
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


def ratios(terms: Sequence[str], fit: Cox | None) -> list[Row]:
    """The hazard ratio of each term."""
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


def proportional(terms: Sequence[str], fit: Cox | None) -> list[Row]:
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
