"""What a person may choose in an analysis of growth, checked in one place."""

from __future__ import annotations

from dataclasses import dataclass

from glueprint.errors import InputError, nearest

__all__ = ["EFFECTS", "INDICES", "MODELS", "Settings"]

MODELS = ("4pl", "3pl", "5pl")
EFFECTS = ("f", "discover")
INDICES = ("divided", "division-index")


@dataclass(frozen=True)
class Settings:
    """The choices of an analysis.

    model: of viability against dose.   top, bottom: plateaus held at these fractions, None: fitted.
    effect: "f" the F test of each curve at 5 %, "discover" a false discovery rate of 5 % over all curves.
    index: what is read from generations of dividing cells.   dose_unit: of a column dose without dose_unit.
    confidence: of all intervals.   exclude: wells to leave out, each "A1,A2=reason" or "row 7=reason".
    """

    model: str = "4pl"
    top: float | None = None
    bottom: float | None = None
    effect: str = "f"
    index: str = "divided"
    dose_unit: str | None = None
    confidence: float = 0.95
    exclude: tuple[str, ...] = ()

    def checked(self) -> Settings:
        """Itself.

        Raises InputError GP-A163 for a choice that is not one.
        """
        for name, allowed in (("model", MODELS), ("effect", EFFECTS), ("index", INDICES)):
            chosen = str(getattr(self, name))
            if chosen not in allowed:
                raise _refusal(name, f'"{chosen}"{nearest(chosen, allowed)}', "one of " + ", ".join(allowed))
        if not 0.0 < self.confidence < 1.0:
            raise _refusal("confidence", f"{self.confidence:g}", "a number between 0 and 1")
        for name in ("top", "bottom"):
            value = getattr(self, name)
            if value is not None and not -1.0 <= value <= 5.0:
                raise _refusal(name, f"{value:g}", "a fraction of the control, such as 1 or 0")
        if self.top is not None and self.bottom is not None and not self.top > self.bottom:
            raise _refusal("top", f"{self.top:g} with bottom {self.bottom:g}", "a top above the bottom")
        if self.bottom is not None and self.effect == "discover":
            raise _refusal("effect", '"discover" with a fixed bottom', "effect f, or a free bottom")
        return self


def _refusal(where: str, message: str, expected: str) -> InputError:
    return InputError(
        "GP-A163", message, where=f"setting {where}", expected=expected, next_step="correct the setting"
    )
