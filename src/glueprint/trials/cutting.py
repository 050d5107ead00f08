"""A trial as it is analysed at its data cuts, one after another, until a test ends it or the last has come.

Patients are conducted once to the latest month that a cut may have, which says when each cut comes. What is
analysed at a cut are the same patients conducted to that day: the data that a trial with this cut has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl

from glueprint.trials.analysis import (
    BENEFIT,
    FUTILITY,
    LOOKS,
    NO_BENEFIT,
    Tested,
    cut_day,
    endpoints_table,
    known_days,
    look_row,
    patients_table,
    tested,
)
from glueprint.trials.conduct import Conducted
from glueprint.trials.patients import Population, some_of
from glueprint.trials.protocol import MONTH_DAYS, Protocol

__all__ = ["AtCuts", "at_cuts"]

Conduct = Callable[[Population], Conducted]


@dataclass(frozen=True)
class AtCuts:
    """A replicate at its data cuts.

    conducted, patients: at the last one that was analysed.   looks: a row for each cut that came, LOOKS.
    earlier: endpoints at the cuts before, those of the table of endpoints with `cut` in front.
    """

    conducted: Conducted
    patients: pl.DataFrame
    looks: pl.DataFrame
    earlier: pl.DataFrame


def at_cuts(protocol: Protocol, people: Population, conduct: Conduct, replicate: int) -> AtCuts:
    """Analyse a replicate at its data cuts.

    people: with days of entry, followed to the latest month of a cut.   conduct: takes patients through the
    trial, the same patients with the same chance.
    Source: own derivation, docs/trials.md, "Calendar, looks and departures".
    """
    whole = conduct(people)
    known = _Known(whole, patients_table(protocol, whole, replicate))
    entry = np.zeros(people.size) if people.entry_day is None else people.entry_day
    plan, rows, tests = protocol.monitoring, list[dict[str, object]](), list[Tested]()
    arms = (plan.arms if plan and plan.arms else tuple(arm.name for arm in protocol.arms))[:2]
    endpoints, earlier = partial(endpoints_table, protocol), list[pl.DataFrame]()
    day, conducted, patients = 0.0, whole, known.patients
    for place, cut in enumerate(protocol.data_cuts):
        before, last = day, place == len(protocol.data_cuts) - 1
        day, why = cut_day(cut, entry, known.days(cut.endpoint), before)
        new = day > before
        if new:
            if rows:
                earlier.append(endpoints(patients).with_columns(cut=pl.lit(rows[-1]["cut"])))
            conducted = conduct(_until(people, day))
            patients = patients_table(protocol, conducted, replicate)
        here = tested(plan, (arms[0], arms[1]), patients) if plan else None
        # Without a new event there is nothing to spend error on, but the last look is made whatever came.
        fresh = here is not None and here.events > (tests[-1].events if tests else 0)
        if here and last and not fresh and tests:
            tests.pop()
            fresh = True
        if here and fresh:
            tests.append(here)
        about = {
            "trial": protocol.name,
            "replicate": replicate,
            "cut": cut.name,
            "months": day / MONTH_DAYS,
            "reason": why,
            "patients": patients.height,
            "arm": f"{arms[0]} vs {arms[1]}" if plan else None,
        }
        rows.append(look_row(about, protocol, tests if fresh else (), last=last))
        if rows[-1]["decision"] in (BENEFIT, FUTILITY, NO_BENEFIT):
            break
    kept = [table.select("cut", pl.exclude("cut")) for table in earlier]
    empty = endpoints(patients).clear().with_columns(cut=pl.lit("")).select("cut", pl.exclude("cut"))
    looks = pl.DataFrame(rows, schema=LOOKS, orient="row").with_columns(pl.col(pl.Float64).fill_nan(None))
    return AtCuts(conducted, patients, looks, pl.concat(kept) if kept else empty)


@dataclass(frozen=True)
class _Known:
    """All patients followed to the end, and when each event of theirs is known."""

    whole: Conducted
    patients: pl.DataFrame

    def days(self, endpoint: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return known_days(endpoint, self.whole, self.patients)


def _until(people: Population, day: float) -> Population:
    """The patients who have come before a calendar day, followed until it."""
    if people.entry_day is None:
        return people
    came = np.flatnonzero(people.entry_day < day)
    some = some_of(people, came)
    return replace(some, cut_day=day - people.entry_day[came])
