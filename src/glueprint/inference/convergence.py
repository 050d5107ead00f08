"""Whether draws have forgotten where they began, and how many independent ones they are worth."""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from glueprint.inference.mode import Floats

__all__ = ["autocorrelation_time", "split_r_hat"]

# Sokal's window: the sum stops where the lag is this many times the sum itself.
WINDOW = 5.0


def split_r_hat(draws: Floats) -> Floats:
    """Split R-hat of every parameter; the first and the last half of each ensemble count as one chain each.

    draws: (e, s, w, p) ensembles, steps, walkers, parameters; s >= 4.
    Returns (p,): 1 when all halves agree, infinite for a parameter that never moves.
    Source: Gelman et al., Bayesian Data Analysis, 3rd edition, 2013, equations 11.3 and 11.4; walkers of one
    ensemble lean on each other, so they share a chain instead of being one each.
    """
    e, s, w, p = draws.shape
    half = s // 2
    halves = np.concatenate([draws[:, :half], draws[:, s - half :]]).reshape(2 * e, half * w, p)
    n = half * w
    within = halves.var(axis=1, ddof=1).mean(axis=0)
    between = n * halves.mean(axis=1).var(axis=0, ddof=1)
    moves = within > 0
    ratio = between / np.where(moves, n * within, 1.0)
    return np.where(moves, np.sqrt((n - 1) / n + ratio), np.inf)


def autocorrelation_time(draws: Floats) -> Floats:
    """Integrated autocorrelation time of every parameter, in steps: one draw in so many is independent.

    draws: (e, s, w, p) as in `split_r_hat`.   Returns (p,) from 1 to s; s where walkers never move.
    Source: Goodman and Weare 2010, doi:10.2140/camcos.2010.5.65: the autocorrelation averaged over walkers,
    summed up to the window of Sokal; held to emcee's own function by the tests.
    """
    e, s, _, p = draws.shape
    size = next_fast_len(2 * s, real=True)
    found = np.empty((e, p))
    for k in range(p):
        away = draws[..., k] - draws[..., k].mean(axis=1, keepdims=True)
        spectrum = rfft(away, n=size, axis=1)
        raw = irfft(np.abs(spectrum) ** 2, n=size, axis=1)[:, :s]
        # A walker that never moves is one draw however long it stands.
        moves = raw[:, :1] > 1e-12 * np.abs(draws[..., k]).max() ** 2 * s
        correlation = np.where(moves, raw / np.where(moves, raw[:, :1], 1.0), 1.0).mean(axis=2)
        sums = 2.0 * np.cumsum(correlation, axis=1) - 1.0
        beyond = np.arange(s) >= WINDOW * sums
        window = np.where(beyond.any(axis=1), beyond.argmax(axis=1), s - 1)
        found[:, k] = sums[np.arange(e), window]
    return np.asarray(np.clip(found.mean(axis=0), 1.0, s))
