"""Boxes as a commented TOML file that a person corrects and annotates."""

from __future__ import annotations

import json

from glueprint.assays.blot.boxes import Band, Boxes, Lane

__all__ = ["text"]

HEAD = """\
# Where the lanes and bands of a blot are, and what is in them. Pixels of the straight picture: rows from the
# top, columns from the left, ends excluded. Look at the picture of --figure, correct, read with --boxes.
"""
LANES = """
# A lane. vehicle = true marks the lanes that the others are divided by: two or more on every membrane.
# load is the relative amount of a dilution series; leave it out elsewhere. treatment is a co-treatment, such
# as "MLN4924" or "cycloheximide". Doses are in nM, times in hours. Remove lanes of a size marker.
"""
BANDS = """
# A row of bands. role: "target", "loading" (a control protein), "total protein" (the whole lane, of a stain),
# or "ignore". image = "reference" takes the row from the picture of --reference-image.
"""
BOXES = """
# Single boxes that differ from their row and lane: top and bottom, left and right, any of them.
"""


def text(boxes: Boxes) -> str:
    """The boxes as TOML text; reading it gives the same boxes."""
    file = boxes.file
    lines = [HEAD, 'kind = "glueprint-boxes"', "version = 1", f"image = {_quoted(file.image)}"]
    lines += [f"crop = {_quoted(file.crop)}"] if file.crop else []
    lines += [f"rotation_deg = {file.rotation_deg:g}", f"membrane = {_quoted(file.membrane)}"]
    lines += [f"experiment = {_quoted(file.experiment)}", LANES]
    lines += [_lane(lane) for lane in file.lane]
    lines.append(BANDS)
    lines += [_band(band) for band in file.band]
    if file.box:
        lines.append(BOXES)
    for box in file.box:
        ends = {name: getattr(box, name) for name in ("top", "bottom", "left", "right")}
        told = "".join(f"{name} = {value}\n" for name, value in ends.items() if value is not None)
        lines.append(f"[[box]]\nlane = {box.lane}\nband = {_quoted(box.band)}\n{told}")
    return "\n".join(lines)


def _lane(lane: Lane) -> str:
    numbers = {"dose_nm": lane.dose_nm, "time_h": lane.time_h, "load": lane.load}
    told = [f"[[lane]]\nlane = {lane.lane}\nleft = {lane.left}\nright = {lane.right}"]
    told.append(f"sample = {_quoted(lane.sample)}")
    told += [
        f"{name} = {value!r}" if value is not None else f"# {name} = 0"
        for name, value in numbers.items()
        if value is not None or name != "load"
    ]
    told += [f"treatment = {_quoted(lane.treatment)}", f"vehicle = {'true' if lane.vehicle else 'false'}"]
    if lane.experiment:
        told.append(f"experiment = {_quoted(lane.experiment)}")
    if lane.exclude:
        told.append(f"exclude = {_quoted(lane.exclude)}")
    return "\n".join(told) + "\n"


def _band(band: Band) -> str:
    return (
        f"[[band]]\nname = {_quoted(band.name)}\ntop = {band.top}\nbottom = {band.bottom}\n"
        f"role = {_quoted(band.role)}\nimage = {_quoted(band.image)}\n"
    )


def _quoted(value: str) -> str:
    # A basic TOML string has the escapes of JSON; the one exception is DEL, which it forbids raw.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
