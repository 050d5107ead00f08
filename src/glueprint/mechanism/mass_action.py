"""Mass action: free concentrations of any components that form any 1:1:... complexes, all depleted.

Kernel: arrays in, arrays out; one unit of concentration. Newton's method in logarithms, then a polish whose
residual carries twice the digits, so that even a tight titration keeps its relative accuracy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.errors import InternalError

__all__ = ["Equilibrium", "met", "solve"]

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]

MAX_STEPS = 200
# Of the logarithms of balance over total: above their own rounding, below what the polish mends in one step.
SETTLED = 1e-12
# The first step wins all the digits there are, even from seven; the second is for tighter balances still.
POLISH_STEPS = 2
# In logarithms; a step further than this starts from too far away to be trusted.
LONGEST_STEP = 3.0
# Stands for a component that is absent: its complexes vanish beside every other number.
ABSENT = 1e-280
# Veltkamp's splitter for 53-bit numbers: halves whose products are exact.
SPLITTER = 134217729.0


@dataclass(frozen=True)
class Equilibrium:
    """free: (n, k) concentrations.   complexes: (n, s).   settled: (n,) whether the balance was met."""

    free: Floats
    complexes: Floats
    settled: NDArray[np.bool_]


def solve(totals: Floats, constants: Floats, members: tuple[tuple[int, ...], ...]) -> Equilibrium:
    """Free components and complexes at equilibrium.

    totals: (n, k) >= 0.   constants: (n, s) of formation, >= 0: complex over the product of its members.
    members: for each of the s complexes the components in it, each once.
    Source: own derivation, docs/binding.md, "Any complexes": the balances are the gradient of a convex
    function of the logarithms; pairs of components are solved in closed form in turn, and Newton's step is
    taken where it brings the balances nearer.
    """
    amounts = np.where(totals > 0.0, totals, ABSENT)
    belongs = _belongs(members, totals.shape[1])
    free, open_rows = amounts.copy(), np.arange(len(totals))
    for _ in range(MAX_STEPS):
        now, given, wanted = free[open_rows], constants[open_rows], amounts[open_rows]
        now = _pairwise(now, given, wanted, members)
        species = _complexes(now, given, members)
        ratio = _log_ratio(now, species, wanted, belongs)
        balance = now + species @ belongs
        step = _symmetric_solve(now, species, belongs, balance * ratio)
        tried = now * np.exp(-np.clip(step, -LONGEST_STEP, LONGEST_STEP))
        missed = np.abs(ratio).max(-1)
        left = np.abs(_log_ratio(tried, _complexes(tried, given, members), wanted, belongs)).max(-1)
        nearer = left < missed
        free[open_rows] = np.where(nearer[:, None], tried, now)
        open_rows = open_rows[np.minimum(left, missed) > SETTLED]
        if open_rows.size == 0:
            break
    for _ in range(POLISH_STEPS):
        free = _polished(free, constants, amounts, members)
    free = np.where(totals > 0.0, free, 0.0)
    settled = np.ones(len(totals), dtype=bool)
    settled[open_rows] = False
    return Equilibrium(free, _complexes(free, constants, members), settled)


def met(found: Equilibrium) -> Equilibrium:
    """The equilibrium, if every balance in it was met. Raises InternalError GP-M009 otherwise."""
    if bool(np.all(found.settled)):
        return found
    raise InternalError(
        "GP-M009",
        f"the mass balance did not converge in {MAX_STEPS} steps",
        where="binding",
        next_step="please report it with the concentrations and constants used",
    )


def _log_ratio(free: Floats, species: Floats, totals: Floats, belongs: Floats) -> Floats:
    """ln(balance/total), (n, k)."""
    return np.asarray(np.log((free + species @ belongs) / totals))


def _pairwise(
    free: Floats, constants: Floats, totals: Floats, members: tuple[tuple[int, ...], ...]
) -> Floats:
    """Each pair that shares a complex brought to equilibrium in turn, the other components held."""
    free = free.copy()
    pairs = sorted({(i, j) for parts in members for i in parts for j in parts if i < j})
    for i, j in pairs:
        alone_i, alone_j, both = np.ones(len(free)), np.ones(len(free)), np.zeros(len(free))
        for column, parts in enumerate(members):
            others = constants[:, column].copy()
            for part in parts:
                if part not in (i, j):
                    others *= free[:, part]
            if i in parts and j in parts:
                both += others
            elif i in parts:
                alone_i += others
            elif j in parts:
                alone_j += others
        total_i, total_j = totals[:, i], totals[:, j]
        with np.errstate(divide="ignore"):
            kd = alone_i * (alone_j / both)
        free_i = _free_of_pair(total_i, total_j, kd)
        free[:, i] = free_i / alone_i
        free[:, j] = total_j / (1.0 + free_i / kd) / alone_j
    return free


def _free_of_pair(total: Floats, other: Floats, kd: Floats) -> Floats:
    """What is free of `total` beside a partner that depletes it, by the root that does not cancel."""
    mine, its = total / kd, other / kd
    rest = its - mine + 1.0
    root = np.sqrt((mine - its) ** 2 + 1.0 + 2.0 * (mine + its))
    plenty = rest > 0.0
    # Each branch is kept finite where the other one answers: kd is infinite where no complex forms.
    return np.where(
        plenty,
        2.0 * total / (np.where(plenty, rest, 1.0) + root),
        0.5 * np.where(plenty, 1.0, kd) * (root - rest),
    )


def _belongs(members: tuple[tuple[int, ...], ...], components: int) -> Floats:
    """(s, k) of 0 and 1: which components are in which complex."""
    table = np.zeros((len(members), components))
    for row, parts in enumerate(members):
        table[row, list(parts)] = 1.0
    return table


def _complexes(free: Floats, constants: Floats, members: tuple[tuple[int, ...], ...]) -> Floats:
    found = constants.copy()
    for column, parts in enumerate(members):
        for part in parts:
            found[:, column] *= free[:, part]
    return found


def _symmetric_solve(alone: Floats, species: Floats, belongs: Floats, right: Floats) -> Floats:
    """x of (diag(alone) + sum_s species_s v_s v_s') x = right, per row; scaled to a unit diagonal."""
    k = alone.shape[1]
    scale = 1.0 / np.sqrt(alone + species @ belongs)
    entry = {
        (i, j): (species @ (belongs[:, i] * belongs[:, j])) * scale[:, i] * scale[:, j]
        for i in range(k)
        for j in range(i)
    }
    pivots = [np.ones(alone.shape[0]) for _ in range(k)]
    x = [right[:, i] * scale[:, i] for i in range(k)]
    for i in range(k):
        for j in range(i + 1, k):
            factor = entry[j, i] / pivots[i]
            pivots[j] = pivots[j] - factor * entry[j, i]
            for row in range(j + 1, k):
                entry[row, j] = entry[row, j] - factor * entry[row, i]
            x[j] = x[j] - factor * x[i]
    for i in range(k - 1, -1, -1):
        for j in range(i + 1, k):
            x[i] = x[i] - entry[j, i] * x[j]
        x[i] = x[i] / pivots[i]
    return np.stack(x, axis=-1) * scale


def _polished(
    free: Floats, constants: Floats, totals: Floats, members: tuple[tuple[int, ...], ...]
) -> Floats:
    """One Newton step with a residual of twice the digits."""
    excess = [_sum((free[:, i], np.zeros(len(free))), -totals[:, i]) for i in range(free.shape[1])]
    species = np.empty(constants.shape)
    for column, parts in enumerate(members):
        product: Pair = (constants[:, column], np.zeros(len(free)))
        for part in parts:
            product = _times(product, free[:, part])
        species[:, column] = product[0]
        for part in parts:
            excess[part] = _plus(excess[part], product)
    gap = np.stack([high + low for high, low in excess], axis=-1)
    return np.asarray(free * np.exp(-_symmetric_solve(free, species, _belongs(members, free.shape[1]), gap)))


def _two_sum(a: Floats, b: Floats) -> Pair:
    """a + b and its rounding error. Source: Knuth, The Art of Computer Programming 2, 4.2.2, theorem B."""
    total = a + b
    back = total - a
    return total, (a - (total - back)) + (b - back)


def _two_product(a: Floats, b: Floats) -> Pair:
    """a b and its rounding error. Source: Dekker 1971, doi 10.1007/BF01397083."""
    product = a * b
    a_big, b_big = a * SPLITTER, b * SPLITTER
    a_high, b_high = a_big - (a_big - a), b_big - (b_big - b)
    a_low, b_low = a - a_high, b - b_high
    return product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _sum(a: Pair, b: Floats) -> Pair:
    high, low = _two_sum(a[0], b)
    return _two_sum(high, low + a[1])


def _plus(a: Pair, b: Pair) -> Pair:
    high, low = _two_sum(a[0], b[0])
    return _two_sum(high, low + a[1] + b[1])


def _times(a: Pair, b: Floats) -> Pair:
    high, low = _two_product(a[0], b)
    return _two_sum(high, low + a[1] * b)
