"""What a person may choose in a blot analysis, checked in one place."""

from __future__ import annotations

import math
from dataclasses import dataclass

from glueprint.assays.blot.colours import CHANNELS
from glueprint.errors import InputError, nearest

__all__ = ["BACKGROUNDS", "LIGHTS", "Settings"]

LIGHTS = ("emission", "transmission")
BACKGROUNDS = ("lane", "beside", "border")


@dataclass(frozen=True)
class Settings:
    """The choices of an analysis.

    light: "emission" (camera counts of light: bright bands) or "transmission" (a scan of a film or stained
    gel: dark bands, read as optical density); None: emission where bands are bright, refused where dark.
    invert: the file holds ceiling minus counts.
    page: of a file with several pages, from 1.   channel: of a colour image, as `image.read` takes it.
    crop: parts of the picture to read, each "top:bottom,left:right" or "name=top:bottom,left:right" in pixels
    of the stored picture; several are membranes of their own.
    background_light: counts where nothing absorbs, of a transmission scan; None: from the image.
    background: "lane" (base line of the lane profile), "beside" (the gaps on both sides of the lane) or
    "border" (median of a rim around each band).
    base_line_px: half window of the base line, None: from the tallest band.   rim_px: width of the rim.
    detection_sd: detection limit in standard deviations of the background.
    saturation_percent: of a band's pixels that may be at the ceiling.
    reference: name of the band to divide by, None: total protein, else the one loading control.
    exclude: lanes to leave out, each "3,4=reason".
    """

    light: str | None = None
    invert: bool = False
    page: int | None = None
    channel: str | None = None
    crop: tuple[str, ...] = ()
    background_light: float | None = None
    background: str = "lane"
    base_line_px: int | None = None
    rim_px: int = 3
    detection_sd: float = 3.0
    saturation_percent: float = 0.1
    reference: str | None = None
    exclude: tuple[str, ...] = ()

    def checked(self) -> Settings:
        """Itself.

        Raises InputError GP-A121 for a choice that is not one.
        """
        for name, allowed in (("light", LIGHTS), ("background", BACKGROUNDS), ("channel", CHANNELS)):
            chosen = getattr(self, name)
            if chosen not in allowed and not (name != "background" and chosen is None):
                hint = nearest(str(chosen), allowed)
                raise _refusal(name, f'"{chosen}"{hint}', "one of " + ", ".join(allowed))
        for name, most in (("detection_sd", 100.0), ("saturation_percent", 100.0), ("background_light", 1e6)):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and 0.0 < value <= most):
                raise _refusal(name, f"{value:g}", f"a number above 0, at most {most:g}")
        for name, least in (("page", 1), ("base_line_px", 2), ("rim_px", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise _refusal(name, f"{value}", f"a whole number of at least {least}")
        if self.background_light is not None and self.light != "transmission":
            raise _refusal("background_light", f"{self.background_light:g}", 'light "transmission" beside it')
        return self


def _refusal(name: str, what: str, expected: str) -> InputError:
    return InputError("GP-A121", what, where=name, expected=expected, next_step="see docs/blot.md, Choices")
