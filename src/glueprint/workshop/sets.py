"""Many sets of measurements of one design at once: simulated from a truth, and each fitted by itself.

Shows what a design can tell before anything is measured, and whether estimates and limits keep their
promise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from glueprint.runs.streams import uniforms
from glueprint.workshop.fitting import Settings, Told, draw_starts
from glueprint.workshop.objective import LOGARITHM, Cost, Objective
from glueprint.workshop.problem import Problem
from glueprint.workshop.profiles import profiles
from glueprint.workshop.search import search

__all__ = ["FittedSets", "fit_sets", "simulate_sets"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FittedSets:
    """One row a set.

    names: of the parameters.   estimates, low, high: (sets, p); limits are infinite where none lies within
    the bounds, NaN where their search failed.   verdicts: (sets, p).   status: of each set's best search.
    """

    names: tuple[str, ...]
    estimates: Floats
    low: Floats
    high: Floats
    verdicts: NDArray[np.str_]
    status: tuple[str, ...]


def simulate_sets(problem: Problem, truth: dict[str, float], count: int, seed: int) -> Floats:
    """Measurements (count, rows) as the problem's noise would scatter them about the model.

    truth: a value for every parameter that is estimated.
    """
    objective = Objective(problem)
    z = problem.scales.scaled(np.array([truth[one.name] for one in problem.estimated]))
    fitted = objective.fitted(z[None, :])
    share = uniforms(seed, "simulated measurements", np.arange(count), len(problem.rows))
    found = np.empty_like(share)
    for place, one in enumerate(problem.observables):
        mine = problem.rows.observable == place
        u = share[:, mine]
        side = u - 0.5
        draw = ndtri(u) if one.distribution == "normal" else -np.sign(side) * np.log1p(-2.0 * np.abs(side))
        y, sd = fitted.predicted[0, mine], fitted.sd[0, mine]
        if one.transformation == "lin":
            found[:, mine] = y + sd * draw
        else:
            found[:, mine] = y * np.exp(sd * draw * LOGARITHM[one.transformation])
    return found


def fit_sets(
    problem: Problem, measured: Floats, settings: Settings | None = None, *, told: Told | None = None
) -> FittedSets:
    """Fit every set by itself, all of them as one ensemble.

    measured: (sets, rows).   settings: `starts` is the number of searches of each set.
    """
    settings = settings or Settings(starts=5)
    objective, box = Objective(problem, accuracy=settings.accuracy), problem.box()
    sets, p = measured.shape[0], len(problem.estimated)
    starts = np.concatenate(
        [draw_starts(problem, settings.starts, settings.seed + number) for number in range(sets)]
    )
    owner = np.repeat(np.arange(sets), settings.starts)

    def of_start(z: Floats, which: NDArray[np.int64]) -> Cost:
        return objective(z, measured[owner[which]])

    def of_set(z: Floats, which: NDArray[np.int64]) -> Cost:
        return objective(z, measured[which])

    def hears(what: str) -> Callable[[int, int], None] | None:
        return None if told is None else lambda done, all_: told(what, done, all_)

    every = search(of_start, starts, box, rounds=settings.rounds, told=hears("searches"))
    best = np.array(
        [
            first + int(np.argmin(every.value[first : first + settings.starts]))
            for first in owner[:: settings.starts] * settings.starts
        ]
    )
    status = tuple(every.status[k] for k in best)
    fine = np.flatnonzero(np.isfinite(every.value[best]))
    low, high = np.full((sets, p), np.nan), np.full((sets, p), np.nan)
    verdicts = np.full((sets, p), "not known", dtype="<U24")
    if settings.with_profiles:
        walked = profiles(
            lambda z, which: of_set(z, fine[which]),
            every.scaled[best[fine]],
            every.value[best[fine]],
            every.curvature[best[fine]],
            box,
            confidence=settings.confidence,
            told=hears("profiles"),
        )
        for place, ones in zip(fine, walked, strict=True):
            low[place] = [one.low for one in ones]
            high[place] = [one.high for one in ones]
            verdicts[place] = [one.verdict for one in ones]
    scales = problem.scales
    estimates = np.where(np.isfinite(every.value[best])[:, None], scales.plain(every.scaled[best]), np.nan)
    names = tuple(one.name for one in problem.estimated)
    return FittedSets(names, estimates, _plain(problem, low), _plain(problem, high), verdicts, status)


def _plain(problem: Problem, limits: Floats) -> Floats:
    """Limits by value; what is infinite stays so."""
    return np.where(
        np.isfinite(limits), problem.scales.plain(np.where(np.isfinite(limits), limits, 0.0)), limits
    )
