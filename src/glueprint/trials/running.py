"""Run a protocol: one or many virtual trials, on one process or several, with the same result."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import accumulate
from numbers import Integral
from pathlib import Path
from typing import TypeVar

import polars as pl

from glueprint import forks, workshop
from glueprint.errors import InputError
from glueprint.runs import executor, units
from glueprint.runs.progress import silent
from glueprint.runs.units import Receipt
from glueprint.trials.analysis import endpoints_table, patients_table, survival_curves_table, visits_table
from glueprint.trials.conduct import Conducted, conduct, conduct_together
from glueprint.trials.cutting import at_cuts
from glueprint.trials.patients import (
    ParameterDraws,
    Population,
    Stream,
    Truth,
    check_draws,
    check_given,
    draw_population,
    scenarios,
)
from glueprint.trials.protocol import Protocol, load_protocol, refuse_unread
from glueprint.trials.result import OF_POPULATION, TrialResult

__all__ = [
    "CUT_TABLES",
    "TABLES",
    "Group",
    "Unit",
    "check_counts",
    "check_size",
    "collected",
    "groups_of",
    "keep_group",
    "read_units",
    "run",
    "run_group",
    "run_unit",
    "units_of",
]

Tables = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]
Progress = Callable[[float], None]
Kept = TypeVar("Kept")
# A row of patients and its visits take some 2 kB; a machine with 64 GB holds this many.
MOST_TABLED = 20_000_000
MOST = {"replicates": 100_000, "patients": MOST_TABLED, "workers": 10_000}
# Conducted at once: enough that a round of visits costs little beside its patients, few enough for the
# processor's cache and for one thread of a worker.
PATIENTS_TOGETHER, MOST_TOGETHER = 3_700, 64
TABLES = ("patients", "visits", "endpoints", "survival_curves")
# Of trials with data cuts.
CUT_TABLES = LOOKS_TABLE, EARLIER_TABLE = "looks", "earlier_endpoints"


def run(
    protocol: Protocol | str | Path,
    replicates: int = 1,
    seed: int = 1,
    progress: Progress | None = None,
    workers: int = 1,
    *,
    draws: ParameterDraws | None = None,
    population: workshop.Population | str | Path | None = None,
    counterfactual: bool = False,
) -> TrialResult:
    """Run virtual trials of a protocol.

    protocol: a Protocol, a name out of `available()`, or the path of a TOML file.
    replicates: how many trials, each with patients of its own.   seed: same seed, same bits.
    progress: called with the share done, 0 to 1.   workers: processes; the result does not depend on it.
    draws: parameters, one row per replicate in turn; the model file's typical ones if None, which no fit has
    seen: `calibration.clinical.posterior().central(protocol)` gives those that `glueprint trial run` takes.
    population: whose vectors the patients are drawn from by weight, or the folder that holds it.
    counterfactual: let every patient also live without what follows progression.
    Raises InputError GP-T021 for replicates, seed or workers out of range, GP-M050 to GP-M052 for draws
    that are none of the mechanism, and what `load_protocol`, `workshop.load_population` and
    `patients.check_given` raise.

    >>> run("mm003", seed=1).replicates
    1
    """
    check_counts(replicates=replicates, workers=workers, seed=seed)
    plan = protocol if isinstance(protocol, Protocol) else load_protocol(protocol)
    check_size(plan, replicates)
    if draws:
        check_draws(draws)
    given = workshop.load_population(population) if isinstance(population, str | Path) else population
    if given is not None:
        check_given(plan, given, scenarios(plan, draws.truth(1) if draws else Truth()))
    work = units_of(plan, replicates, seed, draws=draws, given=given, counterfactual=counterfactual)
    groups = groups_of(work, workers)
    parts: dict[str, list[pl.DataFrame]] = {}
    for done in _replicates(groups, progress or silent, workers):
        for name, table in done.named.items():
            parts.setdefault(name, []).append(table)
    tables = {name: pl.concat(part) for name, part in parts.items()}
    label = OF_POPULATION.format(given.digest[:12]) if given is not None else draws.label if draws else ""
    return TrialResult(plan, seed, **tables, draws_label=label)


def check_counts(*, seed: int, **counts: int) -> None:
    """Refuse a seed below 0, counts below 1 and more than fits into tables.   Raises InputError GP-T021."""
    for name, number, least in (*((name, number, 1) for name, number in counts.items()), ("seed", seed, 0)):
        if not isinstance(number, Integral) or number < least:
            raise InputError(
                "GP-T021",
                f"{name} is {number}",
                where=name,
                expected=f"a whole number of at least {least}",
                next_step=f"choose another number for {name}",
            )
    for name, number in counts.items():
        if number > MOST[name]:
            raise _too_many(f"{name} is {number}", name, MOST[name])


def check_size(plan: Protocol, replicates: int) -> None:
    """Refuse trials whose tables fit into no memory, before any work.   Raises InputError GP-T021."""
    patients = plan.patients * replicates
    if patients > MOST_TABLED:
        what = f"{replicates} replicates of {plan.patients} patients are {patients} virtual patients"
        raise _too_many(what, "replicates", MOST_TABLED)


def _too_many(what: str, where: str, most: int) -> InputError:
    return InputError(
        "GP-T021",
        f"{what}, and their tables would not fit into memory",
        where=where,
        expected=f"at most {most}",
        next_step="fewer replicates or patients; docs/runs.md says how a million patients are reduced",
    )


def _replicates(work: list[Group], report: Progress, workers: int) -> Iterator[Done]:
    """What each replicate gives, in order."""
    before = list(accumulate(map(len, work), initial=0))
    if workers == 1 or len(work) == 1:
        for group, first in zip(work, before, strict=False):
            yield from run_group(group, _part_of(report, (first, len(group)), before[-1]))
        report(1.0)
        return
    waiting: dict[int, list[Done]] = {}
    wanted = 0  # replicates leave in order, whoever is done first
    choice = executor.Choice("processes", min(workers, len(work)))
    with executor.start(choice) as crew, closing(crew.run(run_group, work)) as done:
        for place, answer in done:
            waiting[place] = answer
            while wanted in waiting:
                yield from waiting.pop(wanted)
                wanted += 1
                report(before[wanted] / before[-1])


def collected(
    task: Callable[[Group], list[Kept]], work: Sequence[Unit], workers: int, report: Progress = silent
) -> list[Kept]:
    """What `task` keeps of each unit, in the order of `work`.

    task: what is kept of each unit of a group, such as of `run_group`.   workers: processes; the result does
    not depend on it.   report: called with the share done.
    """
    choice = executor.Choice("processes" if workers > 1 else "serial", workers)
    groups = groups_of(work, workers)
    found: list[list[Kept]] = [[] for _ in groups]
    with executor.start(choice) as crew, closing(crew.run(task, groups)) as answers:
        for place, kept in answers:
            found[place] = kept
            report(sum(map(len, found)) / len(work))
    return [one for kept in found for one in kept]


def _part_of(report: Progress, part: tuple[int, int], replicates: int) -> Progress:
    """Progress of some replicates, the first of them and how many, as progress of all."""
    first, count = part
    return lambda share: report((first + share * count) / replicates)


@dataclass(frozen=True)
class Unit:
    """A piece of work that is done as a whole or not at all: one virtual trial of a protocol.

    truth: what holds in it.   counterfactual: as in `run`.
    """

    protocol: Protocol
    seed: int
    replicate: int
    truth: Truth = field(default_factory=Truth)
    counterfactual: bool = False

    @property
    def name(self) -> str:
        """Its place below the folder of all units."""
        return f"{self.protocol.name}/{self.replicate:06d}"


Group = tuple[Unit, ...]


def groups_of(work: Iterable[Unit], hands: int = 1) -> list[Group]:
    """Units in groups that `run_group` conducts at once, in order; whatever the groups, each unit gives the
    same.

    hands: how many groups are worked on at a time, of which none shall wait long for the last.
    Like units are shared out evenly, at most `MOST_TOGETHER` and `PATIENTS_TOGETHER` patients to a group.
    """
    alike: list[list[Unit]] = []
    for unit in work:
        if alike and _like(alike[-1][0], unit):
            alike[-1].append(unit)
        else:
            alike.append([unit])
    groups: list[Group] = []
    for units_alike in alike:
        count = len(units_alike)
        most = min(max(PATIENTS_TOGETHER // units_alike[0].protocol.patients, 1), MOST_TOGETHER)
        rounds = -(-count // (most * hands))
        size = -(-count // (rounds * hands))
        groups += [tuple(units_alike[first : first + size]) for first in range(0, count, size)]
    return groups


def _like(first: Unit, other: Unit) -> bool:
    """Whether two units can be conducted at once: the same trial but for its numbers, without data cuts."""
    same = first.protocol is other.protocol and not other.protocol.data_cuts
    same &= (first.seed, first.counterfactual) == (other.seed, other.counterfactual)
    return same and first.truth.kind == other.truth.kind


def run_unit(unit: Unit, progress: Progress | None = None) -> Tables:
    """Patients, visits, endpoints and survival curves of one virtual trial, at its last analysis."""
    return run_group((unit,), progress)[0].tables


@dataclass(frozen=True)
class Done:
    """What a unit gives: the four tables, and of a trial with data cuts the row of each and the endpoints at
    those before the last."""

    tables: Tables
    looks: pl.DataFrame | None = None
    earlier: pl.DataFrame | None = None

    @property
    def named(self) -> dict[str, pl.DataFrame]:
        """The tables that there are, by name."""
        more = {LOOKS_TABLE: self.looks, EARLIER_TABLE: self.earlier}
        there = {name: table for name, table in more.items() if table is not None}
        return dict(zip(TABLES, self.tables, strict=True)) | there


def run_group(group: Group, progress: Progress | None = None) -> list[Done]:
    """All that each virtual trial of a group gives; see `groups_of`."""
    forks.refuse()
    plan = group[0].protocol
    streams = [Stream(unit.seed, plan.name, unit.replicate) for unit in group]
    people = [draw_population(plan, stream, unit.truth) for unit, stream in zip(group, streams, strict=True)]
    if plan.data_cuts:
        return [_cut(*each) for each in zip(group, people, streams, strict=True)]
    counterfactual = group[0].counterfactual
    trials = list(zip(people, streams, strict=True))
    done = conduct_together(plan, trials, progress, counterfactual=counterfactual)
    return [
        _analysed(unit, conducted, patients_table(plan, conducted, unit.replicate))
        for unit, conducted in zip(group, done, strict=True)
    ]


def _cut(unit: Unit, people: Population, stream: Stream) -> Done:
    """A trial with data cuts: as conducted to the last, with the row of each cut and the endpoints before."""

    def follow(some: Population) -> Conducted:
        return conduct(unit.protocol, some, stream, counterfactual=unit.counterfactual)

    found = at_cuts(unit.protocol, people, follow, unit.replicate)
    return replace(_analysed(unit, found.conducted, found.patients), looks=found.looks, earlier=found.earlier)


def _analysed(unit: Unit, conducted: Conducted, patients: pl.DataFrame) -> Done:
    """A conducted trial with its tables."""
    plan = unit.protocol
    refuse_unread(patients.columns)
    return Done(
        (
            patients,
            visits_table(plan, conducted, unit.replicate),
            endpoints_table(plan, patients),
            survival_curves_table(plan, patients),
        )
    )


def units_of(
    protocol: Protocol,
    replicates: int,
    seed: int,
    *,
    draws: ParameterDraws | None = None,
    given: workshop.Population | None = None,
    counterfactual: bool = False,
) -> Iterator[Unit]:
    """The work of `run` in units that can be done anywhere, in any order; raises as `check_size`."""
    check_size(protocol, replicates)
    for number in range(1, replicates + 1):
        truth = draws.truth(number) if draws else Truth()
        yield Unit(protocol, seed, number, replace(truth, given=given), counterfactual)


def keep_group(root: Path, group: Group, tables: Collection[str] | None = None) -> list[Receipt]:
    """Compute the units of a group and put each on disk below `root`, one after another.

    tables: names of those to keep; all that there are if None.   Raises as `runs.units.keep`.
    """
    receipts = []
    for unit, done in zip(group, run_group(group), strict=True):
        status = done.tables[0].get_column("status")
        facts = {"patients": status.len(), "failed": int((status != 0).sum())}
        kept = {name: table for name, table in done.named.items() if tables is None or name in tables}
        receipts.append(units.keep(root, unit.name, kept, facts))
    return receipts


def read_units(
    root: Path, protocol: Protocol, replicates: int, seed: int, *, draws: ParameterDraws | None = None
) -> TrialResult:
    """What `run` gives, from units that are all on disk; raises as `runs.units.read`."""
    names = [unit.name for unit in units_of(protocol, replicates, seed)]
    every = (*TABLES, *CUT_TABLES) if protocol.data_cuts else TABLES
    tables = {table: pl.concat(units.read(root, name, table) for name in names) for table in every}
    return TrialResult(protocol, seed, **tables, draws_label=draws.label if draws else "")
