"""Parameters of the trial model: the table with its sources, and the values of single patients."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from glueprint.mechanism import prognosis, substrates
from glueprint.mechanism.body import followed
from glueprint.mechanism.compounds import Compound
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
from glueprint.mechanism.pharmacokinetics import conduct_quantities, covariances
from glueprint.mechanism.quantities import Covariance, Quantity, believed
from glueprint.mechanism.scenario import STRUCTURES, Scenario
from glueprint.mechanism.systems import CAPACITIES, culture, groups, of_pairs, read_system, system

__all__ = [
    "BESIDE_THE_MODEL",
    "COVARIATES",
    "OPTIONAL",
    "culture",
    "frame",
    "individual",
    "of_conditions",
    "own",
    "quantities",
    "random_effects",
    "read_system",
    "system",
    "table",
    "typical",
]

Floats = NDArray[np.float64]

# Sections whose numbers the conduct of a trial or this module reads, and not the model.
INTAKE = "intake"
BESIDE_THE_MODEL = ("tolerability", "prognosis", CAPACITIES, INTAKE)
# What differs between trials beside their case-mix -> what it multiplies in everybody.
STUDY_RATIOS = {"study_death_ratio": "death_per_month", "study_growth_ratio": "growth_per_d"}
# What the tables say of a pair of substrate and cell.
OF_PAIR = ("capacity", "kdeg_per_h")
Known = Mapping[str, tuple[str, Quantity]]


def quantities(scenario: Scenario) -> dict[str, tuple[str, Quantity]]:
    """Every parameter of a trial: name -> (section, quantity), the compound's first.

    A compound's rho follows the capacity of the cell, also where an override replaces it.
    Raises InputError GP-M050 for an override of an unknown name, GP-M051 for an impossible value, and what
    `Compound.trial_quantities` raises.
    """
    glue, structure = scenario.compound, scenario.structure
    pairs = followed(structure, glue.known_substrates)
    absent = {name for names in STRUCTURES.values() for name in names} - set(STRUCTURES[structure])
    every = substrates.pairs(glue.known_substrates)
    absent |= {f"{pair}_{what}" for pair in every if pair not in pairs for what in OF_PAIR}
    given = system() | of_pairs(glue.substrates)
    body = {name: pair for name, pair in given.items() if name not in absent}
    found = overridden(_of_compound(glue, pairs, body) | body, scenario.overrides)
    if any(name.endswith("_capacity") for name in scenario.overrides):
        again = _of_compound(glue, pairs, found)
        found |= {name: again[name] for p in pairs if (name := f"{p}_rho") not in scenario.overrides}
    return found


def _of_compound(glue: Compound, pairs: Sequence[str], known: Known) -> dict[str, tuple[str, Quantity]]:
    """What the compound's file sets, with these capacities."""
    capacities = {pair: known[f"{pair}_capacity"][1] for pair in pairs}
    found = {name: (f"compound {glue.name}", q) for name, q in glue.trial_quantities(capacities).items()}
    intake = conduct_quantities(glue.pk) if glue.pk else {}
    return found | {name: (INTAKE, quantity) for name, quantity in intake.items()}


def table(scenario: Scenario) -> pl.DataFrame:
    """All parameters of a trial with unit, spread, role and source.

    Returns a frame with the columns name, section, typical, unit, prior, variability, omega2, role, evidence,
    why.
    Raises what `quantities` raises.
    """
    return frame(quantities(scenario))


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


def typical(scenario: Scenario) -> dict[str, float]:
    """Typical value of every parameter of a trial, in the unit its name or the table says.

    Raises what `quantities` raises.

    >>> typical(Scenario.of("pomalidomide", overrides={"growth_per_d": 0.018}))["growth_per_d"]
    0.018
    """
    return {name: quantity.typical for name, (_, quantity) in quantities(scenario).items()}


def random_effects(scenario: Scenario) -> tuple[tuple[str, ...], Floats]:
    """Which parameters vary between patients, and how.

    Returns names (k) and the covariance matrix (k, k) of the effects, on the log (lognormal) or logit scale;
    a covariance follows the variances that overrides replace, so that the correlation stays.
    Baselines belong to the case-mix and are not among them.
    Raises what `quantities` raises.
    """
    return _varying(scenario, quantities(scenario))


