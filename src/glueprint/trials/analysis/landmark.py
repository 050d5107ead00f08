"""Where patients stand when a cycle opens, for survival by that state. Kernel.

Only patients who were on treatment in the cycle before and are followed beyond the opening have a state; so
nobody's state is known better for having lived longer.
Source: landmark method, Anderson, Cain and Gelber 1983, doi:10.1200/JCO.1983.1.11.710; states as in evidence
CL060 to CL069.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from glueprint.trials.protocol import CYCLE, LATER_CYCLE, STATES

__all__ = ["CYCLE", "LATER_CYCLE", "STATES", "states"]

Floats = NDArray[np.float64]
Texts = NDArray[np.str_]

LEFT, PROGRESSION, STABLE, RESPONSE = STATES


def states(
    response_day: Floats,
    progression_day: Floats,
    off_day: Floats,
    end_day: Floats,
    *,
    cycle_days: int,
    window_days: int = 0,
    cycle: int = CYCLE,
) -> Texts:
    """(n,) state of each patient at the assessment that opens `cycle`, out of STATES.

    response_day: first confirmed partial response or better.   progression_day: seen.   off_day: end of the
    first treatment.   end_day: death or end of follow-up; all (n,) from randomisation, inf or NaN is never.
    window_days: how late a visit may come.
    Response is carried forward until progression (SAF296). Who progressed or ended the treatment before the
    cycle that closes here, died or was lost, has left.
    """
    before, now = (cycle - 2) * cycle_days, (cycle - 1) * cycle_days + window_days
    with np.errstate(invalid="ignore"):
        there = (off_day > before) & (end_day > now) & (progression_day > before + window_days)
        progressed = progression_day <= now
        responded = response_day <= now
    return np.select([~there, progressed, responded], [LEFT, PROGRESSION, RESPONSE], STABLE)
