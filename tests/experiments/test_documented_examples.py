"""The examples of the pages on curves and experiments run as printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = [
    pytest.param(code, id=f"{page}-{number}")
    for page in ("curves", "experiments")
    for number, code in enumerate(
        re.findall(r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text(encoding="utf-8"), re.DOTALL),
        start=1,
    )
]


@pytest.mark.parametrize("code", EXAMPLES)
def test_a_documented_example_runs(code, capsys):
    exec(code, {})
    promised = re.findall(r"print\(.*\)\s+# (.+)", code)
    printed = capsys.readouterr().out
    for text in promised:
        # "0.333..." promises the digits before the dots.
        for part in text.split("; "):
            assert part.split("...")[0] in printed
