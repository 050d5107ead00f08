"""A figure of the report as a page shows it: no font of its own, and the colours of the page in both."""

from __future__ import annotations

from markupsafe import Markup

from glueprint.report import shell
from glueprint.report.drawn import SPOKEN
from glueprint.report.figures import theme

__all__ = ["for_page"]


def for_page(svg: str) -> Markup:
    """A figure's SVG with its fixed colours as variables of the page, so that it follows light and dark."""
    # The page describes the figure as a whole: inside one image no part has a role.
    text = SPOKEN.sub("", svg.replace(f' font-family="{theme.FONT}"', ""))
    for name, colour in shell.tokens().items():
        text = text.replace(f'="{colour}"', f'="var(--{name})"')
    return Markup(text)
