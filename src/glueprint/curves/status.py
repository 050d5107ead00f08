"""Why a curve has no plain answer, with the remedy: one list for every kind of fit."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

__all__ = ["Status"]


class Status(IntEnum):
    """Why a curve has no plain potency or estimates; `FINE` means that it has."""

    FINE = 0
    TOO_FEW_POINTS = 1
    NOT_CONVERGED = 2
    NO_EFFECT = 3
    BELOW_TESTED = 4
    ABOVE_TESTED = 5
    NO_DEGREES = 6
    AT_BOUND = 7
    NOT_DETERMINED = 8
    NOT_CONFIRMED = 9
    TURNS = 10

    @property
    def text(self) -> str:
        """What it means and what to do; empty where a curve is fine."""
        return TEXTS[self]


TEXTS: Mapping[Status, str] = {
    Status.FINE: "",
    Status.TOO_FEW_POINTS: "fewer distinct doses than parameters; measure more doses or fix parameters",
    Status.NOT_CONVERGED: "the fit did not converge; look at the data, fix a plateau or try other starts",
    Status.NO_EFFECT: "no effect: the flat line fits as well (F test)",
    Status.BELOW_TESTED: "the EC50 lies below the lowest tested dose; add lower doses",
    Status.ABOVE_TESTED: "the EC50 lies above the highest tested dose; add higher doses",
    Status.NO_DEGREES: "as many parameters as points: no error, interval or test; add points or fix some",
    Status.AT_BOUND: "at the limit of what the data can show; see the open intervals",
    Status.NOT_DETERMINED: "the data do not tell the parameters apart; fix some of them",
    Status.NOT_CONFIRMED: "a minimum, but few other starts reach it; try other starts",
    Status.TURNS: "the response turns back at high doses, which this curve cannot follow; fit the model hook",
}
