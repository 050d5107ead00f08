"""Parameters of the trial model: the table with its sources, and the values of single patients."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from glueprint.errors import InputError, nearest
from glueprint.mechanism import prognosis
from glueprint.mechanism.compounds import Compound, load
from glueprint.mechanism.individuals import (
    BASELINE_OF,
    COVARIATES,
    OPTIONAL,
    apply_effects,
    apply_factors,
    checked,
    initial_values,
    pharmacokinetic_factors,
)
from glueprint.mechanism.overrides import overridden
from glueprint.mechanism.quantities import Covariance, Quantity, believed
from glueprint.mechanism.systems import culture, groups, read_system, system

__all__ = [
    "BESIDE_THE_MODEL",
    "COVARIATES",
    "OPTIONAL",
    "STRUCTURES",
    "baselines",
    "check_structure",
    "culture",
    "frame",
    "individual",
    "quantities",
    "random_effects",
    "read_system",
    "system",
    "table",
    "typical",
]

Floats = NDArray[np.float64]

# Structure of the tumour -> parameters that only it has.
STRUCTURES: Mapping[str, tuple[str, ...]] = {
    "claret": ("resistance_per_d",),
    "two-clone": ("resistant_share0", "resistant_kill_share", "m_protein_clearance_per_d"),
}
# Sections whose numbers the conduct of a trial or this module reads, and not the model.
BESIDE_THE_MODEL = ("tolerability", "prognosis")


def quantities(
    compound: Compound, *, overrides: Mapping[str, float] | None = None, structure: str = "claret"
) -> dict[str, tuple[str, Quantity]]:
    """Every parameter of a trial: name -> (section, quantity), the compound's first.

    overrides, structure: as `typical`, which says what is raised.
    """
    check_structure(structure)
    absent = {name for other, names in STRUCTURES.items() if other != structure for name in names}
    found = {name: (f"compound {compound.name}", q) for name, q in compound.trial_quantities().items()}
    found |= {name: pair for name, pair in system().items() if name not in absent}
    return overridden(found, overrides)


def check_structure(structure: str) -> None:
    """Raise InputError GP-M052 for a structure of the tumour that there is not."""
    if structure not in STRUCTURES:
        raise InputError(
            "GP-M052",
            f'no structure "{structure}" of the tumour{nearest(structure, STRUCTURES)}',
            where="structure",
            expected=" or ".join(f'"{name}"' for name in STRUCTURES),
            next_step="correct the name",
        )


def table(compound: str | Path | Compound = "pomalidomide", *, structure: str = "claret") -> pl.DataFrame:
    """All parameters of a trial with unit, spread, role and source.

    Returns a frame with the columns name, section, typical, unit, prior, variability, omega2, role, evidence,
    why.
    Raises what `compounds.load` and `Compound.trial_quantities` raise, GP-M052 for an unknown structure.
    """
    return frame(quantities(_compound(compound), structure=structure))


def frame(given: Mapping[str, tuple[str, Quantity]]) -> pl.DataFrame:
    """Quantities as a table; given: name -> (section, quantity). Columns as in `table`."""
    rows = [
        {
            "name": name,
            "section": section,
            "typical": quantity.typical,
            "unit": quantity.unit,
            "prior": str(believed(quantity)),
            "variability": quantity.variability,
            "omega2": quantity.omega2,
            "role": quantity.role,
            "evidence": list(quantity.evidence),
            "why": quantity.why,
        }
        for name, (section, quantity) in given.items()
    ]
    return pl.DataFrame(rows, schema_overrides={"typical": pl.Float64, "evidence": pl.List(pl.String)})


def typical(
    compound: str | Path | Compound = "pomalidomide",
    *,
    overrides: Mapping[str, float] | None = None,
    structure: str = "claret",
) -> dict[str, float]:
    """Typical value of every parameter of a trial, in the unit its name or the table says.

    overrides: name -> value in its place; "omega2." and a name is a variance between patients.
    structure: of the tumour, one of STRUCTURES, which have different names.
    Raises InputError GP-M050 for an unknown name, GP-M051 for an impossible value, GP-M052 for an unknown
    structure.
    """
    given = quantities(_compound(compound), overrides=overrides, structure=structure)
    return {name: quantity.typical for name, (_, quantity) in given.items()}


def baselines() -> dict[str, Quantity]:
    """Baselines before treatment by covariate name (anc0, ...), with their spread between patients."""
    known = groups()["covariates"].quantities
    return {covariate: known[name] for covariate, name in BASELINE_OF.items()}


def random_effects(
    compound: str | Path | Compound = "pomalidomide",
    *,
    overrides: Mapping[str, float] | None = None,
    structure: str = "claret",
) -> tuple[tuple[str, ...], Floats]:
    """Which parameters vary between patients, and how.

    overrides, structure: as `typical`; a covariance follows its variances, so that the correlation stays.
    Returns names (k) and the covariance matrix (k, k) of the effects, on the log (lognormal) or logit scale.
    Baselines are covariates and not among them.
    """
    chosen = _compound(compound)
    return _varying(chosen, quantities(chosen, overrides=overrides, structure=structure))


def _varying(chosen: Compound, known: Mapping[str, tuple[str, Quantity]]) -> tuple[tuple[str, ...], Floats]:
    published = {name: q for name, (_, q) in system().items()} | chosen.trial_quantities()
    names = tuple(name for name, (section, q) in known.items() if _varies(section, q))
    matrix = np.diag([known[name][1].omega2 for name in names])
    pairs: list[Covariance] = [*(chosen.pk.covariance if chosen.pk else ())]
    pairs += [pair for group in groups().values() for pair in group.covariance]
    for pair in pairs:
        if set(pair.between) <= set(names):
            i, j = (names.index(name) for name in pair.between)
            wider = [known[name][1].omega2 / published[name].omega2 for name in pair.between]
            matrix[i, j] = matrix[j, i] = pair.value * np.sqrt(wider[0] * wider[1])
    return names, matrix


def _varies(section: str, quantity: Quantity) -> bool:
    return quantity.variability != "none" and section != "covariates"


def individual(
    covariates: Mapping[str, ArrayLike],
    etas: ArrayLike,
    compound: str | Path | Compound = "pomalidomide",
    *,
    overrides: Mapping[str, float] | None = None,
    structure: str = "claret",
) -> dict[str, Floats]:
    """Parameters and initial values of n patients, by engine name, where they differ or are replaced.

    covariates: each of COVARIATES as (n,): sex_female 0 or 1, weight_kg kg, total_protein_g_per_l g/L,
    age_y years, anc0 and platelets0 1e9/L, haemoglobin0 g/dL, m_protein0 g/L. Any of OPTIONAL, which act
    only where given: creatinine clearance mL/min, beta-2-microglobulin mg/L, crbn_level (cereblon in
    myeloma cells over the typical patient's), and flags 0 or 1.
    etas: (n, k) random effects in the order of `random_effects`, with the same overrides and structure.
    overrides: as `typical`; "study_death_ratio" multiplies everybody's hazard of death.
    Returns (n,) arrays; `models.split` parts them into parameters and initial values. Every lineage starts
    at its steady state for the patient's baseline.
    Raises InputError GP-M006 for a missing, unknown or impossible covariate or etas of another shape, and
    what `typical` raises.
    Source: docs/mechanism.md, "Covariates"; steady state, "Marrow".
    """
    chosen = _compound(compound)
    pairs = quantities(chosen, overrides=overrides, structure=structure)
    known = {name: quantity for name, (_, quantity) in pairs.items()}
    names, _ = _varying(chosen, pairs)
    given, effects = checked(covariates, etas, len(names))
    common = {name: known[name].typical for name in overrides or {} if name in known}
    values = {
        name: np.full(effects.shape[0], value)
        for name, value in common.items()
        if pairs[name][0] not in BESIDE_THE_MODEL
    }
    values |= apply_effects(known, names, effects)
    base = {name: quantity.typical for name, quantity in known.items()}
    values = apply_factors(values, base, prognosis.factors(given, base))
    values = apply_factors(values, base, pharmacokinetic_factors(given, chosen))
    if base["study_death_ratio"] != 1.0:
        everybody = np.full(effects.shape[0], base["study_death_ratio"])
        values = apply_factors(values, base, {"death_per_month": everybody})
    values |= {name: given[covariate] for covariate, name in BASELINE_OF.items()}
    return values | initial_values(values, base, structure)


def _compound(compound: str | Path | Compound) -> Compound:
    return compound if isinstance(compound, Compound) else load(compound)
