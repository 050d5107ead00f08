"""What figures of a trial share: panels per arm, a heading with a note, a key of marks, a fair sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import polars as pl

from glueprint.errors import InputError
from glueprint.report.figures import theme

__all__ = ["GAP", "WIDTH", "beside", "evenly", "heading", "key", "nothing", "panel_title", "panel_width"]

WIDTH = 590
GAP = 18
COLUMNS = 2
KEY_ROW = 18
KEY_SMALL, KEY_LARGE = 5.5, 7.8  # average widths of letters of the key, px
KEY_MARK = 14
KEY_SPACE = 16


def heading(title: str, note: str = "", *, offset: int = 10, **more: Any) -> alt.TitleParams:
    """The title of a figure, with a note below it that says what the numbers are."""
    if not note:
        return alt.TitleParams(title, anchor="start", offset=offset, **more)
    return alt.TitleParams(
        title,
        subtitle=note.split("\n"),
        subtitleColor=theme.MUTED,
        subtitleFontSize=11,
        subtitlePadding=4,
        anchor="start",
        offset=offset,
        **more,
    )


def panel_title(text: str, colour: str, below: str = "", *, width: int = WIDTH) -> alt.TitleParams:
    """The name of an arm above its panel, in its colour, no wider than the panel; what is below in grey."""
    more: dict[str, Any] = {}
    if below:
        more = {"subtitle": below, "subtitleColor": theme.MUTED, "subtitleFontSize": 11, "subtitlePadding": 3}
    return alt.TitleParams(text, color=colour, frame="group", offset=8, limit=width, **more)


def panel_width(arms: Sequence[str], *, gap: int = GAP) -> int:
    """Width of one of up to two panels in a row."""
    columns = min(COLUMNS, max(1, len(arms)))
    return (WIDTH - gap * (columns - 1)) // columns


def beside(
    panels: Sequence[Any],
    *,
    below: alt.LayerChart | None = None,
    title: str = "",
    note: str = "",
    gap: int = GAP,
) -> alt.VConcatChart:
    """Panels in rows of two, what stands below them, and the heading of the whole figure."""
    rows = [
        alt.hconcat(*panels[first : first + COLUMNS], spacing=gap, bounds="flush")
        for first in range(0, len(panels), COLUMNS)
    ]
    chart = alt.vconcat(*rows, *([] if below is None else [below]), spacing=14)
    if title:
        chart = chart.properties(title=heading(title, note))
    return theme.styled(chart)  # type: ignore[no-any-return]


def nothing(
    figure: str,
    what: str,
    expected: str,
    next_step: str = "leave this figure out, or run a trial that has such patients",
) -> InputError:
    """The error for a figure that has nothing to show: GP-P005."""
    return InputError(
        "GP-P005",
        f"nothing to draw: {what}",
        where=f'figure "{figure}"',
        expected=expected,
        next_step=next_step,
    )


def evenly(table: pl.DataFrame, most: int) -> pl.DataFrame:
    """At most `most` rows of a sorted table, evenly spaced and with both ends: nobody is chosen."""
    if table.height <= most:
        return table
    places = [round(place * (table.height - 1) / (most - 1)) for place in range(most)]
    return table[places]


def key(items: Sequence[tuple[str, Mapping[str, Any]]], *, width: int = WIDTH) -> alt.LayerChart:
    """Marks and what they mean, from left to right, in as many rows as they need.

    items: text, and the properties of its point mark.
    """
    layers: list[alt.Chart] = []
    left, row = 6.0, 0
    for text, look in items:
        wide = KEY_MARK + sum(KEY_LARGE if letter.isupper() else KEY_SMALL for letter in text)
        if left + wide > width and left > 6.0:
            left, row = 6.0, row + 1
        down = alt.YValue(KEY_ROW * row + KEY_ROW / 2)  # type: ignore[no-untyped-call]
        at = alt.XValue(left)  # type: ignore[no-untyped-call]
        beyond = alt.XValue(left + KEY_MARK)  # type: ignore[no-untyped-call]
        data = alt.InlineData(values=[{"text": text}])
        mark: dict[str, Any] = {"opacity": 1, "size": 50, **look}
        layers.append(alt.Chart(data).mark_point(**mark).encode(at, down))
        said = alt.Chart(data).mark_text(align="left", baseline="middle", fontSize=11, color=theme.INK)
        layers.append(said.encode(beyond, down, alt.Text("text:N")))
        left += wide + KEY_SPACE
    return theme.layered(*layers).properties(width=width, height=KEY_ROW * (row + 1))
