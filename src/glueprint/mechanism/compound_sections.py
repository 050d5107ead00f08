"""Sections of a compound file: which fields there are, in which unit, and which may be zero."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from glueprint.documents import Document
from glueprint.mechanism.quantities import Covariance, CovariateEffect, Quantity

__all__ = [
    "Form",
    "Medium",
    "MediumName",
    "Pharmacokinetics",
    "Pharmacology",
    "Structure",
]

Form = Literal["racemate", "S", "R"]
MediumName = Literal["buffer", "serum", "plasma", "blood"]
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
    "residual_log_sd": DIMENSIONLESS,
    "absorption_per_h": "1/h",
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
    if name == "fraction_unbound" and value > 1:
        raise _finding(f"{entry}{value} is no fraction", "a number above zero, at most 1")


def _finding(message: str, expected: str) -> PydanticCustomError:
    """An error in the words of `documents`, which would else print the whole table."""
    return PydanticCustomError(
        "GP-M004", message, {"expected": expected, "next_step": "correct the value and load the file again"}
    )


class Structure(Section):
    """What the molecule is."""

    smiles: str
    molar_mass_g_per_mol: Quantity
    inchikey: str = ""
    evidence: tuple[str, ...] = ()


class Pharmacology(Section):
    """How the compound binds cereblon, and what it makes cereblon do.

    form: what the numbers were measured with.   kd_nm: of that form.   eudismic_ratio: Kd of (R) over (S).
    degrades, efficacy, cooperativity, intrinsic_kd_nm: by names of `substrates.rows`, or of the file's own
    rows.   efficacy: rho over the capacity of the same cell.   cooperativity: alpha, affinity of cereblon for
    the substrate with the glue over that without, whose Kd is intrinsic_kd_nm.   rho: by pair of substrate
    and cell; if given, it wins.
    """

    degrades: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    form: Form = "racemate"
    kd_nm: Quantity | None = None
    eudismic_ratio: Quantity | None = None
    efficacy: dict[str, Quantity] = {}  # noqa: RUF012 (pydantic copies defaults)
    cooperativity: dict[str, Quantity] = {}  # noqa: RUF012
    intrinsic_kd_nm: dict[str, Quantity] = {}  # noqa: RUF012
    fraction_unbound: Quantity | None = None
    rho: dict[str, Quantity] = {}  # noqa: RUF012


class Medium(Section):
    """First-order inversion of the enantiomers and their common loss by hydrolysis, in one medium."""

    inversion_s_to_r_per_h: Quantity
    inversion_r_to_s_per_h: Quantity
    hydrolysis_per_h: Quantity


class Pharmacokinetics(Section):
    """Oral two-compartment population model; the lag is a shift of the dose time."""

    lag_h: Quantity
    residual_log_sd: Quantity
    absorption_per_h: Quantity
    clearance_l_per_h: Quantity
    central_l: Quantity
    intercompartment_l_per_h: Quantity
    peripheral_l: Quantity
    covariance: tuple[Covariance, ...] = ()
    covariate: tuple[CovariateEffect, ...] = ()
