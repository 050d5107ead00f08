"""The mechanism: compounds, exact binding, and the models from the dose to the hazards."""

from glueprint.mechanism import (
    binding,
    cards,
    compounds,
    culture,
    lines,
    models,
    parameters,
    partners,
    pharmacokinetics,
    substrates,
)
from glueprint.mechanism.compounds import Compound
from glueprint.mechanism.individuals import BASELINE_OF
from glueprint.mechanism.lines import Line
from glueprint.mechanism.partners import Partner
from glueprint.mechanism.quantities import Quantity, believed
from glueprint.mechanism.scenario import FORMS, TYPICAL_STRUCTURE, Scenario
from glueprint.mechanism.validity import Outside

__all__ = [
    "BASELINE_OF",
    "FORMS",
    "TYPICAL_STRUCTURE",
    "Compound",
    "Line",
    "Outside",
    "Partner",
    "Quantity",
    "Scenario",
    "believed",
    "binding",
    "cards",
    "compounds",
    "culture",
    "lines",
    "models",
    "parameters",
    "partners",
    "pharmacokinetics",
    "substrates",
]
