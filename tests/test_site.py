"""The documentation site: every page is reached from its index, and docstrings become text without markup."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
GENERATED = {"reference/commands", "reference/python"}


def docstrings():
    place = DOCS / "_extensions" / "docstrings.py"
    spec = importlib.util.spec_from_file_location("site_docstrings", place)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_page_is_in_the_index():
    index = (DOCS / "index.md").read_text("utf-8")
    trees = re.findall(r"```\{toctree\}\n(.*?)```", index, flags=re.DOTALL)
    entries = {line for tree in trees for line in tree.splitlines() if line and not line.startswith(":")}
    assert "errors/*" in entries
    pages = {str(path.relative_to(DOCS).with_suffix("")) for path in DOCS.rglob("*.md")} - {"index"}
    written = {page for page in pages if not page.startswith(("_build/", "errors/", "reference/"))}
    assert entries - {"errors/*", "errors/README"} == written | GENERATED


def test_arguments_of_a_docstring_become_a_list():
    text = [
        "Fit it.",
        "",
        "x: (m,) doses.   y, z: responses *here*.",
        "Returns `Fit`; see a_b.",
        "Source: x.",
    ]
    assert docstrings().rendered(text, ["x", "y", "z"]) == [
        "Fit it.",
        "",
        "- ``x``: (m,) doses.",
        "- ``y, z``: responses \\*here\\*.",
        "",
        "Returns ``Fit``\\ ; see a\\_b.",
        "",
        "Source: x.",
        "",
    ]


def test_a_colon_in_a_sentence_is_no_argument():
    assert docstrings().rendered(["One thing: two."], ["x"]) == ["One thing: two.", ""]
