"""Chemistry: the compound family as structures, and its syntheses as reactions that are run."""

from __future__ import annotations

from glueprint.chemistry import (
    binder,
    checks,
    descriptors,
    flow,
    groups,
    metabolism,
    metrics,
    pairs,
    reactions,
    routes,
    stability,
    structures,
)
from glueprint.chemistry.drawing import draw, save
from glueprint.chemistry.planning import Plan, plan
from glueprint.chemistry.routes import Route
from glueprint.chemistry.scheme import draw_scheme
from glueprint.chemistry.structures import Structure

__all__ = [
    "Plan",
    "Route",
    "Structure",
    "binder",
    "checks",
    "descriptors",
    "draw",
    "draw_scheme",
    "flow",
    "groups",
    "metabolism",
    "metrics",
    "pairs",
    "plan",
    "reactions",
    "routes",
    "save",
    "stability",
    "structures",
]