def _varying(scenario: Scenario, known: Known) -> tuple[tuple[str, ...], Floats]:
    pk = scenario.compound.pk
    published = {name: q for name, (_, q) in quantities(scenario.with_overrides({})).items()}
    names = tuple(name for name, (_, quantity) in known.items() if quantity.variability != "none")
    matrix = np.diag([known[name][1].omega2 for name in names])
    pairs: list[Covariance] = [*(covariances(pk) if pk else ())]
    pairs += [pair for group in groups().values() for pair in group.covariance]
    for pair in pairs:
        if set(pair.between) <= set(names):
            i, j = (names.index(name) for name in pair.between)
            wider = [known[name][1].omega2 / published[name].omega2 for name in pair.between]
            matrix[i, j] = matrix[j, i] = pair.value * np.sqrt(wider[0] * wider[1])
    return names, matrix


def of_conditions(compound: Compound, conditions: Collection[str]) -> dict[str, float]:
    """What conditions, such as an inhibitor of its clearance, make of a compound's typical parameters.

    conditions: covariates of the compound's file that are switched on.
    Returns a factor by name of each parameter that they change.
    """
    switched_on = {name: np.ones(1) for name in conditions}
    factors = pharmacokinetic_factors(switched_on, compound)
    return {name: float(factor[0]) for name, factor in factors.items()}


def own(scenario: Scenario) -> tuple[str, ...]:
    """Names of the parameters that `individual` takes as a patient's own.   Raises as `quantities`."""
    sections = [section for section in BESIDE_THE_MODEL if section != INTAKE]
    return tuple(name for name, (section, _) in quantities(scenario).items() if section not in sections)


def individual(
    scenario: Scenario,
    covariates: Mapping[str, ArrayLike],
    etas: ArrayLike,
    given: Mapping[str, Floats] | None = None,
) -> dict[str, Floats]:
    """Parameters and initial values of n patients, by engine name, where they differ or are replaced.

    covariates: each of COVARIATES as (n,): sex_female 0 or 1, weight_kg kg, total_protein_g_per_l g/L,
    age_y years, anc0 and platelets0 1e9/L, haemoglobin0 g/dL, m_protein0 g/L. Any of OPTIONAL, which act
    only where given: creatinine clearance mL/min, beta-2-microglobulin mg/L, crbn_level (cereblon in
    myeloma cells over the typical patient's), and flags 0 or 1.
    etas: (n, k) random effects in the order of `random_effects` of the same scenario. An override of
    "study_death_ratio" multiplies everybody's hazard of death.
    given: (n,) by names of `own`, what each patient has whatever the typical value, covariates and effects.
    Returns (n,) arrays; `models.split` parts them into parameters and initial values. Every lineage starts
    at its steady state for the patient's baseline.
    Raises InputError GP-M006 for a missing, unknown or impossible covariate or etas of another shape, and
    what `typical` raises.
    Source: docs/mechanism.md, "Covariates"; steady state, "Marrow".
    """
    pairs = quantities(scenario)
    known = {name: quantity for name, (_, quantity) in pairs.items()}
    names, _ = _varying(scenario, pairs)
    about, effects = checked(covariates, etas, len(names))
    set_ = dict.fromkeys(re.sub("_capacity$", "_rho", name) for name in scenario.overrides)  # acts through it
    common = {name: known[name].typical for name in set_ if name in known}
    values = {
        name: np.full(effects.shape[0], value)
        for name, value in common.items()
        if pairs[name][0] not in BESIDE_THE_MODEL
    }
    values |= apply_effects(known, names, effects)
    base = {name: quantity.typical for name, quantity in known.items()}
    values = apply_factors(values, base, prognosis.factors(about, base))
    values = apply_factors(values, base, pharmacokinetic_factors(about, scenario.compound))
    for ratio, target in STUDY_RATIOS.items():
        if base.get(ratio, 1.0) != 1.0:
            values = apply_factors(values, base, {target: np.full(effects.shape[0], base[ratio])})
    values |= {name: about[covariate] for covariate, name in BASELINE_OF.items()} | dict(given or {})
    return values | initial_values(values, base, scenario.structure)
