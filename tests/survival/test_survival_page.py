"""The examples of the survival pages give what they show."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(("page", "least"), [("survival.md", 10), ("switching.md", 10)])
def test_examples(page, least):
    result = doctest.testfile(str(DOCS / page), module_relative=False)
    assert result.attempted > least
    assert result.failed == 0
