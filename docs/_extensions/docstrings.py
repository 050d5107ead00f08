"""Docstrings of the house as reStructuredText: arguments as a list, and no character taken for markup.

A docstring is a sentence, then `name: what it is.   other: what that is.` with shapes and units, then lines
that begin with Returns, Raises or Source.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["rendered"]

HEADS = ("Returns", "Raises", "Source:")
# Three blanks or more part one argument from the next; a line may begin with one, too.
ARGUMENT = re.compile(r"(?:^|(?<=\s\s\s))\*{0,2}([a-z_][\w]*(?:, \*{0,2}[a-z_]\w*)*): ", re.MULTILINE)
CODE = re.compile(r"(``?[^`]+``?)")
SPECIAL = re.compile(r"([*|_\\])")


def rendered(lines: Iterable[str], names: Iterable[str] = ()) -> list[str]:
    """The lines of a docstring as reStructuredText.

    names: of the arguments or fields; what is no such name before a colon is left in the text.
    """
    known = set(names)
    done: list[str] = []
    for paragraph in re.split(r"\n[ \t]*\n", "\n".join(lines).strip()):
        for part in _parts(paragraph):
            done += [*_listed(part, known), ""]
    return done


def _parts(paragraph: str) -> list[str]:
    """A paragraph, parted where a line begins with a head word."""
    parts: list[str] = []
    for line in paragraph.split("\n"):
        if parts and not line.startswith(HEADS):
            parts[-1] += "\n" + line
        else:
            parts.append(line)
    return parts


def _listed(part: str, known: set[str]) -> list[str]:
    """A part as a list of arguments where it names them, else as one paragraph."""
    marks = [mark for mark in ARGUMENT.finditer(part) if set(re.findall(r"\w+", mark[1])) <= known]
    if part.startswith(HEADS) or not marks:
        return [_plain(part)]
    lines = [_plain(part[: marks[0].start()]), ""] if part[: marks[0].start()].strip() else []
    ends = [mark.start() for mark in marks[1:]] + [len(part)]
    return lines + [
        f"- ``{mark[1]}``: {_plain(part[mark.end() : end])}" for mark, end in zip(marks, ends, strict=True)
    ]


def _plain(text: str) -> str:
    """One line without markup but code in backticks."""
    pieces = CODE.split(" ".join(text.split()))
    pieces[::2] = [SPECIAL.sub(r"\\\1", piece).replace("`", "") for piece in pieces[::2]]
    pieces[1::2] = [_code(piece) for piece in pieces[1::2]]
    return "".join(pieces)


def _code(piece: str) -> str:
    # A literal needs blanks or signs around it, so a plural "s" behind one is kept apart by an escaped blank.
    return f"``{piece.strip('`')}``\\ "
