"""Tables that fit: columns that wrap between words, and in blocks where the terminal is too narrow."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.table import Table

from glueprint.boundary import inert

__all__ = ["as_csv", "as_markdown", "blocks", "drawn"]

Row = Sequence[str]
# What a border and its spaces add to each column, and the last border.
BORDER = 3
# A single word that is longer, such as a SMILES or a path, may be broken where there is no room for it.
LONGEST_WORD = 28


def drawn(title: str, columns: Row, rows: Sequence[Row], width: int) -> Iterator[Table]:
    """Tables for a terminal of `width` cells; each block after the first repeats the first column."""
    for place, (numbers, widths) in enumerate(blocks(columns, rows, width)):
        table = Table(
            title=title if place == 0 else f"{title}, continued".removeprefix(", "),
            title_justify="left",
            title_style="bold",
            header_style="bold",
        )
        for number, size in zip(numbers, widths, strict=True):
            table.add_column(columns[number], overflow="fold", width=size)
        for row in rows:
            table.add_row(*[row[number] for number in numbers])
        yield table


def blocks(columns: Row, rows: Sequence[Row], width: int) -> list[tuple[list[int], list[int]]]:
    """Which columns stand beside each other, and how wide each is.

    columns, rows: the cells as text.   width: of the terminal, in cells.
    """
    cells = [[head, *(row[number] for row in rows)] for number, head in enumerate(columns)]
    least = [min(max(map(_longest_word, column)), LONGEST_WORD, width - BORDER - 1) for column in cells]
    natural = [max(map(_longest_line, column)) for column in cells]
    groups: list[list[int]] = [[]]
    for number in range(len(columns)):
        if _taken([least[other] for other in (*groups[-1], number)]) > width and len(groups[-1]) > 1:
            groups.append([0])
        groups[-1].append(number)
    return [(group, _widths(group, least, natural, width)) for group in groups if group]


def _widths(group: list[int], least: list[int], natural: list[int], width: int) -> list[int]:
    """The least that each column needs, and of what is left a share of what it lacks."""
    lacks = [max(natural[number] - least[number], 0) for number in group]
    left = width - _taken([least[number] for number in group])
    share = min(1.0, max(left, 0) / sum(lacks)) if sum(lacks) else 0.0
    return [max(least[number] + int(share * lack), 1) for number, lack in zip(group, lacks, strict=True)]


def _taken(widths: Sequence[int]) -> int:
    return sum(widths) + BORDER * len(widths) + 1


def _longest_word(text: str) -> int:
    return max(map(cell_len, text.split()), default=0)


def _longest_line(text: str) -> int:
    return max(map(cell_len, text.splitlines()), default=0)


def as_csv(columns: Row, rows: Sequence[Row], *, keep_formulas: bool) -> str:
    """The table as CSV; text that a spreadsheet would compute gets an apostrophe unless it is to be kept."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in (columns, *rows):
        writer.writerow(row if keep_formulas else map(inert, row))
    return text.getvalue()


def as_markdown(title: str, columns: Row, rows: Sequence[Row]) -> str:
    """The table as Markdown knows it, with its title in bold."""
    lines = [f"**{_escaped(title)}**", ""] if title else []
    lines += [_line(columns), _line(["---"] * len(columns)), *map(_line, rows)]
    return "\n".join(lines) + "\n"


def _line(cells: Row) -> str:
    return f"| {' | '.join(map(_escaped, cells))} |"


def _escaped(text: str) -> str:
    return " ".join(text.replace("\\", "\\\\").replace("|", "\\|").split())
