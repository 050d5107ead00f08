"""Cox's likelihood of two groups: one number per death and replicate, maximised in all replicates at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.survival._check import Floats, Integers
from glueprint.survival.counts import Counts
from glueprint.survival.newton import DECREMENT, MAX_ITERATIONS


@dataclass(frozen=True)
class Deaths:
    """One row per death with both groups at risk, (rows,): the likelihood is a product of a + b exp(beta).

    log_odds: log(b / a) with a, b the effective numbers at risk in groups 0 and 1.   replicate: (rows,).
    observed: (replicates,) deaths of group 1 among the rows.   rows: (replicates,) number of rows.
    """

    log_odds: Floats
    replicate: Integers
    observed: Floats
    rows: Integers


def death_rows(table: Counts, replicate: Integers, replicates: int, ties: str) -> Deaths:
    """Rows of the likelihood from counts of two groups.

    table: Counts of two groups.   replicate: (m,) of each of its rows.   ties: "efron" or "breslow".
    Returns Deaths. Times with one group at risk are left out: they say nothing about the ratio.
    Source: Efron 1977, doi:10.1080/01621459.1977.10480613.
    """
    died = table.events.sum(axis=1)
    used = np.flatnonzero((died > 0) & (table.at_risk > 0).all(axis=1))
    size = died[used]
    row = np.repeat(used, size)
    earlier = np.arange(row.size) - np.repeat(np.cumsum(size) - size, size)
    share = earlier / died[row] if ties == "efron" else np.zeros(row.size)
    a = table.at_risk[row, 0] - share * table.events[row, 0]
    b = table.at_risk[row, 1] - share * table.events[row, 1]
    observed = np.bincount(replicate[used], table.events[used, 1], replicates).astype(np.float64)
    return Deaths(np.log(b / a), replicate[row], observed, np.bincount(replicate[row], minlength=replicates))


def maximise_two_group(deaths: Deaths) -> tuple[Floats, Floats, NDArray[np.str_]]:
    """Log hazard ratio, information and status of every replicate, each (replicates,).

    deaths: Deaths.
    Returns (beta, information, status); beta is infinite where only one group died, NaN without rows.
    Source: the gradient falls with beta, so Newton's step is kept inside a bracket that only shrinks.
    """
    replicates = deaths.rows.size
    empty = deaths.rows == 0
    rising, falling = deaths.observed == deaths.rows, deaths.observed == 0
    finite = ~(rising | falling | empty)
    beta = np.zeros(replicates)
    low, high = np.full(replicates, -np.inf), np.full(replicates, np.inf)
    information = np.full(replicates, np.nan)
    settled = ~finite
    for _ in range(MAX_ITERATIONS):
        share = 1 / (1 + np.exp(-(deaths.log_odds + beta[deaths.replicate])))
        gradient = deaths.observed - np.bincount(deaths.replicate, share, replicates)
        information = np.bincount(deaths.replicate, share * (1 - share), replicates)
        if settled.all():
            break
        low = np.where(gradient > 0, beta, low)
        high = np.where(gradient < 0, beta, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.where(settled, 0.0, gradient / information)
            trial = beta + np.clip(step, -3.0, 3.0)
            trial = np.where((trial <= low) | (trial >= high), (low + high) / 2, trial)
        close = settled | (gradient * step < DECREMENT)
        beta = np.where(settled, beta, np.where(gradient == 0, beta, trial))
        settled = close
    beta = np.where(finite, beta, np.where(empty, np.nan, np.where(rising, np.inf, -np.inf)))
    names = np.where(settled, "ok", "not converged")
    names = np.where(rising | falling, "monotone", names)
    status: NDArray[np.str_] = np.where(empty, "no comparison", names)
    return beta, information, status
