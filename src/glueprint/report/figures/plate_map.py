"""Plate map: every well of a channel as a coloured square, with its role and what could not be read."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from glueprint.assays.layout_drawing import SIGNS
from glueprint.assays.plate import plate_shape, row_letters, well_name, well_place
from glueprint.report import tables
from glueprint.report.figures import theme

__all__ = ["plate_map"]

CELL = 26
SMALL_CELL = 17
# A sequence that also prints: pale paper to the blue of the first arm.
COLOURS = ("#f4f1ea", "#9fc1dd", "#0b5c9e", "#062f52")
# Above this part of the range the ground is dark and the letter on it pale.
DARK = 0.45
FLAGS = {"above_range": "▲", "below_range": "▼", "missing": "·", "masked": "#"}
OTHER_FLAG = "!"
OTHER_ROLE = "?"
# Spaces that the renderer does not fold.
GAP = "\u00a0" * 4
COLUMNS = ("plate", "well", "channel", "value", "unit", "flag", "role")


def plate_map(wells: pl.DataFrame, *, interactive: bool = False) -> Any:
    """One heat map a plate and channel; roles as letters, flags as signs, wells of no role bare.

    wells: as `layout.apply` gives them: plate, well, channel, value, unit, flag, role.
    Raises InputError GP-P001 for a missing column.
    """
    tables.require(wells, COLUMNS, "wells")
    maps = []
    for (plate, channel), part in wells.group_by("plate", "channel", maintain_order=True):
        title = ", ".join(text for text in (str(plate), str(channel)) if text) or "plate"
        maps.append(_map(part, title, interactive))
    legend = _legend(wells)
    drawn = alt.vconcat(*maps, *([legend] if legend is not None else []), spacing=26)
    return theme.styled(drawn.resolve_scale(color="independent"))


def _map(part: pl.DataFrame, title: str, interactive: bool) -> Any:
    rows = [row for row in part.to_dicts() if well_name(row["well"]) == row["well"]]
    shape = plate_shape([well_place(row["well"]) for row in rows])
    cell = CELL if shape[1] <= 12 else SMALL_CELL
    values = [row["value"] for row in rows if row["value"] is not None]
    low, high = min(values, default=0.0), max(values, default=1.0)
    data = [_cell(row, (low, high)) for row in rows]
    unit = next((unit for unit in part["unit"].unique(maintain_order=True) if unit), "value")
    axes = {
        "x": alt.X("column:O", title=None, sort=[str(n + 1) for n in range(shape[1])],
                   axis=alt.Axis(orient="top", labelAngle=0, ticks=False, domain=False)),
        "y": alt.Y("row:O", title=None, sort=[row_letters(n) for n in range(shape[0])],
                   axis=alt.Axis(ticks=False, domain=False)),
    }  # fmt: skip
    scale = alt.Scale(range=list(COLOURS), interpolate="rgb", domain=[low, high if high > low else low + 1.0])
    colour = alt.Color(
        "value:Q",
        scale=scale,
        legend=alt.Legend(title=unit, orient="right", gradientLength=min(120, cell * shape[0])),
    )
    base = alt.Chart(theme.records(data))
    ground = base.mark_rect(stroke=theme.PAPER, strokeWidth=1.5).encode(**axes)
    squares = ground.encode(color=colour)
    letters = base.mark_text(fontSize=9 if cell == CELL else 7, baseline="middle").encode(
        **axes, text="sign:N", color=alt.Color("ink:N", scale=None)
    )
    if interactive:
        named = ("well:N", "role:N", "sample:N", "value:Q", "flag:N")
        squares = squares.encode(tooltip=[alt.Tooltip(name) for name in named])
    chart = theme.layered(squares, letters).resolve_scale(color="independent")
    return chart.properties(
        width=cell * shape[1], height=cell * shape[0], title=alt.TitleParams(title, offset=6)
    )


def _cell(row: dict[str, Any], limits: tuple[float, float]) -> dict[str, Any]:
    """One well as chart data; a null value has no colour, and its flag says why."""
    low, high = limits
    value, place = row["value"], well_place(row["well"])
    dark = value is not None and high > low and (value - low) / (high - low) > DARK
    sign = SIGNS.get(row["role"], OTHER_ROLE) if row["role"] else ""
    if row["flag"]:
        sign = FLAGS.get(row["flag"], OTHER_FLAG)
    ink = (
        theme.ARM_COLOURS[1]
        if row["flag"] and row["flag"] != "missing"
        else theme.PAPER
        if dark
        else theme.INK
    )
    return {
        "row": row_letters(place[0]),
        "column": str(place[1] + 1),
        "well": row["well"],
        "role": row["role"],
        "sample": row.get("sample", ""),
        "flag": row["flag"],
        "value": value,
        "sign": sign,
        "ink": ink,
    }


def _legend(wells: pl.DataFrame) -> Any:
    """What the letters and signs say, in one line; None where there are none."""
    roles = [role for role in wells["role"].unique(maintain_order=True) if role]
    said = [f"{SIGNS.get(role, OTHER_ROLE)} {role.replace('_', ' ')}" for role in roles]
    flags = wells["flag"].unique(maintain_order=True)
    said += [f"{sign} {flag.replace('_', ' ')}" for flag, sign in FLAGS.items() if flag in flags.to_list()]
    if any(flag.startswith("error") for flag in flags):
        said.append(f"{OTHER_FLAG} see flags")
    if not said:
        return None
    lines = [
        {"text": GAP.join(said[place : place + 5]), "line": place // 5} for place in range(0, len(said), 5)
    ]
    text = alt.Chart(theme.records(lines)).mark_text(align="left", color=theme.MUTED, fontSize=10)
    across = text.encode(x=alt.value(0), y=alt.Y("line:O", axis=None), text="text:N")
    return across.properties(width=CELL * 12, height=16 * len(lines))
