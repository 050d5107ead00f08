"""Text of anybody's inside HTML of ours: data that closes no script, and scripts known by their hash."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from typing import Any

import vl_convert
from markupsafe import Markup, escape

__all__ = ["VEGA_LITE", "embeddable", "figure_page", "policy", "vega"]

VEGA_LITE = "6.4"  # the schema of the altair release in use; vl-convert bundles this renderer
START = """
vegaEmbed("#figure", JSON.parse(document.getElementById("description").textContent),
  { mode: "vega-lite", renderer: "svg", ast: true,
    actions: { export: true, source: false, compiled: false, editor: false } }).catch(console.error);
"""
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
</head>
<body>
<div id="figure"></div>
<script type="application/json" id="description">{description}</script>
<script>{vega}</script>
<script>{start}</script>
</body>
</html>
"""


def embeddable(value: Any) -> Markup:
    """JSON that can stand inside a script element: no `<` survives, so no text can close it."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))


@cache
def vega() -> str:
    """Vega, Vega-Lite and Vega-Embed in one script, as shipped with vl-convert: nothing is fetched."""
    script = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", VEGA_LITE)
    # The bundle declares hundreds of short names; the function keeps them to itself.
    return f"(() => {{{script}}})();".replace("</script", "<\\/script")


def policy(*scripts: str) -> str:
    """The content security policy of a page: these scripts run, and nothing else that may have got into it.

    scripts: the whole text of each script element. The page fetches nothing.
    Source: W3C, Content Security Policy Level 3, 2.3.1 (hash sources).
    """
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts)
    known = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {known}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def figure_page(description: Any, title: str) -> str:
    """One figure as an offline page. description: the chart as Vega-Lite."""
    return PAGE.format(
        policy=policy(vega(), START),
        title=escape(title),
        description=embeddable(description),
        vega=vega(),
        start=START,
    )
