"""From fitted curves to potencies: relative and absolute kept apart, limits instead of extrapolation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from glueprint.curves import profile, search
from glueprint.curves.confined import Plateau, cut, far
from glueprint.curves.edges import edge_of_profile
from glueprint.curves.evidence import TURNING
from glueprint.curves.logistic import FRONT, LOG10_DOSE, Floats, log10_shift
from glueprint.curves.potency import SAID, Kind, Potency, Reason, Relation
from glueprint.curves.problem import Problem
from glueprint.curves.result import Fits
from glueprint.curves.status import Status
from glueprint.curves.steps import steps
from glueprint.curves.turning import turned
from glueprint.errors import InputError

__all__ = ["absolute", "relative"]

UNUSABLE = (Status.TOO_FEW_POINTS, Status.NOT_CONVERGED, Status.TURNS)
PLATEAUS = {
    Plateau.HELD: (Reason.PLATEAU_HELD,),
    Plateau.OUT_OF_SIGHT: (Reason.PLATEAU_OUT_OF_SIGHT,),
    Plateau.IMPOSSIBLE: (Reason.PLATEAU_IMPOSSIBLE,),
}

# Where a curve meets its level: at a dose, at none however high, before the lowest, nobody can say, or at one
# that a curve which cannot turn back does not show.
LOCATED, BEYOND, PASSED, UNKNOWN, TURNED = range(5)


@dataclass(frozen=True)
class _Found:
    """log10_dose: (n,).   bounds: (n, 2), infinite where open, NaN where unknown.   side: (n,).
    log10_se: (n,), NaN where unknown.   step: (n, 2) log10 doses between which the curve steps, NaN where it
    does not.   edges: (n, 2) log10 doses that the data put the level above, or below, at one-sided
    confidence: infinite where they put it nowhere, NaN where nobody asked.
    """

    log10_dose: Floats
    bounds: Floats
    side: NDArray[np.int64]
    log10_se: Floats
    step: Floats
    edges: Floats


def relative(
    fits: Fits, kind: Kind = "EC50", *, time_h: Sequence[float | None] | None = None, n: int = 1
) -> tuple[Potency, ...]:
    """The dose half way between the plateaus of every curve, in nM (doses must be in nM).

    time_h: one exposure a curve.   n: independent experiments behind each curve.
    Returns one `Potency` a curve: a limit where the EC50 is outside the tested doses or there is no effect, a
    bracket where the curve steps between two doses, and none for a flat curve without vehicle, which may be
    all effect or no effect, and for one with an impossible plateau, to which nothing lies half way.
    Raises InputError GP-C049 (times).
    """
    with np.errstate(divide="ignore"):
        bounds = np.log10(fits.interval("ec50"))
    vehicle = np.any(np.isneginf(fits.problem.log10_dose) & (fits.problem.weights > 0.0), axis=1)
    side = np.where(fits.status == Status.NO_EFFECT, np.where(vehicle, BEYOND, UNKNOWN), LOCATED)
    errors = _errors(fits, bounds, np.sqrt(fits.covariance[:, LOG10_DOSE, LOG10_DOSE]))
    side = np.where(fits.plateau == Plateau.IMPOSSIBLE, UNKNOWN, side)
    edges = np.full_like(bounds, np.nan)
    if np.isfinite(bounds).any():
        edges = _edges(fits, None, fits.theta, np.where(fits.status == Status.NO_EFFECT, UNKNOWN, side))
    found = _Found(fits.log10_ec50, bounds, side, errors, steps(fits, fits.log10_ec50), edges)
    return _potencies(fits, found, time_h, kind=kind, definition="relative", n=n)


def absolute(
    fits: Fits, level: float | Floats, kind: Kind = "EC50", *, control: float,
    time_h: Sequence[float | None] | None = None, n: int = 1, intervals: bool = True,
) -> tuple[Potency, ...]:  # fmt: skip
    """The dose, in nM, at which every curve's response equals `level` (0.5 of a control of 1, say).

    level: response, one number or (n,).   control: response without drug, which says on which side of the
    level a curve begins.   Others as in `relative`.
    Returns one `Potency` a curve: a limit where the level is passed outside the tested doses, or not at all,
    and a bracket where the curve steps over it between two doses. Where the best curve meets the level
    nowhere in the tested doses, but the data do not exclude it, the limit is what they do exclude; none where
    it meets the level nowhere because it cannot turn back, as the response does (F test of the model hook).
    Raises InputError GP-C049 (level, control, times).
    Source: the third parameter of the curve moves to this dose and is profiled there, docs/curves.md.
    """
    levels = _levels(level, control, len(fits.rss))
    theta = fits.theta.copy()
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        at_level = theta[:, LOG10_DOSE] = theta[:, LOG10_DOSE] + log10_shift(theta, levels)
        at, bounds = replace(fits.problem, reach=fits.reach, level=levels), np.full((len(theta), 2), np.nan)
        inverse = search.inverse_of(at, theta, fits.at_bound)
        # What is held at a bound has an error that nobody knows.
        known = (fits.dof > 0) & ~fits.at_bound.any(axis=1)
        variance = np.where(known, fits.rss / np.maximum(fits.dof, 1), np.nan)
        delta = np.sqrt(inverse[:, LOG10_DOSE, LOG10_DOSE] * variance)
        if intervals:
            bounds = _interval(at, theta, (fits.rss, fits.confidence), inverse)
    flat = fits.status == Status.NO_EFFECT
    height = np.where(flat, fits.problem.mean, theta[:, FRONT])
    begun = np.where((height - levels) * (control - levels) > 0.0, BEYOND, PASSED)
    side = np.where(flat | np.isnan(at_level), begun, LOCATED)
    if fits.problem.logistic:
        never = np.flatnonzero((side == BEYOND) & ~flat & ~np.isin(fits.status, UNUSABLE)).tolist()
        side[[i for i in never if turned(fits, i) < TURNING]] = TURNED
    edges = _edges(fits, levels, theta, side) if intervals else np.full_like(bounds, np.nan)
    found = _Found(at_level, bounds, side, _errors(fits, bounds, delta), steps(fits, at_level), edges)
    return _potencies(fits, found, time_h, kind=kind, definition="absolute", n=n)


def _edges(fits: Fits, levels: Floats | None, theta: Floats, side: NDArray[np.int64]) -> Floats:
    """One-sided bounds (n, 2) of curves whose dose, at `levels` or of the EC50, lies in no tested dose."""
    confidence = 2.0 * fits.confidence - 1.0
    found = np.full((side.size, 2), np.nan)
    if confidence <= 0.0:
        return found
    fitted = (fits.dof > 0) & ~np.isin(fits.status, UNUSABLE) & np.isfinite(fits.theta).all(axis=1)
    with np.errstate(invalid="ignore"):
        dose = theta[:, LOG10_DOSE]
        outside = (dose < np.log10(fits.problem.lowest_dose)) | (dose > np.log10(fits.problem.highest_dose))
    rows = np.flatnonzero(fitted & outside & (side == LOCATED))
    if rows.size:
        at = replace(fits.problem, reach=fits.reach, level=levels).rows(rows)
        found[rows] = _interval(at, theta[rows], (fits.rss[rows], confidence))
    if levels is None:
        return found
    leave = _leave(fits, confidence)
    for place, name in enumerate((BEYOND, PASSED)):
        rows = np.flatnonzero((side == name) & fitted)
        if rows.size == 0:
            continue
        reach = cut(fits.reach, far(fits.problem, levels), rows)
        at = replace(fits.problem.rows(rows), reach=reach, level=levels[rows])
        heights = np.stack([fits.rss[rows], leave[rows]], axis=1)
        with np.errstate(all="ignore"):
            found[rows, place] = edge_of_profile(at, fits.theta[rows], heights, place)
    return found


def _interval(
    problem: Problem, theta: Floats, asked: tuple[Floats, float], inverse: Floats | None = None
) -> Floats:
    """Profile interval (n, 2) of the third parameter; asked: sums of squares (n,) and confidence."""
    heights = np.stack([asked[0], profile.threshold(asked[0], problem.dof, asked[1])], axis=1)
    sought = np.arange(theta.shape[1]) == LOG10_DOSE
    return search.profiled(problem, theta, sought, heights, inverse).intervals[:, LOG10_DOSE]


def _leave(fits: Fits, confidence: float) -> Floats:
    """Sum of squares (n,) beyond which a curve is excluded."""
    leave = profile.threshold(fits.rss, fits.dof, confidence)
    # A flat line that the test accepts has one parameter, and the scatter about it is noise, too: with few
    # doses it tells more than what a curve of four parameters leaves.
    flat, line = fits.problem.flat
    of_line = profile.threshold(flat, fits.problem.told - line, confidence)
    return np.where(fits.status == Status.NO_EFFECT, np.fmin(leave, of_line), leave)


def _levels(level: float | Floats, control: float, curves: int) -> Floats:
    """One level a curve (n,), none of them the control's own: there a curve begins on neither side."""
    levels = np.asarray(level, dtype=float)
    if levels.shape not in ((), (curves,)):
        raise _refusal(f"{levels.shape} levels for {curves} curves", "one level, or one a curve")
    if not (np.isfinite(levels).all() and np.isfinite(control) and (levels != control).all()):
        raise _refusal(
            f"a level of {np.ravel(levels)[0] if levels.size == 1 else levels} with a control of {control:g}",
            "finite numbers, and a level that is not the control itself",
        )
    return np.broadcast_to(levels, (curves,))


