"""Chemistry: the compound family as structures, and its syntheses as reactions that are run."""

from __future__ import annotations

from glueprint.chemistry import (
    binder,
    checks,
    descriptors,
    groups,
    metabolism,
    pairs,
    reactions,
    routes,
    stability,
    structures,
)
from glueprint.chemistry.drawing import draw, save
from glueprint.chemistry.planning import Plan, plan
from glueprint.chemistry.routes import Route
from glueprint.chemistry.structures import Structure

__all__ = [
    "Plan",
    "Route",
    "Structure",
    "binder",
    "checks",
    "descriptors",
    "draw",
    "groups",
    "metabolism",
    "pairs",
    "plan",
    "reactions",
    "routes",
    "save",
    "stability",
    "structures",
]
