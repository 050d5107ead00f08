"""Models of curves; the next one is a `Model` in a file here and a name in `MODELS`."""

from __future__ import annotations

from collections.abc import Mapping

from glueprint.curves.models.binding import COMPETITION, HYPERBOLA, SATURATION
from glueprint.curves.models.degradation import DEGRADATION
from glueprint.curves.models.doses import BIPHASIC, HOOK, HORMESIS, WEIBULL
from glueprint.curves.models.logistic import FIVE, FOUR, HILL, THREE
from glueprint.curves.models.model import Curve, Given, Model, Parameter

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
