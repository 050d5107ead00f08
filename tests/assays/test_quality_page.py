"""The example of docs/quality.md runs as it stands, and the page names every finding of the layer."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "quality.md").read_text("utf-8")


def test_the_example_finds_the_doubled_dose_and_leaves_it_out():
    names = {}
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(compile(block, "docs/quality.md", "exec"), names)
    (suspect,) = names["result"].tables["suspects"].to_dicts()
    assert (suspect["where"], suspect["kind"]) == ("A5, B5, C5", "dose")
    assert set(names["kept"].tables["excluded"]["reason"]) == {"dose in doubt"}
    assert names["kept"].tables["suspects"].is_empty()


def test_the_page_names_every_finding():
    assert {f"GP-A{number}" for number in range(242, 249)} <= set(re.findall(r"GP-A\d{3}", PAGE))
