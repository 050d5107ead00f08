"""Plates: a file read and shown well by well, its layout changed, a well clicked out, the fit made again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from glueprint.assays import layout
from glueprint.assays.intake import door
from glueprint.assays.plate import well_place
from glueprint.assays.quality import exclusions
from glueprint.assays.wells import ROLES, Layout
from glueprint.errors import GlueprintError
from glueprint.report import shell
from glueprint.report.figures import drawing, theme
from glueprint.runs.store import write_file
from glueprint.study import glue
from glueprint.web import edits, layouts
from glueprint.web.context import of
from glueprint.web.drawing import Well, plate_svg
from glueprint.web.refusals import refused
from glueprint.web.render import page
from glueprint.web.requests import Form

__all__ = ["excluded", "fit", "laid_out", "layout_file", "plate"]

PLATES = ("fp", "elisa", "growth")
# How each kind is analysed on the command line.
COMMANDS: Mapping[str, str] = {
    "fp": "binding",
    "elisa": "elisa",
    "growth": "growth",
    "degradation": "degradation",
    "blot": "blot",
}
MOST_REASON = 80
MOST_ROWS = 60
REASONS = ("pipetting", "bubble", "edge", "contaminated", "compound precipitated", "no cells")
POTENCY = ("definition", "compound", "sample", "line", "relation", "value", "low", "high", "unit", "n")


@dataclass(frozen=True)
class Shown:
    """A plate as it is shown: its wells of one channel, and where its layout is."""

    wells: Mapping[str, Well]
    channel: str
    channels: tuple[str, ...]
    plate: str
    plates: tuple[str, ...]
    line: str
    findings: tuple[Any, ...]
    size: int
    layout_path: Path | None


def plate(request: Request) -> Response:
    """One assay: the wells, what is in them, the fit."""
    bench = of(request)
    name, assay = request.path_params["project"], request.path_params["assay"]
    folder = bench.workspace.place(name)
    project = glue.load(folder)
    one = _assay(project, assay)
    shown, trouble = _shown(
        folder, one, request.query_params.get("channel", ""), request.query_params.get("plate", "")
    )
    return page(
        request,
        "plate.html.j2",
        name=name,
        assay=one,
        shown=shown,
        drawing=plate_svg(shown.wells, shown.size) if shown else "",
        trouble=trouble,
        out=[(text, *exclusions.parse(text)) for text in one.exclude or ()],
        roles=list(ROLES),
        role_counts=_counts(shown),
        reasons=REASONS,
        seen=edits.digest(folder / edits.FILE),
        layout_seen=edits.digest(shown.layout_path) if shown and shown.layout_path else "",
        directions=layouts.DIRECTIONS,
        command=_command(folder, one),
        python=_python(folder, one),
    )


def fit(request: Request) -> Response:
    """The fit of one assay: its figure, potencies with intervals and limits, quality, what is in doubt."""
    name = request.path_params["project"]
    folder = of(request).workspace.place(name)
    one = _assay(glue.load(folder), request.path_params["assay"])
    result, problem = _analysed(folder, one)
    table = result.result.labelled() if result else []
    columns = [column for column in POTENCY if any(row.get(column) not in (None, "") for row in table)]
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
        figure=_figure(folder, one) if result else "",
    )


def _rows(rows: list[dict[str, Any]], columns: list[str]) -> list[list[Any]]:
    return [[row.get(column) for column in columns] for row in rows]


def _assay(project: glue.Project, name: str) -> glue.Assay:
    found = next((one for one in project.assay if one.name == name), None)
    if found is None:
        names = ", ".join(one.name for one in project.assay) or "none yet"
        raise refused("GP-B010", f'there is no assay "{name[:40]}"', names, "open the project again")
    return found


def _counts(shown: Shown | None) -> list[tuple[str, int]]:
    return (
        sorted(Counter(well.role or "nothing said" for well in shown.wells.values()).items()) if shown else []
    )


def _stamp(folder: Path, one: glue.Assay) -> tuple[tuple[str, float, int], ...]:
    """What changes when a file of an assay does."""
    found = []
    for name in one.all_files:
        about = (folder / name).stat() if (folder / name).is_file() else None
        found.append((name, about.st_mtime if about else 0.0, about.st_size if about else -1))
    return tuple(found)


def _analysed(folder: Path, one: glue.Assay) -> tuple[glue.Analysed | None, GlueprintError | None]:
    if one.kind == "table":
        return None, None
    try:
        return _analysis(folder, one.model_dump_json(), _stamp(folder, one)), None
    except GlueprintError as error:
        return None, error


@lru_cache(maxsize=32)
def _analysis(folder: Path, assay: str, _stamps: object) -> glue.Analysed:
    """The analysis of an assay, kept until a file or the entry changes."""
    return glue.analyse(folder, glue.Assay.model_validate_json(assay))


def _figure(folder: Path, one: glue.Assay) -> Markup:
    return _drawn(folder, one.model_dump_json(), _stamp(folder, one))


@lru_cache(maxsize=32)
def _drawn(folder: Path, assay: str, stamps: object) -> Markup:
    """The figure of the analysis as SVG; a figure that cannot be drawn is said and stops nobody."""
    result = _analysis(folder, assay, stamps).result
    try:
        text = drawing.svg(result.plot(), prefix="fit")
    except GlueprintError as error:
        return Markup("<p class='muted'>{}</p>").format(error.message)
    return Markup(_coloured(text.replace(f' font-family="{theme.FONT}"', "")))


def _coloured(text: str) -> str:
    """Fixed colours of a figure as variables of the page, so that it follows the light and the dark."""
    for name, colour in shell.tokens().items():
        text = text.replace(f'="{colour}"', f'="var(--{name})"')
    return text


def _shown(
    folder: Path, one: glue.Assay, channel: str, plate_name: str
) -> tuple[Shown | None, GlueprintError | None]:
    """The wells of a plate; None for what has none, or with the error that stands in the way."""
    if one.kind not in PLATES:
        return None, None
    try:
        path = folder / one.layout if one.layout else None
        read, laid = door.plate(folder / one.files[0], layout=path)
    except GlueprintError as error:
        return None, error
    chosen = channel if channel in read.channels else read.channels[0]
    first = plate_name if plate_name in read.plates else _fullest(laid.table, read.plates)
    rows = laid.table.filter(channel=chosen, plate=first).to_dicts()
    out = _left_out(one, first, set(read.plates))
    wells = {row["well"]: _well(row, out) for row in rows}
    size = layouts.size_of(path if path and path.suffix == ".toml" else None, list(wells))
    line = laid.line.replace(f"{folder}/", "")
    return Shown(wells, chosen, read.channels, first, read.plates, line, laid.findings, size, path), None


def _fullest(table: pl.DataFrame, plates: tuple[str, ...]) -> str:
    """The plate that most is said of: one of controls alone is not what people look for first."""
    said = table.filter(~pl.col("role").is_in(["", "empty", "blank", "time0"]))
    counts = Counter(said["plate"].to_list())
    return max(plates, key=lambda name: (counts[name], -plates.index(name)))


def _left_out(one: glue.Assay, plate: str, plates: set[str]) -> dict[str, str]:
    """Well of this plate -> why it is left out."""
    found = {}
    for text in one.exclude or ():
        names, reason = exclusions.parse(text, plates)
        for name in names:
            where, _, well = name.rpartition(":")
            if where in ("", plate):
                found[well] = reason
    return found


def _well(row: Mapping[str, Any], out: Mapping[str, str]) -> Well:
    place = well_place(row["well"])
    dose = row["concentration"]
    words = "" if dose is None else f"{dose:.4g} {row['concentration_unit']}".strip()
    return Well(
        row["well"],
        *place,
        row["value"],
        row["role"],
        row["sample"],
        words,
        out.get(row["well"], ""),
        row["flag"],
    )


def excluded(request: Request, form: Form) -> Response:
    """Leave wells out with a reason, or take them in again; the journal keeps both."""
    name, assay = request.path_params["project"], request.path_params["assay"]
    folder = of(request).workspace.place(name)
    one = _assay(glue.load(folder), assay)
    edits.check_same(folder / edits.FILE, form.text("seen"))
    entries = list(one.exclude or ())
    if back := form.text("back"):
        if back not in entries:
            raise refused("GP-B010", "that is not left out", "an entry of the list", "load the page again")
        entries.remove(back)
        event: dict[str, object] = {"action": "taken in again", "what": back}
    else:
        wells, reason = form.text("wells"), (form.text("reason") or form.text("other"))[:MOST_REASON]
        _check_exclusion(wells, reason, one.kind)
        where = _on_plate(folder, one, form.text("plate"))
        entries.append(f"{where}{wells}={reason}")
        event = {"action": "left out", "what": f"{where}{wells}", "reason": reason}
    # What the analysis refuses, such as a well that is not there, is refused before it is written.
    glue.analyse(folder, one.model_copy(update={"exclude": tuple(entries) or None}))
    edits.exclude(folder, assay, entries, event)
    return RedirectResponse(f"/p/{name}/plates/{assay}", 303)


def _on_plate(folder: Path, one: glue.Assay, plate: str) -> str:
    """What names a well's plate in an exclusion, where there are several."""
    shown, _ = _shown(folder, one, "", plate)
    return f"{shown.plate}:" if shown and len(shown.plates) > 1 else ""


