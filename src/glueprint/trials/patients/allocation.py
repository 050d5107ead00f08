"""Randomisation: stratified permuted blocks. Kernel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glueprint.runs.streams import uniforms

__all__ = ["allocate", "strata_of"]

Integers = NDArray[np.int64]
# How often the last, incomplete blocks are drawn to meet the planned arm sizes.
ATTEMPTS = 200
APART = 2**32  # keeps the random numbers of one stratum from those of the next


def strata_of(columns: list[NDArray[np.str_]]) -> Integers:
    """(n,) number of the stratum of each patient, from (n,) levels of each factor; all 0 without factors."""
    if not columns:
        return np.zeros(0, dtype=np.int64)
    return np.asarray(np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)[1], dtype=np.int64)


def allocate(
    strata: Integers,
    ratio: tuple[int, ...],
    blocks_of: int,
    planned: tuple[int, ...],
    *,
    seed: int,
    purpose: str,
) -> Integers:
    """(n,) arm of each patient, by permuted blocks within strata.

    strata: (n,) stratum numbers in order of enrolment.   ratio: parts per arm.   blocks_of: block size.
    planned: patients per arm. Trials report the sizes they got. So the last block of each stratum is drawn
    anew, as any permutation of a block cut off where enrolment ended, until the arms have the planned sizes,
    which is the distribution of blocks given these sizes. Where no attempt has them, the closest stands, and
    as many patients as it takes change arm, chosen by lot among those enrolled last.
    Source: permuted blocks, own derivation, see docs/trials.md.
    """
    if not strata.size:
        return np.zeros(0, dtype=np.int64)
    block = np.repeat(np.arange(len(ratio)), np.array(ratio) * (blocks_of // sum(ratio)))
    member, from_end = _places(strata)
    which = strata * APART + member // blocks_of
    blocks, of_block = np.unique(which, return_inverse=True)
    order = np.argsort(uniforms(seed, purpose, blocks, blocks_of), axis=1)
    arms = block[order[of_block, member % blocks_of]]
    last = np.flatnonzero((member + from_end + 1) // blocks_of == member // blocks_of)
    if last.size:
        missing = np.array(planned) - np.bincount(np.delete(arms, last), minlength=len(ratio))
        arms[last] = _last_blocks(strata[last], member[last] % blocks_of, block, missing, (seed, purpose))
    lot = uniforms(seed, f"{purpose}/change", np.arange(arms.size), 1)[:, 0]
    return _to_size(arms, planned, np.lexsort((lot, from_end // blocks_of)))


def _places(strata: Integers) -> tuple[Integers, Integers]:
    """(n,) how many of the same stratum come before a patient, and after."""
    order = np.argsort(strata, kind="stable")
    count = np.bincount(strata)
    first = np.cumsum(count) - count
    member = np.empty(strata.size, dtype=np.int64)
    member[order] = np.arange(strata.size) - first[strata[order]]
    return member, count[strata] - member - 1


def _last_blocks(
    strata: Integers, place: Integers, block: Integers, missing: Integers, chance: tuple[int, str]
) -> Integers:
    """(m,) arms of those in incomplete blocks, out of the attempt whose arms come nearest to what is missing.

    strata, place: (m,) stratum of each, and place within its last block.   chance: seed and purpose.
    """
    seed, purpose = chance
    stratum, row = np.unique(strata, return_inverse=True)
    units = (stratum[:, None] * APART + np.arange(ATTEMPTS)).ravel()
    drawn = uniforms(seed, f"{purpose}/last", units, block.size).reshape(stratum.size, ATTEMPTS, block.size)
    arms_of = block[np.argsort(drawn, axis=2)][row, :, place]
    sizes = (arms_of[:, :, None] == np.arange(missing.size)).sum(axis=0)
    chosen = int(np.abs(sizes - missing).sum(axis=1).argmin())
    return np.asarray(arms_of[:, chosen])


def _to_size(arms: Integers, planned: tuple[int, ...], order: Integers) -> Integers:
    """(n,) arms of the planned sizes: patients change, in this order, from arms with too many."""
    found = arms.copy()
    excess = np.bincount(arms, minlength=len(planned)) - np.array(planned)
    for patient in order:
        if not (excess > 0).any():
            break
        if excess[found[patient]] > 0:
            other = int(excess.argmin())
            excess[found[patient]] -= 1
            excess[other] += 1
            found[patient] = other
    return found
