"""Patients through the rows of their records: each row's values, as the row's time and order have it.

A patient's rows are cut where something is set: a reset, a steady state, a covariate. All patients go
through their first stretch together, then through the second, and so on.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.engine.batch import Settings
from glueprint.engine.doses import Doses
from glueprint.engine.ensemble import Ensemble
from glueprint.engine.model import Model
from glueprint.engine.records import MODELLED_DURATION, MODELLED_RATE, Records
from glueprint.engine.results import Outcome
from glueprint.engine.routes import Routes
from glueprint.engine.schedule import Reads
from glueprint.engine.verify import agreed
from glueprint.errors import InputError

__all__ = ["Followed", "follow"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

# Times that an interval's multiple misses by rounding alone are the row's own.
SAME_TIME = 1e-9
BEFORE_ROWS = -1.0  # rank of what was given earlier, at the time of a row
# An endless infusion is one of any length that begins again when it ends.
SOME_INTERVAL = 24.0


@dataclass(frozen=True, eq=False)
class Followed(Outcome):
    """Values at the rows of records.

    status, steps: of each patient.   outputs: names.   values: (rows, outputs), after the row's own dose, NaN
    from a patient's failure on.   waiting: doses still to enter after a patient's last row, and those that a
    reset or steady state has cancelled.   achieved: (n,) estimate of the relative error as of `Verified`, NaN
    where there was a single run.   runs: how many there were.
    """

    outputs: tuple[str, ...]
    values: Floats
    waiting: int
    achieved: Floats
    runs: int = 1

    def __getitem__(self, name: str) -> Floats:
        """One output, (rows,)."""
        return self.values[:, self.outputs.index(name)]


def follow(
    model: Model,
    records: Records,
    routes: Routes | None = None,
    parameters: Mapping[str, ArrayLike] | None = None,
    *,
    outputs: Sequence[str] | None = None,
    settings: Settings | None = None,
    verify: bool = False,
) -> Followed:
    """Run every patient of a data set.

    routes: where doses go, and how.   parameters: scalar or (n,) values by name, for what no covariate
    sets.   outputs: default all species and what rate rules move.   verify: run again at finer tolerance
    until runs agree (`verified`).
    A covariate holds from the row before up to its own row, and for the doses of its row, as in NONMEM.
    Raises as `Routes.of`, `Model.ensemble` and `Ensemble.advance`; InputError GP-N009 (a value is given for
    what a covariate sets), GP-N056 (a covariate that is missing), GP-N057 (a lag as long as II), GP-N060 (a
    rate or duration that is to come from the model, and is not named).
    """
    chosen = tuple(model.system.followed if outputs is None else outputs)
    plan = _Plan.of(records, routes or Routes.of(model, records))
    twice = sorted((parameters or {}).keys() & plan.routes.covariates.keys())
    if twice:
        column = plan.routes.covariates[twice[0]]
        raise InputError(
            "GP-N009",
            f'"{twice[0]}" is given a value, and the column {column} of the data set sets it too',
            where=records.name,
            expected="each name once",
            next_step=f"remove one of the two (--drop {column})",
        )
    asked = settings or Settings()

    def once(how: Settings) -> Followed:
        return _once(model, plan, parameters or {}, chosen, how)

    if not verify:
        return once(asked)
    run, achieved, runs, status = agreed(once, asked, lambda run: _padded(records, run))
    return dataclasses.replace(run, status=status, achieved=achieved, runs=runs)


@dataclass(frozen=True)
class _Stretch:
    """Rows first to last - 1 of a patient, and what is done before.

    until: the time to which it goes.   covariates: row whose covariates hold from here, or -1.   restart:
    time at which the patient starts anew, or None.
    """

    first: int
    last: int
    until: float
    covariates: int = -1
    restart: float | None = None


@dataclass(frozen=True, eq=False)
class _Plan:
    """records, with the species that each row doses, (m,); stretches of each patient in order."""

    records: Records
    routes: Routes
    target: NDArray[np.str_]
    stretches: tuple[tuple[_Stretch, ...], ...]

    @classmethod
    def of(cls, records: Records, routes: Routes) -> _Plan:
        """The plan, its covariates and routes checked."""
        for column in routes.covariates.values():
            values = records.covariates[column]
            for row in np.flatnonzero(np.isnan(values)):
                raise InputError(
                    "GP-N056",
                    "a covariate that the model reads is missing from a patient's first row",
                    where=records.where(int(row), column),
                    expected="a number in the first row of every patient",
                    next_step="fill the column, or leave it out (--drop)",
                )
        used = [records.covariates[column] for column in routes.covariates.values()]
        table = np.stack(used, axis=1) if used else np.zeros((records.time.size, 0))
        changed = np.append(False, (table[1:] != table[:-1]).any(axis=1))
        reset = records.is_reset
        starts = np.flatnonzero(np.diff(records.patient, prepend=-1) != 0)
        ends = np.append(starts[1:], records.time.size)
        stretches = tuple(
            tuple(_stretches(records, changed, reset, int(a), int(b)))
            for a, b in zip(starts, ends, strict=True)
        )
        return cls(records, routes, routes.targets(records), stretches)


def _stretches(records: Records, changed: Bools, reset: Bools, first: int, last: int) -> list[_Stretch]:
    """The stretches of one patient.

    changed, reset: (m,) rows whose covariates are not those of the row before, and rows that begin anew.
    """
    found: list[_Stretch] = []
    time = records.time
    begun, what = first, first
    restart: float | None = float(time[first])
    for row in range(first + 1, last):
        if changed[row]:
            found.append(_Stretch(begun, row, time[row - 1], what, restart))
            begun, what, restart = row, row, None
        if reset[row] or records.steady[row]:
            until = time[row - 1] if reset[row] else time[row]
            found.append(_Stretch(begun, row, until, what, restart))
            begun, what, restart = row, -1, float(time[row]) if reset[row] else None
    found.append(_Stretch(begun, last, time[last - 1], what, restart))
    return found


def _once(
    model: Model, plan: _Plan, parameters: Mapping[str, ArrayLike], outputs: tuple[str, ...], how: Settings
) -> Followed:
    records, n = plan.records, len(plan.records.labels)
    start = np.array([stretches[0].first for stretches in plan.stretches])
    covariates = {name: records.covariates[column][start] for name, column in plan.routes.covariates.items()}
    ensemble = model.ensemble({**parameters, **covariates}, patients=n, settings=how)
    values = np.full((records.time.size, len(outputs)), np.nan)
    steps = np.zeros((n, 2), dtype=np.int64)
    waiting = 0
    for turn in range(max(len(stretches) for stretches in plan.stretches)):
        mine = [
            (who, stretches[turn]) for who, stretches in enumerate(plan.stretches) if turn < len(stretches)
        ]
        _enter(ensemble, plan, mine)
        rows = np.concatenate([np.arange(one.first, one.last) for _, one in mine])
        until = ensemble.time_h
        until[[who for who, _ in mine]] = [one.until for _, one in mine]
        doses, rank = _doses(ensemble, plan, rows)
        reads = Reads(records.patient[rows], records.time[rows], 2.0 * rows + 2.0)
        values[rows], taken, begun = ensemble._follow(until, doses, rank, reads, outputs)
        steps += taken
        waiting += int(np.isfinite(rank).sum()) - begun
    return Followed(ensemble.status, steps, outputs, values, waiting, np.full(n, np.nan))


def _enter(ensemble: Ensemble, plan: _Plan, mine: Sequence[tuple[int, _Stretch]]) -> None:
    """Set the covariates that change, and start anew who is reset."""
    changed = [(who, one.covariates) for who, one in mine if one.covariates >= 0]
    given = {}
    if changed:
        who, rows = np.array(changed).T
        for name, column in plan.routes.covariates.items():
            values = ensemble[name]
            values[who] = plan.records.covariates[column][rows]
            ensemble.set(name, values)
            given[name] = values
    anew = [(who, one.restart) for who, one in mine if one.restart is not None]
    if anew:
        patients, times = zip(*anew, strict=True)
        ensemble.restart(patients, times, given)


def _doses(ensemble: Ensemble, plan: _Plan, rows: Integers) -> tuple[Doses, Floats]:
    """The doses of some rows, and their rank: a row's own dose before its reading, later ones before rows."""
    records, routes = plan.records, plan.routes
    row = rows[records.is_dose[rows]]
    if not row.size:
        return Doses.none(), np.zeros(0)
    read = _Quantities(ensemble, plan, row)
    lag, share = read.values(routes.lag, 0.0), read.values(routes.bioavailability, 1.0)
    stated = np.maximum(records.rate[row], 0.0)
    rate = np.where(records.rate[row] == MODELLED_RATE, read.values(routes.rate, 0.0, above=True), stated)
    duration = np.where(
        records.rate[row] == MODELLED_DURATION, read.values(routes.duration, 0.0), records.duration[row]
    )
    endless = records.is_endless[row]
    every = np.where(endless, SOME_INTERVAL, records.interval[row])
    amount = np.where(endless, rate * SOME_INTERVAL, records.amount[row])
    share = np.where(endless, 1.0, share)
    lag = np.where(endless, 0.0, lag)
    long = np.flatnonzero((records.steady[row] != 0) & (lag >= every))
    if long.size:
        raise InputError(
            "GP-N057",
            f"a lag of {lag[long[0]]:g} with II {every[long[0]]:g}",
            where=records.where(int(row[long[0]]), "II"),
            expected="a lag shorter than the interval of a steady state",
            next_step="correct the lag or the interval",
        )
    doses = Doses.regimen(
        records.patient[row], records.time[row], plan.target[row], amount, rate=rate,
        duration_h=duration, lag_h=lag, bioavailability=share, additional=records.additional[row],
        interval_h=every, steady=records.steady[row],
    )  # fmt: skip
    source = np.repeat(row, records.additional[row] + 1)
    own = np.asarray(doses.given_h) == records.time[source]
    at_once = own & (np.asarray(doses.time_h) == records.time[source])
    times = np.where(own, doses.time_h, _on_rows(records, doses))
    doses = dataclasses.replace(doses, time_h=times, given_h=np.minimum(np.asarray(doses.given_h), times))
    rank = np.where(at_once, 2.0 * source + 1.0, BEFORE_ROWS)
    return doses, np.where(records.is_endless[source], np.inf, rank)


