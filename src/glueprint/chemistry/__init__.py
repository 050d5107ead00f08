"""Chemistry: the compound family as structures, and its syntheses as reactions that are run."""

from __future__ import annotations

from glueprint.chemistry import (
    binder,
    checks,
    descriptors,
    exchange,
    flow,
    groups,
    metabolism,
    metrics,
    neighbours,
    pairs,
    pharmacophores,
    reactions,
    reading,
    routes,
    safety_data,
    stability,
    standard,
    structures,
    substances,
    validation,
)
from glueprint.chemistry.bench import BenchPlan, at_hand, bench
from glueprint.chemistry.drawing import draw, save
from glueprint.chemistry.planning import Plan, plan
from glueprint.chemistry.routes import Route
from glueprint.chemistry.scheme import draw_scheme
from glueprint.chemistry.structures import Structure
from glueprint.chemistry.substances import Substance

__all__ = [
    "BenchPlan",
    "Plan",
    "Route",
    "Structure",
    "Substance",
    "at_hand",
    "bench",
    "binder",
    "checks",
    "descriptors",
    "draw",
    "draw_scheme",
    "exchange",
    "flow",
    "groups",
    "metabolism",
    "metrics",
    "neighbours",
    "pairs",
    "pharmacophores",
    "plan",
    "reactions",
    "reading",
    "routes",
    "safety_data",
    "save",
    "stability",
    "standard",
    "structures",
    "substances",
    "validation",
]
