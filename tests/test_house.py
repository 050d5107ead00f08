"""The floor table of docs/design.md, held: imports run only downward."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import glueprint

PACKAGE = Path(glueprint.__file__).parent
FLOORS = {
    "cli": 9,
    "report": 8,
    "study": 7,
    "calibration": 6,
    "experiments": 5,
    "assays": 4,
    "trials": 4,
    "mechanism": 3,
    "chemistry": 3,
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
MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


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


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_is_over_500_lines(module):
    assert len(module.read_text(encoding="utf-8").splitlines()) <= 500


def test_the_table_in_the_docs_names_every_room():
    table = (PACKAGE.parents[1] / "docs" / "design.md").read_text(encoding="utf-8")
    present = {room_of(module) for module in MODULES} - {"__init__"}
    missing = [room for room in present if f"`{room}/`" not in table and f"`{room}`" not in table]
    assert not missing