class _Quantities:
    """Lags, shares, rates and durations of some rows' doses, as the model has them now."""

    def __init__(self, ensemble: Ensemble, plan: _Plan, row: Integers) -> None:
        self.ensemble, self.plan, self.row = ensemble, plan, row

    def values(self, given: Mapping[str, str | float], otherwise: float, *, above: bool = False) -> Floats:
        """(rows,) by the species dosed; raises InputError GP-N060 for what cannot be."""
        records, row = self.plan.records, self.row
        found = np.full(row.size, otherwise)
        for name, quantity in given.items():
            mine = self.plan.target[row] == name
            everyone = (
                self.ensemble[quantity]
                if isinstance(quantity, str)
                else np.full(len(self.ensemble), quantity)
            )
            found[mine] = everyone[records.patient[row]][mine]
            bad = mine & ~(np.isfinite(found) & ((found > 0) if above else (found >= 0)))
            if bad.any():
                place = int(row[np.flatnonzero(bad)[0]])
                raise InputError(
                    "GP-N060",
                    f"{quantity} of {name} is {found[bad][0]:g}",
                    where=f"{records.name}, line {records.line[place]}",
                    expected="a number above 0" if above else "a number from 0 on",
                    next_step="correct the quantity, or the covariates that it is computed from",
                )
        return found


