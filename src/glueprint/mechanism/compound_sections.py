"""Sections of a compound file: which fields there are."""

from __future__ import annotations

from typing import Literal, get_args

from glueprint.mechanism.fields import Section
from glueprint.mechanism.pharmacokinetics.section import Pharmacokinetics
from glueprint.mechanism.quantities import Quantity

__all__ = [
    "CELL_SUBSTRATES",
    "SUBSTRATES",
    "CellSubstrate",
    "Form",
    "Medium",
    "MediumName",
    "Pharmacokinetics",
    "Pharmacology",
    "Structure",
    "Substrate",
]

Substrate = Literal["IKZF1", "IKZF3", "CK1alpha", "ZFP91", "SALL4", "GSPT1"]
CellSubstrate = Literal["ikzf1_myeloma", "ikzf3_myeloma", "ikzf1_tcell", "ikzf3_tcell", "ikzf1_progenitor"]
Form = Literal["racemate", "S", "R"]
MediumName = Literal["buffer", "serum", "plasma", "blood"]
SUBSTRATES: tuple[str, ...] = get_args(Substrate)
# Pairs of substrate and cell type that the trial model follows.
CELL_SUBSTRATES: tuple[str, ...] = get_args(CellSubstrate)


class Structure(Section):
    """What the molecule is."""

    smiles: str
    molar_mass_g_per_mol: Quantity
    inchikey: str = ""
    evidence: tuple[str, ...] = ()


class Pharmacology(Section):
    """How the compound binds cereblon, and what it makes cereblon do.

    form: what the numbers were measured with.   kd_nm: of that form.   eudismic_ratio: Kd of (R) over (S).
    efficacy: rho over that of pomalidomide in the same cell.   cooperativity: alpha, affinity of cereblon for
    the substrate with the glue over that without, whose Kd is intrinsic_kd_nm.   rho: if given, it wins.
    """

    degrades: tuple[Substrate, ...] = ()
    evidence: tuple[str, ...] = ()
    form: Form = "racemate"
    kd_nm: Quantity | None = None
    eudismic_ratio: Quantity | None = None
    efficacy: dict[Substrate, Quantity] = {}  # noqa: RUF012 (pydantic copies defaults)
    cooperativity: dict[Substrate, Quantity] = {}  # noqa: RUF012
    intrinsic_kd_nm: dict[Substrate, Quantity] = {}  # noqa: RUF012
    fraction_unbound: Quantity | None = None
    rho: dict[CellSubstrate, Quantity] = {}  # noqa: RUF012


class Medium(Section):
    """First-order inversion of the enantiomers and their common loss by hydrolysis, in one medium."""

    inversion_s_to_r_per_h: Quantity
    inversion_r_to_s_per_h: Quantity
    hydrolysis_per_h: Quantity
