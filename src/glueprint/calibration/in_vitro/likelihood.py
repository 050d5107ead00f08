"""Minus the log posterior of the hierarchical fit, for all walkers in one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.calibration.in_vitro.parameters import (
    ASSAYS,
    OTHER_KD,
    OTHER_RHO,
    beliefs,
    free,
    solved_names,
    values,
)
from glueprint.calibration.in_vitro.potencies import ABOUT, PARTS, solve
from glueprint.experiments import forward

__all__ = ["Datum", "minus_log_posterior", "shown", "solved"]

Floats = NDArray[np.float64]
# Far below any error of an assay, so that the prior's lowest tail rounds to something that can be divided by.
LEAST_TAU = 1e-6


@dataclass(frozen=True)
class Datum:
    """One claim of the likelihood: its value and standard error on the scale it is compared on.

    scale: "log10 nM", or "log10 odds" for a share that is lost.
    """

    claim_id: str
    value: float
    error: float
    scale: str


def minus_log_posterior(vectors: Floats, data: Mapping[str, Datum]) -> Floats:
    """vectors: (n, p) in the order of COORDINATES.   data: by claim id; one that is not there says nothing.
    Returns (n,), infinite where no capacity gives the potency.

    Source: own derivation, docs/calibration.md, "The hierarchical fit".
    """
    vectors = np.asarray(vectors, dtype=np.float64)
    # Walkers try what cannot be: values that overflow, capacities that do not exist. Both end as infinite.
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        minus = _minus_log_posterior(vectors, values(vectors), data)
    return np.where(np.isfinite(minus), minus, np.inf)


def _minus_log_posterior(vectors: Floats, found: Mapping[str, Floats], data: Mapping[str, Datum]) -> Floats:
    minus = 0.5 * (vectors[:, : len(free())] ** 2).sum(axis=1)
    tau = np.maximum(found["tau_log10"], LEAST_TAU)
    for name in ASSAYS:
        away = (found[f"assay:{name}"] - np.log10(found["kd_nm"])) / tau
        minus += 0.5 * away**2 + np.log(tau)
    for name, log10_value, slope in solved(found):
        belief = beliefs()[name]
        minus += 0.5 * ((log10_value - np.log10(belief.middle)) / belief.spread) ** 2
        # Density of a potency: that of the parameter times how fast it moves with the potency.
        minus -= np.log(np.abs(slope))
    for claim_id, model in shown(found).items():
        datum = data.get(claim_id)
        if datum is None:
            continue
        minus += 0.5 * ((datum.value - model) / datum.error) ** 2
    return np.asarray(minus)


def solved(found: Mapping[str, Floats]) -> list[tuple[str, Floats, Floats]]:
    """(name, log10 value (n,), slope (n,)) of every parameter that a potency fixes."""
    names = solved_names()
    answers = solve(found, {part.name: found[f"potency:{part.name}"] for part in PARTS})
    return [(names[key], answer.log10_value, answer.slope) for key, answer in answers.items()]


def shown(found: Mapping[str, Floats]) -> dict[str, Floats]:
    """What each assay of the likelihood would show without error (n,), by claim id, on the datum's scale."""
    other, dose = ABOUT.comparator, ABOUT.comparator.loss_dose_nm
    constants = {name: found[f"assay:{name}"] for name in ASSAYS}
    occupancy = dose / (dose + found[OTHER_KD])
    return {
        **{
            assay.claim: constants[assay.name]
            if assay.shows == "constant"
            else _competition(found, constants[assay.name])
            for assay in ABOUT.assays
        },
        # One source gives both drugs: the same assay, with the same error of its own.
        other.affinity: np.log10(found[OTHER_KD]) + constants[other.assay] - np.log10(found["kd_nm"]),
        # Loss over what is left is rho x occupancy at steady state; a day is five half-lives.
        other.loss: np.log10(found[OTHER_RHO] * occupancy),
        **{part.claim_id: found[f"potency:{part.name}"] for part in PARTS},
    }


def _competition(found: Mapping[str, Floats], log10_constant: Floats) -> Floats:
    """log10 IC50 (n,) of a competition on the plate of the fit, with the tracer at its Kd."""
    return forward.fp_competition(
        {
            "ki_nm": 10.0**log10_constant,
            "protein_nm": found["fp_protein_nm"],
            "tracer_nm": found["fp_tracer_kd_nm"],
            "tracer_kd_nm": found["fp_tracer_kd_nm"],
        }
    )
