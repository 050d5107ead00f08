"""Blots with known volumes, for benchmarks and tests: lanes, bands, smear, background, shot noise.

Not the simulator of the package: nothing here is shared with it, and it knows nothing of the analysis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

__all__ = ["Blot", "draw", "tiff_bytes"]

Floats = NDArray[Any]


@dataclass(frozen=True)
class Blot:
    """What is drawn.

    volumes: (bands, lanes) counts above background.   rows: of each band's middle.   sigma_px: of each band.
    rotation_deg: bands fall from left to right.   smear: part of a band's volume that trails below it.
    gain: counts an electron, for shot noise; 0 draws none.
    """

    volumes: Floats
    rows: tuple[float, ...]
    sigma_px: tuple[float, ...]
    shape: tuple[int, int] = (600, 800)
    first_px: float = 80.0
    pitch_px: float = 60.0
    width_px: float = 44.0
    background: float = 600.0
    gradient: float = 150.0
    smear: float = 0.0
    smear_px: float = 40.0
    rotation_deg: float = 0.0
    gain: float = 1.0
    read_noise: float = 4.0
    ceiling: int = 65535


def draw(blot: Blot, seed: int = 1) -> NDArray[np.uint16]:
    """The picture, (rows, columns) of 16 bits."""
    rows, columns = blot.shape
    y, x = np.mgrid[0:rows, 0:columns].astype(float)
    angle = np.radians(blot.rotation_deg)
    middle = ((rows - 1) / 2.0, (columns - 1) / 2.0)
    # Straight coordinates of every pixel of the turned picture.
    v = (y - middle[0]) * np.cos(angle) - (x - middle[1]) * np.sin(angle) + middle[0]
    u = (x - middle[1]) * np.cos(angle) + (y - middle[0]) * np.sin(angle) + middle[1]
    mean = blot.background + blot.gradient * (x / columns + 0.6 * y / rows)
    for lane in range(blot.volumes.shape[1]):
        across = _flat(u, blot.first_px + lane * blot.pitch_px, blot.width_px)
        for band, (row, sigma) in enumerate(zip(blot.rows, blot.sigma_px, strict=True)):
            volume = float(blot.volumes[band, lane])
            along = np.exp(-0.5 * ((v - row) / sigma) ** 2) / (sigma * np.sqrt(2.0 * np.pi))
            mean += volume * across * along
            if blot.smear > 0.0:
                tail = np.where(v > row, np.exp(-np.maximum(v - row, 0.0) / blot.smear_px), 0.0)
                mean += blot.smear * volume * across * tail / blot.smear_px
    random = np.random.default_rng(seed)
    if blot.gain > 0.0:
        mean = blot.gain * random.poisson(mean / blot.gain)
    mean = mean + blot.read_noise * random.standard_normal(mean.shape)
    counts: NDArray[np.uint16] = np.clip(np.round(mean), 0, blot.ceiling).astype(np.uint16)
    return counts


def _flat(u: Floats, middle: float, width: float) -> Floats:
    """A flat top with blurred edges and unit area."""
    left, right = middle - width / 2.0, middle + width / 2.0
    top: Floats = 0.5 * (erf((u - left) / 3.0) - erf((u - right) / 3.0)) / width
    return top


def tiff_bytes(counts: Floats, **options: Any) -> bytes:
    """The picture as a TIFF file."""
    import io

    import tifffile

    stream = io.BytesIO()
    tifffile.imwrite(stream, counts, **({"photometric": "minisblack"} | options))
    return stream.getvalue()
