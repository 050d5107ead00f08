"""The infinitesimal jackknife: the variance of a curve from how far each patient moves it."""

from __future__ import annotations

import numpy as np

from glueprint.survival._check import Floats, Integers
from glueprint.survival.exposure import Exposure
from glueprint.survival.rows import Rows


def jackknife_variance(rows: Rows, table: Exposure, cluster: Integers, climb: Floats, jump: Floats) -> Floats:
    """Sum over clusters of the squared change of a cumulative quantity when their weights change.

    cluster: (n,) codes.   climb: (m,) derivative by time at risk, cumulated to each time of `table`.
    jump: (m,) derivative by an event at the time.
    Returns (m,).
    Source: own derivation, docs/survival.md: a row of weight w, at risk from time e and gone by x, changes
    the quantity at t by w (A(min(t, x)) - A(e) - jump(x) if it had its event by t), with A the climb.
    So a cluster's change is K + L A(t), where K and L move only when one of its rows enters or ends; the sum
    of the squares is then three cumulative sums over times. Equal to the robust error of R's survfit.
    """
    weight = np.ones(rows.time.size) if rows.weight is None else rows.weight
    before = np.append(0.0, climb)[table.first]
    at_end = climb[table.last] - np.where(rows.event, jump[table.last], 0.0)
    step = np.concatenate([table.first, table.last])
    owner = np.concatenate([cluster, cluster])
    constant = np.concatenate([-weight * before, weight * at_end])
    slope = np.concatenate([weight, -weight])
    order = np.lexsort((step, owner))
    k, l_ = (_within(values[order], owner[order]) for values in (constant, slope))
    dk, dl = constant[order], slope[order]
    moves = (
        dk * (2 * k - dk),
        k * l_ - (k - dk) * (l_ - dl),
        dl * (2 * l_ - dl),
    )
    squares = [np.cumsum(np.bincount(step[order], move, climb.size)) for move in moves]
    total: Floats = squares[0] + 2 * climb * squares[1] + climb**2 * squares[2]
    # A variance of 0, before the first event, must not come out as a rounding below it.
    return np.maximum(total, 0.0)


def _within(values: Floats, owner: Integers) -> Floats:
    """Cumulative sum of values within each owner; owners are sorted."""
    total = np.cumsum(values)
    begins = np.flatnonzero(np.append(True, np.diff(owner) != 0))
    base = np.append(0.0, total)[begins]
    own: Floats = total - np.repeat(base, np.diff(np.append(begins, owner.size)))
    return own
