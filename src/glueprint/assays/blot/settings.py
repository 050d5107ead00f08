"""What a person may choose in a blot analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from glueprint.assays import contract
from glueprint.assays.blot.colours import CHANNELS
from glueprint.assays.contract import Choice, Exclude

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings(contract.Settings):
    """The choices of a blot analysis, each with its help.

    light: None: emission where bands are bright, refused where dark.   channel: as `image.read` takes it.
    crop: in pixels of the stored picture.   base_line_px: None: from the tallest band.   reference: None:
    total protein, else the one loading control.
    Raises InputError GP-A121 for a choice that is not one.
    """

    CODE = "GP-A121"
    PAGE = "docs/blot.md"

    light: Annotated[
        str | None, Choice("Bright bands, or dark ones read as optical density", ("emission", "transmission"))
    ] = None
    invert: Annotated[bool, Choice("The file holds ceiling minus counts.")] = False
    page: Annotated[int | None, Choice("Page of a file with several, from 1.", least=1)] = None
    channel: Annotated[str | None, Choice("Of a colour image, grey is their mean", CHANNELS)] = None
    crop: Annotated[
        tuple[str, ...],
        Choice("Part to read: [NAME=]TOP:BOTTOM,LEFT:RIGHT, px; several are membranes of their own."),
    ] = ()
    background_light: Annotated[
        float | None, Choice("Counts where nothing absorbs, else from the image.", above=0.0, most=1e6)
    ] = None
    background: Annotated[
        str,
        Choice("Base line, gaps between lanes, or median of the rim of a band", ("lane", "beside", "border")),
    ] = "lane"
    base_line_px: Annotated[int | None, Choice("Half window of the base line", unit="px", least=2)] = None
    rim_px: Annotated[int, Choice("Width of the rim", unit="px", least=1)] = 3
    detection_sd: Annotated[
        float, Choice("Detection limit, standard deviations of the background.", above=0.0, most=100.0)
    ] = 3.0
    saturation_percent: Annotated[
        float, Choice("Pixels of a band that may be at the ceiling", unit="%", above=0.0, most=100.0)
    ] = 0.1
    reference: Annotated[str | None, Choice("Band to divide by.")] = None
    exclude: Exclude = ()

    def together(self) -> None:
        """Light behind nothing is of a scan in transmission."""
        if self.background_light is not None and self.light != "transmission":
            raise self.refusal(
                "background_light", f"{self.background_light:g}", 'light "transmission" beside it'
            )
