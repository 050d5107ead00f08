"""A problem of estimation: a model, what was measured under which conditions, and what is to be found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from glueprint.engine import Doses, Model
from glueprint.workshop.formula import Formula, compiled
from glueprint.workshop.priors import Prior
from glueprint.workshop.scales import Scales

__all__ = [
    "DISTRIBUTIONS",
    "TRANSFORMATIONS",
    "Experiment",
    "Fill",
    "Observable",
    "Parameter",
    "Problem",
    "Rows",
    "Value",
]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Fill = float | str
"""A number, or the name of a parameter."""
Value = Fill | Formula
"""A number, the name of a parameter, or a formula of these and, in later periods, of the model's names."""

DISTRIBUTIONS = ("normal", "laplace")
TRANSFORMATIONS = ("lin", "log", "log10")


@dataclass(frozen=True)
class Parameter:
    """A number to be found, or one that is given.

    scale: on which it is searched, of `scales.SCALES`.   low, high: bounds of the value itself.   value: what
    it has where it is not estimated; else what somebody noted as such, which no search reads.   prior: None
    is flat within the bounds.   drawn: from what starts are drawn, None for evenly within the bounds.
    start: of the first search, NaN where it is drawn as well.   where: for messages.
    """

    name: str
    low: float
    high: float
    scale: str = "log10"
    value: float = float("nan")
    is_estimated: bool = True
    prior: Prior | None = None
    drawn: Prior | None = None
    start: float = float("nan")
    where: str = ""


@dataclass(frozen=True)
class Observable:
    """What is measured.

    formula: of the model's names and of parameters.   noise: formula of the standard deviation (the scale of
    a Laplace distribution), on the transformed scale.   transformation: of value and measurement before they
    are compared.   observable_slots, noise_slots: placeholders that each row fills.
    """

    name: str
    formula: str
    noise: str
    transformation: str = "lin"
    distribution: str = "normal"
    observable_slots: tuple[str, ...] = ()
    noise_slots: tuple[str, ...] = ()
    where: str = ""


@dataclass(frozen=True, eq=False)
class Experiment:
    """One history of the model.

    values: what the model's names are set to at the start.   before: what they are set to while a steady
    state is waited for first; species that `values` does not name keep what they have there.   doses: of
    patient 0.   keeps: whether parameters that `before` sets stay so at the start, where `values` does not
    set them.   begin: time of the start.   later: times after it, rising, and what is set there; all else
    stays.
    """

    name: str
    values: Mapping[str, Value] = field(default_factory=dict)
    before: Mapping[str, Value] | None = None
    doses: Doses | None = None
    where: str = ""
    keeps: bool = False
    begin: float = 0.0
    later: tuple[tuple[float, Mapping[str, Value]], ...] = ()

    @property
    def settings(self) -> tuple[Mapping[str, Value], ...]:
        """What is set in each period, that of the steady state before it among them."""
        first = () if self.before is None else (self.before,)
        return (*first, self.values, *(values for _, values in self.later))


@dataclass(frozen=True, eq=False)
class Rows:
    """Measurements.

    experiment, observable: (r,) places in the problem's lists.   time: (r,), infinite for a steady state.
    value: (r,).   observable_fill, noise_fill: for each row what fills the slots of its observable.
    where: place of each row, for messages.
    """

    experiment: Integers
    observable: Integers
    time: Floats
    value: Floats
    observable_fill: tuple[tuple[Fill, ...], ...]
    noise_fill: tuple[tuple[Fill, ...], ...]
    where: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.time.size)


@dataclass(frozen=True, eq=False)
class Problem:
    """All that a fit needs; made by `read` or by hand, and checked by `checks.checked`.

    notes: what was read in a way that a reader should know.   source: path of the model's file, "" where a
    program made the model.
    """

    name: str
    model: Model
    parameters: tuple[Parameter, ...]
    observables: tuple[Observable, ...]
    experiments: tuple[Experiment, ...]
    rows: Rows
    notes: tuple[str, ...] = ()
    source: str = ""

    @property
    def estimated(self) -> tuple[Parameter, ...]:
        """The parameters to be found, in their order."""
        return tuple(parameter for parameter in self.parameters if parameter.is_estimated)

    @property
    def scales(self) -> Scales:
        """Of the parameters to be found."""
        return Scales.of([parameter.scale for parameter in self.estimated])

    def formulas(self, one: Observable) -> tuple[Formula, Formula]:
        """An observable's formula and its noise, in which names of observables stand for their formulas.

        A name that the model or a parameter has is theirs, but in its own noise.   Raises as `compiled`.
        """
        taken = {*self.model.system.symbols, *(parameter.name for parameter in self.parameters)}
        others = {other.name: other.formula for other in self.observables if other.name not in taken}
        others.pop(one.name, None)
        own = {**others, one.name: one.formula}
        return (
            compiled(one.formula, where=one.where, functions=others),
            compiled(one.noise, where=one.where, functions=own),
        )

    def box(self) -> tuple[Floats, Floats]:
        """Bounds of the scaled values of what is to be found, (p,) each."""
        scales = self.scales
        low = np.array([parameter.low for parameter in self.estimated], dtype=np.float64)
        high = np.array([parameter.high for parameter in self.estimated], dtype=np.float64)
        return scales.scaled(low), scales.scaled(high)
