"""Volumes of bands: what lies in a box above its background, with noise, detection limit and saturation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.assays.blot.background import MAD_TO_SD, base_line, beside, empty_rows, rim, spread
from glueprint.assays.blot.boxes import Band, Boxes, Lane
from glueprint.assays.blot.departure import TOLERATED, departure
from glueprint.assays.blot.optical import Signal
from glueprint.assays.blot.settings import Settings
from glueprint.assays.findings import Finding

__all__ = ["PROFILES", "VOLUMES", "Integral", "by_border", "by_lane", "integrate"]

Floats = NDArray[Any]
Span = tuple[int, int, int, int]
# The base line's half windows, in heights of the tallest band: the wide one takes smear under it for band,
# the narrow one, which just spans it, for background; at least this part of the rows, so that boxes drawn
# tightly do not narrow them.
WINDOW_HEIGHTS, WINDOW_ROWS, LEAST_WINDOW = (0.5, 1.2), 0.06, 12
VOLUMES = pl.Schema(
    {"membrane": pl.String(), "lane": pl.Int64(), "band": pl.String(), "role": pl.String(),
     "image": pl.String(), "top": pl.Int64(), "bottom": pl.Int64(), "left": pl.Int64(), "right": pl.Int64(),
     "pixels": pl.Int64(), "raw_volume": pl.Float64(), "background": pl.Float64(), "volume": pl.Float64(),
     "noise_sd": pl.Float64(), "detection_limit": pl.Float64(), "saturated_percent": pl.Float64(),
     "status": pl.String(), "unit": pl.String(), "method": pl.String()}
)  # fmt: skip
PROFILES = pl.Schema(
    {"membrane": pl.String(), "image": pl.String(), "lane": pl.Int64(), "row": pl.Int64(),
     "profile": pl.Float64(), "base_line": pl.Float64()}
)  # fmt: skip


@dataclass(frozen=True)
class Integral:
    """One box: sum of its pixels, of the background under it, and the standard deviation of their
    difference where there is no band; and how far the base line leaves the background, in heights of the
    band."""

    raw: float
    background: float
    noise_sd: float
    off: float = 0.0


@dataclass(frozen=True)
class Profile:
    """The mean over a lane's columns, its base line, and the rows without a band."""

    values: Floats
    line: Floats
    empty: NDArray[np.bool_]


def by_lane(
    profile: Profile,
    top: int,
    bottom: int,
    width: int,
    *,
    others: Iterable[tuple[int, int]] = (),
    sd: float = 3.0,
) -> Integral:
    """A box integrated over the base line of its lane. `width` columns. Sums over pixels.

    others: rows of the other boxes of the lane.   sd: of the limit of detection.
    """
    noise = spread(profile.values - profile.line, profile.empty, bottom - top)
    raw, under = float(profile.values[top:bottom].sum()), float(profile.line[top:bottom].sum())
    height = np.fmax(raw - under, sd * noise) / (bottom - top)
    off = departure(profile.values, profile.line, (top, bottom), others, float(height))
    return Integral(width * raw, width * under, width * noise, off)


def by_border(values: Floats, box: Span, width_px: int) -> Integral:
    """A box integrated over the median of a rim around it.

    Source: the border median of commercial programs; variance of the median pi/2 that of the mean.
    """
    top, bottom, left, right = box
    around = rim(values, box, width_px).astype(np.float64)
    inside = values[top:bottom, left:right]
    if around.size < 2:
        return Integral(float(inside.sum(dtype=np.float64)), float("nan"), float("nan"))
    level = float(np.median(around))
    scatter = MAD_TO_SD * float(np.median(np.abs(around - level)))
    n = inside.size
    noise = scatter * np.sqrt(n + n**2 * np.pi / 2.0 / around.size)
    return Integral(float(inside.sum(dtype=np.float64)), level * n, float(noise))


def integrate(
    signals: Mapping[str, Signal], boxes: Boxes, settings: Settings
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[Finding]]:
    """Rows of `VOLUMES`, rows of `PROFILES`, and findings.

    signals: "blot" and, if there is one, "reference", both straight.
    """
    windows, rule = _windows(boxes, signals["blot"].values.shape[0], settings)
    profiles: dict[tuple[str, int, int], Profile] = {}
    volumes, drawn = [], []
    for lane in boxes.file.lane:
        others = [(other.left, other.right) for other in boxes.file.lane if other is not lane]
        for name, picture in signals.items():
            key = (name, lane.left, lane.right)
            head = {"membrane": boxes.file.membrane, "image": name, "lane": lane.lane}
            drawn += _profile_rows(head, _profile(profiles, key, picture.values, (windows, others)))
        for band in boxes.file.band:
            if band.role == "ignore":
                continue
            picture = signals[band.image]
            place = boxes.place(lane, band)
            if settings.background == "border" or band.role == "total protein":
                found = by_border(picture.values, place, settings.rim_px)
                method = f"median of a rim of {settings.rim_px} px"
            else:
                kept = _profile(profiles, (band.image, *place[2:]), picture.values, (windows, others))
                beside_it = _others(boxes, lane, band)
                found = by_lane(
                    kept, place[0], place[1], place[3] - place[2], others=beside_it, sd=settings.detection_sd
                )
                method = rule
            head = {"membrane": boxes.file.membrane, "lane": lane.lane, "method": method}
            volumes.append(head | _row(band, place, found, (picture, settings)))
    return volumes, drawn, _findings(volumes, settings)


