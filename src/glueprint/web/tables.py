"""Tables for spreadsheets: CSV that none of them computes, and several files as one zip."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import polars as pl

from glueprint.boundary import inert
from glueprint.runs.workbooks import quiet

__all__ = ["csv", "packed"]

EPOCH = (1980, 1, 1, 0, 0, 0)  # so that equal tables give equal bytes


def csv(table: pl.DataFrame) -> str:
    """A table as CSV, lists as text, and an apostrophe before every text that begins like a formula."""
    return quiet(table).rename({name: inert(name) for name in table.columns}).write_csv()


def packed(files: Mapping[str, bytes]) -> bytes:
    """Files by name as one zip."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, file in files.items():
            pack.writestr(zipfile.ZipInfo(name, EPOCH), file, zipfile.ZIP_DEFLATED)
    return content.getvalue()
