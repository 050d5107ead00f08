"""Bytes of a TIFF, PNG or JPEG file to pixels, with limits checked before anything is unpacked.

The packages that unpack images are called here and nowhere else, so that `blot.decoding` can have it done in
a process of its own.
"""

from __future__ import annotations

import io
import logging
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

from glueprint.assays.findings import Finding
from glueprint.errors import GlueprintError, InputError, NotSupportedError

__all__ = ["MOST_BYTES", "MOST_PIXELS", "Stored", "decode", "in_child", "prepare", "too_large", "unsupported"]

# Twice the largest scan of a laser scanner at 21 micrometres (25 x 25 cm: 142 megapixels is beyond it).
MOST_PIXELS = 100_000_000
MOST_BYTES = 400_000_000
MOST_METADATA = 300
MOST_PAGES = 1000  # an imager writes a handful
# Losslessly packed: none, LZW, Deflate (both numbers), PackBits. TIFF 6.0 and its supplements.
LOSSLESS = (1, 5, 8, 32773, 32946)
WHITE_IS_ZERO, PALETTE = 0, 3
TIFF_HEADS = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
PNG_HEAD = b"\x89PNG\r\n\x1a\n"
JPEG_HEAD, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
PNG_INDEXED = 3
KEPT_TAGS = (
    "ImageDescription", "DocumentName", "Make", "Model", "Software", "DateTime", "Artist", "HostComputer",
    "XResolution", "YResolution", "ResolutionUnit", "PhotometricInterpretation", "Compression",
)  # fmt: skip


@dataclass(frozen=True)
class Stored:
    """What a file holds: pixels (rows, columns) or (rows, columns, channels), significant bits, metadata."""

    format: str
    pixels: NDArray[Any]
    bits: int
    metadata: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def decode(content: bytes, source: str, page: int | None) -> Stored:
    """Pixels, depth and metadata of one page.

    Raises InputError GP-A111, GP-A112, GP-A113, GP-A115; NotSupportedError GP-A114.
    """
    if content[:4] in TIFF_HEADS:
        kind, unpack = "TIFF", _tiff
    elif content.startswith(PNG_HEAD):
        kind, unpack = "PNG", _png
    elif content.startswith(JPEG_HEAD):
        kind, unpack = "JPEG", _jpeg
    else:
        raise InputError(
            "GP-A111",
            f"no image: it begins with {content[:8]!r}" if content else "an empty file",
            where=source,
            expected="a TIFF or PNG file",
            next_step="export the blot as 16-bit TIFF",
        )
    if kind != "TIFF" and page not in (None, 1):
        raise _no_page(1, page, source)
    try:
        return unpack(content, source, page)
    except GlueprintError:
        raise
    # The packages raise whatever a damaged byte leads them to; all of it means that the file is damaged.
    except Exception as error:
        raise _damaged(f"{type(error).__name__}: {error}"[:200], kind, source) from error


