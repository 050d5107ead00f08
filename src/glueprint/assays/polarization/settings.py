"""What a polarisation assay must say beside its plate: totals with their uncertainty, and the optics."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated, Any, ClassVar

from glueprint.assays import contract
from glueprint.assays.contract import Choice, Confidence, Exclude
from glueprint.errors import InputError, nearest

__all__ = ["Amount", "Conditions", "Optics", "Settings"]

# Two-sided 95 % of a normal distribution, in standard deviations.
NORMAL_95 = 1.959963984540054
# What a layout may say of the light.
LIGHT = ("g_factor", "free_dye_mp", "brightness_ratio")


@dataclass(frozen=True)
class Amount:
    """A concentration or a constant, nM, with a log-normal uncertainty.

    value_nm: median, above 0.   cv: coefficient of variation, 0 for exact, None where nobody said.
    """

    # What it is made of in options and layouts: NAME_nm and so on.
    PARTS: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "nm": "value, nM.",
            "cv": "coefficient of variation, 0.2 is 20 %, 0 is exact.",
            "low": "lower end of its 95 % interval, nM.",
            "high": "upper end of its 95 % interval, nM.",
        }
    )

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

    @staticmethod
    def of_parts(name: str, parts: Mapping[str, float | None]) -> Amount | None:
        """An amount from the values of `PARTS`, with a CV or an interval; None where nothing is said.

        Raises InputError GP-A062 for an uncertainty without value, half an interval, or two uncertainties.
        """
        value, cv, low, high = (parts[part] for part in Amount.PARTS)
        if value is None and (cv, low, high) == (None, None, None):
            return None
        if value is None or (low is None) != (high is None) or None not in (cv, low):
            option = name.replace("_", "-")
            raise _refused(
                f"{name}: a value with either a CV or both ends of an interval is wanted",
                f"--{option}-nm 50 with --{option}-cv 0.2, or with --{option}-low 35 --{option}-high 70",
            )
        return Amount(value, cv) if low is None or high is None else Amount.between(value, low, high)

    @property
    def log_sd(self) -> float:
        """Standard deviation of the natural logarithm; 0 where the uncertainty is zero or not stated.

        Source: moments of the log-normal distribution, sd^2 = ln(1 + CV^2).
        """
        return math.sqrt(math.log1p((self.cv or 0.0) ** 2))


class _Part(contract.Settings):
    CODE = "GP-A062"
    PAGE = "docs/polarization.md"


@dataclass(frozen=True)
class Conditions(_Part):
    """Totals on the plate and the tracer's Kd; a Ki needs all three, protein and Kd with uncertainty.

    protein: total *active* binding sites.   tracer: total tracer.   tracer_kd: of tracer to protein.
    """

    protein: Annotated[Amount | None, Choice("Total active protein:")] = None
    tracer: Annotated[Amount | None, Choice("Total tracer:")] = None
    tracer_kd: Annotated[Amount | None, Choice("Kd of the tracer:")] = None

    def missing(self) -> tuple[str, ...]:
        """What a Ki still needs, in words for people."""
        wanted = []
        for one in self.fields():
            amount: Amount | None = getattr(self, one.name)
            words = one.name.replace("tracer_kd", "tracer Kd")
            if amount is None:
                wanted.append(words if one.name == "tracer_kd" else f"{words} concentration")
            elif amount.cv is None and one.name != "tracer":
                wanted.append(f"uncertainty of the {words}")
        return tuple(wanted)


@dataclass(frozen=True)
class Optics(_Part):
    """How the light becomes anisotropy.

    g_factor: None: from `free_dye_mp`, else 1 with a warning.   free_dye_mp: of the wells "free_dye" (or of
    "tracer_only" where there are none).   brightness_ratio: None: from the intensities of the controls.
    """

    g_factor: Annotated[float | None, Choice("G factor of the reader.", above=0.0)] = None
    # P of an isotropic solution lies between -1/3 and 1/2, Lakowicz as in signal.py, section 10.2.
    free_dye_mp: Annotated[
        float | None,
        Choice(
            "Known mP of the wells free_dye.",
            above=-334.0,
            below=500.0,
            expected="mP between -333 and 500, fluorescein is 27",
        ),
    ] = None
    brightness_ratio: Annotated[float | None, Choice("Q: brightness bound over free.", above=0.0)] = None
    parallel: Annotated[str, Choice("Name of the parallel channel.")] = "parallel"
    perpendicular: Annotated[str, Choice("Name of the other channel.")] = "perpendicular"
    polarization: Annotated[str, Choice("Name of the stored mP.", option="mp-channel")] = "mP"


@dataclass(frozen=True)
class Settings(_Part):
    """The choices of an analysis of polarisation: what a laboratory states, and how the light is read.

    Raises InputError GP-A062 for a choice that is not one.
    """

    conditions: Annotated[Conditions, Choice("Totals on the plate and the tracer's Kd.")] = Conditions()
    optics: Annotated[Optics, Choice("How the light becomes anisotropy.")] = Optics()
    confidence: Confidence = 0.95
    exclude: Exclude = ()

    def completed(self, assay: Mapping[str, float], source: str) -> Settings:
        """Itself with what a layout states where it is silent; an amount is taken whole.

        assay, source: of the layout.
        Raises InputError GP-A062 for a name that no binding assay has, and as `Amount.of_parts`.
        """
        amounts, light = self.conditions.fields(), LIGHT
        known = [f"{one.name}_{part}" for one in amounts for part in Amount.PARTS] + list(light)
        for name in assay:
            if name not in known:
                raise InputError(
                    self.CODE,
                    f'no setting "{name}" of a binding assay{nearest(name, known)}',
                    where=f"{source or 'layout'}, [assay]",
                    expected=f"one of {', '.join(known)}",
                    next_step="correct the name, or leave it out",
                )
        stated = {
            name: Amount.of_parts(name, {part: assay.get(f"{name}_{part}") for part in Amount.PARTS})
            for name in (one.name for one in amounts)
            if getattr(self.conditions, name) is None
        }
        seen: dict[str, Any] = {name: assay.get(name) for name in light if getattr(self.optics, name) is None}
        return replace(
            self, conditions=replace(self.conditions, **stated), optics=replace(self.optics, **seen)
        )


def _refused(what: str, expected: str) -> InputError:
    return InputError(
        "GP-A062",
        what,
        where="settings of the polarisation assay",
        expected=expected,
        next_step="correct the setting; see docs/polarization.md",
    )
