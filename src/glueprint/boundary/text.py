"""Text of somebody else's: one rule for encodings, zero bytes and what a terminal would obey."""

from __future__ import annotations

import re
from contextlib import suppress

__all__ = ["decoded", "decoded_anyhow", "in_json", "shown"]

UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# Controls (C0, C1) and marks that turn the direction of text: a terminal obeys them and does not show them.
WINDOWS = [bytes([n]).decode("cp1252", "ignore") or chr(n) for n in range(256)]
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


def decoded_anyhow(content: bytes) -> tuple[str, str]:
    """The text of a file that a program or spreadsheet exported, and its encoding: as `decoded`, or UTF-16
    without
    its mark, or Windows-1252.

    Raises ValueError, with the reason, for text that begins as UTF-16 and is not, and for zero bytes.
    """
    if content[:2] in UTF_16:
        return decoded(content), "UTF-16"
    for encoding, zeros in (("utf-16-le", content[1::2]), ("utf-16-be", content[::2])):
        # ASCII in UTF-16 has a zero byte in every pair; other text has none at all.
        if len(content) > 3 and zeros.count(0) > 0.7 * len(zeros):
            with suppress(UnicodeDecodeError):
                return content.decode(encoding), "UTF-16 without its mark"
    if b"\x00" in content:
        raise ValueError(f"not text: a zero byte in line {content[: content.index(0)].count(10) + 1}")
    try:
        return content.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        # The five bytes that Windows-1252 does not define become what Latin-1 has there.
        return "".join(map(WINDOWS.__getitem__, content)), "Windows-1252"


def shown(text: str) -> str:
    """`text` with what a terminal would obey written out, such as \\x1b; tabs and line feeds stay."""
    return OBEYED.sub(_written_out, text)


def in_json(text: str) -> str:
    """JSON with the same characters escaped as JSON does it; between values there are none."""
    return OBEYED.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _written_out(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
