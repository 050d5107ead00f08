"""Models of curves, one file each; the next one is a file here and a name in `MODELS`."""

from __future__ import annotations

from collections.abc import Mapping

from glueprint.curves.models.biphasic import BIPHASIC
from glueprint.curves.models.competition import COMPETITION
from glueprint.curves.models.degradation import DEGRADATION
from glueprint.curves.models.hook import HOOK
from glueprint.curves.models.hormesis import HORMESIS
from glueprint.curves.models.logistic import FIVE, FOUR, HILL, THREE
from glueprint.curves.models.model import Curve, Given, Model, Parameter
from glueprint.curves.models.saturation import HYPERBOLA, SATURATION
from glueprint.curves.models.weibull import WEIBULL

__all__ = ["LOGISTIC", "MODELS", "Curve", "Given", "Model", "Parameter"]

# The family that machine code fits.
LOGISTIC = (FOUR, THREE, FIVE, HILL)
MODELS: Mapping[str, Model] = {
    model.name: model
    for model in (
        *LOGISTIC,
        WEIBULL,
        BIPHASIC,
        HORMESIS,
        HOOK,
        COMPETITION,
        SATURATION,
        HYPERBOLA,
        DEGRADATION,
    )
}
