"""Diagrams by name, as text or as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import vl_convert

from glueprint import trials
from glueprint.errors import InputError, nearest
from glueprint.mechanism import compounds
from glueprint.report.diagrams import drawing, flow, layout, overlay, sbgnml, schema, workflow
from glueprint.report.diagrams.palette import themed
from glueprint.report.diagrams.scenes import Scene, scene
from glueprint.runs.store import write_file

__all__ = ["caption", "names", "save", "schema_caption", "svg", "title"]

PIXELS_PER_POINT = 2.0
SCHEMA, SBGN = "trial_", ".sbgn"
DOSE_NM, TIME_H = 1000.0, 24.0  # what a coloured map shows unless told


def names() -> tuple[str, ...]:
    """The diagrams that can be drawn: maps, work flows, schemas of trials."""
    schemas = (f"{SCHEMA}{name}" for name in trials.available())
    return (*layout.map_names(), *workflow.workflow_names(), *schemas)


def title(name: str) -> str:
    """What a diagram shows, in one line. Raises as `svg`."""
    if name in layout.map_names():
        return layout.read(name)[0].title
    if name in workflow.workflow_names():
        return workflow.read(name).title
    return _protocol(name).title


def caption(name: str) -> str:
    """What to see in a diagram, in a sentence or two. Raises as `svg`."""
    if name in layout.map_names():
        return layout.read(name)[0].caption
    if name in workflow.workflow_names():
        return workflow.read(name).caption
    return schema_caption(_protocol(name))


def schema_caption(protocol: trials.Protocol) -> str:
    """What to see in the schema of a trial."""
    arms = " and ".join(f"{arm.patients} patients receive {arm.name}" for arm in protocol.arms)
    return f"{arms}. Filled squares: days of the {protocol.cycle_days}-day cycle on which a dose is given."


def svg(
    name: str,
    theme: str = "page",
    *,
    compound: str | Path | None = None,
    dose_nm: float | None = None,
    time_h: float | None = None,
) -> str:
    """A diagram as one SVG document.

    name: one of `names()`, or a trial's own .toml file.
    theme: "page" (colours as the report's tokens, which its page maps to light and dark), "light" or "dark".
    compound, dose_nm, time_h: colour a map by what a dose (nM) has done to each species after a time (hours);
    any of them asks for it, the others are then the reference compound, 1000 nM and 24 h.
    Raises InputError GP-P022 for an unknown name, GP-P028 for an unknown theme, GP-P023 to GP-P026 where a
    map and its models differ, GP-P033 for a dose on a diagram that is no map, and as `overlay.folds`.
    """
    asked = any(one is not None for one in (compound, dose_nm, time_h))
    if name in layout.map_names():
        chart = scene(name)
        drawn = _coloured(chart, compound, dose_nm, time_h) if asked else drawing.draw(chart)
        return themed(drawn, theme)
    drawn = flow.draw(workflow.read(name)) if name in workflow.workflow_names() else _schema(name)
    if asked:
        raise InputError(
            "GP-P033",
            f'"{name}" has no species to colour',
            where="compound, dose_nm, time_h",
            expected=f"one of {', '.join(layout.map_names())}",
            next_step="choose a map, or leave the dose out",
        )
    return themed(drawn, theme)


def _coloured(chart: Scene, compound: str | Path | None, dose_nm: float | None, time_h: float | None) -> str:
    glue = compounds.load(compounds.REFERENCE if compound is None else compound)
    dose, time = (DOSE_NM if dose_nm is None else dose_nm), (TIME_H if time_h is None else time_h)
    table = overlay.folds(chart, glue, dose_nm=dose, time_h=time)
    words = f"{glue.name}, {dose:g} nM, after {time:g} h: level over untreated"
    key = overlay.key(20.0, chart.chart.size[1] + 30, words)
    return drawing.draw(chart, overlay.fills(chart, table), overlay.marks(chart, table) + key)


def _schema(name: str) -> str:
    return schema.draw(_protocol(name))


def _protocol(name: str) -> trials.Protocol:
    if name.endswith(".toml"):
        return trials.load_protocol(name)
    if name.removeprefix(SCHEMA) in trials.available() and name.startswith(SCHEMA):
        return trials.load_protocol(name.removeprefix(SCHEMA))
    raise InputError(
        "GP-P022",
        f'no diagram is called "{name}"{nearest(name, names())}',
        expected=f"one of {', '.join(names())}",
        next_step="see `glueprint diagram list`",
    )


def save(name: str, path: str | Path, theme: str = "light", **coloured: Any) -> Path:
    """Write a diagram as SVG, PNG, PDF or SBGN-ML (maps only), by the ending of `path`, atomically.

    coloured: compound, dose_nm and time_h as in `svg`.
    Raises as `svg`, InputError GP-P029 for another ending, and what `runs.store.write_file` raises.
    """
    target = Path(path)
    ending = target.suffix.lower()
    endings = (*WRITERS, SBGN) if name in layout.map_names() else tuple(WRITERS)
    if ending not in endings:
        raise InputError(
            "GP-P029",
            f'"{name}" cannot be written as "{target.suffix}"',
            where=str(target),
            expected=f"a file name that ends in {', '.join(endings)}",
            next_step=f"use {target.with_suffix('.svg').name}",
        )
    content = sbgnml.write(scene(name)) if ending == SBGN else WRITERS[ending](svg(name, theme, **coloured))
    write_file(target, content)
    return target


WRITERS: Mapping[str, Callable[[str], str | bytes]] = {
    ".svg": str,
    ".png": lambda drawn: bytes(vl_convert.svg_to_png(drawn, scale=PIXELS_PER_POINT)),
    ".pdf": lambda drawn: bytes(vl_convert.svg_to_pdf(drawn)),
}
