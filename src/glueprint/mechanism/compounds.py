"""Compounds: one TOML file each, with the sections structure, pharmacology, stability and pk."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import model_validator

from glueprint.boundary import read_text
from glueprint.documents import Document, parse, read, validate
from glueprint.errors import GlueprintError, InputError, NotSupportedError, nearest, together
from glueprint.mechanism import compound_checks, pharmacokinetics, substrates
from glueprint.mechanism.compound_sections import (
    Form,
    Medium,
    MediumName,
    Pharmacokinetics,
    Pharmacology,
    Structure,
)
from glueprint.mechanism.quantities import CODES as SHARED_CODES
from glueprint.mechanism.quantities import FixedPrior, Quantity, derived
from glueprint.mechanism.substrates import Substrate

__all__ = [
    "REFERENCE",
    "Compound",
    "Form",
    "Medium",
    "MediumName",
    "Pharmacokinetics",
    "Pharmacology",
    "Structure",
    "load",
    "names",
    "source",
    "template",
]

CODES = replace(SHARED_CODES, help="`glueprint compound template` writes a whole file, docs/compounds.md")
# The compound that is meant where none is named.
REFERENCE = "pomalidomide"
ENANTIOMER = re.compile(r"\(?([SR])\)?-(.+)")


class Compound(Document):
    """A glue: structure and, as far as known, pharmacology, stability in media and pharmacokinetics."""

    kind: Literal["compound"]
    version: Literal[1]
    name: str
    structure: Structure
    pharmacology: Pharmacology = Pharmacology()
    substrates: dict[str, Substrate] = {}  # noqa: RUF012
    stability: dict[MediumName, Medium] = {}  # noqa: RUF012
    pk: Pharmacokinetics | None = None

    @model_validator(mode="after")
    def _substrates_are_known(self) -> Compound:
        substrates.check_own(self.substrates)
        substrates.check_names(
            {field: getattr(self.pharmacology, field) for field in (*substrates.BY_SUBSTRATE, "rho")},
            self.known_substrates,
        )
        return self

    @property
    def known_substrates(self) -> dict[str, Substrate]:
        """Every substrate that the file may speak of: those of Glueprint and its own rows."""
        return substrates.all_rows(self.substrates)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what the file says but its name, evidence and reasons: what is dosed, whatever it is
        called."""
        content = _without_words(self.model_dump(mode="json", exclude={"name"}, exclude_defaults=True))
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Compound:
        """As of every model; the digest of other numbers is another."""
        found = super().model_copy(update=update, deep=deep)
        found.__dict__.pop("digest", None)
        return found

    def __hash__(self) -> int:
        return hash((self.name, self.digest))

    def kd(self) -> Quantity:
        """Binary Kd of the file's form, nM. Raises NotSupportedError GP-M011 if the file gives none."""
        if self.pharmacology.kd_nm is None:
            raise self._lacks(["pharmacology.kd_nm"])
        return self.pharmacology.kd_nm

    def efficacy(self, substrate: str) -> Quantity:
        """rho over the capacity of the same cell.

        Raises NotSupportedError GP-M011 if not given, InputError GP-M014 for what is no substrate.
        """
        found = self.pharmacology.efficacy.get(self._substrate(substrate))
        if found is None:
            raise self._lacks([f"pharmacology.efficacy.{substrate}"])
        return found

    def rho(self, substrate: str, cell: str, capacity: float) -> float:
        """Largest induced over natural loss rate: capacity x efficacy, or what the file gives directly.

        substrate: a name of `known_substrates`.   cell: a type of cell of the body, such as "myeloma", or any
        other name, for which no file gives rho directly.   capacity: rho at efficacy 1 in that cell.
        Raises NotSupportedError GP-M011 if the file gives neither.
        """
        direct = self.pharmacology.rho.get(substrates.pair_of(self._substrate(substrate), cell))
        return float(direct.typical if direct else capacity * self.efficacy(substrate).typical)

    def ternary_constants(self, substrate: str) -> tuple[Quantity, Quantity]:
        """Intrinsic Kd of a substrate to empty cereblon, nM, and the cooperativity alpha.

        The intrinsic Kd is no property of the compound: where its file gives none, the substrate's row does.
        Raises NotSupportedError GP-M011 for what neither gives; alpha is never borrowed.
        """
        key, own = self._substrate(substrate), self.pharmacology
        intrinsic = own.intrinsic_kd_nm.get(key) or self.known_substrates[key].intrinsic_kd_nm
        alpha = own.cooperativity.get(key)
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

    def trial_quantities(self, capacities: Mapping[str, Quantity]) -> dict[str, Quantity]:
        """The compound's parameters of the trial model, by engine name.

        capacities: rho at efficacy 1, by pair of substrate and cell that the model follows.
        Raises NotSupportedError GP-M005 if the file does not give them all.
        """
        own, pk, rho = self.pharmacology, self.pk, self.trial_rho(capacities)
        missing = [f"pharmacology.rho.{name}" for name in capacities if name not in rho]
        missing += [f"pharmacology.{n}" for n in ("kd_nm", "fraction_unbound") if getattr(own, n) is None]
        if pk is None:
            missing.append("pk")
        if missing or pk is None or own.kd_nm is None or own.fraction_unbound is None:
            raise NotSupportedError(
                "GP-M005",
                f'a trial of "{self.name}" needs numbers that its file does not give: {", ".join(missing)}',
                where=f"compound {self.name}",
                expected="the sections pharmacology and pk complete; see `glueprint compound file NAME`",
                next_step="add them to a compound file of your own and give its path",
            )
        quantities = pharmacokinetics.quantities(pk, own.fraction_unbound)
        quantities["molar_mass_g_per_mol"] = self.structure.molar_mass_g_per_mol
        quantities["fraction_unbound"] = own.fraction_unbound
        quantities["kd_nm"] = own.kd_nm
        return quantities | {f"{name}_rho": rho[name] for name in capacities}

    def trial_rho(self, capacities: Mapping[str, Quantity]) -> dict[str, Quantity]:
        """rho of these pairs, as far as it is given directly, follows from an efficacy, or is 0 by the row of
        a substrate of which the file does not speak."""
        own, found = self.pharmacology, dict[str, Quantity]()
        known = substrates.pairs(self.known_substrates)
        for pair, capacity in capacities.items():
            name = known[pair][0]
            if pair in own.rho:
                found[pair] = own.rho[pair]
            elif name in own.efficacy:
                found[pair] = _product(capacity, own.efficacy[name])
            elif name not in own.degrades and self.known_substrates[name].where_not_listed == "not degraded":
                found[pair] = Quantity(
                    typical=0.0,
                    unit="dimensionless",
                    role="assumed",
                    why=f"the file of {self.name} does not speak of {name}, so it is taken as not degraded",
                    prior=FixedPrior(distribution="fixed", why="not degraded"),
                )
        return found

    def quantities(self) -> dict[str, Quantity]:
        """Every number of the file by its field as people write it, such as "pharmacology.kd_nm"."""
        found: dict[str, Quantity] = {}
        for section, document in self._sections():
            for field, value in document or ():
                entries = value if isinstance(value, dict) else {"": value}
                found |= {
                    f"{section}.{field}.{key}".removesuffix("."): entry
                    for key, entry in entries.items()
                    if isinstance(entry, Quantity)
                }
        return found

    def _sections(self) -> Iterator[tuple[str, Document | None]]:
        yield from (("structure", self.structure), ("pharmacology", self.pharmacology))
        for name, row in self.substrates.items():
            yield f"substrates.{name}", row
            yield from ((f"substrates.{name}.cells.{cell}", numbers) for cell, numbers in row.cells.items())
        yield from ((f"stability.{name}", medium) for name, medium in self.stability.items())
        yield "pk", self.pk

    def _substrate(self, name: str) -> str:
        """`name`, if it is a substrate that the file may speak of; else InputError GP-M014."""
        if name in self.known_substrates:
            return name
        raise InputError(
            "GP-M014",
            f'"{name}" is no substrate that is known{nearest(name, self.known_substrates)}',
            where=f"compound {self.name}",
            expected=f"one of {', '.join(self.known_substrates)}",
            next_step="correct the name, or add a row [substrates.NAME] to a compound file of your own",
        )

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


