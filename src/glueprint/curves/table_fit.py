"""One call from a table to fitted curves: any model, shared and fixed parameters, weights, outliers, and the
tests between data sets and between models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from glueprint.curves import request
from glueprint.curves.fitting import fit as fit_logistic
from glueprint.curves.models import LOGISTIC
from glueprint.curves.models.model import Floats, Model
from glueprint.curves.potencies import absolute, relative
from glueprint.curves.potency import Potency
from glueprint.curves.regression import Regression, regress
from glueprint.curves.shared import SharedFit, fit_shared
from glueprint.curves.table_rows import (
    COMPARISONS,
    POTENCIES,
    comparison,
    curve_rows,
    one_of,
    parameter_rows,
    point_rows,
    set_rows,
    whole_of,
)
from glueprint.curves.tables import DataSets, data_sets, refuse

__all__ = ["TableFit", "fit_table"]

WEIGHTS = ("none", "1/y", "1/y2")
POWERS = {"1/y": 1.0, "1/y2": 2.0}
# Weights follow the curve until they stay; below this share of the largest response none gets heavier.
ROUNDS, SETTLED, LEAST = 10, 1e-6, 1e-3


@dataclass(frozen=True)
class TableFit:
    """The fit of a table; every table is polars, with `to_pandas` and `to_arrow` of its own.

    fit: what `regress` or `fit_shared` found, curve by curve.   parameters, sets, points, comparisons,
    potencies, curves: tables with the columns of `table_rows`; `curves` is for drawing.
    notes: what was left out or cannot be told.
    """

    model: Model
    fit: Regression | SharedFit
    parameters: pl.DataFrame
    sets: pl.DataFrame
    points: pl.DataFrame
    comparisons: pl.DataFrame
    potencies: pl.DataFrame
    curves: pl.DataFrame
    weights: str
    confidence: float
    notes: tuple[str, ...]

    @property
    def tables(self) -> dict[str, pl.DataFrame]:
        """All tables by name."""
        names = ("parameters", "sets", "points", "comparisons", "potencies", "curves")
        return {name: getattr(self, name) for name in names}

    def as_dict(self) -> dict[str, Any]:
        """All tables as rows, for `--json`."""
        tables = {name: table.to_dicts() for name, table in self.tables.items()}
        about = {"model": self.model.name, "weights": self.weights, "confidence": self.confidence}
        return about | tables | {"notes": list(self.notes)}

    def __str__(self) -> str:
        lines = [f"{self.model.title}: {self.sets.height} data sets, {self.points.height} points"]
        for row in self.parameters.iter_rows(named=True):
            held = " (held)" if row["fixed"] else " (shared)" if row["shared"] else ""
            span = "" if row["low"] is None else f" ({row['low']:.4g} to {row['high']:.4g})"
            value = "none" if row["estimate"] is None else f"{row['estimate']:.4g}"
            lines.append(f"  {row['set']} {row['parameter']} {value}{span}{held}".replace("   ", "  "))
        return "\n".join([*lines, *self.notes])


@dataclass(frozen=True)
class _Asked:
    """What was asked of every fit of the same table."""

    data: DataSets
    weights: str
    constants: Mapping[str, ArrayLike] | None
    confidence: float
    start: Mapping[str, ArrayLike] | None


def fit_table(
    table: pl.DataFrame,
    *,
    x: str | Mapping[str, str],
    y: str | Sequence[str],
    by: str | Sequence[str] = (),
    model: request.AnyModel = "4pl",
    shared: Sequence[str] = (),
    fixed: Mapping[str, float | None] | None = None,
    constants: Mapping[str, ArrayLike] | None = None,
    start: Mapping[str, ArrayLike] | None = None,
    weights: str = "none",
    robust: bool = False,
    same: Sequence[str] = (),
    against: request.AnyModel | None = None,
    level: float | None = None,
    control: float | None = None,
    within: tuple[float | None, float | None] = (None, None),
    replicates: bool = False,
    log10_x: bool = False,
    confidence: float = 0.95,
) -> TableFit:
    """Fit every data set of a table to a model, all at once.

    table: one row a point.   x: the column of x, or columns by the name of the model's inputs.   y: response
    columns, each a data set, or replicates of one with `replicates`.   by: columns that tell data sets apart.
    model, fixed, constants, start: as in `regress`.   shared: parameters with one value for all data sets.
    weights: "none", "1/y" or "1/y2" of the fitted curve, or a column.   robust: also list outliers.
    same: is one value of these parameters enough for all data sets? (F test and AICc).
    against: is this more general, or other, model better? (AICc, and the F test where it contains the first).
    level, control: for logistic models, the response of an absolute potency, and that without drug.
    within: what responses are possible, as in `curves.fit`.   log10_x: x are log10 of doses.
    Returns `TableFit`.
    Raises InputError as `regress` and `fit_shared`, GP-C050 (table), GP-C051 (options).
    """
    asked_y = (y,) if isinstance(y, str) else tuple(y)
    asked_by = (by,) if isinstance(by, str) else tuple(by)
    inputs = x if isinstance(x, Mapping) else _named_input(model, x, start)
    chosen = request.model_of(model, dict.fromkeys(inputs, 0.0), start)
    column = weights if weights not in WEIGHTS else None
    data = data_sets(
        table, inputs, asked_y, by=asked_by, weights=column, replicates=replicates, log10_x=log10_x
    )
    if robust and shared:
        refuse("GP-C051", "outliers with shared parameters", expected="robust or shared, one of both")
    asked = _Asked(data, weights, constants, confidence, start)
    found, weighted = _fitted(asked, chosen, fixed or {}, tuple(shared), robust=robust)
    comparisons = []
    if same:
        comparisons.append(_same(asked, found, (chosen, fixed or {}), (tuple(shared), tuple(same)), weighted))
    if against is not None:
        comparisons += _against(asked, found, against, weighted)
    if shared and level is not None:
        refuse("GP-C051", "an absolute potency of curves with shared parameters", expected="level or shared")
    # A potency is of one curve alone: beside shared parameters it would be another number.
    potencies, notes = (
        ([], []) if shared else _potencies(asked, (chosen, fixed or {}), (level, control), within, weighted)
    )
    return TableFit(
        model=chosen,
        fit=found,
        parameters=parameter_rows(found, data.names),
        sets=set_rows(found, data, weighted),
        points=point_rows(found, data, weighted),
        comparisons=pl.DataFrame(comparisons, schema=COMPARISONS),
        potencies=pl.DataFrame(potencies, schema=POTENCIES),
        curves=curve_rows(found, data),
        weights=weights,
        confidence=confidence,
        notes=(*data.notes, *notes),
    )


def _named_input(model: request.AnyModel, x: str, start: Mapping[str, ArrayLike] | None) -> dict[str, str]:
    """One column for the model's one input."""
    chosen = request.model_of(model, {"x": 0.0}, start)
    if len(chosen.inputs) != 1:
        names = ", ".join(chosen.inputs)
        refuse("GP-C051", f'one x for the model "{chosen.name}"', expected=f"a column for each of {names}")
    return {chosen.inputs[0]: x}


