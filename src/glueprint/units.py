"""Units at the rim: pint reads and converts what users and papers write; inside, names carry the unit."""

from __future__ import annotations

import tokenize
from functools import lru_cache
from typing import TYPE_CHECKING

from glueprint.errors import InputError

if TYPE_CHECKING:
    import pint

__all__ = ["convert", "is_known", "registry"]

# Spellings of the field that pint does not know; the canonical spelling is on the right.
SPELLINGS = {
    "%": "percent",
    "-": "dimensionless",
    "1": "dimensionless",
    "ratio": "dimensionless",
    "fold": "dimensionless",
    "HR": "dimensionless",
    "OR": "dimensionless",
    "CV%": "percent",
    "uM": "micromolar",
    "µM": "micromolar",
    "nM": "nanomolar",
    "pM": "picomolar",
    "mM": "millimolar",
    "1e9/L": "1e9/liter",
    "h": "hour",
    "d": "day",
    "min": "minute",
    "y": "year",
    "months": "month",
    "U/L": "micromole / minute / liter",
    "mL/min/1.73m2": "milliliter / minute / (1.73 * meter ** 2)",
    "L/h/(mL/min/1.73m2)": "(liter / hour) / (milliliter / minute / (1.73 * meter ** 2))",
}


def _not_a_unit() -> tuple[type[Exception], ...]:
    """What pint raises for a text that is no unit."""
    import pint  # takes longer to import than many a command to run

    return (
        pint.errors.PintError,
        tokenize.TokenError,
        ArithmeticError,
        # Pint asserts that something follows an operator.
        AssertionError,
        AttributeError,
        TypeError,
        ValueError,
    )


@lru_cache(maxsize=1)
def registry() -> pint.UnitRegistry[float]:
    """The one unit registry, made on first use."""
    import pint

    units: pint.UnitRegistry[float] = pint.UnitRegistry()
    units.define("cell = count")
    units.define("patient = count")
    return units


@lru_cache(maxsize=4096)
def is_known(unit: str) -> bool:
    """Whether `unit` can be read as a unit."""
    try:
        registry().parse_expression(SPELLINGS.get(unit, unit))
    except _not_a_unit():
        return False
    return True


def convert(value: float, unit: str, to: str) -> float:
    """`value` in `unit`, as a number in `to`.

    Raises InputError GP-U001 if a unit is unknown or the dimensions differ.
    """
    try:
        quantity = value * registry().parse_expression(SPELLINGS.get(unit, unit))
        return float((quantity / registry().parse_expression(SPELLINGS.get(to, to))).m_as("dimensionless"))
    except _not_a_unit() as error:
        raise InputError(
            "GP-U001",
            f'cannot convert {value} from "{unit}" to "{to}"',
            expected="two units of the same dimension, for example nM and uM",
            next_step="write the unit as in the examples of docs/evidence.md",
        ) from error
