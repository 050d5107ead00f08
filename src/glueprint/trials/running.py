"""Run a protocol: one or many virtual trials, on one process or several, with the same result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from glueprint.errors import InputError
from glueprint.runs import executor, units
from glueprint.runs.units import Receipt
from glueprint.trials.conduct import conduct
from glueprint.trials.endpoints import endpoints_table, survival_curves_table
from glueprint.trials.loading import load_protocol
from glueprint.trials.population import Stream, draw_population
from glueprint.trials.protocol import Protocol
from glueprint.trials.result import TrialResult
from glueprint.trials.tables import patients_table, visits_table

__all__ = ["TABLES", "Unit", "keep_unit", "read_units", "run", "units_of"]

Tables = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]
Progress = Callable[[float], None]
TABLES = ("patients", "visits", "endpoints", "survival_curves")


def run(
    protocol: Protocol | str | Path,
    replicates: int = 1,
    seed: int = 1,
    progress: Progress | None = None,
    workers: int = 1,
) -> TrialResult:
    """Run virtual trials of a protocol.

    protocol: a Protocol, a name out of `available()`, or the path of a TOML file.
    replicates: how many trials, each with patients of its own.   seed: same seed, same bits.
    progress: called with the share done, 0 to 1.   workers: processes; the result does not depend on it.
    Raises InputError GP-T021 for replicates, seed or workers out of range, and what `load_protocol` raises.
    """
    for name, number, least in (("replicates", replicates, 1), ("workers", workers, 1), ("seed", seed, 0)):
        if number < least:
            raise InputError(
                "GP-T021",
                f"{name} is {number}",
                where=name,
                expected=f"a whole number of at least {least}",
                next_step=f"choose another number for {name}",
            )
    plan = protocol if isinstance(protocol, Protocol) else load_protocol(protocol)
    parts: list[list[pl.DataFrame]] = [[], [], [], []]
    for tables in _replicates(plan, replicates, seed, progress, workers):
        for part, table in zip(parts, tables, strict=True):
            part.append(table)
    patients, visits, endpoints, curves = (pl.concat(part) for part in parts)
    return TrialResult(plan, seed, patients, visits, endpoints, curves)


def _replicates(
    plan: Protocol, replicates: int, seed: int, progress: Progress | None, workers: int
) -> Iterator[Tables]:
    """The tables of each replicate, in order."""
    report = progress or _silent
    if workers == 1 or replicates == 1:
        for number in range(1, replicates + 1):
            yield run_replicate(plan, seed, number, _part_of(report, number - 1, replicates))
        report(1.0)
        return
    waiting: dict[int, Tables] = {}
    wanted = 0  # replicates leave in order, whoever is done first
    choice, numbers = executor.Choice("processes", min(workers, replicates)), range(1, replicates + 1)
    with (
        executor.start(choice) as crew,
        closing(crew.run(partial(run_replicate, plan, seed), numbers)) as done,
    ):
        for place, tables in done:
            waiting[place] = tables
            while wanted in waiting:
                yield waiting.pop(wanted)
                wanted += 1
                report(wanted / replicates)


def _silent(share: float) -> None:
    """No progress wanted."""


def _part_of(report: Progress, before: int, replicates: int) -> Progress:
    """Progress of one replicate as progress of all."""
    return lambda share: report((before + share) / replicates)


def run_replicate(plan: Protocol, seed: int, replicate: int, progress: Progress | None = None) -> Tables:
    """Patients, visits, endpoints and survival curves of one virtual trial."""
    stream = Stream(seed, plan.name, replicate)
    conducted = conduct(plan, draw_population(plan, stream), stream, progress)
    patients = patients_table(plan, conducted, replicate)
    return (
        patients,
        visits_table(plan, conducted, replicate),
        endpoints_table(plan, patients),
        survival_curves_table(plan, patients),
    )


@dataclass(frozen=True)
class Unit:
    """A piece of work that is done as a whole or not at all: one virtual trial of a protocol."""

    protocol: Protocol
    seed: int
    replicate: int

    @property
    def name(self) -> str:
        """Its place below the folder of all units."""
        return f"{self.protocol.name}/{self.replicate:06d}"


def units_of(protocol: Protocol, replicates: int, seed: int) -> Iterator[Unit]:
    """The work of `run` in units that can be done anywhere, in any order."""
    return (Unit(protocol, seed, number) for number in range(1, replicates + 1))


def keep_unit(root: Path, unit: Unit) -> Receipt:
    """Compute a unit and put its four tables on disk below `root`; raises as `runs.units.keep`."""
    tables = dict(zip(TABLES, run_replicate(unit.protocol, unit.seed, unit.replicate), strict=True))
    status = tables["patients"].get_column("status")
    facts = {"patients": status.len(), "failed": int((status != 0).sum())}
    return units.keep(root, unit.name, tables, facts)


def read_units(root: Path, protocol: Protocol, replicates: int, seed: int) -> TrialResult:
    """What `run` gives, from units that are all on disk; raises as `runs.units.read`."""
    names = [unit.name for unit in units_of(protocol, replicates, seed)]
    tables = {table: pl.concat(units.read(root, name, table) for name in names) for table in TABLES}
    return TrialResult(protocol, seed, **tables)
