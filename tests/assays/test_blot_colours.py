"""Colour pictures: the channel that is read is said, and one that cannot be known is refused."""

from __future__ import annotations

import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile

from glueprint.assays.blot import image
from glueprint.errors import InputError


def picture(seed=1, middle=60):
    """(rows, columns) of 8 bits: a paper with three bands."""
    rows, columns = np.mgrid[0:120, 0:160]
    bands = sum(
        np.exp(-(((columns - at) / 12.0) ** 8) - ((rows - middle) / 5.0) ** 2) for at in (40, 80, 120)
    )
    noise = np.random.default_rng(seed).normal(0.0, 1.5, bands.shape)
    return np.clip(30 + 180 * bands + noise, 0, 255).astype(np.uint8)


def tiff(pixels, **options):
    stream = io.BytesIO()
    tifffile.imwrite(stream, pixels, **options)
    return stream.getvalue()


def png_of_palette(numbers, colours):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows, columns = numbers.shape
    lines = b"".join(b"\x00" + row.tobytes() for row in numbers)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0))
        + chunk(b"PLTE", colours.astype(np.uint8).tobytes())
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )


def said(found):
    (finding,) = [one for one in found.findings if one.code == "GP-A231"]
    return finding


def test_of_one_stain_the_strongest_channel_is_read_and_said():
    # A blue stain on white: red is absorbed most.
    stain = picture() / 255.0
    colours = np.stack([255 - 200 * stain, 255 - 120 * stain, 255 - 20 * stain], axis=-1).astype(np.uint8)
    for content in (tiff(colours, photometric="rgb"), imagecodecs.png_encode(colours)):
        found = image.parse(content, "stain.tif")
        assert np.array_equal(found.counts, colours[..., 0])
        assert said(found).severity == "warning"
        assert "red is read as grey" in said(found).message


def test_a_pseudo_colour_of_one_channel_is_that_channel():
    green = np.stack([np.zeros_like(picture()), picture(), np.full_like(picture(), 7)], axis=-1)
    found = image.parse(tiff(green, photometric="rgb"), "green.tif")
    assert np.array_equal(found.counts, picture())
    assert "green" in said(found).message


def test_two_pictures_in_one_file_are_never_guessed():
    two = np.stack([picture(1, 40), picture(2, 90), np.zeros_like(picture())], axis=-1)
    content = tiff(two, photometric="rgb")
    with pytest.raises(InputError, match="GP-A113") as caught:
        image.parse(content, "two.tif")
    assert "--channel" in caught.value.next_step
    found = image.parse(content, "two.tif", channel="green")
    assert np.array_equal(found.counts, two[..., 1])
    assert said(found).severity == "note"
    mean = image.parse(content, "two.tif", channel="grey")
    assert np.array_equal(mean.counts, np.round(two.mean(axis=-1)).astype(np.uint8))
    with pytest.raises(InputError, match="GP-A121"):
        image.parse(content, "two.tif", channel="rde")


def test_a_palette_is_its_colours():
    numbers = picture()
    greys = np.repeat(np.arange(256, dtype=np.uint16)[::-1, None], 3, axis=1)
    for content in (
        tiff(numbers, photometric="palette", colormap=(257 * greys).T),
        png_of_palette(numbers, greys),
    ):
        found = image.parse(content, "grey palette")
        assert np.array_equal(found.counts, 255 - numbers)
        assert found.bits == 8
        assert "a palette" in next(one for one in found.findings if one.code == "GP-A118").message
    ramp = np.arange(256, dtype=np.uint16)[:, None] * np.array([257, 0, 0], np.uint16)
    red = image.parse(tiff(numbers, photometric="palette", colormap=ramp.T), "red palette")
    assert np.array_equal(red.counts, numbers)
    assert "red" in said(red).message


def test_a_palette_of_16_bits_keeps_them():
    ramp = (np.arange(256) * 200).astype(np.uint16)
    found = image.parse(tiff(picture(), photometric="palette", colormap=np.stack([ramp] * 3)), "a.tif")
    assert found.bits == 16
    assert np.array_equal(found.counts, ramp[picture()])


def test_a_last_channel_with_a_picture_of_its_own_is_not_dropped():
    two = np.stack([picture(1, 40), picture(2, 90)], axis=-1)
    with pytest.raises(InputError, match="GP-A113"):
        image.parse(tiff(two, photometric="minisblack", planarconfig="contig"), "two.tif")


def test_a_channel_of_a_grey_picture_is_not_needed_and_said():
    found = image.parse(tiff(picture()), "a.tif", channel="red")
    assert "not needed" in said(found).message
