"""The parts of the trial model: the glue, each substrate that a module reads, the tissues, the hazards."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from glueprint.mechanism import partners, pharmacokinetics, substrates
from glueprint.mechanism.composition import Part, compose
from glueprint.mechanism.compounds import Compound
from glueprint.mechanism.substrates import Substrate

__all__ = ["NEUTROPHILS", "PLATELETS", "TUMOURS", "followed", "kinetics", "parts", "turnover"]

# Structure of the tumour -> its module.
TUMOURS: Mapping[str, str] = {
    "claret": "tumour",
    "two-clone": "tumour_two_clone",
    "burden": "tumour_burden",
}


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
        *(Part(partner.module) for partner in partners.rows().values()),
        Part("immune"),
        Part(TUMOURS[structure]),
        *_burdened(structure),
    )


def _burdened(structure: str) -> tuple[Part, ...]:
    """What follows from the mass of the tumour: over the patient's own, or over the population's."""
    if structure != "burden":
        return (Part("load"), Part("haemoglobin"), Part("hazards"))
    return (
        Part("load_burden"),
        Part("haemoglobin", "", {"tumour_load": "load_relative"}),
        Part("hazards", "", {"death_per_month": "death_now_per_month"}),
    )


def kinetics(glue: Compound) -> tuple[Part, ...]:
    """From a dose of the glue to its free concentration. Raises NotSupportedError GP-M005 without [pk]."""
    if glue.pk is None:
        glue.trial_quantities({})  # says all that is missing
        raise AssertionError
    return pharmacokinetics.parts(glue.pk)


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


def parts(structure: str, glue: Compound) -> tuple[Part, ...]:
    """The whole line from the dose of a glue to the hazards, around one module for the tumour.

    Raises NotSupportedError GP-M005 for a compound without pharmacokinetics.
    """
    return (
        *kinetics(glue),
        Part("cereblon"),
        *(turnover(pair) for pair in followed(structure, glue.known_substrates)),
        *_tissues(structure),
    )
