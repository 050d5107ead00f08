"""Files on their way in: read first, then kept in the project under a name of ours and named in its file."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from glueprint.assays import blot
from glueprint.errors import GlueprintError
from glueprint.runs.store import disk_errors
from glueprint.study import glue
from glueprint.web import edits, sheets
from glueprint.web.context import of
from glueprint.web.refusals import refused
from glueprint.web.requests import Form, Upload

__all__ = ["LAYOUT_ENDINGS", "ending_of", "incoming", "uploaded"]

ENDINGS = frozenset({"txt", "csv", "tsv", "xlsx", "pzfx", "xml", "json"})
LAYOUT_ENDINGS = frozenset({"toml", "csv", "xlsx", "txt", "tsv"})
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
IMAGE_ENDINGS, BOXES = frozenset({"tif", "tiff", "png"}), "boxes.toml"
KINDS = ("fp", "elisa", "growth", "degradation", "blot")
MOST_FILE = 32 * 1024 * 1024


def uploaded(request: Request, form: Form) -> Response:
    """A file, or a table pasted from a spreadsheet: read first, then kept and named in the project's file."""
    name = request.path_params["project"]
    folder = of(request).workspace.place(name)
    assay, kind = form.text("name"), form.text("kind")
    project = glue.load(folder)
    _check_new(assay, kind, [one.name for one in project.assay], folder)
    given = _given(form)
    if kind == "blot":
        return _blot(request, folder, assay, form, given)
    with disk_errors(folder), tempfile.TemporaryDirectory(dir=incoming(request)) as place:
        staged = Path(place)
        file = f"data.{ending_of(given.name, ENDINGS)}"
        (staged / file).write_bytes(given.content)
        laid = [one for one in form.files if one is not given and one.name and one.content]
        layout_name = f"layout.{ending_of(laid[0].name, LAYOUT_ENDINGS)}" if laid else None
        if layout_name:
            (staged / layout_name).write_bytes(laid[0].content)
        sheets.readable(staged / file, staged / layout_name if layout_name else None)
        target = folder / "raw" / assay
        target.parent.mkdir(exist_ok=True)
        shutil.copytree(staged, target)
    fields: dict[str, object] = {"name": assay, "kind": kind, "files": [f"raw/{assay}/{file}"]}
    fields |= {
        "layout": f"raw/{assay}/{layout_name}" if layout_name else "",
        "cells": form.text("cells")[:60],
    }
    return _named(request, folder, target, fields)


def _blot(request: Request, folder: Path, assay: str, form: Form, given: Upload) -> Response:
    """A picture of a membrane, and a box file if one is sent; else lanes and bands are found in it."""
    file = f"picture.{ending_of(given.name, IMAGE_ENDINGS)}"
    boxes = [one for one in form.files if one is not given and one.name and one.content]
    with disk_errors(folder), tempfile.TemporaryDirectory(dir=incoming(request)) as place:
        staged = Path(place)
        (staged / file).write_bytes(given.content)
        if boxes:
            ending_of(boxes[0].name, frozenset({"toml"}))
            (staged / BOXES).write_bytes(boxes[0].content)
        found = blot.analyse(blot.read(staged / file, boxes=[staged / BOXES] if boxes else None))
        (staged / BOXES).write_text(blot.boxes_writing.text(found.boxes), "utf-8")
        target = folder / "raw" / assay
        target.parent.mkdir(exist_ok=True)
        shutil.copytree(staged, target)
    where = {"files": [f"raw/{assay}/{file}"], "boxes": [f"raw/{assay}/{BOXES}"]}
    return _named(
        request, folder, target, {"name": assay, "kind": "blot", **where, "cells": form.text("cells")[:60]}
    )


def _named(request: Request, folder: Path, target: Path, fields: dict[str, object]) -> Response:
    """Name what was kept in the project's file, or let it go."""
    try:
        edits.add_assay(folder, fields)
    except GlueprintError:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return RedirectResponse(f"/p/{request.path_params['project']}/plates/{fields['name']}", 303)


def incoming(request: Request) -> Path:
    """A folder for files that are looked at before they are kept."""
    place = of(request).workspace.hidden / "incoming"
    place.mkdir(exist_ok=True)
    return place


def _check_new(assay: str, kind: str, names: list[str], folder: Path) -> None:
    if not NAME.fullmatch(assay) or kind not in KINDS:
        raise refused(
            "GP-B009",
            f'"{assay[:40]}" of kind "{kind[:20]}" cannot be an assay',
            f"a name of small letters, digits, - and _, and a kind: {', '.join(KINDS)}",
            "choose another name",
            where="name",
        )
    if assay in names or (folder / "raw" / assay).exists():
        raise refused(
            "GP-B011",
            f'"{assay}" is there already',
            "a name that is free",
            "choose another name",
            where="name",
        )


def _given(form: Form) -> Upload:
    """The file of the form, or the pasted table as one."""
    pasted = form.text("pasted")
    files = [one for one in form.files if one.content]
    if pasted:
        return Upload(
            "pasted.tsv" if "\t" in pasted else "pasted.csv", (pasted + "\n").encode("utf-8", "replace")
        )
    if not files:
        raise refused(
            "GP-B024",
            "no file and nothing pasted",
            "one of the two",
            "choose a file or paste a table",
            where="file",
        )
    if any(len(one.content) > MOST_FILE for one in files):
        raise refused(
            "GP-B006", "the file is too large", f"at most {MOST_FILE // 1024**2} MB", "send a smaller one"
        )
    return files[0]


def ending_of(name: str, allowed: frozenset[str]) -> str:
    """The ending of a file that was sent: all of its name that is kept."""
    ending = name.rpartition(".")[2].lower()
    if ending not in allowed:
        raise refused(
            "GP-B020",
            f'a file "{name[:60]}" is not read here',
            ", ".join(sorted(allowed)),
            "save it in one of these forms",
            where="file",
        )
    return ending
