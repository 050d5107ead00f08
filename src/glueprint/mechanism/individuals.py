"""Values of single patients: random effects and covariates on typical values, and where each one starts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from glueprint.errors import InputError, nearest
from glueprint.mechanism.compounds import Compound
from glueprint.mechanism.pharmacokinetics import covariates
from glueprint.mechanism.quantities import CovariateEffect, Quantity

__all__ = [
    "BASELINE_OF",
    "COVARIATES",
    "OPTIONAL",
    "apply_effects",
    "apply_factors",
    "checked",
    "initial_values",
    "pharmacokinetic_factors",
]

Floats = NDArray[np.float64]

# Covariates of a patient, with their units; the four baselines set where each lineage starts and rests.
COVARIATES = (
    "sex_female",
    "weight_kg",
    "total_protein_g_per_l",
    "age_y",
    "anc0",
    "platelets0",
    "haemoglobin0",
    "m_protein0",
)
# Covariates that act only where they are given; flags are 0 or 1.
FLAGS = (
    "sex_female",
    "high_risk",
    "dialysis",
    "hepatic_mild",
    "hepatic_moderate",
    "hepatic_severe",
    "smoker",
    "fluvoxamine",
    "imid_refractory",
    "pi_refractory",
    "ldh_high",
    "poor_performance",
    "extramedullary",
)
OPTIONAL = (
    "creatinine_clearance_ml_per_min",
    "beta2_microglobulin_mg_per_l",
    "crbn_level",
    "prior_lines",
    "iss_stage",
    *(name for name in FLAGS if name not in COVARIATES),
)
BASELINE_OF = {
    "anc0": "anc0_1e9_per_l",
    "platelets0": "platelets0_1e9_per_l",
    "haemoglobin0": "haemoglobin0_g_per_dl",
    "m_protein0": "m_protein0_g_per_l",
}
POOLS = ("progenitors", "arrested", "maturing", "releasing")


def apply_effects(known: Mapping[str, Quantity], names: tuple[str, ...], etas: Floats) -> dict[str, Floats]:
    """Parameters (n,) by name from their random effects, (n, k) in the order of `names`."""
    return {name: _apply(known[name], etas[:, column]) for column, name in enumerate(names)}


def _apply(quantity: Quantity, eta: Floats) -> Floats:
    if quantity.variability == "lognormal":
        return np.asarray(quantity.typical * np.exp(eta))
    odds = quantity.typical / (1.0 - quantity.typical) * np.exp(eta)
    return np.asarray(odds / (1.0 + odds))


def apply_factors(
    values: Mapping[str, Floats], typical: Mapping[str, float], factors: Mapping[str, Floats]
) -> dict[str, Floats]:
    """`values` with each parameter times its factor (n,); others start at their typical value."""
    scaled = {name: values.get(name, typical[name]) * factor for name, factor in factors.items()}
    return dict(values) | {name: np.asarray(value) for name, value in scaled.items()}


def pharmacokinetic_factors(given: Mapping[str, Floats], compound: Compound) -> dict[str, Floats]:
    """(n,) factor on each parameter of the compound, from the covariates that are given, (n,) by name.

    Source: the compound's file, for pomalidomide Li 2015 (PK060-PK062), Li 2017 (PK091, PK106-PK108) and
    studies of single influences (PK026, PK034, PK037-PK041).
    """
    found: dict[str, Floats] = {}
    for effect in covariates(compound.pk) if compound.pk else ():
        if effect.covariate not in given:
            continue
        factor = _factor(effect, given[effect.covariate])
        if effect.unless is not None and effect.unless in given:
            factor = np.where(given[effect.unless] > 0.5, 1.0, factor)
        found[effect.parameter] = found.get(effect.parameter, np.ones_like(factor)) * factor
    return found


def _factor(effect: CovariateEffect, x: Floats) -> Floats:
    if effect.form == "power":
        return np.asarray((x / effect.reference) ** effect.coefficient)
    if effect.form == "factor":
        return np.asarray(effect.coefficient**x)
    above = x - effect.reference
    return np.asarray(
        1.0 + effect.coefficient * (np.minimum(above, 0.0) if effect.form == "linear-below" else above)
    )


def initial_values(
    values: Mapping[str, Floats], typical: Mapping[str, float], structure: str
) -> dict[str, Floats]:
    """Species of each patient at the steady state of the patient's baselines, (n,) by engine name."""
    initial = {"haemoglobin_g_per_dl": values["haemoglobin0_g_per_dl"]}
    initial |= _tumour(values, typical, structure)
    for lineage, circulating, baseline in (
        ("neutrophil", "anc_1e9_per_l", "anc0_1e9_per_l"),
        ("platelet", "platelets_1e9_per_l", "platelets0_1e9_per_l"),
    ):
        initial[circulating] = values[baseline]
        removal, mtt = (
            values.get(f"{lineage}_{name}", typical[f"{lineage}_{name}"])
            for name in ("removal_per_h", "mtt_h")
        )
        pool = np.asarray(removal * values[baseline] * mtt / 4.0)
        initial |= {f"{lineage}_{name}": pool for name in POOLS}
    return initial


