"""Many searches of minima at once: damped Fisher scoring within bounds, each with its own data and damping.

Each round evaluates one vector of every search that still runs, in a single call. The step s solves
(H + damping D) s = -g with the expected curvature H and its diagonal D (Levenberg 1944,
doi:10.1090/qam/10666; Marquardt 1963, doi:10.1137/0111030); what a bound holds is left out of the step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.workshop.objective import Cost

__all__ = ["STATUSES", "Going", "Search", "Searched", "joined", "search", "taken"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]
Search = Callable[[Floats, Integers], Cost]
"""(m, p) vectors and (m,) numbers of the searches that they belong to -> `Cost`."""

STATUSES = {
    "converged": "no direction promises a fall of more than 1e-6",
    "flat": "no step falls any more, though the slope is not 0: noise of the integration, or a corner",
    "rounds used up": "it still falls; ask for more rounds",
    "failed": "the model cannot be computed at the start",
}
# A search ends when the quadratic model promises less than this fall of minus log posterior.
PROMISED = 1e-6
# Damping: first value, factor after a good and after a bad step, and where no step is worth trying.
FIRST, EASIER, HARDER, HARDEST = 10.0, 0.33, 4.0, 1e12
# Smallest curvature, beside the largest of the vector: what is flatter moves by a damped step only.
FLATTEST = 1e-14
LONGEST = 1.0  # of a step, in scaled units for each parameter: a decade on log10
SLOW, SLOW_ROUNDS = 1e-9, 8  # falls that are no progress, and how many of them in a row end a search


@dataclass(frozen=True, eq=False)
class Searched:
    """Where each search ended.

    scaled: (m, p).   value: (m,), infinite where the start failed.   gradient: (m, p).   curvature: (m, p,
    p).   status: one of `STATUSES` each.   reasons: of those that failed.   rounds: (m,) evaluations.
    """

    scaled: Floats
    value: Floats
    gradient: Floats
    curvature: Floats
    status: tuple[str, ...]
    reasons: tuple[str, ...]
    rounds: Integers


@dataclass(eq=False)
class Going:
    """Searches on their way: all that decides how they go on.

    scaled to curvature: as of `Searched`.   status: empty while a search runs.   used: (m,) evaluations.
    damping, slow: (m,) of the next step, and falls in a row that were none.
    """

    scaled: Floats
    value: Floats
    gradient: Floats
    curvature: Floats
    status: NDArray[np.object_]
    reasons: list[str]
    used: Integers
    damping: Floats
    slow: Integers


def search(
    function: Search,
    starts: Floats,
    box: tuple[Floats, Floats],
    *,
    free: Bools | None = None,
    rounds: int = 200,
    told: Callable[[int, int], None] | None = None,
    going: Going | None = None,
    keep: Callable[[Going], None] | None = None,
) -> Searched:
    """Search a minimum from every start.

    starts: (m, p) within the box.   box: lower and upper bounds, (p,) each.   free: (m, p) what may move, all
    by default.   rounds: evaluations of each at most.   told: hears (ended, all) after every round.
    going: searches from these starts that were stopped, and go on with the same bits.   keep: gets the state
    after every round.
    """
    low, high = box
    m, p = starts.shape
    may = np.ones((m, p), dtype=bool) if free is None else free
    at = _begun(function, np.clip(starts, low, high)) if going is None else going
    while int(at.used.max(initial=1)) < rounds:
        running = np.flatnonzero(at.status == "")
        if not running.size:
            break
        step, promised = _steps(at, may, box, running)
        done = promised < PROMISED
        at.status[running[done]] = "converged"
        now, step = running[~done], step[~done]
        if not now.size:
            break
        tried = np.clip(at.scaled[now] + step, low, high)
        _judge(at, now, tried, function(tried, now))
        if keep is not None:
            keep(at)
        if told is not None:
            told(int((at.status != "").sum()), m)
    at.status[at.status == ""] = "rounds used up"
    if told is not None:
        told(m, m)
    status, reasons = tuple(at.status.tolist()), tuple(at.reasons)
    return Searched(at.scaled, at.value, at.gradient, at.curvature, status, reasons, at.used)


def _begun(function: Search, z: Floats) -> Going:
    """Searches at their starts (m, p)."""
    m = z.shape[0]
    cost = function(z, np.arange(m))
    status = np.where(np.isfinite(cost.value), "", "failed").astype(object)
    reasons = [
        reason if state == "failed" else "" for reason, state in zip(cost.reasons, status, strict=True)
    ]
    return Going(
        z,
        cost.value.copy(),
        cost.gradient.copy(),
        cost.curvature.copy(),
        status,
        reasons,
        used=np.ones(m, dtype=np.int64),
        damping=np.full(m, FIRST),
        slow=np.zeros(m, dtype=np.int64),
    )


def _judge(at: Going, now: Integers, tried: Floats, cost: Cost) -> None:
    """Take the steps that fall, damp the others, and end the searches that do not fall any more."""
    at.used[now] += 1
    fall = at.value[now] - cost.value
    good = np.isfinite(cost.value) & (fall >= 0.0)
    kept = now[good]
    at.slow[kept] = np.where(fall[good] < SLOW * (1.0 + np.abs(at.value[kept])), at.slow[kept] + 1, 0)
    at.scaled[kept], at.value[kept] = tried[good], cost.value[good]
    at.gradient[kept], at.curvature[kept] = cost.gradient[good], cost.curvature[good]
    at.damping[kept] *= EASIER
    at.damping[now[~good]] *= HARDER
    at.status[now[(at.damping[now] > HARDEST) | (at.slow[now] >= SLOW_ROUNDS)]] = "flat"


def joined(parts: Sequence[Searched]) -> Searched:
    """Several searches as one, in their order."""
    return Searched(
        np.concatenate([one.scaled for one in parts]),
        np.concatenate([one.value for one in parts]),
        np.concatenate([one.gradient for one in parts]),
        np.concatenate([one.curvature for one in parts]),
        tuple(state for one in parts for state in one.status),
        tuple(reason for one in parts for reason in one.reasons),
        np.concatenate([one.rounds for one in parts]),
    )


def taken(searched: Searched, places: Integers) -> Searched:
    """The searches at some places, in their order."""
    return Searched(
        searched.scaled[places],
        searched.value[places],
        searched.gradient[places],
        searched.curvature[places],
        tuple(searched.status[k] for k in places),
        tuple(searched.reasons[k] for k in places),
        searched.rounds[places],
    )


def _steps(going: Going, may: Bools, box: tuple[Floats, Floats], which: Integers) -> tuple[Floats, Floats]:
    """Damped steps (k, p) of some searches, and the falls that undamped ones promise, (k,)."""
    low, high = box
    at, g, h = going.scaled[which], going.gradient[which], going.curvature[which]
    held = ~may[which] | ((at <= low) & (g > 0.0)) | ((at >= high) & (g < 0.0))
    step = np.zeros_like(g)
    promised = np.zeros(which.size)
    for again in range(g.shape[1] + 1):
        apart = held[:, :, None] | held[:, None, :]
        open_h = np.where(apart, 0.0, h)
        pull = np.where(held, 0.0, g)
        diagonal = np.einsum("kii->ki", open_h)
        size = np.maximum(diagonal, FLATTEST * np.maximum(diagonal.max(axis=1), 1.0)[:, None])
        unit = np.eye(g.shape[1])
        if again == 0:
            eased = open_h + unit * np.where(held, 1.0, 1e-10 * size)[:, None, :]
            promised = 0.5 * (pull * _solved(eased, pull)).sum(axis=1)
        damped = open_h + unit * np.where(held, 1.0, going.damping[which][:, None] * size)[:, None, :]
        step = np.where(held, 0.0, -_solved(damped, pull))
        longest = np.abs(step).max(axis=1, initial=0.0)[:, None]
        step = step * np.minimum(1.0, LONGEST / np.maximum(longest, LONGEST))
        # What the step would push through a bound it stands at is held, and the rest solved again.
        through = ~held & (((at <= low) & (step < 0.0)) | ((at >= high) & (step > 0.0)))
        if not through.any():
            break
        held = held | through
    return step, promised


def _solved(matrix: Floats, vector: Floats) -> Floats:
    """Solutions of (k, p, p) systems that are symmetric and positive, scaled to a diagonal of 1 first."""
    diagonal = np.sqrt(np.maximum(np.einsum("kii->ki", matrix), 1e-300))
    scaled = matrix / (diagonal[:, :, None] * diagonal[:, None, :])
    try:
        found = np.linalg.solve(scaled, (vector / diagonal)[..., None])[..., 0]
    except np.linalg.LinAlgError:
        found = (np.linalg.pinv(scaled, hermitian=True) @ (vector / diagonal)[..., None])[..., 0]
    return np.asarray(found / diagonal)
