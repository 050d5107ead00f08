"""The mechanism: compounds, exact binding, and the models from the dose to the hazards."""

from glueprint.mechanism import binding, compounds, lines, models, parameters, partners, substrates
from glueprint.mechanism.compounds import Compound
from glueprint.mechanism.scenario import Scenario

__all__ = [
    "Compound",
    "Scenario",
    "binding",
    "compounds",
    "lines",
    "models",
    "parameters",
    "partners",
    "substrates",
]
