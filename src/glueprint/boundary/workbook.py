"""Calamine, called where it may crash: a sheet of a workbook as rows of text."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum, ZipError

from glueprint.boundary.workbook_marks import marks

__all__ = ["prepare", "sheet"]


def sheet(content: bytes, options: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The rows of a sheet, all of the same length, or why there are none.

    options: sheet, its name (None: the first that holds anything, a hidden one last); most_cells of it,
    most_bytes of the
    unpacked
    files.
    Returns {"rows", "sheet", "sheets": names of all, "marks": as `workbook_marks.marks`}, {"large": in
    words}, {"unknown": names} or {"unreadable": reason}, and nothing beside.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(entry.file_size for entry in packed.infolist())
        if unpacked > options["most_bytes"]:
            return {"large": f"{unpacked} bytes when unpacked"}, b""
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names, wanted = list(book.sheet_names), options.get("sheet")
        if wanted is not None and wanted not in names:
            return {"unknown": names}, b""
        rows: list[list[Any]] = []
        hidden = {one.name for one in book.sheets_metadata if one.visible != SheetVisibleEnum.Visible}
        for name in sorted(names, key=hidden.__contains__) if wanted is None else [wanted]:
            found = book.get_sheet_by_name(name)
            if found.height * found.width > options["most_cells"]:
                return {"large": f"a sheet of {found.height} by {found.width} cells"}, b""
            rows, wanted = found.to_python(skip_empty_area=False), name
            if any(cell != "" for row in rows for cell in row):
                break
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            marked = marks(packed, wanted or "")
    except (CalamineError, ZipError, zipfile.BadZipFile, OSError, ValueError, LookupError) as error:
        return {"unreadable": str(error)}, b""
    texts = [[_text(cell) for cell in row] for row in rows if row]
    return {"rows": texts, "sheet": wanted or "", "sheets": names, "marks": marked}, b""


def _text(cell: object) -> str:
    """A cell as text; a workbook holds every number as a fraction, so that 1 is 1.0 there."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell).strip()


def prepare() -> None:
    """Open something, so that all that is loaded at first use is loaded."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("a", "a")
    sheet(packed.getvalue(), {"most_cells": 1, "most_bytes": 10})
