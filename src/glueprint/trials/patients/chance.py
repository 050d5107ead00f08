"""The random numbers of a replicate, by purpose and patient: nobody's depend on who else is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.runs.streams import normals, uniforms

__all__ = ["Stream"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Stream:
    """Random numbers of one replicate of one trial: by purpose and patient, see `runs.streams`."""

    seed: int
    trial: str
    replicate: int

    def purpose(self, what: str) -> str:
        """The name of the stream for `what`."""
        return f"trial/{self.trial}/{self.replicate}/{what}"

    def uniforms(self, what: str, patients: Integers, count: int = 1) -> Floats:
        """(n, count) uniform numbers for these patients."""
        return uniforms(self.seed, self.purpose(what), patients, count)

    def normals(self, what: str, patients: Integers, count: int = 1) -> Floats:
        """(n, count) standard normal numbers for these patients."""
        return normals(self.seed, self.purpose(what), patients, count)
