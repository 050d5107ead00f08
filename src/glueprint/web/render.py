"""Pages as text: the templates, what all of them share, and errors as pages."""

from __future__ import annotations

import math
import shlex
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

import glueprint
from glueprint.errors import GlueprintError
from glueprint.web import guard
from glueprint.web.refusals import status_of

__all__ = ["ASSETS", "asset", "download", "error_body", "fragment", "number", "page"]

# Name in the address -> kind of content; nothing else is served, and no folder is listed.
ASSETS = {
    "tokens.css": "text/css",
    "app.css": "text/css",
    "app.js": "text/javascript",
    "theme.js": "text/javascript",
    "plate.js": "text/javascript",
    "calendar.js": "text/javascript",
    "blot.js": "text/javascript",
    "htmx.min.js": "text/javascript",
    "htmx.LICENSE.txt": "text/plain",
}
STEPS = ((1024**3, "GB"), (1024**2, "MB"), (1024, "kB"))


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("glueprint.web"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"size": _size, "number": number, "shell": _shell, "source": _source}
    return environment


def page(request: Request, template: str, *, status: int = 200, **content: Any) -> HTMLResponse:
    """A whole page, or the part of it that a script asked for."""
    return HTMLResponse(fragment(request, template, **content), status)


def fragment(request: Request | None, template: str, **content: Any) -> str:
    """The text of a template."""
    session = request.app.state.session if request is not None else None
    return (
        _environment()
        .get_template(template)
        .render(
            csrf=session.csrf if session else "",
            path=request.url.path if request is not None else "",
            version=glueprint.__version__,
            **content,
        )
    )


def download(name: str) -> dict[str, str]:
    """The header by which a browser keeps an answer as a file. name: of letters, digits, dots and dashes."""
    return {"content-disposition": f'attachment; filename="{name}"'}


def error_body(error: GlueprintError, as_json: bool) -> bytes:
    """An error as a page, or for a program."""
    if as_json:
        return guard.as_json(error)
    return fragment(None, "error.html.j2", error=error, status=status_of(error)).encode()


@cache
def asset(name: str) -> bytes:
    """A file that comes with the workbench."""
    if name == "tokens.css":
        # The same file as the report's; asking its room would load all figures.
        return resources.files("glueprint").joinpath("report", "templates", name).read_bytes()
    return resources.files("glueprint.web").joinpath("static", name).read_bytes()


def number(value: Any, digits: int = 3) -> str:
    """A number for people; an empty text where there is none."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def _size(count: int) -> str:
    for step, unit in STEPS:
        if count >= step:
            return f"{count / step:.1f} {unit}"
    return f"{count} B"


def _shell(words: Any) -> str:
    return shlex.join(["glueprint", *map(str, words)])


# How an id of a source becomes an address; what has none stays text.
LINKS = {
    "doi": "https://doi.org/",
    "pmid": "https://pubmed.ncbi.nlm.nih.gov/",
    "pmcid": "https://pmc.ncbi.nlm.nih.gov/articles/",
    "nct": "https://clinicaltrials.gov/study/",
}


def _source(text: str) -> Markup:
    """A source as a link where its id says one; it is followed by a person, never by the page."""
    kind, _, name = text.strip().partition(":")
    if kind not in LINKS or not name:
        return Markup.escape(text)
    return Markup('<a href="{}{}" rel="noopener noreferrer" target="_blank">{}</a>').format(
        LINKS[kind], name, text
    )