def _on_rows(records: Records, doses: Doses) -> Floats:
    """Times of doses; those that miss the time of a patient's row by rounding alone are that time."""
    patient = np.asarray(doses.patient)
    order = np.argsort(patient, kind="stable")
    times, owner = np.asarray(doses.time_h)[order], patient[order]
    everyone = np.arange(len(records.labels) + 1)
    first, begin = np.searchsorted(records.patient, everyone), np.searchsorted(owner, everyone)
    for who in np.unique(owner):
        mine = times[begin[who] : begin[who + 1]]  # a view
        known = np.unique(records.time[first[who] : first[who + 1]])
        place = np.searchsorted(known, mine)
        near, below = (known[np.clip(at, 0, known.size - 1)] for at in (place, place - 1))
        for candidate in (near, below):
            close = np.abs(candidate - mine) <= SAME_TIME * np.maximum(np.abs(mine), 1.0)
            mine[:] = np.where(close, candidate, mine)
    found = np.empty_like(times)
    found[order] = times
    return found


def _padded(records: Records, run: Followed) -> Floats:
    """Values as (patients, most rows, outputs), NaN beyond a patient's last row."""
    counts = np.bincount(records.patient, minlength=len(records.labels))
    table = np.full((counts.size, counts.max(), len(run.outputs)), np.nan)
    place = np.arange(records.patient.size) - np.repeat(np.cumsum(counts) - counts, counts)
    table[records.patient, place] = run.values
    return table
