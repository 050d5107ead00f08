"""A figure as the page holds it: a still SVG for print and no script, and a live description beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from glueprint.report.figures import drawing

__all__ = ["Drawn", "draw", "embeddable"]


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
    still = drawing.svg(chart(False), prefix=name)
    live = chart(True).to_dict(validate=False)
    for shared in ("$schema", "config"):
        live.pop(shared, None)
    width = int(float(still.split('width="', 1)[1].split('"', 1)[0]))
    return Drawn(name, Markup(still), embeddable(live), width, description, caption, key)


def embeddable(value: Any) -> Markup:
    """JSON that can stand inside a script element: no `<` survives, so no text can close it."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))
