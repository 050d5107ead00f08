"""What fits say, as tables: data sets, points, curves to draw, comparisons, potencies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from glueprint.curves.evidence import aicc, compared, lack_of_fit
from glueprint.curves.models.model import Model
from glueprint.curves.potency import Potency
from glueprint.curves.status import Status

if TYPE_CHECKING:
    from glueprint.curves.result import Fits

__all__ = [
    "COMPARISONS",
    "CURVES",
    "POINTS",
    "POTENCIES",
    "SETS",
    "WIDE",
    "comparison",
    "curve_rows",
    "in_height",
    "one_of",
    "point_rows",
    "potency_rows",
    "set_rows",
    "whole_of",
]

SMOOTH = 120
# A range of x wider than this is drawn over its logarithm.
WIDE = 20.0
# Level of the F test that decides which of two nested fits is preferred.
ALPHA = 0.05
TEXT, NUMBER, COUNT = pl.String(), pl.Float64(), pl.Int64()
SETS = pl.Schema(
    {
        "set": TEXT,
        "points": COUNT,
        "dof": COUNT,
        "rss": NUMBER,
        "sy_x": NUMBER,
        "r_squared": NUMBER,
        "aicc": NUMBER,
        "effect_p": NUMBER,
        "lack_of_fit_p": NUMBER,
        "outliers": COUNT,
        "status": TEXT,
        "reason": TEXT,
    }
)
POINTS = pl.Schema(
    {
        "set": TEXT,
        "x": NUMBER,
        "y": NUMBER,
        "fitted": NUMBER,
        "residual": NUMBER,
        "weight": NUMBER,
        "robust_weight": NUMBER,
        "outlier": pl.Boolean(),
        "limit": TEXT,
    }
)
COMPARISONS = pl.Schema(
    {
        "question": TEXT,
        "set": TEXT,
        "simple": TEXT,
        "general": TEXT,
        "f": NUMBER,
        "extra": COUNT,
        "dof": COUNT,
        "p": NUMBER,
        "aicc_simple": NUMBER,
        "aicc_general": NUMBER,
        "probability_general": NUMBER,
        "preferred": TEXT,
    }
)
POTENCIES = pl.Schema(
    {
        "set": TEXT,
        "definition": TEXT,
        "relation": TEXT,
        "value": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
        "reasons": TEXT,
    }
)
CURVES = pl.Schema({"set": TEXT, "x": NUMBER, "fitted": NUMBER})
_One = tuple[float, int, int, Model]


def in_height(fits: Fits) -> pl.DataFrame:
    """`Fits.to_table`, with the plateaus named by their height: top and bottom."""
    table = fits.to_table()
    if not {"front", "back"} <= set(fits.names):
        return table
    falls = np.repeat(np.nan_to_num(fits.front) >= np.nan_to_num(fits.back), len(fits.names))
    names = pl.col("parameter")
    upper, lower = (names == "front") == falls, (names == "back") == falls
    plateau = names.is_in(["front", "back"])
    return table.with_columns(
        parameter=pl.when(plateau & upper)
        .then(pl.lit("top"))
        .when(plateau & lower)
        .then(pl.lit("bottom"))
        .otherwise(names)
    )


def set_rows(fits: Fits) -> pl.DataFrame:
    """One row a curve: how well it fits, and what the tests say; of shared fits the status is that of all."""
    problem, rows = fits.problem, []
    for i, name in enumerate(fits.sets):
        used = problem.weights[i] > 0.0
        y, weight, rss, dof = problem.response[i][used], problem.weights[i][used], fits.rss[i], problem.dof[i]
        places = np.stack([problem.given[name][i][used] for name in fits.model.inputs], axis=1)
        total = float(np.sum(weight * (y - np.average(y, weights=weight)) ** 2)) if used.any() else np.nan
        limited = problem.between is not None and bool(problem.between.held[i].any())
        # Replicates of which some are limits have no mean.
        told = dof > 0 and not limited
        lack = lack_of_fit(places, y, float(rss), int(dof), weight).p if told else np.nan
        if limited:
            total = float(problem.flat[0][i])
        rows.append(
            {
                "set": name,
                "points": int(used.sum()),
                "dof": int(dof),
                "rss": finite(rss),
                "sy_x": finite(np.sqrt(rss / dof)) if dof > 0 else None,
                "r_squared": finite(1.0 - rss / total) if total > 0.0 else None,
                "aicc": finite(aicc(float(rss), int(problem.told[i]), int(problem.moving[i]))),
                "effect_p": None if fits.shared else finite(fits.effect_p[i]),
                "lack_of_fit_p": finite(lack),
                "outliers": None if fits.robust is None else int(fits.robust.outliers[i].sum()),
                "status": Status(int(fits.status[i])).name,
                "reason": fits.reasons[i],
            }
        )
    return pl.DataFrame(rows, schema=SETS)


def point_rows(fits: Fits) -> pl.DataFrame:
    """One row a point that was fitted; of a limit, which `limit` says, y is the end, or the middle."""
    problem, fitted, robust = fits.problem, fits.fitted, fits.robust
    between = problem.between
    low, high = (problem.response,) * 2 if between is None else (between.low, between.high)
    y = np.where(np.isinf(low), high, np.where(np.isinf(high), low, problem.response))
    x = problem.given[fits.model.inputs[0]]
    rows = [
        {
            "set": name,
            "x": float(x[i, j]),
            "y": float(y[i, j]),
            "fitted": finite(fitted[i, j]),
            "residual": finite(low[i, j] - fitted[i, j]) if low[i, j] == high[i, j] else None,
            "weight": float(problem.weights[i, j]),
            "robust_weight": None if robust is None else finite(robust.weights[i, j]),
            "outlier": None if robust is None else bool(robust.outliers[i, j]),
            "limit": _limit(low[i, j], high[i, j]),
        }
        for i, name in enumerate(fits.sets)
        for j in np.flatnonzero(problem.weights[i] > 0.0)
    ]
    return pl.DataFrame(rows, schema=POINTS)


def _limit(low: float, high: float) -> str | None:
    """A limit in words, None for a value."""
    if low == high:
        return None
    if np.isinf(low):
        return f"< {high:g}"
    return f"> {low:g}" if np.isinf(high) else f"{low:g} to {high:g}"


def curve_rows(fits: Fits) -> pl.DataFrame:
    """Smooth curves over the range of x; none of models with several inputs."""
    if len(fits.model.inputs) != 1:
        return pl.DataFrame(schema=CURVES)
    grids = np.zeros((len(fits.sets), SMOOTH))
    for i, used in enumerate(fits.problem.weights > 0.0):
        seen = fits.problem.given[fits.model.inputs[0]][i][used]
        positive = seen[seen > 0.0]
        wide = positive.size > 1 and positive.max() > WIDE * positive.min() and not (seen < 0.0).any()
        low, high = (part(positive if wide else seen) if seen.size else 0.0 for part in (np.min, np.max))
        grids[i] = (np.geomspace if wide else np.linspace)(low, high, SMOOTH)
    fitted = fits.predict(grids)
    rows = [
        {"set": name, "x": a, "fitted": finite(b)}
        for name, x, y in zip(fits.sets, grids.tolist(), fitted, strict=True)
        for a, b in zip(x, y, strict=True)
    ]
    return pl.DataFrame(rows, schema=CURVES)


def potency_rows(fits: Fits, found: tuple[Potency, ...]) -> list[dict[str, Any]]:
    """One row a potency of each curve, in the unit of the doses."""
    return [
        {
            "set": name,
            "definition": one.definition,
            "relation": one.relation,
            "value": one.value_nm,
            "low": one.low_nm,
            "high": one.high_nm,
            "reasons": "; ".join(one.explanations),
        }
        for name, one in zip(fits.sets, found, strict=True)
    ]


def one_of(fits: Fits, i: int) -> _One:
    """Sum of squares, parameters, points and model of one curve."""
    return float(fits.rss[i]), int(fits.problem.moving[i]), int(fits.problem.told[i]), fits.model


def whole_of(fits: Fits) -> _One:
    """The same of all curves together."""
    return float(np.sum(fits.rss)), fits.parameter_count, int(fits.problem.told.sum()), fits.model


def comparison(
    question: str, name: str, labels: tuple[str, str], pair: tuple[_One, _One], nested: bool
) -> dict[str, Any]:
    """Both criteria of a comparison; the F test only where the general model contains the simple one."""
    (rss, few, points, _), (least, many, *_) = pair
    found = compared((rss, few), (least, many), points)
    better, told = found.probability_general > 0.5, found.probability_general
    if nested:
        better, told = found.p < ALPHA, found.p
    numbers = {name: finite(value) for name, value in vars(found).items()}
    return numbers | {
        "question": question,
        "set": name,
        "simple": labels[0],
        "general": labels[1],
        "f": numbers["f"] if nested else None,
        "extra": found.extra,
        "dof": found.dof,
        "p": numbers["p"] if nested else None,
        "preferred": labels[better] if np.isfinite(told) else "not told",
    }


def finite(value: Any) -> float | None:
    """A number, or None where there is none."""
    return float(value) if np.isfinite(value) else None
