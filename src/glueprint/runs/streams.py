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

from glueprint.runs.philox_llvm import fill

__all__ = ["normals", "uniforms"]

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
    numbers = np.atleast_1d(np.ascontiguousarray(units, dtype=np.uint64))
    names = [purpose] if isinstance(purpose, str) else purpose
    key = np.stack([_key(seed, name) for name in names])
    keys = key[np.broadcast_to(np.asarray(which), numbers.shape)]
    found = np.empty((numbers.size, count))
    fill()(numbers.size, count, numbers.ctypes.data, keys.ctypes.data, found.ctypes.data)
    return found


def normals(
    seed: int, purpose: str | Sequence[str], units: ArrayLike, count: int, which: ArrayLike = 0
) -> NDArray[np.float64]:
    """Standard normal numbers, `count` for each unit; arguments and shapes as in `uniforms`."""
    return np.asarray(ndtri(uniforms(seed, purpose, units, count, which)))


def _key(seed: int, purpose: str) -> Words:
    digest = hashlib.sha256(f"{seed}/{purpose}".encode()).digest()
    return np.frombuffer(digest[:16], dtype="<u8").astype(np.uint64)
