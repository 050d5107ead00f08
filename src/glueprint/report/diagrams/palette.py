"""The report's colours by what they stand for here, and their dark twins."""

from __future__ import annotations

from typing import Literal

from glueprint.errors import InputError, nearest
from glueprint.report.figures.theme import ARM_COLOURS, GRID, INK, MUTED, PAPER, SERIES_COLOURS

__all__ = ["COLOURS", "THEMES", "Theme", "colour", "themed"]

Theme = Literal["page", "light", "dark"]
THEMES: tuple[Theme, ...] = ("page", "light", "dark")
COLOURS = {
    "glue": ARM_COLOURS[1],
    "cereblon": ARM_COLOURS[2],
    "ikaros": ARM_COLOURS[0],
    "aiolos": ARM_COLOURS[3],
    "programme": ARM_COLOURS[5],
    "signal": ARM_COLOURS[4],
    "fate": SERIES_COLOURS[3],
    "": MUTED,
}
# The values of templates/page.css for the dark page.
DARK = {
    INK: "#e9e6df",
    MUTED: "#a29d92",
    GRID: "#34322d",
    PAPER: "#191816",
    **dict(zip(ARM_COLOURS, ("#74b5ee", "#f09a63", "#5fc7a3", "#cb9ed4", "#d0bb5f", "#ec93a6"), strict=True)),
    SERIES_COLOURS[3]: "#92bccc",
}


def colour(name: str) -> str:
    """The token of a named colour; what has no name is muted."""
    return COLOURS.get(name, MUTED)


def themed(svg: str, theme: str) -> str:
    """A drawing for its place: "page" and "light" keep the tokens (the page maps them), "dark" replaces them.

    Raises InputError GP-P028 for another theme.
    """
    if theme not in THEMES:
        raise InputError(
            "GP-P028",
            f'no theme is called "{theme}"{nearest(theme, THEMES)}',
            expected=f"one of {', '.join(THEMES)}",
            next_step="correct the name",
        )
    if theme == "dark":
        for light, dark in DARK.items():
            svg = svg.replace(f'"{light}"', f'"{dark}"')
    return svg