def _tumour(values: Mapping[str, Floats], typical: Mapping[str, float], structure: str) -> dict[str, Floats]:
    """M-protein at its baseline; cells as many as growth and clearance at that level say.

    Source: M' / M = kc (B/M - 1) = kg (1 - B/cap), solved for B; docs/mechanism.md, "Two clones".
    """
    m_protein = values["m_protein0_g_per_l"]
    if structure == "claret":
        return {"log_m_protein": np.log(m_protein)}

    def of(name: str) -> Floats | float:
        return values.get(name, typical[name])

    ratio = of("growth_per_d") / of("m_protein_clearance_per_d")
    burden = m_protein * (1.0 + ratio) / (1.0 + ratio * m_protein / of("m_protein_capacity_g_per_l"))
    if structure == "burden":
        return {"log_m_protein": np.log(m_protein), "log_cells": np.asarray(np.log(burden))}
    share = of("resistant_share0")
    return {
        "log_m_protein": np.log(m_protein),
        "log_sensitive": np.asarray(np.log(burden * (1.0 - share))),
        "log_resistant": np.asarray(np.log(burden * share)),
    }


def checked(
    covariates: Mapping[str, ArrayLike], etas: ArrayLike, count: int
) -> tuple[dict[str, Floats], Floats]:
    """Covariates and random effects as arrays. Raises InputError GP-M006 where they cannot be used."""
    effects = np.asarray(etas, dtype=np.float64)
    if effects.ndim != 2 or effects.shape[1] != count or not np.all(np.isfinite(effects)):
        raise _refusal(
            f"etas of shape {effects.shape}", f"finite numbers of shape (patients, {count})", "etas"
        )
    known = (*COVARIATES, *OPTIONAL)
    for name in (*COVARIATES, *covariates):
        if name not in covariates:
            hint = nearest(name, covariates)
            raise _refusal(f'covariate "{name}" is missing{hint}', ", ".join(COVARIATES), name)
        if name not in known:
            raise _refusal(f'covariate "{name}"{nearest(name, known)}', ", ".join(known), name)
    given = {name: np.asarray(values, dtype=np.float64) for name, values in covariates.items()}
    for name, values in given.items():
        good = ((values == 0.0) | (values == 1.0)) if name in FLAGS else np.isfinite(values) & (values > 0.0)
        if values.shape != (effects.shape[0],) or not np.all(good):
            kind = "numbers 0 or 1" if name in FLAGS else "finite positive numbers"
            raise _refusal(f'covariate "{name}"', f"{effects.shape[0]} {kind}", name)
    return given, effects


def _refusal(message: str, expected: str, field: str) -> InputError:
    return InputError(
        "GP-M006",
        f"{message} cannot be used",
        where=f"individual, {field}",
        expected=expected,
        next_step="give every patient each covariate and one random effect per name of random_effects()",
    )
