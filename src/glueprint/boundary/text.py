"""Text of somebody else's: one rule for encodings, zero bytes and what a terminal would obey."""

from __future__ import annotations

import re

__all__ = ["decoded", "in_json", "shown"]

UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# Controls (C0, C1) and marks that turn the direction of text: a terminal obeys them and does not show them.
OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def decoded(content: bytes) -> str:
    """The text of a file in UTF-8, with its mark (as Notepad writes it) or without, or in UTF-16 with one.

    Raises ValueError, with the reason, for anything else, and for text with zero bytes: what follows them
    would be lost in libraries written in C.
    """
    name, encoding = ("UTF-16", "utf-16") if content[:2] in UTF_16 else ("UTF-8", "utf-8-sig")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        raise ValueError(f"not {name} text (line {row}: {error.reason})") from error
    if "\x00" in text:
        raise ValueError(f"not text: a zero byte in line {text[: text.index(chr(0))].count(chr(10)) + 1}")
    return text


def shown(text: str) -> str:
    """`text` with what a terminal would obey written out, such as \\x1b; tabs and line feeds stay."""
    return OBEYED.sub(_written_out, text)


def in_json(text: str) -> str:
    """JSON with the same characters escaped as JSON does it; between values there are none."""
    return OBEYED.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _written_out(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
