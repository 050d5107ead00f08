"""A protocol that says in what it differs from another: `extends`, `without`, and the fields that change."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from glueprint.documents import is_file
from glueprint.errors import GlueprintError, InputError, nearest, together

__all__ = ["Read", "extended"]

Table = dict[str, Any]
# The tables and the folder of a protocol by its name or path, with where it stands for messages.
Read = Callable[[str, Path | None], tuple[Table, Path | None, str]]

DEEPEST = 8
EXTENDS, WITHOUT = "extends", "without"
# What is said of one trial only, and never of another that is like it.
OWN = ("name", "title", "registry", "sources")
# Lists of tables whose entries are known by a field.
KNOWN_BY = {
    "arms": "name",
    "drugs": "compound",
    "strata": "covariate",
    "correlations": "between",
    "data_cuts": "name",
    "pools": "name",
}
ORIGIN = ("sources", "assumed")
# Fields that may be paths from the folder of their file.
PATHS = ("compound", "rules")


def extended(
    data: Table, where: str, folder: Path | None, read: Read, findings: list[GlueprintError]
) -> Table:
    """The whole tables of a protocol, its base filled in; as they are where it has none.

    data: tables of the protocol.   where: its place in messages.   folder: of its file, where paths begin.
    read: what gives the tables of a base.   findings: takes InputError GP-T088 (no name or title of its own)
    and GP-T089 (nothing there to leave out), with which the rest of the file can still be looked at.
    Raises InputError GP-T087 (a chain without end), and what `read` raises, with the findings before it.
    """
    try:
        return _extended(data, where, folder, _Reading(read, (where,), findings))
    except GlueprintError as error:
        if not findings:
            raise
        raise together([error, *findings]) from error


@dataclass(frozen=True)
class _Reading:
    """How bases are read, the chain of places so far, and what was found in them."""

    read: Read
    chain: tuple[str, ...]
    findings: list[GlueprintError]

    def at(self, place: str) -> _Reading:
        return replace(self, chain=(*self.chain, place))


def _extended(data: Table, where: str, folder: Path | None, reading: _Reading) -> Table:
    if EXTENDS not in data:
        return data
    named, chain = data[EXTENDS], reading.chain
    if not isinstance(named, str) or len(chain) > DEEPEST:
        said = f'extends "{named}"' if len(chain) <= DEEPEST else " extends ".join(chain)
        raise _refusal("GP-T087", said[:300], where, f"a protocol's name or path, {DEEPEST} deep at most")
    own = dict(data)
    for name in ("name", "title"):
        if name not in data:
            expected = f'{name} = "..." of its own, for it is another trial'
            reading.findings.append(_refusal("GP-T088", f"no {name}", where, expected))
            own[name] = "unnamed"  # so that the fields of the file are looked at, too
    found, base_folder, place = reading.read(named, folder)
    base = _extended(found, place, base_folder, reading.at(place))
    base = {name: value for name, value in base.items() if name not in OWN}
    if base_folder is not None and base_folder != (folder or Path()):
        base = _moved(base, base_folder, folder or Path())
    for path in data.get(WITHOUT, ()):
        try:
            _leave_out(base, str(path), where)
        except InputError as error:
            reading.findings.append(error)
    return _merged(base, {name: value for name, value in own.items() if name not in (EXTENDS, WITHOUT)})


def _merged(base: Table, change: Mapping[str, Any]) -> Table:
    """`base` with the fields of `change`, table by table; what said where the old values came from goes."""
    result = {name: value for name, value in base.items() if name not in ORIGIN or not _differs(base, change)}
    for name, value in change.items():
        old = base.get(name)
        if isinstance(old, dict) and isinstance(value, dict):
            result[name] = _merged(old, value)
        elif name in KNOWN_BY and isinstance(old, list) and isinstance(value, list):
            result[name] = _merged_list(old, value, KNOWN_BY[name])
        else:
            result[name] = value
    return result


def _differs(base: Table, change: Mapping[str, Any]) -> bool:
    """Whether a value of the table itself, and not of a table in it, is another."""
    return any(
        base.get(name) != value and not isinstance(value, dict) and name not in KNOWN_BY
        for name, value in change.items()
    )


def _merged_list(base: list[Any], change: list[Any], key: str) -> list[Any]:
    result = list(base)
    places = {str(item.get(key)): place for place, item in enumerate(base) if isinstance(item, dict)}
    for item in change:
        place = places.get(str(item.get(key))) if isinstance(item, dict) else None
        if place is None:
            result.append(item)
        else:
            result[place] = _merged(result[place], item)
    return result


def _moved(value: Any, old: Path, new: Path, name: str = "") -> Any:
    """The same with paths that began in one folder beginning in another."""
    if isinstance(value, dict):
        return {field: _moved(item, old, new, field) for field, item in value.items()}
    if isinstance(value, list):
        return [_moved(item, old, new, name) for item in value]
    if name in PATHS and isinstance(value, str) and is_file(str(old / value)):
        return os.path.relpath(old / value, new)
    return value


def _leave_out(base: Table, path: str, where: str) -> None:
    """Take one entry out of the base: "arms.NAME", "arms.NAME.drugs.COMPOUND", "case_mix.COVARIATE"."""
    holder: Any = base
    rest = path
    while True:
        step = next((name for name in _names(holder) if rest == name or rest.startswith(f"{name}.")), None)
        if step is None:
            known = list(_names(holder))
            said = f'nothing to leave out at "{path}"{nearest(rest, known)}'
            raise _refusal("GP-T089", said, where, "one of " + ", ".join(known)[:300])
        if rest == step:
            break
        rest = rest[len(step) + 1 :]
        holder = holder[_place(holder, step)]
        holder = holder if isinstance(holder, dict | list) else {}
    del holder[_place(holder, step)]


def _names(holder: Any) -> Iterator[str]:
    """Names of what a table or a list of tables holds, the longest first, for a name may have dots."""
    if isinstance(holder, dict):
        yield from sorted(holder, key=len, reverse=True)
    else:
        yield from sorted((_name(item) for item in holder), key=len, reverse=True)


def _name(item: Any) -> str:
    keys = (key for key in KNOWN_BY.values() if isinstance(item, dict) and key in item)
    value = item.get(next(keys, "")) if isinstance(item, dict) else item
    return " and ".join(map(str, value)) if isinstance(value, list) else str(value)


def _place(holder: Any, name: str) -> Any:
    return name if isinstance(holder, dict) else [_name(item) for item in holder].index(name)


def _refusal(code: str, message: str, where: str, expected: str) -> InputError:
    return InputError(
        code, message, where=where, expected=expected, next_step='see docs/trials.md, "The protocol"'
    )
