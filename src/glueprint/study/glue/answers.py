"""What a team asks of the virtual trials: outcomes by dose, against the reference, odds and limits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from glueprint import survival
from glueprint.study.glue.project import SweepRequest
from glueprint.trials import SWEPT, existing, finite, order_statistics

__all__ = ["AGAINST", "LIMITS", "ODDS", "OUTCOMES", "Column", "against", "limits", "odds", "outcomes"]

Floats = NDArray[np.float64]
TEXT, NUMBER, COUNT = pl.String(), pl.Float64(), pl.Int64()
ORR, NEUTROPENIA = "orr", "neutropenia_grade_3_4"
ASKED = (*SWEPT, "median_dor", "thrombocytopenia_grade_3_4", "anaemia_grade_3_4", "pneumonia_grade_3_4")
OUTCOMES = pl.Schema(
    {
        "part": TEXT,
        "arm": TEXT,
        "dose_mg": NUMBER,
        "endpoint": TEXT,
        "unit": TEXT,
        "value": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
        "replicates": COUNT,
        "not_reached": COUNT,
        "label": TEXT,
    }
)
AGAINST = pl.Schema(
    {
        "endpoint": TEXT,
        "unit": TEXT,
        "glue": NUMBER,
        "reference": NUMBER,
        "difference": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
        "share_higher": NUMBER,
        "replicates": COUNT,
    }
)
ODDS = pl.Schema(
    {
        "dose_mg": NUMBER,
        "endpoint": TEXT,
        "limit_percent": NUMBER,
        "share_above": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
        "replicates": COUNT,
    }
)
LIMITS = pl.Schema(
    {
        "question": TEXT,
        "endpoint": TEXT,
        "limit_percent": NUMBER,
        "unit": TEXT,
        "value": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
        "share_below": NUMBER,
        "share_beyond": NUMBER,
        "replicates": COUNT,
    }
)


@dataclass(frozen=True)
class Column:
    """The endpoints of all trials of one design, with the part it plays, its arm, dose and label."""

    part: str
    arm: str
    dose_mg: float
    label: str
    endpoints: pl.DataFrame

    def values(self, endpoint: str) -> pl.DataFrame:
        """replicate, value, unit of an endpoint, of the trials in which it exists."""
        found = self.endpoints.filter(pl.col("endpoint") == endpoint)
        return existing(found).select("replicate", "value", "unit")


def outcomes(columns: Sequence[Column]) -> pl.DataFrame:
    """Each endpoint of each design: median over its trials and the middle 95 % of them; of schema
    OUTCOMES."""
    rows = []
    for column in columns:
        for endpoint in ASKED:
            found = column.values(endpoint)
            if found.is_empty():
                continue
            values = found.get_column("value").to_numpy()
            middle, low, high = map(finite, order_statistics(values))
            rows.append(
                {
                    "part": column.part,
                    "arm": column.arm,
                    "dose_mg": column.dose_mg,
                    "endpoint": endpoint,
                    "unit": found.get_column("unit")[0],
                    "value": middle,
                    "low": low,
                    "high": high,
                    "replicates": values.size,
                    "not_reached": int(np.isinf(values).sum()),
                    "label": column.label,
                }
            )
    return pl.DataFrame(rows, schema=OUTCOMES)


def against(glue: Column, reference: Column) -> pl.DataFrame:
    """Each endpoint of the glue beside that of the reference, and their difference trial by trial: the same
    patients, the same chance, the same draw of what is not known of patients; of schema AGAINST.

    share_higher: of the trials in which the glue's number is the higher one, ties counting one half.
    """
    rows = []
    for endpoint in ASKED:
        pairs = glue.values(endpoint).join(
            reference.values(endpoint), on="replicate", suffix="_reference", maintain_order="left"
        )
        mine, theirs = (pairs.get_column(name).to_numpy() for name in ("value", "value_reference"))
        # Of two times that were not reached nothing is known to differ.
        known = np.isfinite(mine) | np.isfinite(theirs)
        if not known.any():
            continue
        apart = mine[known] - theirs[known]
        middle, low, high = map(finite, order_statistics(apart))
        rows.append(
            {
                "endpoint": endpoint,
                "unit": pairs.get_column("unit")[0],
                "glue": finite(order_statistics(mine)[0]),
                "reference": finite(order_statistics(theirs)[0]),
                "difference": middle,
                "low": low,
                "high": high,
                "share_higher": float(np.mean((apart > 0.0) + 0.5 * (apart == 0.0))),
                "replicates": int(known.sum()),
            }
        )
    return pl.DataFrame(rows, schema=AGAINST)


def odds(columns: Sequence[Column], asked: SweepRequest) -> pl.DataFrame:
    """How likely the response rate, and grade 3/4 neutropenia, are above their limits at each dose: the share
    of virtual trials, with its 95 % interval for their number; of schema ODDS."""
    rows = []
    for column in columns:
        for endpoint, limit in _limits(asked).items():
            values = column.values(endpoint).get_column("value").to_numpy()
            if not values.size:  # no patient of any trial could be computed
                continue
            above = int((values > limit).sum())
            share = survival.clopper_pearson(above, values.size)
            rows.append(
                {
                    "dose_mg": column.dose_mg,
                    "endpoint": endpoint,
                    "limit_percent": limit,
                    "share_above": above / values.size,
                    "low": float(share.low),
                    "high": float(share.high),
                    "replicates": values.size,
                }
            )
    return pl.DataFrame(rows, schema=ODDS)


def limits(columns: Sequence[Column], asked: SweepRequest) -> pl.DataFrame:
    """The doses at which response and grade 3/4 neutropenia pass their limits, trial by trial, and the window
    between them; of schema LIMITS.

    A trial's rates are made to rise with dose (isotonic regression) and joined by lines over the logarithm of
    dose. share_below: of the trials that pass at the lowest dose already, counted as that dose;
    share_beyond: that do not pass at the highest, so the end of an interval may be missing.
    Source: pool adjacent violators, Barlow et al. 1972; docs/your-glue.md, "The doses".
    """
    doses = np.array([column.dose_mg for column in columns])
    passed: dict[str, Floats] = {}
    rows = []
    for endpoint, limit in _limits(asked).items():
        rates = _rates(columns, endpoint)
        if not len(rates):
            return pl.DataFrame(schema=LIMITS)
        passed[endpoint] = np.array([_crossing(doses, row, limit) for row in rates])
        found = passed[endpoint]
        question = (
            f"dose at which {'response' if endpoint == ORR else 'grade 3/4 neutropenia'} passes {limit:g} %"
        )
        rows.append(_row(question, (endpoint, limit, "mg"), found, float(doses[0])))
    # Where response is never reached there is no window; where neutropenia never is, it has no end.
    with np.errstate(invalid="ignore"):
        ratio = passed[NEUTROPENIA] / passed[ORR]
    ratio[~np.isfinite(passed[ORR])] = 0.0
    rows.append(_row("window: dose of neutropenia over dose of response", ("", math.nan, "1"), ratio, 0.0))
    return pl.DataFrame(rows, schema=LIMITS).fill_nan(None)


def _limits(asked: SweepRequest) -> Mapping[str, float]:
    return {ORR: asked.orr_above_percent, NEUTROPENIA: asked.neutropenia_limit_percent}


def _rates(columns: Sequence[Column], endpoint: str) -> Floats:
    """(trials, doses) of a rate, per cent."""
    tables = [
        column.values(endpoint).select("replicate", pl.col("value").alias(f"{place}"))
        for place, column in enumerate(columns)
    ]
    first = tables[0]
    for table in tables[1:]:
        first = first.join(table, on="replicate", maintain_order="left")
    return first.drop("replicate").to_numpy()


def _crossing(doses: Floats, rates: Floats, limit: float) -> float:
    """The dose at which rates (doses,) pass a limit; the lowest if they begin above it, infinity if never."""
    rising = isotonic_regression(rates).x
    above = np.flatnonzero(rising > limit)
    if not above.size:
        return math.inf
    place = int(above[0])
    if place == 0:
        return float(doses[0])
    low, high = rising[place - 1], rising[place]
    share = (limit - low) / (high - low)
    return float(doses[place - 1] * (doses[place] / doses[place - 1]) ** share)


def _row(question: str, about: tuple[str, float, str], found: Floats, lowest: float) -> dict[str, object]:
    endpoint, limit, unit = about
    middle, low, high = map(finite, order_statistics(found))
    return {
        "question": question,
        "endpoint": endpoint,
        "limit_percent": limit,
        "unit": unit,
        "value": middle,
        "low": low,
        "high": high,
        "share_below": float(np.mean(found <= lowest)),
        "share_beyond": float(np.mean(np.isinf(found))),
        "replicates": found.size,
    }
