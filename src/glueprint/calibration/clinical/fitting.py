"""The fit: mode, rounds of simulations about what is believed so far, a response surface, draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from glueprint.calibration.clinical.likelihood import Likelihood, rough_cost
from glueprint.calibration.clinical.searching import Search, search
from glueprint.calibration.clinical.summaries import Summary
from glueprint.calibration.observed import LEAST_REPLICATES
from glueprint.inference import Posterior, ResponseSurface, response_surface, sample
from glueprint.runs import streams
from glueprint.runs.progress import silent

__all__ = ["FULL", "LONG", "QUICK", "SMALL", "Effort", "Fit", "Simulator", "Told", "fit"]

Floats = NDArray[np.float64]
Told = Callable[[str, int, int], None]
"""Told of progress: (stage, done, all)."""
Simulator = Callable[[Floats, NDArray[np.int64], Callable[[int, int], None]], Floats]
"""Summaries (n, q) of one simulation at each of coordinates (n, p) with seeds (n,); tells (done, all)."""
ENSEMBLES, WALKERS, WARM_UP = 2, 96, 0.4
# The first round lies about the mode, later ones about the draws so far, wider than they are.
FIRST_SD, WIDER = 0.5, 1.4
# Simulations further out than this share of the last design's spread do not shape the last surface.
INSIDE = 0.99
LEAST_STEPS = 150
ROUND_SEEDS = 1_000_000


@dataclass(frozen=True)
class Effort:
    """How much is computed: generations and offspring of the search, simulations of each round, steps, and
    virtual trials of the check inside the evidence."""

    generations: int
    offspring: int
    rounds: tuple[int, ...]
    steps: int
    checks: int = 80


FULL = Effort(12, 32, (250, 350, 500), 1500)
# From a known start, without a search: more simulations for more coordinates, fewer for fewer summaries.
LONG = Effort(0, 0, (400, 400, 500, 700), 1500)
SMALL = Effort(0, 0, (300, 400, 500), 1200, checks=LEAST_REPLICATES)
QUICK = Effort(4, 24, (120, 160), 400, checks=LEAST_REPLICATES)


@dataclass(frozen=True)
class Fit:
    """What the fit found, in coordinates that are standard normal under the prior.

    z: (n, p) simulated, outputs (n, q) their summaries.   used: (n,) which shaped the last surface.
    """

    summaries: tuple[Summary, ...]
    mode: Search
    z: Floats
    outputs: Floats
    used: NDArray[np.bool_]
    surface: ResponseSurface
    likelihood: Likelihood
    posterior: Posterior


def fit(
    summaries: Sequence[Summary],
    simulator: Simulator,
    start: Floats,
    *,
    effort: Effort = FULL,
    seed: int = 1,
    told: Told | None = None,
) -> Fit:
    """Fit parameters to published summaries, in coordinates that are standard normal under the prior.

    start: (p,) where the search begins.
    Source: own derivation, docs/calibration.md, "The clinical fit".
    """
    wanted, report = tuple(summaries), told or silent
    mode = _mode(wanted, simulator, start, effort, seed, report)
    size = start.size
    centre: Floats = mode.z
    root: Floats = FIRST_SD * np.eye(size)
    points, results = np.zeros((0, size)), np.zeros((0, len(wanted)))
    for number, count in enumerate(effort.rounds):
        last = number == len(effort.rounds) - 1
        normal = streams.normals(seed, f"calibration/clinical/round {number}", np.arange(count), size)
        z = centre + normal @ root.T
        # Every simulation has random numbers of its own, apart from those of the search.
        seeds = ROUND_SEEDS * (number + 1 + 100 * seed) + np.arange(count)
        stage = f"round {number + 1} of {len(effort.rounds)}"
        outputs = simulator(z, seeds, partial(report, stage))
        points, results = np.concatenate([points, z]), np.concatenate([results, outputs])
        used = _near(points, centre, root) & np.isfinite(results).all(axis=1)
        surface = response_surface(points[used], results[used], centre)
        likelihood = Likelihood(wanted, surface, points[used])
        steps = effort.steps if last else max(effort.steps // 3, LEAST_STEPS)
        posterior = _drawn(likelihood, centre, steps, seed + number, report)
        if not last:
            centre = np.asarray(posterior.flat.mean(axis=0), dtype=np.float64)
            root = np.asarray(WIDER * np.linalg.cholesky(np.cov(posterior.flat.T)), dtype=np.float64)
    return Fit(wanted, mode, points, results, used, surface, likelihood, posterior)


def _mode(
    summaries: tuple[Summary, ...],
    simulator: Simulator,
    start: Floats,
    effort: Effort,
    seed: int,
    report: Told,
) -> Search:
    """The most likely coordinates, with common random numbers."""
    # Without generations the start alone is tried.
    tried, planned = 0, max(effort.generations * effort.offspring, 1)

    def costs(z: Floats) -> Floats:
        nonlocal tried
        before = tried
        outputs = simulator(
            z, np.full(z.shape[0], seed), lambda done, _: report("search", before + done, planned)
        )
        tried += z.shape[0]
        return rough_cost(summaries, outputs, z)

    return search(costs, start, generations=effort.generations, offspring=effort.offspring, seed=seed)


def _near(points: Floats, centre: Floats, root: Floats) -> NDArray[np.bool_]:
    """(n,) which simulations lie inside the last design."""
    distance = np.linalg.solve(root, (points - centre).T)
    return np.asarray((distance**2).sum(axis=0) <= chi2.ppf(INSIDE, points.shape[1]))


def _drawn(likelihood: Likelihood, centre: Floats, steps: int, seed: int, report: Told) -> Posterior:
    size = centre.size
    normal = streams.normals(seed, "calibration/clinical/starts", np.arange(ENSEMBLES * WALKERS), size)
    starts = (centre + 0.3 * normal).reshape(ENSEMBLES, WALKERS, size)
    return sample(
        likelihood.minus_log_posterior,
        starts,
        steps=steps,
        warm_up=int(WARM_UP * steps),
        seed=seed,
        progress=lambda done, total: report("draws", done, total),
    )
