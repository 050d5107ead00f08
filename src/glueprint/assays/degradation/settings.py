"""What a person may choose in an analysis of degradation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from glueprint.assays import contract
from glueprint.assays.contract import Choice, Confidence, Exclude

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings(contract.Settings):
    """The choices of an analysis of degradation, each with its help.

    method: "auto" is joint where it can be.   error: "proportional" fits logarithms.   hook: "test" whether
    high doses lose less.
    Raises InputError GP-A141 for a choice that is not one.
    """

    CODE = "GP-A141"
    PAGE = "docs/degradation.md"

    method: Annotated[
        str, Choice("Dose and time together, or a logistic at each time", ("auto", "joint", "per-time"))
    ] = "auto"
    error: Annotated[
        str, Choice("Error of a reading; auto is the likelier", ("auto", "proportional", "constant"))
    ] = "auto"
    hook: Annotated[str, Choice("Whether high doses may lose less", ("test", "never"))] = "test"
    hook_alpha: Annotated[float, Choice("Level of the F test for a hook.", above=0.0, below=1.0)] = 0.01
    time_h: Annotated[
        float | None, Choice("Time of all lanes that have none of their own", above=0.0, unit="hours")
    ] = None
    confidence: Confidence = 0.95
    exclude: Exclude = ()
