"""The optics of fluorescence polarisation: channels to anisotropy and back. Kernel: arrays only."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "anisotropy",
    "anisotropy_from_mp",
    "brightness_ratio",
    "channels",
    "fraction_bound",
    "g_factor",
    "intensity",
    "mp_from_anisotropy",
    "polarization_mp",
    "rounding_mp",
]

Floats = NDArray[np.float64]

# mP are thousandths of the polarisation.
MILLI = 1000.0
# A count is a whole number: the light behind it may be half a count more or less.
HALF_COUNT = 0.5


def polarization_mp(parallel: ArrayLike, perpendicular: ArrayLike, g: float = 1.0) -> Floats:
    """Polarisation 1000 (par - G perp)/(par + G perp), mP.

    parallel, perpendicular: (n,) blank-subtracted, any one unit.   g: G factor of the reader.
    Returns (n,) mP; NaN where the sum is not above zero.
    Source: Lakowicz, Principles of Fluorescence Spectroscopy, 3rd ed., chapter 10, doi
    10.1007/978-0-387-46312-4.
    """
    par, perp = _pair(parallel, perpendicular, g)
    return MILLI * _ratio(par - perp, par + perp)


def anisotropy(parallel: ArrayLike, perpendicular: ArrayLike, g: float = 1.0) -> Floats:
    """Anisotropy (par - G perp)/(par + 2 G perp), the measure that adds up by intensity.

    Arguments and NaN as in `polarization_mp`.   Returns (n,) without unit, -0.5 to 1.
    Source: Lakowicz, as in `polarization_mp`.
    """
    par, perp = _pair(parallel, perpendicular, g)
    return _ratio(par - perp, par + 2.0 * perp)


def intensity(parallel: ArrayLike, perpendicular: ArrayLike, g: float = 1.0) -> Floats:
    """Total intensity par + 2 G perp (n,), in the unit of the channels: what rotation cannot change."""
    par, perp = _pair(parallel, perpendicular, g)
    return np.asarray(par + 2.0 * perp)


def channels(r: ArrayLike, total: ArrayLike = 1.0, g: float = 1.0) -> tuple[Floats, Floats]:
    """Parallel and perpendicular intensities (n,) of light with anisotropy r (n,) and total intensity (n,).

    Source: the definitions of `anisotropy` and `intensity` solved for the channels.
    """
    aniso, light = np.asarray(r, dtype=float), np.asarray(total, dtype=float)
    return np.asarray(light * (1.0 + 2.0 * aniso) / 3.0), np.asarray(light * (1.0 - aniso) / (3.0 * g))


def anisotropy_from_mp(mp: ArrayLike) -> Floats:
    """Anisotropy r = 2 P/(3 - P) of polarisation in mP (n,)."""
    p = np.asarray(mp, dtype=float) / MILLI
    return np.asarray(2.0 * p / (3.0 - p))


def mp_from_anisotropy(r: ArrayLike) -> Floats:
    """Polarisation P = 3 r/(2 + r) in mP of anisotropy r (n,)."""
    aniso = np.asarray(r, dtype=float)
    return np.asarray(MILLI * 3.0 * aniso / (2.0 + aniso))


def g_factor(parallel: ArrayLike, perpendicular: ArrayLike, mp: ArrayLike) -> Floats:
    """The G at which channels (n,), blank-subtracted, have the polarisation `mp`: par (1 - P)/(perp (1 + P)).

    mp: known polarisation of a free dye, mP (27 for fluorescein in buffer), one number or (n,).
    Source: `polarization_mp` solved for G.
    """
    p = np.asarray(mp, dtype=float) / MILLI
    par, perp = _pair(parallel, perpendicular, 1.0)
    return _ratio(par * (1.0 - p), perp * (1.0 + p))


def brightness_ratio(top: float, free: float, bound: float) -> float:
    """Brightness Q of bound over free tracer, from the total intensities with and without protein.

    top, free: mean total intensity of tracer with and without protein.   bound: fraction bound in `top`.
    Source: top/free = 1 - f + Q f solved for Q, docs/polarization.md.
    """
    return 1.0 + (top / free - 1.0) / bound


def fraction_bound(r: ArrayLike, r_free: float, r_bound: float, q: float = 1.0) -> Floats:
    """Fraction of tracer bound (n,) at anisotropy r (n,): (r - rf)/((r - rf) + Q (rb - r)).

    r_free, r_bound: anisotropy of the free and of the bound tracer.   q: brightness bound over free.
    Source: anisotropies add up weighted by brightness (Lakowicz, as above); docs/polarization.md.
    """
    aniso = np.asarray(r, dtype=float)
    return _ratio(aniso - r_free, (aniso - r_free) + q * (r_bound - aniso), positive=False)


def rounding_mp(parallel: ArrayLike, perpendicular: ArrayLike, g: float = 1.0) -> tuple[Floats, Floats]:
    """Lowest and highest mP (n,) that whole counts (n,) allow: half a count either way in each channel."""
    par, perp = (np.asarray(values, dtype=float) for values in (parallel, perpendicular))
    low = polarization_mp(par - HALF_COUNT, perp + HALF_COUNT, g)
    return low, polarization_mp(par + HALF_COUNT, perp - HALF_COUNT, g)


def _pair(parallel: ArrayLike, perpendicular: ArrayLike, g: float) -> tuple[Floats, Floats]:
    return np.asarray(parallel, dtype=float), g * np.asarray(perpendicular, dtype=float)


def _ratio(above: Floats, below: Floats, *, positive: bool = True) -> Floats:
    usable = below > 0.0 if positive else below != 0.0
    return np.where(usable, above / np.where(usable, below, 1.0), np.nan)
