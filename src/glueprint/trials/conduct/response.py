"""IMWG response and progression by serum M-protein: kernels on (patients x assessments) arrays.

Column 0 is the baseline; a missing assessment is NaN. Complete response means M-protein that neither
electrophoresis nor immunofixation finds. Not modelled: urine, free light chains, marrow, imaging.
Source: IMWG thresholds, evidence SAF279 to SAF296; confirmation by the next assessment, SAF290.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "LABELS",
    "Best",
    "Progression",
    "best_response",
    "categories",
    "confirmed",
    "is_progression",
    "progression",
    "progression_threshold",
    "settle_unconfirmed",
]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]

# From worst to best; a response's number is its place here.
LABELS = ("NE", "PD", "SD", "MR", "PR", "VGPR", "CR")
NE, PD, SD, MR, PR, VGPR, CR = range(7)

MINIMAL_FALL = 0.25  # SAF281
PARTIAL_FALL = 0.50  # SAF279
VERY_GOOD_FALL = 0.90  # SAF280
PROGRESSION_RISE = 0.25  # SAF282
PROGRESSION_G_PER_L = 5.0  # SAF283
# A nadir this high needs no more than a rise of 10 g/L, where a quarter would be more.
HIGH_NADIR_G_PER_L, HIGH_NADIR_RISE_G_PER_L = 50.0, 10.0  # SAF284


@dataclass(frozen=True)
class Progression:
    """First progression per patient, (n,): column of the assessment that showed it (-1: none), and its nadir
    in g/L."""

    column: Integers
    nadir_g_per_l: Floats


@dataclass(frozen=True)
class Best:
    """Per patient, (n,): best confirmed response (place in LABELS), column of the first PR or better (-1:
    none)."""

    response: Integers
    first_column: Integers


def progression_threshold(nadir_g_per_l: Floats) -> Floats:
    """M-protein from which on a patient has progressed, g/L: 25 % and 5 g/L above the nadir, or 10 g/L above
    one of at least 50 g/L.

    nadir_g_per_l: any shape.
    Source: IMWG, evidence SAF282 to SAF284.
    """
    nadir = np.asarray(nadir_g_per_l)
    usual = np.maximum(nadir * (1.0 + PROGRESSION_RISE), nadir + PROGRESSION_G_PER_L)
    return np.where(nadir >= HIGH_NADIR_G_PER_L, nadir + HIGH_NADIR_RISE_G_PER_L, usual)


def is_progression(m_protein_g_per_l: Floats, nadir_g_per_l: Floats) -> Bools:
    """Whether M-protein has risen to the threshold of progression above the nadir; NaN is no progression."""
    with np.errstate(invalid="ignore"):
        return np.asarray(m_protein_g_per_l >= progression_threshold(nadir_g_per_l))


def running_nadir(m_protein_g_per_l: Floats) -> Floats:
    """(n, k) lowest value before each assessment, the baseline included; NaN are passed over."""
    filled = np.where(np.isnan(m_protein_g_per_l), np.inf, m_protein_g_per_l)
    lowest = np.minimum.accumulate(filled, axis=1)
    return np.concatenate([np.full((len(filled), 1), np.inf), lowest[:, :-1]], axis=1)


def progression(m_protein_g_per_l: Floats) -> Progression:
    """First progression that the next assessment confirms, dated at the first of the two (SAF290, SAF294)."""
    n = len(m_protein_g_per_l)
    nadir = running_nadir(m_protein_g_per_l)
    suspected = is_progression(m_protein_g_per_l, nadir) & np.isfinite(nadir)
    sure = suspected & _next_seen(suspected, m_protein_g_per_l)
    column = np.where(sure.any(axis=1), sure.argmax(axis=1), -1)
    return Progression(column, np.where(column >= 0, nadir[np.arange(n), column], np.nan))


def _next_seen(flags: Bools, values: Floats) -> Bools:
    """(n, k) the flag at the next assessment that is not missing; False after the last."""
    result = np.zeros(flags.shape, dtype=np.bool_)
    following = np.zeros(len(flags), dtype=np.bool_)
    for column in range(flags.shape[1] - 1, -1, -1):
        result[:, column] = following
        seen = ~np.isnan(values[:, column])
        following = np.where(seen, flags[:, column], following)
    return result


def categories(m_protein_g_per_l: Floats, detection_g_per_l: float, immunofixation: Bools) -> Integers:
    """(n, k) unconfirmed category of each assessment by its fall from baseline; column 0 and NaN are NE.

    A baseline below the limit of detection allows no response: what is no progression is NE.
    detection_g_per_l: of electrophoresis.   immunofixation: (n, k) whether it still finds the M-protein; what
    it alone finds is a very good partial response (SAF280).
    """
    baseline = m_protein_g_per_l[:, :1]
    measurable = baseline >= detection_g_per_l
    baseline = np.where(measurable, baseline, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        fall = 1.0 - m_protein_g_per_l / baseline
        falls = [fall >= MINIMAL_FALL, fall >= PARTIAL_FALL, fall >= VERY_GOOD_FALL]
        gone = m_protein_g_per_l < detection_g_per_l
    result = np.full(m_protein_g_per_l.shape, SD, dtype=np.int64)
    for level, reached in zip((MR, PR, VGPR), falls, strict=True):
        result[reached] = level
    result[gone & falls[0]] = VGPR
    result[gone & falls[0] & ~immunofixation] = CR
    result[~measurable[:, 0]] = NE
    result[is_progression(m_protein_g_per_l, running_nadir(m_protein_g_per_l))] = PD
    result[np.isnan(m_protein_g_per_l)] = NE
    result[:, 0] = NE
    return result


def settle_unconfirmed(category: Integers, died: Bools) -> Integers:
    """(n, k) category with every progression that the next assessment does not confirm made NE.

    died: (n,) whether the patient's death followed the last assessment; it settles a progression seen there.
    Source: SAF294.
    """
    result = category.copy()
    following = np.where(died, PD, NE)
    for column in range(category.shape[1] - 1, 0, -1):
        here = category[:, column]
        result[:, column] = np.where((here == PD) & (following != PD), NE, here)
        following = np.where(here == NE, following, here)
    return result


def confirmed(category: Integers) -> Integers:
    """(n, k) category confirmed by the next assessment: the lower of the two where both are responses.

    A response that nothing or a progression follows becomes SD (SAF293).
    """
    result = category.copy()
    following = np.full(len(category), NE, dtype=np.int64)
    for column in range(category.shape[1] - 1, 0, -1):
        here = category[:, column]
        lower = np.minimum(here, np.maximum(following, SD))
        result[:, column] = np.where(here >= MR, lower, here)
        following = np.where(here == NE, following, here)
    return result


def best_response(category: Integers, usable: Bools) -> Best:
    """Best confirmed response of each patient.

    category: (n, k) out of `categories`.   usable: (n, k) assessments that count: before progression and new
    therapy.
    A patient with no usable assessment is NE, one whose first finding is progression is PD.
    """
    # Progression stays visible as a follower, so that it cannot confirm the response before it.
    sure = confirmed(np.where(usable | (category == PD), category, NE))
    sure = np.where(usable & (sure != PD), sure, NE)
    best = sure.max(axis=1, initial=NE)
    best = np.where((best == NE) & (category == PD).any(axis=1), PD, best)
    responds = sure >= PR
    first = np.where(responds.any(axis=1), responds.argmax(axis=1), -1)
    return Best(np.asarray(best), np.asarray(first))
