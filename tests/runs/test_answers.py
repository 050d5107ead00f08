"""Answers from elsewhere: what was encoded comes back, and nothing else is taken."""

from __future__ import annotations

import json

import pytest

from glueprint.errors import EnvironmentProblemError, InputError
from glueprint.runs import answers
from glueprint.runs.units import Receipt

RECEIPT = Receipt("mm003/000001", {"patients": "0" * 64}, {"patients": 3, "failed": 0}, {"numpy": "2"})


def test_a_receipt_an_error_and_data_come_back():
    assert answers.decode(answers.encode(RECEIPT)) == RECEIPT
    assert answers.decode(answers.encode([RECEIPT, RECEIPT])) == [RECEIPT, RECEIPT]
    assert answers.decode(answers.encode({"a": [1, 2.5, None]})) == {"a": [1, 2.5, None]}
    assert answers.decode(answers.encode([])) == []
    error = InputError("GP-R010", "no", where="w", expected="e", next_step="n")
    error.add_note("how it came")
    back = answers.decode(answers.encode(error))
    assert type(back) is InputError
    assert back.as_dict() == error.as_dict()
    assert back.__notes__ == ["how it came"]


@pytest.mark.parametrize(
    "content",
    [
        None,
        {"value": 1},
        b"",
        b"not json",
        b"[1]",
        b"{}",
        b"[" * 100_000,
        json.dumps({"receipt": {"unit": "../../x", "files": {}, "facts": {}, "made_with": {}}}).encode(),
        json.dumps({"receipt": {"unit": "a", "files": [], "facts": {}, "made_with": {}}}).encode(),
        json.dumps({"receipt": {"unit": "a"}}).encode(),
        json.dumps({"each": [{"receipt": {"unit": "a"}}]}).encode(),
        json.dumps({"each": 1}).encode(),
        json.dumps({"error": {"family": "exit"}, "notes": []}).encode(),
    ],
)
def test_what_no_worker_of_ours_answers_is_refused(content):
    with pytest.raises(EnvironmentProblemError, match="GP-R021"):
        answers.decode(content)
