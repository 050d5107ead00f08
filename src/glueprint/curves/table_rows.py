"""What the fit of a table says, as tables: parameters, data sets, points, curves to draw, comparisons."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from glueprint.curves.evidence import aicc, f_test, lack_of_fit
from glueprint.curves.models.model import Floats, Given, Model
from glueprint.curves.regression import Regression
from glueprint.curves.shared import SharedFit
from glueprint.curves.status import Status
from glueprint.curves.tables import DataSets

__all__ = [
    "COMPARISONS",
    "CURVES",
    "PARAMETERS",
    "POINTS",
    "POTENCIES",
    "SETS",
    "comparison",
    "curve_rows",
    "one_of",
    "parameter_rows",
    "point_rows",
    "set_rows",
    "whole_of",
]

SMOOTH = 120
# Level of the F test that decides which of two nested fits is preferred.
ALPHA = 0.05
TEXT, NUMBER, COUNT = pl.String(), pl.Float64(), pl.Int64()
PARAMETERS = pl.Schema(
    {
        "set": TEXT,
        "parameter": TEXT,
        "unit": TEXT,
        "estimate": NUMBER,
        "standard_error": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
        "shared": pl.Boolean(),
        "fixed": pl.Boolean(),
    }
)
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


def parameter_rows(found: Regression | SharedFit, names: tuple[str, ...]) -> pl.DataFrame:
    """One row a parameter of a data set; an end of an interval is infinite where open."""
    shared = found.shared if isinstance(found, SharedFit) else ()
    rows = [
        {
            "set": names[i],
            "parameter": parameter.name,
            "unit": parameter.unit,
            "estimate": finite(found.estimates[i, k]),
            "standard_error": finite(found.standard_errors[i, k]),
            "low": _end(found.low[i, k]),
            "high": _end(found.high[i, k]),
            "shared": parameter.name in shared,
            "fixed": not bool(found.problem.free[i, k]),
        }
        for i in range(len(names))
        for k, parameter in enumerate(found.model.parameters)
    ]
    return pl.DataFrame(rows, schema=PARAMETERS)


def set_rows(found: Regression | SharedFit, data: DataSets, weights: Floats) -> pl.DataFrame:
    """One row a data set: how well its curve fits, and what the tests say."""
    rss, free = rss_of(found), found.problem.free.sum(axis=1)
    rows = []
    for i, name in enumerate(data.names):
        used = found.problem.root[i] > 0.0
        y, weight = data.response[i][used], weights[i][used]
        places = np.stack([value[i][used] for value in data.inputs.values()], axis=1)
        total = float(np.sum(weight * (y - np.average(y, weights=weight)) ** 2)) if used.any() else np.nan
        dof = int(used.sum() - free[i])
        lack = lack_of_fit(places, y, float(rss[i]), dof, weight).p if dof > 0 else np.nan
        rows.append(
            {
                "set": name,
                "points": int(used.sum()),
                "dof": dof,
                "rss": finite(rss[i]),
                "sy_x": finite(np.sqrt(rss[i] / dof)) if dof > 0 else None,
                "r_squared": finite(1.0 - rss[i] / total) if total > 0.0 else None,
                "aicc": finite(aicc(float(rss[i]), int(used.sum()), int(free[i]))),
                "effect_p": None,
                "lack_of_fit_p": finite(lack),
                "outliers": None,
                **_verdict(found, i),
            }
        )
    return pl.DataFrame(rows, schema=SETS)


def _verdict(found: Regression | SharedFit, i: int) -> dict[str, Any]:
    """Status, effect and outliers of one data set; of shared fits the status is that of all."""
    if isinstance(found, SharedFit):
        status = Status.FINE if found.converged else Status.NOT_CONVERGED
        return {"status": status.name, "reason": found.reason}
    outliers = None if found.robust is None else int(found.robust.outliers[i].sum())
    return {
        "effect_p": finite(found.effect_p[i]),
        "outliers": outliers,
        "status": Status(int(found.status[i])).name,
        "reason": found.reasons[i],
    }


def point_rows(found: Regression | SharedFit, data: DataSets, weights: Floats) -> pl.DataFrame:
    """One row a point that was fitted."""
    fitted = found.problem.curve(found.theta)[0]
    robust = found.robust if isinstance(found, Regression) else None
    x = next(iter(data.inputs.values()))
    rows = [
        {
            "set": name,
            "x": float(x[i, j]),
            "y": float(data.response[i, j]),
            "fitted": finite(fitted[i, j]),
            "residual": finite(data.response[i, j] - fitted[i, j]),
            "weight": float(weights[i, j]),
            "robust_weight": None if robust is None else finite(robust.weights[i, j]),
            "outlier": None if robust is None else bool(robust.outliers[i, j]),
        }
        for i, name in enumerate(data.names)
        for j in np.flatnonzero(found.problem.root[i] > 0.0)
    ]
    return pl.DataFrame(rows, schema=POINTS)


def curve_rows(found: Regression | SharedFit, data: DataSets) -> pl.DataFrame:
    """Smooth curves over the range of x; none of models with several inputs."""
    if len(data.inputs) != 1:
        return pl.DataFrame(schema=CURVES)
    ((name, x),) = data.inputs.items()
    rows = []
    for i, label in enumerate(data.names):
        seen = x[i][np.isfinite(x[i])]
        positive = seen[seen > 0.0]
        wide = positive.size > 1 and positive.max() > 20.0 * positive.min() and not (seen < 0.0).any()
        grid = (
            np.geomspace(positive.min(), positive.max(), SMOOTH)
            if wide
            else np.linspace(seen.min(), seen.max(), SMOOTH)
        )
        part = found.problem.rows(np.array([i]))
        given = {key: part.given[key] for key in found.model.constants} | {name: grid[None, :]}
        fitted = found.model.curve(found.estimates[i : i + 1], Given(given, np.ones((1, SMOOTH), bool)))[0][0]
        rows += [
            {"set": label, "x": a, "fitted": finite(b)} for a, b in zip(grid.tolist(), fitted, strict=True)
        ]
    return pl.DataFrame(rows, schema=CURVES)


def one_of(found: Regression | SharedFit, i: int) -> _One:
    """Sum of squares, parameters, points and model of one data set."""
    used = int((found.problem.root[i] > 0.0).sum())
    return float(rss_of(found)[i]), int(found.problem.free[i].sum()), used, found.model


def whole_of(found: Regression | SharedFit) -> _One:
    """The same of all data sets together."""
    points = int((found.problem.root > 0.0).sum())
    many = found.parameters if isinstance(found, SharedFit) else int(found.problem.free.sum())
    return float(np.sum(rss_of(found))), many, points, found.model


def comparison(
    question: str, name: str, labels: tuple[str, str], pair: tuple[_One, _One], nested: bool
) -> dict[str, Any]:
    """Both criteria of a comparison; the F test only where the general model contains the simple one."""
    (rss, few, points, _), (least, many, _, _) = pair
    scores = aicc(rss, points, few), aicc(least, points, many)
    ratio, p = f_test(rss - least, many - few, least, points - many)
    share = 1.0 / (1.0 + np.exp(np.clip(0.5 * (scores[1] - scores[0]), -700.0, 700.0)))
    better = float(p) < ALPHA if nested else share > 0.5
    return {
        "question": question,
        "set": name,
        "simple": labels[0],
        "general": labels[1],
        "f": finite(ratio) if nested else None,
        "extra": many - few,
        "dof": points - many,
        "p": finite(p) if nested else None,
        "aicc_simple": finite(scores[0]),
        "aicc_general": finite(scores[1]),
        "probability_general": finite(share),
        "preferred": labels[1] if better else labels[0],
    }


def rss_of(found: Regression | SharedFit) -> Floats:
    return found.curve_rss if isinstance(found, SharedFit) else found.rss


def finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _end(value: Any) -> float | None:
    """An end of an interval: infinite where open, None where there is none."""
    return None if np.isnan(value) else float(value)
