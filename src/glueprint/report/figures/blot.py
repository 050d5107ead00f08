"""A blot to check by eye: lanes, bands and flags over the picture; lane profiles with their base lines."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import altair as alt
import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.report import tables as contract
from glueprint.report.figures import theme

__all__ = ["blot", "blots", "grey", "grey_png"]

Array = NDArray[Any]
# The longer side of the drawing, and of the picture in it.
DRAWN_PX, PICTURE_PX = 880, 1100
LANE_WIDTH, LANE_HEIGHT, LANES_A_ROW = 395, 200, 2
PROFILE_POINTS = 400
# Room that a band's name needs beside the first lane.
NAME_PX = 60.0
# The strongest pixels of a blot would leave its weak bands white: shown by their square root.
DARKEST_QUANTILE, LIGHTEST_QUANTILE = 0.9995, 0.02
STATUS_COLOURS = {
    "ok": theme.ARM_COLOURS[0],
    "below detection": theme.ARM_COLOURS[3],
    "saturated": theme.ARM_COLOURS[1],
    "no background": theme.ARM_COLOURS[5],
    "base line off": theme.ARM_COLOURS[4],
}
VOLUME_COLUMNS = ("lane", "band", "image", "top", "bottom", "left", "right", "status")


@dataclass(frozen=True)
class Frame:
    """The picture's size in pixels, and how many of them one pixel of the drawing shows."""

    rows: int
    columns: int

    @property
    def scale(self) -> float:
        """Pixels of the drawing a pixel of the picture."""
        return DRAWN_PX / max(self.rows, self.columns)

    @property
    def x(self) -> alt.Scale:
        """Columns from the left."""
        return alt.Scale(domain=[0, self.columns], nice=False, zero=False)

    @property
    def y(self) -> alt.Scale:
        """Rows from the top."""
        return alt.Scale(domain=[self.rows, 0], nice=False, zero=False)


def blot(tables: Mapping[str, pl.DataFrame], picture: Array, *, image: str = "blot") -> alt.VConcatChart:
    """Boxes, numbers and flags over the picture, and below it a profile with its base line for every lane.

    tables: volumes, bands and profiles of `assays.blot.Result`.
    picture: (rows, columns) signal of the straight picture, bright where there is protein; drawn dark.
    image: which picture of the tables it is.
    Numbers are fractions remaining, where there are any.
    Raises InputError GP-P001 for a missing column.
    """
    return theme.styled(_drawn(tables, picture, image=image))  # type: ignore[no-any-return]


def blots(parts: Mapping[str, tuple[Mapping[str, pl.DataFrame], Array]]) -> alt.VConcatChart:
    """Several membranes of one picture below each other, each as `blot` draws it.

    parts: tables and picture of each, by the membrane's name.
    Raises InputError GP-P001 for a missing column.
    """
    several = len(parts) > 1
    drawn = [
        _drawn(tables, picture, name=f", membrane {name}" if several else "")
        for name, (tables, picture) in parts.items()
    ]
    return theme.styled(alt.vconcat(*drawn, spacing=40))  # type: ignore[no-any-return]


def _drawn(
    tables: Mapping[str, pl.DataFrame], picture: Array, *, image: str = "blot", name: str = ""
) -> alt.VConcatChart:
    volumes = tables["volumes"]
    contract.require(volumes, VOLUME_COLUMNS, "volumes")
    contract.require(tables["profiles"], ("image", "lane", "row", "profile", "base_line"), "profiles")
    volumes = volumes.filter(pl.col("image") == image)
    frame = Frame(*picture.shape)
    overlay = _overlay(volumes, tables["bands"], picture, frame, name)
    profiles = tables["profiles"].filter(pl.col("image") == image)
    lanes = [
        _lane(here, volumes.filter(pl.col("lane") == lane[0]), int(str(lane[0])))
        for lane, here in profiles.group_by("lane", maintain_order=True)
    ]
    parts: list[Any] = [overlay]
    if lanes:
        parts.append(alt.concat(*lanes, columns=LANES_A_ROW, spacing=18))
    chart = alt.vconcat(*parts, spacing=24).resolve_scale(color="independent")
    return cast("alt.VConcatChart", chart)


