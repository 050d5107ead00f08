"""The examples in the docstrings of the mechanism run as printed."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import glueprint.mechanism

MODULES = ["glueprint.mechanism"] + [
    found.name for found in pkgutil.iter_modules(glueprint.mechanism.__path__, "glueprint.mechanism.")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_such_examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [test for name in MODULES for test in finder.find(importlib.import_module(name)) if test.examples]
    assert {test.name.rpartition(".")[2] for test in found} >= {"of", "typical", "source", "missing"}
