"""Sections of a compound file: which fields there are."""

from __future__ import annotations

from typing import Literal

from glueprint.mechanism.fields import Section
from glueprint.mechanism.pharmacokinetics.section import Pharmacokinetics
from glueprint.mechanism.quantities import Quantity

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
