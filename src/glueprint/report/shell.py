"""What every page is wrapped in: its template, style, script and policy, and the colours of its figures."""

from __future__ import annotations

from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from glueprint.report import embedding
from glueprint.report.embedding import embeddable
from glueprint.report.figures import theme

__all__ = ["TOKENS", "rendered", "tokens"]

# Colours and type of every page of ours; the workbench serves the same file.
TOKENS = "tokens.css"


def rendered(template: str, title: str, **content: Any) -> str:
    """A page as text: one file, no foreign host.

    template: its name in templates/.   title: of the page.   content: what the template shows.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("glueprint.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(template).render(
        title=title,
        arm_tokens=tokens(),
        config=embeddable(theme.configuration()),
        policy=Markup(embedding.policy(f"\n{embedding.vega()}\n", f"\n{_asset('page.js')}\n")),
        script=Markup(_asset("page.js")),
        style=Markup(_asset(TOKENS) + _asset("page.css")),
        vega=Markup(embedding.vega()),
        **content,
    )


def _asset(name: str) -> str:
    return resources.files("glueprint.report").joinpath("templates", name).read_text("utf-8")


def tokens() -> dict[str, str]:
    """CSS variable -> the fixed colour that figures are drawn with."""
    tokens = {"ink": theme.INK, "muted": theme.MUTED, "grid": theme.GRID, "paper": theme.PAPER}
    tokens |= {f"arm-{place}": colour for place, colour in enumerate(theme.ARM_COLOURS)}
    return tokens | {f"series-{place}": colour for place, colour in enumerate(theme.SERIES_COLOURS)}
