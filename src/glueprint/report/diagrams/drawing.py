"""A scene as SVG: areas, frames, arcs, processes, entities, in this order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from xml.sax.saxutils import escape

from glueprint.report.diagrams import glyphs
from glueprint.report.diagrams.geometry import Rectangle, arrow_angle, join, path, shortened
from glueprint.report.diagrams.layout import Area, Box, Point
from glueprint.report.diagrams.palette import colour
from glueprint.report.diagrams.scenes import Arc, Frame, Node, Scene, Step
from glueprint.report.figures.theme import GRID, INK, MUTED

__all__ = ["box_of", "draw", "line_of", "port", "sides"]

LEGEND_HEIGHT = 66.0
SIDES = {"right": (1, 0), "left": (-1, 0), "up": (0, -1), "down": (0, 1)}


def draw(scene: Scene, fills: Mapping[str, tuple[str, float]] | None = None, extra: str = "") -> str:
    """The map as one SVG document, its colours the report's tokens.

    fills: species -> (colour token, opacity), instead of their own tints.   extra: SVG in place of the key.
    """
    width, height = scene.chart.size
    height += LEGEND_HEIGHT
    body = [
        glyphs.text(20, 30, scene.chart.title, size=15, weight=600, anchor="start"),
        *(_area(area, box) for area, box in scene.areas.values()),
        *(_frame(frame) for frame in scene.frames.values()),
        *_arcs(scene),
        *(_step(step) for step in scene.steps.values()),
        *(_node(node, fills or {}) for node in scene.nodes.values()),
        extra or _legend(width, height - LEGEND_HEIGHT),
    ]
    return glyphs.sheet(width, height, scene.chart.title, body)


def box_of(node: Node) -> Rectangle:
    """The box of a node on the sheet."""
    place = node.place
    if place.size is not None:
        width, height = place.size
    elif place.parts:
        width, height = glyphs.complex_size(place.parts)
    else:
        width, height = glyphs.DEFAULT_SIZE[place.glyph]
    radius = height / 2 if place.glyph == "simple chemical" else 0.0
    return Rectangle(*node.at, width, height, round=place.glyph == "unspecified entity", radius=radius)


def port(step: Step, *, makes: bool) -> Point:
    """Where arcs of one side meet a process."""
    dx, dy = SIDES[step.process.toward]
    sign = 1 if makes else -1
    return (step.at[0] + sign * dx * glyphs.PORT, step.at[1] + sign * dy * glyphs.PORT)


def sides(step: Step) -> list[bool]:
    """For each arc of a step, whether it belongs to what the process makes."""
    before = len(step.process.takes) + (step.process.source is not None)
    return [place >= before for place in range(len(step.arcs))]


def line_of(scene: Scene, step: Step, place: int) -> list[Point]:
    """The corners of the arc at `place` in the step's list, in its direction."""
    arc = step.arcs[place]
    if arc.kind in ("consumption", "production"):
        makes = sides(step)[place]
        end, radius = port(step, makes=makes), 2 * glyphs.EMPTY_RADIUS
        start = (
            Rectangle(*arc.empty, radius, radius, round=True)
            if arc.empty is not None
            else box_of(scene.nodes[arc.node])
        )
        way = list(arc.points)
        line = join(start, list(reversed(way)) if makes else way, end)
        outward = makes or arc.kind == "production"
        return list(reversed(line)) if outward else line
    square = Rectangle(*step.at, glyphs.PROCESS, glyphs.PROCESS)
    return join(_origin(scene, arc), arc.points, square)


def _origin(scene: Scene, arc: Arc) -> Rectangle:
    if arc.node.startswith("frame:"):
        x, y, width, height = scene.frames[arc.node.removeprefix("frame:")].box
        return Rectangle(x + width / 2, y + height / 2, width, height)
    return box_of(scene.nodes[arc.node])


def _arcs(scene: Scene) -> Iterator[str]:
    # Quiet arcs lie below: where two cross, the main course stays whole.
    for quiet in (True, False):
        ways, heads, empties = [], [], []
        for step in scene.steps.values():
            if step.process.quiet is not quiet:
                continue
            for place, arc in enumerate(step.arcs):
                ways.append((arc.kind, line_of(scene, step, place)))
                empties += [glyphs.empty_set(*arc.empty)] if arc.empty is not None else []
        for kind in dict.fromkeys(kind for kind, _ in ways):
            ends = [(line[-1], arrow_angle(line)) for other, line in ways if other == kind]
            heads.append(glyphs.heads(kind, ends, MUTED if quiet else INK))
        yield _lines(ways, quiet)
        yield from (*heads, *empties)


