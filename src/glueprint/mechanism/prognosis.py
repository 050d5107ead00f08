"""What covariates do to growth, kill and hazards: factors whose mean is 1 where the reference trial was done.

Kernel: arrays in, arrays out. A covariate that is not given acts on nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["EFFECTS", "PUBLISHED", "Effect", "factors"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Effect:
    """ratio^(steps - share): `share` is the mean of the steps in the reference population; a marker, which a
    patient has or not, is 1 step or 0.

    strength: name of the ratio of one step in the section prognosis.   parameter: what is multiplied.
    covariate: what is read; `steps` says how many steps a patient is.   evidence: of the share.
    """

    strength: str
    parameter: str
    covariate: str
    steps: Callable[[Floats], Floats | NDArray[np.bool_]]
    share: float
    evidence: tuple[str, ...]


def _old(age_y: Floats) -> NDArray[np.bool_]:
    return age_y >= 65.0


def _renal(clearance_ml_per_min: Floats) -> NDArray[np.bool_]:
    return clearance_ml_per_min < 60.0


def _yes(indicator: Floats) -> NDArray[np.bool_]:
    return indicator > 0.5


def _no(indicator: Floats) -> NDArray[np.bool_]:
    return indicator <= 0.5


def _low(m_protein_g_per_l: Floats) -> NDArray[np.bool_]:
    return m_protein_g_per_l < 20.0


def _few_platelets(platelets_1e9_per_l: Floats) -> NDArray[np.bool_]:
    return platelets_1e9_per_l < 150.0


def _doublings(lines: Floats) -> Floats:
    return np.asarray(np.log2(lines))


def _itself(number: Floats) -> Floats:
    return number


# Shares of the trials whose hazards the parameters describe; half for age and M-protein, from medians.
AGE, RENAL, RISK, SEX = "age_y", "creatinine_clearance_ml_per_min", "high_risk", "sex_female"
EFFECTS = (
    Effect("death_ratio_age_65", "death_per_month", AGE, _old, 0.5, ("CL117",)),
    Effect(
        "death_ratio_renal",
        "death_per_month",
        RENAL,
        _renal,
        149 / 447,
        ("CL071a", "CL071b", "CL072a", "CL072b"),
    ),
    Effect("death_ratio_high_risk", "death_per_month", RISK, _yes, 0.25, ("CL006",)),
    Effect("death_ratio_male", "death_per_month", SEX, _no, 0.549, ("CL118",)),
    Effect("progression_ratio_age_65", "progression_per_month", AGE, _old, 0.5, ("CL117",)),
    Effect("growth_ratio_high_risk", "growth_per_d", RISK, _yes, 0.25, ("CL006",)),
    Effect("kill_ratio_high_risk", "kill_per_d", RISK, _yes, 0.25, ("CL006",)),
    Effect("kill_ratio_low_m_protein", "kill_per_d", "m_protein0", _low, 0.5, ("CL185", "CL214")),
)
# Of structures whose effects were taken from published prognosis; means of the reference trial's case-mix.
LINES, PERFORMANCE, PLATELETS, STAGE = "prior_lines", "poor_performance", "platelets0", "iss_stage"
IMID, PI = "imid_refractory", "pi_refractory"
LDH, OUTSIDE_MARROW = "ldh_high", "extramedullary"
GROWTH, DEATH = "growth_per_d", "death_per_month"
PUBLISHED = (
    Effect("growth_by_lines", GROWTH, LINES, _doublings, math.log2(5.0), ("CL004",)),
    Effect("growth_by_imid_refractory", GROWTH, IMID, _yes, 1.0, ("CL005",)),
    Effect("growth_by_pi_refractory", GROWTH, PI, _yes, 0.75, ("CL005",)),
    Effect("growth_by_high_risk", GROWTH, RISK, _yes, 0.25, ("CL006",)),
    Effect("growth_by_ldh", GROWTH, LDH, _yes, 0.3, ()),
    Effect("growth_by_extramedullary", GROWTH, OUTSIDE_MARROW, _yes, 0.1, ()),
    Effect("growth_by_male", GROWTH, SEX, _no, 0.549, ("CL118",)),
    Effect("death_by_lines", DEATH, LINES, _doublings, math.log2(5.0), ("CL004",)),
    Effect("death_by_high_risk", DEATH, RISK, _yes, 0.25, ("CL006",)),
    Effect("death_by_stage", DEATH, STAGE, _itself, 2.0, ("CL186", "CL187")),
    Effect("death_by_ldh", DEATH, LDH, _yes, 0.3, ()),
    Effect("death_by_performance", DEATH, PERFORMANCE, _yes, 0.12, ("PRG116", "PRG118")),
    Effect("death_by_extramedullary", DEATH, OUTSIDE_MARROW, _yes, 0.1, ()),
    Effect("death_by_age_65", DEATH, AGE, _old, 0.5, ("CL117",)),
    Effect("death_by_thrombocytopenia", DEATH, PLATELETS, _few_platelets, 0.55, ("SAF073",)),
)
BETA2, BETA2_REFERENCE_MG_PER_L = "beta2_microglobulin_mg_per_l", 4.3  # CL186: 364 nM of 11.7 kDa
CRBN_TARGETS = ("ikzf1_myeloma_rho", "ikzf3_myeloma_rho")


def factors(given: Mapping[str, Floats], strengths: Mapping[str, float]) -> dict[str, Floats]:
    """(n,) factor on each parameter that a given covariate acts on.

    given: (n,) by covariate.   strengths: by name, of the section prognosis; effects that a
    structure does not have are passed over.
    Source: EFFECTS; Collins 2023 for beta-2-microglobulin (CL174); docs/mechanism.md, "Covariates".
    """
    found: dict[str, Floats] = {}

    def times(parameter: str, factor: Floats) -> None:
        found[parameter] = found.get(parameter, np.ones_like(factor)) * factor

    for effect in (*EFFECTS, *PUBLISHED):
        if effect.covariate in given and effect.strength in strengths:
            steps = effect.steps(given[effect.covariate]).astype(np.float64)
            times(effect.parameter, strengths[effect.strength] ** (steps - effect.share))
    if BETA2 in given:
        power = strengths["growth_on_beta2_microglobulin"]
        times("growth_per_d", (given[BETA2] / BETA2_REFERENCE_MG_PER_L) ** power)
    if "crbn_level" in given:
        for parameter in CRBN_TARGETS:
            times(parameter, given["crbn_level"])
    return found
