"""Line figures as SVG text: classes and no colours, so that a figure follows the light and the dark page.

They are drawn here and not in the browser: a figure is there without a script, is the same in every browser,
and is tested as text.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

__all__ = ["Line", "panel", "shares"]

WIDTH, HEIGHT = 380.0, 210.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 10.0, 12.0, 30.0
SMALL = (150.0, 34.0)
NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
WEEK = 7.0
MOST_TICKS_X = 9


@dataclass(frozen=True)
class Line:
    """One line. name: said beside it.   style: class of the stroke, "line-0" and on, or "pin-0" and on."""

    name: str
    style: str
    x: Sequence[float]
    y: Sequence[float]


def panel(title: str, unit: str, lines: Sequence[Line], *, what: str = "Days") -> Markup:
    """A figure with one axis of days and one of values from 0; without lines, the axes alone.

    title, unit: said to those who cannot see it.   Returns an SVG element.
    """
    every = [value for line in lines for value in line.y if math.isfinite(value)]
    highest = _nice(max([*every, 1e-12]))
    last = max([value for line in lines for value in line.x] or [1.0])
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    parts = [
        f'<svg class="panel" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" '
        f'aria-label="{escape(_spoken(title, unit, lines))}">'
    ]
    for value in _ticks(highest):
        y = TOP + height * (1.0 - value / highest)
        parts.append(f'<path class="grid" d="M{LEFT:g} {y:.1f}H{WIDTH - RIGHT:g}"/>')
        parts.append(f'<text class="end" x="{LEFT - 6:g}" y="{y + 3.8:.1f}">{value:g}</text>')
    for value in _days(last):
        x = LEFT + width * value / last
        parts.append(f'<path class="tick" d="M{x:.1f} {TOP + height:.1f}v4"/>')
        parts.append(f'<text class="middle" x="{x:.1f}" y="{TOP + height + 15:.1f}">{value:g}</text>')
    parts.append(f'<text class="end" x="{WIDTH - RIGHT:g}" y="{HEIGHT - 3:g}">{escape(what)}</text>')
    for line in sorted(lines, key=lambda one: one.style.startswith("line")):
        points = " ".join(
            f"{LEFT + width * x / last:.1f},{TOP + height * (1.0 - min(max(y, 0.0), highest) / highest):.1f}"
            for x, y in zip(line.x, line.y, strict=True)
            if math.isfinite(y)
        )
        parts.append(
            f'<polyline class="{escape(line.style)}" points="{points}">'
            f"<title>{escape(line.name)}</title></polyline>"
        )
    return Markup("".join([*parts, "</svg>"]))


def shares(title: str, own: Sequence[float], behind: Sequence[float]) -> Markup:
    """Shares side by side as bars, others behind them as a line; both on one scale from 0.

    own, behind: (n,) shares; behind may be empty.   Returns an SVG element.
    """
    width, height = SMALL
    step, highest = width / max(len(own), 1), max([*own, *behind, 1e-9])
    parts = [
        f'<svg class="shares" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(title)}: how its patients lie; the line is the reference trial">'
    ]
    for place, value in enumerate(own):
        tall = (height - 2) * value / highest
        parts.append(
            f'<rect x="{place * step:.1f}" y="{height - tall:.1f}" '
            f'width="{max(step - 0.8, 0.5):.1f}" height="{tall:.1f}"/>'
        )
    if behind:
        line = "".join(
            f"{'M' if place == 0 else 'L'}{place * step:.1f} {height - (height - 2) * value / highest:.1f}"
            f"H{(place + 1) * step:.1f}"
            for place, value in enumerate(behind)
        )
        parts.append(f'<path d="{line}"/>')
    return Markup("".join([*parts, "</svg>"]))


def _spoken(title: str, unit: str, lines: Sequence[Line]) -> str:
    said = [
        f"{line.name}: from {line.y[0]:.3g} to {line.y[-1]:.3g}, lowest {min(line.y):.3g}"
        for line in lines
        if line.y
    ]
    return f"{title}, {unit}. {'; '.join(said)}"


def _nice(value: float) -> float:
    """The end of an axis that holds a value."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in NICE if step * power >= value * 0.999)


def _ticks(highest: float) -> list[float]:
    count = 4 if round(highest / 10.0 ** math.floor(math.log10(highest)), 6) in (1.0, 2.0, 10.0) else 5
    return [highest * place / count for place in range(count + 1)]


def _days(last: float) -> list[float]:
    steps = (1, 2, 7, 14, 28, 56, 84, 168)
    step = next((one for one in steps if last / one <= MOST_TICKS_X - 1), steps[-1])
    return [float(step * place) for place in range(int(last // step) + 1)]
