"""What a blot analysis gives back: tables, the straight pictures, boxes and findings, all frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from glueprint.assays.blot.boxes import Boxes
from glueprint.assays.blot.optical import Signal
from glueprint.assays.blot.settings import Settings
from glueprint.assays.findings import Finding, findings_table

__all__ = ["Result"]


@dataclass(frozen=True)
class Result:
    """All that an analysis found.

    tables: "bands" (a row a lane and target, as `assays.degradation` takes it), "volumes", "linearity",
    "profiles"; docs/blot.md lists their columns.   pictures: "blot" and "reference", turned straight.
    boxes: used, given or found.   metadata: of the image file.   findings: in the order met.
    parts: of several parts of one picture, the result of each; then `boxes`, `pictures` and the turn are
    those of the first, and the tables hold all.
    """

    settings: Settings
    rotation_deg: float
    boxes: Boxes
    pictures: Mapping[str, Signal]
    tables: Mapping[str, pl.DataFrame]
    metadata: Mapping[str, str]
    findings: tuple[Finding, ...]
    parts: tuple[Result, ...] = ()

    @property
    def membranes(self) -> tuple[Result, ...]:
        """The result of each part of the picture; of an undivided one itself."""
        return self.parts or (self,)

    @property
    def refused(self) -> bool:
        """Whether something asked for was not computed."""
        return any(finding.severity == "refusal" for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Everything by name, for `--json`; profiles, a row a pixel, stay in the table."""
        picture = self.pictures["blot"]
        return {
            "settings": asdict(self.settings),
            "light": picture.light,
            "unit": picture.unit,
            "rotation_deg": self.rotation_deg,
            "boxes": self.boxes.file.model_dump(),
            "parts": [
                {"rotation_deg": part.rotation_deg, "boxes": part.boxes.file.model_dump()}
                for part in self.parts
            ],
            "metadata": dict(self.metadata),
            "tables": {name: table.to_dicts() for name, table in self.tables.items() if name != "profiles"},
            "findings": findings_table(self.findings).to_dicts(),
        }
