"""Plates: a file read and shown well by well, its layout changed, a well clicked out."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from glueprint.assays import layout
from glueprint.assays.intake import door
from glueprint.assays.plate import well_place
from glueprint.assays.quality import exclusions
from glueprint.assays.wells import ROLES, Layout
from glueprint.errors import GlueprintError
from glueprint.runs.store import disk_errors, write_file
from glueprint.study import glue
from glueprint.web import blot_page, edits, layouts, sheets, uploading
from glueprint.web.context import of
from glueprint.web.drawing import Well, plate_svg
from glueprint.web.fit_page import assay_of, command
from glueprint.web.refusals import refused, require_reason
from glueprint.web.render import download, page
from glueprint.web.requests import Form

__all__ = ["excluded", "laid_out", "layout_file", "layout_loaded", "plate"]

PLATES = ("fp", "elisa", "growth")
OCTETS = "application/octet-stream"
FORMS: Mapping[str, Callable[[Layout], str | bytes]] = {"toml": layout.text, "xlsx": layout.workbook}
MOST_REASON = 80
REASONS = ("pipetting", "bubble", "edge", "contaminated", "compound precipitated", "no cells")


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
    one = assay_of(project, assay)
    query = request.query_params
    how = sheets.way(folder, one)
    shown, trouble = None, how.trouble if how else None
    if how is not None and not how.table and trouble is None:
        shown, trouble = _shown(folder, one, query.get("channel", ""), query.get("plate", ""))
    picture = None
    if one.kind == "blot":
        picture, trouble = blot_page.shown(folder, one, query.get("picture", ""))
    return page(
        request,
        "plate.html.j2",
        name=name,
        assay=one,
        shown=shown,
        how=how,
        units=sheets.UNITS,
        drawing=plate_svg(shown.wells, shown.size) if shown else "",
        trouble=trouble,
        blot=picture,
        band_roles=blot_page.ROLES,
        moves=edits.journal(folder, assay, "glueprint-boxes-moved"),
        out=[(text, *exclusions.parse(text)) for text in one.exclude or ()],
        roles=list(ROLES),
        role_counts=_counts(shown),
        reasons=REASONS,
        folder=str(folder),
        seen=edits.digest(folder / edits.FILE),
        layout_seen=edits.digest(folder / one.layout) if one.layout else "",
        directions=layouts.DIRECTIONS,
        command=command(folder, one),
        python=_python(folder, one),
    )


def _counts(shown: Shown | None) -> list[tuple[str, int]]:
    return (
        sorted(Counter(well.role or "nothing said" for well in shown.wells.values()).items()) if shown else []
    )


def _shown(
    folder: Path, one: glue.Assay, channel: str, plate_name: str
) -> tuple[Shown | None, GlueprintError | None]:
    """The wells of a plate; None for what has none, or with the error that stands in the way."""
    if one.kind not in PLATES:
        return None, None
    try:
        path = folder / one.layout if one.layout else None
        read, laid = door.plate(folder / one.files[0], layout=path, sheet=one.sheet)
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
    one = assay_of(glue.load(folder), assay)
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
    require_reason(reason)
    if kind in PLATES:
        layouts.chosen_wells(wells, 1536)


def laid_out(request: Request, form: Form) -> Response:
    """Say what is in the chosen wells; the layout file is written anew."""
    name, assay = request.path_params["project"], request.path_params["assay"]
    folder = of(request).workspace.place(name)
    one = assay_of(glue.load(folder), assay)
    shown, trouble = _shown(folder, one, "", form.text("plate"))
    if shown is None:
        raise trouble or refused("GP-B010", "this assay has no wells", "a plate", "open the project again")
    path = shown.layout_path
    edits.check_same(path or folder / edits.FILE, form.text("layout_seen" if path else "seen"))
    wells = layouts.chosen_wells(form.text("wells"), shown.size)
    given = layout.read(path) if path else layout.parse(_start(shown.size), "layout")
    table = given.table if path else given.table.clear()
    new = layouts.changed(table, wells, _fields(form), _series(form), plate=shown.plate)
    _keep_layout(folder, one, replace(given, table=new, size=shown.size))
    return RedirectResponse(f"/p/{name}/plates/{assay}", 303)


def layout_loaded(request: Request, form: Form) -> Response:
    """Take a layout from a file: TOML, or a map or table in a spreadsheet; it is kept as TOML."""
    name, assay = request.path_params["project"], request.path_params["assay"]
    folder = of(request).workspace.place(name)
    one = assay_of(glue.load(folder), assay)
    shown, trouble = _shown(folder, one, "", "")
    if shown is None and one.kind not in PLATES:
        raise refused("GP-B010", "this assay has no wells", "a plate", "open the project again")
    path = folder / one.layout if one.layout else None
    edits.check_same(path or folder / edits.FILE, form.text("layout_seen" if path else "seen"))
    sent = next((file for file in form.files if file.content), None)
    if sent is None:
        raise refused("GP-B024", "no file", "a layout", "choose a file", where="layout")
    ending = uploading.ending_of(sent.name, uploading.LAYOUT_ENDINGS)
    with disk_errors(folder), tempfile.TemporaryDirectory(dir=uploading.incoming(request)) as place:
        staged = Path(place) / f"layout.{ending}"
        staged.write_bytes(sent.content)
        found = layout.read(staged)
        _, laid = door.plate(
            folder / one.files[0], layout=staged, sheet=one.sheet
        )  # refuses what does not fit the plate
    if not found.assay and path is not None and trouble is None:
        # Numbers of the whole plate, which a map drawn by hand does not hold, are still those of the plate.
        found = replace(found, assay=layout.read(path).assay)
    size = found.size or layouts.size_of(None, laid.table["well"].unique().to_list())
    _keep_layout(folder, one, replace(found, size=size, source=sent.name[:60]))
    return RedirectResponse(f"/p/{name}/plates/{assay}", 303)


def _keep_layout(folder: Path, one: glue.Assay, new: Layout) -> None:
    """Write a layout as TOML where the assay's is, or beside its files, and name it there."""
    text = layout.text(new, name=one.name)
    if one.layout and one.layout.endswith(".toml"):
        write_file(folder / one.layout, text)
        return
    own = f"raw/{one.name}/layout.toml"
    if (folder / own).exists():
        raise refused(
            "GP-B011", f"{own} is there already", "a place that is free", "name it in glue.toml by hand"
        )
    write_file(folder / own, text)
    try:
        edits.name_layout(folder, one.name, own)
    except GlueprintError:
        (folder / own).unlink(missing_ok=True)
        raise


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


def layout_file(request: Request) -> Response:
    """The layout as TOML or xlsx; as it is on the disk where that is its form."""
    folder = of(request).workspace.place(request.path_params["project"])
    one, ending = assay_of(glue.load(folder), request.path_params["assay"]), request.path_params["ending"]
    if not one.layout or ending not in FORMS or (folder / one.layout).is_symlink():
        raise refused(
            "GP-B007",
            "there is no layout file",
            "a plate with a layout, as toml or xlsx",
            "choose wells and say what is in them",
        )
    path = folder / one.layout
    content = path.read_bytes() if path.suffix == f".{ending}" else FORMS[ending](layout.read(path))
    return Response(content, media_type=OCTETS, headers=download(f"{one.name}-layout.{ending}"))


def _python(folder: Path, one: glue.Assay) -> str:
    return (
        "from glueprint.study import glue\n\n"
        f'project = glue.load("{folder}")\n'
        f'assay = next(one for one in project.assay if one.name == "{one.name}")\n'
        "result = glue.analyse(project.folder, assay).result\nprint(result)"
    )
