"""Models by name: Antimony modules filled from the tables of parameters, alone or composed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import libsbml
import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint import engine
from glueprint.engine import reading
from glueprint.errors import InputError, nearest
from glueprint.mechanism import compounds, culture, parameters
from glueprint.mechanism.composition import Part, Text, compose, write
from glueprint.mechanism.compounds import CELL_SUBSTRATES, Compound
from glueprint.mechanism.dimensions import unit_of
from glueprint.mechanism.lines import Line
from glueprint.mechanism.parameters import BESIDE_THE_MODEL
from glueprint.mechanism.quantities import FixedPrior, Quantity

__all__ = ["MODULES", "build", "names", "quantities", "sbml", "source", "split", "table", "trial"]

# What a module reads from its neighbours, with its value when the module stands alone, untreated.
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
}


def _turnover(name: str) -> Part:
    return Part("turnover", f"{name}_", {"substrate": name, "binds": "binds"})


def _marrow(lineage: str, circulating: str, baseline: str) -> Part:
    return Part("marrow", f"{lineage}_", {"circulating": circulating, "baseline": baseline})


NEUTROPHILS = _marrow("neutrophil", "anc_1e9_per_l", "anc0_1e9_per_l")
PLATELETS = _marrow("platelet", "platelets_1e9_per_l", "platelets0_1e9_per_l")


def _trial(tumour: str) -> tuple[Part, ...]:
    """The whole line from the dose to the hazards, around one module for the tumour."""
    return (
        Part("pk"),
        Part("cereblon"),
        *(_turnover(name) for name in CELL_SUBSTRATES),
        NEUTROPHILS,
        PLATELETS,
        Part("dexamethasone"),
        Part("immune"),
        Part(tumour),
        Part("load"),
        Part("haemoglobin"),
        Part("hazards"),
    )


MODULES: Mapping[str, tuple[Part, ...]] = {
    "pk": (Part("pk"),),
    "degradation": (Part("cereblon"), _turnover("ikzf1_myeloma")),
    "neutrophils": (NEUTROPHILS,),
    "platelets": (PLATELETS,),
    "dexamethasone": (Part("dexamethasone"),),
    "immune": (Part("immune"),),
    "tumour": (Part("tumour"),),
    "haemoglobin": (Part("load"), Part("haemoglobin")),
    "hazards": (Part("load"), Part("hazards")),
    "tumour_two_clone": (Part("tumour_two_clone"),),
    "trial": _trial("tumour"),
    "trial_two_clone": _trial("tumour_two_clone"),
}
# Structure of the tumour, as in `parameters.STRUCTURES`, -> model.
TRIALS = {"claret": "trial", "two-clone": "trial_two_clone"}


def names() -> tuple[str, ...]:
    """Names that `source` knows: the trial model and its modules, then the models of cells in culture."""
    return (*MODULES, *culture.CULTURES)


def source(
    name: str,
    compound: str | Path | Compound = "pomalidomide",
    *,
    line: str | Path | Line | None = None,
    form: str = "reduced",
    medium: str | None = None,
) -> str:
    """The Antimony text of a model with all its parameters and units, time in hours.

    name: one of `names()`.   line: cells of a culture model, by name, path or value; the usual ones if None.
    form: "reduced" (turnover) or "kinetic" (complexes).   medium: one of the compound's media, or None for
    culture medium; in blood and plasma only the compound's free fraction acts.
    Raises InputError GP-M007 (unknown name), GP-M030 (unknown form), GP-M036 and GP-M037 (cells that do not
    fit), GP-M040 (a choice that the model does not have), what `lines.load` raises; NotSupportedError
    GP-M005, GP-M011 and GP-M012 (the compound's file lacks numbers), GP-M038 (too little cereblon for rho).
    """
    text, given = _composed(name, compound, line=line, form=form, medium=medium)
    return write(name, text, {word: (q.typical, q.unit) for word, (_, q) in given.items()})


def build(
    name: str,
    compound: str | Path | Compound = "pomalidomide",
    *,
    line: str | Path | Line | None = None,
    form: str = "reduced",
    medium: str | None = None,
) -> engine.Model:
    """The compiled model of `source`, which says what it takes and raises."""
    return engine.compile(source(name, compound, line=line, form=form, medium=medium))


def sbml(
    name: str,
    compound: str | Path | Compound = "pomalidomide",
    *,
    line: str | Path | Line | None = None,
    form: str = "reduced",
    medium: str | None = None,
) -> str:
    """The model of `source` as SBML Level 3 Version 2, with units throughout."""
    document, _ = reading.read(source(name, compound, line=line, form=form, medium=medium))
    _convert_extents(document.getModel())
    return str(libsbml.writeSBMLToString(document))


def quantities(
    name: str,
    compound: str | Path | Compound = "pomalidomide",
    *,
    line: str | Path | Line | None = None,
    form: str = "reduced",
    medium: str | None = None,
) -> dict[str, Quantity]:
    """Every parameter of a model by name; `quantities.believed` gives the prior of each."""
    given = _composed(name, compound, line=line, form=form, medium=medium)[1]
    return {word: quantity for word, (_, quantity) in given.items()}


def table(
    name: str,
    compound: str | Path | Compound = "pomalidomide",
    *,
    line: str | Path | Line | None = None,
    form: str = "reduced",
    medium: str | None = None,
) -> pl.DataFrame:
    """All parameters of a model with unit, prior, role and source, as `parameters.table`."""
    return parameters.frame(_composed(name, compound, line=line, form=form, medium=medium)[1])


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


def _composed(
    name: str,
    compound: str | Path | Compound,
    *,
    line: str | Path | Line | None,
    form: str,
    medium: str | None,
) -> tuple[Text, dict[str, tuple[str, Quantity]]]:
    """The statements of a model, and the quantity of every name that needs a value."""
    if name not in names():
        raise InputError(
            "GP-M007",
            f'unknown model "{name}"{nearest(name, names())}',
            expected=f"one of {', '.join(names())}",
            next_step="correct the name",
        )
    culture.check_choices(name, line=line, form=form, medium=medium)
    glue = compounds.load(compound) if not isinstance(compound, Compound) else compound
    if name in MODULES:
        text, known = compose(MODULES[name]), parameters.quantities(glue, structure=_structure(name))
    else:
        cells = culture.line_of(name, line)
        text = compose(culture.parts(name, cells, glue, form))
        known = culture.quantities(glue, cells, form, medium)
    return text, {word: known[word] if word in known else _untreated(word) for word in text.missing}


def _untreated(word: str) -> tuple[str, Quantity]:
    """What a module reads from a neighbour that is not there."""
    prior = FixedPrior(distribution="fixed", why="read from another module")
    return "neighbours", Quantity(
        typical=NEIGHBOURS[word], unit=unit_of(word), role="assumed", why="untreated", prior=prior
    )


def _structure(name: str) -> str:
    return "two-clone" if name.endswith("_two_clone") else "claret"


def trial(compound: str | Path | Compound = "pomalidomide", structure: str = "claret") -> engine.Model:
    """The trial model of a compound, compiled. Doses go to `glue_gut` and `dex_depot`, in mg.

    structure: of the tumour, "claret" (resistance grows with the effect) or "two-clone" (it is there from
    the start); the same as for `parameters.individual`.
    Raises InputError GP-M052 for another structure, and what `build` raises.
    """
    parameters.check_structure(structure)
    return build(TRIALS[structure], compound)


def split(
    model: engine.Model, values: Mapping[str, NDArray[np.float64]]
) -> tuple[dict[str, NDArray[np.float64]], dict[str, NDArray[np.float64]]]:
    """`parameters.individual` parted into (parameters, initial) for `model.ensemble`.

    What the conduct of a trial reads, and not the model, is left out.
    """
    beside = {name for name, (section, _) in parameters.system().items() if section in BESIDE_THE_MODEL}
    species = set(model.species)
    chosen = {name: array for name, array in values.items() if name not in species | beside}
    return chosen, {name: array for name, array in values.items() if name in species}
