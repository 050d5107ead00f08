"""Is there a finite maximum of the partial likelihood? A linear programme answers exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from glueprint.survival._check import Floats, Integers
from glueprint.survival.partial_likelihood import RiskSets
from glueprint.survival.risk_tree import RiskTree


@dataclass(frozen=True)
class _Bounds:
    """Which variable bounds which: z[row] <= v[bound] for each pair, and v[lower] <= v[upper].

    largest: (risk sets,) the variable that is the maximum over each risk set.   count: number of variables.
    """

    row: Integers
    bound: Integers
    lower: Integers
    upper: Integers
    largest: Integers
    count: int


def separating_direction(sets: RiskSets) -> Floats | None:
    """A direction in which the partial likelihood never falls and its limit is never reached.

    sets: the risk sets of the data, covariates scaled to unit spread. Weights play no part: they are > 0.
    Returns (p,) with entries in [-1, 1], or None when a finite maximum exists.
    Source: Bryson and Johnson 1981, doi:10.1080/00401706.1981.10486259: monotone if and only if some
    combination of covariates is at its maximum over the risk set in every patient that dies.
    Own formulation, docs/survival.md: with z = X b and m_k the maximum over risk set k, maximise
    what the constraints z <= m_k and m_k+1 <= m_k leave open, subject to z = m_k in the deaths.
    """
    x = sets.covariates
    n, p = x.shape
    deaths = np.flatnonzero(sets.died)
    bounds = _falling_bounds(sets) if sets.tree is None else _tree_bounds(sets.tree)
    bounded = _rows(x[bounds.row], bounds.bound, bounds.count)
    falling = _difference(bounds, p)
    equal = _rows(x[deaths], bounds.largest[sets.tied], bounds.count)
    # All that the constraints leave open, summed: it is positive exactly when some risk set is split.
    held = np.bincount(bounds.bound, minlength=bounds.count)
    slack = np.concatenate([-x[bounds.row].sum(axis=0), held])
    slack = slack - np.asarray(falling.sum(axis=0))
    solution = linprog(
        -slack,
        A_ub=_stack([bounded, falling]),
        b_ub=np.zeros(bounds.row.size + bounds.lower.size),
        A_eq=equal,
        b_eq=np.zeros(deaths.size),
        bounds=[(-1, 1)] * p + [(None, None)] * bounds.count,
    )
    # The solver keeps its constraints to 1e-7, so a gain of that size per patient is no gain.
    if solution.status != 0 or -solution.fun < 1e-6 * n:
        return None
    direction: Floats = np.where(np.abs(solution.x[:p]) > 1e-7, solution.x[:p], 0.0)
    return direction


def _falling_bounds(sets: RiskSets) -> _Bounds:
    """All at risk from the start: a patient is bounded by the last risk set it belongs to.

    The maxima may only fall within a stratum, so every earlier risk set bounds it too.
    """
    first, where = np.unique(sets.first, return_index=True)
    last = sets.last[where]
    holder = np.full(sets.died.size, -1)
    for k, (begin, end) in enumerate(zip(first, last, strict=True)):
        holder[begin:end] = k
    patients = np.flatnonzero(holder >= 0)
    chain = np.flatnonzero(last[:-1] == last[1:])
    return _Bounds(patients, holder[patients], chain + 1, chain, np.arange(first.size), first.size)


def _tree_bounds(tree: RiskTree) -> _Bounds:
    """Delayed entry: a row is bounded by every risk set between its entry and its end.

    The tree keeps that short: each node is a variable no larger than its two halves, its leaves are the
    maxima, and a row is bounded by the few nodes that make up its stretch.
    """
    size = tree.size
    used = np.zeros(2 * size, dtype=np.bool_)
    used[tree.node] = True
    # From the root down: the halves of a node in use are in use.
    for parent in range(1, size):
        if used[parent]:
            used[2 * parent : 2 * parent + 2] = True
    parents = np.flatnonzero(used[:size])
    name = np.cumsum(used) - 1
    lower = np.repeat(name[parents], 2)
    upper = name[np.column_stack([2 * parents, 2 * parents + 1]).ravel()]
    leaves = name[size + np.arange(tree.leaves)]
    return _Bounds(tree.row, name[tree.node], lower, upper, leaves, int(used.sum()))


def _rows(x: Floats, holder: Integers, sets: int) -> coo_array:
    """Rows x b - m[holder] of the programme."""
    n, p = x.shape
    row = np.concatenate([np.repeat(np.arange(n), p), np.arange(n)])
    column = np.concatenate([np.tile(np.arange(p), n), p + holder])
    return coo_array((np.concatenate([x.ravel(), -np.ones(n)]), (row, column)), shape=(n, p + sets))


def _difference(bounds: _Bounds, p: int) -> coo_array:
    """Rows v[lower] - v[upper] of the programme."""
    k = bounds.lower.size
    row = np.tile(np.arange(k), 2)
    column = p + np.concatenate([bounds.lower, bounds.upper])
    value = np.concatenate([np.ones(k), -np.ones(k)])
    return coo_array((value, (row, column)), shape=(k, p + bounds.count))


def _stack(blocks: list[coo_array]) -> coo_array:
    offsets = np.cumsum([0, *[block.shape[0] for block in blocks]])
    row = np.concatenate([b.coords[0] + at for b, at in zip(blocks, offsets, strict=False)])
    column = np.concatenate([b.coords[1] for b in blocks])
    value = np.concatenate([b.data for b in blocks])
    return coo_array((value, (row, column)), shape=(offsets[-1], blocks[0].shape[1]))
