"""The floor table of docs/design.md, held: imports run only downward."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import glueprint

PACKAGE = Path(glueprint.__file__).parent
FLOORS = {
    "__main__": 11,
    "cli": 10,
    "web": 9,
    "report": 8,
    "qualification": 8,
    "study": 7,
    "calibration": 6,
    "experiments": 5,
    "assays": 4,
    "trials": 4,
    "mechanism": 3,
    "chemistry": 3,
    "workshop": 3,
    "engine": 2,
    "curves": 2,
    "survival": 2,
    "inference": 1,
    "runs": 2,
    "evidence": 2,
    "references": 2,
    "formulas": 1,
    "documents": 1,
    "forks": 1,
    "units": 1,
    "errors": 0,
    "boundary": 0,
}
# Floors inside a room, of its sub-rooms; modules that stand beside them have the floor of BESIDE.
BESIDE = ""
SUB_FLOORS = {
    "trials": {"cdisc": 6, BESIDE: 5, "analysis": 4, "conduct": 3, "patients": 2, "protocol": 1},
}
# Sub-rooms in which nothing is drawn by chance: what they give follows from what they are given.
CERTAIN = (("trials", "protocol"), ("trials", "analysis"), ("trials", "cdisc"))
CHANCE = ("random", "streams", "Stream", "uniforms", "normals")
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def sub_room_of(module: Path) -> str:
    parts = module.relative_to(PACKAGE).parts
    return parts[1] if len(parts) > 2 else BESIDE


def imports_within(module: Path, room: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """Sub-room, module in it and names of each import from the module's own room."""
    found = []
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.module:
            continue
        parts = node.module.split(".")
        if parts[:2] != ["glueprint", room]:
            continue
        names = tuple(alias.name for alias in node.names)
        if len(parts) == 2:
            found += [(name if name in SUB_FLOORS[room] else BESIDE, "", ()) for name in names]
        else:
            inside = parts[2] in SUB_FLOORS[room]
            found.append((parts[2] if inside else BESIDE, ".".join(parts[3:]), names))
    return found


def imported_rooms(module: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module == "glueprint":
                names = [f"glueprint.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "glueprint" and len(parts) > 1:
                rooms.add(parts[1])
    return rooms & FLOORS.keys()


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_only_downward(module):
    room = room_of(module)
    if room == "__init__":
        return
    assert room in FLOORS, f"{room} is not in the floor table of docs/design.md"
    upward = {other for other in imported_rooms(module) if other != room and FLOORS[other] >= FLOORS[room]}
    assert not upward, f"{module.name} of floor {FLOORS[room]} imports {sorted(upward)}"


WITH_SUB_ROOMS = [
    module for module in MODULES if room_of(module) in SUB_FLOORS and module.parent.name != room_of(module)
] + [module for module in MODULES if module.parent.name in SUB_FLOORS and module.name != "__init__.py"]


@pytest.mark.parametrize("module", WITH_SUB_ROOMS, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_only_downward_inside_a_room(module):
    room, own = room_of(module), sub_room_of(module)
    floors = SUB_FLOORS[room]
    for other, inner, names in imports_within(module, room):
        if other == own:
            continue
        assert floors[other] < floors[own], f"{module.name} of {own} imports {other}"
        assert not inner, f"{module.name} goes past the face of {other}: {inner}"
        face = importlib.import_module(f"glueprint.{room}.{other}").__all__
        assert set(names) <= set(face), f"{module.name} imports what {other} does not show"


@pytest.mark.parametrize("place", CERTAIN, ids="/".join)
def test_nothing_is_drawn_by_chance_where_all_follows(place):
    modules = sorted(PACKAGE.joinpath(*place).rglob("*.py"))
    assert modules
    for module in modules:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            names: list[str] = []
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [*(getattr(node, "module", "") or "").split("."), *(a.name for a in node.names)]
            elif isinstance(node, ast.Attribute):
                names = [node.attr]
            drawn = [name for name in names if name in CHANCE]
            assert not drawn, f"{module.name}, line {node.lineno}, draws: {drawn}"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_is_over_500_lines(module):
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 500


def test_the_table_in_the_docs_names_every_room():
    table = (PACKAGE.parents[1] / "docs" / "design.md").read_text(encoding="utf-8")
    present = {room_of(module) for module in MODULES} - {"__init__"}
    missing = [room for room in present if f"`{room}/`" not in table and f"`{room}`" not in table]
    assert not missing
