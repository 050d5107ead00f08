"""Curves that fall as a whole between two doses, so that nothing says where in between. Kernel."""

from __future__ import annotations

import numpy as np

from glueprint.curves.logistic import BACK, FRONT, LN_SLOPE, Flags, Floats, curve
from glueprint.curves.result import Fits
from glueprint.curves.status import Status

__all__ = ["steps"]

# A curve this share of its height from a plateau is there; noise counts up to a larger share.
FLAT, MOST_FLAT = 0.02, 0.1
# Wells of one dose within this share of one plateau and of the other are a dose at which the fall happens.
SPLIT = 0.25


def steps(fits: Fits, log10_dose: Floats) -> Floats:
    """Between which two doses each curve falls as a whole around `log10_dose` (n,).

    Returns log10 of both doses (n, 2); NaN where a dose within the fall tells where, or the slope was held. A
    single dose within it tells only if its own wells agree, and if the fit could tell its place from a slope.
    Source: own derivation, docs/curves.md.
    """
    found = np.full((len(fits.rss), 2), np.nan)
    if np.isfinite(fits.problem.pins[LN_SLOPE]):
        return found
    data = fits.problem
    used = data.weights > 0.0
    with np.errstate(all="ignore"):
        up, down = _on_plateaus(fits)
        before = np.where(used & up, data.log10_dose, -np.inf).max(axis=1, initial=-np.inf)
        after = np.where(used & down, data.log10_dose, np.inf).min(axis=1, initial=np.inf)
        inside = used & (data.log10_dose > before[:, None]) & (data.log10_dose < after[:, None])
        first = np.where(inside, data.log10_dose, np.inf).min(axis=1, initial=np.inf)
        last = np.where(inside, data.log10_dose, -np.inf).max(axis=1, initial=-np.inf)
        untold = (first == last) & (_split(fits, inside) | (fits.status == Status.NOT_CONVERGED))
        enclosed = np.isfinite(before) & np.isfinite(after) & (log10_dose >= before) & (log10_dose <= after)
        step = enclosed & (~inside.any(axis=1) | untold)
    found[step] = np.stack([before, after], axis=1)[step]
    return found


def _on_plateaus(fits: Fits) -> tuple[Flags, Flags]:
    """At which points (n, m) the fitted curve is still on its first plateau, and already on its last."""
    theta, weights = np.nan_to_num(fits.theta), fits.problem.weights
    front, back = theta[:, FRONT, None], theta[:, BACK, None]
    height, y = np.abs(front - back), curve(theta, fits.problem.log10_dose)[0]
    weight = weights.sum(axis=1) / np.maximum((weights > 0.0).sum(axis=1), 1)
    noise = np.sqrt(fits.rss / np.maximum(fits.dof, 1) / weight)[:, None]
    near = np.maximum(FLAT * height, np.minimum(noise, MOST_FLAT * height))
    return np.abs(y - front) <= near, np.abs(y - back) <= near


def _split(fits: Fits, inside: Flags) -> Flags:
    """Whether the wells (n, m) within the fall lie on both plateaus, and not between them (n,)."""
    front, back = fits.front, fits.back
    height = np.abs(front - back)
    response = fits.problem.response
    least = np.where(inside, response, np.inf).min(axis=1, initial=np.inf)
    most = np.where(inside, response, -np.inf).max(axis=1, initial=-np.inf)
    apart = most - least > 0.5 * height
    for end in (least, most):
        apart &= np.minimum(np.abs(end - front), np.abs(end - back)) < SPLIT * height
    return np.asarray(apart)
