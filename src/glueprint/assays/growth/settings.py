"""What a person may choose in an analysis of growth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from glueprint.assays import contract
from glueprint.assays.contract import Choice, Confidence, Exclude

__all__ = ["Settings"]

FRACTION = "a fraction of the control, such as 1 or 0"


@dataclass(frozen=True)
class Settings(contract.Settings):
    """The choices of an analysis of growth, each with its help.

    Raises InputError GP-A163 for a choice that is not one.
    """

    CODE = "GP-A163"
    PAGE = "docs/growth.md"

    model: Annotated[str, Choice("Of viability against dose", ("4pl", "3pl", "5pl"))] = "4pl"
    top: Annotated[
        float | None,
        Choice("Hold the plateau without drug, as a fraction.", least=-1, most=5, expected=FRACTION),
    ] = None
    bottom: Annotated[
        float | None, Choice("Hold the far plateau, as a fraction.", least=-1, most=5, expected=FRACTION)
    ] = None
    effect: Annotated[
        str, Choice("F test of each curve, or false discovery rate over all, at 5 %", ("f", "discover"))
    ] = "f"
    index: Annotated[
        str, Choice("What is read from generations of dividing cells", ("divided", "division-index"))
    ] = "divided"
    channel: Annotated[str | None, Choice("Reading of the plate that is the signal.")] = None
    dose_unit: Annotated[str | None, Choice("Unit of a column dose, such as uM or ug/mL.")] = None
    confidence: Confidence = 0.95
    exclude: Exclude = ()

    def together(self) -> None:
        """A top above the bottom; a fixed bottom leaves nothing to discover."""
        if self.top is not None and self.bottom is not None and not self.top > self.bottom:
            raise self.refusal("top", f"{self.top:g} with bottom {self.bottom:g}", "a top above the bottom")
        if self.bottom is not None and self.effect == "discover":
            raise self.refusal("effect", '"discover" with a fixed bottom', "effect f, or a free bottom")
