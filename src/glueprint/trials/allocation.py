"""Randomisation: stratified permuted blocks. Kernel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glueprint.runs.streams import uniforms

__all__ = ["allocate", "strata_of"]

Integers = NDArray[np.int64]
# How often the last, incomplete blocks are drawn to meet the planned arm sizes.
ATTEMPTS = 1000


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
    block = np.repeat(np.arange(len(ratio)), np.array(ratio) * (blocks_of // sum(ratio)))
    arms = np.zeros(strata.size, dtype=np.int64)
    from_end = np.zeros(strata.size, dtype=np.int64)  # blocks of the same stratum that follow a patient's
    tails: list[tuple[Integers, Integers]] = []
    for stratum in range(int(strata.max(initial=0)) + 1):
        members = np.flatnonzero(strata == stratum)
        whole = members.size // blocks_of
        from_end[members] = np.arange(members.size)[::-1] // blocks_of
        drawn = uniforms(seed, f"{purpose}/{stratum}", np.arange(whole), blocks_of)
        arms[members[: whole * blocks_of]] = block[np.argsort(drawn, axis=1)].ravel()
        left = members[whole * blocks_of :]
        if left.size:
            again = uniforms(seed, f"{purpose}/{stratum}/last", np.arange(ATTEMPTS), blocks_of)
            tails.append((left, block[np.argsort(again, axis=1)][:, : left.size]))
    if tails:
        whole_blocks = np.delete(arms, np.concatenate([left for left, _ in tails]))
        missing = np.array(planned) - np.bincount(whole_blocks, minlength=len(ratio))
        sizes = sum(_sizes(arms_of, len(ratio)) for _, arms_of in tails)
        chosen = int(np.abs(sizes - missing).sum(axis=1).argmin())
        for left, arms_of in tails:
            arms[left] = arms_of[chosen]
    lot = uniforms(seed, f"{purpose}/change", np.arange(arms.size), 1)[:, 0] if arms.size else np.zeros(0)
    return _to_size(arms, planned, np.lexsort((lot, from_end)))


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


def _sizes(arms: Integers, count: int) -> Integers:
    """(attempts, count) patients per arm in each attempt, from (attempts, k) arms."""
    return np.asarray((arms[:, :, None] == np.arange(count)).sum(axis=1), dtype=np.int64)
