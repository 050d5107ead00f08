"""What every module of the package imports: read once, for all tests of the house."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import glueprint

PACKAGE = Path(glueprint.__file__).parent
MODULES = tuple(sorted(PACKAGE.rglob("*.py")))


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """All statements, those inside others too; no import stands in an expression."""
    for node in body:
        yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from _statements(getattr(node, part, []))


@cache
def imports_of(module: Path) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(module, names) of each import from our own package; no names where a module is imported whole."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for node in _statements(ast.parse(module.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.Import):
            found += [(alias.name, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.module, tuple(alias.name for alias in node.names)))
    return tuple((name, names) for name, names in found if name.split(".")[0] == "glueprint")
