"""Compounds: one TOML file each, with the sections structure, pharmacology, stability and pk."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Literal, get_args

from glueprint.documents import Document, parse, read, validate
from glueprint.errors import InputError, NotSupportedError, nearest
from glueprint.mechanism.compound_sections import (
    CELL_SUBSTRATES,
    SUBSTRATES,
    CellSubstrate,
    Form,
    Medium,
    MediumName,
    Pharmacokinetics,
    Pharmacology,
    Structure,
    Substrate,
)
from glueprint.mechanism.quantities import CODES as SHARED_CODES
from glueprint.mechanism.quantities import Quantity

__all__ = [
    "CELL_SUBSTRATES",
    "REFERENCE",
    "SUBSTRATES",
    "CellSubstrate",
    "Compound",
    "Form",
    "Medium",
    "MediumName",
    "Pharmacokinetics",
    "Pharmacology",
    "Structure",
    "Substrate",
    "load",
    "names",
    "template",
]

CODES = replace(SHARED_CODES, help="`glueprint compound template` writes a whole file, docs/compounds.md")
# The compound whose efficacy is 1, so that a cell's capacity is its rho.
REFERENCE = "pomalidomide"
ENANTIOMER = re.compile(r"\(?([SR])\)?-(.+)")


class Compound(Document):
    """A glue: structure and, as far as known, pharmacology, stability in media and pharmacokinetics."""

    kind: Literal["compound"]
    version: Literal[1]
    name: str
    structure: Structure
    pharmacology: Pharmacology = Pharmacology()
    stability: dict[MediumName, Medium] = {}  # noqa: RUF012
    pk: Pharmacokinetics | None = None

    def kd(self) -> Quantity:
        """Binary Kd of the file's form, nM. Raises NotSupportedError GP-M011 if the file gives none."""
        if self.pharmacology.kd_nm is None:
            raise self._lacks(["pharmacology.kd_nm"])
        return self.pharmacology.kd_nm

    def efficacy(self, substrate: str) -> Quantity:
        """rho over that of pomalidomide in the same cell. Raises NotSupportedError GP-M011 if not given."""
        found = self.pharmacology.efficacy.get(_substrate(substrate))  # type: ignore[call-overload]
        if found is None:
            raise self._lacks([f"pharmacology.efficacy.{substrate}"])
        return found  # type: ignore[no-any-return]

    def rho(self, substrate: str, cell: str, capacity: float) -> float:
        """Largest induced over natural loss rate: capacity x efficacy, or what the file gives directly.

        substrate: one of SUBSTRATES.   cell: a cell type of the trial model, such as "myeloma", or any other
        name, for which no file gives rho directly.   capacity: rho of pomalidomide in that cell.
        Raises NotSupportedError GP-M011 if the file gives neither.
        """
        pair = f"{_substrate(substrate).lower()}_{cell}"
        direct = self.pharmacology.rho.get(pair)  # type: ignore[call-overload]
        return float(direct.typical if direct else capacity * self.efficacy(substrate).typical)

    def ternary_constants(self, substrate: str) -> tuple[Quantity, Quantity]:
        """Intrinsic Kd of a substrate to empty cereblon, nM, and the cooperativity alpha.

        The intrinsic Kd is no property of the compound: where its file gives none, pomalidomide's file does.
        Raises NotSupportedError GP-M011 for what neither gives; alpha is never borrowed.
        """
        key = _substrate(substrate)
        own, reference = self.pharmacology, load(REFERENCE).pharmacology
        intrinsic = own.intrinsic_kd_nm.get(key) or reference.intrinsic_kd_nm.get(key)  # type: ignore[call-overload]
        alpha = own.cooperativity.get(key)  # type: ignore[call-overload]
        if intrinsic is None or alpha is None:
            given = {"intrinsic_kd_nm": intrinsic, "cooperativity": alpha}
            raise self._lacks([f"pharmacology.{n}.{key}" for n, q in given.items() if q is None])
        return intrinsic, alpha

    def in_medium(self, medium: str) -> Medium:
        """Inversion and hydrolysis in a medium. Raises NotSupportedError GP-M012 if not given."""
        found = self.stability.get(medium)  # type: ignore[call-overload]
        if found is None:
            known = ", ".join(self.stability) or "none"
            raise NotSupportedError(
                "GP-M012",
                f'no stability of "{self.name}" in "{medium}"{nearest(medium, self.stability)}',
                where=f"compound {self.name}, stability",
                expected=f"a medium that its file gives: {known}",
                next_step=f"choose one of them, or add [stability.{medium}] to a compound file of your own",
            )
        return found  # type: ignore[no-any-return]

    def enantiomer(self, form: str) -> Compound:
        """The compound with its Kd converted to another form: "S", "R" or "racemate".

        1/Kd of the racemate is the mean of both; efficacy, alpha and rho are taken as alike once bound.
        Pharmacokinetics belong to the form measured and are dropped.
        Raises InputError GP-M013 (no such form), NotSupportedError GP-M011 (no eudismic ratio).
        Source: own derivation, docs/compounds.md, "Enantiomers".
        """
        if form not in get_args(Form):
            raise InputError(
                "GP-M013",
                f'"{form}" is no form of a compound{nearest(form, get_args(Form))}',
                where=f"compound {self.name}",
                expected='"S", "R" or "racemate"',
                next_step="ask for one of these",
            )
        own = self.pharmacology
        if form == own.form:
            return self
        kd = own.kd_nm
        if kd is not None:
            if own.eudismic_ratio is None:
                raise self._lacks(["pharmacology.eudismic_ratio"])
            kd = _converted(kd, own.eudismic_ratio, own.form, form)
        bare = re.sub(ENANTIOMER, r"\2", self.name)
        return self.model_copy(
            update={
                "name": bare if form == "racemate" else f"({form})-{bare}",
                "pharmacology": own.model_copy(update={"form": form, "kd_nm": kd}),
                "pk": None,
            }
        )

    def trial_quantities(self, capacity: Mapping[str, Quantity] | None = None) -> dict[str, Quantity]:
        """The compound's parameters of the trial model, by engine name.

        capacity: rho of pomalidomide by pair of CELL_SUBSTRATES; left out, that of pomalidomide's file.
        Raises NotSupportedError GP-M005 if the evidence does not give them all.
        """
        pharmacology, pk = self.pharmacology, self.pk
        rho = self._trial_rho(capacity)
        missing = [f"pharmacology.rho.{name}" for name in CELL_SUBSTRATES if name not in rho]
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
        return quantities | {f"{name}_rho": rho[name] for name in CELL_SUBSTRATES}

    def _trial_rho(self, capacity: Mapping[str, Quantity] | None) -> dict[str, Quantity]:
        """rho by pair of CELL_SUBSTRATES, as far as it is given directly or follows from an efficacy."""
        found: dict[str, Quantity] = {str(name): q for name, q in self.pharmacology.rho.items()}
        given = {str(name): q for name, q in self.pharmacology.efficacy.items()}
        needed = {name: name.split("_")[0].upper() for name in CELL_SUBSTRATES if name not in found}
        if not any(substrate in given for substrate in needed.values()):
            return found
        base = capacity if capacity is not None else _reference_rho()
        for name, substrate in needed.items():
            if name in base and substrate in given:
                found[name] = _product(base[name], given[substrate])
        return found

    def quantities(self) -> dict[str, Quantity]:
        """Every number of the file by its field as people write it, such as "pharmacology.kd_nm"."""
        sections: dict[str, Document | None] = {
            "structure": self.structure,
            "pharmacology": self.pharmacology,
            **{f"stability.{name}": medium for name, medium in self.stability.items()},
            "pk": self.pk,
        }
        found: dict[str, Quantity] = {}
        for section, document in sections.items():
            for field, value in document or ():
                if isinstance(value, Quantity):
                    found[f"{section}.{field}"] = value
                elif isinstance(value, dict):
                    found |= {f"{section}.{field}.{key}": quantity for key, quantity in value.items()}
        return found

    def missing(self) -> dict[str, tuple[str, ...]]:
        """Fields that each use would need and the file does not give; empty where it gives enough.

        Uses: binding, enantiomers, degradation (IKZF1 and IKZF3, in lines with a capacity), ternary, trial.
        """
        own = self.pharmacology
        kd = () if own.kd_nm else ("pharmacology.kd_nm",)
        parted = () if own.eudismic_ratio else ("pharmacology.eudismic_ratio",)
        targets = ("IKZF1", "IKZF3")
        efficacy = tuple(
            f"pharmacology.efficacy.{name}"
            for name in targets
            if name not in own.efficacy and f"{name.lower()}_myeloma" not in own.rho
        )
        alpha = tuple(
            f"pharmacology.cooperativity.{name}" for name in targets if name not in own.cooperativity
        )
        unbound = () if own.fraction_unbound else ("pharmacology.fraction_unbound",)
        rho = {
            name: f"pharmacology.rho.{name}" for name in CELL_SUBSTRATES if name not in self._trial_rho(None)
        }
        return {
            "binding": kd,
            "enantiomers": (*kd, *parted),
            "degradation": (*kd, *efficacy),
            "ternary complexes": (*kd, *alpha),
            "trial": (*kd, *unbound, *rho.values(), *(() if self.pk else ("pk",))),
        }

    def _lacks(self, fields: list[str]) -> NotSupportedError:
        return NotSupportedError(
            "GP-M011",
            f'the file of "{self.name}" does not give {", ".join(fields)}',
            where=f"compound {self.name}",
            expected="these numbers, with unit, role and source",
            next_step="add them to a file of your own, from `glueprint compound template`, and give its path",
        )


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """Names of the compounds that come with Glueprint."""
    return tuple(
        sorted(p.name.removesuffix(".toml") for p in _folder().iterdir() if p.name.endswith(".toml"))
    )


