"""Pieces that several models share: saturating shapes, and where to look for a concentration or a slope."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from glueprint.curves.models.model import Floats, Given, Grid, Parameter, Reach

__all__ = ["columns", "concentration", "ln_ratio", "plateau", "rise", "slope", "within", "within_reach"]

# How far outside the tested doses a fit and a profile may look, in log10 dose: as for the logistic family.
REACH = 4.0
# How far outside them a start may lie.
MARGIN = 0.5
SLOPES = (0.05, 50.0)


def columns(theta: Floats) -> tuple[Floats, ...]:
    """The parameters (n, p) as columns (n, 1), to be combined with points."""
    return tuple(theta[:, i, None] for i in range(theta.shape[1]))


def ln_ratio(x: Floats, half: Floats) -> Floats:
    """ln(x / half) for x >= 0, -inf at 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(x) - np.log(half))


def rise(x: Floats, half: Floats, slope: Floats) -> tuple[Floats, Floats, Floats]:
    """x^s / (x^s + half^s) with its derivatives by half and by the slope; exactly 0 at x = 0."""
    ln = ln_ratio(x, half)
    up, down = expit(slope * ln), expit(-slope * ln)
    bend = up * down
    return up, -bend * slope / half, bend * np.where(np.isfinite(ln), ln, 0.0)


def within(name: str, count: int) -> Grid:
    """Starts over the tested range of an input, evenly on log10, and at either end of the reach."""

    def grid(given: Given) -> Floats:
        least, most = (np.log10(edge) for edge in given.positive_range(name))
        share = np.linspace(0.0, 1.0, count)[:, None]
        inside = least - MARGIN + (most - least + 2.0 * MARGIN) * share
        # A curve that shows one limb only has its minimum at the end of the reach, and the way there is long.
        return np.asarray(10.0 ** np.vstack([inside, least - REACH, most + REACH]))

    return grid


def within_reach(name: str) -> Reach:
    """Four decades beyond the tested range of an input on either side."""

    def reach(given: Given) -> tuple[Floats, Floats]:
        least, most = given.positive_range(name)
        return least * 10.0**-REACH, most * 10.0**REACH

    return reach


def plateau(name: str, default: float | None = None) -> Parameter:
    """A level of the response, in which it is linear."""
    return Parameter(name, linear=True, default=default)


def concentration(name: str, unit: str, of: str, count: int = 12) -> Parameter:
    """A positive constant in the unit of the input `of`, looked for around the tested range."""
    return Parameter(name, unit, "log10", grid=within(of, count), reach=within_reach(of))


def slope(starts: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0), default: float | None = None) -> Parameter:
    """A Hill slope."""
    return Parameter("slope", "", "log10", grid=starts, reach=SLOPES, default=default)
