"""Layouts of twins as TOML text, block by block."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["layout_text"]


def layout_text(
    title: str,
    blocks: Iterable[Mapping[str, Any]],
    *,
    unit: str = "nM",
    assay: Mapping[str, float] | None = None,
) -> str:
    """A layout file with one `[[well]]` a block; values are text, numbers, lists and tables.

    title: said in the head and in the field `name`.   assay: numbers of the table `[assay]`.
    """
    lines = [
        f"# SIMULATED by glueprint: {title}. Not measured.",
        'kind = "glueprint-layout"',
        "version = 1",
        f"name = {json.dumps('simulated ' + title)}",
        "plate_wells = 96",
        f"concentration_unit = {json.dumps(unit)}",
    ]
    if assay:
        lines += ["", "[assay]", *(f"{name} = {value!r}" for name, value in assay.items())]
    for block in blocks:
        lines += ["", "[[well]]", *(f"{name} = {_toml(value)}" for name, value in block.items())]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{name} = {_toml(one)}' for name, one in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value)
