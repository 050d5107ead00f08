"""What a model of a curve is: named inputs, constants and parameters, and a formula with its derivatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Curve", "Flags", "Floats", "Given", "Model", "Parameter", "Rows"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Given:
    """What is known of n curves by m points: inputs (n, m), constants (n, 1) or (n, m), and which points
    count."""

    values: Mapping[str, Floats]
    used: Flags

    def __getitem__(self, name: str) -> Floats:
        return self.values[name]

    @cached_property
    def alike(self) -> bool:
        """Whether all curves have the same points, so that one row tells for all of them."""
        shared = all(
            v.strides[0] == 0 or len(v) == 1
            for v in self.values.values()
            if v.shape[1:] == self.used.shape[1:]
        )
        return bool(len(self.used) and shared and self.used.all())

    def rows(self, which: Rows | slice) -> Given:
        """The same for some of the curves."""
        return Given({name: value[which] for name, value in self.values.items()}, self.used[which])

    def positive_range(self, name: str) -> tuple[Floats, Floats]:
        """Least and largest value above zero of an input (n,); 1 and 1 where there is none."""
        value, used = np.broadcast_to(self.values[name], self.used.shape), self.used
        if self.alike:
            value, used = value[:1], used[:1]
        seen = used & (value > 0.0)
        least = np.where(seen, value, np.inf).min(axis=1, initial=np.inf)
        most = np.where(seen, value, 0.0).max(axis=1, initial=0.0)
        found, n = seen.any(axis=1), len(self.used)
        least, most = np.where(found, least, 1.0), np.where(found, most, 1.0)
        return np.broadcast_to(least, n), np.broadcast_to(most, n)


# (theta (n, p) in natural units, given) -> response (n, m) and its derivatives (n, m, p).
Curve = Callable[[Floats, Given], tuple[Floats, Floats]]
# Values (s, n) to start from, and least and largest value (n,) that a fit may take, from what is given.
Grid = Callable[[Given], Floats]
Reach = Callable[[Given], tuple[Floats, Floats]]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a model.

    scale: "log10" or "ln" where it is positive by nature; it is then fitted, and its interval sought, as a
    logarithm.
    linear: the response is linear in it (together with the other linear ones), so that starts solve for it.
    grid: values to start from, in natural units.   reach: where a fit may go.
    default: the value that it is held at unless the caller frees it with None.
    """

    name: str
    unit: str = ""
    scale: Literal["linear", "log10", "ln"] = "linear"
    linear: bool = False
    grid: Grid | tuple[float, ...] = ()
    reach: Reach | tuple[float, float] = (-np.inf, np.inf)
    default: float | None = None

    def begin(self, given: Given) -> Floats:
        """Values (s, n) to start from."""
        n = given.used.shape[0]
        if callable(self.grid):
            return self.grid(given)
        return np.repeat(np.asarray(self.grid, dtype=float)[:, None], n, axis=1)

    def limits(self, given: Given) -> tuple[Floats, Floats]:
        """Least and largest value (n,)."""
        if callable(self.reach):
            return self.reach(given)
        n = given.used.shape[0]
        return np.full(n, self.reach[0]), np.full(n, self.reach[1])


@dataclass(frozen=True)
class Model:
    """A model of a response.

    inputs: names of what varies from point to point.   constants: names of what is known beforehand, with a
    default or None where the caller must give it.   level: the parameter that is the response without effect.
    any_sign: whether inputs may be negative.   fast: whether machine code fits it (the logistic family).
    """

    name: str
    title: str
    inputs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    curve: Curve
    constants: Mapping[str, float | None] = field(default_factory=dict)
    level: str = ""
    any_sign: bool = False
    fast: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return tuple(parameter.name for parameter in self.parameters)
