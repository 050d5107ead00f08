"""The examples of docs/engine.md run, in order, and print what the page says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "engine.md"


def test_examples_print_what_the_page_says():
    page = PAGE.read_text(encoding="utf-8")
    pairs = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", page, flags=re.DOTALL)
    assert len(pairs) == 4
    names: dict[str, object] = {}
    for code, want in pairs:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, names)
        assert printed.getvalue() == want


def test_every_status_is_on_the_page():
    from glueprint.engine import Status

    page = PAGE.read_text(encoding="utf-8")
    assert all(f"{status.value} `{status.name}`" in page for status in Status)
