"""Tables drawn like a plate: a line that numbers the columns, then lines that begin with the row's letter."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from glueprint.assays.plate import SIZES, row_letters

__all__ = ["LETTERS", "is_cut", "numbered"]

LETTERS = {row_letters(row): row for row in range(32)}
# As wide as a whole plate of many wells: fewer rows than it has at the end of a file are a broken file.
WHOLE_WIDTHS = (12, 24, 48)


def numbered(cells: Sequence[str]) -> list[int]:
    """The columns that a line numbers, rising by one: two at least, or the first; [] if it does not."""
    texts = [text.strip() for text in cells]
    numbers = [int(text) for text in texts[1:] if text.isascii() and text.isdigit() and len(text) < 3]
    whole = texts[0] == "" and len(numbers) == sum(map(bool, texts))
    rising = all(after == before + 1 for before, after in pairwise(numbers))
    return numbers if whole and rising and (len(numbers) > 1 or numbers == [1]) else []


def is_cut(letters: Sequence[str], columns: Sequence[int], *, follows: bool) -> bool:
    """Whether a table of these rows and columns looks broken off.

    It has no rows, or those of no plate, is as wide as a whole one, and nothing `follows`. A part of a plate
    has fewer columns, or more of the file after it.
    """
    if not letters:
        return True
    whole = (len(letters), len(columns)) in SIZES.values() and letters[-1] == row_letters(len(letters) - 1)
    return not whole and not follows and columns[0] == 1 and columns[-1] in WHOLE_WIDTHS
