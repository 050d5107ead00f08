"""Whether what a compound's file says can be: structure, mass and size of its numbers, all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from glueprint.errors import InputError
from glueprint.mechanism.compound_sections import Structure
from glueprint.mechanism.quantities import Quantity

__all__ = ["CHECKS", "EXAMPLE", "Doubt", "check"]

# How the template marks a number that is there to show the form.
EXAMPLE = "EXAMPLE"
# Sources print masses with two decimals, from atomic weights of different years.
MASS_TOLERANCE_G_PER_MOL = 0.05
# Limits beyond which a number is a slip of the unit or of the point, by the last part of a field's name; own
# choice, wider than any drug.
LIMITS: Mapping[str, tuple[float, float]] = {
    "kd_nm": (1e-4, 1e8),
    "eudismic_ratio": (1e-4, 1e4),
    "fraction_unbound": (1e-5, 1.0),
    "efficacy": (0.0, 1e3),
    "cooperativity": (0.0, 1e6),
    "intrinsic_kd_nm": (1e-3, 1e9),
    "rho": (0.0, 1e5),
    "capacity": (0.0, 1e5),
    "kdeg_per_h": (1e-4, 1e3),
    "lag_h": (0.0, 48.0),
    "bioavailability": (1e-4, 1.0),
    "absorption_per_h": (1e-3, 200.0),
    "absorption_h": (0.01, 200.0),
    "mean_transit_h": (0.01, 200.0),
    "clearance_l_per_h": (1e-3, 1e4),
    "central_l": (0.1, 1e5),
    "intercompartment_l_per_h": (1e-3, 1e4),
    "peripheral_l": (0.1, 1e6),
    "hydrolysis_per_h": (0.0, 1e3),
    "inversion_s_to_r_per_h": (0.0, 1e3),
    "inversion_r_to_s_per_h": (0.0, 1e3),
}


# Parameters of a module of the user's, whose names mean what the module says.
OWN_NAMES = "pk.parameters."


@dataclass(frozen=True)
class Doubt:
    """What cannot be: the field, what it says, what was expected."""

    field: str
    message: str
    expected: str


def _structure(structure: Structure, _: Mapping[str, Quantity]) -> Iterator[Doubt]:
    """The SMILES can be read, and weighs what the file says."""
    # Here, as it takes a third of a second to import, and a name needs no structure.
    from rdkit import Chem, RDLogger
    from rdkit.Chem import rdinchi, rdMolDescriptors

    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    found = Chem.MolFromSmiles(structure.smiles) if structure.smiles.strip() else None
    if found is None:
        yield Doubt("structure.smiles", f'"{structure.smiles}" cannot be read', "a SMILES of the molecule")
        return
    computed, said = float(rdMolDescriptors._CalcMolWt(found)), structure.molar_mass_g_per_mol.typical
    if abs(computed - said) > MASS_TOLERANCE_G_PER_MOL:
        field, mass = "structure.molar_mass_g_per_mol", f"{computed:.2f} g/mol"
        yield Doubt(field, f"{said:g} g/mol, but the SMILES weighs {mass}", f"{mass}, or the right SMILES")
    key = str(rdinchi.MolToInchiKey(found))
    if structure.inchikey and structure.inchikey != key:
        yield Doubt("structure.inchikey", f'"{structure.inchikey}" is not of the SMILES', key)


def _examples(_: Structure, numbers: Mapping[str, Quantity]) -> Iterator[Doubt]:
    """No number of the template is taken for a fact."""
    for field, quantity in numbers.items():
        if quantity.why.startswith(EXAMPLE):
            yield Doubt(
                field,
                f"{quantity.typical:g} {quantity.unit} is the template's example",
                "your own number, and `why` without the word EXAMPLE; or no such field",
            )


def _sizes(_: Structure, numbers: Mapping[str, Quantity]) -> Iterator[Doubt]:
    """Every number has a size that its kind can have."""
    for field, quantity in numbers.items():
        if field.startswith(OWN_NAMES):
            continue
        limits = next((LIMITS[part] for part in reversed(field.split(".")) if part in LIMITS), None)
        if limits and not limits[0] <= quantity.typical <= limits[1]:
            low, high = limits
            told = f"{quantity.typical:g} {quantity.unit}"
            yield Doubt(field, told, f"{low:g} to {high:g} {quantity.unit}: is the unit right?")


CHECKS: tuple[Callable[[Structure, Mapping[str, Quantity]], Iterator[Doubt]], ...] = (
    _structure,
    _examples,
    _sizes,
)


def check(structure: Structure, numbers: Mapping[str, Quantity], where: str) -> None:
    """Refuse a compound's file whose content cannot be, with everything that is found at once.

    numbers: by field.   where: the file.
    Raises InputError GP-M080.
    """
    doubts = [doubt for one in CHECKS for doubt in one(structure, numbers)]
    if not doubts:
        return
    first, *others = doubts
    more = "".join(f"\n  {one.field}: {one.message}. Expected {one.expected}" for one in others)
    raise InputError(
        "GP-M080",
        first.message + (f". Also:{more}" if more else ""),
        where=f"{where}, {first.field}",
        expected=first.expected,
        next_step="correct the file; docs/compounds.md says what each number is",
    )
