"""Profile likelihoods: how far each parameter can go while all others make up for it.

Source: Raue et al. 2009, doi:10.1093/bioinformatics/btp358; Venzon and Moolgavkar 1988, doi:10.2307/2347496.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from glueprint.workshop.objective import Cost
from glueprint.workshop.search import Search, search

__all__ = ["VERDICTS", "Profile", "Walk", "beside_others", "profiles", "rise_for"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
VERDICTS = {
    "identified": "both limits lie within the bounds, and no other parameter's bound makes them",
    "bounded above only": "no lower limit within the bounds",
    "bounded below only": "no upper limit within the bounds",
    "not identified": "no limit within the bounds",
    "several values": "searches ended just as low with values outside these limits",
    "at bound": "the best value stands at a bound, which decides it and not the data",
    "not known": "a profile could not be followed to its limit",
}
# Steps are chosen so that the square root of the rise grows by about this each time.
WANTED = 0.35
FEWEST, LARGEST = 1e-4, 1.0 / 12.0  # of the box: the least and the largest step
MOST_STEPS, REFINED = 80, 4e-3  # REFINED: how near to the limit, in units of the rise
# Where letting go of the bounds that hold others would take back this part of the rise, they make the limit.
OF_BOUNDS, WIDER = 0.25, 0.1
BETTER = 1e-3  # a fall below the best value by more than this means that there is a better one
ROUNDS = 60


@dataclass(frozen=True, eq=False)
class Profile:
    """How far one parameter can go.

    number: its place.   low, high: limits on its scale, infinite where none lies within the bounds or the
    bounds of others make it, NaN where the search for one failed.   scaled, rise: (k,) points in order, and
    how much higher minus log posterior is there.   verdict: of `VERDICTS`.   better: a vector that is better
    than the one taken as best, or None.   evaluations: of the objective.
    """

    number: int
    low: float
    high: float
    scaled: Floats
    rise: Floats
    verdict: str
    better: Floats | None = None
    evaluations: int = 0


def rise_for(confidence: float) -> float:
    """The rise of minus log posterior at the limits of an interval of one parameter."""
    # Half the quantile of chi-squared with one degree of freedom.
    return float(gammaincinv(0.5, confidence))


@dataclass(eq=False)
class Walk:
    """From the best value of one search in one direction, on its way: all that decides how it goes on.

    search: which.   points: scaled value, rise.   inner, outer: what the limit lies between; the second NaN
    until something is beyond.   evaluations: of the objective.
    """

    search: int
    number: int
    sign: float
    step: float
    largest: float
    z: Floats
    points: list[tuple[float, float]]
    inner: float = 0.0
    outer: float = np.nan
    outer_rise: float = np.nan
    outer_z: Floats | None = None
    limit: float = np.nan
    state: str = "walking"
    trial: float = np.nan
    better: Floats | None = None
    better_value: float = np.inf
    steps: int = 0
    evaluations: int = 0


def profiles(
    function: Search,
    best: Floats,
    value: Floats,
    curvature: Floats,
    box: tuple[Floats, Floats],
    *,
    confidence: float = 0.95,
    numbers: Sequence[int] | None = None,
    told: Callable[[int, int], None] | None = None,
    walks: list[Walk] | None = None,
    keep: Callable[[Sequence[Walk]], None] | None = None,
) -> list[list[Profile]]:
    """Profiles of parameters of several searches at once.

    function: as of `search`; its second argument names the searches.   best: (m, p) where they ended.
    value: (m,).   curvature: (m, p, p).   box: bounds.   numbers: which parameters, by default all.
    walks: of this very call, which was stopped, and go on with the same bits.   keep: gets them after every
    point.
    Returns one list for each search, a profile for each of `numbers`.
    """
    chosen = list(range(best.shape[1])) if numbers is None else list(numbers)
    target = rise_for(confidence)
    if walks is None:
        walks = _begun(best, curvature, box[1] - box[0], chosen)
    while True:
        now = [walk for walk in walks if _proposed(walk, *box, target)]
        if not now:
            break
        _step(function, now, value, curvature, box, target)
        if keep is not None:
            keep(walks)
        if told is not None:
            told(sum(walk.state != "walking" for walk in walks), len(walks))
    if keep is not None:
        keep(walks)
    return _together(walks, best.shape[0], chosen, box, best)


def _begun(best: Floats, curvature: Floats, width: Floats, chosen: Sequence[int]) -> list[Walk]:
    """A walk in either direction for each search and parameter; the first step follows the curvature."""
    errors = _errors(curvature)
    walks = []
    for k in range(best.shape[0]):
        for number in chosen:
            wished = 0.5 * WANTED * np.sqrt(2.0) * errors[k, number]
            largest = float(LARGEST * width[number])
            step = float(np.clip(wished, FEWEST * width[number], largest))
            at = float(best[k, number])
            walks += [
                Walk(k, number, sign, step, largest, best[k].copy(), [(at, 0.0)], inner=at)
                for sign in (-1.0, 1.0)
            ]
    return walks


def _step(
    function: Search,
    now: Sequence[Walk],
    value: Floats,
    curvature: Floats,
    box: tuple[Floats, Floats],
    target: float,
) -> None:
    """One point of every walk that goes on: the parameter held there, all others searched."""
    starts = np.stack([_moved(walk, curvature[walk.search]) for walk in now])
    free = np.ones(starts.shape, dtype=bool)
    free[np.arange(len(now)), [walk.number for walk in now]] = False
    which = np.array([walk.search for walk in now])

    def of_walk(z: Floats, rows: Integers) -> Cost:
        return function(z, which[rows])

    found = search(of_walk, starts, box, free=free, rounds=ROUNDS)
    for place, walk in enumerate(now):
        walk.evaluations += int(found.rounds[place])
        _taken(walk, found.scaled[place], float(found.value[place] - value[walk.search]), target)
        if walk.state == "bounded":
            fall = _released(found.gradient[place], found.curvature[place], walk.number, box[1] - box[0])
            if fall > OF_BOUNDS * target:
                walk.state, walk.limit = "open", walk.sign * np.inf


def _released(gradient: Floats, curvature: Floats, number: int, width: Floats) -> float:
    """How far minus log posterior would fall, by its parabola, if all bounds but those of `number` were wider
    by a tenth.
    """
    others = np.arange(gradient.size) != number
    pull, inner = gradient[others], curvature[np.ix_(others, others)]
    if not pull.any():
        return 0.0
    size = np.sqrt(np.maximum(np.diag(inner), 1e-300))
    scaled = inner / (size[:, None] * size[None, :]) + 1e-8 * np.eye(size.size)
    step = np.linalg.solve(scaled, pull / size) / size
    share = min(1.0, float((WIDER * width[others] / np.maximum(np.abs(step), 1e-300)).min()))
    return float((share - 0.5 * share**2) * (pull @ step))


def _errors(curvature: Floats) -> Floats:
    """Standard errors (m, p) from the curvature; large where it is flat."""
    p = curvature.shape[1]
    diagonal = np.sqrt(np.maximum(np.einsum("kii->ki", curvature), 1e-300))
    scaled = curvature / (diagonal[:, :, None] * diagonal[:, None, :])
    inverse = np.linalg.pinv(scaled + 1e-10 * np.eye(p), hermitian=True)
    return np.asarray(np.sqrt(np.maximum(np.einsum("kii->ki", inverse), 1.0)) / diagonal)


def _proposed(walk: Walk, low: Floats, high: Floats, target: float) -> bool:
    """Choose the next value to try; False where the walk has ended."""
    if walk.state != "walking":
        return False
    edge = high[walk.number] if walk.sign > 0 else low[walk.number]
    if walk.steps >= MOST_STEPS:
        walk.state = "lost"
        return False
    if np.isnan(walk.outer):
        if walk.inner == edge:
            walk.state, walk.limit = "open", walk.sign * np.inf
            return False
        walk.trial = walk.inner + walk.sign * walk.step
        if walk.sign * (walk.trial - edge) > -0.02 * walk.step:
            walk.trial = float(edge)
        return True
    a, b = np.sqrt(max(walk.points[-1][1], 0.0)), np.sqrt(walk.outer_rise)
    share = (np.sqrt(target) - a) / (b - a) if np.isfinite(b) else 0.5
    walk.trial = walk.inner + float(np.clip(share, 0.02, 0.98)) * (walk.outer - walk.inner)
    if abs(walk.outer - walk.inner) < 1e-9 * (1.0 + abs(walk.inner)):
        walk.state, walk.limit = "bounded", walk.inner
        return False
    return True


def _moved(walk: Walk, curvature: Floats) -> Floats:
    """Where the others would go if the objective were a parabola, from the last point."""
    z = walk.z.copy()
    shift = walk.trial - z[walk.number]
    others = np.arange(z.size) != walk.number
    if others.any() and len(walk.points) > 1 and walk.outer_z is None:
        z[walk.number] = walk.trial
        return z
    if others.any():
        inner = curvature[np.ix_(others, others)]
        size = np.maximum(np.diag(inner), 1e-12)
        along = np.linalg.solve(inner + 1e-6 * np.diag(size), curvature[others, walk.number])
        if len(walk.points) == 1:
            z[others] -= np.clip(shift * along, -1.0, 1.0)
    z[walk.number] = walk.trial
    return z


def _taken(walk: Walk, z: Floats, rise: float, target: float) -> None:
    """What a point tells: go on, or the limit lies between."""
    walk.steps += 1
    if rise < -BETTER and rise < walk.better_value:
        walk.better, walk.better_value = z.copy(), rise
    if not np.isfinite(rise):
        # The model cannot be computed there: nearer, until the step is next to nothing.
        walk.step *= 0.5
        if walk.step < 1e-6 * (1.0 + abs(walk.inner)):
            walk.state = "lost"
        elif not np.isnan(walk.outer):
            walk.outer, walk.outer_rise = walk.trial, np.inf
        return
    if abs(rise - target) < REFINED:
        walk.points.append((walk.trial, rise))
        walk.state, walk.limit = "bounded", walk.trial
        return
    if rise > target:
        walk.outer, walk.outer_rise, walk.outer_z = walk.trial, rise, z
        return
    grown = np.sqrt(max(rise, 0.0)) - np.sqrt(max(walk.points[-1][1], 0.0))
    walk.points.append((walk.trial, rise))
    walk.inner, walk.z = walk.trial, z
    if np.isnan(walk.outer):
        walk.step = min(walk.step * float(np.clip(WANTED / max(grown, 1e-9), 0.5, 2.5)), walk.largest)


def _together(
    walks: Sequence[Walk], m: int, chosen: Sequence[int], box: tuple[Floats, Floats], best: Floats
) -> list[list[Profile]]:
    found: list[list[Profile]] = [[] for _ in range(m)]
    by_place = {(walk.search, walk.number, walk.sign): walk for walk in walks}
    for k in range(m):
        for number in chosen:
            down, up = by_place[k, number, -1.0], by_place[k, number, 1.0]
            points = sorted({*down.points, *up.points})
            low, high = (walk.limit if walk.state != "lost" else np.nan for walk in (down, up))
            better = min((down, up), key=lambda walk: walk.better_value).better
            at_bound = best[k, number] <= box[0][number] or best[k, number] >= box[1][number]
            found[k].append(
                Profile(
                    number,
                    float(low),
                    float(high),
                    np.array([point[0] for point in points]),
                    np.array([point[1] for point in points]),
                    _verdict(low, high, at_bound=bool(at_bound)),
                    better,
                    down.evaluations + up.evaluations,
                )
            )
    return found


def _verdict(low: float, high: float, *, at_bound: bool) -> str:
    if np.isnan(low) or np.isnan(high):
        return "not known"
    if np.isinf(low) and np.isinf(high):
        return "not identified"
    if at_bound:
        return "at bound"
    if np.isinf(low):
        return "bounded above only"
    return "bounded below only" if np.isinf(high) else "identified"


def beside_others(one: Profile, equal: Floats) -> Profile:
    """A profile beside searches that ended just as low at other values, which it does not see.

    equal: (k,) their scaled values of the parameter.
    """
    if one.verdict != "identified" or ((equal >= one.low) & (equal <= one.high)).all():
        return one
    return replace(one, verdict="several values")
