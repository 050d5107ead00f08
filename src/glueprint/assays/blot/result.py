"""What a blot analysis gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from glueprint.assays.blot.boxes import Boxes
from glueprint.assays.blot.integration import PROFILES, VOLUMES
from glueprint.assays.blot.linearity import LINEARITY
from glueprint.assays.blot.normalisation import BANDS
from glueprint.assays.blot.optical import Signal
from glueprint.assays.contract import AssayResult, with_common

__all__ = ["Result"]

SHOWN_VOLUMES = ("membrane", "lane", "band", "role", "volume", "noise_sd", "saturated_percent", "status")
SHOWN_BANDS = (
    *("membrane", "lane", "target", "sample", "dose_nm", "time_h", "treatment", "relation"),
    *("fraction_remaining", "log_ratio", "log_ratio_se", "flags"),
)
# Lanes of a dilution series say how bands respond to loading; they are no lanes of an experiment.
SERIES = "dilution series"


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Result(AssayResult):
    """All that a blot analysis found; the tables are on docs/blot.md.

    pictures: "blot" and "reference", turned straight.   boxes: used, given or found.   metadata: of the file.
    parts: of several parts of one picture, the result of each; then `boxes`, `pictures` and the turn are
    those of the first, and the tables hold all.
    """

    ASSAY = "blot"
    SCHEMAS = with_common(
        {
            "bands": pl.Schema(BANDS),
            "volumes": pl.Schema(VOLUMES),
            "linearity": pl.Schema(LINEARITY),
            "profiles": pl.Schema(PROFILES),
        }
    )
    # A row a pixel.
    LONG = frozenset({"profiles"})

    rotation_deg: float
    boxes: Boxes
    pictures: Mapping[str, Signal]
    metadata: Mapping[str, str]
    parts: tuple[Result, ...] = ()

    @property
    def membranes(self) -> tuple[Result, ...]:
        """The result of each part of the picture; of an undivided one itself."""
        return self.parts or (self,)

    @property
    def lanes(self) -> pl.DataFrame:
        """The bands that a degradation analysis can take."""
        return self.tables["bands"].filter(self._usable)

    @property
    def _usable(self) -> pl.Expr:
        return pl.col("fraction_remaining").is_not_null() & ~pl.col("flags").str.contains(SERIES)

    def files(self) -> dict[str, pl.DataFrame]:
        """As of every result; the bands that no degradation analysis can take are a table of their own."""
        left_out = self.tables["bands"].filter(~self._usable)
        return super().files() | {"bands": self.lanes, "bands_left_out": left_out}

    def about(self) -> dict[str, Any]:
        """Light, unit, turn, boxes and metadata."""
        picture = self.pictures["blot"]
        return {
            "light": picture.light,
            "unit": picture.unit,
            "rotation_deg": self.rotation_deg,
            "boxes": self.boxes.file.model_dump(),
            "parts": [
                {"rotation_deg": part.rotation_deg, "boxes": part.boxes.file.model_dump()}
                for part in self.parts
            ],
            "metadata": dict(self.metadata),
        }

    def summary(self) -> dict[str, pl.DataFrame]:
        """Volumes, fractions of vehicle and dilution series."""
        bands = self.tables["bands"]
        reference = bands["reference"][0] if bands.height else "nothing"
        return {
            f"Volumes, {self.pictures['blot'].unit} summed over pixels": self.tables["volumes"].select(
                SHOWN_VOLUMES
            ),
            f"Of vehicle, divided by {reference}": bands.select(SHOWN_BANDS),
            "Dilution series": self.tables["linearity"],
        }
