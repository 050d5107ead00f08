"""A model as the engine sees it: states, parameters, their rates and initial values as graph nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from glueprint.formulas.expressions import Graph

__all__ = ["Event", "EventAssignment", "Initial", "Slot", "System"]


@dataclass(frozen=True)
class Slot:
    """Where a value lives: state or parameter `index`; `scale` is the node by which a symbol's value is
    multiplied to get the slot's (the compartment's size where the slot is an amount and the symbol a
    concentration).
    """

    kind: Literal["state", "param"]
    index: int
    scale: int | None = None


@dataclass(frozen=True)
class Initial:
    """The initial value of one slot; the list of all is in order of evaluation."""

    name: str
    slot: Slot
    node: int


@dataclass(frozen=True)
class EventAssignment:
    """What an event writes: `node` in the symbol's unit."""

    name: str
    slot: Slot
    node: int


@dataclass(frozen=True)
class Event:
    """A discrete event; nodes as SBML L3V2 section 4.11 defines them."""

    name: str
    trigger: int
    initial_value: bool
    persistent: bool
    use_trigger_values: bool
    delay: int | None
    priority: int | None
    assignments: tuple[EventAssignment, ...]


@dataclass(frozen=True, eq=False)
class System:
    """A flat system of ordinary differential equations.

    derivatives: node of d(state)/dt for each state.   symbols: node of every readable identifier.
    slots: where each settable identifier lives.   dose_scale: node that turns an added amount into a change
    of the state (None: they are the same).   compartment: of each species.   amounts: species whose symbol
    means an amount, not a concentration.   governed: by compartment, the concentrations that rate rules
    govern; they change with its size when something sets it, so that amounts remain.   stoichiometry:
    (species, reactions), NaN where it varies.   inputs: by species, the state that is the rate of its
    infusion.   rates_read: what `rateOf` is asked of.   beside: of a state that is a derivative of another's
    (`tangent`), that other: an error of it counts in proportion to the larger of both.
    """

    name: str
    graph: Graph
    states: tuple[str, ...]
    params: tuple[str, ...]
    species: tuple[str, ...]
    reactions: tuple[str, ...]
    derivatives: tuple[int, ...]
    symbols: Mapping[str, int]
    slots: Mapping[str, Slot]
    initials: tuple[Initial, ...]
    dose_scale: Mapping[str, int | None]
    events: tuple[Event, ...]
    compartment: Mapping[str, str]
    amounts: frozenset[str]
    governed: Mapping[str, tuple[Slot, ...]]
    stoichiometry: NDArray[np.float64]
    inputs: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    rates_read: frozenset[str] = frozenset()
    beside: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def params_read(self) -> tuple[int, ...]:
        """Indices of the parameters that rates read."""
        return tuple(self.graph.leaves(self.derivatives, "param"))

    @property
    def followed(self) -> tuple[str, ...]:
        """What a reader wants to see over time: all species, then what else a rate rule moves."""
        moved = (name for name in self.states if name in self.symbols)
        return tuple(dict.fromkeys((*self.species, *moved)))
