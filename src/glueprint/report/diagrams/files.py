"""Diagrams by name, as text or as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import vl_convert

from glueprint.errors import InputError
from glueprint.report.diagrams import layout, sbgnml
from glueprint.report.diagrams.drawing import draw
from glueprint.report.diagrams.palette import themed
from glueprint.report.diagrams.scenes import scene
from glueprint.runs.store import write_file

__all__ = ["names", "save", "svg", "title"]

PIXELS_PER_POINT = 2.0


def names() -> tuple[str, ...]:
    """The diagrams that can be drawn."""
    return layout.map_names()


def title(name: str) -> str:
    """What a diagram shows, in one line. Raises InputError GP-P022 for an unknown name."""
    return layout.read(name)[0].title


def svg(name: str, theme: str = "page") -> str:
    """A diagram as one SVG document.

    theme: "page" (colours as the report's tokens, which its page maps to light and dark), "light" or "dark".
    Raises InputError GP-P022 for an unknown name, GP-P028 for an unknown theme, GP-P023 to GP-P026 where a
    map and its models differ.
    """
    return themed(draw(scene(name)), theme)


def save(name: str, path: str | Path, theme: str = "light") -> Path:
    """Write a diagram as SVG, PNG, PDF or SBGN-ML, by the ending of `path`, atomically.

    Raises as `svg`, InputError GP-P029 for another ending, and what `runs.store.write_file` raises.
    """
    target = Path(path)
    write = WRITERS.get(target.suffix.lower())
    if write is None:
        raise InputError(
            "GP-P029",
            f'a diagram cannot be written as "{target.suffix}"',
            where=str(target),
            expected=f"a file name that ends in {', '.join(WRITERS)}",
            next_step=f"use {target.with_suffix('.svg').name}",
        )
    write_file(target, write(name, theme))
    return target


WRITERS: Mapping[str, Callable[[str, str], str | bytes]] = {
    ".svg": svg,
    ".png": lambda name, theme: bytes(vl_convert.svg_to_png(svg(name, theme), scale=PIXELS_PER_POINT)),
    ".pdf": lambda name, theme: bytes(vl_convert.svg_to_pdf(svg(name, theme))),
    ".sbgn": lambda name, _: sbgnml.write(scene(name)),
}