def load(compound: str | Path) -> Compound:
    """A compound by name, or from your own TOML file by path; "(S)-" or "(R)-" may stand before a name.

    Raises InputError GP-M001 (unknown name), GP-M002 (unreadable), GP-M003 (not TOML), GP-M004 (a bad field),
    GP-M010 (another kind or version), and what `Compound.enantiomer` raises.
    """
    text = str(compound)
    if isinstance(compound, Path) or text.endswith(".toml"):
        path = Path(compound)
    elif text in names():
        path = Path(str(_folder() / f"{text}.toml"))
    elif (form := ENANTIOMER.fullmatch(text)) and form[2] in names():
        return load(form[2]).enantiomer(form[1])
    else:
        raise InputError(
            "GP-M001",
            f'unknown compound "{text}"{nearest(text, names())}',
            expected=f"one of {', '.join(names())}, or the path of a .toml file",
            next_step="correct the name, or write a compound file as docs/compounds.md shows",
        )
    try:
        return _parsed(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError):
        return validate(Compound, read(path, CODES), CODES, where=str(path))  # says what is wrong


@lru_cache(maxsize=32)
def _parsed(text: str, where: str) -> Compound:
    """The compound written in `text`, checked once however often its file is loaded."""
    return validate(Compound, parse(text, CODES, where=where), CODES, where=where)


