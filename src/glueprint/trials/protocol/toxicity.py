"""CTCAE grades of laboratory values, by version: kernels on arrays.

Version 6 moved the neutrophil grades down by one, so its rates cannot be compared with trials graded by 4 or
5
(evidence SAF104 to SAF116). Haemoglobin has no grade 4 by laboratory value alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glueprint.errors import InputError

__all__ = ["VERSIONS", "anaemia_grade", "check_version", "neutropenia_grade", "thrombocytopenia_grade"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Upper limits, not included, of grades 1, 2, 3, 4. Grade 1 begins at the lower limit of normal, set here to
# the usual
# laboratory values; it is never reported by Glueprint's endpoints.
ANC_1E9_PER_L = {
    4: (2.0, 1.5, 1.0, 0.5),  # SAF104, SAF105, SAF106
    5: (2.0, 1.5, 1.0, 0.5),  # SAF116
    6: (1.5, 1.0, 0.5, 0.1),  # SAF112 to SAF115
}
PLATELETS_1E9_PER_L = (150.0, 75.0, 50.0, 25.0)  # SAF107, SAF108, SAF109
HAEMOGLOBIN_G_PER_DL = (12.0, 10.0, 8.0)  # SAF110, SAF111
VERSIONS = tuple(ANC_1E9_PER_L)


def check_version(version: int, *, where: str = "ctcae_version") -> None:
    """Refuse a CTCAE version that is not known.

    Raises InputError GP-T020.
    """
    if version not in ANC_1E9_PER_L:
        raise InputError(
            "GP-T020",
            f"unknown CTCAE version {version}",
            where=where,
            expected=f"one of {', '.join(map(str, VERSIONS))}",
            next_step="give the version that the trial graded by",
        )


def neutropenia_grade(anc_1e9_per_l: Floats, *, version: int) -> Integers:
    """Grade 0 to 4 of neutrophil counts of any shape, 1e9 cells/L; NaN is 0.

    Raises InputError GP-T020 for a CTCAE version that is not known.
    """
    check_version(version)
    return _grade(anc_1e9_per_l, ANC_1E9_PER_L[version])


def thrombocytopenia_grade(platelets_1e9_per_l: Floats) -> Integers:
    """Grade 0 to 4 of platelet counts of any shape, 1e9 cells/L; NaN is 0."""
    return _grade(platelets_1e9_per_l, PLATELETS_1E9_PER_L)


def anaemia_grade(haemoglobin_g_per_dl: Floats) -> Integers:
    """Grade 0 to 3 of haemoglobin of any shape, g/dL; NaN is 0."""
    return _grade(haemoglobin_g_per_dl, HAEMOGLOBIN_G_PER_DL)


def _grade(values: Floats, limits: tuple[float, ...]) -> Integers:
    with np.errstate(invalid="ignore"):
        below = [np.asarray(values) < limit for limit in limits]
    return np.asarray(np.sum(below, axis=0), dtype=np.int64)
