"""Small changes of a project's file: an assay more, what is left out of one. The rest stays as written.

A person's file has comments and an order; so lines are put in, and the file is read again before it is kept.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from glueprint.boundary import clock, read_text
from glueprint.errors import InputError
from glueprint.runs.store import disk_errors, write_file
from glueprint.study import glue
from glueprint.web.refusals import refused

__all__ = [
    "FILE",
    "JOURNAL",
    "add_assay",
    "check_same",
    "digest",
    "exclude",
    "journal",
    "name_layout",
    "note",
    "say_reading",
]

FILE, JOURNAL = "glue.toml", "exclusions.jsonl"
MOST_NOTES = 20
HEAD = re.compile(r"\s*\[\[\s*assay\s*\]\]\s*(?:#.*)?")
ANY_HEAD = re.compile(r"\s*\[")
# A field on one line, whose value is a list or a text.
ON_ONE_LINE = r"\s*{}\s*=\s*(?:\[.*\]|\".*\"|'.*')\s*(?:#.*)?"


def digest(path: Path) -> str:
    """What tells one state of a file from another; empty for a file that is not there."""
    with disk_errors(path):
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""


def check_same(path: Path, seen: str) -> None:
    """Raise RefusedError GP-B012 if a file is not what it was when the page was made."""
    if digest(path) != seen:
        raise refused(
            "GP-B012",
            f"{path.name} was changed meanwhile, in another window or by hand",
            "the file as this page showed it",
            "load the page again and make the change on what is there now; nothing was changed",
        )


def add_assay(folder: Path, fields: dict[str, object]) -> None:
    """Name an assay in the project's file. fields: of its [[assay]], texts and lists of texts.

    Raises what `glue.load` raises for a file that would not be one; it then stays as it was.
    """
    lines = [f"{name} = {_toml(value)}" for name, value in fields.items() if value]
    text = read_text(folder / FILE).rstrip("\n")
    _keep(folder, "\n".join([text, "", "[[assay]]", *lines, ""]))


def exclude(folder: Path, assay: str, entries: Sequence[str], event: dict[str, object]) -> None:
    """Say in the project's file what is left out of an assay, and in its journal what was done when.

    entries: all of them, each "A1,A2=reason".   event: for the journal.
    Raises RefusedError GP-B010 for an assay that the file does not name.
    """
    _set(folder, assay, "exclude", list(entries))
    note(folder, "glueprint-exclusion", assay, event)


def name_layout(folder: Path, assay: str, layout: str) -> None:
    """Name the layout of an assay in the project's file.   Raises as `exclude`."""
    _set(folder, assay, "layout", layout)


def say_reading(folder: Path, assay: str, sheet: str, dose_unit: str) -> None:
    """Say in the project's file which sheet of an assay's file is read, and the unit of its doses.

    Empty for what the file says itself.   Raises as `exclude`.
    """
    _set(folder, assay, "sheet", sheet)
    _set(folder, assay, "dose_unit", dose_unit)


def note(folder: Path, kind: str, assay: str, event: dict[str, object]) -> None:
    """Add a line to the project's journal of what was done by hand, why and when."""
    line = {"kind": kind, "version": 1, "utc": clock.text(), "assay": assay, **event}
    with disk_errors(folder), (folder / JOURNAL).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line, ensure_ascii=False) + "\n")


def journal(folder: Path, assay: str, kind: str) -> list[dict[str, Any]]:
    """The last lines of the project's journal of one kind and assay, the newest first."""
    path = folder / JOURNAL
    if path.is_symlink() or not path.is_file():
        return []
    found = []
    for line in read_text(path).splitlines():
        with suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict) and (event.get("kind"), event.get("assay")) == (kind, assay):
                found.append(event)
    return found[-MOST_NOTES:][::-1]


def _set(folder: Path, assay: str, field: str, value: object) -> None:
    """One field of an assay's entry, on a line of its own; an empty value takes the line out."""
    project = glue.load(folder)
    names = [one.name for one in project.assay]
    if assay not in names:
        raise refused(
            "GP-B010", f'there is no assay "{assay[:40]}"', ", ".join(names), "open the project again"
        )
    lines = read_text(folder / FILE).split("\n")
    starts = [number for number, line in enumerate(lines) if HEAD.fullmatch(line)]
    if len(starts) != len(names):
        raise _by_hand()
    first = starts[names.index(assay)] + 1
    last = next((n for n in range(first, len(lines)) if ANY_HEAD.match(lines[n])), len(lines))
    old = [n for n in range(first, last) if re.match(rf"\s*{field}\s*=", lines[n])]
    if any(not re.fullmatch(ON_ONE_LINE.format(field), lines[n]) for n in old):
        raise _by_hand()
    kept = [line for n, line in enumerate(lines) if n not in old]
    kept[first:first] = [f"{field} = {_toml(value)}"] if value else []
    _keep(folder, "\n".join(kept))


def _keep(folder: Path, text: str) -> None:
    """Write the project's file if it is one; else what was there comes back."""
    before = (folder / FILE).read_bytes()
    write_file(folder / FILE, text)
    try:
        glue.load(folder)
    except InputError:
        write_file(folder / FILE, before)
        raise


def _by_hand() -> InputError:
    return refused(
        "GP-B013",
        f"{FILE} is written in a way that this page does not change",
        "each assay under a line [[assay]], each of its fields on one line",
        f"change {FILE} by hand; the page shows it afterwards",
    )


def _toml(value: object) -> str:
    """A text or a list of texts as TOML, whose strings are JSON's but for signs beyond the first plane."""
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return "".join(_sign(sign) for sign in str(value)).join('""')


def _sign(sign: str) -> str:
    return f"\\U{ord(sign):08x}" if ord(sign) > 0xFFFF else json.dumps(sign)[1:-1].replace("\x7f", "\\u007f")
