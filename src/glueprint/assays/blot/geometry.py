"""How far a blot is turned, and the picture turned straight."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from glueprint.assays.blot.optical import shrunk

__all__ = ["MOST_DEG", "straight", "tilt_deg"]

Floats = NDArray[Any]
MOST_DEG = 5.0
LOOK_PX = 500
COARSE_DEG, FINE_DEG = 0.5, 0.05
# Below this a band of a usual gel moves by less than a pixel over a lane; turning would only blur.
LEAST_DEG = 0.2
# A turn must sharpen the projections by this factor to be believed.
LEAST_GAIN = 1.02


def tilt_deg(values: Floats) -> float:
    """The angle by which a blot is turned, degrees; positive where bands fall from left to right.

    values: (rows, columns).   Returns 0 where no angle sharpens the sums along rows and columns.
    Source: own derivation, docs/blot.md: the energy of both projections is highest when straight.
    """
    small, _ = shrunk(values, LOOK_PX)
    detail = small - ndimage.gaussian_filter(small, max(small.shape) / 20.0)
    # One speck must not outweigh all bands.
    low, high = np.percentile(detail, (0.5, 99.5))
    detail = np.clip(detail, low, high)
    coarse = np.arange(-MOST_DEG - 1.0, MOST_DEG + 1.01, COARSE_DEG)
    near = _best(detail, coarse)
    best = _best(detail, near + np.arange(-COARSE_DEG, COARSE_DEG + 0.001, FINE_DEG))
    gain = _energy(detail, best) / max(_energy(detail, 0.0), 1e-30)
    believed = abs(best) >= LEAST_DEG and gain >= LEAST_GAIN
    return round(best, 2) if believed else 0.0


def _best(detail: Floats, angles: NDArray[np.float64]) -> float:
    energies = [_energy(detail, angle) for angle in angles.tolist()]
    return float(angles[int(np.argmax(energies))])


def _energy(detail: Floats, angle_deg: float) -> float:
    """Energy of the sums along lines turned by the angle, both ways."""
    slope = np.tan(np.radians(angle_deg))
    rows, columns = detail.shape
    y, x = np.arange(rows) - rows / 2.0, np.arange(columns) - columns / 2.0
    along_bands = y[:, None] - slope * x[None, :]
    along_lanes = x[None, :] + slope * y[:, None]
    energy: float = _projected(detail, along_bands) / columns + _projected(detail, along_lanes) / rows
    return energy


def _projected(detail: Floats, place: Floats) -> float:
    """Sum of squares of the values added up by place, each shared between the two nearest bins."""
    shifted = (place - place.min()).ravel()
    below = shifted.astype(np.int64)
    share = shifted - below
    value = detail.ravel().astype(np.float64)
    bins = int(below.max()) + 2
    total = np.bincount(below, value * (1.0 - share), bins) + np.bincount(below + 1, value * share, bins)
    energy: float = (total @ total).item()
    return energy


def straight(values: Floats, angle_deg: float, *, nearest: bool = False) -> Floats:
    """The picture turned back by `angle_deg` about its middle, of the same size; edges are continued.

    values: (rows, columns).   nearest: take pixels whole, as a mask needs; else linear between them.
    """
    if angle_deg == 0.0:
        return values
    angle = np.radians(angle_deg)
    cosine, sine = np.cos(angle), np.sin(angle)
    # Output (row, column) to input: a band that falls to the right is followed downwards.
    matrix = np.array([[cosine, sine], [-sine, cosine]])
    middle = (np.array(values.shape) - 1.0) / 2.0
    offset = middle - matrix @ middle
    source = values.astype(np.uint8) if values.dtype == np.bool_ else values
    turned = ndimage.affine_transform(source, matrix, offset, order=0 if nearest else 1, mode="nearest")
    kept: Floats = turned.astype(values.dtype)
    return kept
