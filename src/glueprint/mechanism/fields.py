"""Fields of a compound file: in which unit each is, and which may be zero."""

from __future__ import annotations

import math

from pydantic import ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from glueprint.documents import Document
from glueprint.mechanism.quantities import Quantity

__all__ = ["MAY_BE_ZERO", "UNITS", "Section"]

DIMENSIONLESS = "dimensionless"
UNITS = {
    "molar_mass_g_per_mol": "g/mol",
    "kd_nm": "nM",
    "eudismic_ratio": DIMENSIONLESS,
    "efficacy": DIMENSIONLESS,
    "cooperativity": DIMENSIONLESS,
    "intrinsic_kd_nm": "nM",
    "rho": DIMENSIONLESS,
    "fraction_unbound": DIMENSIONLESS,
    "inversion_s_to_r_per_h": "1/h",
    "inversion_r_to_s_per_h": "1/h",
    "hydrolysis_per_h": "1/h",
    "lag_h": "h",
    "bioavailability": DIMENSIONLESS,
    "residual_log_sd": DIMENSIONLESS,
    "absorption_per_h": "1/h",
    "absorption_h": "h",
    "mean_transit_h": "h",
    "clearance_l_per_h": "L/h",
    "central_l": "L",
    "intercompartment_l_per_h": "L/h",
    "peripheral_l": "L",
}
MAY_BE_ZERO = frozenset(
    {
        "lag_h",
        "efficacy",
        "cooperativity",
        "rho",
        "inversion_s_to_r_per_h",
        "inversion_r_to_s_per_h",
        "hydrolysis_per_h",
    }
)
FRACTIONS = ("fraction_unbound", "bioavailability")


class Section(Document):
    """A part of a compound file whose numbers have the units that their names say."""

    @field_validator("*", mode="after")
    @classmethod
    def _unit_is_that_of_the_name(cls, value: object, info: ValidationInfo) -> object:
        name = info.field_name or ""
        entries = value.items() if isinstance(value, dict) else [("", value)]
        for key, quantity in entries:
            if name in UNITS and isinstance(quantity, Quantity):
                _check(name, f"{key}: " if key else "", quantity)
        return value


def _check(name: str, entry: str, quantity: Quantity) -> None:
    unit, value = UNITS[name], quantity.typical
    if quantity.unit != unit:
        raise _finding(
            f'{entry}unit "{quantity.unit}" does not fit the name; give the value in {unit}',
            f'unit = "{unit}"',
        )
    zero = " or zero" if name in MAY_BE_ZERO else ""
    if not math.isfinite(value) or value < 0 or (value == 0 and not zero):
        raise _finding(
            f"{entry}{value} is not a positive number{zero}",
            f"a finite number {'of zero or more' if zero else 'above zero'}",
        )
    if name in FRACTIONS and value > 1:
        raise _finding(f"{entry}{value} is no fraction", "a number above zero, at most 1")


def _finding(message: str, expected: str) -> PydanticCustomError:
    """An error in the words of `documents`, which would else print the whole table."""
    return PydanticCustomError(
        "GP-M004", message, {"expected": expected, "next_step": "correct the value and load the file again"}
    )
