"""Runs checked by runs: the same patients at a tenth of the tolerance, until two runs agree.

A solver controls the error of one step; what that leaves of the result depends on the model. The difference
between two runs is an estimate of the finer one's error, and more than it where the error follows the
tolerance.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.engine.batch import Settings
from glueprint.engine.doses import Doses
from glueprint.engine.model import Model
from glueprint.engine.results import Outcome, Trajectories
from glueprint.engine.status import Status

__all__ = ["Verified", "agreed", "verified"]

Floats = NDArray[np.float64]
Run = TypeVar("Run", bound=Outcome)

FINER = 0.1  # tolerance of a run by that of the run before
MOST_RUNS = 7
LEAST_TOLERANCE = 2e-13  # below, rounding decides
PART_OF_PEAK = 1e-3  # values below this part of an output's largest are compared with that part


@dataclass(frozen=True, eq=False)
class Verified(Trajectories):
    """Values of the finest run.

    achieved: (n,) estimate of the relative error: the largest difference to the run before at any time and
    output, NaN where a patient has failed; values below a thousandth of an output's largest are compared with
    that thousandth.   runs: how many there were.   A patient whose runs do not agree within `accuracy` has
    status ACCURACY_NOT_MET.
    """

    achieved: Floats = field(kw_only=True)
    runs: int = field(kw_only=True)


def verified(
    model: Model,
    times_h: ArrayLike,
    parameters: Mapping[str, ArrayLike] | None = None,
    *,
    initial: Mapping[str, ArrayLike] | None = None,
    doses: Doses | None = None,
    outputs: Sequence[str] | None = None,
    patients: int | None = None,
    settings: Settings | None = None,
) -> Verified:
    """Values at `times_h` with their achieved error; arguments as `Model.ensemble` and `Ensemble.simulate`.

    A patient that fails in one run is tried in the finer ones: a finer tolerance often passes what a coarser
    one does not.
    """

    def once(chosen: Settings) -> Trajectories:
        ensemble = model.ensemble(parameters, initial=initial, patients=patients, settings=chosen)
        return ensemble.simulate(times_h, doses, outputs)

    run, achieved, runs, status = agreed(once, settings or Settings(), lambda run: run.values)
    return Verified(
        status=status,
        steps=run.steps,
        time_h=run.time_h,
        outputs=run.outputs,
        values=run.values,
        doses_after_end=run.doses_after_end,
        achieved=achieved,
        runs=runs,
    )


def agreed(
    once: Callable[[Settings], Run], asked: Settings, values: Callable[[Run], Floats]
) -> tuple[Run, Floats, int, NDArray[np.int64]]:
    """Runs at falling tolerance until two agree within the accuracy asked for.

    once: a run under some settings.   values: of a run, (n, times, outputs).
    Returns the finest run, its achieved error (n,), how many runs there were, and the status of each patient.
    """
    coarser: Run | None = None
    achieved = np.full(0, np.nan)
    chosen = asked
    runs = 0
    while runs < MOST_RUNS:
        runs += 1
        run = once(chosen)
        if coarser is not None:
            achieved = _difference(coarser, run, values)
            # Runs of the very same steps differ by nothing: their error is what a step may have.
            achieved = np.where(achieved == 0.0, chosen.tolerance, achieved)
            if (achieved <= asked.accuracy).all():
                break
        tighter = dataclasses.replace(chosen, tolerance_per_accuracy=FINER * chosen.tolerance_per_accuracy)
        if tighter.tolerance < LEAST_TOLERANCE and coarser is not None:
            break
        coarser, chosen = run, tighter
    missed = (run.status == Status.OK) & ~(achieved <= asked.accuracy)
    return run, achieved, runs, np.where(missed, Status.ACCURACY_NOT_MET, run.status).astype(np.int64)


def _difference(one: Run, other: Run, values: Callable[[Run], Floats]) -> Floats:
    """Largest relative difference of every patient, NaN where one of the two has failed."""
    mine, finer = values(one), values(other)
    size = np.abs(finer)
    peak = np.max(np.nan_to_num(size), axis=1, keepdims=True, initial=0.0)
    with np.errstate(all="ignore"):
        relative = np.abs(mine - finer) / np.maximum(size, PART_OF_PEAK * peak)
    same = (mine == finer) | (np.isnan(mine) & np.isnan(finer))
    largest = np.where(same, 0.0, relative).max(axis=(1, 2), initial=0.0)
    failed = (one.status != Status.OK) | (other.status != Status.OK)
    return np.where(failed, np.nan, largest)
