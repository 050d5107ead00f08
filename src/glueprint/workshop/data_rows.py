"""The data of a TOML problem: a tidy table, one row a measurement, or records of NONMEM's kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from glueprint.engine import Doses, Model, Records, Routes, read_records
from glueprint.errors import InputError, NotSupportedError, nearest
from glueprint.workshop.cells import Row, read_rows
from glueprint.workshop.problem import Experiment, Rows, Value

__all__ = ["Read", "Table", "records", "tidy"]

Floats = NDArray[np.float64]
Read = tuple[tuple[Experiment, ...], Rows, tuple[str, ...]]
TIDY = ("condition", "observable", "time", "measurement", "unit")
ALONE = "all"  # the condition of a table that names none


@dataclass(frozen=True, eq=False)
class Table:
    """What a problem says of its table.

    columns: names in the file by ours.   observables: places by name.   dvid: names of observables by DVID.
    units: of the observables, "" where none is stated.   until: last time that data may have, in their unit.
    scale: length of their unit of time in the model's.   compartments: species by CMT.
    """

    path: Path
    columns: Mapping[str, str]
    observables: Mapping[str, int]
    dvid: Mapping[int, str]
    units: Mapping[str, str]
    until: float | None
    scale: float
    compartments: Mapping[str, str]


def tidy(table: Table, conditions: Mapping[str, Experiment]) -> Read:
    """One row a measurement: condition, observable, time, measurement, and unit where there is one.

    The first column may be missing where there is one condition or none, the second where there is one
    observable.   Raises InputError GP-W001, W004, W008 to W012, W024 and W025.
    """
    for ours in table.columns:
        if ours not in TIDY:
            raise InputError(
                "GP-W004",
                f'columns names "{ours}"{nearest(ours, TIDY)}',
                where=f"{table.path}, columns",
                expected=f"one of {', '.join(TIDY)}",
                next_step="write OURS = THEIRS, such as time = 't_h'",
            )
    theirs = {name: table.columns.get(name, name) for name in TIDY}
    known = dict(conditions) or {ALONE: Experiment(ALONE)}
    needs = [theirs["time"], theirs["measurement"]]
    needs += [theirs["condition"]] if len(known) > 1 else []
    needs += [theirs["observable"]] if len(table.observables) > 1 else []
    found = read_rows(table.path, needs=tuple(needs))
    names, observables = list(known), []
    places = []
    for row in found:
        places.append(_place(row, theirs["condition"], names, "condition", "GP-W009"))
        observables.append(
            _place(row, theirs["observable"], list(table.observables), "observable", "GP-W008")
        )
        _check_unit(row, theirs["unit"], list(table.observables)[observables[-1]], table)
        _check_end(row.number(theirs["time"]), row.where(theirs["time"]), table)
    rows = Rows(
        experiment=np.array(places, dtype=np.int64),
        observable=np.array(observables, dtype=np.int64),
        time=table.scale * np.array([row.number(theirs["time"]) for row in found], dtype=np.float64),
        value=np.array([row.number(theirs["measurement"]) for row in found], dtype=np.float64),
        observable_fill=((),) * len(found),
        noise_fill=((),) * len(found),
        where=tuple(row.where() for row in found),
    )
    empty = [name for place, name in enumerate(names) if place not in set(places)]
    notes = tuple(f"condition {name} has no measurement" for name in empty)
    return tuple(known.values()), rows, notes


def _place(row: Row, column: str, known: Sequence[str], kind: str, code: str) -> int:
    if column not in row.cells and len(known) == 1:
        return 0
    name = row.name(column)
    if name not in known:
        raise InputError(
            code,
            f'there is no {kind} "{name}"{nearest(name, known)}',
            where=row.where(column),
            expected=f"one of {', '.join(known)}",
            next_step=f"add it to the {kind}s of the problem, or correct the name",
        )
    return known.index(name)


def _check_unit(row: Row, column: str, observable: str, table: Table) -> None:
    unit, stated = row.text(column), table.units[observable]
    if unit and unit != stated:
        raise InputError(
            "GP-W024",
            f"it is in {unit}, and {observable} " + (f"in {stated}" if stated else "states no unit"),
            where=row.where(column),
            expected="one unit for an observable, because no number is converted silently",
            next_step="convert the measurement, or state the unit of the observable",
        )


def _check_end(time: float, where: str, table: Table) -> None:
    if table.until is not None and time > table.until and np.isfinite(time):
        raise InputError(
            "GP-W025",
            f"a measurement at {time:g}, after the last time of {table.until:g}",
            where=where,
            expected=f"times up to {table.until:g}, as `until` says",
            next_step="correct the time, or `until`",
        )


def records(table: Table, model: Model, conditions: Mapping[str, Experiment]) -> Read:
    """Rows of NONMEM's kind: each ID is an experiment with its doses and covariates.

    conditions: none, or one whose settings hold for every ID.
    Raises InputError GP-W004, W008, W018 and W025, NotSupportedError GP-W020, and as `engine.read_records`
    and `engine.Routes.of`.
    """
    if len(conditions) > 1:
        raise InputError(
            "GP-W004",
            f"{len(conditions)} conditions for a table whose IDs are the conditions",
            where=str(table.path),
            expected="none, or one that holds for every ID",
            next_step='take them out, or write the data tidily (format = "tidy")',
        )
    every = next(iter(conditions.values()), Experiment(ALONE))
    read = read_records(table.path)
    _refuse(read)
    routes = Routes.of(model, read, compartments=table.compartments)
    which = _observables(read, table)
    experiments, time = [], np.zeros(read.time.size)
    for who, label in enumerate(read.labels):
        mine = np.flatnonzero(read.patient == who)
        time[mine] = read.time[mine] - read.time[mine[0]]
        experiments.append(_experiment(read, routes, mine, time, table, replace(every, name=label)))
    seen = np.flatnonzero((read.event == 0) & np.isfinite(read.observed))
    for row in seen.tolist():
        _check_end(float(time[row]), read.where(row, "TIME"), table)
    used = set(routes.covariates.values()) | {"DVID"}
    unread = [name for name in (*read.covariates, *read.texts) if name not in used]
    notes = [f"columns not used: {', '.join(unread)}"] if unread else []
    notes += [f"{read.ignored} lines left out as remarks"] if read.ignored else []
    missing = int(((read.event == 0) & ~np.isfinite(read.observed)).sum())
    notes += [f"{missing} observations without a value left out"] if missing else []
    rows = Rows(
        experiment=read.patient[seen].astype(np.int64),
        observable=which[seen],
        time=table.scale * time[seen],
        value=read.observed[seen],
        observable_fill=((),) * seen.size,
        noise_fill=((),) * seen.size,
        where=tuple(read.where(row, "DV") for row in seen.tolist()),
    )
    return tuple(experiments), rows, tuple(notes)


def _refuse(read: Records) -> None:
    """What has no derivative here, or no meaning for a fit."""
    late = np.append(False, (read.patient[1:] == read.patient[:-1]) & (np.diff(read.time) == 0.0))
    after_dose = late & (read.event == 0) & np.append(False, read.is_dose[:-1]) & np.isfinite(read.observed)
    for wrong, column, what, remedy in (
        (read.is_reset, "EVID", "a reset (EVID 3 or 4)", "give the part after it an ID of its own"),
        (read.steady != 0, "SS", "a steady state of doses", "write out the doses before"),
        (read.rate < 0, "RATE", "a modelled rate or duration", "give it as a number"),
        (
            after_dose,
            "TIME",
            "an observation at the time of a dose, behind it",
            "put it before the dose, or a moment later",
        ),
    ):
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise NotSupportedError(
                "GP-W020", f"{what} in the data of a fit", where=read.where(row, column), next_step=remedy
            )


def _observables(read: Records, table: Table) -> NDArray[np.int64]:
    names = list(table.observables)
    if len(names) == 1:
        return np.zeros(read.time.size, dtype=np.int64)
    dvid = read.covariates.get("DVID")
    if dvid is None:
        raise InputError(
            "GP-W008",
            f"{len(names)} observables, and no column DVID that tells them apart",
            where=str(table.path),
            expected="DVID, with the numbers that the observables state as dvid",
            next_step="add the column, and dvid = 1 and so on to the observables",
        )
    found = np.zeros(read.time.size, dtype=np.int64)
    for row in np.flatnonzero((read.event == 0) & np.isfinite(read.observed)).tolist():
        name = table.dvid.get(int(dvid[row])) if np.isfinite(dvid[row]) else None
        if name is None:
            raise InputError(
                "GP-W008",
                f"DVID {dvid[row]:g} is no observable",
                where=read.where(row, "DVID"),
                expected=f"one of {', '.join(map(str, table.dvid)) or 'none: no observable states its dvid'}",
                next_step="correct it, or state dvid at the observable",
            )
        found[row] = table.observables[name]
    return found


def _experiment(
    read: Records, routes: Routes, mine: NDArray[np.int64], time: Floats, table: Table, base: Experiment
) -> Experiment:
    """One ID: its doses, and its covariates, which must stand still."""
    values: dict[str, Value] = dict(base.values)
    for parameter, column in routes.covariates.items():
        cells = read.covariates[column][mine]
        moved = np.flatnonzero(cells != cells[0])
        if moved.size:
            raise NotSupportedError(
                "GP-W020",
                f"covariate {column} changes within ID {base.name}",
                where=read.where(int(mine[moved[0]]), column),
                next_step="let it stand still, or write its course into the model as a function of time",
            )
        values[parameter] = float(cells[0])
    given = mine[read.is_dose[mine]]
    if not given.size:
        return replace(base, values=values, where=read.where(int(mine[0]), "ID"))
    doses = Doses.regimen(
        np.zeros(given.size, dtype=np.int64),
        table.scale * time[given],
        routes.targets(read)[given],
        read.amount[given],
        rate=read.rate[given] / table.scale,
        duration_h=table.scale * read.duration[given],
        additional=read.additional[given],
        interval_h=table.scale * read.interval[given],
    )
    return replace(base, values=values, doses=doses, where=read.where(int(mine[0]), "ID"))
