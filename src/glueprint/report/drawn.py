"""A figure as the page holds it: a still SVG for print and no script, and a live description beside it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from glueprint.report.embedding import embeddable
from glueprint.report.figures import drawing, theme

__all__ = ["SPOKEN", "Drawn", "draw"]

SPOKEN = re.compile(r' (?:role|aria-roledescription|aria-label|aria-hidden|pointer-events)="[^"]*"')


@dataclass(frozen=True)
class Drawn:
    """A figure ready for the template.

    name: id in the page.   still: SVG.   live: JSON of the interactive description, without configuration.
    width_px: the live figure's natural width.   description: what a reader who cannot see it should know.
    caption: plain text beside the figure.   key: the arms drawn, to be named in their colours.
    """

    name: str
    still: Markup
    live: Markup
    width_px: int
    description: str
    caption: str
    key: tuple[str, ...] = ()


def draw(
    name: str, chart: Callable[[bool], Any], *, description: str, caption: str, key: tuple[str, ...] = ()
) -> Drawn:
    """Draw a figure twice: `chart(False)` as a still, `chart(True)` as the live description."""
    # The page sets the font, and describes the figure as a whole: inside one image no part has a role.
    still = SPOKEN.sub("", drawing.svg(chart(False), prefix=name).replace(f' font-family="{theme.FONT}"', ""))
    live = chart(True).to_dict(validate=False)
    live["datasets"] = {key: packed(rows) for key, rows in live.get("datasets", {}).items()}
    for shared in ("$schema", "config"):
        live.pop(shared, None)
    width = int(float(still.split('width="', 1)[1].split('"', 1)[0]))
    caption = caption.replace(" %", "\u00a0%")
    return Drawn(name, Markup(still), embeddable(live), width, description, caption, key)


def packed(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Rows as one list of fields and one of values: a third of the bytes; templates/page.js unpacks them."""
    fields = list(rows[0]) if rows else []
    return {"fields": fields, "rows": [[row[field] for field in fields] for row in rows]}
