"""The report's chemistry: cards of the substances, what changed along the family, routes as they ran."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from glueprint.chemistry import (
    checks,
    descriptors,
    draw_scheme,
    groups,
    metrics,
    pairs,
    routes,
    stability,
    structures,
)
from glueprint.evidence import Finding

__all__ = ["Card", "ChemistrySection", "Scheme", "chemistry_section", "image"]

# Drawn in full; the others are rows of the table of routes.
SCHEMES = ("A", "B")
SHOWN = ("logP (Crippen)", "TPSA", "H-bond donors", "H-bond acceptors", "rotatable bonds")
DECIMALS = {"logP (Crippen)": 2, "TPSA": 1}
UNITS = {"angstrom^2": " Å²", "log10 units": "", "count": "", "": "", "g/mol": " g/mol"}


@dataclass(frozen=True)
class Card:
    """One substance as the study lists it, and what chemistry adds; `rows`: name, computed, published."""

    name: str
    image: str
    formula: str
    mass_da: float
    inchikey: str
    smiles: str
    rows: tuple[tuple[str, str, str], ...]
    verified: str
    safety: bool


@dataclass(frozen=True)
class Scheme:
    """A route as an image, with its words for those who cannot see it."""

    title: str
    image: str
    alt: str
    caption: str


@dataclass(frozen=True)
class ChemistrySection:
    """All that the section shows; `steps_held` of `steps` gave exactly their product in balance."""

    cards: tuple[Card, ...]
    safety: str
    pairs: tuple[pairs.Pair, ...]
    schemes: tuple[Scheme, ...]
    routes: tuple[tuple[str, ...], ...]
    steps: int
    steps_held: int
    findings: tuple[Mapping[str, str], ...]
    stability: tuple[tuple[str, ...], ...]


def chemistry_section(compounds: Iterable[Mapping[str, Any]]) -> ChemistrySection | None:
    """The section for the substances of a study; None if there are none.

    compounds: rows with name, smiles, formula, mass_da, inchikey, and svg if there is a drawing.
    Routes are run, so that the page says what they give and not what they should.
    Raises InputError GP-H002 for a SMILES that cannot be read.
    """
    cards = tuple(_card(row) for row in compounds)
    if not cards:
        return None
    known = [routes.load(name) for name in routes.available()]
    ran, found = _ran()
    return ChemistrySection(
        cards,
        groups.SAFETY_NOTE,
        pairs.family(),
        tuple(_scheme(routes.load(name)) for name in SCHEMES),
        tuple(_route(route) for route in known),
        len(ran),
        sum(step.as_named and not step.imbalance for step in ran),
        tuple({"claims": ", ".join(one.claim_ids), "what": one.what, "remedy": one.remedy} for one in found),
        tuple(_stability(rates) for rates in stability.table()),
    )


@cache
def _ran() -> tuple[tuple[routes.StepOutcome, ...], tuple[Finding, ...]]:
    """Every step of the routes, run, and what the checks of their products find: the same in every page."""
    every = [routes.run(routes.load(name)) for name in routes.available()]
    return tuple(step for one in every for step in one.steps), tuple(checks.route_products())


def image(svg: str | None) -> str:
    """An SVG as the source of an image element, where no script can run; empty if there is none."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}" if svg else ""


def _card(row: Mapping[str, Any]) -> Card:
    read = structures.from_smiles(row["smiles"], name=str(row["name"]), where="compounds, smiles")
    # Role, claims and verification are known for what is built in; the rest is computed for any structure.
    found = structures.by_key(read.inchikey) or read
    return Card(
        name=str(row["name"]),
        image=image(row.get("svg")),
        formula=str(row["formula"]),
        mass_da=row["mass_da"],
        inchikey=str(row["inchikey"]),
        smiles=str(row["smiles"]),
        rows=tuple(_descriptor(one) for one in descriptors.compare(found) if one.name in SHOWN),
        verified=found.verified,
        safety=bool(groups.safety_note(found)),
    )


def _descriptor(row: descriptors.Compared) -> tuple[str, str, str]:
    published = "" if row.published is None else f"{row.published:g} ({row.claim_id})"
    computed = f"{row.computed:.{DECIMALS.get(row.name, 0)}f}".replace("-", "\u2212")
    return row.name, f"{computed}{UNITS[row.unit]}", published


def _scheme(route: routes.Route) -> Scheme:
    words = "; ".join(
        f"{step.name}: {' and '.join(step.reactants)} to {' or '.join(step.products)}" for step in route.step
    )
    yield_words = metrics.measure(route).overall_yield_words
    return Scheme(
        f"Route {route.name}, {route.title}",
        image(draw_scheme(route)),
        f"Scheme of route {route.name}. {words}.",
        f"Overall yield {yield_words}. Source: {route.source}.",
    )


def _route(route: routes.Route) -> tuple[str, ...]:
    found = metrics.measure(route)
    bound = "≥ " if found.is_lower_bound else ""
    plain = {"stated": "", "shared": "≈ ", "at least": "≥ "}[found.intensity_is]
    assumed = dict.fromkeys(text for text in (route.assumed, *(step.assumed for step in route.step)) if text)
    intensity = found.process_mass_intensity
    solvents = f"{bound}{intensity:.0f}" if intensity is not None else "not stated"
    held = "yes" if routes.check(route).holds else "no"
    return (
        route.name,
        route.title,
        route.target,
        str(found.longest_linear_sequence),
        held,
        found.overall_yield_words,
        f"{found.atom_economy_percent:.0f}",
        f"{plain}{found.mass_intensity:.2f}",
        solvents,
        "; ".join(assumed),
    )


def _stability(rates: stability.Rates) -> tuple[str, ...]:
    inversion = (rates.s_to_r, rates.r_to_s)
    loss = (rates.s_loss, rates.r_loss)
    return (
        rates.compound,
        rates.what,
        f"{rates.racemisation_half_life_h:.1f}",
        _origin(inversion),
        f"{rates.loss_half_life_h:.1f}",
        _origin(loss),
    )


def _origin(constants: tuple[stability.Constant, ...]) -> str:
    ids = ", ".join(dict.fromkeys(claim_id for one in constants for claim_id in one.claim_ids))
    why = next((one.why for one in constants if one.role == "assumed"), "")
    return why or ids
