"""Several experiments to one: DC50s, Dmax and rates averaged over experiments, never over lanes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from scipy.special import expit, logit

from glueprint.assays.degradation.result import TimePoint
from glueprint.curves.pooling import pool
from glueprint.inference import random_effects

__all__ = ["points", "rates"]

Row = dict[str, Any]


def points(parts: Sequence[TimePoint], confidence: float) -> list[TimePoint]:
    """One point per target, compound and time; a single experiment stays as it is."""
    found = []
    for key in dict.fromkeys((p.target, p.compound, p.time_h) for p in parts):
        mine = [p for p in parts if (p.target, p.compound, p.time_h) == key]
        found.append(mine[0] if len(mine) == 1 else _pooled(mine, confidence))
    return sorted(found, key=lambda point: (point.target, point.compound, point.time_h))


def _pooled(mine: list[TimePoint], confidence: float) -> TimePoint:
    names = [p.experiment for p in mine]
    relative, absolute = (
        pool([getattr(p, kind) for p in mine], experiment=names, confidence=confidence).potency
        for kind in ("relative", "absolute")
    )
    known = [p for p in mine if p.dmax is not None and 0.0 < p.dmax < 1.0]
    dmax = [p.dmax for p in known if p.dmax is not None]
    errors = [_odds_error(p) for p in known]
    mean, low, high = _mean(dmax, errors, (logit, expit), confidence)
    left = len(mine) - len(known)
    return replace(
        mine[0],
        experiment="",
        n=len(mine),
        doses=max(p.doses for p in mine),
        points=sum(p.points for p in mine),
        dmax=mean,
        dmax_low=low,
        dmax_high=high,
        dmax_se=None,
        relative=relative,
        absolute=absolute,
        model=mine[0].model if len({p.model for p in mine}) == 1 else "mixed",
        method=mine[0].method if len({p.method for p in mine}) == 1 else "mixed",
        status="FINE" if known else mine[0].status,
        reason=f"{left} of {len(mine)} experiments have no far plateau and do not enter Dmax" if left else "",
    )


def _odds_error(point: TimePoint) -> float:
    """Error of Dmax on the log odds; 0, unknown, leaves all scatter between experiments."""
    if point.dmax is None or point.dmax_se is None:
        return 0.0
    return point.dmax_se / (point.dmax * (1.0 - point.dmax))


def rates(rows: Sequence[Row], confidence: float) -> list[Row]:
    """The pooled rows first, where there are several experiments; then those of the experiments."""
    pooled = []
    for key in dict.fromkeys((r["target"], r["compound"], r["name"], r.get("dose_nm")) for r in rows):
        mine = [r for r in rows if (r["target"], r["compound"], r["name"], r.get("dose_nm")) == key]
        values = [r["value"] for r in mine if r["relation"] == "=" and r["value"] is not None]
        if len(mine) < 2:
            continue
        row = mine[0] | {"experiment": "", "experiments": len(mine), "note": "", "low": None, "high": None}
        if len(values) < len(mine):
            row |= {
                "relation": "none",
                "value": None,
                "note": f"{len(mine) - len(values)} experiments have limits only",
            }
        else:
            functions = (logit, expit) if row["name"] == "dmax_at_steady_state" else (math.log, math.exp)
            if row["name"] == "dmax_at_steady_state" and not all(0.0 < value < 1.0 for value in values):
                continue
            # Errors within experiments are hardly known from few lanes: the scatter between experiments
            # carries all.
            mean, low, high = _mean(values, [0.0] * len(values), functions, confidence)
            row |= {"value": mean, "low": low, "high": high}
        pooled.append(row)
    return [*pooled, *rows]


def _mean(
    values: list[float],
    errors: list[float],
    functions: tuple[Callable[[float], float], Callable[[float], float]],
    confidence: float,
) -> tuple[float | None, float | None, float | None]:
    """Mean and interval over experiments on a transformed scale."""
    there, back = functions
    if not values:
        return None, None, None
    if len(values) == 1:
        return values[0], None, None
    known = all(error > 0.0 for error in errors)
    found = random_effects(
        [float(there(value)) for value in values], errors if known else [0.0] * len(values), level=confidence
    )
    return float(back(found.mean)), float(back(found.interval[0])), float(back(found.interval[1]))
