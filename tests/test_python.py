"""Commands, Python verbs and pages name the same things, and nothing heavy is imported before it is used."""

from __future__ import annotations

import ast
import doctest
import importlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import glueprint
from glueprint.cli import groups

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "python.md").read_text("utf-8")
ROWS = re.findall(
    r"^\| `(\w+)` \| `glueprint ([a-z -]+)` \| .+ \| \[.+\]\(([\w-]+\.md)\) \|$", PAGE, re.MULTILINE
)
LISTING = json.loads(groups.LISTING.read_text("utf-8"))
# Rooms that others stand on: nobody begins there.
INNER = {"boundary", "cli", "documents", "forks", "formulas", "frames", "web"}
HEAVY = {"numpy", "scipy", "polars", "pint", "libsbml", "antimony", "rdkit", "altair", "duckdb", "typer"}


def test_the_page_has_every_verb_and_no_other():
    assert [verb for verb, _, _ in ROWS] == list(dict.fromkeys(verb for verb, _, _ in ROWS))
    assert {verb for verb, _, _ in ROWS} == set(glueprint.VERBS)


@pytest.mark.parametrize(("verb", "command", "page"), ROWS, ids=[verb for verb, _, _ in ROWS])
def test_a_verb_has_its_command_and_its_page(verb, command, page):
    group, *words = command.split()
    assert group in groups.COMMANDS or words[0] in LISTING[group]
    text = (ROOT / "docs" / page).read_text("utf-8")
    found = getattr(glueprint, verb)
    assert f"glueprint {group}" in text or f"{found.__name__}(" in text, f"{page} names neither"
    assert callable(found)
    assert found.__doc__, "says nothing"
    assert getattr(importlib.import_module(found.__module__), found.__name__) is found


@pytest.mark.parametrize("group", groups.GROUPS)
def test_every_command_stands_on_a_page(group):
    pages = "\n".join(path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md")) + PAGE
    pages += (ROOT / "README.md").read_text("utf-8")
    missing = [name for name in LISTING[group] if not re.search(rf"\b{group} {re.escape(name)}\b", pages)]
    assert missing == []


def test_the_rooms_are_those_of_the_package():
    package = Path(glueprint.__file__).parent
    rooms = {path.stem for path in package.iterdir() if not path.name.startswith(("_", "py."))}
    assert rooms == set(glueprint.ROOMS) | INNER


def test_what_type_checkers_see_is_what_there_is():
    tree = ast.parse(Path(glueprint.__file__).read_text("utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    names = {alias.asname for node in imports for alias in node.names}
    assigned = {
        node.targets[0].id: ast.unparse(node.value) for node in block.body if isinstance(node, ast.Assign)
    }
    imported = {name for name in names if not name.startswith("_")}
    assert imported | set(assigned) == set(glueprint.ROOMS) | set(glueprint.VERBS)
    assert set(glueprint.__all__) == {"__version__", *glueprint.ROOMS, *glueprint.VERBS}
    read = {alias.asname: (node.module, alias.name) for node in imports for alias in node.names}
    for verb, (module, attribute) in glueprint.VERBS.items():
        if verb in assigned:
            assert assigned[verb].endswith(f".{attribute}")
        else:
            # A function with the name of its module is imported from there.
            assert read[verb][0] in (f"glueprint.{module}", f"glueprint.{module}.{attribute}")
            assert read[verb][1] == attribute


def test_a_module_within_a_room_is_there_when_it_is_asked_for():
    code = (
        "import sys, glueprint as gp\n"
        "first = {name.split('.')[0] for name in sys.modules}\n"
        "gp.trials.sweep, gp.calibration.clinical.posterior, gp.runs.store.write_tables, gp.study.glue.run\n"
        "print(*sorted(first))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & HEAVY


def test_a_mistyped_name_is_answered_with_the_nearest():
    with pytest.raises(AttributeError, match='did you mean "run_trial"'):
        _ = glueprint.run_trail
    with pytest.raises(AttributeError, match="no attribute 'zzz'"):
        _ = glueprint.zzz
    with pytest.raises(AttributeError, match=r"no attribute 'stor' \(did you mean .store."):
        _ = glueprint.runs.stor
    with pytest.raises(AttributeError, match=r"no attribute 'elsia'.*did you mean .elisa."):
        _ = glueprint.assays.elsia
    assert {"run_trial", "trials"} <= set(dir(glueprint))


def test_the_python_of_the_page_runs():
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names = {}
    exec(compile(example, "docs/python.md", "exec"), names)
    assert names["compound"].name == "pomalidomide"
    # Half are alive from 5 to 9 months; R takes the middle.
    assert float(names["curve"].median) == 7.0


@pytest.mark.parametrize("verb", glueprint.VERBS)
def test_the_example_of_a_verb_runs(verb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    function = getattr(glueprint, verb)
    room = vars(importlib.import_module(function.__module__))
    (example,) = doctest.DocTestFinder(recurse=False).find(function, verb, globs=dict(room))
    assert example.examples, f"{verb} shows no example"
    said = io.StringIO()
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example, out=said.write)
    assert result.failed == 0, said.getvalue()
