"""Tables drawn like a plate: a line that numbers the columns, then lines that begin with the row's letter."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from glueprint.assays.plate import SIZES
from glueprint.assays.readers.gather import incomplete

__all__ = ["check_size", "columns_of", "numbered"]


def columns_of(cells: Sequence[str], *, before: int = 1) -> int:
    """How many columns a line numbers from 1 on, after `before` other cells; 0 if it does not."""
    count = 0
    for text in cells[before:]:
        if text.strip() != str(count + 1):
            break
        count += 1
    rest = any(text.strip() for text in cells[before + count :])
    return 0 if rest or cells[0].strip() else count


def numbered(cells: Sequence[str]) -> list[int]:
    """The columns that a line numbers, rising by one; two at least, unless it is the first; [] if it does
    not."""
    texts = [text.strip() for text in cells]
    numbers = [int(text) for text in texts[1:] if text.isascii() and text.isdigit() and len(text) < 3]
    whole = texts[0] == "" and len(numbers) == sum(map(bool, texts))
    rising = all(after == before + 1 for before, after in pairwise(numbers))
    return numbers if whole and rising and (len(numbers) > 1 or numbers == [1]) else []


def check_size(rows: int, columns: int, where: str) -> None:
    """Raises InputError GP-A015 unless a plate has that many rows and columns."""
    if (rows, columns) not in SIZES.values():
        raise incomplete(where, f"a table of {rows} rows and {columns} columns is no whole plate")