def _refusal(message: str, expected: str) -> InputError:
    return InputError(
        "GP-C049", message, where="potencies of fitted curves", expected=expected,
        next_step="correct it; half of a control of 1 is a level of 0.5 beside a control of 1",
    )  # fmt: skip


def _errors(fits: Fits, bounds: Floats, wald: Floats) -> Floats:
    """Standard errors (n,) on log10 from the width of the profile, or where it is open from the curvature."""
    width = bounds[:, 1] - bounds[:, 0]
    quantile = stdtrit(np.maximum(fits.dof, 1), 0.5 + 0.5 * fits.confidence)
    return np.where(np.isfinite(width), width / (2.0 * quantile), wald)


def _potencies(
    fits: Fits, found: _Found, time_h: Sequence[float | None] | None, **common: Any
) -> tuple[Potency, ...]:
    """One potency a curve."""
    times = [None] * len(fits.rss) if time_h is None else list(time_h)
    if len(times) != len(fits.rss):
        raise _refusal(f"{len(times)} times for {len(fits.rss)} curves", "one time a curve, None where none")
    return tuple(_potency(fits, i, found, {**common, "time_h": times[i]}) for i in range(len(fits.rss)))


def _potency(fits: Fits, i: int, found: _Found, fields: Mapping[str, Any]) -> Potency:
    status, side = Status(int(fits.status[i])), int(found.side[i])
    plateau = Plateau(int(fits.plateau[i]))
    common = {"confidence": fits.confidence, **fields}
    # The relative status does not speak for the absolute potency, so its range reasons are said anew.
    reasons: tuple[Reason, ...] = (Reason(status.name.lower()),) if status in SAID else ()
    step = found.step[i]
    if status == Status.NOT_CONVERGED and np.isfinite(step).all():
        return _bracket(fits, i, step, (Reason.STEP,), common)
    if status in UNUSABLE or side in (UNKNOWN, TURNED) or np.isnan(fits.problem.highest_dose[i]):
        if status not in UNUSABLE:
            reasons = (_why_none(plateau, side),)
        return Potency(value_nm=None, low_nm=None, high_nm=None, relation="none", reasons=reasons, **common)
    # That a plateau is impossible forbids a dose half way to it, not one at a level of its own.
    if plateau != Plateau.IMPOSSIBLE:
        reasons = (*reasons, *PLATEAUS.get(plateau, ()))
    limit = _limit(fits, i, found, reasons, common)
    if limit is not None:
        return limit
    bounds = found.bounds[i]
    low, high = (float(10.0**bound) if np.isfinite(bound) else None for bound in bounds)
    if np.isfinite(step).all():
        ends = np.array([np.fmin(bounds[0], step[0]), np.fmax(bounds[1], step[1])])
        return _bracket(fits, i, ends, (*reasons, Reason.STEP), common)
    for bound, reason in zip(bounds, (Reason.OPEN_LOW, Reason.OPEN_HIGH), strict=True):
        if np.isinf(bound):
            reasons = (*reasons, reason)
    error = float(found.log10_se[i])
    return Potency(
        value_nm=float(10.0 ** found.log10_dose[i]), low_nm=low, high_nm=high, reasons=reasons,
        log10_se=error if np.isfinite(error) else None, **common,
    )  # fmt: skip


