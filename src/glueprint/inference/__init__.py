"""The mode of a vectorised objective, draws from it, and summaries of what is known afterwards."""

from glueprint.inference.convergence import autocorrelation_time, split_r_hat
from glueprint.inference.hierarchical import Hierarchical, hierarchical_means
from glueprint.inference.laplace import Laplace, laplace
from glueprint.inference.mode import Mode, Objective, mode
from glueprint.inference.nested_effects import NestedEffects, nested_effects
from glueprint.inference.posterior import Posterior, sample
from glueprint.inference.random_effects import RandomEffects, random_effects
from glueprint.inference.response_surface import ResponseSurface, features, response_surface
from glueprint.inference.summary import contraction

__all__ = [
    "Hierarchical",
    "Laplace",
    "Mode",
    "NestedEffects",
    "Objective",
    "Posterior",
    "RandomEffects",
    "ResponseSurface",
    "autocorrelation_time",
    "contraction",
    "features",
    "hierarchical_means",
    "laplace",
    "mode",
    "nested_effects",
    "random_effects",
    "response_surface",
    "sample",
    "split_r_hat",
]
