"""What a person may choose in an ELISA analysis, checked in one place."""

from __future__ import annotations

import math
from dataclasses import dataclass

from glueprint.errors import InputError, nearest

__all__ = ["MODELS", "NO_REFERENCE", "RESPONSES", "WEIGHTS", "Settings"]

MODELS = ("auto", "4pl", "5pl", "5pl-mirrored", "linear", "power")
WEIGHTS = ("replicates", "1/y2", "none")
RESPONSES = ("linear", "log10")
# Says that a reference wavelength is in the file but must not be subtracted.
NO_REFERENCE = "none"


@dataclass(frozen=True)
class Settings:
    """The choices of an analysis.

    channel, reference: which readings make the signal; None: decided from the plate and said; reference
    "none": off.
    model: "auto" is 4PL unless the data ask for 5PL.   weights: "replicates" (variance power), "1/y2" or
    "none".
    response: "log10" fits the logarithm of the signal, as bead assays do.
    cv_limit_percent: of the concentration, for LLOQ and ULOQ.   recovery_percent: accepted for standards.
    signal_range, signal_cv_limit_percent: a plate's own rule for what may be reported, None: not asked.
    replicate_cv_percent: of the concentrations of technical replicates, beyond which they are said to differ
    (20 %, as ICH M10 asks of precision).
    viability_limit_percent: wells below it do not count in the inhibition of TNF.   confidence: of all
    intervals.   exclude: wells to leave out, each "A1,A2=reason" (`quality.exclusions.parse`).
    """

    channel: str | None = None
    reference: str | None = None
    model: str = "auto"
    weights: str = "replicates"
    response: str = "linear"
    cv_limit_percent: float = 20.0
    recovery_percent: tuple[float, float] = (80.0, 120.0)
    signal_range: tuple[float, float] | None = None
    signal_cv_limit_percent: float | None = None
    viability_limit_percent: float = 80.0
    replicate_cv_percent: float = 20.0
    confidence: float = 0.95
    exclude: tuple[str, ...] = ()

    def checked(self) -> Settings:
        """Itself.

        Raises InputError GP-A083 for a choice that is not one.
        """
        for name, allowed in (("model", MODELS), ("weights", WEIGHTS), ("response", RESPONSES)):
            chosen = getattr(self, name)
            if chosen not in allowed:
                raise _refusal(
                    name, f'"{chosen}"{nearest(str(chosen), allowed)}', "one of " + ", ".join(allowed)
                )
        for name, most in (
            ("cv_limit_percent", 100.0),
            ("viability_limit_percent", 1000.0),
            ("replicate_cv_percent", 1000.0),
            ("confidence", 1.0),
        ):
            value = getattr(self, name)
            if not 0.0 < value < most:
                raise _refusal(name, f"{value:g}", f"a number between 0 and {most:g}")
        for name in ("recovery_percent", "signal_range"):
            pair = getattr(self, name)
            if pair is not None and not (all(math.isfinite(end) for end in pair) and pair[0] < pair[1]):
                raise _refusal(name, f"{pair[0]:g}, {pair[1]:g}", "two finite numbers, the lower first")
        limit = self.signal_cv_limit_percent
        if limit is not None and not limit > 0.0:
            raise _refusal("signal_cv_limit_percent", f"{limit:g}", "a number above 0")
        return self


def _refusal(name: str, what: str, expected: str) -> InputError:
    return InputError("GP-A083", what, where=name, expected=expected, next_step="see docs/elisa.md, Choices")
