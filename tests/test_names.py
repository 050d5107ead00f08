"""Report, study, calibration, trials and command line know no drug and no trial by name: those are data.

Comments and docstrings may name examples. What is data stands in `references`, `mechanism/data` and
`trials/protocol/protocols`.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

import glueprint

PACKAGE = Path(glueprint.__file__).parent
ROOMS = ("report", "study", "calibration", "trials", "cli")
DRUGS = r"(?:poma|lena|tha|ava|iber|mezig|golca)\w*domide|pomalyst|imnovid|revlimid"
TRIALS = r"\bMM-?0\d\d\b|\bNIMBUS\b"
ARMS = r"\bPOM\b|POM\+|hi-?dex\b|lo-?dex\b|pom-?dex\b"
NAMES = re.compile("|".join((DRUGS, TRIALS, ARMS)), re.IGNORECASE)
ABOVE = ("report", "study", "calibration")
PARTNER = re.compile("dexamethasone", re.IGNORECASE)

MODULES = sorted(path for room in ROOMS for path in (PACKAGE / room).rglob("*.py"))
TEMPLATES = sorted((PACKAGE / "report" / "templates").glob("*.j2"))


def of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def docstring_lines(source: str) -> set[int]:
    """Lines of all strings that stand alone as a statement."""
    alone = [
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ]
    return {line for text in alone for line in range(text.lineno, (text.end_lineno or text.lineno) + 1)}


def named(source: str, names: re.Pattern[str]) -> list[str]:
    """What of `names` stands in the code and its strings, with its line."""
    if not names.search(source):  # tokens take long to tell apart, and most modules hold none
        return []
    skipped = docstring_lines(source)
    return [
        f"line {token.start[0]}: {found.group()}"
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type != tokenize.COMMENT and token.start[0] not in skipped
        for found in names.finditer(token.string)
    ]


def named_in(modules: list[Path], names: re.Pattern[str]) -> dict[str, list[str]]:
    found = {of(module): named(module.read_text(encoding="utf-8"), names) for module in modules}
    return {module: lines for module, lines in found.items() if lines}


def test_no_drug_trial_or_arm_is_named_in_code():
    assert named_in(MODULES, NAMES) == {}


def test_no_partner_is_named_above_the_trials():
    above = [path for path in MODULES if of(path).split("/")[0] in ABOVE]
    assert above
    assert named_in(above, PARTNER) == {}


@pytest.mark.parametrize("template", TEMPLATES, ids=of)
def test_no_template_names_a_drug_or_a_trial(template):
    # The class has the name of its first member; a compound belongs to it by its structure.
    text = template.read_text(encoding="utf-8").replace("Thalidomide class", "")
    assert NAMES.findall(text) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('trial = "mm003"', ["line 1: mm003"]),
        ('arm = f"{x} vs HiDEX"', ["line 1: HiDEX"]),
        ("POM = 1", ["line 1: POM"]),
        ("lenalidomide_kd = 1  # pomalidomide", ["line 1: lenalidomide"]),
        ('def f():\n    """Of pomalidomide."""\n    return "Iberdomide"', ["line 3: Iberdomide"]),
        ('import x\nx.component("MM1S")', []),
    ],
)
def test_the_search_finds_names_in_code_and_nowhere_else(source, found):
    assert named(source, NAMES) == found
