"""The pathway from the glue to the patient as an SVG whose boxes hold the values of one course on one day.

Classes and no colours, as in `charts`. What a box says stands in it as text; its bar only repeats it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from glueprint.mechanism import partners
from glueprint.study import course as courses

__all__ = ["pathway_map"]

WIDTH, HEIGHT = 934.0, 392.0
BOX, TALL, STEP = 150.0, 50.0, 190.0
BAR, MOST_FOLD = 134.0, 1.5


@dataclass(frozen=True)
class Place:
    """Where a node is drawn. column: from 0.   top: of its box.   words: over its value."""

    column: int
    top: float
    words: str = ""

    @property
    def left(self) -> float:
        """Of the box."""
        return 8.0 + STEP * self.column

    @property
    def middle(self) -> float:
        """Height of the middle of the box."""
        return self.top + TALL / 2


PLACES: Mapping[str, Place] = {
    "free glue": Place(0, 150, "glue, free in plasma"),
    "cereblon bound": Place(1, 150),
    "IKZF1, myeloma": Place(2, 22, "IKZF1"),
    "IKZF3, myeloma": Place(2, 78, "IKZF3"),
    "IKZF1, T cells": Place(2, 174, "IKZF1"),
    "IKZF3, T cells": Place(2, 230, "IKZF3"),
    "IKZF1, progenitors": Place(2, 328, "IKZF1"),
    "IRF4": Place(3, 22),
    "MYC": Place(3, 78),
    "NK and CD8 activation": Place(3, 202),
    "neutrophils": Place(3, 300),
    "platelets": Place(4, 300),
    "M-protein": Place(4, 22),
    "kill of myeloma": Place(4, 114),
    "partner's effect": Place(4, 202),
}
GROUPS = (("myeloma cells", 2, 16), ("T cells", 2, 168), ("progenitors, marrow", 2, 322),
          ("in culture", 3, 16), ("tumour", 4, 16))  # fmt: skip
# From, to, whether the first lowers the second; ends at the sides of the boxes unless a path says otherwise.
EDGES = (
    ("free glue", "cereblon bound", False),
    ("cereblon bound", "IKZF1, myeloma", True),
    ("cereblon bound", "IKZF3, myeloma", True),
    ("cereblon bound", "IKZF1, T cells", True),
    ("cereblon bound", "IKZF3, T cells", True),
    ("cereblon bound", "IKZF1, progenitors", True),
    ("IKZF1, myeloma", "IRF4", False),
    ("IKZF3, myeloma", "IRF4", False),
    ("IKZF1, T cells", "NK and CD8 activation", True),
    ("IKZF3, T cells", "NK and CD8 activation", True),
    ("NK and CD8 activation", "kill of myeloma", False),
    ("IKZF1, progenitors", "neutrophils", False),
)


def pathway_map(course: courses.Course) -> Markup:
    """The map of a course: an SVG element with all values in its description."""
    rows = {row["node"]: row for row in course.pathway.to_dicts() if row["node"] in PLACES}
    said = "; ".join(f"{name}: {_value(row)}" for name, row in rows.items())
    parts = [
        f'<svg class="pathway" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" '
        f'aria-label="The pathway on day {course.plan.shown_day}. {escape(said)}">'
        '<defs><marker id="rises" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker><marker id="lowers" viewBox="0 0 4 10" '
        'refX="3" refY="5" markerWidth="4" markerHeight="10" orient="auto"><path class="bar" d="M3 0V10"/>'
        "</marker></defs>"
    ]
    parts += [_edge(PLACES[first], PLACES[last], lowers) for first, last, lowers in EDGES]
    parts += [_line(path, lowers) for path, lowers in _own_ways()]
    parts += [
        f'<text class="cells" x="{8 + STEP * column:g}" y="{top - 1:g}">{escape(words)}</text>'
        for words, column, top in GROUPS
    ]
    parts += [_box(PLACES[name], name, row) for name, row in rows.items()]
    return Markup("".join([*parts, "</svg>"]))


def _own_ways() -> list[tuple[str, bool]]:
    """Arrows that go from the bottom or the top of a box, or around one."""
    at = PLACES
    irf4, myc, kill = at["IRF4"], at["MYC"], at["kill of myeloma"]
    ikzf3, partner, nk = at["IKZF3, myeloma"], at["partner's effect"], at["NK and CD8 activation"]
    blood, middle = at["neutrophils"], BOX / 2
    return [
        (f"M{irf4.left + middle - 10:g} {irf4.top + TALL:g}V{myc.top:g}", False),
        (f"M{irf4.left + middle + 10:g} {myc.top:g}V{irf4.top + TALL:g}", False),
        (f"M{ikzf3.left + middle:g} {ikzf3.top + TALL:g}V{kill.middle + 8:g}H{kill.left:g}", True),
        (f"M{kill.left + middle:g} {kill.top:g}V{at['M-protein'].top + TALL:g}", True),
        (f"M{partner.left + middle:g} {partner.top:g}V{kill.top + TALL:g}", False),
        (f"M{partner.left:g} {partner.middle:g}H{nk.left + BOX:g}", True),
        (
            f"M{at['IKZF1, progenitors'].left + BOX:g} {at['IKZF1, progenitors'].middle + 14:g}"
            f"H{at['platelets'].left + middle:g}V{blood.top + TALL:g}",
            False,
        ),
    ]


def _edge(first: Place, last: Place, lowers: bool) -> str:
    return _line(f"M{first.left + BOX:g} {first.middle:g}L{last.left:g} {last.middle:g}", lowers)


def _line(path: str, lowers: bool) -> str:
    kind = "lowers" if lowers else "rises"
    return f'<path class="way" d="{path}" marker-end="url(#{kind})"/>'


def _box(place: Place, name: str, row: Mapping[str, Any]) -> str:
    words = place.words or (_partner() if name == "partner's effect" else name)
    style = "node culture" if row["model"] == "culture" else "node"
    parts = [
        f'<g transform="translate({place.left:g} {place.top:g})"><rect class="{style}" width="{BOX:g}" '
        f'height="{TALL:g}" rx="4"/><text x="8" y="15">{escape(words)}</text>'
        f'<text class="value" x="8" y="34">{escape(_value(row))}</text>'
    ]
    if (share := _share(row)) is not None:
        parts.append(f'<rect class="share" x="8" y="41" width="{BAR * share:.1f}" height="4"/>')
    if row["before"]:
        x = 8 + BAR / MOST_FOLD
        parts.append(f'<path class="one" d="M{x:.1f} 38v10"/>')
    return "".join([*parts, "</g>"])


def _partner() -> str:
    return f"{next(iter(partners.rows()))}, effect"


def _share(row: Mapping[str, Any]) -> float | None:
    """How long the bar is: against the value before where there is one, else against 1; none for a
    concentration, which has no end."""
    if row["value"] is None or (row["unit"] and not row["before"]):
        return None
    ratio = row["value"] / row["before"] / MOST_FOLD if row["before"] else row["value"]
    return float(min(max(ratio, 0.0), 1.0))


def _value(row: Mapping[str, Any]) -> str:
    if row["value"] is None:
        return "not known"
    if row["unit"]:
        before = f", from {row['before']:.3g}" if row["before"] else ""
        return f"{row['value']:.3g} {row['unit']}{before}"
    if row["before"]:
        return f"{100 * row['value']:.3g} % left"
    return f"{row['value']:.2g}" if row["node"] == "kill of myeloma" else f"{100 * row['value']:.3g} %"
