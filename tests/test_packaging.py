"""What is written about the package agrees with itself; `make wheel` tries it outside the tree."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

import glueprint

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
DESIGN = (ROOT / "docs" / "design.md").read_text("utf-8")
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
TABLE = DESIGN[DESIGN.index("## Dependencies") :]


def test_the_version_is_one():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert PROJECT["project"]["version"] == glueprint.__version__ == cited["version"]
    assert cited["license"] == PROJECT["project"]["license"]
    # Nobody is invented: the authors are those of the package.
    assert cited["authors"] == PROJECT["project"]["authors"]


def test_there_is_no_address_that_leads_nowhere():
    assert "urls" not in PROJECT["project"]


def names(requirements):
    return [re.match(r"[\w-]+", text).group() for text in requirements]


@pytest.mark.parametrize("name", names(PROJECT["project"]["dependencies"]))
def test_every_dependency_has_its_reason(name):
    assert re.search(rf"\b{re.escape(name)}\b", TABLE)


def test_what_has_no_stable_interface_has_an_upper_end():
    ends = {re.match(r"[\w-]+", text).group() for text in PROJECT["project"]["dependencies"] if "<" in text}
    assert {"llvmlite", "typer"} <= ends
    named = re.search(r"Upper ends: (.*?)\.", TABLE, re.DOTALL).group(1)
    assert ends == set(re.findall(r"`([\w-]+)`", named))


def test_everything_that_the_archive_names_is_there():
    held = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert [name for name in held if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    "form", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")), ids=lambda p: p.stem
)
def test_forms_for_issues_can_be_read(form):
    read = yaml.safe_load(form.read_text("utf-8"))
    if form.stem != "config":
        assert {"name", "description", "body"} <= set(read)
        assert all({"type", "id", "attributes"} <= set(part) for part in read["body"])


def test_the_image_installs_from_the_lock_and_runs_as_nobody_special():
    text = (ROOT / "Dockerfile").read_text("utf-8")
    assert "FROM debian:" in text
    assert "--require-hashes -r /opt/glueprint/requirements-core.lock" in text
    assert text.index("USER glueprint") < text.index("ENTRYPOINT")
    copied = re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE)
    assert all((ROOT / name).exists() for line in copied for name in line.split())


def test_every_slow_test_is_there_and_run_by_make_check():
    lines = (ROOT / "tests" / "slow.txt").read_text("utf-8").splitlines()
    names = [line.split()[0] for line in lines if not line.startswith("#")]
    assert names
    for name in names:
        path, function = name.split("[")[0].split("::")
        assert f"def {function}(" in (ROOT / path).read_text("utf-8"), name
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert '-m "not slow"' in makefile
    assert "check: test wheel docs audit" in makefile
    assert "-q -m slow" in makefile