def in_child(content: bytes, options: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """`decode` for `boundary.guarded`: what it gives as a table, with the pixels beside, or its error."""
    try:
        stored = decode(content, options["source"], options["page"])
    except GlueprintError as error:
        return {"error": error.as_dict()}, b""
    pixels = np.ascontiguousarray(stored.pixels)
    table = {
        "format": stored.format,
        "bits": stored.bits,
        "metadata": dict(stored.metadata),
        "findings": [finding.as_dict() for finding in stored.findings],
        "shape": pixels.shape,
        "type": pixels.dtype.str,
    }
    return table, pixels.tobytes()


def prepare() -> None:
    """Unpack one image of each kind: later, in `boundary.guarded`, no codec can be loaded any more."""
    shades = np.zeros((32, 32), np.uint8)
    samples = [imagecodecs.png_encode(shades), imagecodecs.jpeg8_encode(shades)]
    for packing in ("none", "lzw", "adobe_deflate", "deflate", "packbits"):
        for horizontal in (False, True):  # with and without differences between neighbours
            stream = io.BytesIO()
            with suppress(ValueError):  # not every packing takes differences
                tifffile.imwrite(stream, shades, compression=packing, predictor=horizontal)
                samples.append(stream.getvalue())
    for sample in samples:
        with suppress(GlueprintError):
            decode(bytes(sample), "sample", None)


def unsupported(what: str, source: str) -> NotSupportedError:
    """The refusal GP-A114 of a depth, packing or layout that is not read."""
    return NotSupportedError(
        "GP-A114",
        f"{what} cannot be read",
        where=source,
        expected="8 or 16 bits, unsigned, grey; not packed, or LZW, Deflate or PackBits",
        next_step="export again as 16-bit grey TIFF",
    )


def _check_pages(content: bytes, source: str) -> None:
    """The chain of pages must end: each names the next, and a hand-made one may name itself.

    Source: TIFF 6.0, section 2; BigTIFF has 8-byte offsets and counts (Adobe, Aldus; 2004 draft).
    """
    order = "<" if content[:2] == b"II" else ">"
    large = content[2:4] in (b"+\x00", b"\x00+")
    offset, count, entry = ("Q", "Q", 20) if large else ("I", "H", 12)
    place = struct.unpack_from(order + offset, content, 8 if large else 4)[0]
    seen: set[int] = set()
    while place:
        if place in seen or len(seen) >= MOST_PAGES:
            raise _damaged(f"its pages go in a circle, or are more than {MOST_PAGES}", "TIFF", source)
        seen.add(place)
        entries = struct.unpack_from(order + count, content, place)[0]
        place += struct.calcsize(count) + entry * entries
        place = struct.unpack_from(order + offset, content, place)[0]


def _tiff(content: bytes, source: str, page: int | None) -> Stored:
    _check_pages(content, source)
    with _collected_logs() as said, tifffile.TiffFile(io.BytesIO(content)) as file:
        pages = [one for one in file.pages if not getattr(one, "is_reduced", False)]
        chosen: Any = _chosen(pages, page, source)
        depth = _checked_page(chosen, len(content), source)
        pixels = chosen.asarray(maxworkers=1)
        if chosen.axes == "SYX":
            pixels = np.moveaxis(pixels, 0, -1)
        palette = int(chosen.photometric) == PALETTE
        if palette:
            pixels, depth = _coloured(pixels, np.asarray(chosen.colormap).T)
        metadata = {"pages": str(len(pages)), "bits": str(depth)} | ({"palette": "yes"} if palette else {})
        for tag in chosen.tags:
            # Of a tag that is there twice, the first is the imager's.
            if tag.name in KEPT_TAGS:
                metadata.setdefault(tag.name, str(tag.value)[:MOST_METADATA])
        white_is_zero = int(chosen.photometric) == WHITE_IS_ZERO
    findings = []
    if white_is_zero:
        findings.append(
            Finding(
                "GP-A118", "note", "the tag WhiteIsZero says how to show the image; the counts are used as "
                "stored", source, "", "--invert if the file holds ceiling minus counts",
            )
        )  # fmt: skip
    if said:
        findings.append(Finding("GP-A118", "note", f"odd tags: {said[0][:160]}", source))
    if pixels.ndim not in (2, 3):
        raise unsupported(f"an image of {pixels.ndim} dimensions", source)
    native = pixels.dtype.newbyteorder("=")
    return Stored("TIFF", pixels.astype(native, copy=False), depth, metadata, tuple(findings))


def _chosen(pages: list[Any], page: int | None, source: str) -> Any:
    if not pages:
        raise _damaged("no page", "TIFF", source)
    if page is None and len(pages) > 1:
        raise InputError(
            "GP-A115",
            f"{len(pages)} pages",
            where=source,
            expected="which of them is the blot",
            next_step=f"--page 1 to {len(pages)}",
        )
    if page is not None and not 1 <= page <= len(pages):
        raise _no_page(len(pages), page, source)
    return pages[(page or 1) - 1]


def _checked_page(page: Any, size: int, source: str) -> int:
    """The bits of a pixel, once nothing speaks against unpacking the page."""
    if hasattr(page, "aspage"):
        page = page.aspage()
    shape = tuple(int(n) for n in page.shape)
    _check_size(int(np.prod(shape, dtype=object)), source)
    if int(page.compression) not in LOSSLESS:
        raise unsupported(f"TIFF compression {int(page.compression)}", source)
    bits = page.bitspersample
    depth = int(bits[0] if isinstance(bits, tuple) else bits)
    if page.dtype not in (np.dtype(np.uint8), np.dtype(np.uint16)) or depth < 8:
        raise unsupported(f"{page.dtype} pixels of {depth} bits", source)
    if page.axes not in ("YX", "YXS", "SYX"):
        raise unsupported(f"an image with the axes {page.axes}", source)
    places = zip(page.dataoffsets, page.databytecounts, strict=True)
    if any(count <= 0 or start + count > size for start, count in places):
        raise _damaged("image data beyond the end of the file", "TIFF", source)
    return depth


@contextmanager
def _collected_logs() -> Iterator[list[str]]:
    """What the TIFF package would log on standard error, as a list."""
    said: list[str] = []
    logger = logging.getLogger("tifffile")
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    before, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)
        logger.propagate = before


