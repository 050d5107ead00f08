"""The random numbers of a replicate, by purpose and patient: nobody's depend on who else is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.runs.streams import normals, uniforms

__all__ = ["Stream", "numbered"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


SPAN = 2**32  # more patients than a replicate has


@dataclass(frozen=True)
class Stream:
    """Random numbers of one replicate of one trial: by purpose and patient, see `runs.streams`.

    beside: further replicates of the same trial that are conducted with it; a patient's number then tells
    the replicate as well (`numbered`).
    """

    seed: int
    trial: str
    replicate: int
    beside: tuple[int, ...] = ()

    def purpose(self, what: str) -> str:
        """The name of the stream for `what`."""
        return self._purposes(what)[0]

    def uniforms(self, what: str, patients: Integers, count: int = 1) -> Floats:
        """(n, count) uniform numbers for these patients."""
        place, number = np.divmod(patients, SPAN)
        return uniforms(self.seed, self._purposes(what), number, count, place)

    def normals(self, what: str, patients: Integers, count: int = 1) -> Floats:
        """(n, count) standard normal numbers for these patients."""
        place, number = np.divmod(patients, SPAN)
        return normals(self.seed, self._purposes(what), number, count, place)

    def alone(self) -> list[Stream]:
        """That of each replicate."""
        return [Stream(self.seed, self.trial, number) for number in (self.replicate, *self.beside)]

    def _purposes(self, what: str) -> list[str]:
        return [f"trial/{self.trial}/{number}/{what}" for number in (self.replicate, *self.beside)]


def numbered(place: int) -> int:
    """From which number on patients count of the replicate at a place among those conducted together."""
    return place * SPAN
