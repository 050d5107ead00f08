"""The page on evidence says what is so, and its examples run."""

from __future__ import annotations

import re
from pathlib import Path

from glueprint import evidence
from glueprint.evidence import CHECKS, COLUMNS, GRADES, INTERVAL_KINDS, ROLES

PAGE = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text(encoding="utf-8")


def test_the_python_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    head = "id,quantity,value,unit,source,grade,role\n"
    Path("my-lab.csv").write_text(head + "MY-1,Kd,300,nM,doi:10.1/x,A,context\n", encoding="utf-8")
    scope: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, "docs/evidence.md", "exec"), scope)
    assert scope["claims"]["MY-1"].value == 300.0


def test_the_said_value_of_the_example(claims):
    assert f"'{claims['BIN-001'].said}'" in PAGE


def test_the_page_names_every_column_word_and_check(claims):
    for word in (*COLUMNS, *GRADES, *ROLES, *(kind for kind in INTERVAL_KINDS if kind)):
        assert f"`{word}`" in PAGE or f"| {word} |" in PAGE, word
    for check in CHECKS:
        assert f"| {check.code} | {check.severity} |" in PAGE
    assert f"{len(claims)} claims in nine CSV files" in PAGE
    assert {claim.topic for claim in claims} <= set(re.findall(r"[a-z]+", PAGE))


def test_the_numbers_of_the_findings_are_those_found():
    said = " ".join(finding.what for finding in evidence.run_checks(evidence.load()))
    for number in ("153.9", "156.6", "77 nM", "41.5", "514", "780", "0.53", "0.72"):
        assert number in said
