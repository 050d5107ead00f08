"""The probability that correlated normal variables all lie between two limits, by exact cubature. Kernel."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.special import ndtr

from glueprint.survival._check import Floats

# Nothing is left of a normal distribution beyond 9 (1e-19).
RADIUS = 9.0
# Pieces no longer than 1.5 standard deviations and 14 Gauss points: forty change nothing above 1e-15.
LONGEST = 1.5
POINTS, WEIGHTS = np.polynomial.legendre.leggauss(14)
# Eigenvalues of a correlation matrix below this are rounding: the variables are sums of one another.
RANK = 1e-11


def probability(correlation: Floats, low: float, high: float) -> float:
    """P(low <= Z_i <= high for every i) for jointly normal Z of mean 0 and unit variance.

    correlation: (k, k), of rank 1 to 3 (exact sums of one another are welcome).   low, high: may be infinite.
    Returns the probability to about 1e-14.
    Source: own derivation. Z is A x with x independent, so the region is bounded by planes; over the last
    variable it gives a difference of normal integrals, smooth between the corners of the region, and
    Gauss's rule is applied between corners.
    """
    values, vectors = np.linalg.eigh(correlation)
    keep = values > RANK * correlation.shape[0]
    # The variable that all share most comes last, where the ends of its interval then move slowly.
    rows = vectors[:, keep] * np.sqrt(values[keep])
    if rows.shape[1] == 1:
        return float(_last(np.zeros((1, rows.shape[0])), rows[:, 0], low, high)[0])
    if rows.shape[1] == 2:
        return float(_plane(np.zeros((1, rows.shape[0])), rows, low, high)[0])
    if rows.shape[1] != 3:
        raise ValueError(f"rank {rows.shape[1]} is not 1 to 3")
    bounds = [b for b in (low, high) if np.isfinite(b)]
    planes = [rows[list(three)] for three in itertools.combinations(range(rows.shape[0]), 3)]
    corners = [
        float(np.linalg.solve(matrix, np.array(corner))[0])
        for matrix in planes
        if abs(np.linalg.det(matrix)) > 1e-14
        for corner in itertools.product(bounds, repeat=3)
    ]
    x, weight = _nodes(np.array([corners]))
    inner = _plane(x[0][:, None] * rows[None, :, 0], rows[:, 1:], low, high)
    return float((weight[0] * inner).sum())


def _plane(offset: Floats, rows: Floats, low: float, high: float) -> Floats:
    """P(low <= offset + rows @ (x, y) <= high) for each row of `offset`, (m, k); rows (k, 2)."""
    bounds = [b for b in (low, high) if np.isfinite(b)]
    corners = []
    for i, j in itertools.combinations(range(rows.shape[0]), 2):
        determinant = rows[i, 0] * rows[j, 1] - rows[j, 0] * rows[i, 1]
        if abs(determinant) > 1e-14:
            for b, c in itertools.product(bounds, repeat=2):
                corners.append(
                    ((b - offset[:, i]) * rows[j, 1] - (c - offset[:, j]) * rows[i, 1]) / determinant
                )
    x, weight = _nodes(np.stack(corners, axis=1))
    shifted = offset[:, None, :] + x[:, :, None] * rows[None, None, :, 0]
    inner = _last(shifted.reshape(-1, rows.shape[0]), rows[:, 1], low, high).reshape(x.shape)
    result: Floats = (weight * inner).sum(axis=1)
    return result


def _last(offset: Floats, slope: Floats, low: float, high: float) -> Floats:
    """P(low <= offset_i + slope_i z <= high for every i) for one standard normal z, (m,)."""
    flat = np.abs(slope) < 1e-14
    safe = np.where(flat, 1.0, slope)
    ends = (low - offset) / safe, (high - offset) / safe
    begin, end = np.minimum(*ends), np.maximum(*ends)
    inside = (offset >= low) & (offset <= high)
    begin = np.where(flat, np.where(inside, -np.inf, np.inf), begin).max(axis=1)
    end = np.where(flat, np.where(inside, np.inf, -np.inf), end).min(axis=1)
    # The difference is taken in the tail where both are small.
    mirrored = begin > 0
    upper, lower = np.where(mirrored, -begin, end), np.where(mirrored, -end, begin)
    result: Floats = np.maximum(ndtr(upper) - ndtr(lower), 0.0)
    return result


def _nodes(corners: Floats) -> tuple[Floats, Floats]:
    """Gauss nodes and weights times the normal density between the corners of each row, (m, nodes)."""
    grid = np.arange(-RADIUS, RADIUS + LONGEST / 2, LONGEST)
    edges = np.sort(
        np.concatenate(
            [
                np.clip(corners, -RADIUS, RADIUS),
                np.broadcast_to(grid, (corners.shape[0], grid.size)),
            ],
            axis=1,
        ),
        axis=1,
    )
    half, middle = np.diff(edges, axis=1) / 2, (edges[:, 1:] + edges[:, :-1]) / 2
    used = (half > 1e-13).any(axis=0)
    half, middle = half[:, used], middle[:, used]
    x = (middle[:, :, None] + half[:, :, None] * POINTS).reshape(corners.shape[0], -1)
    weight = (half[:, :, None] * WEIGHTS).reshape(x.shape) * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    return x, weight