def _overlay(
    volumes: pl.DataFrame, bands: pl.DataFrame, picture: Array, frame: Frame, name: str
) -> alt.LayerChart:
    fractions = {(row["lane"], row["target"]): row for row in bands.to_dicts()}
    boxes, numbers = [], []
    for row in volumes.to_dicts():
        box = {name: row[name] for name in ("left", "right", "top", "bottom", "status")}
        boxes.append(box)
        told = _told(row, fractions.get((row["lane"], row["band"])))
        if told:
            numbers.append({"x": 0.5 * (row["left"] + row["right"]), "y": row["bottom"], "text": told})
    lanes = volumes.group_by("lane", maintain_order=True).agg(
        x=(pl.col("left").min() + pl.col("right").max()) / 2.0, y=pl.col("top").min()
    )
    names = volumes.group_by("band", maintain_order=True).agg(
        pl.col("top", "bottom").first(), pl.col("left").min()
    )
    # Names stand left of the first lane where there is room, else over the box, and the lane numbers above.
    room = (volumes["left"].min() or 0) * frame.scale > NAME_PX  # type: ignore[operator]
    beside: dict[str, Any] = {"dx": -5, "align": "right"} if room else {"dy": -5, "align": "left"}
    labels = [{"x": row["x"], "y": row["y"], "text": str(row["lane"])} for row in lanes.to_dicts()]
    rows = [
        {
            "x": row["left"],
            "y": 0.5 * (row["top"] + row["bottom"]) if room else row["top"],
            "text": row["band"],
        }
        for row in names.to_dicts()
    ]
    subtitle = "the picture turned straight, square root of the signal; counts are untouched"
    title = alt.TitleParams(f"Lanes and bands{name}", subtitle=subtitle, subtitleColor=theme.MUTED, offset=8)
    layers = [
        _picture(picture, frame),
        _boxes(boxes, frame),
        _texts(labels, frame, dy=-8 if room else -18, bold=True),
        _texts(rows, frame, **beside),
        _texts(numbers, frame, dy=7),
        *_strikes(volumes, bands, frame),
    ]
    size = {"width": frame.columns * frame.scale, "height": frame.rows * frame.scale}
    return theme.layered(*layers).properties(title=title, **size)


def _strikes(volumes: pl.DataFrame, bands: pl.DataFrame, frame: Frame) -> list[alt.Chart]:
    """A stroke from corner to corner through the boxes of lanes that are left out."""
    out = bands.filter(pl.col("flags").fill_null("").str.contains("excluded: "))["lane"].unique()
    rows = volumes.filter(pl.col("lane").is_in(out.to_list())).select("left", "right", "top", "bottom")
    if rows.is_empty():
        return []
    base = alt.Chart(theme.records(rows.to_dicts())).mark_rule(color=theme.INK, strokeWidth=1.4)
    ends = {"x2": "right:Q", "y2": "bottom:Q"}
    return [base.encode(alt.X("left:Q", scale=frame.x), alt.Y("top:Q", scale=frame.y), **ends)]


def _told(row: Mapping[str, Any], ratio: Mapping[str, Any] | None) -> str:
    if row["status"] == "saturated":
        return "saturated"
    if ratio is not None and ratio["fraction_remaining"] is not None:
        relation = "" if ratio["relation"] == "=" else ratio["relation"]
        return f"{relation}{ratio['fraction_remaining']:.2g}"
    return "not seen" if row["status"] == "below detection" else ""


def _picture(picture: Array, frame: Frame) -> alt.Chart:
    data = base64.b64encode(grey_png(grey(picture))).decode()
    place = {"x": 0, "y": 0, "url": f"data:image/png;base64,{data}"}
    mark = alt.Chart(alt.InlineData(values=[place])).mark_image(
        align="left",
        baseline="top",
        aspect=False,
        width=frame.columns * frame.scale,
        height=frame.rows * frame.scale,
    )
    x = alt.X("x:Q", scale=frame.x, axis=alt.Axis(title="column, px", tickCount=8))
    y = alt.Y("y:Q", scale=frame.y, axis=alt.Axis(title="row, px", tickCount=8, grid=False))
    return cast("alt.Chart", mark.encode(x, y, url="url:N"))


