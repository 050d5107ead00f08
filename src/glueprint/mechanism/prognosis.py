"""What covariates do to growth, kill and hazards: factors whose mean is 1 where the reference trial was done.

Kernel: arrays in, arrays out. A covariate that is not given acts on nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["EFFECTS", "Effect", "factors"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Effect:
    """ratio^(marker - share): `share` of the reference population has the marker, 0 or 1 in one patient.

    strength: name of the ratio in the section prognosis.   parameter: what is multiplied.
    covariate: what is read; `marked` says who has the marker.   evidence: of the share.
    """

    strength: str
    parameter: str
    covariate: str
    marked: Callable[[Floats], NDArray[np.bool_]]
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
BETA2, BETA2_REFERENCE_MG_PER_L = "beta2_microglobulin_mg_per_l", 4.3  # CL186: 364 nM of 11.7 kDa
CRBN_TARGETS = ("ikzf1_myeloma_rho", "ikzf3_myeloma_rho")


def factors(given: Mapping[str, Floats], strengths: Mapping[str, float]) -> dict[str, Floats]:
    """(n,) factor on each parameter that a given covariate acts on.

    given: (n,) by covariate.   strengths: by name, of the section prognosis.
    Source: EFFECTS; Collins 2023 for beta-2-microglobulin (CL174); docs/mechanism.md, "Covariates".
    """
    found: dict[str, Floats] = {}

    def times(parameter: str, factor: Floats) -> None:
        found[parameter] = found.get(parameter, np.ones_like(factor)) * factor

    for effect in EFFECTS:
        if effect.covariate in given:
            marker = effect.marked(given[effect.covariate]).astype(np.float64)
            times(effect.parameter, strengths[effect.strength] ** (marker - effect.share))
    if BETA2 in given:
        power = strengths["growth_on_beta2_microglobulin"]
        times("growth_per_d", (given[BETA2] / BETA2_REFERENCE_MG_PER_L) ** power)
    if "crbn_level" in given:
        for parameter in CRBN_TARGETS:
            times(parameter, given["crbn_level"])
    return found
