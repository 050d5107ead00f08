"""Draws from a posterior whose objective evaluates many parameter vectors at once: a thin door to emcee.

Several ensembles run apart, so that how far they agree says whether they have forgotten where they began.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.errors import InputError
from glueprint.inference.convergence import autocorrelation_time, split_r_hat
from glueprint.inference.mode import Floats, Objective, evaluate

__all__ = ["Posterior", "Progress", "sample"]

Progress = Callable[[int, int], None]
"""Told after each step how many of all steps are done: (done, all)."""

# Beyond these, means and quantiles are not to be trusted: Vehtari et al. 2021, doi:10.1214/20-BA1221, advise
# 1.01 and 100 effective draws a chain; an ensemble's chains are long and correlated, so 1.05 is asked here.
R_HAT_LIMIT, LEAST_EFFECTIVE, LEAST_ACCEPTED = 1.05, 400.0, 0.05
# A run of fewer autocorrelation times cannot tell how long these are; emcee warns below 50.
LEAST_TIMES = 20.0
# Differential evolution with a few snooker jumps, which need no tuning: ter Braak 2006,
# doi:10.1007/s11222-006-8769-1; ter Braak and Vrugt 2008, doi:10.1007/s11222-008-9104-9.
DIFFERENCES = {"DEMove": 0.8, "DESnookerMove": 0.2}
STAGES, LEAST_STEPS_FOR_SHAPE = 4, 20
# Share of the moves that follow the shape found in the warm-up, and how wide that shape is taken.
REFERENCE_SHARE, WIDER = 0.9, 1.1
# Sizes of these moves and how often each is tried: 1 forgets where the walker was, and is the best where the
# shape fits; small ones get through where it does not.
SIZES, TRIED = (0.15, 0.5, 1.0), (0.2, 0.2, 0.6)


@dataclass(frozen=True)
class Posterior:
    """Draws after the warm-up, and whether they can be trusted.

    draws: (e, s, w, p) ensembles, kept steps, walkers, parameters.   objective: (e, s, w) at the draws.
    r_hat: (p,) split R-hat over the halves of the ensembles.   effective: (p,) effective number of draws.
    autocorrelation_steps: (p,) integrated autocorrelation time.   accepted: share of accepted moves.
    status: "ok", or "not converged", "stuck" with reason and what to do.   evaluations: vectors evaluated.
    """

    draws: Floats
    objective: Floats
    r_hat: Floats
    effective: Floats
    autocorrelation_steps: Floats
    accepted: float
    status: str
    reason: str
    evaluations: int

    @property
    def flat(self) -> Floats:
        """All draws (e s w, p), ensemble after ensemble."""
        return self.draws.reshape(-1, self.draws.shape[-1])


def sample(
    objective: Objective,
    starts: ArrayLike,
    *,
    steps: int,
    seed: int,
    warm_up: int | None = None,
    progress: Progress | None = None,
) -> Posterior:
    """Draw from the density exp(-objective).

    objective: (m, p) -> (m,) minus log posterior; infinite where it cannot be.
    starts: (e, w, p) where the w walkers of each of e ensembles begin: w even and at least 2 p, all finite.
    steps: moves of every walker.   warm_up: moves left out at the beginning, a third if None.
    seed: of emcee's own generator, one stream per ensemble; the same seed gives the same bits.
    Returns Posterior; what did not converge says so in `status`.
    Raises InputError GP-I005 for starts, steps or seed, GP-I002 for an objective of the wrong shape.
    Source: emcee 3, doi:10.1086/670067; moves see DIFFERENCES and `_reference`; diagnostics `convergence`.
    """
    begin = _starts(starts)
    skipped = steps // 3 if warm_up is None else warm_up
    _check_steps(steps, skipped, seed)
    ensembles, _, p = begin.shape
    count = 0

    def log_density(vectors: Floats) -> Floats:
        nonlocal count
        count += vectors.shape[0]
        values = -evaluate(objective, vectors)
        return np.where(np.isnan(values), -np.inf, values)

    if not np.isfinite(log_density(begin.reshape(-1, p))).all():
        raise _refusal(
            "the objective is not finite at a start",
            "starts the model can evaluate",
            "draw them closer to a mode",
        )
    emcee, runs = _emcee(), []
    for number in range(ensembles):
        stream = np.random.MT19937(np.random.SeedSequence([seed, number]))
        state = emcee.State(begin[number], random_state=np.random.RandomState(stream).get_state())
        told = _telling(progress, number * steps, ensembles * steps)
        runs.append(_run(log_density, state, (*_stages(skipped), steps - skipped), told))
    chains, values, accepted = zip(*runs, strict=True)
    return _judged(np.stack(chains), np.stack(values), float(np.mean(accepted)), count)


def _emcee() -> Any:
    """The library; it brings scipy.stats along, which is slow to import and only who samples need pay."""
    import emcee  # type: ignore[import-untyped]

    return emcee


def _stages(warm_up: int) -> tuple[int, ...]:
    """The warm-up in equal parts; each finds the shape better, as the moves of the one before were better."""
    part = warm_up // STAGES
    return (warm_up - (STAGES - 1) * part, *([part] * (STAGES - 1)))


def _telling(progress: Progress | None, before: int, total: int) -> Callable[[int], None]:
    """Counts the steps of one ensemble on from those of the ones before it."""
    return (lambda done: progress(before + done, total)) if progress is not None else (lambda _: None)


def _run(
    log_density: Objective, state: Any, stages: tuple[int, ...], told: Callable[[int], None]
) -> tuple[Floats, Floats, float]:
    """One ensemble through its stages: differences alone, then with the shape found in the stage before.

    Only the last stage is kept: there the moves are fixed, as detailed balance asks.
    Returns draws (s, w, p), objective (s, w) and the share of accepted moves.
    """
    emcee = _emcee()
    walkers, p = state.coords.shape
    differences = [(getattr(emcee.moves, name)(), share) for name, share in DIFFERENCES.items()]
    moves, done = differences, 0
    for steps in stages:
        sampler = emcee.EnsembleSampler(walkers, p, log_density, vectorize=True, moves=moves)
        for now in sampler.sample(state, iterations=steps, skip_initial_state_check=done > 0):
            state, done = now, done + 1
            told(done)
        if steps >= LEAST_STEPS_FOR_SHAPE:
            seen = sampler.get_chain(discard=steps // 4, flat=True)
            follow = emcee.moves.MHMove(_reference(seen), ndim=p)
            moves = [(move, (1 - REFERENCE_SHARE) * share) for move, share in differences]
            moves.append((follow, REFERENCE_SHARE))
    return sampler.get_chain(), -sampler.get_log_prob(), float(np.mean(sampler.acceptance_fraction))


def _reference(seen: Floats) -> Callable[[Floats, np.random.RandomState], tuple[Floats, Floats]]:
    """Moves that would leave a normal with the moments of `seen` (m, p) unchanged, of several sizes.

    Source: preconditioned Crank-Nicolson, Cotter, Roberts, Stuart and White 2013, doi:10.1214/13-STS421.
    """
    middle = seen.mean(axis=0)
    spread = np.atleast_2d(np.cov(seen.T))
    spread = spread + 1e-12 * np.trace(spread) / middle.size * np.eye(middle.size)
    root = WIDER * np.linalg.cholesky(spread)

    def propose(at: Floats, random: np.random.RandomState) -> tuple[Floats, Floats]:
        size = random.choice(SIZES, size=(at.shape[0], 1), p=TRIED)
        here = np.linalg.solve(root, (at - middle).T).T
        there = np.sqrt(1.0 - size**2) * here + size * random.standard_normal(at.shape)
        # log of the reference's density at the old place over that at the new one
        return middle + there @ root.T, 0.5 * (there**2 - here**2).sum(axis=1)

    return propose


def _judged(draws: Floats, objective: Floats, accepted: float, evaluations: int) -> Posterior:
    """The draws with their diagnostics and what these mean."""
    r_hat, tau = split_r_hat(draws), autocorrelation_time(draws)
    effective = draws[..., 0].size / tau
    status, reason = "ok", ""
    if accepted < LEAST_ACCEPTED:
        status = "stuck"
        reason = f"{accepted:.1%} of the moves were accepted; start the walkers closer to the mode"
    elif (
        r_hat.max() > R_HAT_LIMIT
        or effective.min() < LEAST_EFFECTIVE
        or draws.shape[1] < LEAST_TIMES * tau.max()
    ):
        status = "not converged"
        worst = int(np.argmax(r_hat)) if r_hat.max() > R_HAT_LIMIT else int(np.argmin(effective))
        reason = (
            f"parameter {worst}: split R-hat {r_hat[worst]:.3f}, {effective[worst]:.0f} effective draws, "
            f"{draws.shape[1] / tau.max():.0f} autocorrelation times; take more steps (wanted: at most "
            f"{R_HAT_LIMIT:g}, at least {LEAST_EFFECTIVE:g} and {LEAST_TIMES:g})"
        )
    return Posterior(draws, objective, r_hat, effective, tau, accepted, status, reason, evaluations)


def _starts(starts: ArrayLike) -> NDArray[np.float64]:
    begin = np.asarray(starts, dtype=np.float64)
    if begin.ndim != 3 or not np.isfinite(begin).all():
        raise _refusal(
            f"starts of shape {begin.shape}",
            "finite numbers (ensembles, walkers, parameters)",
            "pass three axes",
        )
    _, walkers, p = begin.shape
    if walkers < 2 * p or walkers % 2 or walkers < 4:
        raise _refusal(
            f"{walkers} walkers for {p} parameters",
            f"an even number of at least {max(2 * p, 4)}",
            "add walkers; the moves need differences in every direction",
        )
    flat = [
        k for k, ensemble in enumerate(begin) if np.linalg.matrix_rank(ensemble - ensemble.mean(axis=0)) < p
    ]
    if flat:
        raise _refusal(
            f"the walkers of ensemble {flat[0]} lie in a plane",
            "walkers that differ in every parameter",
            "draw the starts at random around a point",
        )
    return begin


def _check_steps(steps: int, warm_up: int, seed: int) -> None:
    if steps < 1 or not 0 <= warm_up <= steps - 4 or seed < 0:
        raise _refusal(
            f"{steps} steps with {warm_up} of warm-up and seed {seed}",
            "at least four steps after the warm-up, and a seed of 0 or more",
            "take more steps or less warm-up",
        )


def _refusal(message: str, expected: str, next_step: str) -> InputError:
    return InputError("GP-I005", message, where="sample", expected=expected, next_step=next_step)
