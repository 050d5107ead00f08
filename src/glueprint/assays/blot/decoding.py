"""Image files to pixels, unpacked in a process that may crash, hang or run out of memory without us."""

from __future__ import annotations

from functools import cache

import numpy as np

from glueprint.assays import pixels
from glueprint.assays.findings import Finding
from glueprint.assays.pixels import MOST_BYTES, MOST_PIXELS, Stored, unsupported
from glueprint.boundary import Ended, Helper, Limits
from glueprint.errors import InputError, from_dict

__all__ = ["LEAST_SIDE", "MOST_BYTES", "MOST_PIXELS", "Stored", "decode", "unsupported"]

LEAST_SIDE = 16
LIMITS = Limits(seconds=30, memory_mb=2048)


def decode(content: bytes, source: str, page: int | None) -> Stored:
    """Pixels, depth and metadata of one page.

    Raises InputError GP-A111, GP-A112, GP-A113, GP-A115; NotSupportedError GP-A114.
    """
    if len(content) > MOST_BYTES:
        raise pixels.too_large(f"more than {MOST_BYTES // 10**6} MB", source)
    try:
        table, counts = _helper().ask(content, {"source": source, "page": page})
    except Ended as ended:
        raise InputError(
            "GP-A111",
            f"a damaged image file: {ended}",
            where=source,
            expected=f"an image that is unpacked within {LIMITS.seconds:g} s and {LIMITS.memory_mb} MB",
            next_step="copy or export it again",
        ) from ended
    if "error" in table:
        raise from_dict(table["error"])
    array = np.frombuffer(counts, dtype=np.dtype(table["type"])).reshape(table["shape"])
    found = tuple(Finding(**finding) for finding in table["findings"])
    # A copy: what is read from bytes cannot be written, and analyses may scale their image in place.
    return Stored(table["format"], array.copy(), table["bits"], table["metadata"], found)


@cache
def _helper() -> Helper:
    return Helper("glueprint.assays.pixels:in_child", LIMITS)
