"""Image files keep their depth or are refused: TIFF, PNG and JPEG written here, whole, odd and damaged."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile

from glueprint.assays.blot import decoding, image, optical
from glueprint.errors import EnvironmentProblemError, GlueprintError, InputError, NotSupportedError

COUNTS = (np.arange(40 * 50).reshape(40, 50) * 31 % 65521).astype(np.uint16)
EIGHT = (COUNTS >> 8).astype(np.uint8)


def tiff(*pages, **options):
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream, byteorder=options.pop("byteorder", "<")) as writer:
        for page in pages:
            writer.write(page, **({"photometric": "minisblack", "contiguous": False} | options))
    return stream.getvalue()


def codes(found):
    return [finding.code for finding in found.findings]


@pytest.mark.parametrize("compression", [None, "lzw", "deflate", "adobe_deflate", "packbits"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("counts", [COUNTS, EIGHT], ids=["16 bit", "8 bit"])
def test_tiff_keeps_every_count(compression, byteorder, counts):
    found = image.parse(tiff(counts, compression=compression, byteorder=byteorder), "a.tif")
    assert found.counts.dtype == counts.dtype
    assert np.array_equal(found.counts, counts)
    assert (found.bits, found.ceiling) == (counts.dtype.itemsize * 8, 2 ** (counts.dtype.itemsize * 8) - 1)
    assert codes(found) == ([] if found.bits == 16 else ["GP-A117"])


def test_a_predictor_and_tiles_do_not_change_counts():
    big = np.tile(COUNTS, (4, 4))
    content = tiff(big, compression="lzw", predictor=True, tile=(64, 64))
    assert np.array_equal(image.parse(content, "a.tif").counts, big)


def test_metadata_is_kept():
    content = tiff(COUNTS, software="imager 2.1", description="membrane 4", datetime="2026:03:04 05:06:07")
    found = image.parse(content, "a.tif").metadata
    assert found["Software"] == "imager 2.1"
    assert found["ImageDescription"] == "membrane 4"
    assert found["DateTime"] == "2026:03:04 05:06:07"
    assert (found["pages"], found["bits"]) == ("1", "16")


def test_white_is_zero_does_not_invert():
    found = image.parse(tiff(COUNTS, photometric="miniswhite"), "a.tif")
    assert np.array_equal(found.counts, COUNTS)
    assert codes(found) == ["GP-A118"]
    assert "--invert" in found.findings[0].next_step


def test_png_keeps_16_bits_and_its_text():
    content = imagecodecs.png_encode(COUNTS)
    chunk = b"tEXtSoftware\x00imager"
    text = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    found = image.parse(content[:33] + text + content[33:], "a.png")
    assert np.array_equal(found.counts, COUNTS)
    assert found.bits == 16
    assert found.metadata["Software"] == "imager"
    assert codes(image.parse(imagecodecs.png_encode(EIGHT), "a.png")) == ["GP-A117"]


def test_jpeg_is_read_with_a_warning():
    found = image.parse(imagecodecs.jpeg8_encode(EIGHT, level=95), "a.jpg")
    assert found.counts.shape == EIGHT.shape
    assert codes(found) == ["GP-A116", "GP-A117"]


def test_equal_colours_are_grey():
    same = np.stack([COUNTS] * 3, axis=-1)
    for content, name in ((tiff(same, photometric="rgb"), "a.tif"), (imagecodecs.png_encode(same), "a.png")):
        found = image.parse(content, name)
        assert np.array_equal(found.counts, COUNTS)
        assert codes(found) == ["GP-A118"]
    planes = tiff(np.stack([COUNTS] * 3), photometric="rgb", planarconfig="separate")
    assert np.array_equal(image.parse(planes, "a.tif").counts, COUNTS)
    alpha = np.dstack([same, np.full_like(COUNTS, 65535)])
    assert np.array_equal(image.parse(imagecodecs.png_encode(alpha), "a.png").counts, COUNTS)


def test_pages_are_chosen_not_guessed():
    content = tiff(COUNTS, COUNTS + 1)
    with pytest.raises(InputError, match=r"GP-A115 a\.tif: 2 pages"):
        image.parse(content, "a.tif")
    assert np.array_equal(image.parse(content, "a.tif", 2).counts, COUNTS + 1)
    for page, name, data in ((3, "a.tif", content), (2, "a.png", imagecodecs.png_encode(COUNTS))):
        with pytest.raises(InputError, match=f"GP-A115 {name}: no page {page}"):
            image.parse(data, name, page)


@pytest.mark.parametrize(
    "counts",
    [COUNTS.astype(np.float32), COUNTS.astype(np.uint32), COUNTS.astype(np.int16), COUNTS > 5],
    ids=str,
)
def test_other_depths_are_refused(counts):
    with pytest.raises(NotSupportedError, match="GP-A114"):
        image.parse(tiff(counts), "a.tif")
    with pytest.raises(NotSupportedError, match="GP-A114"):
        image.from_array(counts)


def test_lossy_tiff_and_volumes_are_refused():
    with pytest.raises(NotSupportedError, match=r"GP-A114.*compression 7"):
        image.parse(tiff(EIGHT, compression="jpeg"), "a.tif")
    with pytest.raises(NotSupportedError, match="GP-A114"):
        image.parse(
            tiff(np.zeros((2, 32, 32, 32), np.uint16), volumetric=True, tile=(16, 16, 16)), "a.tif", 1
        )
    small = imagecodecs.png_encode(EIGHT)
    with pytest.raises(NotSupportedError, match="PNG of 4 bits"):
        image.parse(small[:24] + b"\x04" + small[25:], "a.png")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (tiff(COUNTS), "a.tif"),
        (tiff(COUNTS, compression="lzw"), "a.tif"),
        (imagecodecs.png_encode(COUNTS), "a.png"),
        (imagecodecs.jpeg8_encode(EIGHT), "a.jpg"),
    ],
    ids=["tiff", "lzw", "png", "jpeg"],
)
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.95])
def test_a_file_cut_short_is_damaged(content, name, kept):
    # The directory of these TIFF files stands before the data; what is missing is data, or everything.
    with pytest.raises(InputError, match="GP-A111"):
        image.parse(content[: int(kept * len(content))], name)


@pytest.mark.parametrize("content", [b"", b"lane,volume\n1,2\n", b"%PDF-1.7", b"II*\x00\x08\x00\x00\x00"])
def test_what_is_no_image_is_refused(content):
    with pytest.raises(InputError, match="GP-A111"):
        image.parse(content, "a.tif")


def test_a_tiny_picture_is_refused():
    with pytest.raises(InputError, match="GP-A111"):
        image.parse(tiff(COUNTS[:8]), "a.tif")


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    def unpacked(*arguments, **options):
        raise AssertionError("unpacked")

    for name in ("png_decode", "jpeg8_decode"):
        monkeypatch.setattr(imagecodecs, name, unpacked)
    monkeypatch.setattr(tifffile.TiffPage, "asarray", unpacked)
    small = imagecodecs.png_encode(COUNTS)
    png = small[:16] + struct.pack(">II", 60000, 60000) + small[24:]
    jpeg = bytearray(imagecodecs.jpeg8_encode(EIGHT))
    place = jpeg.index(b"\xff\xc0")
    jpeg[place + 5 : place + 9] = struct.pack(">HH", 65000, 65000)
    big = bytearray(tiff(COUNTS))
    for tag in (256, 257):
        place = big.index(struct.pack("<HHI", tag, 4, 1)) if struct.pack("<HHI", tag, 4, 1) in big else None
        place = place if place is not None else big.index(struct.pack("<HHI", tag, 3, 1))
        big[place : place + 12] = struct.pack("<HHII", tag, 4, 1, 2_000_000_000)
    for content, name in ((png, "a.png"), (bytes(jpeg), "a.jpg"), (bytes(big), "a.tif")):
        with pytest.raises(InputError, match="GP-A112"):
            image.parse(content, name)
    monkeypatch.setattr(decoding, "MOST_BYTES", 100)
    with pytest.raises(InputError, match="GP-A112"):
        image.parse(tiff(COUNTS), "a.tif")


def test_a_file_that_cannot_be_opened(tmp_path):
    with pytest.raises(EnvironmentProblemError, match="GP-A110"):
        image.read(tmp_path / "none.tif")
    with pytest.raises(EnvironmentProblemError, match="GP-A110"):
        image.read("nul\x00.tif")
    (tmp_path / "a.tif").write_bytes(tiff(COUNTS))
    assert np.array_equal(image.read(tmp_path / "a.tif").counts, COUNTS)


def test_nothing_of_the_tiff_package_is_printed(capfd):
    content = bytearray(tiff(COUNTS, description="a membrane"))
    random = np.random.default_rng(3)
    for _ in range(60):
        broken = bytearray(content)
        for place in random.integers(4, 400, 3):
            broken[place] = random.integers(0, 256)
        with contextlib.suppress(GlueprintError):
            image.parse(bytes(broken), "a.tif")
    assert capfd.readouterr().err == ""


def test_a_plateau_is_told_from_a_peak():
    random = np.random.default_rng(1)
    counts = random.poisson(500, (200, 200)).astype(np.uint16)
    assert optical.plateau(counts) is None
    counts[50:60, 50:80] = np.minimum(random.normal(4000, 150, (10, 30)), 4000).astype(np.uint16)
    assert optical.plateau(counts) == 4000
    assert optical.plateau((5000 - counts).astype(np.uint16), low=True) == 1000
