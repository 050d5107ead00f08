"""The mechanism: compounds, exact binding, and the models from the dose to the hazards."""

from glueprint.mechanism import binding, compounds, lines, models, parameters

__all__ = ["binding", "compounds", "lines", "models", "parameters"]
