"""What `fit` is asked for, checked once: model, inputs, constants, weights, held values and starts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NoReturn

import numpy as np
from numpy.typing import ArrayLike

from glueprint.curves.between import Between
from glueprint.curves.models import MODELS
from glueprint.curves.models.model import Curve, Flags, Floats, Given, Model, Parameter
from glueprint.curves.models.own import model_from_formula
from glueprint.curves.problem import Problem
from glueprint.errors import InputError, NotSupportedError, nearest

__all__ = [
    "AnyModel",
    "Inputs",
    "Intervals",
    "begun",
    "ends_of",
    "labels_of",
    "model_of",
    "problem_of",
    "share_of",
    "sought_of",
    "starts_of",
]

# Weighted sums of squares outside 1e-120 to 1e120 lose digits in products with their own square.
LEAST_SIZE = 1e-120
# Parameters at which a formula is asked for a value: so many, lognormal about 1 with this SD.
SCATTERED, SPREAD = 64, 1.5

Inputs = ArrayLike | Mapping[str, ArrayLike]
# A function of (theta, inputs) returns the response and its derivatives.
AnyModel = str | Model | Curve
# True: of what the model is fitted for; "all", or names of parameters.
Intervals = bool | str | Sequence[str]


def model_of(model: AnyModel, inputs: Inputs, start: Mapping[str, ArrayLike] | None) -> Model:
    """The model asked for: by name, as a `Model`, as a formula text, or as a function of (theta, inputs)."""
    if isinstance(model, Model):
        return model
    if callable(model):
        if not start:
            _refuse(
                "GP-C020", "a function as model needs start=", "a start value for each parameter, by name"
            )
        names = tuple(inputs) if isinstance(inputs, Mapping) else ("x",)
        own = tuple(Parameter(name) for name in start)
        return Model("own", "a function of the caller", names, own, model, any_sign=True)
    if model.lower() in MODELS:
        return MODELS[model.lower()]
    # A formula has an operator or a parenthesis; "4plx" has none and is a name mistyped.
    if not re.fullmatch(r"\w+", model):
        return model_from_formula(model, inputs=tuple(inputs) if isinstance(inputs, Mapping) else ("x",))
    message = f'no model "{model}"{nearest(model, MODELS)}'
    raise _refusal("GP-C020", message, "one of " + ", ".join(MODELS))


def problem_of(
    model: Model,
    inputs: Inputs,
    responses: tuple[ArrayLike, ArrayLike | None],
    weights: ArrayLike | None,
    constants: Mapping[str, ArrayLike] | None,
    fixed: Mapping[str, ArrayLike | None] | None,
) -> Problem:
    """The batch as arrays; arguments as in `fit`.

    Raises InputError GP-C021 to GP-C025.
    """
    low = np.atleast_2d(_floats(responses[0], "response"))
    y, high = low, low
    if responses[1] is not None:
        y, high = _limits(low, _fitted(_floats(responses[1], "upper"), low, "upper"))
    if y.size == 0 and not model.fast:
        _refuse("GP-C021", f"a response of shape {y.shape}", "one curve with one point, or more", "response")
    w = np.ones((1, 1)) if weights is None else _floats(weights, "weights")
    w = np.broadcast_to(w, y.shape) if weights is None else _fitted(w, y, "weights")
    values = _inputs(model, inputs, y)
    if np.isinf(y).any():
        _refuse("GP-C024", "a response is infinite", "finite numbers, NaN where missing", _place(np.isinf(y)))
    bad = (w < 0.0) | ~np.isfinite(w)
    if bad.any():
        _refuse(
            "GP-C024", "a weight is negative or not a number", "finite weights, not negative", _place(bad)
        )
    used = np.isfinite(y) & (w > 0.0)
    for value in values.values():
        used = used & np.isfinite(value)
    if not used.all():
        values = {name: np.where(used, value, 1.0) for name, value in values.items()}
        y, w = np.where(used, y, 0.0), np.where(used, w, 0.0)
        low, high = np.where(used, low, 0.0), np.where(used, high, 0.0)
    values |= _constants(model, constants or {}, y)
    pinned = np.broadcast_to(np.nan, (y.shape[0], len(model.parameters)))
    y = y if responses[1] is None else _met(low, high, y, used)
    problem = Problem(model, Given(values, used), y, w, pinned)
    _refuse_extremes(problem)
    problem = replace(problem, pinned=_pinned(problem, fixed or {}))
    if not ((low < high) & used).any():
        return problem
    spare = np.sqrt(np.maximum(problem.size, LEAST_SIZE) / np.maximum(problem.points, 1))
    miss = problem.root * (y - problem.mean[:, None])
    unit = np.sqrt(np.einsum("nm,nm->n", miss, miss) / np.maximum(problem.points, 1))
    unit = np.where(unit > 1e-12 * spare, unit, spare)
    return replace(problem, between=Between(low, high, np.broadcast_to(problem.root, y.shape), unit))


def refuse_limits(what: str) -> None:
    """Limits enter the likelihood of one curve, by itself (GP-C029)."""
    raise NotSupportedError(
        "GP-C029",
        f"{what} of curves with limits",
        where="upper",
        expected="limits with parameters of each curve's own, fitted by their likelihood",
        next_step="leave limits out (NaN), which is a choice that you then make, or leave out the other",
    )


def _met(low: Floats, high: Floats, y: Floats, used: Flags) -> Floats:
    """The responses (n, m), with limits that every value meets drawn to the nearest value: starts, scales and
    rounding follow the responses, and a limit far from its curve says nothing of any."""
    values = used & ~(low < high)
    least = np.where(values, y, np.inf).min(axis=1, initial=np.inf, keepdims=True)
    most = np.where(values, y, -np.inf).max(axis=1, initial=-np.inf, keepdims=True)
    open_ = used & values.any(axis=1, keepdims=True)
    y = np.where(open_ & np.isneginf(low), np.minimum(y, most), y)
    return np.where(open_ & np.isposinf(high), np.maximum(y, least), y)


def _limits(low: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """What stands for responses that lie between two ends, and the upper of these (n, m)."""
    limit = ~np.isnan(upper) & ~np.isnan(low) & (upper != low)
    bad = limit & ~((low < upper) & (np.isfinite(low) | np.isfinite(upper)))
    if bad.any():
        expected = "a response below its upper end, one of them finite"
        _refuse("GP-C024", "a response above its upper end, or open on both sides", expected, _place(bad))
    with np.errstate(invalid="ignore"):
        middle = 0.5 * (low + upper)
    middle = np.where(np.isinf(low), upper, np.where(np.isinf(upper), low, middle))
    return np.where(limit, middle, low), np.where(limit, upper, low)


def _refuse_extremes(problem: Problem) -> None:
    """Squares of such responses leave the range of a double, and the fit would end anywhere."""
    extreme = (problem.size > 1.0 / LEAST_SIZE) | (problem.size < LEAST_SIZE)
    if not extreme.any():
        return
    bad = extreme[:, None] & (problem.response != 0.0) & (problem.weights > 0.0)
    if bad.any():
        value = problem.response[bad][0]
        _refuse(
            "GP-C024", f"a response of {value:g}", "weighted responses between 1e-60 and 1e60", _place(bad)
        )


def share_of(name: str, value: float) -> None:
    """Refuse a confidence or a level of a test that is none (GP-C025)."""
    if not 0.0 < value < 1.0:
        _refuse("GP-C025", f"{name} {value:g}", "a number between 0 and 1, such as 0.95 and 0.05", name)


def ends_of(within: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
    """The possible responses, checked (GP-C025)."""
    low, high = within
    if any(end is not None and not np.isfinite(end) for end in within) or (
        low is not None and high is not None and not low < high
    ):
        expected = "two finite responses in order, None where nothing limits them"
        _refuse("GP-C025", f"within ({low}, {high})", expected, "within")
    return low, high


def labels_of(labels: Sequence[str] | None, curves: int) -> tuple[str, ...]:
    """One name a curve, or none (GP-C025)."""
    named = tuple(map(str, labels or ()))
    if labels is not None and len(named) != curves:
        _refuse("GP-C025", f"{len(named)} labels for {curves} curves", "one label a curve", "labels")
    return named


def sought_of(model: Model, intervals: Intervals) -> Flags:
    """Which parameters (p,) get a profile interval."""
    if isinstance(intervals, bool):
        # The potency is what a logistic is fitted for; the others cost as much again each.
        names: Sequence[str] = ("ec50",) if model.fast else model.names
        return np.isin(model.names, names if intervals else ())
    names = model.names if intervals == "all" else (intervals,) if isinstance(intervals, str) else intervals
    _known(dict.fromkeys(names), model.names, "intervals")
    return np.isin(model.names, names)


def starts_of(model: Model, start: Mapping[str, ArrayLike] | None) -> None:
    """Refuse a model that knows no starts where none are given (GP-C027)."""
    if start is None and any(p.grid == () and not p.linear for p in model.parameters):
        _refuse("GP-C027", f'the model "{model.name}" has no starts of its own', "start={name: value, ...}")


def begun(problem: Problem, start: Mapping[str, ArrayLike]) -> Floats:
    """Starts (s, n, p) on the fitting scale from values by name: a number, or (s,) numbers."""
    model, n = problem.model, problem.response.shape[0]
    _known(start, model.names, "start")
    missing = [
        name
        for i, name in enumerate(model.names)
        if name not in start and np.isnan(problem.pinned[:, i]).any()
    ]
    if missing:
        _refuse("GP-C025", f'no start for "{missing[0]}"', "a start for every free parameter", "start")
    columns = [np.atleast_1d(_floats(start.get(name, 1.0), name)) for name in model.names]
    try:
        natural = np.stack(np.broadcast_arrays(*columns), axis=1)[:, None, :]
    except ValueError:
        _refuse("GP-C025", "starts of different lengths", "one number, or as many for each", "start")
    theta = np.broadcast_to(problem.fitting(natural), (natural.shape[0], n, len(model.names)))
    theta = np.where(problem.free, theta, problem.pinned)
    if not np.isfinite(theta).all():
        _refuse("GP-C025", "a start is not possible", "finite numbers, above 0 as a logarithm", "start")
    return theta


def refuse_undefined(problem: Problem, begun: Floats) -> None:
    """Refuse a formula without a value at a point, from whatever start (GP-C023).   begun: (s, n, p).

    Starts given may lie where a formula has no value, and the search then looks elsewhere; where scattered
    ones find none either, there is none.
    """
    bad = problem.weights > 0.0
    scattered = np.exp(np.random.default_rng(0).normal(0.0, SPREAD, (SCATTERED, begun.shape[2])))
    for theta in (*begun, *problem.fitting(scattered)[:, None, :]):
        bad = bad & ~np.isfinite(problem.curve(np.broadcast_to(theta, begun.shape[1:]))[0])
        if not bad.any():
            return
    place = tuple(int(i) for i in np.argwhere(bad)[0])
    at = ", ".join(f"{name} of {problem.given[name][place]:g}" for name in problem.model.inputs)
    expected = "a formula that has a value at every point from some start, or rows without that point"
    _refuse("GP-C023", f'{at}, where "{problem.model.name}" has no value', expected, _place(bad))


def _inputs(model: Model, inputs: Inputs, y: Floats) -> dict[str, Floats]:
    if not isinstance(inputs, Mapping):
        if len(model.inputs) != 1:
            _refuse("GP-C021", "one array for several inputs", "inputs by name: " + ", ".join(model.inputs))
        inputs = {model.inputs[0]: inputs}
    unknown = [name for name in inputs if name not in model.inputs]
    missing = [name for name in model.inputs if name not in inputs]
    if unknown or missing:
        text = f'no input "{unknown[0]}"' if unknown else f'"{missing[0]}" is missing'
        hint = nearest(unknown[0], model.inputs) if unknown else ""
        _refuse("GP-C021", text + hint, "inputs by name: " + ", ".join(model.inputs))
    values = {name: _fitted(_floats(value, name), y, name) for name, value in inputs.items()}
    for name, value in values.items():
        bad = np.isinf(value) if model.any_sign else np.isinf(value) | (value < 0.0)
        if bad.any():
            _refuse("GP-C023", f'"{name}" is negative or infinite', "finite, not negative", _place(bad))
    return values


def _constants(model: Model, given: Mapping[str, ArrayLike], y: Floats) -> dict[str, Floats]:
    values: dict[str, Floats] = {}
    unknown = [name for name in given if name not in model.constants]
    if unknown:
        hint = nearest(unknown[0], model.constants)
        _refuse("GP-C022", f'no constant "{unknown[0]}"{hint}', _list(model.constants), model.name)
    for name, default in model.constants.items():
        value = given.get(name, default)
        if value is None:
            _refuse("GP-C022", f'the constant "{name}" is missing', _list(model.constants), model.name)
        array = _floats(value, name)
        array = array[:, None] if array.ndim == 1 and array.size == y.shape[0] else np.atleast_2d(array)
        if array.shape not in ((1, 1), (y.shape[0], 1), y.shape):
            _refuse("GP-C022", f'"{name}" has shape {array.shape}', "one number, or one a curve", model.name)
        if not (np.isfinite(array) & (array > 0.0)).all():
            _refuse("GP-C022", f'"{name}" is not above 0', "finite numbers above 0", model.name)
        values[name] = np.broadcast_to(array, (y.shape[0], array.shape[1]))
    return values


def _pinned(problem: Problem, fixed: Mapping[str, ArrayLike | None]) -> Floats:
    model = problem.model
    _known(fixed, model.names, "fixed")
    held = {parameter.name: parameter.default for parameter in model.parameters} | dict(fixed)
    arrays = {name: _floats(value, name) for name, value in held.items() if value is not None}
    # One row for all curves, unless one of them is held elsewhere.
    each = max((array.size for array in arrays.values()), default=1)
    natural = np.full((min(each, len(problem.pinned)), len(model.names)), np.nan)
    for i, name in enumerate(model.names):
        if name not in arrays:
            continue
        array = arrays[name]
        if array.ndim > 1 or array.size not in (1, len(problem.pinned)):
            _refuse("GP-C025", f'"{name}" is held at {array.shape} values', "one number, or one a curve")
        if not np.isfinite(array).all() or (model.parameters[i].scale != "linear" and (array <= 0.0).any()):
            sign = "; front and back say whether a curve falls" if name == "slope" else ""
            expected = "a finite number, above 0 as a logarithm" + sign
            _refuse("GP-C025", f'"{name}" cannot be held there', expected)
        natural[:, i] = array
    return np.broadcast_to(problem.fitting(natural), problem.pinned.shape)


def _known(given: Mapping[str, object], names: tuple[str, ...], where: str) -> None:
    unknown = [name for name in given if name not in names]
    if unknown:
        message = f'no parameter "{unknown[0]}"{nearest(unknown[0], names)}'
        _refuse("GP-C025", message, "one of " + ", ".join(names), where)


def _floats(values: ArrayLike, name: str) -> Floats:
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise InputError(
            "GP-C021",
            f'"{name}" is not a rectangle of numbers: {error}',
            expected="numbers in rows of equal length",
            next_step="fill short rows with NaN",
        ) from error


def _fitted(value: Floats, y: Floats, name: str) -> Floats:
    if y.ndim != 2 or value.shape not in ((), (y.shape[1],), (1, y.shape[1]), y.shape):
        _refuse(
            "GP-C021", f'"{name}" of shape {value.shape} does not fit a response of shape {y.shape}',
            "response (curves, points); everything else of the same shape or (points,)",
        )  # fmt: skip
    return np.broadcast_to(value, y.shape)


def _place(bad: Flags) -> str:
    curve, point = (int(i) for i in np.argwhere(bad)[0])
    return f"curve {curve}, point {point}"


def _list(names: Mapping[str, object]) -> str:
    return "constants " + ", ".join(names) if names else "no constants in this model"


def _refuse(code: str, message: str, expected: str, where: str = "") -> NoReturn:
    raise _refusal(code, message, expected, where)


def _refusal(code: str, message: str, expected: str, where: str = "") -> InputError:
    return InputError(
        code, message, where=where, expected=expected, next_step="see docs/regression.md for the models"
    )
