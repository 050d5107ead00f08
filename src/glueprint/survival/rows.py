"""Rows of a table with delayed entry, weights and patients: what is checked, tied and left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.errors import InputError
from glueprint.survival._check import Flags, Floats, Integers, as_codes, as_events, as_floats, as_times, place
from glueprint.survival._check import same_shape as check_shape
from glueprint.survival.counts import tie


@dataclass(frozen=True)
class Rows:
    """The rows that count: those of weight above 0, with ties in time and entry made exact.

    time, event: (n,).   entry: (n,), at risk from just after it up to and with time; None for 0, all from
    the start.   weight: (n,) > 0, or None for 1.   kept: (n,) positions in the arrays given.
    given: number of rows given; `left_out` of them have weight 0.
    """

    time: Floats
    event: Flags
    entry: Floats | None
    weight: Floats | None
    kept: Integers
    given: int

    @property
    def left_out(self) -> int:
        """Rows of weight 0."""
        return self.given - self.time.size

    @property
    def whole(self) -> bool:
        """Whether every weight is a whole number, so that it may count equal patients."""
        return self.weight is None or bool((self.weight == np.floor(self.weight)).all())

    def codes(self, labels: ArrayLike, name: str) -> tuple[NDArray[Any], Integers]:
        """Distinct labels of these rows and the code of each row, (n,); labels: one for each row given."""
        levels, codes = as_codes(labels, (self.given,), name)
        if not self.left_out:
            return levels, codes
        present, codes = np.unique(codes[self.kept], return_inverse=True)
        return levels[present], codes.reshape(-1).astype(np.int64)


def as_rows(
    time: ArrayLike,
    event: ArrayLike,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    *,
    line: Integers | None = None,
) -> Rows:
    """Check the columns of a table and keep the rows that count.

    time, event: (n,).   entry: (n,) same unit, >= 0, or None.   weights: (n,) >= 0, or None.
    line: (n,) of the file that the rows stand on, for messages, or None.
    Returns Rows.
    Raises InputError GP-V001 to GP-V005 for arrays, GP-V014 for entries, GP-V015 and GP-V016 for weights.
    Source: definition; two times are one as in `tie`, entries and times taken together as R's coxph does.
    """
    times = as_times(time)
    events = as_events(event, times.shape)
    weight = None if weights is None else _weights(weights, times, line)
    started = None if entry is None else _entries(entry, times, line)
    if started is None:
        tied = tie(times)
    else:
        tied, started = np.split(tie(np.concatenate([times, started])), 2)
        _ordered(started, tied, line)
    kept = np.arange(times.size) if weight is None else np.flatnonzero(weight > 0)
    if kept.size < times.size:
        tied, events = tied[kept], events[kept]
        started = None if started is None else started[kept]
        weight = None if weight is None else weight[kept]
    return Rows(tied, events, started, weight, kept, times.size)


def _place(name: str, at: int, line: Integers | None) -> str:
    """Where a row is to be found: in the file, or in the array."""
    return place(name, (at,)) if line is None else f"row {line[at]}, {name}"


def _weights(weights: ArrayLike, times: Floats, line: Integers | None) -> Floats:
    array = as_floats(weights, "weights")
    check_shape(array, times.shape, "weights")
    bad = np.flatnonzero(~np.isfinite(array) | (array < 0))
    if bad.size:
        raise InputError(
            "GP-V015",
            f"{array[bad[0]]:g} is not a weight",
            where=_place("weights", int(bad[0]), line),
            expected="a finite number, 0 or more, for every row",
            next_step="leave the row out and count it, or correct how the weight was computed",
        )
    if not (array > 0).any():
        raise InputError(
            "GP-V016",
            "every weight is 0",
            where="weights",
            expected="at least one row with a weight above 0",
            next_step="look whether the weights were rounded to whole numbers",
        )
    return array


def _entries(entry: ArrayLike, times: Floats, line: Integers | None) -> Floats:
    array = as_floats(entry, "entry")
    check_shape(array, times.shape, "entry")
    bad = np.flatnonzero(~np.isfinite(array) | (array < 0))
    if bad.size:
        raise InputError(
            "GP-V014",
            f"{array[bad[0]]:g} is not a time of entry",
            where=_place("entry", int(bad[0]), line),
            expected="a finite number, 0 or more, on the scale of time",
            next_step="write 0 for a patient under observation from the start",
        )
    return array


def _ordered(entry: Floats, time: Floats, line: Integers | None) -> None:
    bad = np.flatnonzero(entry >= time)
    if bad.size:
        at = int(bad[0])
        raise InputError(
            "GP-V014",
            f"entry {entry[at]:g} is not before time {time[at]:g}",
            where=_place("entry", at, line),
            expected="entry < time in every row: a row is at risk after its entry, up to and with its time",
            next_step="leave out rows that were never under observation, or exchange the two columns",
        )


def no_overlap(rows: Rows, patient: Integers, stratum: Integers, line: Integers | None = None) -> None:
    """Raise GP-V017 if two rows of one patient in one stratum share time at risk.

    rows: Rows.   patient, stratum: (n,) codes.   line: (given,) as in `as_rows`.
    """
    entry = np.zeros(rows.time.size) if rows.entry is None else rows.entry
    order = np.lexsort((rows.time, entry, stratum, patient))
    same = (np.diff(patient[order]) == 0) & (np.diff(stratum[order]) == 0)
    bad = np.flatnonzero(same & (entry[order[1:]] < rows.time[order[:-1]]))
    if bad.size:
        one, other = order[bad[0]], order[bad[0] + 1]
        first, second = (int(rows.kept[row]) for row in (one, other))
        named = (first, second) if line is None else (line[first], line[second])
        raise InputError(
            "GP-V017",
            f"({entry[one]:g}, {rows.time[one]:g}] in row {named[0]} and ({entry[other]:g}, "
            f"{rows.time[other]:g}] in row {named[1]} are one patient's and overlap",
            where=_place("patient", second, line),
            expected="rows of one patient that follow each other, each from its entry to its time",
            next_step="end each row where the next one begins; rows of one centre or family go to cluster",
        )


def enough_clusters(codes: Integers) -> None:
    """Raise GP-V018 if all rows are in one cluster, from which no spread can be read."""
    if codes.size and codes.max() == 0:
        raise InputError(
            "GP-V018",
            "every row is in the one cluster",
            where="cluster",
            expected="two clusters or more",
            next_step="pass the label of the patient, centre or family of each row",
        )
