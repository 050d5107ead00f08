"""Units that a model's file states: of time, and of every species. Numbers are never changed by them.

SBML numbers stand for themselves: units say what they mean. What contradicts itself is refused, because one
of the two must then be wrong by a factor.
Source: SBML Level 3 Version 2 Core, section 4.2, and Level 2 Version 5, section 4.4 (seconds by default).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import libsbml

from glueprint.errors import InputError

__all__ = ["Measures", "TimeUnit", "measures", "time_unit"]

# Symbol, seconds, and the words for it; a year is the Julian one.
UNITS_OF_TIME: tuple[tuple[str, float, str], ...] = (
    ("ns", 1e-9, "nanosecond nanoseconds"),
    ("us", 1e-6, "microsecond microseconds"),
    ("ms", 1e-3, "millisecond milliseconds"),
    ("s", 1.0, "sec second seconds"),
    ("min", 60.0, "minute minutes"),
    ("h", 3600.0, "hr hour hours"),
    ("day", 86400.0, "d days"),
    ("week", 604800.0, "weeks"),
    ("year", 31557600.0, "y years"),
)
SAME = 1e-9  # relative difference of two factors that are one


@dataclass(frozen=True)
class TimeUnit:
    """A unit of time.   name: for headers.   seconds: NaN where it is no time at all (dimensionless)."""

    name: str
    seconds: float

    @property
    def hours(self) -> float:
        """Its length in hours."""
        return self.seconds / 3600.0


@dataclass(frozen=True)
class Measures:
    """time: the unit that the file states, None where it states none.   species: unit of each species that
    has one, in the file's own words.
    """

    time: TimeUnit | None = None
    species: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def time_unit(text: str) -> TimeUnit:
    """The unit that somebody names. Raises InputError GP-N046."""
    for symbol, seconds, words in UNITS_OF_TIME:
        if text.strip() in (symbol, *words.split()):
            return TimeUnit(symbol, seconds)
    raise InputError(
        "GP-N046",
        f'"{text}" is no unit of time',
        where="--time-unit",
        expected=f"one of {', '.join(symbol for symbol, _, _ in UNITS_OF_TIME)}",
        next_step="choose one of these",
    )


def measures(model: Any, where: str) -> Measures:
    """The units of a libsbml model.

    Raises InputError GP-N047 where reactions are counted in a multiple of a species' amount without a
    conversion factor.
    """
    units = _Units(model)
    time = units.time()
    _check_extent(model, units, where)
    found = {}
    for i in range(model.getNumSpecies()):
        item = model.getSpecies(i)
        unit = units.of_species(item)
        if unit:
            found[item.getId()] = unit
    return Measures(time, MappingProxyType(found))


class _Units:
    """Unit definitions of one model, resolved to a factor and exponents of base units."""

    def __init__(self, model: Any) -> None:
        self.model = model
        definitions = (model.getUnitDefinition(i) for i in range(model.getNumUnitDefinitions()))
        self.definitions = {item.getId(): item for item in definitions}

    def resolved(self, name: str) -> tuple[float, dict[str, float]]:
        """Factor and exponents of a unit by its name."""
        if name not in self.definitions:
            return 1.0, {} if name == "dimensionless" else {name: 1.0}
        factor, powers = 1.0, dict[str, float]()
        definition = self.definitions[name]
        for i in range(definition.getNumUnits()):
            unit = definition.getUnit(i)
            exponent = unit.getExponentAsDouble()
            factor *= (unit.getMultiplier() * 10.0 ** unit.getScale()) ** exponent
            kind = libsbml.UnitKind_toString(unit.getKind())
            if kind != "dimensionless":
                powers[kind] = powers.get(kind, 0.0) + exponent
        return factor, {kind: power for kind, power in powers.items() if power}

    def time(self) -> TimeUnit | None:
        """The model's unit of time."""
        name = self.model.getTimeUnits()
        if self.model.getLevel() < 3:
            name = "time" if "time" in self.definitions else "second"
        if not name:
            return None
        factor, powers = self.resolved(name)
        if powers != {"second": 1.0}:
            return TimeUnit("", float("nan"))
        for symbol, seconds, _ in UNITS_OF_TIME:
            if abs(factor / seconds - 1.0) < SAME:
                return TimeUnit(symbol, seconds)
        return TimeUnit(f"{factor:g}s", factor)

    def of_species(self, item: Any) -> str:
        """Amount, or amount per size, where the file states both; empty where it does not."""
        amount = item.getSubstanceUnits() or self.model.getSubstanceUnits()
        compartment = self.model.getCompartment(item.getCompartment())
        if item.getHasOnlySubstanceUnits() or compartment is None:
            return self._words(amount)
        dimensions = compartment.getSpatialDimensionsAsDouble()
        of_level3 = {1.0: "Length", 2.0: "Area", 3.0: "Volume"}.get(dimensions)
        default = getattr(self.model, f"get{of_level3}Units")() if of_level3 else ""
        size = compartment.getUnits() or default
        return f"{self._words(amount)}/{self._words(size)}" if amount and size else ""

    def _words(self, name: str) -> str:
        definition = self.definitions.get(name)
        return (definition.getName() if definition is not None else "") or str(name)


def _check_extent(model: Any, units: _Units, where: str) -> None:
    extent = model.getExtentUnits() if model.getLevel() > 2 else ""
    if not extent:
        return
    for i in range(model.getNumSpecies()):
        item = model.getSpecies(i)
        amount = item.getSubstanceUnits() or model.getSubstanceUnits()
        converted = item.getConversionFactor() or model.getConversionFactor()
        if not amount or converted:
            continue
        (factor, powers), (of_extent, like) = units.resolved(amount), units.resolved(extent)
        if powers == like and abs(factor / of_extent - 1.0) > SAME:
            raise _conflict(
                f'"{item.getId()}" is counted in "{amount}" and reactions in "{extent}", without a '
                "conversion factor",
                where,
            )


def _conflict(message: str, where: str) -> InputError:
    return InputError(
        "GP-N047",
        message,
        where=where,
        expected="units that agree, because no number is converted silently",
        next_step="correct the unit or the number, or give a conversion factor",
    )
