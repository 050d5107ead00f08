"""One call from a table to fitted curves: any model, shared and fixed parameters, weights, outliers, and the
tests between data sets and between models."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from glueprint.curves import request
from glueprint.curves.confined import Plateau
from glueprint.curves.fitting import fit
from glueprint.curves.models.model import Floats, Model
from glueprint.curves.potencies import absolute, relative
from glueprint.curves.result import Fits
from glueprint.curves.status import Status
from glueprint.curves.table_rows import (
    COMPARISONS,
    POTENCIES,
    comparison,
    one_of,
    potency_rows,
    whole_of,
)
from glueprint.curves.tables import DataSets, data_sets, refuse, weights_of
from glueprint.curves.turning import turning

__all__ = ["fit_table"]

WEIGHTS = ("none", "1/y", "1/y2")
POWERS = {"1/y": 1.0, "1/y2": 2.0}
# Weights follow the curve until they stay; below this share of the largest response none gets heavier.
ROUNDS, SETTLED, LEAST = 10, 1e-6, 1e-3
# Between a control and where its curve begins, in log10: beyond it one is a share and the other per cent.
OTHER_SCALE = 1.0
# Names of columns whose numbers are logarithms.
LOGARITHM = re.compile(r"(?i)(^|[^a-z])(log|lg)_?(10)?([^a-z]|$)")


@dataclass(frozen=True)
class _Asked:
    """What was asked of every fit of the same table."""

    data: DataSets
    weights: str
    constants: Mapping[str, ArrayLike] | None
    confidence: float
    start: Mapping[str, ArrayLike] | None
    within: tuple[float | None, float | None]


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
    upper: str | None = None,
    robust: bool = False,
    same: Sequence[str] = (),
    against: request.AnyModel | None = None,
    level: float | None = None,
    control: float | None = None,
    within: tuple[float | None, float | None] = (None, None),
    replicates: bool = False,
    log10_x: bool = False,
    confidence: float = 0.95,
    source: str = "",
) -> Fits:
    """Fit every data set of a table to a model, all at once.

    table: one row a point.   x: the column of x, or columns by the name of the model's inputs.   y: response
    columns, each a data set, or replicates of one with `replicates`.   by: columns that tell data sets apart.
    model, fixed, constants, start: as in `fit`.   shared: parameters with one value for all data sets.
    weights: "none", "1/y" or "1/y2" of the fitted curve, a column of weights, or "1/sd2" of a column of
    standard deviations.   upper: a column of upper ends of responses that lie between two; "<5" and ">60000"
    in a response column are limits, too.   robust: also list outliers.
    same: is one value of these parameters enough for all data sets? (F test and AICc).
    against: is this more general, or other, model better? (AICc, and the F test where it contains the first).
    level, control: for logistic models, the response of an absolute potency, and that without drug.
    within: what responses are possible, as in `fit`.   log10_x: x are log10 of doses.
    source: the file of the table, for refusals.
    Returns `Fits` with all its tables.
    Raises InputError as `fit`, GP-C050 (table), GP-C051 (options).

    >>> table = pl.DataFrame({"nM": [1.0, 10.0, 100.0, 1000.0, 10000.0], "y": [98.0, 91.0, 52.0, 12.0, 4.0]})
    >>> fit_table(table, x="nM", y="y").tables["sets"].height
    1
    """
    asked_y = (y,) if isinstance(y, str) else tuple(y)
    asked_by = (by,) if isinstance(by, str) else tuple(by)
    inputs = x if isinstance(x, Mapping) else _named_input(model, x, start)
    chosen = request.model_of(model, dict.fromkeys(inputs, 0.0), start)
    data = data_sets(
        table,
        inputs,
        asked_y,
        by=asked_by,
        weights=None if weights in WEIGHTS else weights_of(weights, table.columns, source),
        upper=upper,
        replicates=replicates,
        log10_x=log10_x,
        source=source,
    )
    _refuse_logarithms(chosen, data, None if log10_x else inputs, source)
    named = _plateaus(chosen, data, (*(fixed or {}), *shared, *same, *(start or {})))
    start = {named.get(name, name): value for name, value in start.items()} if start else start
    fixed = {named.get(name, name): value for name, value in (fixed or {}).items()}
    shared, same = (tuple(named.get(name, name) for name in names) for names in (shared, same))
    if robust and shared:
        refuse("GP-C051", "outliers with shared parameters", expected="robust or shared, one of both")
    asked = _Asked(data, weights, constants, confidence, start, within)
    found, weighted = _fitted(asked, chosen, fixed, shared, robust=robust)
    comparisons = []
    if same:
        comparisons.append(_same(asked, found, fixed, same, weighted))
    if against is not None:
        comparisons += _against(asked, found, against, weighted)
    potencies, notes = _potencies(found, level, control)
    return replace(
        found,
        weighting=weights,
        comparisons=pl.DataFrame(comparisons, schema=COMPARISONS),
        potencies=pl.DataFrame(potencies, schema=POTENCIES),
        notes=(*data.notes, *notes, *turning(found)),
    )


def _named_input(model: request.AnyModel, x: str, start: Mapping[str, ArrayLike] | None) -> dict[str, str]:
    """One column for the model's one input."""
    chosen = request.model_of(model, {"x": 0.0}, start)
    if len(chosen.inputs) != 1:
        names = ", ".join(chosen.inputs)
        refuse("GP-C051", f'one x for the model "{chosen.name}"', expected=f"a column for each of {names}")
    # A formula in the name of the column itself has no other x.
    own = chosen.any_sign and x in chosen.names
    return {x if own else chosen.inputs[0]: x}


