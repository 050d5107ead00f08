"""Tables as a workbook: values without styles, which is all that a table needs.

ISO/IEC 29500-1 (SpreadsheetML) says far more; 70 lines of it are what Excel, LibreOffice and calamine read.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape

import polars as pl

from glueprint.boundary import inert

__all__ = ["MEDIA_TYPE", "MOST_ROWS", "kind_of", "quiet", "workbook"]

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Of SpreadsheetML as Excel reads it.
MOST_ROWS, LONGEST_CELL, LONGEST_NAME = 1_048_576, 32_767, 31
NOT_IN_NAMES = re.compile(r"[\\/?*\[\]:]")
# XML 1.0 has no way to write these; one of them would make the whole workbook unreadable.
NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
SHEETS = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
QUOTE, ENTITY = '"', "&quot;"
# A fixed time in the archive, so that equal tables give equal bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)


def workbook(tables: Mapping[str, pl.DataFrame]) -> bytes:
    """Tables as one xlsx file, a sheet each in their order; equal tables give equal bytes.

    tables: by name, of which a sheet keeps what it can hold, each other than the others.   Numbers are
    written to their last digit; of tables that are `quiet`, a spreadsheet computes no cell.
    Source: ISO/IEC 29500-1 (SpreadsheetML), the least of it that readers need.

    >>> workbook({"a": pl.DataFrame({"x": [1.5]})})[:2]
    b'PK'
    """
    packed = io.BytesIO()
    places = [f"worksheets/sheet{number}.xml" for number in range(1, len(tables) + 1)]
    sheets = "".join(
        f'<sheet name="{escape(name, {QUOTE: ENTITY})}" sheetId="{number}" r:id="r{number}"/>'
        for number, name in enumerate(_names(tables), start=1)
    )
    parts = "".join(
        f'<Override PartName="/xl/{place}" ContentType="{SHEETS}.worksheet+xml"/>' for place in places
    )
    links = "".join(
        f'<Relationship Id="r{number}" Type="{OFFICE}/worksheet" Target="{place}"/>'
        for number, place in enumerate(places, start=1)
    )
    files = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override '
        f'PartName="/xl/workbook.xml" ContentType="{SHEETS}.sheet.main+xml"/>{parts}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{sheets}</sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{links}'
        "</Relationships>",
        **{f"xl/{place}": _sheet(table) for place, table in zip(places, tables.values(), strict=True)},
    }
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in files.items():
            book.writestr(zipfile.ZipInfo(name, EPOCH), HEAD + text, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _sheet(table: pl.DataFrame) -> str:
    makers = [_maker(dtype) for dtype in table.dtypes]
    rows = ["".join(_text(name) for name in table.columns)]
    rows += [
        "".join("<c/>" if cell is None else maker(cell) for maker, cell in zip(makers, row, strict=True))
        for row in table.iter_rows()
    ]
    body = "".join(f"<row>{row}</row>" for row in rows)
    return f'<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>'


def _maker(dtype: pl.DataType) -> Callable[[Any], str]:
    kind = kind_of(dtype)
    if kind == "text":
        return _text
    if kind == "true or false":
        return lambda flag: f'<c t="b"><v>{int(flag)}</v></c>'
    return _number


def _number(number: float) -> str:
    return f"<c><v>{number!r}</v></c>" if math.isfinite(number) else _text(str(number))


def _text(text: str) -> str:
    shown = escape(NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", text[:LONGEST_CELL]))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{shown}</t></is></c>'


def quiet(table: pl.DataFrame) -> pl.DataFrame:
    """The table with lists as text, and an apostrophe before every text that a spreadsheet would compute."""
    lists = [name for name, kind in table.schema.items() if isinstance(kind, pl.List)]
    flat = table.with_columns(pl.col(name).cast(pl.List(pl.String)).list.join("; ") for name in lists)
    texts = pl.col(pl.String).map_elements(inert, return_dtype=pl.String)
    return flat.with_columns(texts) if flat.height else flat


def kind_of(dtype: pl.DataType) -> str:
    """What a column holds, in words: whole number, number, true or false, text."""
    if dtype.is_integer():
        return "whole number"
    if dtype.is_numeric():
        return "number"
    return "true or false" if dtype == pl.Boolean else "text"


def _names(tables: Iterable[str]) -> list[str]:
    """Names of sheets: short enough, without signs that none may have, each once whatever its case."""
    found: list[str] = []
    for name in tables:
        whole = NOT_IN_XML.sub("_", NOT_IN_NAMES.sub("_", name)) or "table"
        plain = whole[:LONGEST_NAME]
        taken, number = {one.lower() for one in found}, 1
        while plain.lower() in taken:
            number += 1
            ending = f" {number}"
            plain = whole[: LONGEST_NAME - len(ending)] + ending
        found.append(plain)
    return found
