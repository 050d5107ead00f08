"""What every survival function asks of its arrays, with the index of the first value that does not fit."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint import units
from glueprint.errors import InputError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


def place(name: str, index: tuple[int, ...]) -> str:
    """The text of one element of an argument, e.g. "time[3]"."""
    return f"{name}[{', '.join(str(int(i)) for i in index)}]"


def _first(bad: Flags) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argwhere(bad)[0])


def as_floats(values: ArrayLike, name: str, ndim: tuple[int, ...] = (1,)) -> Floats:
    """`values`, durations as days, as float64 with one of the dimensions `ndim` and at least one element."""
    try:
        array = np.asarray(_numbers(values, name), dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(
            "GP-V002",
            f"not an array of numbers: {str(values)[:60]!r}",
            where=name,
            expected="numbers only",
            next_step="convert the column to numbers and leave out what is missing",
        ) from None
    if array.ndim not in ndim:
        shapes = " or ".join(f"{n}" for n in ndim)
        raise InputError(
            "GP-V002",
            f"an array of shape {array.shape}",
            where=name,
            expected=f"{shapes} dimension(s)",
            next_step="pass one value per patient",
        )
    if array.size == 0:
        raise InputError(
            "GP-V001",
            "no values",
            where=name,
            expected="at least one patient",
            next_step="look whether a filter removed every patient",
        )
    return array


def _numbers(values: ArrayLike, name: str) -> ArrayLike:
    """`values`, or days where they are durations of numpy, pandas, polars, the standard library or pint.

    As plain numbers durations would be counts of nanoseconds, and dates counts from 1970.
    """
    if hasattr(values, "magnitude") and hasattr(values, "units"):
        return np.asarray(values.magnitude) * units.convert(1.0, str(values.units), "day")
    array = np.asarray(values)
    kind = array.dtype.kind
    if kind == "O" and array.size:
        first = array.flat[0]
        kind = "m" if isinstance(first, timedelta) else "M" if isinstance(first, date) else kind
    if kind == "M":
        raise InputError(
            "GP-V013",
            f"dates, such as {array.flat[0] if array.size else ''}",
            where=name,
            expected="follow-up from a start: a number, or a duration",
            next_step="subtract the date on which each patient's follow-up begins",
        )
    if kind != "m":
        return values
    spans = array.astype("timedelta64[ns]")
    return np.where(np.isnat(spans), np.nan, spans / np.timedelta64(1, "D"))


def same_shape(array: NDArray[Any], shape: tuple[int, ...], name: str) -> None:
    """Raise GP-V003 unless `array` has one value for each value of `time`."""
    if array.shape != shape:
        raise InputError(
            "GP-V003",
            f"shape {array.shape} does not fit time of shape {shape}",
            where=name,
            expected="one value per patient in every array",
            next_step="take all columns from the same rows of one table",
        )


def as_times(time: ArrayLike, ndim: tuple[int, ...] = (1,)) -> Floats:
    """Follow-up times: finite and not negative."""
    array = as_floats(time, "time", ndim)
    bad = ~np.isfinite(array) | (array < 0)
    if bad.any():
        index = _first(bad)
        raise InputError(
            "GP-V004",
            f"{array[index]} is not a follow-up time",
            where=place("time", index),
            expected="a finite number, 0 or more, from the start of follow-up",
            next_step="leave the patient out and count it, or correct its dates",
        )
    return array


def as_events(event: ArrayLike, shape: tuple[int, ...]) -> Flags:
    """Event indicators: 1 or True for the event, 0 or False for censored."""
    array = as_floats(event, "event", (len(shape),))
    same_shape(array, shape, "event")
    bad = (array != 0) & (array != 1)
    if bad.any():
        index = _first(bad)
        raise InputError(
            "GP-V005",
            f"{array[index]:g} is not an event indicator",
            where=place("event", index),
            expected="1 (event) or 0 (censored)",
            next_step="code the event as 1; for competing causes use cumulative_incidence",
        )
    return array.astype(np.bool_)


def as_codes(labels: ArrayLike, shape: tuple[int, ...], name: str) -> tuple[NDArray[Any], Integers]:
    """Distinct labels in sorted order and, for each patient, the position of its label."""
    array = np.asarray(labels)
    same_shape(array, shape, name)
    if array.dtype.kind == "f" and np.isnan(array).any():
        index = _first(np.isnan(array))
        raise InputError(
            "GP-V008",
            "a label is missing (NaN)",
            where=place(name, index),
            expected="a label for every patient",
            next_step="leave the patient out and count it, or give the missing ones a label of their own",
        )
    try:
        levels, codes = np.unique(array, return_inverse=True)
    except TypeError:
        raise InputError(
            "GP-V008",
            f"labels that cannot be put in one order, e.g. {array.flat[0]!r}",
            where=name,
            expected="a label for every patient, all text or all numbers",
            next_step="look for missing labels among them",
        ) from None
    return levels, codes.reshape(shape).astype(np.int64)


def as_level(level: float) -> float:
    """A confidence level strictly between 0 and 1."""
    if not 0 < level < 1:
        raise InputError(
            "GP-V007",
            f"{level!r} is not a confidence level",
            where="level",
            expected="a number between 0 and 1, e.g. 0.95",
            next_step="write 95 % as 0.95",
        )
    return float(level)


def as_probability(probability: float) -> float:
    """A probability strictly between 0 and 1."""
    if not 0 < probability < 1:
        raise InputError(
            "GP-V007",
            f"{probability!r} is not a probability",
            where="probability",
            expected="a number between 0 and 1, e.g. 0.5 for the median",
            next_step="write the median as 0.5",
        )
    return float(probability)


def as_intervals(left: ArrayLike, right: ArrayLike) -> tuple[Floats, Floats]:
    """Ends of the intervals in which events lie; an infinite right end is an event not seen."""
    low, high = as_floats(left, "left"), as_floats(right, "right")
    same_shape(high, low.shape, "right")
    bad = ~(np.isfinite(low) & (low >= 0) & (high >= low))
    if bad.any():
        index = _first(bad)
        raise InputError(
            "GP-V012",
            f"no event lies between {low[index]:g} and {high[index]:g}",
            where=place("left", index),
            expected="0 <= left <= right, left finite; right is inf for an event not seen",
            next_step="leave the patient out and count it, or correct its dates",
        )
    return low, high


def event_at_zero(name: str, index: int) -> InputError:
    """The error of a model of log times."""
    return InputError(
        "GP-V024",
        "an event at time 0 has no logarithm",
        where=place(name, (index,)),
        expected="a time above 0 for every event",
        next_step="count from an earlier origin, add half a day to such events, or use kaplan_meier",
    )


def single_group(label: object, name: str = "group") -> InputError:
    """The error of a comparison with nothing to compare."""
    return InputError(
        "GP-V006",
        f"every patient is in the one group {label!r}",
        where=name,
        expected="two groups or more",
        next_step="pass the arm of each patient; for one group use kaplan_meier",
    )


def as_matrix(covariates: ArrayLike, n: int) -> Floats:
    """Covariates as (n, p): finite numbers, one row per patient; a vector is one covariate."""
    x = as_floats(covariates, "covariates", (1, 2))
    x = x[:, None] if x.ndim == 1 else x
    if x.shape[0] != n:
        raise InputError(
            "GP-V003",
            f"{x.shape[0]} rows for {n} times",
            where="covariates",
            expected="one row per patient",
            next_step="take all columns from the same rows of one table",
        )
    bad = ~np.isfinite(x)
    if bad.any():
        index = _first(bad)
        raise InputError(
            "GP-V008",
            f"{x[index]} is not a covariate value",
            where=place("covariates", index),
            expected="a finite number for every patient",
            next_step="leave the patient out and count it, or impute the value",
        )
    return x


def as_pair(labels: ArrayLike, shape: tuple[int, ...]) -> tuple[NDArray[Any], Flags]:
    """The two labels of a two-group comparison in sorted order, and who is in the second group, (n,)."""
    groups, codes = as_codes(labels, shape, "group")
    if groups.size == 1:
        raise single_group(groups[0].item())
    if groups.size > 2:
        raise InputError(
            "GP-V020",
            f"{groups.size} groups: {', '.join(str(label) for label in groups[:5])}",
            where="group",
            expected="two groups",
            next_step="leave out the patients of the other groups, or compare the groups two by two",
        )
    return groups, codes == 1
