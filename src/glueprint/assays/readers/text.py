"""What text readers share: bytes to lines, cells to numbers or flags, and the findings that come of it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from glueprint.assays.findings import Finding
from glueprint.assays.plate import MASKED
from glueprint.boundary import decoded_anyhow
from glueprint.errors import InputError

__all__ = [
    "ABOVE",
    "BELOW",
    "MISSING",
    "Cell",
    "cell",
    "decode",
    "looks_measured",
    "not_a_table",
    "number",
    "peek",
    "short",
]

ABOVE, BELOW, MISSING = "above_range", "below_range", "missing"
# What readers and their programs print in place of a number, in capitals without outer signs.
TOKENS = {
    "OVRFLW": ABOVE,
    "OVERFLOW": ABOVE,
    "OVER": ABOVE,
    "OVR": ABOVE,
    "SAT": ABOVE,
    "SATURATED": ABOVE,
    "+++": ABOVE,
    "#SAT": ABOVE,
    "*SAT*": ABOVE,
    "UNDRFLW": BELOW,
    "UNDERFLOW": BELOW,
    "UNDER": BELOW,
    "---": BELOW,
    "MISSED": MISSING,
    "MASKED": MASKED,
    "EMPTY": MISSING,
    "N/A": MISSING,
    "NA": MISSING,
    "NAN": MISSING,
    "-": MISSING,
}
QUESTION = re.compile(r"\?+")
ROW = re.compile(r"[A-Z]|A[A-F]")
RANGE_SIGN = re.compile(r"([<>])\s*\S*")
COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
# A token may be any text; more of it than this says nothing.
TOKEN_LENGTH = 40
# A line of a plate with 1536 wells and a time course has fewer characters.
LINE_LENGTH = 1_000_000


class Cell(NamedTuple):
    """A cell of a table: a number, or the flag that says why there is none."""

    value: float | None
    flag: str = ""


def cell(text: str, where: str) -> Cell:
    """The number in a cell, or the flag of what stands there instead ("missing" for an empty one).

    Raises InputError GP-A005 for a decimal comma: it could mean thousands.
    """
    plain = text.strip()
    if not plain:
        return Cell(None, MISSING)
    try:
        value = float(plain) if "_" not in plain else math.nan
    except ValueError:
        value = math.nan
    if math.isfinite(value):
        return Cell(value)
    if COMMA_NUMBER.fullmatch(plain):
        raise _decimal_comma(plain, where)
    known = TOKENS.get(plain.upper().rstrip("!"))
    if known:
        return Cell(None, known)
    sign = RANGE_SIGN.fullmatch(plain)
    if sign:
        return Cell(None, ABOVE if sign[1] == ">" else BELOW)
    return Cell(None, f"error: {plain[:TOKEN_LENGTH]}")


def number(text: str, where: str, *, empty: bool = False) -> float | None:
    """The finite number that a cell holds; None for an empty cell if `empty` allows it.

    Raises InputError GP-A005 for a decimal comma, GP-A004 for anything else that is no number.
    """
    found = cell(text, where)
    if found.value is not None:
        return found.value
    if empty and not text.strip():
        return None
    raise InputError(
        "GP-A004",
        f'"{text.strip()[:TOKEN_LENGTH]}" is not a number',
        where=where,
        expected="a finite number, or an empty cell where nothing was measured",
        next_step="correct the cell, or empty it to leave the well out",
    )


def decode(content: bytes, source: str) -> tuple[str, list[Finding]]:
    """The text of a file in UTF-8, UTF-16 or else Windows-1252, which a finding says.

    Raises InputError GP-A002 if the file is empty or not text, GP-A022 if a line is too long for any plate.
    """
    if not content.strip(b"\x00\r\n\t \xef\xbb\xbf\xff\xfe"):
        raise not_a_table(source, "is empty")
    text, findings = _text(content, source)
    longest = max(map(len, text.splitlines()), default=0)
    if longest > LINE_LENGTH:
        raise InputError(
            "GP-A022",
            f"a line has {longest} characters",
            where=source,
            expected=f"at most {LINE_LENGTH}, more than any plate needs",
            next_step="check that the file is a plate reader's export",
        )
    return text, findings


def _text(content: bytes, source: str) -> tuple[str, list[Finding]]:
    try:
        text, encoding = decoded_anyhow(content)
    except ValueError as error:
        raise not_a_table(source, str(error)) from error
    if encoding != "Windows-1252":
        return text, []
    place = next(nth for nth, byte in enumerate(content) if byte > 127)
    note = Finding(
        "GP-A021",
        "note",
        f"not UTF-8 (byte {content[place]:#04x}), read as Windows-1252",
        where=f"{source} row {content[:place].count(10) + 1}",
        expected="UTF-8 or UTF-16",
        next_step="check names with special characters; numbers are not affected",
    )
    return text, [note]


def peek(head: bytes) -> str:
    """The beginning of a file as text, as well as it goes: for looking, not for reading."""
    if head[:2] == b"\xff\xfe" or (head[1:2] == b"\0" and head[3:4] == b"\0"):
        return head.removeprefix(b"\xff\xfe").decode("utf-16-le", "replace")
    if head[:2] == b"\xfe\xff" or (head[:1] == b"\0" and head[2:3] == b"\0"):
        return head.removeprefix(b"\xfe\xff").decode("utf-16-be", "replace")
    return head.removeprefix(b"\xef\xbb\xbf").decode("latin-1")


def not_a_table(where: str, what: str) -> InputError:
    """The error for a file that no table can be read from."""
    return InputError(
        "GP-A002",
        what,
        where=where,
        expected="a text file with a table of wells",
        next_step="compare with the examples in docs/assays.md",
    )


def _decimal_comma(text: str, where: str) -> InputError:
    return InputError(
        "GP-A005",
        f'"{text}" has a decimal comma',
        where=where,
        expected='a decimal point, as in "1.25"',
        next_step="export with decimal points; a comma could also mean thousands, so it is not guessed",
    )


def looks_measured(cells: Sequence[str]) -> bool:
    """Whether a line begins with the letter of a row and goes on with numbers: losing it would lose wells."""
    numbers = sum(item.strip().lstrip("+-")[:1].isdigit() for item in cells[1:])
    return bool(ROW.fullmatch(cells[0].strip())) and numbers > 1


def short(items: Iterable[str], *, most: int = 8) -> str:
    """The first few of many names, and how many there are beyond."""
    names = list(items)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
