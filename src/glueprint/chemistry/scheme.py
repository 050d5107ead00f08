"""A route as a scheme in SVG: a row a step, reactants, an arrow with its conditions, products."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from rdkit.Chem.Draw import rdMolDraw2D

from glueprint.chemistry.drawing import laid
from glueprint.chemistry.metrics import measure
from glueprint.chemistry.route import NOT_STATED, Route, Step
from glueprint.chemistry.structures import Structure

__all__ = ["draw_scheme"]

ROW_PX, GAP_PX, ARROW_PX, TOP_PX, WRAP = 210, 18, 250, 46, 34
MOLECULE_PX = (230, 150)
INK, MUTED = "#1c1c1c", "#5f5f5f"
FONT = "font-family='Helvetica, Arial, sans-serif'"


@dataclass(frozen=True)
class _Piece:
    svg: str
    width_px: int


def draw_scheme(route: Route) -> str:
    """The whole route as one SVG image, drawn from what its steps name, on white, at one bond length.

    Returns SVG text.   Raises InputError GP-H001 for an unknown structure.
    """
    yields = [step.yield_words for step in measure(route).steps]
    rows = [_row(route, place, step, yields[place]) for place, step in enumerate(route.step)]
    width = max(row.width_px for row in rows) + 2 * GAP_PX
    height = TOP_PX + ROW_PX * len(rows)
    title = f"Route {route.name}: {route.title}"
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' "
        f"viewBox='0 0 {width} {height}' role='img'>",
        f"<title>{escape(title)}</title><rect width='100%' height='100%' fill='#ffffff'/>",
        _text(GAP_PX, 28, title, size=16, weight="bold"),
    ]
    for place, row in enumerate(rows):
        parts.append(f"<g transform='translate({GAP_PX},{TOP_PX + place * ROW_PX})'>{row.svg}</g>")
    return "".join(parts) + "</svg>\n"


def _row(route: Route, place: int, step: Step, yield_words: str) -> _Piece:
    x, parts = 0, []
    for number, name in enumerate(step.reactants):
        if number:
            parts.append(_text(x + 2, 84, "+", size=18))
            x += 20
        parts.append(_molecule(x, route.material(name), name))
        x += MOLECULE_PX[0]
    parts.append(_arrow(x, place, step, yield_words))
    x += ARROW_PX
    for number, name in enumerate(step.products):
        if number:
            parts.append(_text(x, 84, "or", size=13))
            x += 24
        parts.append(_molecule(x, route.material(name), name))
        x += MOLECULE_PX[0]
    return _Piece("".join(parts), x)


def _molecule(x: int, structure: Structure, name: str) -> str:
    width, height = MOLECULE_PX
    canvas = rdMolDraw2D.MolDraw2DSVG(width, height)
    options: Any = canvas.drawOptions()
    options.clearBackground = False
    options.fixedBondLength = 21.0
    options.fixedFontSize = 13
    rdMolDraw2D.PrepareAndDrawMolecule(canvas, laid(structure))
    canvas.FinishDrawing()
    # The drawing goes in as a group: no header, no nested document.
    body = re.sub(r"(?s)^.*?<svg[^>]*>|</svg>\s*$", "", canvas.GetDrawingText())
    body = re.sub(r"<!--.*?-->", "", body)
    return (
        f"<svg x='{x}' y='0' width='{width}' height='{height}'>{body}</svg>"
        + _lines(x + width // 2, height + 14, _wrapped(name), "middle")
        + _lines(
            x + width // 2,
            height + 14 + 13 * len(_wrapped(name)),
            [f"{structure.average_mass_g_per_mol:.2f} g/mol"],
            "middle",
        )
    )


def _arrow(x: int, place: int, step: Step, yield_words: str) -> str:
    above = [f"{place + 1}. {step.name}"]
    above += [f"+ {_times(n)}{name}" for name, n in step.consumes.items()]
    above += [word for reagent in step.reagents for word in _wrapped(reagent)]
    conditions = [word for word in (step.solvent, step.temperature, step.time) if word != NOT_STATED]
    below = _wrapped(", ".join(conditions) if conditions else f"conditions {NOT_STATED}")
    below += [f"\u2212 {_times(n)}{name}" for name, n in step.releases.items()]
    below += ["the stereocentre is lost"] if step.racemises else []
    below += _wrapped(f"yield {yield_words}")
    below += _wrapped(f"assumed: {step.assumed}") if step.assumed else []
    start, end, y, middle = x + 8, x + ARROW_PX - 12, 78, x + ARROW_PX // 2
    return (
        f"<path d='M{start},{y} H{end} m-9,-5 l9,5 l-9,5' fill='none' stroke='{INK}' stroke-width='1.6'/>"
        + _lines(middle, y - 8 - 13 * (len(above) - 1), above, "middle")
        + _lines(middle, y + 18, below, "middle", MUTED)
    )


def _times(moles: float) -> str:
    return "" if moles == 1.0 else f"{moles:g} "


def _wrapped(text: str) -> list[str]:
    """Lines of at most `WRAP` characters, broken at spaces and hyphens of long names."""
    words = re.findall(r"[^\s-]+-?|-", text.replace(" ", " \u0000"))
    lines = [""]
    for word in words:
        piece = word.replace("\u0000", " ")
        if lines[-1] and len(lines[-1] + piece) > WRAP:
            lines.append("")
        lines[-1] += piece.lstrip() if not lines[-1] else piece
    return [line.strip() for line in lines]


def _lines(x: float, y: float, lines: Sequence[str], anchor: str, fill: str = INK) -> str:
    return "".join(
        _text(x, y + 13 * place, line, size=11, anchor=anchor, fill=fill) for place, line in enumerate(lines)
    )


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: int,
    anchor: str = "start",
    fill: str = INK,
    weight: str = "normal",
) -> str:
    return (
        f"<text x='{x:g}' y='{y:g}' {FONT} font-size='{size}' font-weight='{weight}' fill='{fill}' "
        f"text-anchor='{anchor}'>{escape(text)}</text>"
    )
