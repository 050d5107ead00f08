"""Truths as TOML: settings of a twin read, changed from the command line, checked and written back."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field

from glueprint import documents
from glueprint.documents import Codes, Document
from glueprint.errors import InputError

__all__ = ["KIND", "TwinFile", "changed", "read", "settings", "text"]

KIND = "glueprint-twin"
CODES = Codes(
    "GP-A180", "GP-A180", "GP-A181", "GP-A182", "docs/twins.md lists the settings", unknown="GP-A183"
)
Settings = TypeVar("Settings", bound=Document)


class TwinFile(Document):
    """The whole file: `drawn` is what the seed drew, for people; it is never read back."""

    kind: Literal["glueprint-twin"]
    version: Literal[1]
    simulated: Literal[True] = True
    protocol: str
    seed: int = Field(default=1, ge=0)
    truth: dict[str, Any] = Field(default_factory=dict)
    drawn: dict[str, Any] = Field(default_factory=dict)


def read(path: str | Path) -> TwinFile:
    """The truth in a TOML file.

    Raises InputError GP-A180 (unreadable, not TOML), GP-A181 (another kind), GP-A182 (a value), GP-A183 (a
    name).
    """
    return documents.validate(TwinFile, documents.read(Path(path), CODES), CODES, where=str(path))


def settings(model: type[Settings], data: Mapping[str, Any], where: str) -> Settings:
    """The settings of a protocol from values by name, the defaults for the others.

    Raises InputError GP-A182 for a value out of range, GP-A183 for an unknown name.
    """
    return documents.validate(model, dict(data), CODES, where=where)


def changed(data: Mapping[str, Any], model: type[Document], changes: Iterable[str]) -> dict[str, Any]:
    """Values by name with changes "name=value" or "table.name=value"; each value as TOML, or as plain text.

    A name inside a table joins what the table holds, by default or by `data`.
    Raises InputError GP-A184 for a change without "=" or with a path that leads nowhere, and as `settings`.
    """
    found = settings(model, data, "--set").model_dump(mode="json", exclude_none=True)
    changed_already: set[tuple[str, ...]] = set()
    for change in changes:
        path, mark, value = change.partition("=")
        *tables, name = (part.strip() for part in path.split("."))
        if (*tables, name) in changed_already:
            raise _no_change(change, "each setting once")
        changed_already.add((*tables, name))
        if not mark or not name:
            raise _no_change(change, "a name, an equals sign and a value, such as g_factor=1.05")
        here = found
        for table in tables:
            inner = here.setdefault(table, {})
            if not isinstance(inner, dict):
                raise _no_change(change, f'"{table}" to be a table; it is a single value')
            here = inner
        here[name] = _value(value)
    return found


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text.strip()}")["value"]
    except (ValueError, RecursionError):  # also more digits than Python reads, and brackets without end
        return text.strip()


def _no_change(change: str, expected: str) -> InputError:
    return InputError(
        "GP-A184",
        f'"{change[:60]}"',
        where="--set",
        expected=expected,
        next_step="docs/twins.md lists the settings of each protocol",
    )


def text(file: TwinFile) -> str:
    """The truth as a commented TOML file; reading it gives the same twin."""
    data = file.model_dump(mode="json", exclude_none=True)
    head = {name: value for name, value in data.items() if not isinstance(value, dict)}
    lines = [
        "# SIMULATED: the truth behind the files beside this one; nothing here was measured.",
        f"# `glueprint assay twin {file.protocol} --truth` with this file writes the same bytes again.",
        *(f"{name} = {_toml(value)}" for name, value in head.items()),
        "",
        "[truth]",
        *(f"{_key(name)} = {_toml(value)}" for name, value in data["truth"].items()),
    ]
    if data["drawn"]:
        lines += ["", "# What the seed drew from the truth: to compare with the analysis, not read back."]
        lines += ["[drawn]", *(f"{_key(name)} = {_toml(value)}" for name, value in data["drawn"].items())]
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    plain = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if plain else json.dumps(name)


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(str(name))} = {_toml(one)}" for name, one in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    # Numbers, truth values and plain text are written alike in JSON and TOML.
    return json.dumps(value)
