"""Counter-based random numbers: a patient's bits are the same whoever else is drawn, in any order, anywhere.

A stream is keyed by the study's seed and a purpose ("covariates", "death", ...); the unit (a patient's
number) is part of the counter. Kernel: arrays in, arrays out.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

__all__ = ["normals", "uniforms"]

# Multipliers and Weyl increments of Philox4x64-10, Salmon et al. 2011, doi 10.1145/2063384.2063405, table 2.
MULTIPLIERS = (np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157))
WEYL = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B))
ROUNDS = 10
LOW32 = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)

Words = NDArray[np.uint64]


def uniforms(seed: int, purpose: str, units: ArrayLike, count: int) -> NDArray[np.float64]:
    """Uniform numbers in the open interval (0, 1), `count` for each unit.

    seed: study seed, >= 0.   purpose: name of the stream.   units: (n,) integers >= 0, e.g. patient numbers.
    Returns (n, count) float64; row i depends on seed, purpose and units[i] alone.
    Source: Philox4x64-10, doi 10.1145/2063384.2063405.
    """
    numbers = np.atleast_1d(np.asarray(units, dtype=np.uint64))
    blocks = -(-count // 4)
    block = np.broadcast_to(np.arange(blocks, dtype=np.uint64), (numbers.size, blocks))
    unit = np.broadcast_to(numbers[:, None], block.shape)
    zero = np.zeros(block.shape, dtype=np.uint64)
    words = np.stack(_philox((block, zero, zero, unit), _key(seed, purpose)), axis=-1)
    bits = words.reshape(numbers.size, 4 * blocks)[:, :count] >> np.uint64(11)
    return np.asarray((bits.astype(np.float64) + 0.5) * 2.0**-53)


def normals(seed: int, purpose: str, units: ArrayLike, count: int) -> NDArray[np.float64]:
    """Standard normal numbers, `count` for each unit; arguments and shapes as in `uniforms`."""
    return np.asarray(ndtri(uniforms(seed, purpose, units, count)))


def _key(seed: int, purpose: str) -> tuple[np.uint64, np.uint64]:
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return np.uint64(int.from_bytes(digest[:8], "little")), np.uint64(int.from_bytes(digest[8:16], "little"))


def _multiply(a: np.uint64, b: Words) -> tuple[Words, Words]:
    """High and low halves of the 128-bit product."""
    a_low, a_high = a & LOW32, a >> HALF
    b_low, b_high = b & LOW32, b >> HALF
    middle = a_high * b_low + ((a_low * b_low) >> HALF)
    carry = (middle & LOW32) + a_low * b_high
    return a_high * b_high + (middle >> HALF) + (carry >> HALF), a * b


def _philox(
    counter: tuple[Words, Words, Words, Words], key: tuple[np.uint64, np.uint64]
) -> tuple[Words, ...]:
    c0, c1, c2, c3 = counter
    with np.errstate(over="ignore"):
        k0, k1 = key
        for _ in range(ROUNDS):
            high0, low0 = _multiply(MULTIPLIERS[0], c0)
            high1, low1 = _multiply(MULTIPLIERS[1], c2)
            c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
            k0, k1 = k0 + WEYL[0], k1 + WEYL[1]
    return c0, c1, c2, c3
