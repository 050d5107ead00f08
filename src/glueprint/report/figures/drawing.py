"""Charts to files and to page-ready SVG, with the bundled renderer and no network."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import vl_convert

from glueprint.errors import InputError
from glueprint.report.embedding import VEGA_LITE, figure_page
from glueprint.runs.store import write_file

__all__ = ["VEGA_LITE", "check_ending", "save", "svg", "written"]

PIXELS_PER_POINT = 2.0
NUMBERED = re.compile(r"\b(clip|gradient_)(\d+)\b")
GEOMETRY = re.compile(r' (?:d|transform)="[^"]*"')
LONG_NUMBER = re.compile(r"\d*\.\d{2,}")


def svg(chart: Any, *, prefix: str = "figure") -> str:
    """A chart as SVG text that can stand beside others in one page.

    The renderer numbers its clip paths and gradients through the whole process; here they are numbered again
    from 0 and carry `prefix`, so the same chart gives the same bytes and two charts never share an id.
    """
    # The tests check whole charts against the schema; here that would take longer than drawing.
    text = vl_convert.vegalite_to_svg(chart.to_dict(validate=False), vl_version=VEGA_LITE)
    places: dict[str, str] = {}

    def renamed(found: re.Match[str]) -> str:
        return places.setdefault(found.group(), f"{prefix}-{found.group(1)}{len(places)}")

    return GEOMETRY.sub(_rounded, NUMBERED.sub(renamed, text))


def _rounded(attribute: re.Match[str]) -> str:
    """Coordinates to a tenth of a pixel: nobody sees the difference, and the page is a third lighter."""
    return LONG_NUMBER.sub(lambda found: f"{float(found.group()):.1f}", attribute.group())


def save(chart: Any, path: str | Path) -> Path:
    """Write a chart as SVG, PNG, PDF or offline HTML, by the ending of `path`, atomically.

    Raises InputError GP-P004 for another ending, and what `runs.store.write_file` raises.
    """
    target = Path(path)
    write_file(target, written(chart, check_ending(target)))
    return target


def written(chart: Any, ending: str) -> bytes:
    """A chart as the bytes of a file. ending: of its name, one of those that `check_ending` takes."""
    return WRITERS[ending](chart)


def check_ending(target: Path) -> str:
    """The ending of a figure's file, in small letters.

    Raises InputError GP-P004 for one that is not written.
    """
    ending = target.suffix.lower()
    if ending not in WRITERS:
        raise InputError(
            "GP-P004",
            f'a figure cannot be written as "{target.suffix}"',
            where=str(target),
            expected=f"a file name that ends in {', '.join(WRITERS)}",
            next_step=f"use {target.with_suffix('.svg').name}",
        )
    return ending


def _png(chart: Any) -> bytes:
    return bytes(vl_convert.vegalite_to_png(chart.to_dict(), vl_version=VEGA_LITE, scale=PIXELS_PER_POINT))


def _pdf(chart: Any) -> bytes:
    return bytes(vl_convert.vegalite_to_pdf(chart.to_dict(), vl_version=VEGA_LITE))


def _html(chart: Any) -> bytes:
    # The renderer's JavaScript goes into the file, so it opens without a network.
    return figure_page(chart.to_dict(), "Glueprint figure").encode()


WRITERS: Mapping[str, Callable[[Any], bytes]] = {
    ".svg": lambda chart: svg(chart).encode(),
    ".png": _png,
    ".pdf": _pdf,
    ".html": _html,
}
