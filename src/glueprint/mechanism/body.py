"""The parts of the trial model: the glue, each substrate that a module reads, the tissues, the hazards."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from glueprint.mechanism import substrates
from glueprint.mechanism.composition import Part, compose
from glueprint.mechanism.partners import partners
from glueprint.mechanism.substrates import Substrate

__all__ = ["NEUTROPHILS", "PLATELETS", "TUMOURS", "followed", "parts", "turnover"]

# Structure of the tumour -> its module.
TUMOURS: Mapping[str, str] = {"claret": "tumour", "two-clone": "tumour_two_clone"}


def turnover(pair: str) -> Part:
    """One substrate in one type of cell."""
    return Part("turnover", f"{pair}_", {"substrate": pair, "binds": "binds"})


def _marrow(lineage: str, circulating: str, baseline: str) -> Part:
    return Part("marrow", f"{lineage}_", {"circulating": circulating, "baseline": baseline})


NEUTROPHILS = _marrow("neutrophil", "anc_1e9_per_l", "anc0_1e9_per_l")
PLATELETS = _marrow("platelet", "platelets_1e9_per_l", "platelets0_1e9_per_l")


def _tissues(structure: str) -> tuple[Part, ...]:
    """All that reads substrates, or what follows from them."""
    return (
        NEUTROPHILS,
        PLATELETS,
        *(Part(partner.module) for partner in partners().values()),
        Part("immune"),
        Part(TUMOURS[structure]),
        Part("load"),
        Part("haemoglobin"),
        Part("hazards"),
    )


def followed(structure: str, known: Mapping[str, Substrate]) -> tuple[str, ...]:
    """Pairs of substrate and cell that the trial model follows, because a module of it reads them.

    known: substrates by name, `substrates.rows` or with a compound's own.
    """
    asked = _read_by_tissues(structure)
    return tuple(pair for pair in substrates.pairs(known) if pair in asked)


@lru_cache(maxsize=4)
def _read_by_tissues(structure: str) -> frozenset[str]:
    """All that the tissues read and do not make themselves."""
    return frozenset(compose(_tissues(structure)).missing)


def parts(structure: str, known: Mapping[str, Substrate]) -> tuple[Part, ...]:
    """The whole line from the dose to the hazards, around one module for the tumour."""
    return (
        Part("pk"),
        Part("cereblon"),
        *(turnover(pair) for pair in followed(structure, known)),
        *_tissues(structure),
    )
