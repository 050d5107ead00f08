"""Covariates of a case-mix that nothing reads in the model of its trial, found by changing each of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glueprint.mechanism import Scenario, parameters
from glueprint.trials.patients.draws import ParameterDraws, Truth
from glueprint.trials.patients.population import INDICATORS, NAMES_IN_CASE_MIX, scenarios
from glueprint.trials.protocol import Protocol

__all__ = ["idle_covariates"]

# Two patients apart in one covariate; where between them an effect sets in is no matter.
NUMERIC = {
    "age_y": (55.0, 80.0),
    "weight_kg": (60.0, 100.0),
    "total_protein_g_per_l": (60.0, 100.0),
    "creatinine_clearance_ml_per_min": (100.0, 25.0),
    "beta2_microglobulin_mg_per_l": (3.0, 8.0),
    "crbn_level": (1.0, 0.5),
    "iss_stage": (1.0, 3.0),
    "prior_lines": (2.0, 8.0),
    "anc0": (3.0, 2.0),
    "platelets0": (250.0, 100.0),
    "haemoglobin0": (12.0, 9.0),
    "m_protein0": (10.0, 40.0),
}
# What is read through what is worked out of it, and what acts beside the parameters of a patient.
STAGED_BY = ("albumin_g_per_l", "beta2_microglobulin_mg_per_l")
BESIDE = ("death_hazard_ratio",)


def idle_covariates(protocol: Protocol, draws: ParameterDraws | None = None) -> tuple[str, ...]:
    """Names of the covariates in a case-mix that change nothing of a patient, whatever their value.

    draws: whose structure of the tumour the trial is run with; the typical parameters if None.
    Returns the names in the order of the protocol's file; a covariate may still stratify or be reported.
    """
    truth = draws.truth(1) if draws else Truth()
    acting = {name for scenario in scenarios(protocol, truth) for name in _acting(scenario)}
    read = {field for own, field in NAMES_IN_CASE_MIX.items() if own in acting}
    read |= {field for own, (field, _) in INDICATORS.items() if own in acting}
    read |= {"prior_lines"} & acting
    if "iss_stage" in acting and protocol.case_mix.derived:
        read |= set(STAGED_BY)
    return tuple(name for name in protocol.case_mix.names if name not in {*read, *BESIDE})


def _acting(scenario: Scenario) -> set[str]:
    """The covariates, by the mechanism's names, whose change moves any number of a patient."""
    values = {**NUMERIC, **dict.fromkeys(INDICATORS, (0.0, 1.0))}
    patients = len(values) + 1
    given: dict[str, NDArray[np.float64]] = {}
    for place, (name, (one, other)) in enumerate(values.items(), start=1):
        given[name] = np.full(patients, one)
        given[name][place] = other
    effects = np.zeros((patients, len(parameters.random_effects(scenario)[0])))
    found = parameters.individual(scenario, given, effects)
    moved = np.any([column != column[0] for column in found.values()], axis=0)
    return {name for place, name in enumerate(values, start=1) if moved[place]}
