"""Whether what a compound's file says can be: structure, mass and size of its numbers, all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from glueprint.errors import InputError, nearest
from glueprint.mechanism import substrates

__all__ = ["CHECKS", "EXAMPLE", "Doubt", "as_error", "doubts"]

Tables = Mapping[str, Any]
Numbers = Mapping[str, "Number"]

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
    code: str = "GP-M080"


@dataclass(frozen=True)
class Number:
    """One number of a file as it is written, before anything else is checked."""

    typical: float
    unit: str
    why: str


def _structure(tables: Tables, numbers: Numbers) -> Iterator[Doubt]:
    """The SMILES can be read, and weighs what the file says."""
    structure = tables.get("structure")
    smiles = structure.get("smiles") if isinstance(structure, dict) else None
    if not isinstance(structure, dict) or not isinstance(smiles, str):
        return  # said by the check of fields
    # Here, as it takes a third of a second to import, and a name needs no structure.
    from rdkit import Chem, RDLogger
    from rdkit.Chem import rdinchi, rdMolDescriptors

    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    found = Chem.MolFromSmiles(smiles) if smiles.strip() else None
    if found is None:
        yield Doubt("structure.smiles", f'"{smiles}" cannot be read', "a SMILES of the molecule")
        return
    field, computed = "structure.molar_mass_g_per_mol", float(rdMolDescriptors._CalcMolWt(found))
    said = numbers.get(field)
    if said and abs(computed - said.typical) > MASS_TOLERANCE_G_PER_MOL:
        mass = f"{computed:.2f} g/mol"
        told = f"{said.typical:g} g/mol, but the SMILES weighs {mass}"
        yield Doubt(field, told, f"{mass}, or the right SMILES")
    key, given = str(rdinchi.MolToInchiKey(found)), structure.get("inchikey")
    if given and given != key:
        yield Doubt("structure.inchikey", f'"{given}" is not of the SMILES', key)


def _examples(_: Tables, numbers: Numbers) -> Iterator[Doubt]:
    """No number of the template is taken for a fact."""
    for field, number in numbers.items():
        if number.why.startswith(EXAMPLE):
            yield Doubt(
                field,
                f"{number.typical:g} {number.unit} is the template's example",
                "your own number, and `why` without the word EXAMPLE; or no such field",
            )


def _sizes(_: Tables, numbers: Numbers) -> Iterator[Doubt]:
    """Every number has a size that its kind can have."""
    for field, number in numbers.items():
        if field.startswith(OWN_NAMES):
            continue
        limits = next((LIMITS[part] for part in reversed(field.split(".")) if part in LIMITS), None)
        if limits and not limits[0] <= number.typical <= limits[1]:
            low, high = limits
            told = f"{number.typical:g} {number.unit}"
            yield Doubt(field, told, f"{low:g} to {high:g} {number.unit}: is the unit right?")


def _names(tables: Tables, _: Numbers) -> Iterator[Doubt]:
    """Every substrate is known, or a row of the file's own."""
    pharmacology, own = tables.get("pharmacology"), tables.get("substrates")
    if not isinstance(pharmacology, dict):
        return
    rows = {name: list(row.cells) for name, row in substrates.rows().items()}
    for name, row in own.items() if isinstance(own, dict) else ():
        cells = row.get("cells") if isinstance(row, dict) else None
        rows[name] = list(cells) if isinstance(cells, dict) else []
    pairs = [substrates.pair_of(name, cell) for name, cells in rows.items() for cell in cells]
    for field in (*substrates.BY_SUBSTRATE, "rho"):
        named, known = pharmacology.get(field), pairs if field == "rho" else list(rows)
        for name in named if isinstance(named, list | dict) else ():
            if isinstance(name, str) and name not in known:
                yield Doubt(
                    f"pharmacology.{field}",
                    f'"{name}" is no substrate that is known{nearest(name, known)}',
                    f"one of {', '.join(known)}, or a row of the file's own, [substrates.NAME]",
                    "GP-M014",
                )


def _listed(tables: Tables, numbers: Numbers) -> Iterator[Doubt]:
    """A file that lists what the compound degrades lists every substrate that it gives an efficacy."""
    pharmacology = tables.get("pharmacology")
    named = pharmacology.get("degrades") if isinstance(pharmacology, dict) else None
    if not isinstance(named, list):
        return
    for field, number in numbers.items():
        section, _, substrate = field.rpartition(".")
        if section == "pharmacology.efficacy" and number.typical > 0 and substrate not in named:
            told = f"{number.typical:g} {number.unit}, but `degrades` does not name {substrate}"
            yield Doubt(field, told, f"{substrate} in pharmacology.degrades, or no efficacy above 0")


CHECKS: tuple[Callable[[Tables, Numbers], Iterator[Doubt]], ...] = (
    _structure,
    _examples,
    _sizes,
    _names,
    _listed,
)


def doubts(tables: Tables) -> tuple[Doubt, ...]:
    """Everything in a compound's file that cannot be.   tables: as TOML has them, whatever else is wrong."""
    numbers = dict(_numbers(tables))
    return tuple(doubt for one in CHECKS for doubt in one(tables, numbers))


def _numbers(tables: Tables, place: str = "") -> Iterator[tuple[str, Number]]:
    """Every number by its field, such as "pharmacology.kd_nm"."""
    for key, value in tables.items():
        if not isinstance(value, dict):
            continue
        field, typical = f"{place}{key}", value.get("typical")
        if isinstance(typical, int | float):
            yield field, Number(float(typical), str(value.get("unit", "")), str(value.get("why", "")))
        else:
            yield from _numbers(value, f"{field}.")


def as_error(doubt: Doubt, where: str) -> InputError:
    """A doubt about a file, as the error that refuses it."""
    return InputError(
        doubt.code,
        doubt.message,
        where=f"{where}, {doubt.field}",
        expected=doubt.expected,
        next_step="correct the file; docs/compounds.md says what each number is",
    )
