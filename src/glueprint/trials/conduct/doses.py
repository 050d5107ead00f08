"""From regimens to doses between two visits, patient by patient. Kernel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.protocol import NO_REGIMEN, Regimen

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
    rows = np.flatnonzero((course.regimen != NO_REGIMEN) & (to_day > from_day))
    number, start = course.regimen[rows], course.start_day[rows]
    row, day = _days_from(np.maximum(from_day[rows], start), to_day[rows])
    if missed is not None and missed.shape[1]:
        there = ~_on_days(missed, rows[row], day)
        row, day = row[there], day[there]
    amounts = _amounts_mg(regimens, course, rows, age_y)
    length = np.array([regimen.drugs[0].on_day.size for regimen in regimens])[number]
    on_day = _on_day(regimens)[number[row], (day - start[row]) % length[row]]
    which, place = np.nonzero(on_day & (amounts > 0)[row])  # by patient, day and drug
    whose = row[which]
    begins = np.cumsum([0, *(len(regimen.drugs) for regimen in regimens)])
    drug_of = begins[number[whose]] + place
    drugs = [(drug, regimen) for regimen in regimens for drug in regimen.drugs]
    target = np.array([drug.target for drug, _ in drugs])[drug_of]
    leading = np.array([drug is regimen.leading for drug, regimen in drugs])[drug_of]
    return DoseList(rows[whose], day[which], target, amounts[whose, place], leading)


def _on_day(regimens: tuple[Regimen, ...]) -> Bools:
    """(regimens, days of a cycle, places) whether the drug at a place of a regimen is due on a day."""
    drugs = [
        (number, place, drug) for number, one in enumerate(regimens) for place, drug in enumerate(one.drugs)
    ]
    shape = (
        len(regimens),
        max(drug.on_day.size for *_, drug in drugs),
        1 + max(place for _, place, _ in drugs),
    )
    found = np.zeros(shape, dtype=np.bool_)
    for number, place, drug in drugs:
        found[number, : drug.on_day.size, place] = drug.on_day
    return found


def _amounts_mg(regimens: tuple[Regimen, ...], course: Course, rows: Integers, age_y: Floats) -> Floats:
    """(m, places) mg of the drug at each place of the regimens of patients `rows`, (m,); 0: none is given."""
    found = np.zeros((rows.size, max(len(regimen.drugs) for regimen in regimens)))
    for number, regimen in enumerate(regimens):
        mine = np.flatnonzero(course.regimen[rows] == number)
        who = rows[mine]
        for place, drug in enumerate(regimen.drugs if mine.size else ()):
            if drug is regimen.glue:
                found[mine, place] = np.where(course.glue_held[who], 0.0, course.glue_mg[who])
            else:
                found[mine, place] = drug.planned_mg(age_y[who])
    return found


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
