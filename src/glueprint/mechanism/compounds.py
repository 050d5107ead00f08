"""Compounds: one TOML file each, with the sections structure, pharmacology and pk."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Literal

from pydantic import ValidationInfo, field_validator

from glueprint.documents import Document, read, validate
from glueprint.errors import InputError, NotSupportedError, nearest
from glueprint.mechanism.quantities import CODES, Covariance, CovariateEffect, Quantity

__all__ = ["CELL_SUBSTRATES", "Compound", "Pharmacokinetics", "Pharmacology", "Structure", "load", "names"]

# Pairs of substrate and cell type that the trial model follows.
CELL_SUBSTRATES = ("ikzf1_myeloma", "ikzf3_myeloma", "ikzf1_tcell", "ikzf3_tcell", "ikzf1_progenitor")
UNITS = {
    "molar_mass_g_per_mol": "g/mol",
    "kd_nm": "nM",
    "fraction_unbound": "dimensionless",
    "lag_h": "h",
    "residual_log_sd": "dimensionless",
    "absorption_per_h": "1/h",
    "clearance_l_per_h": "L/h",
    "central_l": "L",
    "intercompartment_l_per_h": "L/h",
    "peripheral_l": "L",
}


class _Section(Document):
    @field_validator("*", mode="after")
    @classmethod
    def _unit_is_that_of_the_name(cls, value: object, info: ValidationInfo) -> object:
        unit = UNITS.get(info.field_name or "")
        if isinstance(value, Quantity) and unit is not None:
            if value.unit != unit:
                raise ValueError(f'unit "{value.unit}" does not fit the name; give the value in {unit}')
            if value.typical < 0 or (value.typical == 0 and info.field_name != "lag_h"):
                raise ValueError(f"{value.typical} is not a positive number")
        return value


class Structure(_Section):
    """What the molecule is."""

    smiles: str
    molar_mass_g_per_mol: Quantity
    inchikey: str = ""
    evidence: tuple[str, ...] = ()


class Pharmacology(_Section):
    """Affinity to cereblon, degraded substrates with their evidence, rho per substrate and cell type."""

    degrades: tuple[Literal["IKZF1", "IKZF3", "CK1alpha", "ZFP91", "SALL4", "GSPT1"], ...]
    evidence: tuple[str, ...] = ()
    kd_nm: Quantity | None = None
    fraction_unbound: Quantity | None = None
    rho: dict[
        Literal["ikzf1_myeloma", "ikzf3_myeloma", "ikzf1_tcell", "ikzf3_tcell", "ikzf1_progenitor"], Quantity
    ] = {}  # noqa: RUF012 (pydantic copies defaults)


class Pharmacokinetics(_Section):
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


class Compound(Document):
    """A glue: structure, pharmacology and, where known, pharmacokinetics."""

    kind: Literal["compound"]
    version: Literal[1]
    name: str
    structure: Structure
    pharmacology: Pharmacology
    pk: Pharmacokinetics | None = None

    def trial_quantities(self) -> dict[str, Quantity]:
        """The compound's parameters of the trial model, by engine name.

        Raises NotSupportedError GP-M005 if the evidence does not give them all.
        """
        pharmacology, pk = self.pharmacology, self.pk
        missing = [f"pharmacology.rho.{name}" for name in CELL_SUBSTRATES if name not in pharmacology.rho]
        missing += [
            f"pharmacology.{n}" for n in ("kd_nm", "fraction_unbound") if getattr(pharmacology, n) is None
        ]
        if pk is None:
            missing.append("pk")
        if missing or pk is None or pharmacology.kd_nm is None or pharmacology.fraction_unbound is None:
            raise NotSupportedError(
                "GP-M005",
                f'a trial of "{self.name}" needs numbers that its file does not give: {", ".join(missing)}',
                where=f"compound {self.name}",
                expected="the sections pharmacology and pk complete, as in pomalidomide.toml",
                next_step="add them to a compound file of your own and give its path",
            )
        kinetic = (
            "absorption_per_h",
            "clearance_l_per_h",
            "central_l",
            "intercompartment_l_per_h",
            "peripheral_l",
        )
        quantities: dict[str, Quantity] = {name: getattr(pk, name) for name in kinetic}
        quantities["molar_mass_g_per_mol"] = self.structure.molar_mass_g_per_mol
        quantities["fraction_unbound"] = pharmacology.fraction_unbound
        quantities["kd_nm"] = pharmacology.kd_nm
        return quantities | {f"{name}_rho": pharmacology.rho[name] for name in CELL_SUBSTRATES}  # type: ignore[index]


def names() -> tuple[str, ...]:
    """Names of the compounds that come with Glueprint."""
    return tuple(
        sorted(p.name.removesuffix(".toml") for p in _folder().iterdir() if p.name.endswith(".toml"))
    )


def load(compound: str | Path) -> Compound:
    """A compound by name, or from a TOML file of your own by path.

    Raises InputError GP-M001 (unknown name), GP-M002 (unreadable), GP-M003 (not TOML), GP-M004 (a bad field),
    GP-M010 (another kind or version).
    """
    text = str(compound)
    if isinstance(compound, Path) or text.endswith(".toml"):
        path = Path(compound)
    elif text in names():
        path = Path(str(_folder() / f"{text}.toml"))
    else:
        raise InputError(
            "GP-M001",
            f'unknown compound "{text}"{nearest(text, names())}',
            expected=f"one of {', '.join(names())}, or the path of a .toml file",
            next_step="correct the name, or write a compound file as docs/mechanism.md shows",
        )
    return validate(Compound, read(path, CODES), CODES, where=str(path))


def _folder() -> Path:
    return Path(str(files("glueprint.mechanism") / "data" / "compounds"))