def _fitted(
    asked: _Asked,
    model: Model,
    fixed: Mapping[str, float | None],
    shared: tuple[str, ...],
    *,
    robust: bool = False,
    intervals: bool = True,
    weights: Floats | None = None,
) -> tuple[Regression | SharedFit, Floats]:
    """The fit and its weights (n, m), which follow the curve where they depend on it."""
    data = asked.data
    own = weights if weights is not None else data.weights

    def once(weight: Floats | None, last: bool) -> Regression | SharedFit:
        common: dict[str, Any] = {
            "weights": weight,
            "fixed": fixed,
            "constants": asked.constants,
            "intervals": intervals and last,
            "confidence": asked.confidence,
        }
        if shared:
            return fit_shared(model, data.inputs, data.response, shared=shared, **common)
        return regress(model, data.inputs, data.response, start=asked.start, robust=robust and last, **common)

    power = POWERS.get(asked.weights)
    flat = np.ones_like(data.response) if own is None else own
    if power is None or weights is not None:
        return once(own, True), flat
    found = once(None, False)
    for _ in range(ROUNDS):
        fitted = np.abs(found.problem.curve(found.theta)[0])
        floor = LEAST * np.nanmax(np.abs(data.response), axis=1, keepdims=True)
        now = np.where(np.isfinite(fitted), np.maximum(fitted, floor), 1.0) ** -power
        settled = np.abs(now / flat - 1.0).max() < SETTLED
        flat = now
        if settled:
            break
        found = once(flat, False)
    return once(flat, True), flat


