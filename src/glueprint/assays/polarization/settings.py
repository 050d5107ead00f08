"""What a polarisation assay must say beside its plate: totals with their uncertainty, and the optics."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from glueprint.errors import InputError

__all__ = ["Amount", "Conditions", "Optics"]

# Two-sided 95 % of a normal distribution, in standard deviations.
NORMAL_95 = 1.959963984540054
Input = Literal["protein", "tracer", "tracer_kd"]


@dataclass(frozen=True)
class Amount:
    """A concentration or a constant, nM, with a log-normal uncertainty.

    value_nm: median, above 0.   cv: coefficient of variation, 0 for exact, None where nobody said.
    """

    value_nm: float
    cv: float | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.value_nm) and self.value_nm > 0.0):
            raise _refused(f"a concentration of {self.value_nm:g} nM", "a number above 0, in nM")
        if self.cv is not None and not 0.0 <= self.cv <= 3.0:
            raise _refused(f"a coefficient of variation of {self.cv:g}", "0 (exact) to 3; 0.2 is 20 %")

    @staticmethod
    def between(value_nm: float, low_nm: float, high_nm: float) -> Amount:
        """An amount from its 95 % interval, nM.

        Raises InputError GP-A062 unless low <= value <= high, all above 0.
        """
        if not 0.0 < low_nm <= value_nm <= high_nm < math.inf:
            raise _refused(
                f"{value_nm:g} nM with an interval of {low_nm:g} to {high_nm:g} nM", "low <= value <= high"
            )
        sd = math.log(high_nm / low_nm) / (2.0 * NORMAL_95)
        return Amount(value_nm, math.sqrt(math.expm1(sd * sd)))

    @property
    def log_sd(self) -> float:
        """Standard deviation of the natural logarithm; 0 where the uncertainty is zero or not stated.

        Source: moments of the log-normal distribution, sd^2 = ln(1 + CV^2).
        """
        return math.sqrt(math.log1p((self.cv or 0.0) ** 2))


@dataclass(frozen=True)
class Conditions:
    """Totals on the plate and the tracer's Kd; a Ki needs all three, protein and Kd with uncertainty.

    protein: total *active* binding sites.   tracer: total tracer.   tracer_kd: of tracer to protein.
    """

    protein: Amount | None = None
    tracer: Amount | None = None
    tracer_kd: Amount | None = None

    def missing(self) -> tuple[str, ...]:
        """What a Ki still needs, in words for people."""
        wanted = []
        for name in get_args(Input):
            amount: Amount | None = getattr(self, name)
            words = name.replace("tracer_kd", "tracer Kd")
            if amount is None:
                wanted.append(words if name == "tracer_kd" else f"{words} concentration")
            elif amount.cv is None and name != "tracer":
                wanted.append(f"uncertainty of the {words}")
        return tuple(wanted)


@dataclass(frozen=True)
class Optics:
    """How the light becomes anisotropy.

    g_factor: of the reader; None: from `free_dye_mp`, else 1 with a warning.   free_dye_mp: known
    polarisation of the wells "free_dye" (or of "tracer_only" where there are none), mP.   brightness_ratio:
    Q, bound over free; None: from the intensities of the controls.
    parallel, perpendicular, polarization: names of the channels.
    """

    g_factor: float | None = None
    free_dye_mp: float | None = None
    brightness_ratio: float | None = None
    parallel: str = "parallel"
    perpendicular: str = "perpendicular"
    polarization: str = "mP"

    def __post_init__(self) -> None:
        for name in ("g_factor", "brightness_ratio"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0.0):
                raise _refused(f"{name} = {value:g}", "a number above 0")
        # P of an isotropic solution lies between -1/3 and 1/2, Lakowicz as in signal.py, section 10.2.
        if self.free_dye_mp is not None and not -334.0 < self.free_dye_mp < 500.0:
            raise _refused(
                f"free_dye_mp = {self.free_dye_mp:g}", "mP between -333 and 500, fluorescein is 27"
            )


def _refused(what: str, expected: str) -> InputError:
    return InputError(
        "GP-A062",
        what,
        where="settings of the polarisation assay",
        expected=expected,
        next_step="correct the setting; see docs/polarization.md",
    )
