"""Who enters a trial, and when: days since the first patient, and candidates with measurable disease."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from glueprint.errors import InputError
from glueprint.trials.patients.chance import Stream
from glueprint.trials.protocol import MONTH_DAYS, Accrual, Protocol

__all__ = ["cut_days", "entrants", "entry_days"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
# How many candidates are looked at for each who enters, before the criterion is refused.
MOST_SCREENED = 50


def entry_days(accrual: Accrual, patients: int, stream: Stream) -> Floats:
    """(n,) whole days since the first patient on which each comes, in the order of their numbers.

    Source: given how many come, the times of a Poisson process are ordered draws of its rate.
    """
    uniform = np.sort(stream.uniforms("accrual", np.arange(patients))[:, 0])
    months = accrual.months_of(uniform, patients)
    return np.asarray(np.floor((months - months[0]) * MONTH_DAYS))


def cut_days(protocol: Protocol, entry_day: Floats) -> Floats:
    """(n,) days from randomisation to the latest data cut; entry_day: (n,) since the first patient."""
    return np.asarray(np.floor(protocol.follow_up.maximum_months * MONTH_DAYS) - entry_day)


def entrants(protocol: Protocol, stream: Stream, m_protein: Callable[[Integers], Floats]) -> Integers:
    """(n,) numbers of the candidates who enter: all, or the first with measurable disease.

    m_protein: gives the true M-protein, (m,) g/L, of candidates by their numbers, (m,).
    Raises InputError GP-T095 where hardly any candidate has measurable disease.
    """
    least, wanted = protocol.eligibility.m_protein_at_least_g_per_l, protocol.patients
    if least is None:
        return np.arange(wanted, dtype=np.int64)
    error, entered, first = protocol.measurement, np.zeros(0, dtype=np.int64), 0
    while entered.size < wanted:
        if first >= MOST_SCREENED * wanted:
            raise InputError(
                "GP-T095",
                f"{entered.size} of {first} candidates have {least:g} g/L of M-protein or more",
                where=f"{protocol.name}, eligibility.m_protein_at_least_g_per_l",
                expected=f"a case-mix of which one in {MOST_SCREENED} is eligible",
                next_step="lower the limit, or describe the case-mix of those who are screened",
            )
        candidates = np.arange(first, first + 2 * wanted, dtype=np.int64)
        normal = stream.normals("screening", candidates, 2)
        measured = m_protein(candidates) * (1.0 + error.m_protein_cv * normal[:, 0])
        measured += error.m_protein_sd_g_per_l * normal[:, 1]
        entered = np.append(entered, candidates[measured >= least])
        first += candidates.size
    return entered[:wanted]
