"""Simulate the calibration trials for many sets of parameters, on several processes, in a fixed order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint import trials
from glueprint.calibration.clinical.parameters import TRIALS, free
from glueprint.calibration.clinical.summaries import Summary, simulated
from glueprint.runs import executor, streams

__all__ = ["Progress", "simulate"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Job:
    """One set of coordinates (p,) and the seed of its trials."""

    z: Floats
    seed: int


def simulate(
    structure: str,
    summaries: Sequence[Summary],
    workers: int,
    z: Floats,
    seeds: Integers,
    progress: Progress | None = None,
) -> Floats:
    """(n, q) summaries of one replicate of each trial at each of (n, p) coordinates.

    seeds: (n,) equal ones are common random numbers.   workers: processes; the numbers do not depend on it.
    """
    found = np.full((z.shape[0], len(summaries)), np.nan)
    jobs = [_Job(z[k], int(seeds[k])) for k in range(z.shape[0])]
    kind = executor.Choice("processes" if workers > 1 else "serial", workers)
    done = 0
    work = partial(_one, structure, tuple(summaries))
    with executor.start(kind) as crew, closing(crew.run(work, jobs)) as answers:
        for place, row in answers:
            found[place] = row
            done += 1
            if progress:
                progress(done, len(jobs))
    return found


@lru_cache(maxsize=4)
def _protocol(name: str) -> trials.Protocol:
    """Read once for all simulations of a process."""
    return trials.load_protocol(name)


def _one(structure: str, summaries: tuple[Summary, ...], job: _Job) -> Floats:
    given = free(structure)
    values = given.values(job.z[None, :])
    # What the trials cannot narrow is averaged over: every simulation has its own.
    normal = streams.normals(job.seed, "calibration/clinical/carried", np.zeros(1, int), len(given.carried))
    values |= given.carried_values(normal)
    asked = {summary.trial for summary in summaries}
    runs = [
        trials.run(_protocol(name), 1, job.seed, draws=given.draws(values, name))
        for name in TRIALS
        if name in asked
    ]
    return simulated(
        summaries,
        pl.concat(run.endpoints for run in runs),
        pl.concat(run.survival_curves for run in runs),
    )
