"""Where the doses of records go, how they get in, and which columns are parameters of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from glueprint.engine.model import Model
from glueprint.engine.records import MODELLED_DURATION, MODELLED_RATE, Records
from glueprint.errors import InputError, nearest

__all__ = ["Routes", "dosable"]

Floats = NDArray[np.float64]
Quantities = Mapping[str, str | float]


def dosable(model: Model) -> tuple[str, ...]:
    """What doses can go into, species first, in the order of the model: CMT 1 is the first."""
    states = frozenset(model.system.states)
    return tuple(name for name in model.system.followed if name in states)


@dataclass(frozen=True, eq=False)
class Routes:
    """compartments: species by CMT as written; "" where none is.   lag, bioavailability, rate, duration: by
    species, a number, or the name of a quantity of the model that stands still while a dose is given.
    covariates: columns by the parameter that they set.
    """

    compartments: Mapping[str, str]
    lag: Quantities = field(default_factory=dict)
    bioavailability: Quantities = field(default_factory=dict)
    rate: Quantities = field(default_factory=dict)
    duration: Quantities = field(default_factory=dict)
    covariates: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        model: Model,
        records: Records,
        *,
        compartments: Mapping[str, str] | None = None,
        covariates: Mapping[str, str] | None = None,
        lag: Quantities | None = None,
        bioavailability: Quantities | None = None,
        rate: Quantities | None = None,
        duration: Quantities | None = None,
    ) -> Routes:
        """The routes of a model's records, checked.

        compartments: species by CMT; by default the model's states in their order, from 1, and their names.
        covariates: columns by parameter; columns that are called like a parameter need no mention.
        lag, bioavailability, rate, duration: as of the class; rate for RATE = -1, duration for RATE = -2.
        Raises InputError GP-N059 (no such compartment, column or parameter), GP-N060 (a quantity that is
        missing, or does not stand still).
        """
        states = dosable(model)
        known = {str(number): name for number, name in enumerate(states, 1)} | {name: name for name in states}
        for label, name in (compartments or {}).items():
            _require(name, states, f"CMT {label}", "a species that the model's reactions or rules change")
            known[label] = name
        known |= {"": known["1"]} if states and "" not in known else {}
        kinds = {"lag": lag, "bioavailability": bioavailability, "rate": rate, "duration": duration}
        for kind, given in kinds.items():
            for name, quantity in (given or {}).items():
                _require(name, states, kind, "a species that the model's reactions or rules change")
                _check_quantity(model, quantity, kind, name)
        mapped = _covariates(model, records, covariates or {})
        routes = cls(known, **{kind: dict(given or {}) for kind, given in kinds.items()}, covariates=mapped)
        routes._check_rows(records)
        return routes

    def targets(self, records: Records) -> NDArray[np.str_]:
        """(m,) species that each dose goes into, "" for other rows."""
        return np.array(
            [
                self.compartments[label] if gives else ""
                for label, gives in zip(records.compartment.tolist(), records.is_dose, strict=True)
            ],
            dtype=np.str_,
        )

    def _check_rows(self, records: Records) -> None:
        for row in np.flatnonzero(records.is_dose):
            label = str(records.compartment[row])
            if label not in self.compartments:
                places = [name for name in self.compartments if name]
                raise InputError(
                    "GP-N059",
                    f'CMT "{label}"{nearest(label, places)}',
                    where=records.where(int(row), "CMT"),
                    expected=f"one of {', '.join(places)}",
                    next_step="correct it, or say which species it is (--cmt 2=central)",
                )
            name = self.compartments[label]
            for value, kind, given in (
                (MODELLED_RATE, "rate", self.rate),
                (MODELLED_DURATION, "duration", self.duration),
            ):
                if records.rate[row] == value and name not in given:
                    raise InputError(
                        "GP-N060",
                        f"RATE {value:g}: no {kind} of infusions into {name} is named",
                        where=records.where(int(row), "RATE"),
                        expected=f"a quantity of the model, or a number, as the {kind}",
                        next_step=f"name it (--{kind} {name}={'R1' if kind == 'rate' else 'D1'})",
                    )


def _require(name: str, known: tuple[str, ...], where: str, expected: str) -> None:
    if name not in known:
        raise InputError(
            "GP-N059",
            f'"{name}"{nearest(name, known)}',
            where=where,
            expected=expected,
            next_step="see `glueprint model show` for the names",
        )


def _check_quantity(model: Model, quantity: str | float, kind: str, species: str) -> None:
    if not isinstance(quantity, str):
        return
    symbols, graph = model.system.symbols, model.system.graph
    fault = f'the model has no "{quantity}"{nearest(quantity, symbols)}'
    if quantity in symbols:
        root = symbols[quantity]
        if not (graph.leaves([root], "state") or graph.leaves([root], "time")):
            return
        fault = f'"{quantity}" changes while the model runs'
    raise InputError(
        "GP-N060",
        fault,
        where=f"{kind} of {species}",
        expected="a number, or a quantity of the model that depends on parameters alone",
        next_step="see `glueprint model show` for the names",
    )


def _covariates(model: Model, records: Records, asked: Mapping[str, str]) -> dict[str, str]:
    slots = model.system.slots
    settable = tuple(name for name, slot in slots.items() if slot.kind == "param")
    for name, column in asked.items():
        _require(name, settable, f"covariate {column}", "a parameter of the model that no rule computes")
        if column not in records.covariates:
            words = " holds other things than numbers" if column in records.texts else " is no column"
            raise InputError(
                "GP-N059",
                f'"{column}"{words}{nearest(column, records.covariates)}',
                where=f"{records.name}, covariate {name}",
                expected="a column of numbers of the data set",
                next_step="correct the name of the column",
            )
    return {**{name: name for name in records.covariates if name in settable}, **asked}
