"""What a visit shows: who is seen, and the patient's state with measurement error. Kernel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.protocol import LABS, Measurement

__all__ = ["LABS", "Labs", "Visit", "measure"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Labs:
    """Laboratory values, (n,) each."""

    anc_1e9_per_l: Floats
    platelets_1e9_per_l: Floats
    haemoglobin_g_per_dl: Floats
    m_protein_g_per_l: Floats


@dataclass(frozen=True)
class Visit:
    """A round of visits, (m,) each: patient, day of this visit and of the one before, what was measured,
    whether disease is assessed and a cycle begins, and M-protein without error, g/L."""

    patient: Integers
    day: Integers
    previous_day: Integers
    labs: Labs
    assessment: Bools
    cycle_begins: Bools
    true_m_protein_g_per_l: Floats


def measure(true: Labs, error: Measurement, normal: Floats) -> Labs:
    """Measured values: log-normal error for blood counts, proportional plus additive error for M-protein.

    normal: (n, 5) standard normal numbers.
    M-protein below zero reads zero.
    """
    m_protein = (
        true.m_protein_g_per_l * (1.0 + error.m_protein_cv * normal[:, 3])
        + error.m_protein_sd_g_per_l * normal[:, 4]
    )
    return Labs(
        anc_1e9_per_l=true.anc_1e9_per_l * np.exp(error.anc_log_sd * normal[:, 0]),
        platelets_1e9_per_l=true.platelets_1e9_per_l * np.exp(error.platelets_log_sd * normal[:, 1]),
        haemoglobin_g_per_dl=true.haemoglobin_g_per_dl * np.exp(error.haemoglobin_log_sd * normal[:, 2]),
        m_protein_g_per_l=np.maximum(m_protein, 0.0),
    )