def _boxes(boxes: list[dict[str, Any]], frame: Frame) -> alt.Chart:
    present = [status for status in STATUS_COLOURS if any(box["status"] == status for box in boxes)]
    colour = alt.Stroke(
        "status:N",
        scale=alt.Scale(domain=present, range=[STATUS_COLOURS[status] for status in present]),
        legend=alt.Legend(title=None, orient="top"),
    )
    x, y = alt.X("left:Q", scale=frame.x), alt.Y("top:Q", scale=frame.y)
    mark = alt.Chart(theme.records(boxes)).mark_rect(filled=False, strokeWidth=1.1)
    return cast("alt.Chart", mark.encode(x, y, alt.X2("right:Q"), alt.Y2("bottom:Q"), stroke=colour))


def _texts(
    rows: list[dict[str, Any]],
    frame: Frame,
    *,
    dx: int = 0,
    dy: int = 0,
    align: Literal["center", "right", "left"] = "center",
    bold: bool = False,
) -> alt.Chart:
    mark = alt.Chart(theme.records(rows)).mark_text(
        dx=dx, dy=dy, align=align, fontSize=11 if bold else 9, fontWeight=600 if bold else 400,
        color=theme.INK,
    )  # fmt: skip
    x, y = alt.X("x:Q", scale=frame.x), alt.Y("y:Q", scale=frame.y)
    return cast("alt.Chart", mark.encode(x, y, text="text:N"))


def _lane(profile: pl.DataFrame, volumes: pl.DataFrame, lane: int) -> alt.LayerChart:
    """The profile of one lane, its base line, and the windows of its bands."""
    step = max(1, -(-profile.height // PROFILE_POINTS))
    thin = profile.gather_every(step)
    # From the lowest point, by the square root: a weak band and its base line show beside a strong one.
    low = min(float(thin[name].min() or 0.0) for name in ("profile", "base_line"))  # type: ignore[arg-type]
    points = [
        {"row": row["row"], "value": row[name] - low, "line": name}
        for row in thin.to_dicts()
        for name in ("profile", "base_line")
    ]
    windows = [{"from": row["top"], "to": row["bottom"]} for row in volumes.to_dicts()]
    rows = alt.Scale(domain=[0, profile.height], nice=False)
    x = alt.X("row:Q", scale=rows, axis=alt.Axis(title="row, px", tickCount=4))
    y = alt.Y(
        "value:Q",
        scale=alt.Scale(type="sqrt", zero=True),
        axis=alt.Axis(title=None, tickCount=5, format="~s", minExtent=30),
    )
    colours = alt.Scale(domain=["profile", "base_line"], range=[theme.INK, theme.ARM_COLOURS[1]])
    lines = alt.Chart(theme.records(points)).mark_line(strokeWidth=1.0)
    shade = alt.Chart(theme.records(windows)).mark_rect(color=theme.GRID, opacity=0.7)
    drawn = theme.layered(
        shade.encode(alt.X("from:Q", scale=rows), alt.X2("to:Q")),
        lines.encode(x, y, color=alt.Color("line:N", scale=colours, legend=None)),
    )
    off = volumes.filter(pl.col("status") == "base line off")["band"].to_list()
    said = f"above {low:.4g}, square root" + (f"; the base line is off at {', '.join(off)}" if off else "")
    title = alt.TitleParams(f"lane {lane}", subtitle=said, subtitleColor=theme.MUTED, offset=4)
    return drawn.properties(width=LANE_WIDTH, height=LANE_HEIGHT, title=title)


def grey(picture: Array) -> Array:
    """(rows, columns) of 8 bit for the eye alone: dark bands, square root between two quantiles."""
    step = max(1, -(-max(picture.shape) // PICTURE_PX))
    rows, columns = picture.shape[0] // step * step, picture.shape[1] // step * step
    blocks = picture[:rows, :columns].reshape(rows // step, step, columns // step, step).mean(axis=(1, 3))
    low, high = np.quantile(blocks, (LIGHTEST_QUANTILE, DARKEST_QUANTILE))
    share = np.sqrt(np.clip((blocks - low) / max(high - low, 1e-12), 0.0, 1.0))
    pixels: Array = np.round(255.0 * (1.0 - share)).astype(np.uint8)
    return pixels


def grey_png(pixels: Array) -> bytes:
    """(rows, columns) of 8-bit grey as a PNG file.

    Source: Portable Network Graphics specification, third edition: signature, IHDR, IDAT, IEND.
    """
    rows, columns = pixels.shape
    # Every row begins with its filter, 0: none.
    lines = np.concatenate([np.zeros((rows, 1), dtype=np.uint8), pixels], axis=1)
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