def _lines(ways: Iterable[tuple[str, list[Point]]], quiet: bool) -> str:
    """Many arcs without their heads, as one path."""
    token, width = (MUTED, 1.1) if quiet else (INK, 1.5)
    joined = "".join(path(shortened(line, glyphs.BACK.get(kind, 0.0))) for kind, line in ways)
    return f'<path d="{joined}" fill="none" stroke="{token}" stroke-width="{width}"/>'


def _arc(kind: str, points: list[Point], quiet: bool) -> str:
    token = MUTED if quiet else INK
    head = glyphs.heads(kind, [(points[-1], arrow_angle(points))], token)
    return _lines([(kind, points)], quiet) + head


def _step(step: Step) -> str:
    process = step.process
    drawn = glyphs.process(*step.at, upright=process.toward in ("up", "down"), quiet=process.quiet)
    if process.note and process.note_at:
        dx, dy = step.at[0] - process.at[0], step.at[1] - process.at[1]
        anchor = "end" if process.note_at[0] < process.at[0] - 5 else "start"
        if abs(process.note_at[0] - process.at[0]) <= 5:
            anchor = "middle"
        x, y = process.note_at[0] + dx, process.note_at[1] + dy
        drawn += glyphs.text(x, y, process.note, size=10, fill=MUTED, anchor=anchor, italic=True)
    return f"<g><title>{escape(step.key)}</title>{drawn}</g>"


def _node(node: Node, fills: Mapping[str, tuple[str, float]]) -> str:
    place = node.place
    fill, opacity = fills.get(node.species, ("", glyphs.TINT))
    drawn = glyphs.entity(
        place.glyph,
        box_of(node),
        label=place.label,
        second=place.second,
        parts=place.parts,
        state=place.state,
        info=place.info,
        hue=place.colour,
        clone=node.clone,
        fill=fill,
        opacity=opacity,
    )
    return f"<g><title>{escape(node.species)}</title>{drawn}</g>"


def _area(area: Area, box: Box) -> str:
    x, y, width, height = box
    label = glyphs.text(
        x + width - 16, y + height - 13, area.label, size=13, fill=MUTED, anchor="end", italic=True
    )
    if area.plain:
        return label
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="18" fill="{GRID}" '
        f'fill-opacity="0.28" stroke="{colour(area.colour)}" stroke-opacity="0.55" stroke-width="2.5"/>'
        + label
    )


def _frame(frame: Frame) -> str:
    x, y, width, height = frame.box
    token = colour(frame.group.colour)
    drawn = (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="10" fill="{token}" '
        f'fill-opacity="0.06" stroke="{token}" stroke-width="1.2" stroke-dasharray="5 4"/>'
    )
    if not frame.group.label:
        return drawn
    at, anchor = frame.label_at, "middle"
    if at is None:
        at, anchor = (x + 10, y + height - 9), "start"
    return drawn + glyphs.text(*at, frame.group.label, size=11, fill=token, anchor=anchor, italic=True)


KEY = (
    ("consumption", "consumed", False),
    ("production", "made", False),
    ("stimulation", "speeds", False),
    ("necessary stimulation", "needed", False),
    ("inhibition", "slows", False),
    ("production", "natural turnover", True),
)


def _legend(width: float, top: float) -> str:
    """The key of arcs and signs, in one row."""
    y, x = top + 36, 24.0
    found = [f'<path d="M20,{top + 8:g}H{width - 20:g}" stroke="{GRID}" stroke-width="1"/>']

    def said(words: str, after: float) -> None:
        nonlocal x
        found.append(glyphs.text(x + after, y + 4, words, size=11, fill=MUTED, anchor="start"))
        x += after + 14 + 5.5 * len(words)

    for kind, words, quiet in KEY:
        found.append(_arc(kind, [(x, y), (x + 34, y)], quiet))
        said(words, 42)
    found.append(glyphs.process(x + 16, y, upright=False, quiet=False))
    said("process", 38)
    found.append(glyphs.empty_set(x + 10, y))
    said("not followed", 26)
    found.append(
        glyphs.entity("simple chemical", Rectangle(x + 20, y, 40, 28), label="(S)", hue="glue", clone=True)
    )
    said("glue; dark foot: drawn more than once", 48)
    return "".join(found)
