"""What every question has in common: numbers that vary within ranges, and what comes out at their values."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.errors import InputError
from glueprint.runs import provenance
from glueprint.runs.store import read_table, write_tables
from glueprint.workshop.scales import SCALES, Scales

__all__ = ["Asked", "Range", "Told", "unusable"]

Floats = NDArray[np.float64]
Told = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Range:
    """What one name varies over, evenly on a scale of `scales.SCALES`."""

    name: str
    low: float
    high: float
    scale: str = "lin"


class Asked(ABC):
    """A question that `morris`, `sobol` and `sweep` answer; a frozen dataclass below it says of what.

    ranges: of what varies.   outputs: what comes out.
    Raises InputError GP-W027 for ranges or outputs that cannot be used.
    """

    ranges: tuple[Range, ...]
    outputs: tuple[str, ...]

    def __post_init__(self) -> None:
        names = [one.name for one in self.ranges]
        for wrong, message, expected in (
            (not names, "nothing varies", "at least one range"),
            (len(set(names)) < len(names), "a name varies twice", "each once"),
            (not self.outputs, "no output is asked for", "at least one output"),
        ):
            if wrong:
                raise unusable(message, "question", expected)
        for one in self.ranges:
            fine = one.scale in SCALES and np.isfinite([one.low, one.high]).all() and one.low < one.high
            if not fine or (one.scale != "lin" and one.low <= 0.0):
                raise unusable(
                    f"{one.name} varies from {one.low:g} to {one.high:g} on a {one.scale} scale",
                    one.name,
                    "two numbers, the lower first; above 0 on a logarithmic scale",
                )

    @property
    @abstractmethod
    def per_part(self) -> int:
        """How many runs are computed, and kept, together."""

    @abstractmethod
    def computed(self, plain: Floats) -> Floats:
        """The outputs (n, outputs) at values (n, k) of what varies; NaN where there is none."""

    @abstractmethod
    def content(self) -> tuple[object, ...]:
        """All that decides the outputs beside the values of what varies; its text is compared."""

    @property
    def scales(self) -> Scales:
        """Of what varies."""
        return Scales.of([one.scale for one in self.ranges])

    def box(self) -> tuple[Floats, Floats]:
        """Scaled limits of what varies, (k,) each."""
        limits = np.array([[one.low, one.high] for one in self.ranges])
        return self.scales.scaled(limits[:, 0]), self.scales.scaled(limits[:, 1])

    def quantities(self, plain: Floats, *, folder: Path | None = None, told: Told | None = None) -> Floats:
        """As `computed`, part by part.

        folder: where each part is kept when it ends, and taken from, if it is of the very same question and
        values.   told: hears how far it is.
        """
        key = "" if folder is None else self.key(plain)
        parts = []
        for number, first in enumerate(range(0, plain.shape[0], self.per_part), 1):
            some = plain[first : first + self.per_part]
            parts.append(self.kept(folder, f"runs-{key}-{number:04d}", partial(self.computed, some)))
            if told is not None:
                told("runs", min(first + self.per_part, plain.shape[0]), plain.shape[0])
        return np.concatenate(parts)

    def kept(self, folder: Path | None, name: str, compute: Callable[[], Floats]) -> Floats:
        """What `compute` gives, (n, outputs): a table of a folder that is read where it is there already."""
        if folder is None:
            return compute()
        path = folder / f"{name}.parquet"
        if path.is_file():
            return read_table(path, name).to_numpy()
        found = compute()
        columns = {f"{k}": found[:, k] for k in range(len(self.outputs))}
        write_tables(folder, {name: pl.DataFrame(columns)})
        return found

    def key(self, plain: Floats) -> str:
        """A name for this very question at these values."""
        parts = (
            self.ranges,
            self.outputs,
            plain.tobytes().hex(),
            *self.content(),
            sorted(provenance.versions().items()),
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def unusable(message: str, where: str, expected: str) -> InputError:
    """The error for a question that cannot be asked."""
    return InputError(
        "GP-W027",
        message,
        where=where,
        expected=expected,
        next_step="correct it; docs/workshop.md has examples",
    )
