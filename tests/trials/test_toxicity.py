"""CTCAE grades at their limits, by version (evidence SAF104 to SAF116)."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.errors import InputError
from glueprint.trials.protocol import toxicity


@pytest.mark.parametrize("version", [4, 5])
def test_neutropenia_versions_4_and_5(version):
    counts = np.array([2.0, 1.99, 1.5, 1.49, 1.0, 0.99, 0.5, 0.49, np.nan])
    assert toxicity.neutropenia_grade(counts, version=version).tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 0]


def test_neutropenia_version_6_is_one_grade_lower():
    counts = np.array([1.49, 0.99, 0.49, 0.1, 0.09])
    assert toxicity.neutropenia_grade(counts, version=6).tolist() == [1, 2, 3, 3, 4]


def test_thrombocytopenia():
    counts = np.array([150.0, 149.0, 75.0, 74.0, 50.0, 49.0, 25.0, 24.0])
    assert toxicity.thrombocytopenia_grade(counts).tolist() == [0, 1, 1, 2, 2, 3, 3, 4]


def test_anaemia_has_no_laboratory_grade_4():
    assert toxicity.anaemia_grade(np.array([12.0, 11.9, 9.9, 8.0, 7.9, 3.0])).tolist() == [0, 1, 2, 2, 3, 3]


def test_unknown_version():
    with pytest.raises(InputError, match="GP-T020"):
        toxicity.neutropenia_grade(np.array([1.0]), version=3)
