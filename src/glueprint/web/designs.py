"""Trials of a project as files: each a protocol in a folder of its own, beside it what was computed of it.

trials/NAME/trial.toml is the protocol, run/ its virtual trials, power/ its behaviour over sizes, sweep/ its
variants, observed.csv and observed_curve.csv what it is held against. All are what the
commands read and write.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from glueprint import trials
from glueprint.boundary import read_text
from glueprint.documents import quoted
from glueprint.errors import InputError
from glueprint.runs.store import disk_errors, write_file
from glueprint.trials import Protocol
from glueprint.web.refusals import refused

__all__ = [
    "CURVE",
    "FILE",
    "FOLDER",
    "OBSERVED",
    "POWER",
    "RUN",
    "SWEEP",
    "bases",
    "begin",
    "keep",
    "names",
    "place",
    "read",
    "text_of",
]

FOLDER, FILE, RUN, POWER, SWEEP = "trials", "trial.toml", "run", "power", "sweep"
OBSERVED, CURVE = "observed.csv", "observed_curve.csv"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
TEMPLATE = "template"


def names(folder: Path) -> tuple[str, ...]:
    """The trials of a project, by name."""
    place = folder / FOLDER
    if place.is_symlink() or not place.is_dir():
        return ()
    with disk_errors(place):
        there = [entry.name for entry in os.scandir(place) if entry.is_dir(follow_symlinks=False)]
    return tuple(sorted(name for name in there if NAME.fullmatch(name) and (place / name / FILE).is_file()))


def place(folder: Path, name: str) -> Path:
    """The folder of a trial.   Raises RefusedError GP-B010 for a name that none has."""
    found = names(folder)
    if name not in found:
        raise refused(
            "GP-B010",
            f'there is no trial "{name[:40]}"',
            ", ".join(found) or "none yet",
            "open the project's trials again",
        )
    return folder / FOLDER / name


def bases() -> tuple[str, ...]:
    """What a new trial can begin as: the protocols that come with Glueprint, and its template."""
    return (*trials.available(), TEMPLATE)


def begin(folder: Path, name: str, base: str) -> Path:
    """A new trial that is, but for its name, like another.

    Raises RefusedError GP-B009 for a name that is none, GP-B011 for one that is taken, GP-B010 for a base
    that is not there.
    """
    if not NAME.fullmatch(name):
        raise refused(
            "GP-B009",
            f'"{name[:40]}" cannot be the name of a trial',
            "1 to 40 small letters, digits, - and _",
            "choose such a name",
            where="name",
        )
    target = folder / FOLDER / name
    if os.path.lexists(target):
        raise refused(
            "GP-B011", f'"{name}" is there already', "a name that is free", "choose another", where="name"
        )
    if base not in bases():
        raise refused(
            "GP-B010", f'there is no protocol "{base[:40]}"', ", ".join(bases()), "choose one", where="base"
        )
    text = trials.template() if base == TEMPLATE else trials.source(base)
    # Whoever begins with another's protocol keeps its comments until the first change.
    own = re.sub(r'(?m)^name = ".*?"', f"name = {quoted(name)}", text, count=1)
    write_file(target / FILE, re.sub(r'(?m)^registry = ".*?"', 'registry = ""', own, count=1))
    return target


def read(path: Path) -> dict[str, Any]:
    """The tables of a trial's file.

    Raises RefusedError GP-B013 for one that extends another, InputError GP-T002 for text that is no TOML.
    """
    try:
        data = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError:
        trials.load_protocol(path)  # says where and how
        raise
    if "extends" in data:
        raise refused(
            "GP-B013",
            f"{path.name} says in what it differs from {data['extends']}",
            "a protocol that is written out",
            "change the file by hand; it can be run from here",
        )
    return data


def keep(path: Path, data: Mapping[str, Any]) -> Protocol:
    """Write a trial's file if it is one; else what was there comes back.

    Raises what `trials.load_protocol` raises.
    """
    before = path.read_bytes()
    write_file(path, text_of(data))
    try:
        return trials.load_protocol(path)
    except InputError:
        write_file(path, before)
        raise


def text_of(data: Mapping[str, Any]) -> str:
    """Tables as TOML that people read: what has tables in lists as sections, the rest in one line each."""
    return "\n".join(_lines(data, "")).lstrip("\n") + "\n"


def _lines(table: Mapping[str, Any], path: str) -> Iterator[str]:
    """Plain fields first, for TOML counts what follows a heading to it."""
    sections = {name: value for name, value in table.items() if _is_section(value, top=not path)}
    for name, value in table.items():
        if name not in sections:
            yield f"{_key(name)} = {_value(value)}"
    for name, value in sections.items():
        below = f"{path}.{_key(name)}".lstrip(".")
        for one in value if isinstance(value, list) else [value]:
            yield ""
            yield f"[[{below}]]" if isinstance(value, list) else f"[{below}]"
            yield from _lines(one, below)


def _is_section(value: Any, *, top: bool) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(one, dict) for one in value)
    return isinstance(value, dict) and (top or any(_is_section(one, top=False) for one in value.values()))


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else quoted(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_key(name)} = {_value(one)}' for name, one in value.items())} }}"
    return quoted(value) if isinstance(value, str) else str(value)
