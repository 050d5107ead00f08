"""The glyphs of SBGN process description as SVG, in the report's look."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape

from glueprint.report.diagrams.geometry import Rectangle
from glueprint.report.diagrams.palette import colour
from glueprint.report.figures.theme import FONT, INK, MUTED, PAPER

__all__ = [
    "DEFAULT_SIZE",
    "EMPTY_RADIUS",
    "PORT",
    "PROCESS",
    "empty_set",
    "entity",
    "head",
    "heads",
    "process",
    "text",
]

MONO = "ui-monospace, Menlo, Consolas, Liberation Mono, DejaVu Sans Mono, monospace"
PROCESS = 14.0  # side of a process square, px
PORT = 15.0  # distance of a port from the centre of its process, px
EMPTY_RADIUS = 7.5
DEFAULT_SIZE = {
    "macromolecule": (100.0, 36.0),
    "simple chemical": (40.0, 28.0),
    "complex": (110.0, 40.0),
    "nucleic acid feature": (90.0, 34.0),
    "unspecified entity": (90.0, 36.0),
    "phenotype": (110.0, 36.0),
}
PART_WIDTH = {"protein": 47.0, "chemical": 26.0}
PART_HEIGHT, PART_GAP = 24.0, 3.0
TINT = 0.16


def complex_size(parts: Sequence[str]) -> tuple[float, float]:
    """Width and height of a complex that holds these parts, px."""
    width = sum(PART_WIDTH[_kind(one)] for one in parts) + PART_GAP * (len(parts) - 1)
    return (width + 16.0, PART_HEIGHT + 16.0)


def _kind(part: str) -> str:
    return "chemical" if part.startswith("(") else "protein"


def entity(
    shape: str,
    box: Rectangle,
    *,
    label: str,
    second: str = "",
    parts: Sequence[str] = (),
    state: str = "",
    info: str = "",
    hue: str = "",
    clone: bool = False,
    fill: str = "",
    opacity: float = TINT,
) -> str:
    """One entity: its outline on paper, tinted, its label, and what is written on its rim."""
    token = colour(hue)
    outline = _outline(shape, box)
    found = [
        f'<path d="{outline}" fill="{PAPER}"/>',
        f'<path d="{outline}" fill="{fill or token}" fill-opacity="{opacity:g}" stroke="{token}" '
        'stroke-width="1.4"/>',
    ]
    if clone:
        found.append(f'<path d="{_clone(box)}" fill="{token}"/>')
    if parts:
        found.append(_parts(box, parts))
    elif second:
        found.append(text(box.x, box.y - 2, label, weight=600))
        found.append(text(box.x, box.y + 12, second, size=10.5, fill=INK if fill else MUTED))
    else:
        found.append(text(box.x, box.y + 4 - (2 if clone else 0), label, weight=600))
    if state:
        found.append(_badge(box.x - box.width / 2 + 12, box.y - box.height / 2, state, token, round_=True))
    if info:
        found.append(_badge(box.x - box.width / 2 + 8, box.y - box.height / 2, info, token, round_=False))
    return "".join(found)


def _outline(shape: str, box: Rectangle) -> str:
    left, top = box.x - box.width / 2, box.y - box.height / 2
    right, bottom = left + box.width, top + box.height
    if shape == "simple chemical":
        return _rounded(left, top, right, bottom, box.height / 2)
    if shape == "unspecified entity":
        rx, ry = box.width / 2, box.height / 2
        return (
            f"M{left:g},{box.y:g}a{rx:g},{ry:g} 0 1 1 {box.width:g},0a{rx:g},{ry:g} 0 1 1 {-box.width:g},0Z"
        )
    if shape == "complex":
        cut = 8.0
        return (
            f"M{left + cut:g},{top:g}H{right - cut:g}L{right:g},{top + cut:g}V{bottom - cut:g}"
            f"L{right - cut:g},{bottom:g}H{left + cut:g}L{left:g},{bottom - cut:g}V{top + cut:g}Z"
        )
    if shape == "nucleic acid feature":
        r = 8
        return (
            f"M{left:g},{top:g}H{right:g}V{bottom - r:g}Q{right:g},{bottom:g} {right - r:g},{bottom:g}"
            f"H{left + r:g}Q{left:g},{bottom:g} {left:g},{bottom - r:g}Z"
        )
    if shape == "phenotype":
        cut = box.height / 3
        return (
            f"M{left + cut:g},{top:g}H{right - cut:g}L{right:g},{box.y:g}L{right - cut:g},{bottom:g}"
            f"H{left + cut:g}L{left:g},{box.y:g}Z"
        )
    return _rounded(left, top, right, bottom, 9)


def _rounded(left: float, top: float, right: float, bottom: float, r: float) -> str:
    return (
        f"M{left + r:g},{top:g}H{right - r:g}A{r:g},{r:g} 0 0 1 {right:g},{top + r:g}V{bottom - r:g}"
        f"A{r:g},{r:g} 0 0 1 {right - r:g},{bottom:g}H{left + r:g}A{r:g},{r:g} 0 0 1 {left:g},{bottom - r:g}"
        f"V{top + r:g}A{r:g},{r:g} 0 0 1 {left + r:g},{top:g}Z"
    )


def _clone(box: Rectangle) -> str:
    """The clone marker of a simple chemical: its foot, filled."""
    r, depth = box.height / 2, 6.0
    reach = math.sqrt(r * r - (r - depth) ** 2)
    left, right = box.x - box.width / 2 + r - reach, box.x + box.width / 2 - r + reach
    y, flat = box.y + r - depth, box.width - 2 * r
    return (
        f"M{left:.1f},{y:.1f}H{right:.1f}A{r:g},{r:g} 0 0 1 {box.x + flat / 2:.1f},{box.y + r:.1f}"
        f"H{box.x - flat / 2:.1f}A{r:g},{r:g} 0 0 1 {left:.1f},{y:.1f}Z"
    )


PART_COLOURS = {"CRBN": "cereblon", "IKZF1": "ikaros", "IKZF3": "aiolos"}


def parts_of(box: Rectangle, parts: Sequence[str]) -> list[tuple[str, Rectangle]]:
    """The parts of a complex with their boxes, side by side."""
    found, x = [], box.x - complex_size(parts)[0] / 2 + 8
    for part in parts:
        width = PART_WIDTH[_kind(part)]
        found.append((part, Rectangle(x + width / 2, box.y, width, PART_HEIGHT)))
        x += width + PART_GAP
    return found


def _parts(box: Rectangle, parts: Sequence[str]) -> str:
    found = []
    for part, inner in parts_of(box, parts):
        shape = "simple chemical" if _kind(part) == "chemical" else "macromolecule"
        token = colour(PART_COLOURS.get(part, "glue"))
        outline = _outline(shape, inner)
        found.append(f'<path d="{outline}" fill="{PAPER}"/>')
        found.append(
            f'<path d="{outline}" fill="{token}" fill-opacity="{TINT:g}" stroke="{token}" stroke-width="1"/>'
        )
        found.append(text(inner.x, inner.y + 3.8, part, size=10.5, weight=600))
    return "".join(found)


def _badge(x: float, y: float, label: str, token: str, *, round_: bool) -> str:
    width = 8.0 + 6.2 * len(label)
    r = 7.0 if round_ else 0.0
    return (
        f'<rect x="{x - width / 2:.1f}" y="{y - 7:.1f}" width="{width:.1f}" height="14" rx="{r:g}" '
        f'fill="{PAPER}" stroke="{token}" stroke-width="1.2"/>' + text(x, y + 3.4, label, size=9.5)
    )


def tag(right: float, y: float, words: str) -> str:
    """A small number on the rim of an entity, ending at `right`."""
    width = 6.0 + 5.4 * len(words)
    return (
        f'<rect x="{right - width:.1f}" y="{y - 6.5:.1f}" width="{width:.1f}" height="13" rx="2" '
        f'fill="{PAPER}" stroke="{MUTED}" stroke-width="0.8"/>'
        + text(right - width / 2, y + 3.4, words, size=9.5)
    )


def empty_set(x: float, y: float) -> str:
    """The empty set: where something comes from nothing we follow, or goes to it."""
    r = EMPTY_RADIUS
    d = r * 1.15
    shape = (
        f"M{x - r:g},{y:g}a{r:g},{r:g} 0 1 1 {2 * r:g},0a{r:g},{r:g} 0 1 1 {-2 * r:g},0"
        f"M{x - d:.1f},{y + d:.1f}L{x + d:.1f},{y - d:.1f}"
    )
    return f'<path d="{shape}" fill="{PAPER}" stroke="{MUTED}" stroke-width="1.2"/>'


def process(x: float, y: float, *, upright: bool, quiet: bool) -> str:
    """The square of a process with the stubs of its two ports."""
    token, half = (MUTED if quiet else INK), PROCESS / 2
    stub = (
        f"M{x:g},{y - PORT:g}V{y - half:g}M{x:g},{y + half:g}V{y + PORT:g}"
        if upright
        else f"M{x - PORT:g},{y:g}H{x - half:g}M{x + half:g},{y:g}H{x + PORT:g}"
    )
    width = 1.1 if quiet else 1.5
    square = f"M{x - half:g},{y - half:g}h{PROCESS:g}v{PROCESS:g}h{-PROCESS:g}Z"
    return f'<path d="{stub}{square}" fill="{PAPER}" stroke="{token}" stroke-width="{width}"/>'


# The ends of arcs, pointing right with their tip at the origin: lines of points, and whether they are filled.
HEADS: Mapping[str, tuple[tuple[tuple[tuple[float, float], ...], ...], bool]] = {
    "production": ((((-9, -4.2), (0, 0), (-9, 4.2), (-9, -4.2)),), True),
    "stimulation": ((((-10, -5), (0, 0), (-10, 5), (-10, -5)),), False),
    "necessary stimulation": (
        (((-10, -5), (0, 0), (-10, 5), (-10, -5)), ((-14, -5.5), (-14, 5.5))),
        False,
    ),
    "inhibition": ((((-1.5, -6.5), (-1.5, 6.5)),), False),
    "modulation": ((((-12, 0), (-6, -4.5), (0, 0), (-6, 4.5), (-12, 0)),), False),
}
# How far the line ends before the tip, px.
BACK = {
    "production": 3.0,
    "stimulation": 10.0,
    "necessary stimulation": 14.0,
    "inhibition": 1.5,
    "modulation": 12.0,
}


def head(kind: str, at: tuple[float, float], angle: float, token: str) -> str:
    """The end of an arc: what it does to what it reaches; angle in degrees, clockwise from the right."""
    return heads(kind, [(at, angle)], token)


def heads(kind: str, ends: Iterable[tuple[tuple[float, float], float]], token: str) -> str:
    """The ends of many arcs of one kind, as one path."""
    if kind not in HEADS:
        return ""
    lines, full = HEADS[kind]
    width = 2.4 if kind == "inhibition" else 1.3
    joined = "".join(_turned(line, at, angle) for at, angle in ends for line in lines)
    return f'<path d="{joined}" fill="{token if full else PAPER}" stroke="{token}" stroke-width="{width}"/>'


def _turned(line: Sequence[tuple[float, float]], at: tuple[float, float], angle: float) -> str:
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    turned = ((at[0] + x * cos - y * sin, at[1] + x * sin + y * cos) for x, y in line)
    return "M" + "L".join(f"{x:.4g},{y:.4g}" for x, y in turned)


def text(
    x: float,
    y: float,
    words: str,
    *,
    size: float = 12.0,
    fill: str = INK,
    weight: int = 400,
    anchor: str = "middle",
    italic: bool = False,
) -> str:
    """One line of text, `y` its base line."""
    style = ' font-style="italic"' if italic else ""
    bold = f' font-weight="{weight}"' if weight != 400 else ""
    return (
        f'<text x="{x:g}" y="{y:.1f}" font-size="{size:g}" fill="{fill}"{bold}{style} '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )


def code(x: float, y: float, words: str, fill: str) -> str:
    """A command, in the type of commands."""
    return (
        f'<text x="{x:g}" y="{y:.1f}" font-family="{MONO}" font-size="10.5" fill="{fill}" '
        f'text-anchor="middle">{escape(words)}</text>'
    )


def sheet(width: float, height: float, title: str, body: Iterable[str]) -> str:
    """A whole SVG document: its size, its title, paper beneath everything."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" font-family="{FONT}"><title>{escape(title)}</title>'
        f'<rect width="{width:g}" height="{height:g}" fill="{PAPER}"/>{"".join(body)}</svg>\n'
    )
