"""From stored counts to a signal that grows with the amount: polarity, optical density, ceilings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from glueprint.assays.blot.image import Image
from glueprint.assays.blot.settings import Settings
from glueprint.assays.findings import Finding
from glueprint.errors import InputError

__all__ = ["Signal", "plateau", "polarity", "shrunk", "signal"]

Floats = NDArray[Any]
# Skewness of the detrended image beyond which bands are called bright or dark.
SURE_SKEWNESS = 0.5
LOOK_PX = 256
# A plateau: the highest level holds at least this many pixels, and this many times what levels below it hold.
PLATEAU_PIXELS = 12
PLATEAU_TIMES = 8.0
PLATEAU_LEVELS = 20


@dataclass(frozen=True)
class Signal:
    """A picture whose values grow with the amount of protein.

    values: (rows, columns), counts or optical density.   saturated: (rows, columns), True at the ceiling.
    unit: "counts" or "OD".   light: "emission" or "transmission".
    """

    values: NDArray[np.float32]
    saturated: NDArray[np.bool_]
    unit: str
    light: str
    findings: tuple[Finding, ...]


def signal(image: Image, settings: Settings) -> Signal:
    """The signal of an image under the chosen light.

    Raises InputError GP-A119 where bands are dark and the light is not given, or contradicts it.
    """
    counts = image.ceiling - image.counts if settings.invert else image.counts
    light, findings = _light(counts, image, settings)
    transmitted = light == "transmission"
    level, plateau_found = _end(counts, image.ceiling, low=transmitted)
    saturated = counts <= level if transmitted else counts >= level
    if plateau_found:
        findings.append(_plateau_finding(int(level), image, low=transmitted))
    if not transmitted:
        return Signal(counts.astype(np.float32), saturated, "counts", light, tuple(findings))
    bright = settings.background_light or float(np.percentile(counts, 75.0))
    # Half a count stands for none: such pixels are at the end of the scale and are counted as saturated.
    density = -np.log10(np.maximum(counts.astype(np.float32), 0.5) / bright)
    how = "given" if settings.background_light else "the third quartile of the image"
    findings.append(
        Finding("GP-A120", "note", f"optical density -log10(I/I0) with I0 = {bright:g} ({how})", image.source)
    )
    return Signal(density.astype(np.float32), saturated, "OD", light, tuple(findings))


def _light(counts: Floats, image: Image, settings: Settings) -> tuple[str, list[Finding]]:
    """The light as stated, or emission where bands are bright; never a guess from dark bands."""
    seen = polarity(counts)
    wanted = {"emission": "bright", "transmission": "dark", None: "bright"}[settings.light]
    if seen not in ("unclear", wanted):
        asked = f'light "{settings.light}" means {wanted} bands' if settings.light else "no light is given"
        remedy = (
            "--light transmission for a scan of a film or stained gel; --invert for camera counts "
            "that were stored as ceiling minus counts"
            if wanted == "bright"
            else "--light emission for camera counts; --invert for a scan stored as its negative"
        )
        raise InputError(
            "GP-A119",
            f"bands are {seen}, and {asked}",
            where=image.source,
            expected=f"{wanted} bands",
            next_step=remedy,
        )
    light = settings.light or "emission"
    how = "as given" if settings.light else f"not given: bands are {seen}"
    text = f"{light} ({how}); bands are {wanted}{', counts inverted' if settings.invert else ''}"
    return light, [Finding("GP-A120", "note", text, image.source)]


def polarity(counts: Floats) -> str:
    """ "bright", "dark" or "unclear": which way the minority of pixels stands out.

    counts: (rows, columns).   Source: own derivation; the skewness of the image less its smooth part.
    """
    small = shrunk(counts, LOOK_PX)[0]
    # Dust and hot pixels must not decide; a median of nine removes them.
    small = ndimage.median_filter(small, 3)
    detail = small - ndimage.gaussian_filter(small, max(small.shape) / 8.0)
    spread = float(detail.std())
    if spread == 0.0:
        return "unclear"
    skewness = float((((detail - detail.mean()) / spread) ** 3).mean())
    if abs(skewness) < SURE_SKEWNESS:
        return "unclear"
    return "bright" if skewness > 0.0 else "dark"


def shrunk(values: Floats, longest_px: int) -> tuple[NDArray[np.float32], int]:
    """Means of square blocks, so that the longer side has at most `longest_px` pixels, or the shorter one;
    and the
    block side."""
    step = max(1, min(-(-max(values.shape) // longest_px), *values.shape))
    rows, columns = values.shape[0] // step, values.shape[1] // step
    blocks = values[: rows * step, : columns * step].reshape(rows, step, columns, step)
    return blocks.mean(axis=(1, 3), dtype=np.float32), step


def plateau(counts: Floats, *, low: bool = False) -> int | None:
    """The level at which counts pile up at the end of their range, None where they do not.

    counts: unsigned integers.   low: look at the lowest end.
    Source: own derivation: the last level against the occupied levels before it.
    """
    end = int(counts.min() if low else counts.max())
    held = np.bincount(counts.ravel(), minlength=end + 1)
    levels = held[end + 1 :] if low else held[:end][::-1]
    near = levels[levels > 0][:PLATEAU_LEVELS]
    at_end = int(held[end])
    if near.size == 0 or at_end < PLATEAU_PIXELS or at_end < PLATEAU_TIMES * float(near.mean()):
        return None
    return end


def _end(counts: Floats, ceiling: int, *, low: bool) -> tuple[int, bool]:
    """The level that counts as saturated, and whether it is a plateau short of the end of the scale."""
    end = 0 if low else ceiling
    found = plateau(counts, low=low)
    # Most of a dark picture may be zero: piled up there is the background, not a band.
    if found is None or found == end:
        return end, False
    share = float((counts <= found).mean() if low else (counts >= found).mean())
    return (end, False) if share > 0.25 else (found, True)


def _plateau_finding(level: int, image: Image, *, low: bool) -> Finding:
    side = "below" if low else "above"
    return Finding(
        "GP-A136",
        "warning",
        f"counts pile up at {level}, none {side}: the end of the scale before that of {image.bits} bits",
        image.source,
        "counts that thin out towards the end",
        "bands with pixels there are treated as saturated; expose shorter",
    )
