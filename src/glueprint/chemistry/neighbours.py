"""Neighbours in the evidence: how near, what differs, their potencies, and what may be said by analogy."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rdkit import DataStructs, rdBase
from rdkit.Chem import rdFingerprintGenerator
from scipy.stats import t as student_t

from glueprint import evidence
from glueprint.chemistry import pairs, standard, structures
from glueprint.chemistry.binder import check_binder
from glueprint.chemistry.pairs import Change
from glueprint.chemistry.structures import Structure, molecule
from glueprint.errors import InputError

__all__ = [
    "LABEL",
    "PROPERTIES",
    "Analogy",
    "LeftOut",
    "Neighbour",
    "Potency",
    "by_analogy",
    "leave_one_out",
    "nearest",
    "prior_line",
]

LABEL = "by analogy"
# Endpoint of the evidence -> what it is, and the field of a compound's file that it may be a prior of.
PROPERTIES: Mapping[str, tuple[str, str]] = {
    "crbn_affinity": ("affinity to cereblon", "kd_nm"),
    "tnf_ic50": ("inhibition of TNF-alpha release", ""),
}
NANOMOLAR = {"nM": 1.0, "uM": 1e3, "pM": 1e-3}
CONFIDENCE = 0.95
# Morgan fingerprint of radius 2, 2048 bits, as is usual: Rogers & Hahn 2010, doi:10.1021/ci100050t.
RADIUS, BITS = 2, 2048


@dataclass(frozen=True)
class Potency:
    """One property of one compound, nM: geometric mean of its evidence rows, their span, their ids."""

    endpoint: str
    what: str
    value_nm: float
    low_nm: float
    high_nm: float
    claim_ids: tuple[str, ...]


@dataclass(frozen=True)
class Neighbour:
    """A compound of the evidence: similarity 0 to 1 (Tanimoto), what changes towards the one asked about."""

    structure: Structure
    similarity: float
    changes: tuple[Change, ...]
    common_atoms: int
    potencies: tuple[Potency, ...]


@dataclass(frozen=True)
class LeftOut:
    """One compound of the evidence foretold from its nearest neighbour: error in log10 units."""

    endpoint: str
    compound: str
    neighbour: str
    similarity: float
    value_nm: float
    neighbour_value_nm: float

    @property
    def error_log10(self) -> float:
        """log10 of the neighbour's value over the compound's own."""
        return math.log10(self.neighbour_value_nm / self.value_nm)


@dataclass(frozen=True)
class Analogy:
    """What a neighbour's value suggests: never a measurement, and labelled so.

    value_nm: the neighbour's.   low_nm, high_nm: 95 % interval from the leave-one-out errors; None where the
    neighbour is further off than any that the errors were taken from, or where the compound is an unlikely
    binder.   sd_log10: the width as a prior.
    """

    endpoint: str
    what: str
    label: str
    neighbour: str
    similarity: float
    value_nm: float
    low_nm: float | None
    high_nm: float | None
    sd_log10: float | None
    claim_ids: tuple[str, ...]
    remark: str


def nearest(structure: Structure, count: int = 5) -> tuple[Neighbour, ...]:
    """The nearest compounds of the evidence, the nearest first, without the substance itself.

    Similarity is that of the parents' Morgan fingerprints; changes are those of the matched pair.
    """
    own = standard.flat_key(structure.smiles)
    others = [one for one in _compounds() if standard.flat_key(one.smiles) != own]
    ranked = sorted(others, key=lambda one: (-_similarity(structure, one), one.name))[:count]
    return tuple(_neighbour(structure, one) for one in ranked)


def by_analogy(structure: Structure) -> tuple[Analogy, ...]:
    """For each property, the value of the nearest compound that has one, with an interval.

    The interval is t times the root mean square of all leave-one-out errors times sqrt(1 + 1/n), in log10
    units, with as many degrees of freedom as errors. It is as wide as so few compounds make it.
    Source: own derivation, docs/cereblon-binders.md.
    """
    own = standard.flat_key(structure.smiles)
    found = []
    for name in PROPERTIES:
        having = {one: p for one, p in _having(name) if standard.flat_key(one.smiles) != own}
        if having:
            near = _closest(structure, having)
            found.append(_analogy(structure, near, having[near]))
    return tuple(found)


@lru_cache(maxsize=1)
def leave_one_out() -> tuple[LeftOut, ...]:
    """Every compound with a value foretold from its nearest neighbour with one, for every property."""
    found = []
    for name in PROPERTIES:
        having = dict(_having(name))
        for one, potency in having.items():
            others = [other for other in having if other is not one]
            if others:
                near = _closest(one, others)
                found.append(
                    LeftOut(
                        name,
                        one.name,
                        near.name,
                        _similarity(one, near),
                        potency.value_nm,
                        having[near].value_nm,
                    )
                )
    return tuple(found)


def prior_line(analogy: Analogy) -> str:
    """A line for a compound's file: role "assumed" with a wide prior, and the reason; never "measured".

    Raises InputError GP-H024 where the property has no field there, or the neighbour is too far off.
    """
    field = PROPERTIES[analogy.endpoint][1]
    if not field or analogy.sd_log10 is None:
        raise InputError(
            "GP-H024",
            f"{analogy.what} of {analogy.neighbour} cannot be a prior: {analogy.remark or 'no field for it'}",
            expected="a property with a field in a compound's file, and a neighbour near enough",
            next_step="measure it, or write the number in by hand with your own reason",
        )
    why = f"{LABEL} with {analogy.neighbour}, similarity {analogy.similarity:.2f}; not measured"
    wide = f"leave-one-out error over {len(leave_one_out())} values of the evidence"
    rows = ", ".join(json.dumps(claim) for claim in analogy.claim_ids)
    return (
        f'{field} = {{ typical = {analogy.value_nm:.4g}, unit = "nM", role = "assumed", evidence = [{rows}], '
        f'why = "{why}", prior = {{ distribution = "lognormal", sd_log10 = {analogy.sd_log10:.2f}, '
        f'why = "{wide}" }} }}'
    )


def _analogy(structure: Structure, near: Structure, potency: Potency) -> Analogy:
    errors = leave_one_out()
    similarity = _similarity(structure, near)
    reach = min(error.similarity for error in errors)
    low = high = spread = None
    remark = f"no interval: nearer than {reach:.2f} is needed, as in the pairs that the error comes from"
    blocked = check_binder(structure).verdict == "unlikely"
    if blocked:
        remark = "no interval: the binder check says unlikely, so that nothing is carried over"
    elif similarity >= reach:
        rms = math.sqrt(math.fsum(one.error_log10**2 for one in errors) / len(errors))
        half = float(student_t.ppf(0.5 + CONFIDENCE / 2, len(errors))) * rms * math.sqrt(1 + 1 / len(errors))
        low, high = potency.value_nm / 10**half, potency.value_nm * 10**half
        spread = half / float(student_t.ppf(0.5 + CONFIDENCE / 2, math.inf))
        remark = (
            f"{CONFIDENCE:.0%} interval from {len(errors)} leave-one-out errors, rms {rms:.2f} log10 units"
        )
    return Analogy(
        potency.endpoint,
        potency.what,
        LABEL,
        near.name,
        similarity,
        potency.value_nm,
        low,
        high,
        spread,
        potency.claim_ids,
        remark,
    )


def _neighbour(structure: Structure, other: Structure) -> Neighbour:
    pair = pairs.compare(other, structure)
    potencies = (p for name in PROPERTIES for one, p in _having(name) if one is other)
    return Neighbour(other, _similarity(structure, other), pair.changes, pair.common_atoms, tuple(potencies))


@lru_cache(maxsize=1)
def _compounds() -> tuple[Structure, ...]:
    """Built-in compounds that belong to the family: drugs, metabolites, isomers, or with a potency."""
    having = {one.name for name in PROPERTIES for one, _ in _having(name)}
    loaded = (structures.load(name) for name in structures.names())
    return tuple(one for one in loaded if one.role in ("drug", "metabolite", "isomer") or one.name in having)


@lru_cache(maxsize=8)
def _having(name: str) -> tuple[tuple[Structure, Potency], ...]:
    """Built-in compounds with a number for a property, in nM."""
    values: dict[str, list[tuple[float, str]]] = {}
    for claim in _claims(name):
        values.setdefault(claim.compound, []).append((claim.value * NANOMOLAR[claim.unit], claim.id))
    return tuple(
        (structures.load(compound), _potency(name, rows))
        for compound, rows in values.items()
        if compound in structures.names()
    )


def _claims(name: str) -> Iterable[Any]:
    return (
        claim
        for claim in evidence.load().originals()
        if claim.endpoint == name and claim.value and claim.unit in NANOMOLAR and not claim.superseded_by
    )


def _potency(name: str, rows: list[tuple[float, str]]) -> Potency:
    numbers = [value for value, _ in rows]
    mean = math.exp(math.fsum(map(math.log, numbers)) / len(numbers))
    ids = tuple(claim_id for _, claim_id in rows)
    return Potency(name, PROPERTIES[name][0], mean, min(numbers), max(numbers), ids)


def _closest(structure: Structure, others: Iterable[Structure]) -> Structure:
    return max(others, key=lambda other: (_similarity(structure, other), other.name))


def _similarity(one: Structure, other: Structure) -> float:
    return float(DataStructs.TanimotoSimilarity(_print(one.smiles), _print(other.smiles)))


@lru_cache(maxsize=1024)
def _print(smiles: str) -> Any:
    with rdBase.BlockLogs():
        return _generator().GetFingerprint(molecule(standard.parent(smiles)))


@lru_cache(maxsize=1)
def _generator() -> Any:
    return rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)
