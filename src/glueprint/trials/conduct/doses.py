"""From regimens to doses between two visits, patient by patient. Kernel."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.protocol import Regimen

__all__ = ["Course", "DoseList", "days_due", "doses_between"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Course:
    """Where each patient stands, (n,) each: regimen number (-1: none), its first day, glue dose in mg,
    held."""

    regimen: Integers
    start_day: Integers
    glue_mg: Floats
    glue_held: Bools


@dataclass(frozen=True)
class DoseList:
    """Doses, one row each: patient, day from randomisation, target species, amount in mg, whether of the
    regimen's leading drug."""

    patient: Integers
    day: Integers
    target: NDArray[np.str_]
    amount_mg: Floats
    leading: Bools


def doses_between(
    regimens: tuple[Regimen, ...],
    course: Course,
    age_y: Floats,
    between: tuple[Integers, Integers],
    missed: Bools | None = None,
) -> DoseList:
    """Doses between two days of each patient, by patient and day.

    age_y: (n,).   between: first day (included) and last day (not included), (n,) each, from randomisation.
    missed: (n, days) days without any dose; days beyond its width miss none.
    A held glue is not given; the drugs beside it go on.
    """
    from_day, to_day = between
    drugs = [(drug, regimen) for regimen in regimens for drug in regimen.drugs]
    begins = list(accumulate((len(regimen.drugs) for regimen in regimens), initial=0))
    parts: list[tuple[Integers, Integers, Integers, Floats]] = []
    for number, regimen in enumerate(regimens):
        rows = np.flatnonzero((course.regimen == number) & (to_day > from_day))
        if not rows.size:
            continue
        start = course.start_day[rows]
        row, day = _days_from(np.maximum(from_day[rows], start), to_day[rows])
        if missed is not None and missed.shape[1]:
            there = ~_on_days(missed, rows[row], day)
            row, day = row[there], day[there]
        in_cycle = (day - start[row]) % regimen.drugs[0].on_day.size
        for place, drug in enumerate(regimen.drugs, begins[number]):
            amount, given = drug.planned_mg(age_y[rows]), np.ones(rows.size, dtype=np.bool_)
            if drug is regimen.glue:
                amount, given = course.glue_mg[rows], ~course.glue_held[rows]
            due = np.flatnonzero(drug.on_day[in_cycle] & (given & (amount > 0))[row])
            whose = row[due]
            parts.append((rows[whose], day[due], np.full(due.size, place), amount[whose]))
    if not parts:
        empty = np.zeros(0, dtype=np.int64)
        return DoseList(empty, empty, np.zeros(0, dtype="<U1"), np.zeros(0), np.zeros(0, dtype=np.bool_))
    patient, dose_day, which, amount_mg = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((dose_day, patient))
    which = which[order]
    target = np.array([drug.target for drug, _ in drugs])[which]
    leading = np.array([drug is regimen.leading for drug, regimen in drugs])[which]
    return DoseList(patient[order], dose_day[order], target, amount_mg[order], leading)


def _days_from(first: Integers, end: Integers) -> tuple[Integers, Integers]:
    """Every day from `first` to before `end`, (m,) each: the row that it is of, and the day, (k,) each."""
    count = np.maximum(end - first, 0)
    row = np.repeat(np.arange(first.size), count)
    return row, first[row] + np.arange(row.size) - np.repeat(np.cumsum(count) - count, count)


def _on_days(flags: Bools, who: Integers, day: Integers) -> Bools:
    """(k,) the flags (n, days) of the patients `who` on days (k,) each; False beyond them."""
    known = flags[who, np.minimum(day, flags.shape[1] - 1)]
    return np.asarray(known & (day < flags.shape[1]))


def days_due(on_day: Bools, start_day: Integers, from_day: Integers, to_day: Integers) -> Integers:
    """(n,) doses that a drug's days ask for between two days (the last not included), from `start_day` on.

    on_day: (cycle_days,).   start_day, from_day, to_day: (n,) days from randomisation.
    """
    upto = np.concatenate(([0], np.cumsum(on_day)))
    total, length = int(upto[-1]), on_day.size

    def before(day: Integers) -> Integers:
        since = np.maximum(day - start_day, 0)
        return np.asarray(since // length * total + upto[since % length])

    return np.asarray(before(np.maximum(from_day, to_day)) - before(from_day))
