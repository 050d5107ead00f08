"""A work flow as SVG: rows of cards with arrows, and the controls beneath."""

from __future__ import annotations

from itertools import pairwise

from glueprint.report.diagrams import glyphs
from glueprint.report.diagrams.geometry import path
from glueprint.report.diagrams.palette import colour
from glueprint.report.diagrams.pictures import picture
from glueprint.report.diagrams.workflow import Control, Step, Workflow
from glueprint.report.figures.theme import GRID, INK, MUTED, PAPER

__all__ = ["draw"]

CARD, GAP, ROW_GAP = (206.0, 152.0), 26.0, 40.0
MARGIN, TOP, CONTROL_HEIGHT = 20.0, 52.0, 46.0


def draw(flow: Workflow) -> str:
    """The work flow as one SVG document, its colours the report's tokens."""
    columns = flow.columns
    rows = -(-len(flow.step) // columns)
    width = 2 * MARGIN + columns * CARD[0] + (columns - 1) * GAP
    controls_top = TOP + rows * CARD[1] + (rows - 1) * ROW_GAP + 24
    height = controls_top + (CONTROL_HEIGHT + 44 if flow.control else 0)
    places = [_corner(number, columns) for number in range(len(flow.step))]
    body = [
        glyphs.text(MARGIN, 30, flow.title, size=15, weight=600, anchor="start"),
        *(_arrow(here, there) for here, there in pairwise(places)),
        *(
            _card(number, step, place)
            for number, (step, place) in enumerate(zip(flow.step, places, strict=True))
        ),
        _controls(flow.control, controls_top, width) if flow.control else "",
    ]
    return glyphs.sheet(width, height, flow.title, body)


def _corner(number: int, columns: int) -> tuple[float, float]:
    row, column = divmod(number, columns)
    return (MARGIN + column * (CARD[0] + GAP), TOP + row * (CARD[1] + ROW_GAP))


def _arrow(here: tuple[float, float], there: tuple[float, float]) -> str:
    if here[1] == there[1]:
        y = here[1] + CARD[1] / 2
        points = [(here[0] + CARD[0], y), (there[0], y)]
    else:
        turn = there[1] - ROW_GAP / 2
        start, end = here[0] + CARD[0] / 2, there[0] + CARD[0] / 2
        points = [(start, here[1] + CARD[1]), (start, turn), (end, turn), (end, there[1])]
    angle = 0.0 if here[1] == there[1] else 90.0
    short = [
        *points[:-1],
        (points[-1][0] - 3, points[-1][1]) if angle == 0 else (points[-1][0], points[-1][1] - 3),
    ]
    return f'<path d="{path(short)}" fill="none" stroke="{INK}" stroke-width="1.5"/>' + glyphs.head(
        "production", points[-1], angle, INK
    )


def _card(number: int, step: Step, corner: tuple[float, float]) -> str:
    x, y = corner
    middle = x + CARD[0] / 2
    ours = step.place == "glueprint"
    token = colour("ikaros") if ours else MUTED
    tint, opacity = (colour("ikaros"), 0.09) if ours else (GRID, 0.35)
    shape = f'x="{x:g}" y="{y:g}" width="{CARD[0]:g}" height="{CARD[1]:g}" rx="10"'
    drawn = [
        f'<rect {shape} fill="{PAPER}"/>',
        f'<rect {shape} fill="{tint}" fill-opacity="{opacity:g}" stroke="{token}" stroke-width="1.3"/>',
        glyphs.text(x + 12, y + 20, str(number + 1), size=11, fill=token, weight=600, anchor="start"),
        picture(step.picture, middle, y + 40),
        glyphs.text(middle, y + 91, step.title, size=13.5, weight=600),
    ]
    for place, line in enumerate(step.lines):
        drawn.append(glyphs.text(middle, y + 109 + 15 * place, line, size=11.5, fill=MUTED))
    if step.command:
        drawn.append(glyphs.code(middle, y + 142, step.command, token))
    return f"<g>{''.join(drawn)}</g>"


def _controls(controls: tuple[Control, ...], top: float, width: float) -> str:
    room = (width - 2 * MARGIN - 100) / len(controls)
    drawn = [
        f'<path d="M{MARGIN:g},{top:g}H{width - MARGIN:g}" stroke="{GRID}" stroke-width="1"/>',
        glyphs.text(MARGIN, top + 34, "Controls", size=12, fill=MUTED, anchor="start", italic=True),
    ]
    for place, control in enumerate(controls):
        x = MARGIN + 100 + place * room
        drawn.append(
            f'<rect x="{x:g}" y="{top + 19:g}" width="3" height="38" fill="{colour("signal")}"/>'
            + glyphs.text(x + 12, top + 33, control.title, size=12, weight=600, anchor="start")
            + glyphs.text(x + 12, top + 51, control.says, size=11, fill=MUTED, anchor="start")
        )
    return "".join(drawn)
