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
    planned: patients per arm. Trials report the sizes they got, so the last, incomplete block of each
    stratum is drawn anew until the arms have the planned sizes, which is the distribution of blocks given
    these sizes; if they never have, the closest attempt stands.
    Source: permuted blocks, own derivation, see docs/trials.md.
    """
    block = np.repeat(np.arange(len(ratio)), np.array(ratio) * (blocks_of // sum(ratio)))
    arms = np.zeros(strata.size, dtype=np.int64)
    tails: list[tuple[Integers, Integers]] = []
    for stratum in range(int(strata.max(initial=0)) + 1):
        members = np.flatnonzero(strata == stratum)
        whole = members.size // blocks_of
        drawn = uniforms(seed, f"{purpose}/{stratum}", np.arange(whole), blocks_of)
        arms[members[: whole * blocks_of]] = block[np.argsort(drawn, axis=1)].ravel()
        left = members[whole * blocks_of :]
        if left.size:
            again = uniforms(seed, f"{purpose}/{stratum}/last", np.arange(ATTEMPTS), blocks_of)
            tails.append((left, block[np.argsort(again, axis=1)][:, : left.size]))
    if tails:
        missing = np.array(planned) - np.bincount(
            np.delete(arms, np.concatenate([t[0] for t in tails])), minlength=len(ratio)
        )
        sizes = sum(_sizes(arms_of, len(ratio)) for _, arms_of in tails)
        chosen = int(np.abs(sizes - missing).sum(axis=1).argmin())
        for left, arms_of in tails:
            arms[left] = arms_of[chosen]
    return arms


def _sizes(arms: Integers, count: int) -> Integers:
    """(attempts, count) patients per arm in each attempt, from (attempts, k) arms."""
    return np.asarray((arms[:, :, None] == np.arange(count)).sum(axis=1), dtype=np.int64)
