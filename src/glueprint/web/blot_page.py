"""Blots: the picture with its lanes and boxes, moved by hand with a reason, and what is in each lane."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from glueprint.assays import blot
from glueprint.assays.blot import boxes as box_files
from glueprint.assays.blot import boxes_writing
from glueprint.assays.blot.boxes import Boxes
from glueprint.boundary import read_text
from glueprint.errors import GlueprintError
from glueprint.report.figures.blot import grey, grey_png
from glueprint.runs.store import write_file
from glueprint.study import glue
from glueprint.web import edits
from glueprint.web.context import of
from glueprint.web.fit_page import assay_of
from glueprint.web.refusals import refused, require_reason
from glueprint.web.requests import Form

__all__ = ["ROLES", "Shown", "moved", "picture", "shown"]

MOST_LANES, MOST_BANDS, MOST_REASON = 60, 20, 80
MOST_SAID = 100
ROLES: tuple[str, ...] = get_args(box_files.Role)
TEXTS = ("sample", "treatment", "exclude")
NUMBERS = ("dose_nm", "time_h", "load")
ENDS = ("top", "bottom", "left", "right")


@dataclass(frozen=True)
class Shown:
    """One picture of a blot with its boxes. number: from 1.   every: one box a lane and band, with its place
    and whether it has one of its own."""

    number: int
    count: int
    rows: int
    columns: int
    boxes: Boxes
    every: tuple[dict[str, Any], ...]
    single: str
    seen: str
    files: tuple[str, str]


def shown(folder: Path, one: glue.Assay, asked: str) -> tuple[Shown | None, GlueprintError | None]:
    """A picture of a blot by its number, the first if the number is none; or what is wrong with it."""
    number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 4 else 1
    number = number if 1 <= number <= len(one.files) else 1
    files = one.files[number - 1], one.boxes[number - 1]
    try:
        found = _read(folder, files, _stamp(folder, files))
    except GlueprintError as error:
        return None, error
    rows, columns = found.pictures["blot"].values.shape
    file = found.boxes.file
    own = {(box.lane, box.band) for box in file.box}
    every = tuple(
        {"lane": lane.lane, "band": band.name, "row": row, "own": (lane.lane, band.name) in own}
        | dict(zip(ENDS, found.boxes.place(lane, band), strict=True))
        for lane in file.lane
        for row, band in enumerate(file.band)
    )
    single = "\n".join(
        ", ".join([str(box.lane), box.band, *("" if (end := getattr(box, name)) is None else str(end)
                                              for name in ENDS)])
        for box in file.box
    )  # fmt: skip
    seen = edits.digest(folder / files[1])
    return Shown(number, len(one.files), rows, columns, found.boxes, every, single, seen, files), None


def _stamp(folder: Path, files: Sequence[str]) -> tuple[object, ...]:
    about = [(folder / name).stat() for name in files if (folder / name).is_file()]
    return tuple((one.st_mtime_ns, one.st_size) for one in about)


@lru_cache(maxsize=8)
def _read(folder: Path, files: tuple[str, str], _stamps: object) -> blot.Result:
    """The bands of one picture, kept until a file changes."""
    image, boxes = files
    return blot.analyse(blot.read(folder / image, boxes=[folder / boxes]))


def picture(request: Request) -> Response:
    """The straight picture in grey, dark where there is protein, pixel on pixel with its boxes."""
    folder = of(request).workspace.place(request.path_params["project"])
    one = assay_of(glue.load(folder), request.path_params["assay"])
    _check_blot(one)
    found, trouble = shown(folder, one, request.path_params["picture"])
    if found is None or str(found.number) != request.path_params["picture"]:
        raise trouble or refused("GP-B007", "there is no such picture", "one of the blot", "open it again")
    values = _read(folder, found.files, _stamp(folder, found.files)).pictures["blot"].values
    return Response(grey_png(grey(values)), media_type="image/png", headers={"cache-control": "no-cache"})


def _check_blot(one: glue.Assay) -> None:
    if one.kind != "blot":
        raise refused("GP-B010", "this assay has no boxes", "a blot", "open the project again")


def moved(request: Request, form: Form) -> Response:
    """Lanes, bands and boxes as they were moved, and what is in the lanes; the journal keeps what and why."""
    name, assay = request.path_params["project"], request.path_params["assay"]
    folder = of(request).workspace.place(name)
    one = assay_of(glue.load(folder), assay)
    _check_blot(one)
    now, trouble = shown(folder, one, form.text("picture"))
    if now is None:
        raise trouble or refused("GP-B010", "this blot cannot be shown", "boxes", "open it again")
    image, file = now.files
    edits.check_same(folder / file, form.text("seen"))
    old = now.boxes.file
    data = _changed(old, form)
    new = box_files.from_tables(data, file)
    reason = (form.text("reason") or form.text("other"))[:MOST_REASON]
    said = list(_differences(old, new.file))
    if not said:
        raise refused("GP-B024", "nothing was changed", "a box moved or a lane filled in", "move something")
    require_reason(reason)
    # What the analysis refuses, such as boxes that overlap, is refused before it is written.
    blot.analyse(blot.Scan(blot.image.read(folder / image), (new,)))
    write_file(folder / file, _head(folder / file) + boxes_writing.text(new))
    event: dict[str, object] = {
        "action": "boxes moved",
        "file": file,
        "what": "; ".join(said[:MOST_SAID]),
        "reason": reason,
    }
    edits.note(folder, "glueprint-boxes-moved", assay, event)
    return RedirectResponse(f"/p/{name}/plates/{assay}?picture={now.number}", 303)


def _head(path: Path) -> str:
    """What stands above the file as comments of its own, such as that it is simulated."""
    lines = []
    for line in read_text(path).splitlines():
        if not line.startswith("#") or line in boxes_writing.HEAD.splitlines():
            break
        lines.append(line + "\n")
    return "".join(lines)


def _changed(old: box_files.BoxFile, form: Form) -> dict[str, Any]:
    """The tables of a box file with what a form says; what it does not ask for stays."""
    data = old.model_dump(exclude_none=True)
    lanes = {lane["lane"]: lane for lane in data["lane"]}
    # A row of the form that is new counts once something stands in it.
    numbers = [n for n in range(1, MOST_LANES + 1) if n in lanes or form.text(f"lane-{n}-left")]
    data["lane"] = [_lane(lanes.get(n, {}), n, form) for n in numbers if form.text(f"lane-{n}-drop") != "yes"]
    old_bands = data["band"]
    rows = [row for row in range(MOST_BANDS) if row < len(old_bands) or form.text(f"band-{row}-name")]
    data["band"] = [
        _band(old_bands[row] if row < len(old_bands) else {}, row, form)
        for row in rows
        if form.text(f"band-{row}-drop") != "yes"
    ]
    names = {band["name"] for band in data["band"]}
    renamed = {band["name"]: form.text(f"band-{row}-name") for row, band in enumerate(old_bands)}
    kept = {lane["lane"] for lane in data["lane"]}
    boxes = [_box(line, renamed) for line in form.text("boxes").splitlines() if line.strip()]
    data["box"] = [box for box in boxes if box["lane"] in kept and box["band"] in names]
    return data


def _lane(old: Mapping[str, Any], number: int, form: Form) -> dict[str, Any]:
    start = f"lane-{number}-"
    rest = {name: value for name, value in old.items() if name not in NUMBERS}
    numbers = {name: form.number(start + name, None) for name in NUMBERS if start + name in form.fields}
    unasked = {name: old[name] for name in NUMBERS if name in old and start + name not in form.fields}
    texts = {name: form.text(start + name)[:80] for name in TEXTS}
    said = {name: value for name, value in numbers.items() if value is not None}
    ends = {end: _pixel(form, start + end) for end in ("left", "right")}
    vehicle = form.text(f"{start}vehicle") == "yes"
    return {**rest, **unasked, **said, **texts, **ends, "lane": number, "vehicle": vehicle}


def _band(old: Mapping[str, Any], row: int, form: Form) -> dict[str, Any]:
    start = f"band-{row}-"
    ends = {end: _pixel(form, start + end) for end in ("top", "bottom")}
    return {
        **old,
        **ends,
        "name": form.text(f"{start}name")[:40],
        "role": form.text(f"{start}role") or "target",
    }


def _pixel(form: Form, name: str) -> int:
    value = form.number(name, None)
    if value is None or not -1e6 < value < 1e6 or value != int(value):
        raise refused(
            "GP-B023", f'"{form.text(name)[:40]}"', "a whole number of pixels", "correct it", where=name
        )
    return int(value)


def _box(line: str, renamed: Mapping[str, str]) -> dict[str, Any]:
    """A box of its own: lane, band, top, bottom, left, right; an empty end is that of its lane or band."""
    parts = [part.strip() for part in line.rsplit(",", 4)]
    first, _, band = parts[0].partition(",")
    try:
        ends = {name: int(part) for name, part in zip(ENDS, parts[1:], strict=True) if part}
        lane = int(first)
    except ValueError:
        raise refused(
            "GP-B023",
            f'"{line[:60]}"',
            "lane, band, top, bottom, left, right, such as 3, IKZF1, 120, 141, ,",
            "correct the line",
            where="boxes",
        ) from None
    band = band.strip()
    return {"lane": lane, "band": renamed.get(band, band), **ends}


def _differences(old: box_files.BoxFile, new: box_files.BoxFile) -> Iterator[str]:
    """What was changed, in words that say how it was."""
    for what, before, after in (
        ("lane", {one.lane: one for one in old.lane}, {one.lane: one for one in new.lane}),
        ("band", {one.name: one for one in old.band}, {one.name: one for one in new.band}),
        (
            "box",
            {(one.lane, one.band): one for one in old.box},
            {(one.lane, one.band): one for one in new.box},
        ),
    ):
        for key in [*before, *(key for key in after if key not in before)]:
            name = f"{what} {key if what != 'box' else f'{key[0]} {key[1]}'}"
            was, now = (
                one.model_dump(exclude_none=True) if (one := rows.get(key)) else {}
                for rows in (before, after)
            )
            if was and not now:
                yield f"{name} taken away, was {_said(was)}"
            for field in {**was, **now} if now else ():
                if was.get(field) != now.get(field):
                    yield f"{name} {field} {was.get(field, 'none')} to {now.get(field, 'none')}"


def _said(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items() if value not in ("", None))
