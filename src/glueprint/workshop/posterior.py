"""Draws from the posterior of a fit, by emcee, an ensemble of walkers at a time; each is kept when it ends.

A density is one of the value where its prior is, and flat on the scale of the search where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.errors import InputError
from glueprint.frames import Framed, in_notebook
from glueprint.inference import autocorrelation_time, sample, split_r_hat
from glueprint.runs.store import read_table, write_tables
from glueprint.workshop.fitting import Fit, Told
from glueprint.workshop.objective import Objective
from glueprint.workshop.problem import Problem

__all__ = ["ENSEMBLES", "Draws", "Sampling", "draw_posterior"]

Floats = NDArray[np.float64]
ENSEMBLES = 4  # that run apart, so that how far they agree says whether they have forgotten their start
# Vehtari et al. 2021, doi:10.1214/20-BA1221, ask for 1.01 and 100 draws a chain; walkers are not independent.
R_HAT_LIMIT, LEAST_EFFECTIVE = 1.05, 400.0
NARROW, WIDEST = 0.5, 0.05  # of walkers at first: of the standard error, and at most of the bounds' distance
FINEST = 1e-6
QUANTILES = (0.025, 0.25, 0.5, 0.75, 0.975)


@dataclass(frozen=True)
class Sampling:
    """steps: of every walker, a third of which is left out.   walkers: of each of `ENSEMBLES`; 0 means four
    times the parameters.   seed: of the moves; the same seed gives the same bits.
    """

    steps: int = 1000
    walkers: int = 0
    seed: int = 1

    def __post_init__(self) -> None:
        if self.steps < 12 or self.walkers < 0 or self.seed < 0:
            raise InputError(
                "GP-W022",
                f"{self.steps} steps of {self.walkers} walkers with seed {self.seed}",
                where="sampling",
                expected="at least 12 steps, and numbers of 0 or more",
                next_step="correct the numbers",
            )


@dataclass(frozen=True, eq=False)
class Draws(Framed):
    """Draws from a posterior.

    draws: (ensembles, steps, walkers, p) values by parameter, after the warm-up.   r_hat, effective: (p,).
    status: "ok" or "not converged", with its reason.
    """

    problem: Problem
    draws: Floats = field(repr=False)
    r_hat: Floats
    effective: Floats
    status: str
    reason: str

    @cached_property
    def table(self) -> pl.DataFrame:
        """One row a parameter: mean, standard deviation, quantiles, split R-hat, effective draws."""
        flat = self.draws.reshape(-1, self.draws.shape[-1])
        marks = np.quantile(flat, QUANTILES, axis=0)
        return pl.DataFrame(
            {
                "parameter": [one.name for one in self.problem.estimated],
                "mean": flat.mean(axis=0),
                "sd": flat.std(axis=0, ddof=1),
                **{f"q{100 * share:g}": row for share, row in zip(QUANTILES, marks, strict=True)},
                "r_hat": self.r_hat,
                "effective": self.effective,
            }
        )

    def to_table(self) -> pl.DataFrame:
        """All draws, one row each, by parameter."""
        flat = self.draws.reshape(-1, self.draws.shape[-1])
        return pl.DataFrame({one.name: flat[:, k] for k, one in enumerate(self.problem.estimated)})

    def as_dict(self) -> dict[str, Any]:
        """Everything but the draws, for JSON."""
        return {"status": self.status, "reason": self.reason, "parameters": self.table.to_dicts()}

    def _repr_html_(self) -> str:
        return in_notebook(f"posterior of {self.problem.name}: {self.status}", self.table)


def draw_posterior(
    found: Fit, sampling: Sampling | None = None, *, folder: Path | None = None, told: Told | None = None
) -> Draws:
    """Draw from the posterior around the best values of a fit.

    folder: where each ensemble is kept when it ends, and taken from if it is there; it must be of this fit
    (`fit_into` sees to that).   told: hears how far it is.
    Raises InputError as `inference.sample`.
    """
    sampling = sampling or Sampling()
    problem = found.problem
    p = len(problem.estimated)
    walkers = sampling.walkers or max(4 * p, 8)
    objective = Objective(problem, accuracy=found.settings.accuracy)
    low, high = problem.box()

    def minus_log_density(z: Floats) -> Floats:
        inside = ((z >= low) & (z <= high)).all(axis=1)
        value = np.full(z.shape[0], np.inf)
        if inside.any():
            value[inside] = objective(z[inside]).value - _log_widths(problem, z[inside])
        return value

    chains = []
    for number in range(ENSEMBLES):
        name = f"posterior-{number + 1}-{sampling.steps}-{walkers}-{sampling.seed}"
        kept = None if folder is None else folder / f"{name}.parquet"
        if kept is not None and kept.is_file():
            columns = read_table(kept, name).select(one.name for one in problem.estimated)
            chains.append(columns.to_numpy().reshape(-1, walkers, p))
            continue

        def hears(done: int, _: int, before: int = number) -> None:
            if told is not None:
                told("posterior", before * sampling.steps + done, ENSEMBLES * sampling.steps)

        seed = ENSEMBLES * sampling.seed + number
        starts = _starts(found, walkers, seed)
        one = sample(minus_log_density, starts[None], steps=sampling.steps, seed=seed, progress=hears)
        chains.append(one.draws[0])
        if folder is not None:
            flat = one.draws.reshape(-1, p)
            table = pl.DataFrame({item.name: flat[:, k] for k, item in enumerate(problem.estimated)})
            write_tables(folder, {name: table})
    return _judged(problem, np.stack(chains))


def _log_widths(problem: Problem, z: Floats) -> Floats:
    """Logarithm of what a density of values is to be multiplied by to be one of scaled values, (m,)."""
    slopes = problem.scales.slopes(problem.scales.plain(z))
    of_values = [one.prior is not None and not one.prior.on_scale for one in problem.estimated]
    return np.asarray(np.log(slopes[:, of_values]).sum(axis=1))


def _starts(found: Fit, walkers: int, seed: int) -> Floats:
    """Walkers (walkers, p) about the best values, as wide as the curvature says, within the bounds."""
    best, curvature = found.searched.scaled[0], found.searched.curvature[0]
    low, high = found.problem.box()
    size = np.sqrt(np.maximum(np.diag(curvature), 1e-300))
    inverse = np.linalg.pinv(curvature / np.outer(size, size) + 1e-8 * np.eye(size.size), hermitian=True)
    errors = np.sqrt(np.maximum(np.diag(inverse), 0.0)) / size
    wide = np.clip(NARROW * errors, FINEST * (high - low), WIDEST * (high - low))
    drawn = best + wide * np.random.Generator(np.random.Philox(seed)).standard_normal((walkers, best.size))
    edge = FINEST * (high - low)
    # What lies outside is put as far inside: walkers on a bound would all be in one plane.
    drawn = np.where(drawn < low, 2.0 * low - drawn, drawn)
    drawn = np.where(drawn > high, 2.0 * high - drawn, drawn)
    return np.asarray(np.clip(drawn, low + edge, high - edge))


def _judged(problem: Problem, scaled: Floats) -> Draws:
    r_hat, tau = split_r_hat(scaled), autocorrelation_time(scaled)
    effective = scaled[..., 0].size / tau
    status, reason = "ok", ""
    if r_hat.max() > R_HAT_LIMIT or effective.min() < LEAST_EFFECTIVE:
        worst = int(np.argmax(r_hat)) if r_hat.max() > R_HAT_LIMIT else int(np.argmin(effective))
        status = "not converged"
        reason = (
            f"{problem.estimated[worst].name}: split R-hat {r_hat[worst]:.3f} (at most {R_HAT_LIMIT:g}), "
            f"{effective[worst]:.0f} effective draws (at least {LEAST_EFFECTIVE:g}); take more steps"
        )
    return Draws(problem, problem.scales.plain(scaled), r_hat, effective, status, reason)
