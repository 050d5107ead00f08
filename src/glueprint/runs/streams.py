"""Counter-based random numbers: a patient's bits are the same whoever else is drawn, in any order, anywhere.

A stream is keyed by the study's seed and a purpose ("covariates", "death", ...); the unit (a patient's
number) is part of the counter. Kernel: arrays in, arrays out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

__all__ = ["normals", "uniforms"]

# Multipliers and Weyl increments of Philox4x64-10, Salmon et al. 2011, doi 10.1145/2063384.2063405, table 2.
MULTIPLIERS = np.array([0xD2E7470EE14C6C93, 0xCA5A826395121157], dtype=np.uint64)[:, None, None]
WEYL = np.array([0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B], dtype=np.uint64)[:, None, None]
ROUNDS = 10
LOW32 = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
LOW_HALVES, HIGH_HALVES = MULTIPLIERS & LOW32, MULTIPLIERS >> HALF

Words = NDArray[np.uint64]


def uniforms(
    seed: int, purpose: str | Sequence[str], units: ArrayLike, count: int, which: ArrayLike = 0
) -> NDArray[np.float64]:
    """Uniform numbers in the open interval (0, 1), `count` for each unit.

    seed: study seed, >= 0.   purpose: name of the stream, or several names, of which unit i has that at
    which[i].   units: (n,) integers >= 0, e.g. patient numbers.
    Returns (n, count) float64; row i depends on seed, purpose and units[i] alone.
    Source: Philox4x64-10, doi 10.1145/2063384.2063405.
    """
    numbers = np.atleast_1d(np.asarray(units, dtype=np.uint64))
    blocks = -(-count // 4)
    counter = np.zeros((2, 2, numbers.size, blocks), dtype=np.uint64)
    counter[0, 0] = np.arange(blocks, dtype=np.uint64)
    counter[1, 1] = numbers[:, None]
    names = [purpose] if isinstance(purpose, str) else purpose
    keys = np.stack([_key(seed, name) for name in names], axis=1)[:, np.atleast_1d(which)]
    words = _philox(counter, keys[:, :, None]).reshape(numbers.size, 4 * blocks)
    bits = words[:, :count] >> np.uint64(11)
    return np.asarray((bits.astype(np.float64) + 0.5) * 2.0**-53)


def normals(
    seed: int, purpose: str | Sequence[str], units: ArrayLike, count: int, which: ArrayLike = 0
) -> NDArray[np.float64]:
    """Standard normal numbers, `count` for each unit; arguments and shapes as in `uniforms`."""
    return np.asarray(ndtri(uniforms(seed, purpose, units, count, which)))


def _key(seed: int, purpose: str) -> Words:
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return np.frombuffer(digest[:16], dtype="<u8").astype(np.uint64)


def _multiply(words: Words) -> tuple[Words, Words]:
    """High and low halves of the 128-bit products of the two multipliers and words (2, n, blocks)."""
    low, high = words & LOW32, words >> HALF
    middle = HIGH_HALVES * low
    middle += (LOW_HALVES * low) >> HALF
    carry = middle & LOW32
    carry += LOW_HALVES * high
    high *= HIGH_HALVES
    high += middle >> HALF
    high += carry >> HALF
    return high, MULTIPLIERS * words


def _philox(counter: Words, keys: Words) -> Words:
    """(n, blocks, 4) words for counters (2, 2, n, blocks), whose words 0 and 2 come first, then 1 and 3.

    keys: (2, n, 1), or (2, 1, 1) for all.
    """
    even, odd = counter
    for _ in range(ROUNDS):
        high, low = _multiply(even)
        even, odd = high[::-1] ^ odd, low[::-1]
        even ^= keys
        keys = keys + WEYL
    return np.stack([even, odd], axis=1).transpose(2, 3, 0, 1).reshape(*even.shape[1:], 4)
