"""A logistic at each time: the fallback where times or doses are too few to fit them together."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy.special import stdtrit

from glueprint import curves
from glueprint.assays.degradation.kinetics import HALF
from glueprint.assays.degradation.reading import Floats, Lanes
from glueprint.assays.degradation.result import TimePoint
from glueprint.assays.degradation.settings import Settings
from glueprint.assays.findings import Finding
from glueprint.curves import Fits, Plateau, Potency
from glueprint.curves.evidence import f_test
from glueprint.curves.logistic import BACK, FRONT
from glueprint.curves.potency import Reason, Relation
from glueprint.curves.status import Status

__all__ = ["time_points"]

# A free slope asks for more doses than its three other parameters do; a hook for one more.
DOSES_FOR_FREE_SLOPE, DOSES_FOR_HOOK = 6, 7
# No less than nothing is left of a protein.
POSSIBLE = (0.0, None)
NO_PLATEAU = (
    Status.TOO_FEW_POINTS,
    Status.NOT_CONVERGED,
    Status.NO_EFFECT,
    Status.TURNS,
    Status.ABOVE_TESTED,
)
Group = tuple[Lanes, float, Floats]


def time_points(lanes: list[Lanes], settings: Settings, findings: list[Finding]) -> list[TimePoint]:
    """Dose against fraction remaining at each time of each experiment, in one batch a model.

    Six or more distinct doses get a free slope ("4pl"), fewer slope 1 ("3pl"). A limit below detection is
    read at its
    half and at its limit: the interval covers both.
    Source: Dmax after Riching et al. 2022, doi 10.1039/d2cs00387b: the fitted plateau.
    """
    groups: list[Group] = []
    for one in lanes:
        vehicle = one.dose_nm == 0.0
        for time_h in np.unique(one.time_h[~vehicle]):
            here = one.time_h == time_h
            # A vehicle does not change: without one of its own a time takes those of all others.
            here = here if (here & vehicle).any() else here | vehicle
            groups.append((one, float(time_h), np.stack([one.dose_nm, one.fraction, one.side], axis=1)[here]))
    found = []
    for model in ("4pl", "3pl"):
        mine = [group for group in groups if _model(group[2]) == model]
        if mine:
            middle, least = _fit(mine, model, settings, 0.5), None
            if any((group[2][:, 2] != 0).any() for group in mine):
                least = [_fit(mine, model, settings, share) for share in (0.0, 1.0)]
            found += [
                _hooked(group, _covering(point, [other[i] for other in least or ()]), settings, findings)
                for i, (group, point) in enumerate(zip(mine, middle, strict=True))
            ]
    return found


def _model(lanes: Floats) -> str:
    return "4pl" if np.unique(lanes[:, 0]).size >= DOSES_FOR_FREE_SLOPE else "3pl"


def _fit(groups: list[Group], model: str, settings: Settings, share: float) -> list[TimePoint]:
    """All time points that share a model; limits stand at a share of themselves; short ones are filled with
    missing
    points."""
    lanes = np.full((len(groups), max(len(group[2]) for group in groups), 2), np.nan)
    for i, (_, _, group) in enumerate(groups):
        lanes[i, : len(group), 0] = group[:, 0]
        lanes[i, : len(group), 1] = np.where(group[:, 2] < 0.0, share * group[:, 1], group[:, 1])
    times = [time_h for _, time_h, _ in groups]
    fits = curves.fit(model, lanes[:, :, 0], lanes[:, :, 1], within=POSSIBLE, confidence=settings.confidence)
    relative = curves.relative(fits, "DC50", time_h=times)
    absolute = curves.absolute(fits, HALF, "DC50", control=1.0, time_h=times)
    points = []
    for i, (one, time_h, _) in enumerate(groups):
        dmax, dmax_se = _dmax(fits, i)
        reach = None if dmax is None or dmax_se is None else _quantile(fits, i) * dmax_se
        points.append(
            TimePoint(
                target=one.target,
                time_h=time_h,
                model=model,
                doses=int(fits.problem.distinct_doses[i]),
                points=int(fits.points[i]),
                dmax=dmax,
                dmax_se=dmax_se,
                relative=relative[i],
                absolute=absolute[i],
                status=Status(int(fits.status[i])).name,
                reason=fits.reasons[i],
                compound=one.compound,
                experiment=one.experiment,
                dmax_low=None if dmax is None or reach is None else dmax - reach,
                dmax_high=None if dmax is None or reach is None else dmax + reach,
            )
        )
    return points


def _quantile(fits: Fits, i: int) -> float:
    return float(stdtrit(max(int(fits.dof[i]), 1), 0.5 + 0.5 * fits.confidence))


def _dmax(fits: Fits, i: int) -> tuple[float | None, float | None]:
    """1 - back / front and its error by the delta method; None where the curve has no far plateau to
    read."""
    if Status(int(fits.status[i])) in NO_PLATEAU or int(fits.plateau[i]) != Plateau.SEEN:
        return None, None
    front, back = float(fits.front[i]), float(fits.back[i])
    slope = np.array([back / front**2, -1.0 / front])
    block = fits.covariance[i][np.ix_([FRONT, BACK], [FRONT, BACK])]
    error = float(np.sqrt(slope @ block @ slope))
    return 1.0 - back / front, error if np.isfinite(error) else None


def _covering(point: TimePoint, others: list[TimePoint]) -> TimePoint:
    """The point with intervals that also cover what censored lanes can be."""
    if not others:
        return point
    low = [p.dmax_low for p in (point, *others)]
    high = [p.dmax_high for p in (point, *others)]
    return replace(
        point,
        relative=_widest(point.relative, [p.relative for p in others]),
        absolute=_widest(point.absolute, [p.absolute for p in others]),
        dmax_low=None if None in low else min(x for x in low if x is not None),
        dmax_high=None if None in high else max(x for x in high if x is not None),
    )


def _widest(middle: Potency, others: list[Potency]) -> Potency:
    every = [middle, *others]
    if middle.relation != "=" or all(one == middle for one in others):
        return middle
    values = np.log10([one.value_nm for one in every if one.value_nm is not None])
    lows, highs = [one.low_nm for one in every], [one.high_nm for one in every]
    return replace(
        middle,
        low_nm=None if None in lows else min(x for x in lows if x is not None),
        high_nm=None if None in highs else max(x for x in highs if x is not None),
        log10_se=None if middle.log10_se is None else float(np.hypot(middle.log10_se, np.ptp(values) / 2.0)),
        notes=(*middle.notes, "the interval covers lanes below detection from 0 to their limit"),
    )


def _hooked(group: Group, point: TimePoint, settings: Settings, findings: list[Finding]) -> TimePoint:
    """The point read from the bell curve where the F test shows a hook; else as it is."""
    one, time_h, lanes = group
    if settings.hook != "test" or np.unique(lanes[:, 0]).size < DOSES_FOR_HOOK or (lanes[:, 2] != 0).any():
        return point
    dose, left = lanes[:, 0], lanes[:, 1]
    plain = curves.fit("4pl", dose, left, fixed={"back": None}, intervals=False)
    bell = curves.fit("hook", dose, left, fixed={"slope": None}, intervals=False)
    if int(bell.dof[0]) < 1 or not (bell.rss[0] > 0.0 and plain.rss[0] > bell.rss[0]):
        return point
    p_value = float(f_test(plain.rss[0] - bell.rss[0], 1, bell.rss[0], bell.dof[0])[1])
    if p_value >= settings.hook_alpha or plain.rss[0] < 1e-12:
        return point
    grid = np.geomspace(dose[dose > 0.0].min(), dose.max(), 2001)
    fitted, front = bell.predict(grid)[0], float(bell["front"][0])
    loss = 1.0 - fitted / front
    best = int(np.argmax(loss))
    findings.append(
        Finding(
            "GP-A150",
            "warning",
            f"a hook at {time_h:g} h (F test, p = {p_value:.2g}): high doses lose less",
            one.name,
            "",
            "Dmax is the top of the curve, the DC50s are read on its rising limb, without interval",
        )
    )
    return replace(
        point,
        model="hook",
        dmax=float(loss[best]),
        dmax_se=None,
        dmax_low=None,
        dmax_high=None,
        relative=_rising(point.relative, grid, loss, best, 0.5 * float(loss[best])),
        absolute=_rising(point.absolute, grid, loss, best, HALF),
    )


def _rising(old: Potency, grid: Floats, loss: Floats, best: int, level: float) -> Potency:
    past = np.flatnonzero(loss[: best + 1] >= level)
    edge = float(grid[0]) if past.size and past[0] == 0 else math.nan
    relation: Relation
    reasons: tuple[Reason, ...]
    if past.size == 0:
        value, relation, reasons = float(grid[-1]), ">", (Reason.NOT_REACHED,)
    elif math.isfinite(edge):
        value, relation, reasons = edge, "<", (Reason.BELOW_TESTED,)
    else:
        value, relation, reasons = float(grid[past[0]]), "=", (Reason.OPEN_LOW, Reason.OPEN_HIGH)
    return replace(
        old, value_nm=value, low_nm=None, high_nm=None, log10_se=None, relation=relation, reasons=reasons
    )