def _refuse_logarithms(model: Model, data: DataSets, columns: Mapping[str, str] | None, source: str) -> None:
    """Doses are concentrations; below zero, or in a column that says so, they are logarithms.

    columns: of each input; None where they were said to be logarithms.
    """
    for name, values in data.inputs.items():
        if model.any_sign:
            continue
        if columns and LOGARITHM.search(columns[name]):
            refuse(
                "GP-C051",
                f'x out of "{columns[name]}", by its name a logarithm, as {name}',
                source=source,
                expected="--log10-x (log10_x=True), or concentrations in a column under another name",
            )
        if (values < 0.0).any():
            refuse(
                "GP-C023",
                f"x of {values[values < 0.0][0]:g}, where {name} is not negative",
                source=source,
                expected="concentrations or times of zero or more",
                next_step="where x are log10 of doses, add --log10-x (log10_x=True)",
            )


def _plateaus(model: Model, data: DataSets, names: tuple[str, ...]) -> dict[str, str]:
    """Which plateau "top" and "bottom" are, without drug or at infinite dose: curves fall, or rise."""
    asked = [name for name in dict.fromkeys(names) if name.lower() in ("top", "bottom")]
    if not asked or not {"front", "back"} <= set(model.names):
        return {}
    x, falls = next(iter(data.inputs.values())), set()
    for dose, y in zip(x, data.response, strict=True):
        here = np.isfinite(dose) & np.isfinite(y)
        rank = np.argsort(np.argsort(dose[here], kind="stable"), kind="stable")
        falls.add(bool(np.sum((rank - rank.mean()) * y[here]) < 0.0))
    if len(falls) > 1:
        refuse(
            "GP-C051",
            f'"{asked[0]}" of curves that fall and curves that rise',
            expected="curves of one direction, or front (without drug) and back (at infinite dose)",
        )
    top, bottom = ("front", "back") if falls.pop() else ("back", "front")
    return {name: top if name.lower() == "top" else bottom for name in asked}


def _fitted(
    asked: _Asked,
    model: Model,
    fixed: Mapping[str, float | None],
    shared: tuple[str, ...],
    *,
    robust: bool = False,
    intervals: bool = True,
    weights: Floats | None = None,
) -> tuple[Fits, Floats]:
    """The fit and its weights (n, m), which follow the curve where they depend on it."""
    data = asked.data
    own = weights if weights is not None else data.weights

    def once(weight: Floats | None, last: bool) -> Fits:
        return fit(
            model,
            data.inputs,
            data.response,
            upper=data.upper,
            weights=weight,
            fixed=fixed,
            shared=shared,
            constants=asked.constants,
            start=asked.start,
            within=asked.within,
            intervals="all" if intervals and last else False,
            confidence=asked.confidence,
            robust=robust and last,
            labels=data.names,
        )

    power = POWERS.get(asked.weights)
    flat = np.ones_like(data.response) if own is None else own
    if power is None or weights is not None:
        return once(own, True), flat
    found = once(None, False)
    for _ in range(ROUNDS):
        fitted = np.abs(found.fitted)
        floor = LEAST * np.abs(found.problem.response).max(axis=1, keepdims=True)
        now = np.where(np.isfinite(fitted), np.maximum(fitted, floor), 1.0) ** -power
        settled = np.abs(now / flat - 1.0).max() < SETTLED
        flat = now
        if settled:
            break
        found = once(flat, False)
    return once(flat, True), flat