def _bracket(
    fits: Fits, i: int, ends: Floats, reasons: tuple[Reason, ...], common: Mapping[str, Any]
) -> Potency:
    """Between log10 doses; a limit where one of them lies beyond the tested ones, as where the plateau after
    the fall is a single dose, and none where both do."""
    (low, high), (lowest, highest) = 10.0**ends, (float(end[i]) for end in fits.problem.tested)
    slack = 1.0 + 1e-9
    inside = low >= lowest / slack, high <= highest * slack
    relation: Relation = "between" if all(inside) else ">" if inside[0] else "<" if inside[1] else "none"
    value = {">": float(low), "<": float(high)}.get(relation)
    return Potency(
        value_nm=value,
        low_nm=float(low) if inside[0] else None,
        high_nm=float(high) if inside[1] else None,
        relation=relation,
        reasons=reasons,
        **common,
    )


def _why_none(plateau: Plateau, side: int) -> Reason:
    if plateau == Plateau.IMPOSSIBLE:
        return Reason.PLATEAU_IMPOSSIBLE
    if side == TURNED:
        return Reason.TURNS
    return Reason.FLAT_WITHOUT_VEHICLE if side == UNKNOWN else Reason.NO_POSITIVE_DOSE


def _limit(
    fits: Fits, i: int, found: _Found, reasons: tuple[Reason, ...], common: Mapping[str, Any]
) -> Potency | None:
    """The limit where a curve meets its level nowhere in the tested doses; None where it does.

    Beyond the tested doses a bound would be an extrapolation, so a limit stops at their edge; where the data
    do not exclude the level within them, it stands where they begin to.
    """
    side, log10_dose = int(found.side[i]), float(found.log10_dose[i])
    lowest, highest = (
        float(np.log10(fits.problem.lowest_dose[i])),
        float(np.log10(fits.problem.highest_dose[i])),
    )
    (above, below), (low, high) = found.edges[i], found.bounds[i]
    relation: Relation
    interval: tuple[float | None, float | None]
    if side == BEYOND or (side == LOCATED and log10_dose > highest):
        reason, relation = Reason.NOT_REACHED if side == BEYOND else Reason.ABOVE_TESTED, ">"
        edge, interval = _edge(above, highest, -1.0), (_edge(low, highest, -1.0), None)
    elif side == PASSED or log10_dose < lowest:
        reason, relation = Reason.ALWAYS_PAST if side == PASSED else Reason.BELOW_TESTED, "<"
        edge, interval = _edge(below, lowest, 1.0), (None, _edge(high, lowest, 1.0))
    else:
        return None
    if side != BEYOND or fits.status[i] != Status.NO_EFFECT:
        reasons = (*reasons, reason)
    if edge is None:
        open_side = Reason.OPEN_LOW if relation == ">" else Reason.OPEN_HIGH
        none = (*reasons, open_side)
        return Potency(value_nm=None, low_nm=None, high_nm=None, relation="none", reasons=none, **common)
    tested = fits.problem.highest_dose[i] if relation == ">" else fits.problem.lowest_dose[i]
    value = float(tested if edge in (lowest, highest) else 10.0**edge)
    ends = [
        None if side != LOCATED or end is None or np.isnan(bound) else clip(float(10.0**end), value)
        for end, bound, clip in zip(interval, (low, high), (min, max), strict=True)
    ]
    return Potency(
        value_nm=value, low_nm=ends[0], high_nm=ends[1], relation=relation, reasons=reasons, **common
    )


def _edge(bound: float, tested: float, outward: float) -> float | None:
    """Log10 dose of a limit: the bound of the interval where it lies within the tested doses, else their
    edge; None where the interval is open."""
    if np.isnan(bound):
        return tested
    if np.isinf(bound):
        return None
    return float(outward * max(outward * bound, outward * tested))
