"""Chemistry: the compound family as structures, and its syntheses as reactions that are run."""

from __future__ import annotations

from glueprint.chemistry import reactions, routes, structures
from glueprint.chemistry.drawing import draw
from glueprint.chemistry.planning import Plan, plan
from glueprint.chemistry.routes import Route
from glueprint.chemistry.structures import Structure

__all__ = ["Plan", "Route", "Structure", "draw", "plan", "reactions", "routes", "structures"]
