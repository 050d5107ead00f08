"""A room's `__all__` is its face: nothing from outside the room goes past it."""

from __future__ import annotations

import importlib
import re
from functools import cache

import pytest
from tests.imports import MODULES, PACKAGE, imports_of

# Rooms whose face is not complete yet; none may be added.
OPEN = frozenset({"assays", "chemistry", "curves", "engine", "formulas", "inference", "report", "runs"})
ROOMS = sorted(path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file())


@cache
def face_of(module: str) -> set[str]:
    return set(getattr(importlib.import_module(module), "__all__", ()))


def is_face(module: str) -> bool:
    """Whether a module is a room, or a room inside one that the outer face names."""
    parts = module.split(".")
    if len(parts) == 2:
        return True
    inner = PACKAGE.joinpath(*parts[1:])
    return len(parts) == 3 and inner.is_dir() and parts[2] in face_of(".".join(parts[:2]))


def past_the_face(room: str) -> list[str]:
    """Imports from outside a room of what its face does not show."""
    found = []
    for module in MODULES:
        # The package's own door names verbs by their faces; what stands beside is for type checkers alone.
        if module.relative_to(PACKAGE).parts[0] in (room, "__init__.py"):
            continue
        for imported, names in imports_of(module):
            if imported.split(".")[:2] != ["glueprint", room]:
                continue
            shown = face_of(imported) if is_face(imported) else set[str]()
            hidden = [name for name in names if name not in shown]
            if hidden:
                found.append(f"{module.relative_to(PACKAGE)}: {', '.join(hidden)} of {imported}")
    return found


@pytest.mark.parametrize("room", [room for room in ROOMS if room not in OPEN])
def test_nothing_goes_past_the_face_of_a_room(room):
    assert not past_the_face(room)


@pytest.mark.parametrize("room", sorted(OPEN))
def test_a_room_that_is_closed_leaves_the_list(room):
    assert past_the_face(room)


@pytest.mark.parametrize("room", ROOMS)
def test_a_face_names_what_is_there(room):
    module = importlib.import_module(f"glueprint.{room}")
    names = getattr(module, "__all__", [])
    assert names or room in OPEN
    # A module that is heavy to load may be named without being loaded.
    assert all(hasattr(module, name) or (PACKAGE / room / f"{name}.py").is_file() for name in names)
    assert len(set(names)) == len(names)


def test_a_room_reached_through_the_package_shows_what_is_asked_of_it():
    """`gp.room.name` works in a process of its own only if the room's face has the name."""
    asked = {
        (room, name)
        for module in MODULES
        for room, name in re.findall(r"\bgp\.(\w+)\.(\w+)", module.read_text(encoding="utf-8"))
    }
    assert asked
    assert [pair for pair in sorted(asked) if pair[1] not in face_of(f"glueprint.{pair[0]}")] == []
