"""Newton's method for concave likelihoods, to the last bits that rounding allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from glueprint.survival._check import Floats
from glueprint.survival.partial_likelihood import RiskSets, evaluate

MAX_ITERATIONS = 60
# Newton decrement (squared distance from the maximum in standard errors) below which a step changes nothing
# a reader can see: 1e-11 standard errors.
DECREMENT = 1e-22
# Part of the information at the start below which a likelihood has no maximum: it fades towards infinity.
FADED = 1e-10
HALVINGS = 40
# Value, gradient and information.
Evaluated = tuple[float, Floats, Floats]


@dataclass(frozen=True)
class Maximum:
    """Where Newton's method stopped: beta (p,), information (p, p); `settled` says it is a maximum."""

    beta: Floats
    log_likelihood: float
    information: Floats
    iterations: int
    settled: bool


@dataclass(frozen=True)
class Summit:
    """The maximum of a concave likelihood: theta (q,), its value and the information (q, q)."""

    theta: Floats
    log_likelihood: float
    information: Floats


def climb(evaluate: Callable[[Floats], Evaluated | None], theta: Floats) -> Summit | None:
    """Newton's method with halved steps on a concave likelihood; None if it has no maximum.

    evaluate: value, gradient (q,) and information (q, q) at theta, or None outside the parameters allowed.
    theta: (q,) where to begin.
    Source: Newton-Raphson; without a maximum the information fades on the way to infinity.
    """
    here = evaluate(theta)
    if here is None:
        return None
    flattest = float(np.linalg.eigvalsh(here[2])[0])
    for _ in range(MAX_ITERATIONS):
        value, gradient, information = here
        if not float(np.linalg.eigvalsh(information)[0]) > FADED * flattest:
            return None
        step = np.linalg.solve(information, gradient)
        decrement = float(gradient @ step)
        slack = 1e-12 * max(1.0, abs(value))
        for _ in range(HALVINGS):
            trial = evaluate(theta + step)
            if trial is not None and trial[0] >= value - slack:
                break
            step = step / 2
        else:
            return None
        theta, here = theta + step, trial
        if decrement < DECREMENT:
            return Summit(theta, here[0], here[2])
    return None


def maximise(sets: RiskSets, start: Evaluated | None = None) -> Maximum:
    """Climb from beta = 0, halving a step that would lower the likelihood.

    sets: risk sets with covariates of unit spread.   start: what `evaluate` gives at 0, where it is known.
    Returns Maximum.
    Source: Newton-Raphson; the log partial likelihood is concave.
    """
    beta = np.zeros(sets.covariates.shape[1])
    value, gradient, information = start or evaluate(sets, beta)
    for iteration in range(1, MAX_ITERATIONS + 1):
        try:
            step = np.linalg.solve(information, gradient).astype(np.float64)
        except np.linalg.LinAlgError:
            return Maximum(beta, value, information, iteration, False)
        decrement = float(gradient @ step)
        beta, value, gradient, information = _climb(sets, beta, step, value)
        if decrement < DECREMENT * sets.unit:
            return Maximum(beta, value, information, iteration, True)
    return Maximum(beta, value, information, MAX_ITERATIONS, False)


def _climb(sets: RiskSets, beta: Floats, step: Floats, value: float) -> tuple[Floats, float, Floats, Floats]:
    """The first of step, step/2, step/4 ... that does not lower the likelihood beyond rounding."""
    slack = 1e-12 * max(1.0, abs(value))
    for _ in range(30):
        trial = evaluate(sets, beta + step)
        # Far out all weights of a risk set vanish; a likelihood without end is rounding and no climb.
        if np.isfinite(trial[0]) and trial[0] >= value - slack:
            return beta + step, *trial
        step = step / 2
    return beta, *evaluate(sets, beta)
