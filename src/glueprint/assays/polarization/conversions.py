"""From IC50 to Ki by the formulas of the field, beside the exact one. Kernel: numbers and arrays in and out.

A formula is only as good as what it leaves out: Cheng and Prusoff leave out the depletion of competitor and
tracer by the protein; Nikolovska-Coleska is exact, but wants the *free* competitor at the IC50.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from glueprint.curves import equilibria

__all__ = [
    "AtHalf",
    "at_half",
    "cheng_prusoff",
    "exact_ic50",
    "exact_ki",
    "is_consistent",
    "nikolovska_coleska",
]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class AtHalf:
    """The plate where a competitor has displaced half of the bound tracer, nM; the same whatever its Ki.

    protein_free, tracer_free, competitor_bound: at that point.   protein_free_before: without competitor.
    """

    protein_free: float
    tracer_free: float
    competitor_bound: float
    protein_free_before: float


def at_half(protein: float, tracer: float, tracer_kd: float) -> AtHalf:
    """The plate at half displacement from total protein, total tracer and tracer Kd, nM.

    Source: mass balance at half of the bound tracer, own derivation, docs/polarization.md.
    """
    bound = float(equilibria.binary(np.asarray(protein), np.asarray(tracer), np.asarray(tracer_kd)))
    half = 0.5 * bound
    free = half * tracer_kd / (tracer - half)
    return AtHalf(free, tracer - half, protein - free - half, protein - bound)


def exact_ic50(ki: float, plate: AtHalf) -> float:
    """Total competitor that displaces half of the tracer, nM: linear in Ki, never below what is bound.

    Source: bound competitor x (1 + Ki/free protein), docs/polarization.md.
    """
    return plate.competitor_bound * (1.0 + ki / plate.protein_free)


def exact_ki(ic50: float, plate: AtHalf) -> float:
    """`exact_ic50` solved for Ki, nM; zero or less where no Ki gives so low an IC50 on this plate."""
    return plate.protein_free * (ic50 / plate.competitor_bound - 1.0)


def cheng_prusoff(ic50: float, tracer: float, tracer_kd: float) -> float:
    """Ki = IC50/(1 + L/Kd), nM; right only where protein is far below both constants.

    Source: Cheng and Prusoff 1973, doi 10.1016/0006-2952(73)90196-2.
    """
    return ic50 / (1.0 + tracer / tracer_kd)


def nikolovska_coleska(competitor: float, plate: AtHalf, tracer_kd: float) -> float:
    """Ki = [I]50/([L]50/Kd + [P]0/Kd + 1), nM.

    competitor: *free* competitor at half displacement, nM; many put the total in, which is wrong.
    Source: Nikolovska-Coleska et al. 2004, Anal. Biochem. 332, 261, doi 10.1016/j.ab.2004.05.055.
    """
    return competitor / (plate.tracer_free / tracer_kd + plate.protein_free_before / tracer_kd + 1.0)


def is_consistent(ic50_nm: float, ki_nm: float) -> bool:
    """Whether an IC50 and a Ki can come from one competitive assay: the IC50 is never below the Ki.

    Source: at half displacement free protein is at most half of what it was, so more competitor is bound than
    protein is free, and `exact_ic50` exceeds Ki.
    """
    return ic50_nm >= ki_nm
