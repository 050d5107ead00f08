"""The examples of docs/degradation.md and docs/growth.md run, and say what the pages say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("page", "said"), [("degradation.md", "truth"), ("growth.md", "GR50 (absolute, 120 h) =")]
)
def test_the_python_of_the_page_runs(page, said, capsys):
    (example,) = re.findall(r"```python\n(.*?)```", (DOCS / page).read_text("utf-8"), flags=re.DOTALL)
    exec(compile(example, page, "exec"), {})
    assert said in capsys.readouterr().out
