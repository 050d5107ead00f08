"""What an error advises can be done where it is read: on the command line as well as in Python."""

from __future__ import annotations

import ast
import re

from tests.imports import MODULES, PACKAGE

# A call, or an argument by keyword, as only Python takes it.
PYTHON = re.compile(
    r"\b[a-z_]\w*\(\)|\b\w+\.\w+\(|\b[a-z]+_?[a-z]*=(?:True|False|None|[\"'\d])|`[a-z_]+\.[a-z_.]+`"
)
# Advice that names both ways, or says that the other is Python's.
BOTH = re.compile(r"--\w|in Python")
# No command leads to these: they are raised for calls that only a program makes.
CALLS_ONLY = {
    "calibration/compound/trial.py",
    "curves/discovery.py",
    "engine/sbml.py",  # rateOf() is a word of models
    "forks.py",
    "mechanism/individuals.py",
    "mechanism/pharmacokinetics/doses.py",
    "report/diagrams/overlay.py",
}


def advice(module):
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "next_step":
            yield "".join(
                part.value
                for part in ast.walk(node.value)
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            )


def test_advice_that_a_command_may_print_is_no_python_alone():
    found = {
        (str(module.relative_to(PACKAGE)), text)
        for module in MODULES
        for text in advice(module)
        if PYTHON.search(text) and not BOTH.search(text)
    }
    assert {place for place, _ in found} <= CALLS_ONLY, sorted(found)
    assert {place for place, _ in found} == CALLS_ONLY, "a place that no longer advises Python"