def _check_exclusion(wells: str, reason: str, kind: str) -> None:
    if not wells or len(wells) > 8000 or not re.fullmatch(r"[\w ,:.-]+", wells):
        raise refused(
            "GP-B023",
            f'"{wells[:40]}"',
            "wells such as A1,A2, or rows such as row 7",
            "choose wells",
            where="wells",
        )
    if not reason or not reason.isprintable():
        raise refused(
            "GP-B025",
            "no reason is said",
            "a word or two",
            "say why; it is kept with the result",
            where="reason",
        )
    if kind in PLATES:
        layouts.chosen_wells(wells, 1536)


def laid_out(request: Request, form: Form) -> Response:
    """Say what is in the chosen wells; the layout file is written anew."""
    name, assay = request.path_params["project"], request.path_params["assay"]
    folder = of(request).workspace.place(name)
    one = _assay(glue.load(folder), assay)
    shown, trouble = _shown(folder, one, "", form.text("plate"))
    if shown is None:
        raise trouble or refused("GP-B010", "this assay has no wells", "a plate", "open the project again")
    path = shown.layout_path
    if path is not None and path.suffix != ".toml":
        raise refused(
            "GP-B013",
            "the layout is a map in a spreadsheet",
            "a layout in TOML",
            "change it there and send it again",
        )
    edits.check_same(path or folder / edits.FILE, form.text("layout_seen" if path else "seen"))
    wells = layouts.chosen_wells(form.text("wells"), shown.size)
    given: Layout = layout.read(path) if path else layout.parse(_start(shown.size), "layout")
    table = given.table if path else given.table.clear()
    text = layouts.text_of(
        layouts.changed(table, wells, _fields(form), _series(form), plate=shown.plate),
        shown.size,
        name=assay,
        assay=given.assay,
    )
    if path is None:
        write_file(folder / "raw" / assay / "layout.toml", text)
        _name_layout(folder, assay)
    else:
        write_file(path, text)
    return RedirectResponse(f"/p/{name}/plates/{assay}", 303)


