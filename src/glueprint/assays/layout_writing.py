"""Layouts written: as a layout file in TOML that people read, or as a table in a workbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from glueprint.assays import layout_file
from glueprint.assays.plate import row_letters, well_place
from glueprint.assays.wells import CONTENT, Layout
from glueprint.documents import quoted
from glueprint.runs import workbooks

__all__ = ["ASSAY", "ASSAY_HEAD", "USUAL", "text", "workbook"]

USUAL: Mapping[str, Any] = {"dilution": 1.0}
# Sheet of a workbook with the numbers that hold for the whole plate, and its heads.
ASSAY, ASSAY_HEAD = "assay", ("quantity", "value")


def text(layout: Layout, *, name: str = "") -> str:
    """A layout as a layout file: one [[well]] for wells that hold the same; reading it gives the same table.

    name: of the layout, "" for none.
    Raises what `layout.parse` raises if the text would not be a layout, as for one without wells.
    """
    head = [f'kind = "{layout_file.KIND}"', "version = 1"]
    head += [f"name = {quoted(name)}"] if name else []
    head += [f"plate_wells = {layout.size}"] if layout.size else []
    head += ["adds = true"] if layout.adds else []
    if layout.assay:
        head += ["", "[assay]", *(f"{quoted(key)} = {value!r}" for key, value in layout.assay.items())]
    groups: dict[tuple[tuple[str, Any], ...], list[str]] = {}
    for row in layout.table.to_dicts():
        content = tuple((key, value) for key, value in row.items() if key != "well" and _is_said(key, value))
        groups.setdefault(content, []).append(row["well"])
    blocks = [_block(dict(content), wells) for content, wells in groups.items()]
    written = "\n".join([*head, *blocks, ""])
    layout_file.parse(written, layout.source or "layout")
    return written


def workbook(layout: Layout) -> bytes:
    """A layout as xlsx: a sheet with one line a well, and one with the numbers of the whole plate.

    Text stands as cells of text, which no spreadsheet computes. Read again, a well that has a sample or a
    dose and no role gets the role that these say, and what the plate's own file says is kept beside it.
    """
    told = [
        name
        for name in layout.table.columns
        if name in ("well", "role") or any(_is_said(name, value) for value in layout.table[name].to_list())
    ]
    sheets = {"layout": layout.table.select(told)}
    if layout.assay:
        rows = [(name, float(value)) for name, value in layout.assay.items()]
        schema = dict(zip(ASSAY_HEAD, (pl.String, pl.Float64), strict=True))
        sheets[ASSAY] = pl.DataFrame(rows, schema=schema, orient="row")
    return workbooks.workbook(sheets)


def _is_said(name: str, value: Any) -> bool:
    return value is not None and value not in ("", USUAL.get(name))


def _block(content: dict[str, Any], wells: Sequence[str]) -> str:
    lines = ["", "[[well]]", f'wells = "{", ".join(_runs(wells))}"']
    own = {name: value for name, value in content.items() if name not in ("plate", *CONTENT)}
    for name, value in content.items():
        if name not in own:
            lines.append(f"{name} = {quoted(value) if isinstance(value, str) else repr(float(value))}")
    if own:
        lines.append("extra = { " + ", ".join(f"{quoted(k)} = {quoted(v)}" for k, v in own.items()) + " }")
    return "\n".join(lines)


def _runs(wells: Sequence[str]) -> list[str]:
    """Wells side by side as "A1:A6"."""
    places = sorted(map(well_place, wells))
    found: list[list[tuple[int, int]]] = []
    for row, column in places:
        if found and found[-1][1] == (row, column - 1):
            found[-1][1] = (row, column)
        else:
            found.append([(row, column), (row, column)])
    names = [[f"{row_letters(row)}{column + 1}" for row, column in ends] for ends in found]
    return [first if first == last else f"{first}:{last}" for first, last in names]
