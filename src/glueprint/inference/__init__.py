"""Finding the mode of a vectorised objective, and summaries of what is known afterwards."""

from glueprint.inference.laplace import Laplace, laplace
from glueprint.inference.mode import Mode, Objective, mode
from glueprint.inference.nested_effects import NestedEffects, nested_effects
from glueprint.inference.random_effects import RandomEffects, random_effects
from glueprint.inference.summary import contraction

__all__ = [
    "Laplace",
    "Mode",
    "NestedEffects",
    "Objective",
    "RandomEffects",
    "contraction",
    "laplace",
    "mode",
    "nested_effects",
    "random_effects",
]
