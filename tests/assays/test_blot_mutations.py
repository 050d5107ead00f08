"""Some dozens of mutated images and box files; benchmarks/image_mutations.py does thousands."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="module")
def image_mutations():
    from benchmarks import image_mutations as module

    return module


def test_mutated_images_end_in_an_answer_or_a_code(image_mutations):
    counts, failures = image_mutations.run(90, seed=20260721)
    assert failures == []
    assert counts["analysed"] > 5
    assert counts["GP-A111"] > 10
    assert len(counts) >= 4


def test_every_subject_is_read_as_it_is(image_mutations):
    for name, content in image_mutations.subjects():
        assert image_mutations.outcome(name, content) == "analysed", name


def test_a_mutated_image_is_reproduced_by_its_seed_and_number(image_mutations):
    content = image_mutations.subjects()[0][1]
    one, two = (image_mutations.mutated(content, np.random.default_rng((1, 5)), text=False) for _ in range(2))
    assert one == two
    assert one != content


def test_an_image_error_without_a_code_is_a_failure(image_mutations, monkeypatch):
    def broken(name, content):
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(image_mutations, "outcome", broken)
    _, failures = image_mutations.run(3, seed=2)
    assert all("ZeroDivisionError: planted" in failure.exception for failure in failures)
    assert len(failures) == 3
