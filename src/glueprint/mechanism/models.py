"""Models by name: Antimony modules filled from the tables of parameters, alone or composed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import libsbml
import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint import engine
from glueprint.engine import reading
from glueprint.errors import InputError, nearest
from glueprint.mechanism import body, culture, parameters
from glueprint.mechanism.composition import Part, Text, compose, write
from glueprint.mechanism.compounds import Compound
from glueprint.mechanism.dimensions import unit_of
from glueprint.mechanism.quantities import FixedPrior, Quantity
from glueprint.mechanism.scenario import TYPICAL_STRUCTURE, Scenario

__all__ = ["MODULES", "build", "names", "quantities", "sbml", "source", "split", "table", "trial"]

# What a module reads from its neighbours or is given with the patient, with its value when a model stands
# alone, untreated.
NEIGHBOURS = {
    "free_nm": 0.0,
    "occupancy": 0.0,
    "ikzf1_myeloma": 1.0,
    "ikzf3_myeloma": 1.0,
    "ikzf1_tcell": 1.0,
    "ikzf3_tcell": 1.0,
    "ikzf1_progenitor": 1.0,
    "dex_effect": 0.0,
    "immune_activation": 0.0,
    "m_protein_relative": 1.0,
    "anc_1e9_per_l": 3.44,
    # A trial gives each patient baselines of its case-mix; these are middles of the reference trial's.
    "anc0_1e9_per_l": 3.44,
    "platelets0_1e9_per_l": 140.0,
    "haemoglobin0_g_per_dl": 9.3,
    "m_protein0_g_per_l": 20.0,
}


# The trial model by structure of its tumour; single modules for those who look at one alone.
TRIALS = {"claret": "trial", "two-clone": "trial_two_clone", "burden": "trial_burden"}
MODULES: Mapping[str, tuple[Part, ...]] = {
    "pk": (Part("pk"),),
    "degradation": (Part("cereblon"), body.turnover("ikzf1_myeloma")),
    "neutrophils": (body.NEUTROPHILS,),
    "platelets": (body.PLATELETS,),
    "dexamethasone": (Part("dexamethasone"),),
    "immune": (Part("immune"),),
    "tumour": (Part("tumour"),),
    "haemoglobin": (Part("load"), Part("haemoglobin")),
    "hazards": (Part("load"), Part("hazards")),
    "tumour_two_clone": (Part("tumour_two_clone"),),
    "tumour_burden": (Part("tumour_burden"),),
}
# A model on its own takes the numbers of the structure that it belongs to.
STRUCTURE_OF = {
    **{name: structure for structure, name in TRIALS.items()},
    **{f"tumour_{name.replace('-', '_')}": name for name in ("two-clone", "burden")},
}


def names() -> tuple[str, ...]:
    """Names that `source` knows: modules of the trial model and the model itself, then cells in culture."""
    return (*MODULES, *TRIALS.values(), *culture.CULTURES)


def source(name: str, scenario: Scenario) -> str:
    """The Antimony text of a model with all its parameters and units, time in hours.

    name: one of `names()`.   scenario: its compound, and for cells in culture line, form and medium.
    Raises InputError GP-M007 (unknown name), GP-M036 and GP-M037 (cells that do not fit), GP-M040 (a choice
    that the model does not have); NotSupportedError GP-M005, GP-M011 and GP-M012 (the compound's file lacks
    numbers), GP-M038 (too little cereblon for rho).

    >>> "species glue_gut" in source("pk", Scenario.of("pomalidomide"))
    True
    """
    text, given = _composed(name, scenario)
    return write(name, text, {word: (q.typical, q.unit) for word, (_, q) in given.items()})


def build(name: str, scenario: Scenario) -> engine.Model:
    """The compiled model of `source`, which says what it takes and raises."""
    return _compiled(source(name, scenario))


@lru_cache(maxsize=64)
def _compiled(text: str) -> engine.Model:
    """A model is frozen, and its text says all of it: scenarios of one text share it."""
    return engine.compile(text, ours=True)


def sbml(name: str, scenario: Scenario) -> str:
    """The model of `source` as SBML Level 3 Version 2, with units throughout."""
    document, _ = reading.read(source(name, scenario), ours=True)
    _convert_extents(document.getModel())
    return str(libsbml.writeSBMLToString(document))


def quantities(name: str, scenario: Scenario) -> dict[str, Quantity]:
    """Every parameter of a model by name; `quantities.believed` gives the prior of each."""
    return {word: quantity for word, (_, quantity) in _composed(name, scenario)[1].items()}


def table(name: str, scenario: Scenario) -> pl.DataFrame:
    """All parameters of a model with unit, prior, role and source, as `parameters.table`."""
    return parameters.frame(_composed(name, scenario)[1])


def _convert_extents(model: Any) -> None:
    """Gives every species with a unit the factor from the extent, a pure number, to its amount."""
    units = {item.getId(): item.getSubstanceUnits() for item in model.getListOfSpecies()}
    for unit in dict.fromkeys(unit for unit in units.values() if unit):
        factor = model.createParameter()
        factor.setId(f"one_{unit}")
        factor.setValue(1.0)
        factor.setUnits(unit)
        factor.setConstant(True)
    for name, unit in units.items():
        if unit:
            model.getSpecies(name).setConversionFactor(f"one_{unit}")


def _composed(name: str, scenario: Scenario) -> tuple[Text, dict[str, tuple[str, Quantity]]]:
    """The statements of a model, and the quantity of every name that needs a value."""
    if name not in names():
        raise InputError(
            "GP-M007",
            f'unknown model "{name}"{nearest(name, names())}',
            expected=f"one of {', '.join(names())}",
            next_step="correct the name",
        )
    culture.check_choices(name, scenario)
    glue = scenario.compound
    if name in culture.CULTURES:
        cells = culture.line_of(name, scenario.line)
        text = compose(culture.parts(name, cells, glue, scenario.form))
        known = culture.quantities(glue, cells, scenario.form, scenario.medium)
    else:
        structure = STRUCTURE_OF.get(name, TYPICAL_STRUCTURE)
        whole = name in TRIALS.values()
        alone = body.kinetics(glue) if name == "pk" else MODULES.get(name, ())
        text = compose(body.parts(structure, glue) if whole else alone)
        known = parameters.quantities(replace(scenario, structure=structure))
    return text, {word: known[word] if word in known else _untreated(word) for word in text.missing}


def _untreated(word: str) -> tuple[str, Quantity]:
    """What a module reads from a neighbour that is not there."""
    prior = FixedPrior(distribution="fixed", why="read from another module")
    return "neighbours", Quantity(
        typical=NEIGHBOURS[word], unit=unit_of(word), role="assumed", why="untreated", prior=prior
    )


def trial(scenario: Scenario) -> engine.Model:
    """The trial model of a scenario, compiled. Doses go to `glue_gut` and to those of `partners`, in mg.

    Raises what `build` raises.
    """
    return build(TRIALS[scenario.structure], scenario)


def shape(scenario: Scenario) -> tuple[str, ...]:
    """The statements of the trial model without numbers: scenarios of one shape differ in values alone."""
    return _shape(scenario.structure, scenario.compound)


@lru_cache(maxsize=64)
def _shape(structure: str, compound: Compound) -> tuple[str, ...]:
    """Each virtual trial asks for it, once an arm."""
    return compose(body.parts(structure, compound)).lines


def split(
    model: engine.Model, values: Mapping[str, NDArray[np.float64]]
) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
    """`parameters.individual` parted into (parameters, initial) for `model.ensemble`.

    What the conduct of a trial reads, and not the model, is left out, and so are numbers of other models.
    """
    species, known = set(model.species), set(model.parameters)
    chosen = {name: array for name, array in values.items() if name in known - species}
    return chosen, {name: array for name, array in values.items() if name in species}
