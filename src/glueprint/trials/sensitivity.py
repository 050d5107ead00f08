"""Which numbers of the model move an endpoint of a trial: the trial as a question of the workshop.

Every point of a sample is the same virtual trial, with the same patients and the same chance, and other
numbers: differences between points are what the numbers do (common random numbers; own derivation,
docs/trials.md, "Which numbers move an endpoint").
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.errors import InputError
from glueprint.trials.patients import ParameterDraws, check_draws
from glueprint.trials.protocol import Protocol
from glueprint.trials.running import (
    Group,
    Unit,
    check_counts,
    check_size,
    collected,
    run_group,
    run_unit,
)
from glueprint.workshop import Asked, Range, unusable

__all__ = ["TrialQuestion", "chance", "check_chance"]

Floats = NDArray[np.float64]
PER_PART = 32
MOST_NAMED = 30
RATIO_UNIT = "ratio"


@dataclass(frozen=True, eq=False)
class TrialQuestion(Asked):
    """What is asked of a virtual trial.

    ranges: of numbers of the model, by the names of `ParameterDraws`.   outputs: endpoints, as "hr_pfs" where
    one row of the trial has it, else as "ARM:orr".   draws: all other numbers, its first row.
    replicates: trials at each point, with patients of their own, whose mean is the output (the geometric mean
    of a ratio).   seed: same seed, same bits.   workers: processes; the result does not depend on it.
    Raises InputError GP-W027 for ranges that cannot be used, GP-T021 for counts, GP-T100 for an endpoint that
    the trial has not or has more than once, GP-M050 to GP-M052 for names or values that the model has not.
    """

    protocol: Protocol
    ranges: tuple[Range, ...]
    outputs: tuple[str, ...]
    draws: ParameterDraws
    replicates: int = 1
    seed: int = 1
    workers: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(replicates=self.replicates, workers=self.workers, seed=self.seed)
        check_size(self.protocol, self.replicates)
        limits = np.array([[one.low, one.high] for one in self.ranges]).T
        check_draws(ParameterDraws(self._names, limits, self.draws.structure, compound=self.draws.compound))
        self.rows  # noqa: B018 - refuses endpoints before any work

    @property
    def per_part(self) -> int:
        """Points that are computed, and kept, together."""
        return PER_PART

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.ranges)

    @cached_property
    def rows(self) -> tuple[tuple[str, str, str], ...]:
        """Arm, endpoint and unit of each output, as a trial with the other numbers has them."""
        table = run_unit(self._unit({}, 1))[2]
        return tuple(_row(table, output) for output in self.outputs)

    def computed(self, plain: Floats) -> Floats:
        """The outputs (n, outputs) at values (n, k) of what varies; NaN where one was not reached."""
        changes = [dict(zip(self._names, row.tolist(), strict=True)) for row in plain]
        found = self._outcomes(
            [self._unit(change, number) for change in changes for number in range(1, self.replicates + 1)]
        ).reshape(plain.shape[0], self.replicates, len(self.outputs))
        ratio = np.array([unit == RATIO_UNIT for _, _, unit in self.rows])
        with np.errstate(divide="ignore"):
            scaled = np.where(ratio, np.log(np.where(ratio, found, 1.0)), found)
        scaled[~np.isfinite(scaled)] = np.nan
        mean = scaled.mean(axis=1)
        return np.where(ratio, np.exp(np.where(ratio, mean, 0.0)), mean)

    def content(self) -> tuple[object, ...]:
        """All that decides the outputs beside the values of what varies."""
        numbers = [
            (one.structure, one.compound.digest, sorted(one.overrides.items()))
            for one in self.draws.truth(1).chain
        ]
        return (self.protocol.model_dump_json(), numbers, self.replicates, self.seed)

    def outcomes(self, replicates: int) -> Floats:
        """The outputs (replicates, outputs) of single trials at the middle of the ranges."""
        low, high = self.box()
        middle = self.scales.plain(0.5 * (low + high))
        change = dict(zip(self._names, middle.tolist(), strict=True))
        return self._outcomes([self._unit(change, number) for number in range(1, replicates + 1)])

    def _unit(self, change: dict[str, float], replicate: int) -> Unit:
        truth = self.draws.truth(1)
        return Unit(
            self.protocol, self.seed, replicate, replace(truth, overrides={**truth.overrides, **change})
        )

    def _outcomes(self, work: list[Unit]) -> Floats:
        found = collected(partial(_values, rows=self.rows), work, self.workers)
        return np.array(found).reshape(len(work), len(self.outputs))


def chance(question: TrialQuestion, trials: int = 20, *, folder: Path | None = None) -> Floats:
    """Standard deviation (outputs,) between trials that differ in patients and chance alone, at the middle of
    the ranges; of the mean of so many replicates as the question has.

    trials: so many are run.   folder: where they are kept, and taken from if they are there.
    NaN where an output was not reached in one of them.
    Raises InputError GP-W027 for fewer than two.
    """
    check_chance(trials)
    name = f"chance-{question.key(np.array([float(trials)]))}"
    found = question.kept(folder, name, partial(question.outcomes, trials)).copy()
    found[~np.isfinite(found)] = np.nan
    return np.asarray(found.std(axis=0, ddof=1) / np.sqrt(question.replicates))


def check_chance(trials: int) -> None:
    """Refuse a number of trials that shows no spread.   Raises InputError GP-W027."""
    if trials < 2:
        raise unusable(f"{trials} trial for a spread between trials", "chance", "2 or more, such as 20")


def _values(group: Group, rows: tuple[tuple[str, str, str], ...]) -> list[list[float]]:
    """The value of each of these rows of each trial; NaN where it was not reached."""
    return [_of_rows(done.tables[2], rows) for done in run_group(group)]


def _of_rows(table: pl.DataFrame, rows: tuple[tuple[str, str, str], ...]) -> list[float]:
    named = {(arm, name): value for arm, name, value in table.select("arm", "endpoint", "value").iter_rows()}
    found = (named.get((arm, name)) for arm, name, _ in rows)
    return [np.nan if value is None else float(value) for value in found]


def _row(table: pl.DataFrame, output: str) -> tuple[str, str, str]:
    arm, _, name = output.rpartition(":")
    named = table.filter(pl.col("endpoint") == name)
    rows = named.filter(pl.col("arm") == arm) if arm else named
    if rows.height == 1:
        return rows.select("arm", "endpoint", "unit").row(0)
    if named.height:
        there = [f"{one}:{name}" for one in named.get_column("arm")]
        message = f'"{output}" is {"no row" if arm else "more than one row"} of this trial'
    else:
        there = sorted(table.get_column("endpoint").unique())
        message = f'"{output}" is no endpoint of this trial'
    shown = ", ".join(there[:MOST_NAMED]) + (", ..." if len(there) > MOST_NAMED else "")
    raise InputError(
        "GP-T100",
        message,
        where="outputs",
        expected=f"one of {shown}",
        next_step="write the endpoint, with its arm and a colon before it where several arms have it",
    )
