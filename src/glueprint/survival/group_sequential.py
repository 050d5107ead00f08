"""Boundaries of a trial that is looked at more than once, by recursive integration.

With information fractions t_k the statistics Z_k of a log-rank test, a Cox coefficient or any efficient
estimate are jointly normal with means theta sqrt(t_k) and covariances sqrt(t_j / t_k), j <= k.
Source: Armitage, McPherson and Rowe 1969, doi:10.2307/2343787; Jennison and Turnbull, Group Sequential
Methods with Applications to Clinical Trials, 2000, chapter 19.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from glueprint.errors import InputError, nearest
from glueprint.survival._check import Floats, as_floats, place

__all__ = ["SPENDING", "Boundaries", "group_sequential", "lower_bounds", "upper_bounds"]

# Beyond so many standard deviations there is nothing to integrate.
FAR = 9.0
NODES, WEIGHTS = leggauss(16)
# A panel of the integration is so many widths of the narrowest density at most.
PANEL = 1.0


def _obrien_fleming(t: float, alpha: float) -> float:
    return float(2.0 * ndtr(-ndtri(1.0 - alpha / 2.0) / math.sqrt(t)))


def _pocock(t: float, alpha: float) -> float:
    return alpha * math.log1p((math.e - 1.0) * t)


def _linear(t: float, alpha: float) -> float:
    return alpha * t


# Error spent by a fraction of the information. Source: Lan and DeMets 1983, doi:10.1093/biomet/70.3.659.
SPENDING: dict[str, Callable[[float, float], float]] = {
    "obrien-fleming": _obrien_fleming,
    "pocock": _pocock,
    "linear": _linear,
}


@dataclass(frozen=True)
class Boundaries:
    """When a trial stops; arrays (looks,).

    information: fractions, the last is 1.   efficacy: Z above which it stops for benefit.   futility: Z
    below which it stops for want of one, minus infinity where none is planned.   nominal_p: one-sided, of
    efficacy.   spent: error spent by each look.   stop_for_benefit, stop_for_futility: probability of the
    stop at each look if the effect is as assumed; stop_under_null: of stopping for benefit if there is none,
    futility heeded.   alpha, power: over all looks; alpha with futility ignored, as it is guaranteed.
    drift: mean of the last Z if the effect is as assumed.   inflation: information needed over that of a
    trial with one look.   expected_information: fraction at which it is expected to stop, if the effect is as
    assumed.
    """

    information: Floats
    efficacy: Floats
    futility: Floats
    nominal_p: Floats
    spent: Floats
    stop_for_benefit: Floats
    stop_for_futility: Floats
    stop_under_null: Floats
    alpha: float
    power: float
    drift: float
    inflation: float
    expected_information: float


def group_sequential(
    information: Sequence[float],
    *,
    alpha: float = 0.025,
    power: float = 0.9,
    spending: str = "obrien-fleming",
    futility: str | None = None,
) -> Boundaries:
    """Boundaries for benefit, and for futility if asked for, one-sided, and what they cost.

    information: fractions of the planned events at each look, rising, the last 1.   alpha: one-sided.
    power: if the effect is as assumed.   spending: of alpha, a key of SPENDING.   futility: the same for the
    error of the second kind; it does not bind: alpha holds if it is not heeded.
    Returns Boundaries.
    Raises InputError GP-V007 (alpha, power, spending), GP-V035 (information).
    Source: see the module.
    """
    t = _information(information)
    for name, value, most in (("alpha", alpha, 0.5), ("power", power, 1.0)):
        if not 0.0 < value < most:
            raise _refused(name, f"{value!r}", f"a number between 0 and {most:g}")
    if power <= alpha:
        raise _refused("power", f"{power!r} with alpha {alpha!r}", "more than alpha")
    spent = _spent(t, alpha, spending, "spending")
    efficacy = upper_bounds(t, spent)
    none = np.full(t.size, -np.inf)
    lower, drift = none, _drift(t, efficacy, power)
    if futility is not None:
        lost = _spent(t, 1.0 - power, futility, "futility")
        drift = float(brentq(lambda theta: _gap(t, efficacy, lost, theta), 0.1, drift + 5.0, xtol=1e-12))
        lower = lower_bounds(t, efficacy, lost, drift)
        lower[-1] = efficacy[-1]
    benefit, for_futility = _crossing(t, efficacy, lower, drift)
    null, _ = _crossing(t, efficacy, lower, 0.0)
    ignored, _ = _crossing(t, efficacy, none, 0.0)
    stops = benefit + for_futility
    stops[-1] = 1.0 - stops[:-1].sum()
    single = float(ndtri(1.0 - alpha) + ndtri(power))
    return Boundaries(
        information=t,
        efficacy=efficacy,
        futility=lower,
        nominal_p=ndtr(-efficacy),
        spent=spent,
        stop_for_benefit=benefit,
        stop_for_futility=for_futility,
        stop_under_null=null,
        alpha=float(ignored.sum()),
        power=float(benefit.sum()),
        drift=drift,
        inflation=(drift / single) ** 2,
        expected_information=float(stops @ t),
    )


def _information(values: Sequence[float]) -> Floats:
    t = as_floats(values, "information")
    bad = ~((t > 0.0) & (t <= 1.0) & (np.diff(t, prepend=0.0) > 1e-6))
    if bad.any() or t[-1] != 1.0:
        index = int(np.flatnonzero(bad)[0]) if bad.any() else t.size - 1
        raise InputError(
            "GP-V035",
            f"{t[index]:g} is not the fraction of a look",
            where=place("information", (index,)),
            expected="fractions of the planned events, rising from above 0, the last 1",
            next_step="write a look at half of the events and one at all as 0.5, 1",
        )
    return t


def _spent(t: Floats, error: float, name: str, argument: str) -> Floats:
    if name not in SPENDING:
        expected = "one of " + ", ".join(SPENDING)
        raise _refused(argument, f"{name!r}{nearest(str(name), SPENDING)}", expected)
    return np.array([SPENDING[name](float(x), error) for x in t])


def _refused(where: str, what: str, expected: str) -> InputError:
    next_step = "see docs/survival.md, Several looks"
    return InputError("GP-V007", what, where=where, expected=expected, next_step=next_step)


@dataclass(frozen=True)
class _Going:
    """Trials that go on after a look: points of Z, (m,), and density times weight of integration."""

    z: Floats
    mass: Floats
    t: float

    def above(self, z: float, t: float, drift: float) -> float:
        """Probability that they go on and the next Z, at t, is above z."""
        return float(self.mass @ ndtr(-self._standard(np.array([z]), t, drift)[:, 0]))

    def next(self, points: Floats, t: float, drift: float) -> Floats:
        """Density of the next Z at points, (n,)."""
        x = self._standard(points, t, drift)
        scale = math.sqrt(t / (t - self.t))
        found: Floats = self.mass @ (np.exp(-0.5 * x * x) * (scale / math.sqrt(2.0 * math.pi)))
        return found

    def _standard(self, z: Floats, t: float, drift: float) -> Floats:
        step = t - self.t
        mean = self.z * math.sqrt(self.t) + drift * step
        found: Floats = (z[None, :] * math.sqrt(t) - mean[:, None]) / math.sqrt(step)
        return found


def _points(low: float, high: float, drift: float, t: float, width: float) -> tuple[Floats, Floats]:
    """Nodes and weights between two bounds, cut where no trial comes."""
    centre = drift * math.sqrt(t)
    low, high = max(low, centre - FAR), min(high, centre + FAR)
    panels = max(1, math.ceil((high - low) / (PANEL * width)))
    edges = np.linspace(low, max(high, low), panels + 1)
    half = np.diff(edges) / 2.0
    nodes = (edges[:-1] + half)[:, None] + half[:, None] * NODES[None, :]
    return nodes.ravel(), (half[:, None] * WEIGHTS[None, :]).ravel()


def _width(t: Floats, k: int) -> float:
    """Spread of Z at look k or of what it is made from at the next, whichever is narrower."""
    before = t[k - 1] if k else 0.0
    own = math.sqrt((t[k] - before) / t[k])
    ahead = math.sqrt((t[k + 1] - t[k]) / t[k]) if k + 1 < t.size else 1.0
    return min(1.0, own, ahead)


def _first(t: Floats, bounds: tuple[float, float], drift: float) -> _Going:
    z, weights = _points(*bounds, drift, t[0], _width(t, 0))
    x = z - drift * math.sqrt(t[0])
    return _Going(z, weights * np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi), float(t[0]))


def _onward(going: _Going, t: Floats, k: int, bounds: tuple[float, float], drift: float) -> _Going:
    z, weights = _points(*bounds, drift, t[k], _width(t, k))
    return _Going(z, weights * going.next(z, float(t[k]), drift), float(t[k]))


def upper_bounds(t: Floats, spent: Floats) -> Floats:
    """Efficacy bounds that spend so much error when there is no effect and nobody stops for futility.

    t: (looks,) information, rising, in any unit.   spent: (looks,) error by each look.
    """
    bounds = np.empty(t.size)
    bounds[0] = -ndtri(spent[0])
    going = _first(t, (-np.inf, bounds[0]), 0.0)
    for k in range(1, t.size):
        here = float(t[k])
        wanted = spent[k] - spent[k - 1]
        if wanted <= 0.0:  # nothing is left to spend
            bounds[k] = FAR
            going = _onward(going, t, k, (-np.inf, FAR), 0.0)
            continue

        def excess(z: float, going: _Going = going, here: float = here, wanted: float = wanted) -> float:
            return going.above(z, here, 0.0) - wanted

        bounds[k] = brentq(excess, -FAR, FAR, xtol=1e-13)
        going = _onward(going, t, k, (-np.inf, bounds[k]), 0.0)
    return bounds


def lower_bounds(t: Floats, efficacy: Floats, lost: Floats, drift: float) -> Floats:
    """Futility bounds that spend so much error of the second kind; below efficacy where they would cross.

    t: (looks,) information as a share of the planned one.   efficacy: (looks,).   lost: (looks,) error by
    each look.   drift: mean of Z at the planned information.
    """
    bounds = np.empty(t.size)
    bounds[0] = min(float(ndtri(lost[0])) + drift * math.sqrt(t[0]), efficacy[0])
    going = _first(t, (bounds[0], efficacy[0]), drift)
    for k in range(1, t.size):
        here, wanted = float(t[k]), lost[k] - lost[k - 1]
        total = float(going.mass.sum())

        def excess(
            z: float, going: _Going = going, here: float = here, wanted: float = wanted, total: float = total
        ) -> float:
            return total - going.above(z, here, drift) - wanted

        centre = drift * math.sqrt(here)
        high = centre + FAR
        bounds[k] = brentq(excess, centre - FAR, high, xtol=1e-13) if total > wanted else high
        if k + 1 < t.size:
            bounds[k] = min(bounds[k], efficacy[k])
            going = _onward(going, t, k, (bounds[k], efficacy[k]), drift)
    return bounds


def _gap(t: Floats, efficacy: Floats, lost: Floats, drift: float) -> float:
    """How far the last futility bound lies above the last efficacy bound."""
    return float(lower_bounds(t, efficacy, lost, drift)[-1] - efficacy[-1])


def _crossing(t: Floats, efficacy: Floats, lower: Floats, drift: float) -> tuple[Floats, Floats]:
    """Probability of stopping at each look above and below."""
    above, below = np.empty(t.size), np.empty(t.size)
    root = math.sqrt(t[0])
    above[0], below[0] = ndtr(drift * root - efficacy[0]), ndtr(lower[0] - drift * root)
    going = _first(t, (lower[0], efficacy[0]), drift)
    for k in range(1, t.size):
        here = float(t[k])
        above[k] = going.above(float(efficacy[k]), here, drift)
        below[k] = (
            going.mass.sum() - going.above(float(lower[k]), here, drift) if np.isfinite(lower[k]) else 0.0
        )
        going = _onward(going, t, k, (float(lower[k]), float(efficacy[k])), drift)
    return above, below


def _drift(t: Floats, efficacy: Floats, power: float) -> float:
    """Mean of the last Z at which the trial has its power without futility."""
    none = np.full(t.size, -np.inf)
    return float(
        brentq(lambda theta: _crossing(t, efficacy, none, theta)[0].sum() - power, 0.0, FAR + 5.0, xtol=1e-12)
    )
