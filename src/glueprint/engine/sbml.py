"""From an SBML model to a flat system: amounts and concentrations, rules, reactions, events.

States are amounts of species, except where a rate rule governs a concentration, parameter or compartment
directly. Quantities without a rule are parameters; events may change them.
Source: SBML Level 3 Version 2 Core, sections 3.4 and 4, doi 10.1515/jib-2019-0021.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from glueprint.engine.mathml import Translator
from glueprint.engine.system import Event, EventAssignment, Initial, Slot, System
from glueprint.errors import InputError, NotSupportedError, nearest
from glueprint.formulas.expressions import Graph
from glueprint.formulas.steps import Steps, run

__all__ = ["flatten"]

CLOCK = "(clock)"


def flatten(model: Any, where: str) -> System:
    """The system of a libsbml model that `refusals.check` has let pass.

    model: libsbml.Model.   where: name of the file or text, for messages.
    Raises InputError (GP-N004, N005, N006, N007) and NotSupportedError (GP-N022, N023, N024).
    """
    return _Flattener(model, where).system()


def _listed(owner: Any, what: str) -> list[Any]:
    """Children of a libsbml object as a list: `_listed(model, "Species")`."""
    plural = {"Species": "Species"}.get(what, f"{what}s")
    return [getattr(owner, f"get{what}")(i) for i in range(getattr(owner, f"getNum{plural}")())]


def _participants(reactions: dict[str, Any]) -> dict[str, dict[str, list[tuple[str, Any]]]]:
    """Species -> reaction -> its parts: ("sub", reactant) or ("add", product), in the order of the model."""
    found: dict[str, dict[str, list[tuple[str, Any]]]] = {}
    for reaction_id, reaction in reactions.items():
        for sign, what in (("sub", "Reactant"), ("add", "Product")):
            for item in _listed(reaction, what):
                found.setdefault(item.getSpecies(), {}).setdefault(reaction_id, []).append((sign, item))
    return found


class _Flattener:
    """Resolves identifiers on demand, so rules may stand in any order."""

    def __init__(self, model: Any, where: str) -> None:
        self.model, self.where, self.graph = model, where, Graph()
        self.assigned: dict[str, Any] = {}
        self.rates: dict[str, Any] = {}
        # A rule or assignment without mathematics has no effect (L3V2, section 3.4.1).
        for rule in (item for item in _listed(model, "Rule") if item.getMath() is not None):
            (self.assigned if rule.isAssignment() else self.rates)[rule.getVariable()] = rule.getMath()
        self.initial_math = {
            item.getSymbol(): item.getMath()
            for item in _listed(model, "InitialAssignment")
            if item.getMath() is not None
        }
        self.species = {item.getId(): item for item in _listed(model, "Species")}
        self.compartments = {item.getId(): item for item in _listed(model, "Compartment")}
        self.parameters = {item.getId(): item for item in _listed(model, "Parameter")}
        self.reactions = {item.getId(): item for item in _listed(model, "Reaction")}
        self.participants = _participants(self.reactions)
        self.event_targets = {
            assignment.getVariable()
            for event in _listed(model, "Event")
            for assignment in _listed(event, "EventAssignment")
        }
        functions = {item.getId(): item for item in _listed(model, "FunctionDefinition")}
        self.translate = Translator(self.graph, self._symbol, self.rate_of, functions, where)
        self.known: dict[str, int] = {}
        self.open: list[str] = []
        self.rates_read: set[str] = set()
        self.slots: dict[str, Slot] = {}
        self.states: list[str] = []
        self.params: list[str] = []
        self.given: dict[str, int] = {}
        self._place()

    def _place(self) -> None:
        """Gives every quantity without an assignment rule a slot."""
        for name, item in {**self.compartments, **self.parameters}.items():
            value = item.getSize() if name in self.compartments else item.getValue()
            is_set = item.isSetSize() if name in self.compartments else item.isSetValue()
            self._slot(name, value if is_set else math.nan)
        self.stoichiometry_symbols = self._varying_stoichiometry()
        for name, value in self.stoichiometry_symbols.items():
            self._slot(name, value)
        for reaction_id, reaction in self.reactions.items():
            law = reaction.getKineticLaw()
            for item in _listed(law, "Parameter") if law is not None else []:
                self._slot(
                    f"{reaction_id}.{item.getId()}", item.getValue() if item.isSetValue() else math.nan
                )
        for name in self.species:
            self._place_species(name)
        if not self.states:
            self._add_clock()

    def _slot(self, name: str, value: float, *, as_state: bool = False, scale: int | None = None) -> None:
        if name in self.assigned:
            return
        # What events change is a state, though it stands still between them, so that its history is recorded.
        as_state = as_state or name in self.rates or name in self.event_targets
        held = self.states if as_state else self.params
        self.slots[name] = Slot("state" if as_state else "param", len(held), scale)
        held.append(name)
        self.given[name] = self.graph.const(value)

    def _place_species(self, name: str) -> None:
        item = self.species[name]
        if name in self.assigned:
            return
        volume = None if self._is_amount(name) else self.symbol(item.getCompartment())
        direct = name in self.rates
        self._slot(name, math.nan, as_state=not item.getConstant(), scale=None if direct else volume)
        graph, size = self.graph, self._compartment_size(name)
        if item.isSetInitialAmount():
            node = graph.const(item.getInitialAmount())
            self.given[name] = graph.apply("div", node, volume) if direct and volume is not None else node
        elif item.isSetInitialConcentration():
            node = graph.const(item.getInitialConcentration())
            concentration_slot = direct and volume is not None
            self.given[name] = node if concentration_slot else graph.apply("mul", node, size)

    def _add_clock(self) -> None:
        """A model without states gets one that stands still, so that time and events run as in any other."""
        self.slots[CLOCK] = Slot("state", 0)
        self.states.append(CLOCK)
        self.given[CLOCK] = self.graph.const(0.0)

    def _is_amount(self, name: str) -> bool:
        """Whether the symbol means an amount; a compartment without extent has no concentrations."""
        item = self.species[name]
        compartment = self.compartments[item.getCompartment()]
        dimensions = compartment.getSpatialDimensionsAsDouble()
        return bool(item.getHasOnlySubstanceUnits() or dimensions == 0.0)

    def _compartment_size(self, name: str) -> int:
        return self.symbol(self.species[name].getCompartment())

    def _varying_stoichiometry(self) -> dict[str, float]:
        """Identifiers of species references that something else sets; all others are plain numbers."""
        targets = {*self.assigned, *self.rates, *self.initial_math, *self.event_targets}
        found = {}
        for reaction in self.reactions.values():
            for item in _listed(reaction, "Reactant") + _listed(reaction, "Product"):
                if item.isSetId() and item.getId() in targets:
                    found[item.getId()] = item.getStoichiometry() if item.isSetStoichiometry() else math.nan
        return found

    def symbol(self, name: str) -> int:
        """The node of an identifier's value."""
        return run(self._symbol(name))

    def _symbol(self, name: str) -> Steps:
        if name not in self.known:
            if name in self.open:
                circle = " -> ".join([*self.open[self.open.index(name) :], name])
                raise InputError(
                    "GP-N007",
                    f"definitions go in a circle: {circle}",
                    where=self.where,
                    expected="rules and reactions that can be evaluated one after another",
                    next_step="break the circle, or make one of them a rate rule",
                )
            self.open.append(name)
            self.known[name] = yield self._resolve(name)
            self.open.pop()
        return self.known[name]

    def _resolve(self, name: str) -> Steps:
        if name in self.assigned:
            return (yield self._formula(self.assigned[name]))
        if name in self.slots:
            return self._read(self.slots[name])
        if name in self.reactions:
            return (yield self._reaction_rate(name))
        reference = self._species_reference(name)
        if reference is not None:
            return self.graph.const(reference)
        readable = [*self.slots, *self.assigned, *self.reactions]
        raise InputError(
            "GP-N004",
            f'unknown name "{name}"{nearest(name, readable)}',
            where=self.where,
            expected="a species, parameter, compartment, reaction or rule of the model",
            next_step="define it or correct the spelling",
        )

    def _species_reference(self, name: str) -> float | None:
        for reaction in self.reactions.values():
            for item in _listed(reaction, "Reactant") + _listed(reaction, "Product"):
                if item.getId() == name:
                    return float(item.getStoichiometry())
        return None

    def _math(self, ast: Any) -> int:
        return run(self._formula(ast))

    def _formula(self, ast: Any, names: dict[str, int] | None = None) -> Steps:
        return self.graph.const(math.nan) if ast is None else (yield self.translate.number(ast, names or {}))

    def _read(self, slot: Slot) -> int:
        leaf = self.graph.state(slot.index) if slot.kind == "state" else self.graph.param(slot.index)
        return leaf if slot.scale is None else self.graph.apply("div", leaf, slot.scale)

    def _reaction_rate(self, name: str) -> Steps:
        law = self.reactions[name].getKineticLaw()
        if law is None or law.getMath() is None:
            return self.graph.const(math.nan)
        local = {}
        for item in _listed(law, "Parameter"):
            local[item.getId()] = yield self._symbol(f"{name}.{item.getId()}")
        return (yield self._formula(law.getMath(), local))

    def rate_of(self, name: str) -> int:
        """The node of d(identifier)/dt."""
        graph = self.graph
        self.rates_read.add(name)
        if name in self.assigned:
            raise NotSupportedError(
                "GP-N023",
                f'rateOf("{name}") of a quantity with an assignment rule cannot be run exactly',
                where=self.where,
                next_step="write out the derivative, or use a rate rule",
            )
        value, slot = self.symbol(name), self.slots.get(name)
        if slot is None or (slot.kind == "param" and slot.scale is None):
            return graph.const(0.0)
        slope = self._derivative(name) if slot.kind == "state" else graph.const(0.0)
        if slot.scale is None:
            return slope
        growth = self.rate_of(self.species[name].getCompartment())
        return graph.apply("div", graph.apply("sub", slope, graph.apply("mul", value, growth)), slot.scale)

    def _derivative(self, name: str) -> int:
        key = f"d({name})/dt"
        if key in self.open:
            raise InputError(
                "GP-N007",
                f'the rate of "{name}" needs itself through rateOf()',
                where=self.where,
                expected="rates that can be evaluated one after another",
                next_step="write the rate without rateOf() of itself",
            )
        self.open.append(key)
        node = self._math(self.rates[name]) if name in self.rates else self._net_rate(name)
        self.open.pop()
        return node

    def _net_rate(self, name: str) -> int:
        """Sum of stoichiometry times reaction rate, in amount per time."""
        graph = self.graph
        if name not in self.species:
            return graph.const(0.0)
        item = self.species[name]
        if item.getBoundaryCondition() or item.getConstant():
            return graph.const(0.0)
        terms = []
        for reaction_id in self.participants.get(name, {}):
            net = self._net_stoichiometry(reaction_id, name)
            if graph.constant(net) != 0.0:
                terms.append(graph.apply("mul", net, self.symbol(reaction_id)))
        factor = item.getConversionFactor() or self.model.getConversionFactor()
        total = graph.total(terms)
        return graph.apply("mul", total, self.symbol(factor)) if factor else total

    def _net_stoichiometry(self, reaction_id: str, name: str) -> int:
        net = self.graph.const(0.0)
        for sign, item in self.participants.get(name, {}).get(reaction_id, ()):
            net = self.graph.apply(sign, net, self._stoichiometry(item))
        return net

    def _stoichiometry(self, item: Any) -> int:
        if item.isSetId() and item.getId() in self.stoichiometry_symbols:
            return self.symbol(item.getId())
        if item.isSetStoichiometryMath():
            return self._math(item.getStoichiometryMath().getMath())
        unset = self.model.getLevel() > 2 and not item.isSetStoichiometry()
        return self.graph.const(math.nan if unset else item.getStoichiometry())

    def _initials(self) -> tuple[Initial, ...]:
        """Initial values in an order in which each needs only earlier ones."""
        nodes = dict(self.given)
        for name, ast in self.initial_math.items():
            if name in self.slots:
                node, scale = self._math(ast), self.slots[name].scale
                nodes[name] = node if scale is None else self.graph.apply("mul", node, scale)
        ordered: list[Initial] = []
        state: dict[str, int] = {}

        def visit(name: str) -> Steps:
            if state.get(name) == 2:
                return 0
            if state.get(name) == 1:
                raise InputError(
                    "GP-N007",
                    f'the initial value of "{name}" needs itself',
                    where=self.where,
                    expected="initial assignments that can be evaluated one after another",
                    next_step="give one of them a number",
                )
            state[name] = 1
            needed = [nodes[name]] + [s for s in [self.slots[name].scale] if s is not None]
            for other in self.graph.leaves(needed, "state"):
                yield visit(self.states[other])
            for other in self.graph.leaves(needed, "param"):
                yield visit(self.params[other])
            state[name] = 2
            ordered.append(Initial(name, self.slots[name], nodes[name]))
            return 0

        for name in self.slots:
            run(visit(name))
        return tuple(ordered)

    def _event(self, item: Any, number: int) -> Event:
        trigger = item.getTrigger()
        level3 = self.model.getLevel() > 2
        math_of = trigger.getMath() if trigger is not None else None
        return Event(
            name=item.getId() or f"event {number + 1}",
            trigger=self.graph.truth(False) if math_of is None else run(self.translate.truth(math_of, {})),
            initial_value=bool(trigger.getInitialValue()) if level3 and trigger is not None else True,
            persistent=bool(trigger.getPersistent()) if level3 and trigger is not None else True,
            use_trigger_values=bool(item.getUseValuesFromTriggerTime()),
            delay=self._math(item.getDelay().getMath()) if _has_math(item, "Delay") else None,
            priority=self._math(item.getPriority().getMath()) if _has_math(item, "Priority") else None,
            assignments=tuple(
                EventAssignment(a.getVariable(), self.slots[a.getVariable()], self._math(a.getMath()))
                for a in _listed(item, "EventAssignment")
                if a.getMath() is not None
            ),
        )

    def system(self) -> System:
        """Everything resolved."""
        graph = self.graph
        derivatives = tuple(self._derivative(name) for name in self.states)
        names = [*self.slots, *self.assigned, *self.reactions]
        names = [name for name in names if name != CLOCK]
        stoichiometry = [
            [graph.constant(self._net_stoichiometry(reaction, s)) for reaction in self.reactions]
            for s in self.species
        ]
        shape = (len(self.species), len(self.reactions))
        return System(
            name=self.model.getId() or "model",
            graph=graph,
            states=tuple(self.states),
            params=tuple(self.params),
            species=tuple(self.species),
            reactions=tuple(self.reactions),
            derivatives=derivatives,
            symbols={name: self.symbol(name) for name in names},
            initials=self._initials(),
            slots={name: slot for name, slot in self.slots.items() if name != CLOCK},
            dose_scale={name: self._dose_scale(name) for name in self.states},
            events=tuple(self._event(item, i) for i, item in enumerate(_listed(self.model, "Event"))),
            compartment={name: item.getCompartment() for name, item in self.species.items()},
            amounts=frozenset(name for name in self.species if self._is_amount(name)),
            governed=self._governed(),
            rates_read=frozenset(self.rates_read),
            stoichiometry=np.array(stoichiometry, dtype=np.float64).reshape(shape),
        )

    def _governed(self) -> dict[str, tuple[Slot, ...]]:
        found: dict[str, list[Slot]] = {}
        for name, item in self.species.items():
            if name in self.rates and not self._is_amount(name):
                found.setdefault(item.getCompartment(), []).append(self.slots[name])
        return {name: tuple(slots) for name, slots in found.items()}

    def _dose_scale(self, name: str) -> int | None:
        """Doses are amounts: a concentration that a rate rule governs rises by amount / size."""
        governed = name in self.rates and name in self.species and not self._is_amount(name)
        if not governed:
            return None
        return self.graph.apply("div", self.graph.const(1.0), self._compartment_size(name))


def _has_math(item: Any, part: str) -> bool:
    child = getattr(item, f"get{part}")()
    return child is not None and child.getMath() is not None
