"""A few hundred mutated plate files: an answer or a coded error; benchmarks/mutations.py does thousands."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def mutations():
    from benchmarks import mutations as module

    return module


def test_mutated_files_end_in_an_answer_or_a_code(mutations, monkeypatch):
    # The examples of the clone alone, so that the test is the same everywhere.
    monkeypatch.setattr(mutations, "SHARED", ROOT / "none")
    counts, failures = mutations.run(300, seed=20260721)
    assert failures == []
    assert counts["read"] > 50
    assert len(counts) > 8


def test_a_mutation_is_reproduced_by_its_seed_and_number(mutations):
    import numpy as np

    subject = mutations.subjects()[0]
    one, two = (mutations.mutated(subject.content, np.random.default_rng((1, 5))) for _ in range(2))
    assert one == two
    assert one != subject.content


def test_an_exception_without_a_code_is_a_failure(mutations, monkeypatch):
    def broken(plate):
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(mutations, "_analysed", broken)
    _, failures = mutations.run(60, seed=2)
    assert failures
    assert all("ZeroDivisionError: planted" in failure.exception for failure in failures)
