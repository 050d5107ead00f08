"""How a design behaves: power, error without an effect, events, patients and months, over sizes of the trial.

Patients are conducted in pools, each under one draw of the parameters; trials of every size are then drawn
from a pool, patients with replacement, and analysed at their data cuts. Over many draws the mean power is the
assurance of the design.
Source: O'Hagan, Stevens and Campbell 2005, doi:10.1002/pst.175, for assurance; docs/trials.md, "How a design
behaves".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from glueprint import forks
from glueprint.errors import InputError
from glueprint.runs import executor, units
from glueprint.runs.progress import silent
from glueprint.runs.units import Receipt
from glueprint.trials.analysis import known_days, order_statistics, patients_table
from glueprint.trials.conduct import conduct
from glueprint.trials.patients import ParameterDraws, Stream, Truth, check_draws, draw_population
from glueprint.trials.pools import NONE, PLANNED, Course, Pool, simulate
from glueprint.trials.protocol import Arm, FollowUp, Protocol, content_of
from glueprint.trials.result import CALIBRATED, EXTRAPOLATED, MOST_PROBABLE, PREDICTED, TYPICAL
from glueprint.trials.running import check_counts

__all__ = ["Operating", "OperatingSettings", "operating"]

Progress = Callable[[float], None]
TABLE = "operating"
MOST_PATIENTS = 100_000
# A quantile between two pools that so few draws cannot give is left out.
FEWEST_FOR_RANGE = 20


@dataclass(frozen=True)
class OperatingSettings:
    """How a design is simulated.

    pools: how many, each with patients, and with draws parameters, of its own.   patients: of each arm in a
    pool.   trials: of each size and truth, over all pools.   draws: parameters, a row per pool in turn; the
    typical ones if None.   workers: processes; the result does not depend on it.
    """

    pools: int = 20
    patients: int = 500
    trials: int = 2000
    seed: int = 1
    draws: ParameterDraws | None = None
    workers: int = 1

    def __post_init__(self) -> None:
        """Raises InputError GP-T021."""
        check_counts(replicates=self.pools, patients=self.patients, workers=self.workers, seed=self.seed)
        check_counts(replicates=self.trials, seed=self.seed)


@dataclass(frozen=True)
class Operating:
    """How a design behaves.

    table: a row for each size and truth ("as the model has it", "no effect"): power in %, with its Monte
    Carlo limits between pools, and between draws its middle 95 %; how trials end, and what they take.
    by_pool: the same of each pool.
    """

    protocol: Protocol
    settings: OperatingSettings
    table: pl.DataFrame
    by_pool: pl.DataFrame

    @property
    def label(self) -> str:
        """How the numbers are to be read. A trial that the fit has read is designed again, not predicted."""
        draws = self.settings.draws
        if draws is None:
            return TYPICAL
        if draws.label in (CALIBRATED, PREDICTED, EXTRAPOLATED) and len(draws.values) == 1:
            return MOST_PROBABLE
        return draws.label

    def patients_for(self, power_percent: float) -> float | None:
        """Patients at which the power is reached, straight between two sizes; None beyond those simulated."""
        rows = self.table.filter(pl.col("truth") == PLANNED).sort("patients")
        sizes, power = rows["patients"].to_numpy(), rows["power_percent"].to_numpy()
        reached = np.flatnonzero(power >= power_percent)
        if not reached.size or reached[0] == 0:
            return None
        at = int(reached[0])
        part = (power_percent - power[at - 1]) / (power[at] - power[at - 1])
        return float(sizes[at - 1] + part * (sizes[at] - sizes[at - 1]))


def operating(
    protocol: Protocol,
    sizes: Sequence[int],
    settings: OperatingSettings | None = None,
    *,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Operating:
    """Simulate a design at several sizes.

    protocol: of two arms, or with `monitoring` of two.   sizes: patients in both arms together, split as the
    protocol splits them; data cuts by events keep their numbers of events.   folder: where each pool's
    answer is kept, so that a run that was stopped goes on; it exists.   progress: called with the share done.
    Returns Operating.
    Raises InputError GP-T097 (sizes, arms), GP-T021, and what `run` raises.
    """
    how = settings or OperatingSettings()
    course = Course.of(protocol)
    _refuse(protocol, course, sizes)
    if how.draws:
        check_draws(how.draws)
    work = [
        _Work(
            protocol,
            course,
            tuple(sizes),
            how.seed,
            number,
            _share(how.trials, how.pools, number),
            how.patients,
            how.draws.truth(number) if how.draws else Truth(),
        )
        for number in range(1, how.pools + 1)
    ]
    found = _run(work, how.workers, folder, progress or silent)
    by_pool = pl.concat(found)
    return Operating(protocol, how, _over_pools(by_pool), by_pool)


def _refuse(protocol: Protocol, course: Course, sizes: Sequence[int]) -> None:
    least = course.most_events
    wrong = [size for size in sizes if not least < size <= MOST_PATIENTS]
    if wrong or not sizes or len(set(sizes)) < len(sizes):
        said = f"{wrong[0]} patients" if wrong else f"sizes {', '.join(map(str, sizes)) or 'of nothing'}"
        raise InputError(
            "GP-T097",
            said,
            where="sizes",
            expected=f"different numbers above {least}, the events asked for, up to {MOST_PATIENTS}",
            next_step="give sizes such as 200,300,400",
        )
    if len(protocol.arms) < 2:
        raise InputError(
            "GP-T097",
            f"{len(protocol.arms)} arm",
            where=protocol.name,
            expected="a protocol of two arms or more: the first is tested against the second",
            next_step="add the arm that it is compared with",
        )


def _share(whole: int, parts: int, number: int) -> int:
    """How many of a whole fall to a part, counted from 1."""
    return whole * number // parts - whole * (number - 1) // parts


@dataclass(frozen=True)
class _Work:
    """One pool and all trials from it: a unit that is done as a whole or not at all."""

    protocol: Protocol
    course: Course
    sizes: tuple[int, ...]
    seed: int
    number: int
    trials: int
    patients: int
    truth: Truth

    @property
    def unit(self) -> str:
        """Its place on disk: whatever decides its numbers is in the name of the job."""
        said = [content_of(self.protocol), self.protocol.name, self.sizes, self.seed, self.trials]
        said += [self.patients, repr(self.truth), repr(self.course)]
        digest = hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()[:16]
        return f"operating-{digest}/{self.number:06d}"


def _run(work: list[_Work], workers: int, folder: Path | None, progress: Progress) -> list[pl.DataFrame]:
    """The answer of each pool, in order; those on disk are read again."""
    answers: list[pl.DataFrame | None] = [None] * len(work)
    if folder is not None:
        for place, one in enumerate(work):
            if (folder / one.unit).is_dir() and not units.damage(folder / one.unit):
                answers[place] = units.read(folder, one.unit, TABLE)
    todo = [place for place, answer in enumerate(answers) if answer is None]
    progress(1.0 - len(todo) / len(work))
    choice = executor.Choice("processes" if workers > 1 else "serial", workers)
    with (
        executor.start(choice) as crew,
        closing(crew.run(partial(_kept, folder), [work[p] for p in todo])) as done,
    ):
        for count, (place, table) in enumerate(done, start=1):
            answers[todo[place]] = table
            progress(1.0 - (len(todo) - count) / len(work))
    return [answer for answer in answers if answer is not None]


def _kept(folder: Path | None, work: _Work) -> pl.DataFrame:
    table = pl.DataFrame(list(_trials(work)))
    if folder is not None:
        _keep(folder, work.unit, table)
    return table


def _keep(folder: Path, unit: str, table: pl.DataFrame) -> Receipt:
    return units.keep(folder, unit, {TABLE: table}, {"rows": table.height})


def _trials(work: _Work) -> Iterator[dict[str, object]]:
    """What trials of each size, with the model's effect and with none, do when drawn from one pool."""
    forks.refuse()
    pool = _pool(work)
    for size in work.sizes:
        for truth in (PLANNED, NONE):
            chance = np.random.default_rng([work.seed, work.number, size, truth == NONE])
            seen = simulate(pool, work.course, size, work.trials, chance, effect=truth == PLANNED)
            yield {"patients": size, "truth": truth, "pool": work.number, **seen}