def _same(
    asked: _Asked,
    found: Fits,
    fixed: Mapping[str, float | None],
    same: tuple[str, ...],
    weights: Floats,
) -> dict[str, Any]:
    """Whether one value of some parameters is enough for all data sets."""
    if len(asked.data.names) < 2 or not set(same) - set(found.shared):
        refuse(
            "GP-C051",
            f"one value of {', '.join(same)} for {len(asked.data.names)} data sets",
            expected="two or more data sets, and parameters that are not shared already",
        )
    every = tuple(dict.fromkeys((*found.shared, *same)))
    simple, _ = _fitted(asked, found.model, fixed, every, intervals=False, weights=weights)
    question = f"one {', '.join(same)} for all data sets?"
    labels = f"one {', '.join(same)}", "one each"
    return comparison(question, "", labels, (whole_of(simple), whole_of(found)), True)


def _against(asked: _Asked, found: Fits, against: request.AnyModel, weights: Floats) -> list[dict[str, Any]]:
    """Each data set by two models."""
    if found.shared:
        refuse("GP-C051", "two models with shared parameters", expected="against= without shared=")
    data = asked.data
    other = request.model_of(against, dict.fromkeys(data.inputs, 0.0), None)
    if len(other.inputs) == len(data.inputs) == 1:
        # The one x goes by the name that each model has for it.
        data = replace(data, inputs=dict(zip(other.inputs, data.inputs.values(), strict=True)))
    asked = replace(asked, data=data, start=None)
    second, _ = _fitted(asked, other, {}, (), intervals=False, weights=weights)
    rows = []
    for i, name in enumerate(asked.data.names):
        simple, general = sorted((one_of(fits, i) for fits in (found, second)), key=lambda one: one[1])
        contains = simple[3].curve is general[3].curve and simple[1] < general[1]
        rows.append(
            comparison("which model?", name, (simple[3].name, general[3].name), (simple, general), contains)
        )
    return rows


def _potencies(
    fits: Fits, level: float | None, control: float | None
) -> tuple[list[dict[str, Any]], list[str]]:
    """Potencies of the logistic family, data set by data set: a value, a bracket or a limit each."""
    if fits.shared:
        # A potency is of one curve alone: beside shared parameters it would be another number.
        if level is not None:
            refuse(
                "GP-C051", "an absolute potency of curves with shared parameters", expected="level or shared"
            )
        return [], []
    if not fits.model.fast:
        if level is not None:
            refuse("GP-C051", f'an absolute potency of "{fits.model.name}"', expected="a logistic model")
        return [], []
    if (level is None) != (control is None):
        refuse("GP-C051", "level and control", expected="both, such as 0.5 and 1.0, or neither")
    if not fits.problem.logistic:
        return [], ["no potencies: the EC50 is held"]
    rows = potency_rows(fits, relative(fits))
    if level is not None and control is not None:
        _refuse_other_scale(fits, control)
        rows += potency_rows(fits, absolute(fits, level, control=control))
    return rows, []


def _refuse_other_scale(fits: Fits, control: float) -> None:
    """A complete curve that begins at a small part of the control, or far above it, is in other units."""
    begin = fits.front
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.abs(np.log10(np.abs(begin / control)))
    wrong = (fits.status == Status.FINE) & (fits.plateau == Plateau.SEEN) & (apart > OTHER_SCALE)
    if control != 0.0 and wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        name = f' of "{fits.sets[i]}"' if fits.sets[i] else ""
        refuse(
            "GP-C051",
            f"a control of {control:g}, where the curve{name} begins at {begin[i]:.3g} without drug",
            expected="the control in the unit of the responses",
        )