def _png(content: bytes, source: str, page: int | None) -> Stored:
    del page
    width, height, depth, colour = struct.unpack(">IIBB", content[16:26])
    _check_size(width * height, source)
    palette = colour == PNG_INDEXED
    if depth not in (8, 16) and not (palette and depth < 8):
        raise unsupported(f"PNG of {depth} bits", source)
    # The decoder gives the colours that the numbers of a palette name, of 8 bits each.
    pixels = imagecodecs.png_decode(content)
    told = {"bits": str(max(depth, 8))} | ({"palette": "yes"} if palette else {})
    return Stored("PNG", pixels, max(depth, 8), _png_texts(content) | told)


def _coloured(numbers: NDArray[Any], colours: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """The colours (rows, columns, 3) that the numbers of a palette name, and their bits.

    colours: (entries, 3) of 16 bits.   Source: TIFF 6.0, section 5: 0 is none of a colour, 65535 all of it.
    """
    eight = not (colours % 257).any()
    used = (colours // 257).astype(np.uint8) if eight else colours.astype(np.uint16)
    return used[numbers], 8 if eight else 16


def _png_texts(content: bytes) -> dict[str, str]:
    """Keywords and texts of the uncompressed text chunks (PNG specification, 11.3.4.3)."""
    texts, place = {}, len(PNG_HEAD)
    while place + 8 <= len(content):
        length, name = struct.unpack(">I4s", content[place : place + 8])
        if name == b"tEXt":
            keyword, _, text = content[place + 8 : place + 8 + length].partition(b"\x00")
            texts[keyword.decode("latin-1")] = text.decode("latin-1")[:MOST_METADATA]
        place += 12 + length
    return texts


def _jpeg(content: bytes, source: str, page: int | None) -> Stored:
    del page
    height, width = _jpeg_size(content)
    _check_size(width * height, source)
    if JPEG_END not in content[-1024:]:
        raise _damaged("the end is missing", "JPEG", source)
    pixels = imagecodecs.jpeg8_decode(content)
    warning = Finding(
        "GP-A116", "warning", "JPEG: packing changed the counts, most around bands", source,
        "16-bit TIFF from the imager", "export again; ratios from this file are rough",
    )  # fmt: skip
    return Stored("JPEG", pixels, 8, {"bits": "8"}, (warning,))


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Rows and columns from the frame header (ITU T.81, B.2.2), read before anything is unpacked."""
    place = 2
    while place + 9 <= len(content):
        marker, length = content[place + 1], struct.unpack(">H", content[place + 2 : place + 4])[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            rows, columns = struct.unpack(">HH", content[place + 5 : place + 9])
            return int(rows), int(columns)
        place += 2 + max(length, 2)
    raise ValueError("no frame header")


def _check_size(pixels: int, source: str) -> None:
    if not 0 < pixels <= MOST_PIXELS:
        raise too_large(f"{pixels} values", source)


def too_large(what: str, source: str) -> InputError:
    """The refusal GP-A112 of an image with too many pixels or bytes."""
    return InputError(
        "GP-A112",
        f"an image of {what}",
        where=source,
        expected=f"1 to {MOST_PIXELS // 10**6} million values, packed in less than {MOST_BYTES // 10**6} MB",
        next_step="crop to the membrane, or scan at 50 micrometres a pixel",
    )


def _damaged(what: str, kind: str, source: str) -> InputError:
    return InputError(
        "GP-A111",
        f"a damaged {kind} file: {what}",
        where=source,
        expected="a whole file, as the imager wrote it",
        next_step="copy or export it again",
    )


def _no_page(pages: int, page: int | None, source: str) -> InputError:
    return InputError(
        "GP-A115",
        f"no page {page}",
        where=source,
        expected=f"1 to {pages}" if pages > 1 else "1, the only page",
        next_step="choose with --page",
    )
