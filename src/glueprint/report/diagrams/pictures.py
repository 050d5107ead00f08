"""Small pictures of the bench, drawn in a field of 96 x 52 px around the origin."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Literal

from glueprint.report.diagrams.palette import colour
from glueprint.report.figures.theme import GRID, INK, MUTED, PAPER

__all__ = ["Picture", "picture"]

Picture = Literal[
    "antibody", "blot", "cells", "check", "clock", "curve", "dilution", "donors", "elisa", "gel", "glow",
    "light", "lysis", "plate", "protein", "spin", "standard", "stimulus", "tracer", "transfer", "tube",
]  # fmt: skip
GLUE, PROTEIN, SUBSTRATE, SIGNAL = (colour(one) for one in ("glue", "cereblon", "ikaros", "signal"))
FATE, OTHER, BLOOD = colour("fate"), colour("aiolos"), colour("programme")


def picture(name: str, x: float, y: float) -> str:
    """The picture of this name, its middle at (x, y)."""
    return f'<g transform="translate({x:g},{y:g})">{DRAWN[name]()}</g>'


def _outlined(shape: str, token: str, opacity: float) -> str:
    return f'<{shape} fill="{token}" fill-opacity="{opacity:g}" stroke="{token}" stroke-width="1.5"/>'


def _oval(x: float, y: float, rx: float, ry: float, token: str, opacity: float) -> str:
    return _outlined(f'ellipse cx="{x:g}" cy="{y:g}" rx="{rx:g}" ry="{ry:g}"', token, opacity)


def _area(d: str, token: str, opacity: float) -> str:
    return f'<path d="{d}" fill="{token}" fill-opacity="{opacity:g}"/>'


def _line(d: str, token: str = INK, width: float = 1.5, fill: str = "none") -> str:
    return (
        f'<path d="{d}" fill="{fill}" stroke="{token}" stroke-width="{width:g}" '
        'stroke-linecap="round" stroke-linejoin="round"/>'
    )


def _dot(x: float, y: float, r: float, token: str, opacity: float = 1.0) -> str:
    shade = f' fill-opacity="{opacity:g}"' if opacity < 1 else ""
    return f'<circle cx="{x:g}" cy="{y:g}" r="{r:g}" fill="{token}"{shade}/>'


def _box(x: float, y: float, w: float, h: float, token: str, opacity: float = 1.0, r: float = 0.0) -> str:
    shade = f' fill-opacity="{opacity:g}"' if opacity < 1 else ""
    return f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="{r:g}" fill="{token}"{shade}/>'


def _tubes(levels: tuple[float, ...], token: str) -> str:
    drawn, left = [], -10.0 * (len(levels) - 1)
    for place, level in enumerate(levels):
        x = left + 20 * place
        drawn.append(_box(x - 6, -14, 12, 34, PAPER, r=6))
        drawn.append(_area(f"M{x - 6:g},0V14a6,6 0 0 0 12,0V0Z", token, level))
        drawn.append(_line(f"M{x - 6:g},-16V14a6,6 0 0 0 12,0V-16M{x - 8:g},-16h4M{x + 4:g},-16h4"))
    return "".join(drawn)


def _dilution() -> str:
    return _tubes((0.95, 0.6, 0.35, 0.18, 0.06), GLUE)


def _plate(token: str = GLUE, across: int = 7, down: int = 4) -> str:
    drawn = [
        _box(-46, -25, 92, 50, PAPER, r=5),
        _line("M-38,-25H41a5,5 0 0 1 5,5V20a5,5 0 0 1 -5,5H-41a5,5 0 0 1 -5,-5V-17Z"),
    ]
    for row in range(down):
        for column in range(across):
            x, y = -36 + 12 * column, -16.5 + 11 * row
            drawn.append(_dot(x, y, 4, token, 0.9 - 0.8 * column / (across - 1)))
            drawn.append(
                f'<circle cx="{x:g}" cy="{y:g}" r="4" fill="none" stroke="{MUTED}" stroke-width="0.8"/>'
            )
    return "".join(drawn)


def _tracer() -> str:
    drawn = []
    for x, y in ((-30, -6), (0, 10), (28, -10)):
        drawn.append(_dot(x, y, 6, GLUE, 0.85))
        drawn.append(_line(f"M{x + 5},{y - 5}l8,-8", GLUE))
        drawn.append(_line(f"M{x + 17},{y - 17}m-5,0h10m-5,-5v10m-3.5,-8.5l7,7m0,-7l-7,7", SIGNAL, 1.2))
    return "".join(drawn)


def _protein() -> str:
    return (
        _oval(-20, 0, 24, 18, FATE, 0.2)
        + _dot(17, 2, 19, PAPER)
        + _outlined('path d="M29.2,16.6A19,19 0 1 1 34.8,8.6A8,8 0 0 0 29.2,16.6Z"', PROTEIN, 0.28)
        + _dot(38, 17, 5.5, GLUE, 0.9)
    )


def _clock() -> str:
    ticks = "".join(
        f"M{19 * math.sin(a):.1f},{-19 * math.cos(a):.1f}L{22 * math.sin(a):.1f},{-22 * math.cos(a):.1f}"
        for a in (math.pi / 6 * k for k in range(12))
    )
    return (
        f'<circle r="25" fill="{PAPER}" stroke="{INK}" stroke-width="1.6"/>'
        + _area("M0,0L0,-25A25,25 0 0 1 21.7,12.5Z", SIGNAL, 0.22)
        + _line(ticks, MUTED, 1.2)
        + _line("M0,-17V0L12,7")
    )


def _light() -> str:
    waves = "".join(_line(f"M{8},{y}q4,-6 8,0t8,0t8,0t8,0", GLUE if y < 0 else FATE) for y in (-12, 12))
    return (
        _line("M-46,0h30", SIGNAL, 2.4)
        + _line("M-22,-5l7,5l-7,5", SIGNAL, 2.0)
        + _box(-10, -22, 14, 44, PAPER, r=3)
        + _box(-10, -4, 14, 26, SIGNAL, 0.3, r=3)
        + _line("M-10,-22V19a3,3 0 0 0 3,3h8a3,3 0 0 0 3,-3V-22")
        + waves
    )


def _check() -> str:
    return _plate(FATE, 7, 4) + (
        f'<circle cx="24" cy="4" r="17" fill="{PAPER}" stroke="{INK}" stroke-width="1.8"/>'
        + _line("M36,16l11,11", INK, 3)
        + _line("M16,4l6,6l11,-12", PROTEIN, 2.6)
    )


def _dose_response() -> str:
    points = ((-30, -17.5), (-18, -15), (-6, -6), (6, 8), (18, 14.5), (30, 16.5))
    dots = "".join(
        _dot(x, y + bump, 2.8, SUBSTRATE) for (x, y), bump in zip(points, (1, -2, 2, -1, 1, -1), strict=True)
    )
    return _line("M-38,-18C-12,-18 -8,-8 0,0S12,17 38,17", SUBSTRATE, 2) + dots


def _curve() -> str:
    return _line("M-42,-26V24H44", MUTED, 1.3) + _dose_response()


def _standard() -> str:
    return f'<g transform="scale(1,-1)">{_dose_response()}</g>' + _line("M-42,-26V24H44", MUTED, 1.3)


def _tube() -> str:
    return (
        _box(-13, -24, 26, 46, PAPER, r=12)
        + _area("M-13,-16h26v12h-26Z", SIGNAL, 0.28)
        + _box(-13, -4, 26, 5, FATE, 0.75)
        + _box(-13, 1, 26, 9, GRID)
        + _area("M-13,10h26a13,13 0 0 1 -26,0Z", BLOOD, 0.7)
        + _line("M-13,-26V10a13,13 0 0 0 26,0V-26M-17,-26h34")
        + _line("M17,-1.5h14", MUTED, 1)
        + _dot(38, -1.5, 4, FATE)
    )


def _cells() -> str:
    spots = ((-34, 8), (-17, -9), (-10, 13), (6, -12), (14, 9), (31, -6), (35, 15))
    return "".join(_oval(x, y, 10, 10, FATE, 0.18) + _dot(x + 1, y - 1, 4.2, FATE, 0.8) for x, y in spots)


def _stimulus() -> str:
    drops = "".join(
        _line(f"M{x},-24v9", SIGNAL, 2.4) + _line(f"M{x - 4},-17l4,5l4,-5", SIGNAL, 2) for x in (-20, 0, 20)
    )
    return drops + (
        _oval(0, 11, 30, 14, FATE, 0.18)
        + _oval(0, 11, 11, 7, FATE, 0.75)
        + "".join(
            _dot(x, y, 2.6, SIGNAL) for x, y in ((-40, 2), (-44, 16), (38, 0), (44, 14), (36, 24), (-35, 25))
        )
    )


def _spin() -> str:
    return (
        _line("M-24,-8a26,26 0 0 1 46,-2", MUTED, 1.6)
        + _line("M24,-17l-1.5,8l-8,-2", MUTED, 1.6)
        + _area("M-11,-6h22v16l-8,13h-6l-8,-13Z", PAPER, 1)
        + _area("M-11,-2h22v12l-3,5h-16l-3,-5Z", SIGNAL, 0.3)
        + _area("M-8,15h16l-5,8h-6Z", FATE, 0.8)
        + _line("M-11,-8V10l8,13h6l8,-13V-8M-14,-8h28")
    )


def _elisa() -> str:
    drawn = []
    for place, shade in enumerate((0.08, 0.3, 0.6, 0.95)):
        x = -36 + 24 * place
        drawn.append(_area(f"M{x - 9},0h18V16a4,4 0 0 1 -4,4h-10a4,4 0 0 1 -4,-4Z", SIGNAL, shade))
        drawn.append(
            _line(f"M{x - 9},-12V16a4,4 0 0 0 4,4h10a4,4 0 0 0 4,-4V-12M{x - 12},-12h6M{x + 6},-12h6")
        )
    return "".join(drawn)


def _donors() -> str:
    drawn = [_line("M0,-26V26", GRID, 1.3)]
    for place, (at, half) in enumerate(((-8, 14), (6, 10), (-2, 18), (2, 7))):
        y = -18 + 12 * place
        token = INK if place == 3 else FATE
        drawn.append(_line(f"M{at - half},{y}H{at + half}", token, 1.6))
        drawn.append(_dot(at, y, 3.6, token))
    return "".join(drawn)


def _lysis() -> str:
    inner = "".join(
        _dot(x, y, 2.8, token)
        for x, y, token in (
            (-26, 6, PROTEIN),
            (-10, -14, SUBSTRATE),
            (8, 14, OTHER),
            (28, -8, SUBSTRATE),
            (34, 10, PROTEIN),
            (-34, -10, OTHER),
            (14, -18, PROTEIN),
        )
    )
    return _outlined('circle r="16" stroke-dasharray="7 5"', FATE, 0.14) + _dot(0, 0, 5, FATE, 0.7) + inner


def _lanes(fade: bool) -> str:
    drawn = []
    for lane in range(5):
        x = -34 + 17 * lane
        shades = (0.9, 0.62, 0.36, 0.16, 0.06) if fade else (0.75,) * 5
        drawn.append(_box(x - 6, -14, 12, 5, SUBSTRATE, shades[lane], r=1.5))
        drawn.append(_box(x - 6, 0, 12, 5, OTHER, shades[lane] * 0.95, r=1.5))
        drawn.append(_box(x - 6, 15, 12, 4, MUTED, 0.85, r=1.5))
    return "".join(drawn)


def _sheet() -> str:
    return _line(
        "M-42,-25h84a3,3 0 0 1 3,3v44a3,3 0 0 1 -3,3h-84a3,3 0 0 1 -3,-3v-44a3,3 0 0 1 3,-3Z", fill=PAPER
    )


def _blot() -> str:
    return _sheet() + _lanes(True)


def _gel() -> str:
    wells = "".join(_line(f"M{x - 6},-25v6h12v-6", INK, 1.2) for x in range(-34, 35, 17))
    bands = "".join(
        _box(x - 6, y, 12, 2.6, MUTED, 0.35 + 0.1 * ((x + y) % 4), r=1)
        for x in range(-34, 35, 17)
        for y in (-12, -5, 1, 9, 16)
    )
    return _sheet() + wells + bands


def _transfer() -> str:
    return (
        _line("M-40,8h64l16,12h-64Z", fill=GRID)
        + _line("M-40,-22h64l16,12h-64Z", fill=PAPER)
        + "".join(_line(f"M{x},5v-11m-4,4l4,-5l4,5", FATE, 1.8) for x in (-16, 2, 20))
    )


def _antibody() -> str:
    drawn = []
    for x, token in ((-28, SUBSTRATE), (0, OTHER), (28, MUTED)):
        drawn.append(_line(f"M{x},-24v14M{x},-10l-9,12M{x},-10l9,12", token, 2.6))
        drawn.append(_box(x - 11, 8, 22, 6, token, 0.45, r=1.5))
    return "".join(drawn) + _line("M-46,18H46", INK, 1.5)


def _glow() -> str:
    rays = "".join(
        _line(f"M{30 + 9 * x:.1f},{-8 + 9 * y:.1f}L{30 + 15 * x:.1f},{-8 + 15 * y:.1f}", SIGNAL, 2)
        for x, y in ((math.cos(a), math.sin(a)) for a in (math.pi / 4 * k for k in range(8)))
    )
    return (
        _line("M-28,-2v10M-28,8l-8,9M-28,8l8,9", SUBSTRATE, 2.4)
        + _line("M-6,-22v10M-6,-12l-14,8M-6,-12l9,8", MUTED, 2.4)
        + _box(-40, 19, 24, 5, SUBSTRATE, 0.5, r=1.5)
        + _line("M6,-8h12", MUTED, 1.2)
        + _dot(30, -8, 6, SIGNAL)
        + rays
        + _line("M-46,25H46", INK, 1.5)
    )


DRAWN: Mapping[str, Callable[[], str]] = {
    "antibody": _antibody, "blot": _blot, "cells": _cells, "check": _check, "clock": _clock, "curve": _curve,
    "dilution": _dilution, "donors": _donors, "elisa": _elisa, "gel": _gel, "glow": _glow, "light": _light,
    "lysis": _lysis, "plate": _plate, "protein": _protein, "spin": _spin, "standard": _standard,
    "stimulus": _stimulus, "tracer": _tracer, "transfer": _transfer, "tube": _tube,
}  # fmt: skip