def load(compound: str | Path | Compound, *, folder: Path | None = None) -> Compound:
    """A compound by name, or from your own TOML file by path; "(S)-" or "(R)-" may stand before a name.

    compound: a `Compound` is given back as it is.   folder: where a relative path begins, here if None.

    Raises InputError GP-M001 (unknown name), GP-M002 (unreadable), GP-M003 (not TOML), GP-M004 (a bad field),
    GP-M010 (another kind or version), GP-M080 (what the file says cannot be), and what `Compound.enantiomer`
    raises.

    >>> load("pomalidomide").kd().unit
    'nM'
    """
    if isinstance(compound, Compound):
        return compound
    text = str(compound)
    if isinstance(compound, Path) or text.endswith(".toml"):
        path = Path(folder or "", compound)
    elif text in names():
        path = Path(str(_folder() / f"{text}.toml"))
    elif (form := ENANTIOMER.fullmatch(text)) and form[2] in names():
        return load(form[2]).enantiomer(form[1])
    else:
        raise _unknown(text)
    try:
        text = read_text(path)
    except (OSError, ValueError):
        return validate(Compound, read(path, CODES), CODES, where=str(path))  # says what is wrong
    tables = pharmacokinetics.with_module(_tables(text, str(path)), path)
    module = tables.get("pk", {}).get("module_text", "") if isinstance(tables.get("pk"), dict) else ""
    return _parsed(text, module, str(path))


