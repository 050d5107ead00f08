"""Run a protocol: one or many virtual trials, on one process or several, with the same result."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import polars as pl

from glueprint.errors import InputError
from glueprint.trials.conduct import conduct
from glueprint.trials.endpoints import endpoints_table, survival_curves_table
from glueprint.trials.loading import load_protocol
from glueprint.trials.population import Stream, draw_population
from glueprint.trials.protocol import Protocol
from glueprint.trials.result import TrialResult
from glueprint.trials.tables import patients_table, visits_table

__all__ = ["run"]

Tables = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]
Progress = Callable[[float], None]


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
    # A fresh interpreter each: a fork of a process with threads may hang.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, replicates), mp_context=context) as pool:
        jobs = [pool.submit(run_replicate, plan, seed, number) for number in range(1, replicates + 1)]
        for number, job in enumerate(jobs, start=1):
            yield job.result()
            report(number / replicates)


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
