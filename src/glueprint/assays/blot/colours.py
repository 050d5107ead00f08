"""Colour pictures to one grey channel: which one counted the light is asked of the channels, and said."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from glueprint.assays.findings import Finding
from glueprint.errors import InputError, nearest

__all__ = ["CHANNELS", "grey"]

Counts = NDArray[Any]
COLOURS = ("red", "green", "blue")
# "grey" is the mean of the three, which keeps sums.
CHANNELS = (*COLOURS, "grey")
# Channels tell of one stain where the square of their correlation is at least this; a channel whose detail
# has less than this share of the strongest one's variance tells of nothing.
ONE_STAIN, SILENT = 0.9, 0.02
LOOK_PX = 400


def grey(
    pixels: Counts, source: str, asked: str | None, *, palette: bool = False
) -> tuple[Counts, list[Finding]]:
    """One channel of a picture, and what is to be said of it.

    pixels: (rows, columns), or (rows, columns, channels) with 2 (grey, alpha), 3 or 4 (alpha last).
    asked: one of `CHANNELS`, None: the only one, or that with the strongest picture.   palette: the colours
    come from one.
    Raises InputError GP-A113 where channels hold different pictures and none is asked for, GP-A121 for a
    channel that is none.
    Source: own derivation, docs/blot.md.
    """
    if asked is not None and asked not in CHANNELS:
        raise _no_channel(asked, source)
    if pixels.ndim == 2:
        return pixels, _unneeded(asked, source)
    colours = pixels[..., :3] if pixels.shape[-1] >= 3 else pixels[..., :1]
    if pixels.shape[-1] in (2, 4) and np.ptp(pixels[..., -1]):
        raise _differ("a last channel that is no picture of its own and not the same everywhere", source)
    what = "a palette" if palette else f"{pixels.shape[-1]} channels"
    if (colours == colours[..., :1]).all():
        note = Finding("GP-A118", "note", f"{what}, the colours equal: one of them is used", source)
        return np.ascontiguousarray(colours[..., 0]), [note, *_unneeded(asked, source)]
    chosen = asked or _strongest(colours, source)
    said = "as asked" if asked else "it holds the strongest picture, and the others the same one"
    text = f"{what} whose colours differ: {chosen} is read as grey ({said})"
    remedy = "" if asked else f"compare with --channel {' or '.join(CHANNELS)}"
    finding = Finding(
        "GP-A231",
        "note" if asked else "warning",
        text,
        source,
        "one grey channel, as the camera counted",
        remedy,
    )
    if chosen == "grey":
        mean = np.round(colours.mean(axis=-1, dtype=np.float64)).astype(pixels.dtype)
        return mean, [finding]
    return np.ascontiguousarray(colours[..., COLOURS.index(chosen)]), [finding]


def _strongest(colours: Counts, source: str) -> str:
    """The colour with the strongest picture, if the others hold the same one or none."""
    details = [_detail(colours[..., place]) for place in range(3)]
    power = np.array([float((detail**2).mean()) for detail in details])
    if not power.max() > 0.0:
        return COLOURS[1]
    best = int(np.argmax(power))
    for place in range(3):
        if place == best or power[place] < SILENT * power[best]:
            continue
        shared = float((details[place] * details[best]).mean()) ** 2 / (power[place] * power[best])
        if shared < ONE_STAIN:
            what = f"{COLOURS[best]} and {COLOURS[place]} hold different pictures (r^2 = {shared:.2f})"
            raise _differ(what, source)
    return COLOURS[best]


def _detail(counts: Counts) -> NDArray[np.float64]:
    """What stands out of the smooth part, without specks and noise."""
    step = max(1, -(-max(counts.shape) // LOOK_PX))
    rows, columns = counts.shape[0] // step * step, counts.shape[1] // step * step
    blocks = counts[:rows, :columns].reshape(rows // step, step, columns // step, step)
    small = ndimage.uniform_filter(ndimage.median_filter(blocks.mean(axis=(1, 3), dtype=np.float64), 3), 5)
    detail = small - ndimage.gaussian_filter(small, max(small.shape) / 8.0)
    return np.asarray(detail - detail.mean())


def _differ(what: str, source: str) -> InputError:
    return InputError(
        "GP-A113",
        f"a colour image: {what}; which of them counted the light is not known",
        where=source,
        expected="one grey channel, or colours of one stain",
        next_step="choose with --channel red, green, blue or grey, or export the channel of the stain alone, "
        "as 16-bit grey TIFF",
    )


def _no_channel(asked: str, source: str) -> InputError:
    return InputError(
        "GP-A121",
        f'"{asked[:40]}"{nearest(asked, CHANNELS)}',
        where=f"{source}, channel",
        expected="one of " + ", ".join(CHANNELS),
        next_step="see docs/blot.md, Choices",
    )


def _unneeded(asked: str | None, source: str) -> list[Finding]:
    if asked is None:
        return []
    return [Finding("GP-A231", "note", f"one grey channel: {asked} was asked for and not needed", source)]
