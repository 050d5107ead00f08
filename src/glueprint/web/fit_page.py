"""The fit of an assay: curves, residuals, potencies with limits, quality, other settings to look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from glueprint.assays import degradation, elisa, growth, polarization
from glueprint.assays.contract import Field
from glueprint.errors import GlueprintError
from glueprint.report.figures import drawing, residuals
from glueprint.study import glue
from glueprint.web import drawn
from glueprint.web.context import of
from glueprint.web.refusals import refused
from glueprint.web.render import download, page

__all__ = ["COMMANDS", "assay_of", "command", "figure", "fit"]

# How each kind is analysed on the command line.
COMMANDS: Mapping[str, str] = {
    "fp": "binding",
    "elisa": "elisa",
    "growth": "growth",
    "degradation": "degradation",
    "blot": "blot",
}
ROOMS: Mapping[str, Any] = {
    "fp": polarization,
    "elisa": elisa,
    "growth": growth,
    "degradation": degradation,
    "blot": degradation,
}
KINDS = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}
MOST_ROWS = 60
# Columns of potencies in their order, as far as an assay says them.
POTENCY = (
    *("kind", "definition", "target", "compound", "sample", "line", "donor", "experiment", "plate", "time_h"),
    *("relation", "value", "low", "high", "unit", "value_nm", "low_nm", "high_nm", "n", "notes"),
)


def fit(request: Request) -> Response:
    """The fit of one assay: its figure, potencies with intervals and limits, quality, what is in doubt."""
    name = request.path_params["project"]
    folder = of(request).workspace.place(name)
    one = assay_of(glue.load(folder), request.path_params["assay"])
    choices = _choices(one.kind)
    settings = _settings(request, choices)
    result, problem = _analysed(folder, one, settings)
    table = result.result.labelled() if result else []
    columns = [column for column in POTENCY if any(row.get(column) not in (None, "", []) for row in table)]
    return page(
        request,
        "fit.html.j2" if request.headers.get("hx-request") == "true" else "fit_page.html.j2",
        name=name,
        assay=one,
        problem=problem,
        findings=result.findings if result else (),
        columns=columns,
        pooled=_rows([row for row in table if (row.get("n") or 0) > 1], columns),
        potencies=_rows([row for row in table if (row.get("n") or 0) <= 1], columns),
        quality=result.result.quality.rows() if result else [],
        suspects=result.result.suspects.head(MOST_ROWS).to_dicts() if result else [],
        figure=_figure(folder, one, settings) if result else "",
        residuals=_residuals(folder, one, settings) if result else "",
        choices=choices,
        settings=settings,
        command=command(folder, one, settings),
    )


def figure(request: Request) -> Response:
    """The figure of a fit as SVG, PNG or PDF."""
    folder = of(request).workspace.place(request.path_params["project"])
    one = assay_of(glue.load(folder), request.path_params["assay"])
    ending = request.path_params["ending"]
    result, problem = _analysed(folder, one, _settings(request, _choices(one.kind)))
    if ending not in KINDS or result is None:
        raise problem or refused(
            "GP-B007", "there is no such figure", "svg, png or pdf", "open the fit again"
        )
    content = drawing.written(result.result.plot(), f".{ending}")
    return Response(content, media_type=KINDS[ending], headers=download(f"{one.name}.{ending}"))


def _choices(kind: str) -> list[Field]:
    """What of the analysis is chosen by a word, such as the model of its curves."""
    room = ROOMS.get(kind)
    return [field for field in room.Settings.fields() if field.choice.allowed] if room else []


def _settings(request: Request, choices: list[Field]) -> dict[str, str]:
    """What an address chooses otherwise than usual; what is no choice is refused where it is used."""
    asked = {field.name: request.query_params.get(field.name, "")[:40] for field in choices}
    usual = {field.name: field.default for field in choices}
    return {name: value for name, value in asked.items() if value and value != usual[name]}


def _rows(rows: list[dict[str, Any]], columns: list[str]) -> list[list[Any]]:
    cells = [[row.get(column) for column in columns] for row in rows]
    return [["; ".join(map(str, one)) if isinstance(one, list) else one for one in row] for row in cells]


def assay_of(project: glue.Project, name: str) -> glue.Assay:
    """The assay of a project.   Raises RefusedError GP-B010."""
    found = next((one for one in project.assay if one.name == name), None)
    if found is None:
        names = ", ".join(one.name for one in project.assay) or "none yet"
        raise refused("GP-B010", f'there is no assay "{name[:40]}"', names, "open the project again")
    return found


def _stamp(folder: Path, one: glue.Assay) -> tuple[tuple[str, float, int], ...]:
    """What changes when a file of an assay does."""
    found = []
    for name in one.all_files:
        about = (folder / name).stat() if (folder / name).is_file() else None
        found.append((name, about.st_mtime if about else 0.0, about.st_size if about else -1))
    return tuple(found)


def _analysed(
    folder: Path, one: glue.Assay, settings: Mapping[str, str]
) -> tuple[glue.Analysed | None, GlueprintError | None]:
    if one.kind == "table":
        return None, None
    try:
        return _analysis(folder, one.model_dump_json(), json.dumps(settings), _stamp(folder, one)), None
    except GlueprintError as error:
        return None, error


@lru_cache(maxsize=32)
def _analysis(folder: Path, assay: str, settings: str, _stamps: object) -> glue.Analysed:
    """The analysis of an assay, kept until a file or the entry changes."""
    return glue.analyse(folder, glue.Assay.model_validate_json(assay), json.loads(settings))


def _figure(folder: Path, one: glue.Assay, settings: Mapping[str, str]) -> Markup:
    return _drawn(folder, one.model_dump_json(), json.dumps(settings), _stamp(folder, one))


def _residuals(folder: Path, one: glue.Assay, settings: Mapping[str, str]) -> Markup:
    """The residuals as SVG; nothing for an assay without curves over dose."""
    found = _analysis(folder, one.model_dump_json(), json.dumps(settings), _stamp(folder, one))
    try:
        return drawn.for_page(drawing.svg(residuals.chart(found.kind, found.result.tables), prefix="rest"))
    except GlueprintError:
        return Markup("")


@lru_cache(maxsize=32)
def _drawn(folder: Path, assay: str, settings: str, stamps: object) -> Markup:
    """The figure of the analysis as SVG; a figure that cannot be drawn is said and stops nobody."""
    result = _analysis(folder, assay, settings, stamps).result
    try:
        text = drawing.svg(result.plot(), prefix="fit")
    except GlueprintError as error:
        return Markup("<p class='muted'>{}</p>").format(error.message)
    return drawn.for_page(text)


def command(folder: Path, one: glue.Assay, settings: Mapping[str, str] | None = None) -> list[str]:
    """The analysis as words of the command line."""
    if one.kind not in COMMANDS:
        return []
    words = ["assay", COMMANDS[one.kind], *(str(folder / file) for file in one.files)]
    words += ["--layout", str(folder / one.layout)] if one.layout else []
    words += ["--sheet", one.sheet] if one.sheet else []
    words += ["--dose-unit", one.dose_unit] if one.dose_unit else []
    words += [word for box in one.boxes for word in ("--boxes", str(folder / box))]
    options = {field.name: field.option for field in _choices(one.kind)}
    words += [word for name, text in (settings or {}).items() for word in (f"--{options[name]}", text)]
    return words + [word for text in one.exclude or () for word in ("--exclude", text)]
