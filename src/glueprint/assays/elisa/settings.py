"""What a person may choose in an ELISA analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from glueprint.assays import contract
from glueprint.assays.contract import Choice, Confidence, Exclude

__all__ = ["NO_REFERENCE", "Settings"]

# Says that a reference wavelength is in the file but must not be subtracted.
NO_REFERENCE = "none"


@dataclass(frozen=True)
class Settings(contract.Settings):
    """The choices of an ELISA analysis, each with its help.

    model: "auto" is 4PL unless the data ask for 5PL.   weights: "replicates" fits the power of the variance.
    replicate_cv_percent: 20 %, as ICH M10 asks of precision.
    Raises InputError GP-A083 for a choice that is not one.
    """

    CODE = "GP-A083"
    PAGE = "docs/elisa.md"

    channel: Annotated[
        str | None, Choice("Reading that is the signal, such as 450; else decided from the plate.")
    ] = None
    reference: Annotated[str | None, Choice('Reading to subtract, such as 650; "none": off.')] = None
    model: Annotated[
        str, Choice("Standard curve", ("auto", "4pl", "5pl", "5pl-mirrored", "linear", "power"))
    ] = "auto"
    weights: Annotated[str, Choice("Weights of the standards", ("replicates", "1/y2", "none"))] = "replicates"
    response: Annotated[
        str, Choice("Scale of the signal that is fitted, log10 for bead assays", ("linear", "log10"))
    ] = "linear"
    cv_limit_percent: Annotated[
        float,
        Choice("CV of the concentration at LLOQ and ULOQ", unit="%", above=0.0, below=100.0),
    ] = 20.0
    recovery_percent: Annotated[
        tuple[float, float], Choice("Recovery accepted for standards, LOW,HIGH", unit="%")
    ] = (80.0, 120.0)
    signal_range: Annotated[
        tuple[float, float] | None,
        Choice("Only mean signals between LOW,HIGH count, such as 0.186,2.380."),
    ] = None
    signal_cv_limit_percent: Annotated[
        float | None,
        Choice("Only mean signals of a smaller CV count", unit="%", above=0.0),
    ] = None
    viability_limit_percent: Annotated[
        float,
        Choice(
            "Wells of a smaller viability do not count in the inhibition", unit="%", above=0.0, below=1000.0
        ),
    ] = 80.0
    replicate_cv_percent: Annotated[
        float,
        Choice("CV beyond which technical replicates are said to differ", unit="%", above=0.0, below=1000.0),
    ] = 20.0
    confidence: Confidence = 0.95
    exclude: Exclude = ()
