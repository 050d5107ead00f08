"""The mechanism: compounds, exact binding, and the models from the dose to the hazards."""

from glueprint.mechanism import compounds, models, parameters

__all__ = ["compounds", "models", "parameters"]
