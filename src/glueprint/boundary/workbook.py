"""Calamine, called where it may crash: the first sheet of a workbook as rows of text."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, ZipError

__all__ = ["first_sheet", "prepare"]


def first_sheet(content: bytes, options: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The rows of the first sheet, all of the same length, or why there are none.

    options: most_cells of the sheet, most_bytes of the unpacked files.
    Returns {"rows": ...}, {"large": in words} or {"unreadable": reason}, and nothing beside.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(entry.file_size for entry in packed.infolist())
        if unpacked > options["most_bytes"]:
            return {"large": f"{unpacked} bytes when unpacked"}, b""
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
        if sheet.height * sheet.width > options["most_cells"]:
            return {"large": f"a sheet of {sheet.height} by {sheet.width} cells"}, b""
        rows = sheet.to_python(skip_empty_area=False)
    except (CalamineError, ZipError, zipfile.BadZipFile, OSError, ValueError, IndexError) as error:
        return {"unreadable": str(error)}, b""
    return {"rows": [[str(cell).strip() for cell in row] for row in rows if row]}, b""


def prepare() -> None:
    """Open something, so that all that is loaded at first use is loaded."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("a", "a")
    first_sheet(packed.getvalue(), {"most_cells": 1, "most_bytes": 10})
