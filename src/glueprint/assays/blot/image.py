"""A blot image as it was stored: its counts at full depth, and what the file says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint.assays.blot import colours, decoding
from glueprint.assays.blot.decoding import MOST_BYTES
from glueprint.assays.findings import Finding
from glueprint.boundary import read_plain
from glueprint.errors import EnvironmentProblemError, InputError

__all__ = ["Image", "from_array", "parse", "read"]


@dataclass(frozen=True)
class Image:
    """One page of grey counts.

    counts: (rows, columns) unsigned integers as stored.   bits: significant bits of a pixel.
    format: "TIFF", "PNG", "JPEG" or "array".   metadata: what the file says of itself, as text.
    """

    source: str
    format: str
    counts: NDArray[Any]
    bits: int
    metadata: Mapping[str, str]
    findings: tuple[Finding, ...] = ()

    @property
    def ceiling(self) -> int:
        """The highest count that a pixel can hold."""
        return int(2**self.bits - 1)


def read(path: str | Path, page: int | None = None, channel: str | None = None) -> Image:
    """The image in a TIFF, PNG or JPEG file, at its full depth.

    page: of several, from 1.   channel: of a colour image, "red", "green", "blue" or "grey" (their mean);
    None: the one with the strongest picture, where the others hold the same.
    Raises EnvironmentProblemError GP-A110 if it cannot be opened, and what `parse` raises.
    """
    try:
        content = read_plain(path, MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EnvironmentProblemError(
            "GP-A110",
            f"cannot open the image: {reason}",
            where=str(path),
            next_step="check the path and the permissions",
        ) from error
    return parse(content, str(path), page, channel)


def parse(content: bytes, source: str, page: int | None = None, channel: str | None = None) -> Image:
    """The image in the bytes of a file; `source` is its name in messages; else as `read`.

    Raises InputError GP-A111 (damaged, or no image), GP-A112 (too large), GP-A113 (colours of several
    pictures), GP-A115 (pages), GP-A121 (channel), NotSupportedError GP-A114 (compression, depth).
    """
    stored = decoding.decode(content, source, page)
    palette = "palette" in stored.metadata
    counts, findings = colours.grey(stored.pixels, source, channel, palette=palette)
    if counts.size == 0 or min(counts.shape) < decoding.LEAST_SIDE:
        raise InputError(
            "GP-A111",
            f"an image of {counts.shape[0]} rows and {counts.shape[1]} columns",
            where=source,
            expected=f"at least {decoding.LEAST_SIDE} pixels each way",
            next_step="export the whole blot",
        )
    if stored.bits <= 8:
        findings.append(
            Finding(
                "GP-A117", "warning", "8 bit: 256 levels, which adjustment for display may have stretched or "
                "cut", source, "16 bit as the camera counted", "export again as 16-bit TIFF",
            )
        )  # fmt: skip
    return Image(source, stored.format, counts, stored.bits, stored.metadata, (*stored.findings, *findings))


def from_array(counts: NDArray[Any], *, bits: int | None = None, source: str = "array") -> Image:
    """An image from (rows, columns) unsigned 8- or 16-bit counts.

    bits: significant bits, None: all of the type.
    Raises NotSupportedError GP-A114 for another type or shape.
    """
    array = np.asarray(counts)
    if array.dtype not in (np.uint8, np.uint16) or array.ndim != 2:
        raise decoding.unsupported(f"{array.dtype} counts of {array.ndim} dimensions", source)
    return Image(source, "array", array, bits or 8 * array.dtype.itemsize, {})
