"""G-CSF beside the treatment: who receives it from a visit on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.conduct.ward import Setting, Ward
from glueprint.trials.protocol import NO_REGIMEN

__all__ = ["decide_gcsf"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def decide_gcsf(setting: Setting, ward: Ward, at: Integers, anc_1e9_per_l: Floats) -> None:
    """Begin and end G-CSF for the patients `at`, (m,), by the neutrophils just measured, (m,) 1e9/L.

    Secondary: a course of `gcsf_days` begins below the limit, and ends with the count that it aims at.
    Primary: from the first day to the last under a glue.
    Source: `supportive_care` of the protocol.
    """
    care = setting.protocol.supportive_care
    if care.gcsf == "none":
        return
    regimen, day = ward.regimen[at], ward.day[at]
    with_glue = np.array([plan.glue is not None for plan in setting.regimens])
    under_glue = (regimen != NO_REGIMEN) & with_glue[regimen]
    until = ward.gcsf_until_day[at]
    if care.gcsf == "primary":
        after = np.where(under_glue, np.inf, -np.inf)
    else:
        recovered = anc_1e9_per_l >= care.gcsf_until_1e9_per_l
        starts = under_glue & (anc_1e9_per_l < care.gcsf_below_1e9_per_l) & (until <= day)
        after = np.where(starts, day + care.gcsf_days, np.where(recovered, -np.inf, until))
    ward.gcsf_courses[at] += (until <= day) & (after > day)
    ward.gcsf_until_day[at] = after
