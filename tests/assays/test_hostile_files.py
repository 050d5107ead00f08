"""Workbooks and images that are made to crash, hang or fill the memory of who opens them."""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
import zlib

import numpy as np
import pytest
import tifffile

from glueprint.assays import readers
from glueprint.assays.blot import image
from glueprint.assays.intake import sheets
from glueprint.errors import InputError

TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
    'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.'
    'openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Target="{1}" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
    'relationships/{0}"/></Relationships>'
)
BOOK = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.'
    'openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="a" sheetId="1" r:id="r1"/>'
    "</sheets></workbook>"
)
SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}'
    "</sheetData></worksheet>"
)


def workbook(rows):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("[Content_Types].xml", TYPES)
        book.writestr("_rels/.rels", RELATIONS.format("officeDocument", "xl/workbook.xml"))
        book.writestr("xl/workbook.xml", BOOK)
        book.writestr("xl/_rels/workbook.xml.rels", RELATIONS.format("worksheet", "worksheets/sheet1.xml"))
        book.writestr("xl/worksheets/sheet1.xml", SHEET.format(rows))
    return packed.getvalue()


def cell(place, value):
    number = "".join(letter for letter in place if letter.isdigit())
    return f'<row r="{number}"><c r="{place}"><v>{value}</v></c></row>'


CORNER = workbook(cell("A1", 1) + cell("XFD1048576", 1))
ROWS = "".join(f"<row r='{n}'><c r='A{n}'><v>1</v></c></row>" for n in range(1, 200_001))
LONG = workbook(ROWS + cell("ZZ200001", 1))


@pytest.mark.parametrize("content", [CORNER, LONG, CORNER[:700], b"PK\x03\x04" + b"\x00" * 100])
def test_a_workbook_that_is_a_bomb_is_no_table(content):
    with pytest.raises(InputError, match="GP-A002"):
        readers.parse(content, "a.xlsx", "magellan")
    with pytest.raises(InputError, match="GP-A002"):  # and the next is read as well as ever
        readers.parse(workbook(cell("A1", 1)), "a.xlsx", "magellan")


def test_a_workbook_is_read_where_no_file_can_be_opened():
    helper = sheets._helper("glueprint.boundary.workbook:sheet")
    found, _ = helper.ask(workbook(cell("B2", 7)), {"most_cells": 10, "most_bytes": 10_000})
    assert found.pop("marks") == {"rows": [], "columns": [], "struck": [], "formulas": []}
    assert found == {"rows": [["", ""], ["", "7"]], "sheet": "a", "sheets": ["a"]}


def test_a_workbook_that_unpacks_to_too_much_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(sheets, "MOST_UNPACKED", 100_000)
    with pytest.raises(InputError, match="GP-A002") as caught:
        readers.parse(workbook(" " * 200_000), "a.xlsx", "magellan")
    assert "when unpacked" in str(caught.value)


def endless_tiff():
    """A page whose next page is itself."""
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.zeros((32, 32), np.uint16))
    content = bytearray(stream.getvalue())
    first = struct.unpack("<I", content[4:8])[0]
    tags = struct.unpack("<H", content[first : first + 2])[0]
    place = first + 2 + 12 * tags
    content[place : place + 4] = struct.pack("<I", first)
    return bytes(content)


def packed_tiff():
    """64 by 64 pixels that unpack to a tile of 40,000 by 40,000, in 200 kB."""
    data = zlib.compress(b"\x00" * 10**8, 9)
    tags = [
        (256, 4, 64),
        (257, 4, 64),
        (258, 3, 16),
        (259, 3, 8),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, 64),
    ]
    tags.append((279, 4, len(data)))
    table = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    head = b"II*\x00" + struct.pack("<I", 8 + len(data))
    return head + data + struct.pack("<H", len(tags)) + table + b"\x00" * 4


def test_pages_in_a_circle_are_damage():
    with pytest.raises(InputError, match="GP-A111") as caught:
        image.parse(endless_tiff(), "a.tif")
    assert "circle" in str(caught.value)


def test_pixels_that_unpack_to_more_than_they_say_are_cut_or_refused():
    with contextlib.suppress(InputError):
        assert image.parse(packed_tiff(), "a.tif").counts.size <= 64 * 64
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.full((32, 32), 7, np.uint16))
    found = image.parse(stream.getvalue(), "a.tif")
    assert (found.counts == 7).all()
    found.counts[0, 0] = 8  # ours to change