@lru_cache(maxsize=32)
def _tables(text: str, where: str) -> dict[str, Any]:
    """The tables of a compound's file, to be read and not changed: a sampler loads one thousands of times."""
    return parse(text, CODES, where=where)


@lru_cache(maxsize=32)
def _parsed(text: str, module: str, where: str) -> Compound:
    """The compound written in `text`, checked once however often its file is loaded.

    module: text of its own pharmacokinetic module, empty where it has none.
    """
    tables = parse(text, CODES, where=where)
    if module:
        tables["pk"] = tables["pk"] | {"module_text": module}
    doubts, findings = compound_checks.doubts(tables), list[GlueprintError]()
    try:
        found = validate(Compound, tables, CODES, where=where)
    except InputError as error:
        # Names of substrates are looked at in both ways, so that a bad field does not hide them.
        if error.code not in {doubt.code for doubt in doubts}:
            doubts = tuple(doubt for doubt in doubts if doubt.field not in str(error))
            findings.append(error)
    findings += [compound_checks.as_error(doubt, where) for doubt in doubts]
    if findings:
        raise together(findings)
    return found


def template() -> str:
    """A compound file to fill in, with every section explained; its numbers are refused until they are one's
    own."""
    return (_folder().parent / "compound_template.toml").read_text(encoding="utf-8")


def source(name: str) -> str:
    """The text of the file of a compound that comes with Glueprint. Raises InputError GP-M001."""
    if name not in names():
        raise _unknown(name)
    return (_folder() / f"{name}.toml").read_text(encoding="utf-8")


def _without_words(value: Any) -> Any:
    """The value without evidence and reasons, at any depth."""
    if isinstance(value, dict):
        return {key: _without_words(item) for key, item in value.items() if key not in ("evidence", "why")}
    return [_without_words(item) for item in value] if isinstance(value, list) else value


def _unknown(text: str) -> InputError:
    return InputError(
        "GP-M001",
        f'unknown compound "{text}"{nearest(text, names())}',
        expected=f"one of {', '.join(names())}, or the path of a .toml file",
        next_step="correct the name, or write a compound file as docs/compounds.md shows",
    )


def _folder() -> Path:
    return Path(str(files("glueprint.mechanism") / "data" / "compounds"))


def _converted(kd: Quantity, ratio: Quantity, given: str, wanted: str) -> Quantity:
    """Kd of another form. Kd of each over that of (S): (S) 1, (R) q, racemate 2q/(1 + q)."""
    q = ratio.typical
    over_s = {"S": 1.0, "R": q, "racemate": 2.0 * q / (1.0 + q)}
    why = f"from {kd.typical:g} nM of the form {given} at a ratio of (R) over (S) of {q:g}"
    return derived(kd.typical / over_s[given] * over_s[wanted], kd, ratio, why=why)


def _product(capacity: Quantity, efficacy: Quantity) -> Quantity:
    why = f"capacity {capacity.typical:g} x efficacy {efficacy.typical:g}"
    return derived(capacity.typical * efficacy.typical, capacity, efficacy, why=why)
