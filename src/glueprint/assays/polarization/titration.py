"""Kd of the tracer from a titration with protein, tracer depleted. Kernel: arrays in, arrays out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.assays.polarization import model, penalised
from glueprint.assays.polarization.penalised import LOG10_CONSTANT, Estimates
from glueprint.curves import equilibria
from glueprint.curves.problem import Problem

__all__ = [
    "HYPERBOLA",
    "LN_BRIGHTNESS",
    "LN_TRACER",
    "Titration",
    "brightness",
    "fit",
    "fraction",
    "response",
]

Floats = NDArray[np.float64]

# Columns of theta after free, bound and log10 Kd.
LN_TRACER, LN_BRIGHTNESS = 3, 4
# The Kd is sought this many decades below the lowest and above the highest protein.
DECADES = 4.0
# A hyperbola is the quadratic with no tracer to deplete the protein: a billionth of the lowest protein.
HYPERBOLA = 1e-9


@dataclass(frozen=True)
class Titration:
    """A batch of titrations; concentrations in nM.

    protein: (n, m) total.   response: (n, m) anisotropy or another signal linear in what is bound, NaN where
    nothing was measured.   stated: (n, 2) natural logarithms of total tracer and of the brightness ratio Q of
    bound over free.   stated_sd: (n, 2), 0 for exact.
    """

    protein: Floats
    response: Floats
    stated: Floats
    stated_sd: Floats

    def problem(self) -> Problem:
        """The titrations as the kernel of the fit takes them."""
        measured = np.isfinite(self.response) & (self.protein > 0.0)
        low = np.log10(np.where(measured, self.protein, np.inf).min(axis=1)) - DECADES
        high = np.log10(np.where(measured, self.protein, 0.0).max(axis=1)) + DECADES
        data, stated = (self.protein, self.response), (self.stated, self.stated_sd)
        return penalised.problem_of(response, data, stated, (low, high))


def fit(titration: Titration, *, confidence: float = 0.95) -> Estimates:
    """Fit Kd and both plateaus and, within what is stated about them, tracer and brightness ratio.

    Returns `Estimates`, parameters: free and bound response, log10 Kd, ln tracer, ln Q.
    Source: quadratic binding equation through `penalised.fit`, docs/polarization.md.
    """
    return penalised.fit(titration.problem(), confidence=confidence)


def fraction(theta: Floats, protein: Floats) -> tuple[Floats, Floats]:
    """Fraction (n, m) of the tracer bound, and its derivatives (n, m, 5); arguments as in `Titration`."""
    tracer = np.exp(theta[:, LN_TRACER, None])
    kd = 10.0 ** theta[:, LOG10_CONSTANT, None]
    complexed, _, by_tracer, by_ln_kd = equilibria.binary_slopes(protein, tracer, kd)
    slopes = np.zeros((*complexed.shape, theta.shape[1]))
    slopes[..., LOG10_CONSTANT] = model.LN_10 * by_ln_kd / tracer
    slopes[..., LN_TRACER] = by_tracer - complexed / tracer
    return complexed / tracer, slopes


def brightness(intensity: Floats, bound: Floats) -> tuple[float, float]:
    """Brightness ratio Q of bound over free tracer and the standard deviation of ln Q.

    intensity: (m,) total intensities.   bound: (m,) fraction bound.
    Returns NaN where the line of intensity against fraction does not stay above zero.
    Source: intensity = a (1 - f + Q f), a straight line in f by least squares, error by the delta method.
    """
    basis = np.stack([1.0 - bound, bound], axis=1)
    ends, rss, rank, _ = np.linalg.lstsq(basis, intensity, rcond=None)
    free, full = (float(end) for end in ends)
    if rank < 2 or free <= 0.0 or full <= 0.0:
        return float("nan"), float("nan")
    variance = float(rss[0]) / max(bound.size - 2, 1) if rss.size else 0.0
    covariance = variance * np.linalg.inv(basis.T @ basis)
    gradient = np.array([-1.0 / free, 1.0 / full])
    return full / free, float(np.sqrt(gradient @ covariance @ gradient))


def response(theta: Floats, protein: Floats) -> tuple[Floats, Floats]:
    """The signal (n, m) of tracer in protein (n, m), and its derivatives (n, m, 5)."""
    share, share_slopes = fraction(theta, protein)
    ratio = np.exp(theta[:, LN_BRIGHTNESS, None])
    found, by_share, by_ln_ratio = model.mixed(theta[:, 0, None], theta[:, 1, None], share, ratio)
    light = 1.0 - share + ratio * share
    slopes = by_share[..., None] * share_slopes
    slopes[..., 0] = (1.0 - share) / light
    slopes[..., 1] = ratio * share / light
    slopes[..., LN_BRIGHTNESS] = by_ln_ratio
    return found, slopes
