"""What a model says about who is made from what, and who speeds or slows which process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from glueprint import engine
from glueprint.formulas.derivatives import Differentiator
from glueprint.formulas.evaluate import Leaves, evaluate
from glueprint.mechanism import Scenario, models

__all__ = ["INHIBITION", "MODULATION", "NECESSARY", "STIMULATION", "Network", "Reaction", "read", "shipped"]

# Classes of modulation, as SBGN process description names them.
STIMULATION, NECESSARY, INHIBITION, MODULATION = (
    "stimulation",
    "necessary stimulation",
    "inhibition",
    "modulation",
)
POINTS = 64
# Slopes below this share of the steepest are rounding: guarded powers carry 1e-12.
FLAT = 1e-9


@dataclass(frozen=True)
class Reaction:
    """One process: species consumed and produced, modulators with their class, whether it runs both ways."""

    reactants: tuple[str, ...]
    products: tuple[str, ...]
    modulators: Mapping[str, str]
    reversible: bool


@dataclass(frozen=True)
class Network:
    """All species and processes of one model."""

    name: str
    species: tuple[str, ...]
    reactions: Mapping[str, Reaction]


@cache
def shipped(name: str, form: str) -> Network:
    """The network of a model of `mechanism.models`, built for the reference compound.

    Raises InputError GP-M007 for an unknown name, GP-M030 for an unknown form.
    """
    return read(models.build(name, Scenario.of(form=form)))


def read(model: engine.Model) -> Network:
    """The network of a compiled model.

    A species modulates a process if the rate depends on it and the process neither consumes nor makes it. The
    class is the sign of the exact derivative of the rate over many states: inhibition, stimulation, necessary
    stimulation where the rate is 0 without the species, and modulation where the sign changes.
    Source: own derivation, docs/diagrams.md.
    """
    states, parameters = _states(model)
    reactions = {}
    for place, name in enumerate(model.reactions):
        moves = model.stoichiometry[:, place]
        reactants = tuple(one for one, n in zip(model.species, moves, strict=True) if n < 0)
        products = tuple(one for one, n in zip(model.species, moves, strict=True) if n > 0)
        rate = _Rate(model, name, states, parameters)
        outside = [one for one in model.species if one not in (*reactants, *products)]
        classes = {one: kind for one in outside if (kind := rate.modulated_by(one))}
        both_ways = bool(reactants and products and (rate.values() < 0).any())
        reactions[name] = Reaction(reactants, products, classes, both_ways)
    return Network(model.name, model.species, reactions)


def _states(model: engine.Model) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """States spread between none and a few times the start, the same at each call; parameters as they are."""
    system = model.system
    spread = np.random.Generator(np.random.Philox(key=0)).uniform(0.02, 1.0, (POINTS, len(system.states)))
    top = np.array([max(1.0, abs(model.defaults.get(name, 1.0))) for name in system.states])
    parameters = np.array([[model.defaults[name] for name in system.params]])
    return spread * top, np.repeat(parameters, POINTS, axis=0)


@dataclass(frozen=True)
class _Rate:
    model: engine.Model
    name: str
    states: NDArray[np.float64]
    parameters: NDArray[np.float64]

    def _evaluate(self, node: int, states: NDArray[np.float64]) -> NDArray[np.float64]:
        leaves = Leaves(states, self.parameters, np.zeros(POINTS))
        value = np.asarray(evaluate(self.model.system.graph, [node], leaves)[0], dtype=np.float64)
        return np.broadcast_to(value, (POINTS,))

    def values(self) -> NDArray[np.float64]:
        """The rate at every state, (points,)."""
        return self._evaluate(self.model.system.symbols[self.name], self.states)

    def modulated_by(self, species: str) -> str:
        """The class of modulation, empty if the rate does not depend on the species."""
        system = self.model.system
        rate = system.symbols[self.name]
        place = system.states.index(species)
        slope = self._evaluate(Differentiator(system.graph, system.graph.state(place))(rate), self.states)
        steepest = float(np.abs(slope).max())
        if steepest == 0.0:
            return ""
        rises, falls = (slope > FLAT * steepest).any(), (slope < -FLAT * steepest).any()
        if rises and falls:
            return MODULATION
        if falls:
            return INHIBITION
        without = self.states.copy()
        without[:, place] = 0.0
        idle = np.abs(self._evaluate(rate, without)).max() <= FLAT * np.abs(self.values()).max()
        return NECESSARY if idle else STIMULATION
