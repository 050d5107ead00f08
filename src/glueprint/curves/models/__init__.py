"""Models of `curves.regress`, one file each; the next one is a file here and a name in `MODELS`."""

from __future__ import annotations

from collections.abc import Mapping

from glueprint.curves.models.competition import COMPETITION
from glueprint.curves.models.degradation import DEGRADATION
from glueprint.curves.models.hill import HILL, WEIBULL
from glueprint.curves.models.hook import HOOK
from glueprint.curves.models.hormesis import HORMESIS
from glueprint.curves.models.model import Curve, Given, Model, Parameter
from glueprint.curves.models.saturation import HYPERBOLA, SATURATION

__all__ = ["MODELS", "Curve", "Given", "Model", "Parameter"]

MODELS: Mapping[str, Model] = {
    model.name: model
    for model in (COMPETITION, SATURATION, HYPERBOLA, DEGRADATION, HOOK, HILL, WEIBULL, HORMESIS)
}
