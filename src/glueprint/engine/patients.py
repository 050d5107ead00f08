"""The arrays that hold an ensemble's present: one row per patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint.engine.domains import Guard
from glueprint.engine.system import Slot, System
from glueprint.formulas.evaluate import Leaves, evaluate

__all__ = ["Patients"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(eq=False)
class Patients:
    """state, largest: (n, states), present values and their running maxima.   params: (n, parameters).
    time: (n,).   step: (n,) last step size, 0 where none.   status: (n,).   guard: rewrites expressions for
    evaluation at values that carry the solver's error.   tolerance: of the solver.
    """

    state: Floats
    largest: Floats
    params: Floats
    time: Floats
    step: Floats
    status: Integers
    guard: Guard
    tolerance: float

    def rows(self, which: slice) -> dict[str, Any]:
        """The arrays of some patients, by name: views, not copies."""
        names = ("state", "largest", "params", "time", "step", "status")
        return {name: getattr(self, name)[which] for name in names}

    def values(self, nodes: Sequence[int], who: Integers | slice = slice(None)) -> list[Floats]:
        """Present values of nodes for some patients, each (len(who),)."""
        time = self.time[who]
        leaves = Leaves(self.state[who], self.params[who], time, self.largest[who], self.tolerance)
        found = self.evaluate(nodes, leaves)
        return [value if value.shape == time.shape else np.broadcast_to(value, time.shape) for value in found]

    def evaluate(self, nodes: Sequence[int], leaves: Leaves) -> list[Floats]:
        """Values of nodes at recorded states."""
        return evaluate(self.guard.graph, [self.guard(node) for node in nodes], leaves)

    def assign(self, system: System, name: str, values: Floats, who: Integers | slice = slice(None)) -> None:
        """Set what stands for a symbol, in the slot's unit; amounts in a compartment that changes size
        remain.
        """
        governed = system.governed.get(name, ())
        if governed:
            before = self.values([system.symbols[name]], who)[0]
            for slot in governed:
                self.write(slot, self.state[who, slot.index] * before / values, who)
        self.write(system.slots[name], values, who)

    def write(self, slot: Slot, values: Floats, who: Integers | slice = slice(None)) -> None:
        """Set a slot, in the slot's own unit; a changed state starts with a fresh step."""
        if slot.kind == "param":
            self.params[who, slot.index] = values
            return
        self.state[who, slot.index] = values
        self.largest[who, slot.index] = np.maximum(self.largest[who, slot.index], np.abs(values))
        self.step[who] = 0.0
