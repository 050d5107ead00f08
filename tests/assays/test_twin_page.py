"""docs/twins.md: its example runs, and its tables name every setting with its default."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from glueprint.assays import twins

PAGE = (Path(__file__).parents[2] / "docs" / "twins.md").read_text(encoding="utf-8")
HEADINGS = {
    "fp": "Fluorescence polarisation", "elisa": "TNF-alpha ELISA", "blot": "Blot", "growth": "Growth",
}  # fmt: skip


def test_the_python_example_runs(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.S)
    exec(compile(example, "docs/twins.md", "exec"), {})
    shown = capsys.readouterr().out
    assert "yes, by glueprint assay twin fp, seed 3" in shown
    assert "the truth is 40.0" in shown


@pytest.mark.parametrize("protocol", twins.PROTOCOLS)
def test_every_setting_stands_on_the_page_with_its_default_and_a_source(protocol):
    section = PAGE.split(f"### {HEADINGS[protocol]}\n")[1].split("\n#")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \| (.*?) \|$", section, flags=re.M)
    defaults = twins.PROTOCOLS[protocol].model().model_dump(mode="json")
    assert [name for name, *_ in rows] == list(defaults)
    for name, default, meaning, source in rows:
        said = None if default == "none" else tomllib.loads(f"value = {default}")["value"]
        assert said == defaults[name], name
        assert meaning, name
        assert source or name == "compound", name
