"""Tables of GraphPad Prism's XML files (pzfx) as rows of text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

__all__ = ["MARK", "ROOT", "tables"]

ROOT = "GraphPadPrismFile"
MARK = b"<GraphPadPrismFile"
# What the subcolumns of a data set hold, by the table's format; else replicates.
FORMATS = {
    "SDN": ("mean", "SD", "N"),
    "SEN": ("mean", "SEM", "N"),
    "CVN": ("mean", "CV", "N"),
    "SD": ("mean", "SD"),
    "SE": ("mean", "SEM"),
    "CV": ("mean", "CV"),
}
Node = list[Any]


def tables(found: dict[str, Any]) -> list[tuple[str, list[tuple[str, ...]], int]]:
    """Title and rows of every table, the header first; excluded values are empty cells, and are counted.

    found: the tree that `boundary.markup` gives.
    """
    every = [(_title(one), _rows(one), _excluded(one)) for one in _all(found["tree"], "Table", "HugeTable")]
    return [one for one in every if len(one[1]) > 1]


def _rows(table: Node) -> list[tuple[str, ...]]:
    formats = FORMATS.get(table[1].get("YFormat", ""), ())
    columns: list[tuple[str, list[str]]] = []
    for column in table[3]:
        kind, title = column[0], _title(column)
        parts = [_cells(part) for part in _all(column, "Subcolumn")]
        if kind == "RowTitlesColumn":
            columns += [("row", part) for part in parts]
        elif kind in ("XColumn", "XAdvancedColumn"):
            # Only the first subcolumn is X; a second one is its error.
            if not any(name == (title or "X") for name, _ in columns):
                columns += [(title or "X", part) for part in parts[:1]]
        elif kind == "YColumn":
            for nth, part in enumerate(parts):
                of = formats[nth] if nth < len(formats) else "" if nth == 0 else f"#{nth + 1}"
                columns.append((f"{title or 'Y'} {of}".strip(), part))
    columns = [(name, part) for name, part in columns if any(part)]
    if not columns:
        return []
    return [
        tuple(name for name, _ in columns),
        *zip_longest(*(part for _, part in columns), fillvalue=""),
    ]


def _excluded(node: Node) -> int:
    """Values that were excluded in Prism, anywhere below a node."""
    own = node[0] == "d" and node[1].get("Excluded") == "1" and bool(_text(node).strip())
    return int(own) + sum(_excluded(child) for child in node[3])


def _cells(subcolumn: Node) -> list[str]:
    return ["" if cell[1].get("Excluded") == "1" else _text(cell).strip() for cell in _all(subcolumn, "d")]


def _title(node: Node) -> str:
    return next((" ".join(_text(title).split()) for title in _all(node, "Title")), "")


def _text(node: Node) -> str:
    return str(node[2]) + "".join(_text(child) for child in node[3])


def _all(node: Node, *names: str) -> Iterator[Node]:
    return (child for child in node[3] if child[0] in names)
