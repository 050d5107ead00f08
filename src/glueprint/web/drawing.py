"""A plate as one SVG: wells to be chosen by mouse and keyboard, how bright each is, what was left out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

from glueprint.assays.plate import SIZES, row_letters

__all__ = ["Well", "plate_svg"]

SPACING: Mapping[int, float] = {1536: 12.0, 384: 20.0}
USUAL_SPACING, MARGIN = 34.0, 22.0
MARKS: Mapping[str, str] = {
    "blank": "B",
    "standard": "S",
    "control": "K",
    "sample": "X",
    "empty": "-",
    "competitor": "C",
    "tracer_only": "t",
    "tracer_protein": "T",
    "protein_only": "p",
    "free_dye": "d",
    "vehicle": "V",
    "compound": "C",
    "time0": "0",
    "stimulated": "+",
    "unstimulated": "u",
    "positive": "P",
    "negative": "N",
}


@dataclass(frozen=True)
class Well:
    """One well. value: None where nothing was read.   out: why it is left out, or ""."""

    name: str
    row: int
    column: int
    value: float | None
    role: str = ""
    sample: str = ""
    dose: str = ""
    out: str = ""
    flag: str = ""

    @property
    def words(self) -> str:
        """What a reader is told of it."""
        value = "nothing read" if self.value is None else f"{self.value:.4g}"
        parts = (self.role, self.sample, self.dose, self.flag, self.out and f"left out: {self.out}")
        return "; ".join([value, *filter(None, parts)])


def plate_svg(wells: Mapping[str, Well], size: int) -> Markup:
    """The plate with all its places; brightness is a dot whose size grows with the value, so that it needs no
    colour. wells: by name."""
    rows, columns = SIZES[size]
    step = SPACING.get(size, USUAL_SPACING)
    radius = step * (0.36 if step == USUAL_SPACING else 0.42)
    width, height = MARGIN + columns * step + 4, MARGIN + rows * step + 4
    values = [well.value for well in wells.values() if well.value is not None and math.isfinite(well.value)]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    parts = [
        f'<svg class="plate" id="plate" viewBox="0 0 {width:g} {height:g}" role="grid" '
        f'aria-label="Plate of {size} wells" aria-multiselectable="true" tabindex="0" '
        f'data-rows="{rows}" data-columns="{columns}">'
    ]
    for column in range(columns):
        x = MARGIN + (column + 0.5) * step
        parts.append(f'<text class="head" data-column="{column}" x="{x:g}" y="14">{column + 1}</text>')
    for row in range(rows):
        y = MARGIN + (row + 0.5) * step
        parts.append(
            f'<text class="head" data-row="{row}" x="10" y="{y + 3:g}">{row_letters(row)}</text>'
            '<g role="row">'
        )
        for column in range(columns):
            name = f"{row_letters(row)}{column + 1}"
            parts.append(_well(wells.get(name) or Well(name, row, column, None), step, radius, (low, high)))
        parts.append("</g>")
    return Markup("".join([*parts, "</svg>"]))


def _well(well: Well, step: float, radius: float, ends: tuple[float, float]) -> str:
    x, y = MARGIN + (well.column + 0.5) * step, MARGIN + (well.row + 0.5) * step
    about = f'id="w-{well.name}" data-well="{well.name}" data-words="{escape(well.words)}"'
    label = escape(f"{well.name}: {well.words}")
    parts = [
        f'<circle class="well" role="gridcell" aria-selected="false" {about} aria-label="{label}" '
        f'data-row="{well.row}" data-column="{well.column}" cx="{x:g}" cy="{y:g}" r="{radius:g}"/>'
    ]
    if well.value is not None and math.isfinite(well.value):
        share = (well.value - ends[0]) / (ends[1] - ends[0]) if ends[1] > ends[0] else 1.0
        parts.append(
            f'<circle class="heat" cx="{x:g}" cy="{y:g}" r="{radius * (0.12 + 0.8 * math.sqrt(share)):.2f}"/>'
        )
    if well.role and step == USUAL_SPACING:
        mark = escape(MARKS.get(well.role, "?"))
        parts.append(f'<text class="mark" x="{x:g}" y="{y + radius + 7:.1f}">{mark}</text>')
    if well.out:
        d = radius * 0.75
        parts.append(f'<path class="out" d="M{x - d:.1f} {y - d:.1f}L{x + d:.1f} {y + d:.1f}"/>')
    return "".join(parts)
