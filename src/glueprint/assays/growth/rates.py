"""Growth-rate inhibition and division indices in closed form. Kernel: arrays in and out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["area_over_curve", "divided_percent", "division_index", "gr_value", "proliferation_index"]

Floats = NDArray[np.float64]
# A well of fewer cells than this share of the control is dead: its logarithm says nothing more.
LEAST = 1e-12


def gr_value(viability: ArrayLike, divisions: ArrayLike) -> Floats:
    """GR = 2^(log2(x/x0)/log2(c/x0)) - 1: 1 untreated growth, 0 no growth, -1 death of all.

    viability: x/c, fraction of the control.   divisions: log2(c/x0) of the control, above 0 (time over
    doubling time).
    Source: Hafner et al. 2016, doi 10.1038/nmeth.3853.
    """
    share = np.maximum(np.asarray(viability, dtype=float), LEAST)
    return np.asarray(2.0 ** (1.0 + np.log2(share) / np.asarray(divisions, dtype=float)) - 1.0)


def area_over_curve(dose: ArrayLike, gr: ArrayLike) -> float:
    """GR_AOC: mean of 1 - GR over the tested range of log10 dose, by trapezoids.

    dose: (m,) above 0, increasing.   gr: (m,).   Source: Hafner et al. 2016, doi 10.1038/nmeth.3853.
    """
    log10_dose, lost = np.log10(np.asarray(dose, dtype=float)), 1.0 - np.asarray(gr, dtype=float)
    area = float(((lost[1:] + lost[:-1]) / 2.0 * np.diff(log10_dose)).sum())
    return area / float(log10_dose[-1] - log10_dose[0])


def _founders(counts: ArrayLike) -> Floats:
    """How many cells of the beginning stand behind each generation: N_i / 2^i."""
    found = np.asarray(counts, dtype=float)
    return np.asarray(found / 2.0 ** np.arange(found.shape[-1]))


def divided_percent(counts: ArrayLike) -> Floats:
    """Per cent of the cells of the beginning that divided at least once.

    counts: (..., generations) cells by number of divisions, from 0.
    Source: Roederer 2011, doi 10.1002/cyto.a.21010.
    """
    founders = _founders(counts)
    return np.asarray(100.0 * founders[..., 1:].sum(axis=-1) / founders.sum(axis=-1))


def division_index(counts: ArrayLike) -> Floats:
    """Mean number of divisions of a cell of the beginning, those that never divided among them.

    counts: (..., generations).   Source: Roederer 2011, doi 10.1002/cyto.a.21010.
    """
    founders = _founders(counts)
    return np.asarray((founders * np.arange(founders.shape[-1])).sum(axis=-1) / founders.sum(axis=-1))


def proliferation_index(counts: ArrayLike) -> Floats:
    """Mean number of divisions of the cells that divided; NaN where none did.

    counts: (..., generations).   Source: Roederer 2011, doi 10.1002/cyto.a.21010.
    """
    founders = _founders(counts)[..., 1:]
    total = founders.sum(axis=-1)
    sums = (founders * np.arange(1, founders.shape[-1] + 1)).sum(axis=-1)
    return np.asarray(np.where(total > 0.0, sums / np.where(total > 0.0, total, 1.0), np.nan))
