"""Checks of evidence by chemistry: what a printed reagent really gives, and whether printed identities are
right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from glueprint import evidence
from glueprint.chemistry import routes, structures
from glueprint.chemistry.routes import Outcome, Route
from glueprint.chemistry.structures import Structure
from glueprint.evidence import Check, Claim, Finding

__all__ = ["CHECKS", "PrintedIdentity", "RouteProduct", "route_products"]

# "route B: phthaloyl building block", "A. three-step from ...": which route a claim speaks of.
ROUTE_NAME = re.compile(r"(?:route\s+)?([A-Z])[:.]")
INCHIKEY = re.compile(r"[A-Z]{14}-[A-Z]{10}-[A-Z]")
# Printed masses follow older atomic weights; 0.01 % is far below one hydrogen atom.
MASS_TOLERANCE = 1e-4


class RouteProduct(Check):
    """Run each route with the building block that a source prints: it must end in the product the source
    claims."""

    code = "CH-route-product"
    severity = "error"
    title = "the printed reagent gives another product"
    remedy = "correct the reagent"

    def run(self, claims: Iterable[Claim]) -> list[Finding]:
        """All findings, each with the reagent that would be right."""
        return [
            Finding(
                self.code,
                self.severity,
                self.title,
                (claim.id,),
                _what(claim, outcome),
                _remedy(claim, route, block),
            )
            for claim in claims
            for route, block, outcome in _tried(claim)
            if not outcome.reaches_target
        ]


class PrintedIdentity(Check):
    """InChIKeys and molar masses as printed, against those computed from the structure beside them."""

    code = "CH-identity"
    severity = "error"
    title = "printed identity does not belong to the structure"
    remedy = "check which of the two the source means"

    def look(self, claims: Iterable[Claim]) -> Iterator[tuple[list[Claim], str]]:
        """Claims on chemistry with a structure whose key or mass is another."""
        for claim in claims:
            if claim.topic != "chemistry" or not claim.structure:
                continue
            found = structures.from_smiles(claim.structure, where=claim.where)
            printed = INCHIKEY.fullmatch(claim.text.strip())
            if printed and printed[0] != found.inchikey:
                yield [claim], f"key {printed[0]} printed, {found.inchikey} computed from {claim.structure}"
            if claim.endpoint == "molar_mass" and claim.value is not None:
                mass = found.average_mass_g_per_mol
                if abs(claim.value - mass) > MASS_TOLERANCE * mass:
                    yield (
                        [claim],
                        f"{claim.value:g} g/mol printed, {mass:.3f} computed from {claim.structure}",
                    )


CHECKS: tuple[Check, ...] = (RouteProduct(), PrintedIdentity())


def route_products(claims: Iterable[Claim] | None = None) -> list[Finding]:
    """What `RouteProduct` finds in the claims (None: those that come with Glueprint)."""
    return RouteProduct().run(evidence.load() if claims is None else claims)


def _tried(claim: Claim) -> Iterator[tuple[Route, str, Outcome]]:
    """Every route on which the claim names a building block: route, the reagent in its place, what came
    out."""
    if claim.topic != "synthesis" or not claim.structure or claim.same_as:
        return
    named = ROUTE_NAME.match(claim.quantity)
    for name in routes.available():
        route = routes.load(name)
        block = route.blocks.get(claim.endpoint)
        if block is None or route.target != claim.compound or (named and named[1] != name):
            continue
        printed = structures.from_smiles(claim.structure, name=claim.text, where=claim.where)
        yield route, block, routes.run(route, replace={block: printed})


def _what(claim: Claim, outcome: Outcome) -> str:
    start = f"route {outcome.route} from {claim.text} ({claim.structure})"
    if outcome.product is None:
        return f"{start} ends in no single product, not in {outcome.target.name}"
    same = outcome.product.exact_mass_g_per_mol == outcome.target.exact_mass_g_per_mol
    weight = "same mass, another compound" if same else "another mass"
    return (
        f"{start} ends in {outcome.product.name} ({outcome.product.inchikey}), "
        f"not in {outcome.target.name} ({outcome.target.inchikey}): {weight}"
    )


def _remedy(claim: Claim, route: Route, block: str) -> str:
    """Name the built-in isomers of the printed reagent from which the route does reach its target."""
    right = routes.isomers_that_work(route, block, structures.from_smiles(claim.structure))
    return f"use {' or '.join(map(_called, right))}" if right else f"use {block}"


def _called(structure: Structure) -> str:
    also = f" (= {structure.aliases[0]})" if structure.aliases else ""
    return f"{structure.name}{also}, {structure.inchikey}"