def _others(boxes: Boxes, lane: Lane, band: Band) -> list[tuple[int, int]]:
    """The rows of the other bands of a lane in the same picture."""
    return [
        boxes.place(lane, other)[:2]
        for other in boxes.file.band
        if other is not band and other.image == band.image and other.role != "total protein"
    ]


def _windows(boxes: Boxes, rows: int, settings: Settings) -> tuple[tuple[int, ...], str]:
    """Half windows of the base lines, none for the gaps beside the lane; and the method in words."""
    if settings.background == "beside":
        return (), "gaps beside the lane"
    heights = [
        place[1] - place[0]
        for lane in boxes.file.lane
        for band in boxes.file.band
        if band.role not in ("total protein", "ignore")
        for place in [boxes.place(lane, band)]
    ]
    tallest = max(heights, default=0)
    usual = [max(LEAST_WINDOW, round(part * tallest), round(WINDOW_ROWS * rows)) for part in WINDOW_HEIGHTS]
    windows = (settings.base_line_px,) if settings.base_line_px else tuple(sorted(set(usual)))
    return windows, f"lane base line, half window {' and '.join(map(str, windows))} px"


def _profile(
    known: dict[tuple[str, int, int], Profile],
    key: tuple[str, int, int],
    values: Floats,
    how: tuple[tuple[int, ...], list[tuple[int, int]]],
) -> Profile:
    """`how`: half windows of the base line, none for the gaps beside the lane; columns of the other lanes."""
    if key not in known:
        windows, others = how
        mean = values[:, key[1] : key[2]].mean(axis=1, dtype=np.float64)
        lines = [base_line(mean, window) for window in windows] or [beside(values, key[1:], others)]
        line: Floats = np.mean(lines, axis=0)
        known_line = bool(np.isfinite(line).all())
        empty = empty_rows(mean, line) if known_line else np.zeros(mean.shape, dtype=bool)
        known[key] = Profile(mean, line, empty)
    return known[key]


def _profile_rows(head: dict[str, Any], profile: Profile) -> list[dict[str, Any]]:
    pairs = zip(profile.values.tolist(), profile.line.tolist(), strict=True)
    return [
        {**head, "row": row, "profile": value, "base_line": line} for row, (value, line) in enumerate(pairs)
    ]


def _row(band: Band, place: Span, found: Integral, context: tuple[Signal, Settings]) -> dict[str, Any]:
    picture, settings = context
    top, bottom, left, right = place
    saturated = 100.0 * float(picture.saturated[top:bottom, left:right].mean())
    volume = found.raw - found.background
    limit = settings.detection_sd * found.noise_sd
    if saturated > settings.saturation_percent:
        status = "saturated"
    elif not np.isfinite(volume + limit):
        status = "no background"
    elif found.off:
        status = "base line off"
    else:
        status = "ok" if volume > limit else "below detection"
    return {
        "band": band.name, "role": band.role, "image": band.image, "top": top, "bottom": bottom,
        "left": left, "right": right, "pixels": (bottom - top) * (right - left), "raw_volume": found.raw,
        "background": found.background, "volume": volume, "noise_sd": found.noise_sd,
        "detection_limit": limit, "saturated_percent": saturated, "status": status, "unit": picture.unit,
    }  # fmt: skip


def _findings(volumes: list[dict[str, Any]], settings: Settings) -> list[Finding]:
    findings = []
    for band in dict.fromkeys(row["band"] for row in volumes):
        here = [row for row in volumes if row["band"] == band]
        full = [row for row in here if row["status"] == "saturated"]
        if full:
            worst = max(row["saturated_percent"] for row in full)
            findings.append(
                Finding(
                    "GP-A129", "refusal",
                    f"saturated: up to {worst:.2g} % of the pixels are at the end of the scale",
                    f'band "{band}", {_lanes(full)}', f"at most {settings.saturation_percent:g} %",
                    "expose shorter, or load less; these bands have no value",
                )
            )  # fmt: skip
        low = [row for row in here if row["status"] == "below detection"]
        if low:
            text = f"below detection ({settings.detection_sd:g} SD of the background): a limit, not a value"
            findings.append(Finding("GP-A135", "note", text, f'band "{band}", {_lanes(low)}'))
        bare = [row for row in here if row["status"] == "no background"]
        if bare:
            findings.append(
                Finding(
                    "GP-A135", "warning", "no background around the box", f'band "{band}", {_lanes(bare)}',
                    "empty rows in the lane, a gap beside it, or a rim around the box",
                    "make the box smaller; --background lane where lanes touch",
                )
            )  # fmt: skip
        off = [row for row in here if row["status"] == "base line off"]
        if off:
            findings.append(
                Finding(
                    "GP-A234", "refusal",
                    "the base line leaves the background beside the band by more than noise and "
                    f"{100.0 * TOLERATED:g} % of the band", f'band "{band}", {_lanes(off)}',
                    "rows beside the band that lie on the base line",
                    "look at the lane profiles; --crop a dark edge away, --background beside, --base-line "
                    "with another half window, or box what stands beside; these bands have no value",
                )
            )  # fmt: skip
    return findings


def _lanes(rows: list[dict[str, Any]]) -> str:
    numbers = [row["lane"] for row in rows]
    return f"lane{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
