"""Workbooks as tests need them: sheets of text and numbers, shown or hidden."""

from __future__ import annotations

import io
import zipfile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
HIDDEN = ' state="hidden"'
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def workbook(hidden=(), **sheets):
    """A workbook of sheets by name, each a list of rows of text and numbers."""
    packed = io.BytesIO()
    names = list(sheets)
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.'
            'openxmlformats-package.relationships+xml"/><Default Extension="xml" '
            'ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}"/></Types>',
        )
        link = '<Relationship Id="r{0}" Target="{1}" Type="' + OFFICE + '/{2}"/>'
        links = "".join(link.format(n, f"worksheets/sheet{n}.xml", "worksheet") for n in range(len(names)))
        for place, text in (
            ("_rels/.rels", link.format(0, "xl/workbook.xml", "officeDocument")),
            ("xl/_rels/workbook.xml.rels", links),
        ):
            book.writestr(place, f'<Relationships xmlns="{PACKAGE}/relationships">{text}</Relationships>')
        listed = "".join(
            f'<sheet name="{name}" sheetId="{n + 1}" r:id="r{n}"{HIDDEN if name in hidden else ""}/>'
            for n, name in enumerate(names)
        )
        book.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>',
        )
        for n, rows in enumerate(sheets.values()):
            book.writestr(
                f"xl/worksheets/sheet{n}.xml",
                f'<worksheet xmlns="{MAIN}"><sheetData>{_rows(rows)}</sheetData></worksheet>',
            )
    return packed.getvalue()


def _rows(rows):
    return "".join(
        f'<row r="{i}">'
        + "".join(_cell(f"{chr(65 + j)}{i}", value) for j, value in enumerate(row))
        + "</row>"
        for i, row in enumerate(rows, start=1)
    )


def _cell(place, value):
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>' if value else ""
    return f'<c r="{place}"><v>{value}</v></c>'
