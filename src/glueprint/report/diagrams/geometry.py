"""Lines between boxes: where an arc leaves a node, arrives at a process, and how its corners are rounded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["CORNER", "Rectangle", "arrow_angle", "join", "path", "shortened"]

CORNER = 7.0  # radius of a rounded corner, px
Point = tuple[float, float]


@dataclass(frozen=True)
class Rectangle:
    """A box by its centre and size; `radius` rounds its corners, `round` boxes are ellipses."""

    x: float
    y: float
    width: float
    height: float
    round: bool = False
    radius: float = 0.0

    def towards(self, point: Point) -> Point:
        """Where a line to `point` leaves the box: straight where it can, else from the centre."""
        dx, dy = point[0] - self.x, point[1] - self.y
        half_w, half_h = self.width / 2, self.height / 2
        if abs(dy) < half_h and abs(dx) >= half_w:
            return (self.x + math.copysign(self._reach(half_w, half_h, dy), dx), point[1])
        if abs(dx) < half_w and abs(dy) >= half_h:
            return (point[0], self.y + math.copysign(self._reach(half_h, half_w, dx), dy))
        if self.round:
            scale = 1 / math.hypot(dx / half_w, dy / half_h)
        else:
            scale = min(half_w / abs(dx) if dx else math.inf, half_h / abs(dy) if dy else math.inf)
        return (self.x + dx * scale, self.y + dy * scale)

    def _reach(self, half: float, other: float, off: float) -> float:
        """How far the rim lies from the centre line at `off` beside it."""
        if self.round:
            return half * math.sqrt(1 - (off / other) ** 2)
        into = abs(off) - (other - self.radius)
        return half - self.radius + math.sqrt(self.radius**2 - into**2) if into > 0 else half


def join(start: Rectangle, way: Sequence[Point], end: Rectangle | Point) -> list[Point]:
    """The corners of an arc from a box by its way points to a box or a point."""
    if isinstance(end, tuple):
        first = start.towards(way[0] if way else end)
        return [first, *way, end]
    if way:
        return [start.towards(way[0]), *way, end.towards(way[-1])]
    if abs(start.x - end.x) < start.width / 2 or abs(start.y - end.y) < start.height / 2:
        leave = start.towards((end.x, end.y))
        return [leave, end.towards(leave)]
    return [start.towards((end.x, end.y)), end.towards((start.x, start.y))]


def path(points: Sequence[Point]) -> str:
    """An SVG path through the points, corners rounded, numbers to a tenth."""
    parts = [f"M{_number(points[0])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        radius = min(CORNER, math.dist(before, corner) / 2, math.dist(corner, after) / 2)
        if radius < 0.5:
            parts.append(f"L{_number(corner)}")
            continue
        parts.append(f"L{_number(_along(corner, before, radius))}")
        parts.append(f"Q{_number(corner)} {_number(_along(corner, after, radius))}")
    parts.append(f"L{_number(points[-1])}")
    return "".join(parts)


def shortened(points: Sequence[Point], by: float) -> list[Point]:
    """The same line, its end drawn back by `by` px, so that an open arrow head is not crossed."""
    last = _along(points[-1], points[-2], min(by, math.dist(points[-1], points[-2])))
    return [*points[:-1], last]


def arrow_angle(points: Sequence[Point]) -> float:
    """The direction in which a line ends, degrees clockwise from the right."""
    (x0, y0), (x1, y1) = points[-2], points[-1]
    return math.degrees(math.atan2(y1 - y0, x1 - x0))


def _along(start: Point, end: Point, distance: float) -> Point:
    length = math.dist(start, end)
    if length == 0:
        return start
    share = distance / length
    return (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)


def _number(point: Point) -> str:
    return f"{point[0]:.1f},{point[1]:.1f}".replace(".0,", ",").removesuffix(".0")