def _same(
    asked: _Asked,
    found: Regression | SharedFit,
    what: tuple[Model, Mapping[str, float | None]],
    names: tuple[tuple[str, ...], tuple[str, ...]],
    weights: Floats,
) -> dict[str, Any]:
    """Whether one value of some parameters is enough for all data sets."""
    (model, fixed), (shared, same) = what, names
    if len(asked.data.names) < 2 or not set(same) - set(shared):
        refuse(
            "GP-C051",
            f"one value of {', '.join(same)} for {len(asked.data.names)} data sets",
            expected="two or more data sets, and parameters that are not shared already",
        )
    every = tuple(dict.fromkeys((*shared, *same)))
    simple, _ = _fitted(asked, model, fixed, every, intervals=False, weights=weights)
    question = f"one {', '.join(same)} for all data sets?"
    labels = f"one {', '.join(same)}", "one each"
    return comparison(question, "", labels, (whole_of(simple), whole_of(found)), True)


def _against(
    asked: _Asked, found: Regression | SharedFit, against: request.AnyModel, weights: Floats
) -> list[dict[str, Any]]:
    """Each data set by two models."""
    if isinstance(found, SharedFit):
        refuse("GP-C051", "two models with shared parameters", expected="against= without shared=")
    other = request.model_of(against, dict.fromkeys(asked.data.inputs, 0.0), None)
    second, _ = _fitted(asked, other, {}, (), intervals=False, weights=weights)
    rows = []
    for i, name in enumerate(asked.data.names):
        pair = [one_of(fit, i) for fit in (found, second)]
        pair.sort(key=lambda one: one[1])
        (simple, general) = pair
        contains = simple[3].curve is general[3].curve and simple[1] < general[1]
        rows.append(
            comparison("which model?", name, (simple[3].name, general[3].name), (simple, general), contains)
        )
    return rows


def _potencies(
    asked: _Asked,
    what: tuple[Model, Mapping[str, float | None]],
    ends: tuple[float | None, float | None],
    within: tuple[float | None, float | None],
    weights: Floats,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Potencies of the logistic family, data set by data set: a value, a bracket or a limit each."""
    (model, fixed), (level, control) = what, ends
    if model not in LOGISTIC:
        if level is not None:
            refuse("GP-C051", f'an absolute potency of "{model.name}"', expected="a logistic model")
        return [], []
    if (level is None) != (control is None):
        refuse("GP-C051", "level and control", expected="both, such as 0.5 and 1.0, or neither")
    data = asked.data
    held = {one.name: one.default for one in model.parameters if one.default is not None} | dict(fixed)
    free = {name for name, value in held.items() if value is None}
    told = {name: value for name, value in held.items() if name not in free and value is not None}
    if "ec50" in told:
        return [], ["no potencies: the EC50 is held"]
    # The family with nothing held but what is held here.
    fits = fit_logistic(
        data.inputs["dose"],
        data.response,
        model="5pl",
        weights=weights,
        fixed=told,
        within=within,
        confidence=asked.confidence,
    )
    every: list[tuple[Potency, ...]] = [relative(fits)]
    if level is not None and control is not None:
        every.append(absolute(fits, level, control=control))
    rows = [
        {
            "set": name,
            "definition": one.definition,
            "relation": one.relation,
            "value": one.value_nm,
            "low": one.low_nm,
            "high": one.high_nm,
            "reasons": "; ".join(one.explanations),
        }
        for found in every
        for name, one in zip(data.names, found, strict=True)
    ]
    return rows, []
