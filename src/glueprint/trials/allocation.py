"""Randomisation: stratified permuted blocks. Kernel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glueprint.runs.streams import uniforms

__all__ = ["allocate", "strata_of"]

Integers = NDArray[np.int64]
# How often the last, incomplete blocks are drawn anew to meet the planned arm sizes.
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
    planned: patients per arm. Trials report the sizes they got, so the last, incomplete blocks are drawn
    anew until the
    arms have the planned sizes, which is the distribution of blocks given these sizes; if they never have,
    the closest
    attempt stands.
    Source: permuted blocks, own derivation, see docs/trials.md.
    """
    best: Integers = np.zeros(strata.size, dtype=np.int64)
    smallest = np.inf
    for attempt in range(ATTEMPTS):
        arms = _blocks(strata, ratio, blocks_of, f"{purpose}/{attempt}", seed)
        sizes = np.bincount(arms, minlength=len(ratio))
        distance = float(np.abs(sizes - np.array(planned)).sum())
        if distance < smallest:
            best, smallest = arms, distance
        if distance == 0:
            break
    return best


def _blocks(strata: Integers, ratio: tuple[int, ...], blocks_of: int, purpose: str, seed: int) -> Integers:
    block = np.repeat(np.arange(len(ratio)), np.array(ratio) * (blocks_of // sum(ratio)))
    arms = np.zeros(strata.size, dtype=np.int64)
    for stratum in range(int(strata.max(initial=0)) + 1):
        members = np.flatnonzero(strata == stratum)
        count = -(-members.size // blocks_of)
        order = np.argsort(uniforms(seed, f"{purpose}/{stratum}", np.arange(count), blocks_of), axis=1)
        arms[members] = block[order].ravel()[: members.size]
    return arms
