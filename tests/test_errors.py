"""Every error names its code, its place, what was expected and the next step."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import glueprint
from glueprint import errors

ROOT = Path(__file__).parents[1]
CODE = re.compile(r"GP-[A-Z]\d{3}")


def test_render_has_all_parts_in_order():
    error = errors.InputError(
        "GP-T001", 'unknown arm "C"', where="my.toml, arms[2]", expected="A or B", next_step="rename it"
    )
    assert str(error) == 'GP-T001 my.toml, arms[2]: unknown arm "C"\nExpected A or B\nNext: rename it'
    assert error.as_dict()["family"] == "input"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.InputError, 2),
        (errors.NotSupportedError, 2),
        (errors.EnvironmentProblemError, 2),
        (errors.InternalError, 3),
    ],
)
def test_exit_codes(kind, code):
    assert kind.exit_code == code


def test_nearest_offers_the_closest_name_or_nothing():
    assert errors.nearest("mm03", ["mm002", "mm003"]) == ' (did you mean "mm003"?)'
    assert errors.nearest("zebra", ["mm002"]) == ""


def test_every_code_is_documented_and_asserted_by_a_test():
    package = Path(glueprint.__file__).parent
    used = {code for path in package.rglob("*.py") for code in CODE.findall(path.read_text("utf-8"))}
    pages = (ROOT / "docs" / "errors").glob("*.md")
    documented = {code for path in pages for code in CODE.findall(path.read_text("utf-8"))}
    tests = (path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__))
    tested = {code for path in tests for code in CODE.findall(path.read_text("utf-8"))}
    assert used - documented == set()
    assert documented - used == set()
    assert used - tested == set()


def test_several_findings_are_the_first_with_the_others_named():
    first, other, bare = (
        errors.InputError("GP-T001", "no arm", where="a.toml, arms", expected="an arm", next_step="add it"),
        errors.NotSupportedError("GP-M005", "no trial", where="b.toml"),
        errors.InputError("GP-T002", "not TOML"),
    )
    found = errors.together([first, other, bare, other])
    assert (found.code, found.where, found.next_step) == ("GP-T001", "a.toml, arms", "add it")
    assert found.message == "no arm. Also: b.toml: no trial (GP-M005); not TOML (GP-T002)"
    assert type(found) is errors.InputError
    assert errors.together([other]) is other