def _pool(work: _Work) -> Pool:
    """Patients of both arms, conducted to the latest day on which any trial is analysed."""
    plan = _pool_protocol(work)
    stream = Stream(work.seed, plan.name, work.number)
    conducted = conduct(plan, draw_population(plan, stream, work.truth), stream)
    patients = patients_table(plan, conducted, work.number)
    return Pool.of(
        patients,
        conducted.seen.day,
        known_days(work.course.endpoint, conducted, patients),
        endpoint=work.course.endpoint,
        new_arm=plan.arms[0].name,
    )


def _pool_protocol(work: _Work) -> Protocol:
    arms: list[Arm] = []
    for name in work.course.arms:
        arm = next(arm for arm in work.protocol.arms if arm.name == name)
        arms.append(arm.model_copy(update={"patients": work.patients}))
    latest = max(work.course.latest_months(size) for size in work.sizes)
    return work.protocol.model_copy(
        update={
            "name": f"{work.protocol.name}-pool",
            "arms": tuple(arms),
            "randomisation": work.protocol.randomisation.model_copy(update={"ratio": (1, 1), "blocks_of": 2}),
            "follow_up": FollowUp(
                minimum_months=latest,
                median_months=latest,
                maximum_months=latest,
                assumed="to the latest analysis",
            ),
            "accrual": None,
            "data_cuts": (),
            "monitoring": None,
            "pools": (),
        }
    )


def _over_pools(by_pool: pl.DataFrame) -> pl.DataFrame:
    """Means over pools, each counting by its trials; limits of the mean by how pools differ."""
    rows = []
    for (patients, truth), part in by_pool.group_by("patients", "truth", maintain_order=True):
        trials = part["trials"].to_numpy()
        weight = trials / trials.sum()
        row: dict[str, object] = {"patients": patients, "truth": truth, "trials": int(trials.sum())}
        for name in part.columns[4:]:
            row[name] = float(weight @ part[name].to_numpy())
        power = part["power_percent"].to_numpy()
        mean = float(weight @ power)
        # Trials of one pool share its patients: the pools are the sample.
        error = float(np.sqrt((weight**2 @ (power - mean) ** 2) * part.height / max(part.height - 1, 1)))
        row |= {"low": max(mean - 1.96 * error, 0.0), "high": min(mean + 1.96 * error, 100.0)}
        enough = part.height >= FEWEST_FOR_RANGE
        _, least, most = order_statistics(power) if enough else (np.nan, np.nan, np.nan)
        row |= {"pools": part.height, "least_power_percent": least, "most_power_percent": most}
        rows.append(row)
    table = pl.DataFrame(rows).with_columns(pl.col(pl.Float64).fill_nan(None))
    first = ["patients", "truth", "trials", "pools", "power_percent", "low", "high"]
    return table.select(*first, pl.exclude(first))
