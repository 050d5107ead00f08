"""Is there a finite maximum of the partial likelihood? A linear programme answers exactly."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from glueprint.survival._check import Floats, Integers
from glueprint.survival.partial_likelihood import RiskSets


def separating_direction(sets: RiskSets) -> Floats | None:
    """A direction in which the partial likelihood never falls and its limit is never reached.

    sets: the risk sets of the data, covariates scaled to unit spread.
    Returns (p,) with entries in [-1, 1], or None when a finite maximum exists.
    Source: Bryson and Johnson 1981, doi:10.1080/00401706.1981.10486259: monotone if and only if some
    combination of covariates is at its maximum over the risk set in every patient that dies.
    Own formulation, docs/survival.md: with z = X b and m_k the maximum over risk set k, maximise
    what the constraints z <= m_k and m_k+1 <= m_k leave open, subject to z = m_k in the deaths.
    """
    x = sets.covariates
    n, p = x.shape
    first, where = np.unique(sets.first, return_inverse=True)
    last = sets.last[np.unique(where, return_index=True)[1]]
    inside = [np.arange(begin, end) for begin, end in zip(first, last, strict=True)]
    deaths = np.flatnonzero(sets.died)
    # Variables: b (p), m (risk sets). A patient is bounded by the last risk set it belongs to, and
    # m may only fall within a stratum, so every earlier risk set bounds it too.
    holder = np.full(n, -1)
    for k, members in enumerate(inside):
        holder[members] = k
    patients = np.flatnonzero(holder >= 0)
    bounded = _rows(x[patients], holder[patients], first.size)
    chain = [k for k in range(first.size - 1) if last[k] == last[k + 1]]
    falling = _difference(chain, p, first.size)
    equal = _rows(x[deaths], where.reshape(-1), first.size)
    # All that the constraints leave open, summed: it is positive exactly when some risk set is split.
    slack = np.concatenate([-x[patients].sum(axis=0), np.bincount(holder[patients], minlength=first.size)])
    slack = slack - np.asarray(falling.sum(axis=0))
    solution = linprog(
        -slack,
        A_ub=_stack([bounded, falling]),
        b_ub=np.zeros(patients.size + len(chain)),
        A_eq=equal,
        b_eq=np.zeros(deaths.size),
        bounds=[(-1, 1)] * p + [(None, None)] * first.size,
    )
    # The solver keeps its constraints to 1e-7, so a gain of that size per patient is no gain.
    if solution.status != 0 or -solution.fun < 1e-6 * n:
        return None
    direction: Floats = np.where(np.abs(solution.x[:p]) > 1e-7, solution.x[:p], 0.0)
    return direction


def _rows(x: Floats, holder: Integers, sets: int) -> coo_array:
    """Rows x b - m[holder] of the programme."""
    n, p = x.shape
    row = np.concatenate([np.repeat(np.arange(n), p), np.arange(n)])
    column = np.concatenate([np.tile(np.arange(p), n), p + holder])
    return coo_array((np.concatenate([x.ravel(), -np.ones(n)]), (row, column)), shape=(n, p + sets))


def _difference(chain: list[int], p: int, sets: int) -> coo_array:
    """Rows m[k + 1] - m[k] of the programme."""
    k = np.array(chain, dtype=np.int64)
    row = np.tile(np.arange(k.size), 2)
    column = p + np.concatenate([k + 1, k])
    value = np.concatenate([np.ones(k.size), -np.ones(k.size)])
    return coo_array((value, (row, column)), shape=(k.size, p + sets))


def _stack(blocks: list[coo_array]) -> coo_array:
    offsets = np.cumsum([0, *[block.shape[0] for block in blocks]])
    row = np.concatenate([b.coords[0] + at for b, at in zip(blocks, offsets, strict=False)])
    column = np.concatenate([b.coords[1] for b in blocks])
    value = np.concatenate([b.data for b in blocks])
    return coo_array((value, (row, column)), shape=(offsets[-1], blocks[0].shape[1]))