def template() -> str:
    """A compound file to fill in, with every section explained; it loads as it is."""
    return (_folder().parent / "compound_template.toml").read_text(encoding="utf-8")


def _folder() -> Path:
    return Path(str(files("glueprint.mechanism") / "data" / "compounds"))


def _reference_rho() -> dict[str, Quantity]:
    return {str(name): q for name, q in load(REFERENCE).pharmacology.rho.items()}


def _substrate(name: str) -> str:
    if name in SUBSTRATES:
        return name
    raise InputError(
        "GP-M014",
        f'"{name}" is no substrate of the model{nearest(name, SUBSTRATES)}',
        expected=f"one of {', '.join(SUBSTRATES)}",
        next_step="correct the name",
    )


def _converted(kd: Quantity, ratio: Quantity, given: str, wanted: str) -> Quantity:
    """Kd of another form. Kd of each over that of (S): (S) 1, (R) q, racemate 2q/(1 + q)."""
    q = ratio.typical
    over_s = {"S": 1.0, "R": q, "racemate": 2.0 * q / (1.0 + q)}
    why = f"from {kd.typical:g} nM of the form {given} at a ratio of (R) over (S) of {q:g}"
    return _derived(kd.typical / over_s[given] * over_s[wanted], kd, ratio, why=why)


def _product(capacity: Quantity, efficacy: Quantity) -> Quantity:
    why = f"capacity {capacity.typical:g} x efficacy {efficacy.typical:g}"
    return _derived(capacity.typical * efficacy.typical, capacity, efficacy, why=why)


def _derived(typical: float, one: Quantity, other: Quantity, *, why: str) -> Quantity:
    """A number made of two others: assumed if either is, calibrated if either is, else input."""
    roles = {one.role, other.role}
    role = next(r for r in ("assumed", "calibrated", "input") if r in roles)
    evidence = tuple(dict.fromkeys((*one.evidence, *other.evidence)))
    reasons = "; ".join(w for w in (why, other.why if other.role == "assumed" else "") if w)
    return one.model_copy(update={"typical": typical, "role": role, "evidence": evidence, "why": reasons})
