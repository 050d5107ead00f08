"""The floor table of docs/design.md, held: imports run only downward."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest
from tests.imports import MODULES, PACKAGE, imports_of

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
    "frames": 1,
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


def room_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def sub_room_of(module: Path) -> str:
    parts = module.relative_to(PACKAGE).parts
    return parts[1] if len(parts) > 2 else BESIDE


def imports_within(module: Path, room: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """Sub-room, module in it and names of each import from the module's own room."""
    found = []
    for imported, names in imports_of(module):
        parts = imported.split(".")
        if parts[:2] != ["glueprint", room] or not names:
            continue
        if len(parts) == 2:
            found += [(name if name in SUB_FLOORS[room] else BESIDE, "", ()) for name in names]
        else:
            inside = parts[2] in SUB_FLOORS[room]
            found.append((parts[2] if inside else BESIDE, ".".join(parts[3:]), names))
    return found


def imported_rooms(module: Path) -> set[str]:
    rooms = set()
    for imported, names in imports_of(module):
        whole = [f"glueprint.{name}" for name in names] if imported == "glueprint" else [imported]
        rooms |= {parts[1] for name in whole if len(parts := name.split(".")) > 1}
    return rooms & FLOORS.keys()


def test_imports_run_only_downward():
    upward = {}
    for module in MODULES:
        room = room_of(module)
        if room == "__init__":
            continue
        assert room in FLOORS, f"{room} is not in the floor table of docs/design.md"
        higher = {other for other in imported_rooms(module) - {room} if FLOORS[other] >= FLOORS[room]}
        if higher:
            upward[str(module.relative_to(PACKAGE))] = sorted(higher)
    assert upward == {}


WITH_SUB_ROOMS = [
    module for module in MODULES if room_of(module) in SUB_FLOORS and module.parent.name != room_of(module)
] + [module for module in MODULES if module.parent.name in SUB_FLOORS and module.name != "__init__.py"]


def test_imports_run_only_downward_inside_a_room():
    assert WITH_SUB_ROOMS
    for module in WITH_SUB_ROOMS:
        room, own = room_of(module), sub_room_of(module)
        floors = SUB_FLOORS[room]
        for other, inner, names in imports_within(module, room):
            if other == own:
                continue
            assert floors[other] < floors[own], f"{module.name} of {own} imports {other}"
            if other == BESIDE:
                continue  # each module there is a face of its own
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


def test_no_module_is_over_500_lines():
    lines = {str(module): len(module.read_text(encoding="utf-8").splitlines()) for module in MODULES}
    assert {module: number for module, number in lines.items() if number > 500} == {}


def test_the_table_in_the_docs_names_every_room():
    table = (PACKAGE.parents[1] / "docs" / "design.md").read_text(encoding="utf-8")
    present = {room_of(module) for module in MODULES} - {"__init__"}
    missing = [room for room in present if f"`{room}/`" not in table and f"`{room}`" not in table]
    assert not missing