def _start(size: int) -> str:
    head = f'kind = "glueprint-layout"\nversion = 1\nplate_wells = {size}\n'
    return f'{head}[[well]]\nwells = "A1"\nrole = "empty"\n'


def _fields(form: Form) -> dict[str, Any]:
    """What is said of the wells; a field that is left alone stays as it is."""
    fields: dict[str, Any] = {}
    role = form.text("role")
    if role:
        fields["role"] = "" if role == "none" else role
    for name in ("sample", "donor", "concentration_unit"):
        if text := form.text(name):
            if len(text) > 80 or not text.isprintable():
                raise refused(
                    "GP-B023", f'"{text[:40]}"', "at most 80 printable signs", "shorten it", where=name
                )
            fields[name] = text
    dose = form.number("concentration")
    if dose is not None:
        if not 0.0 <= dose < 1e12:
            raise refused("GP-B023", f"{dose:g}", "zero or more", "correct it", where="concentration")
        fields["concentration"] = dose
    if not fields and not form.text("start"):
        raise refused(
            "GP-B024", "nothing is said of the wells", "a role, a sample or a dose", "fill in a field"
        )
    return fields


def _series(form: Form) -> tuple[float, float, str] | None:
    start = form.number("start")
    if start is None:
        return None
    return start, form.number("factor", 3.0) or 0.0, form.text("direction", "right")


def _name_layout(folder: Path, assay: str) -> None:
    """Name a layout that is new in the project's file."""
    path = folder / edits.FILE
    text = path.read_text("utf-8")
    marked = re.sub(
        rf'(\[\[assay\]\]\nname = "{re.escape(assay)}"\n)',
        rf'\g<1>layout = "raw/{assay}/layout.toml"\n',
        text,
        count=1,
    )
    if marked == text:
        raise refused(
            "GP-B013",
            "the assay's entry has another form",
            "one that this page made",
            "name the layout by hand",
        )
    write_file(path, marked)
    glue.load(folder)


def layout_file(request: Request) -> Response:
    """The layout as it is on the disk."""
    folder = of(request).workspace.place(request.path_params["project"])
    one = _assay(glue.load(folder), request.path_params["assay"])
    if not one.layout or (folder / one.layout).is_symlink() or not (folder / one.layout).is_file():
        raise refused(
            "GP-B007",
            "there is no layout file",
            "a plate with a layout",
            "choose wells and say what is in them",
        )
    ending = one.layout.rpartition(".")[2]
    head = {"content-disposition": f'attachment; filename="{one.name}-layout.{ending}"'}
    return Response((folder / one.layout).read_bytes(), media_type="application/octet-stream", headers=head)


def _command(folder: Path, one: glue.Assay) -> list[str]:
    if one.kind not in COMMANDS:
        return []
    words = ["assay", COMMANDS[one.kind], *(str(folder / file) for file in one.files)]
    words += ["--layout", str(folder / one.layout)] if one.layout else []
    words += [word for box in one.boxes for word in ("--boxes", str(folder / box))]
    return words + [word for text in one.exclude or () for word in ("--exclude", text)]


def _python(folder: Path, one: glue.Assay) -> str:
    return (
        "from glueprint.study import glue\n\n"
        f'project = glue.load("{folder}")\n'
        f'assay = next(one for one in project.assay if one.name == "{one.name}")\n'
        "result = glue.analyse(project.folder, assay).result\nprint(result)"
    )
