"""CTCAE grades at their limits, by version (evidence SAF104 to SAF116c)."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint import evidence
from glueprint.errors import InputError
from glueprint.trials.protocol import adverse_events, laboratory_events
from glueprint.trials.protocol.rules_document import DoseRules

RULES = {event.name: rule for event, rule in laboratory_events()}


@pytest.mark.parametrize("version", [4, 5])
def test_neutropenia_versions_4_and_5(version):
    counts = np.array([2.0, 1.99, 1.5, 1.49, 1.0, 0.99, 0.5, 0.49, np.nan])
    assert RULES["neutropenia"].grade(counts, version).tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 0]


def test_neutropenia_version_6_is_one_grade_lower():
    counts = np.array([1.49, 0.99, 0.49, 0.1, 0.09])
    assert RULES["neutropenia"].grade(counts, 6).tolist() == [1, 2, 3, 3, 4]


def test_thrombocytopenia():
    counts = np.array([150.0, 149.0, 75.0, 74.0, 50.0, 49.0, 25.0, 24.0])
    assert RULES["thrombocytopenia"].grade(counts, 4).tolist() == [0, 1, 1, 2, 2, 3, 3, 4]


def test_anaemia_has_no_laboratory_grade_4():
    counts = np.array([12.0, 11.9, 9.9, 8.0, 7.9, 3.0])
    assert RULES["anaemia"].grade(counts, 4).tolist() == [0, 1, 2, 2, 3, 3]


def test_unknown_version():
    with pytest.raises(InputError, match="GP-T020"):
        RULES["neutropenia"].grade(np.array([1.0]), 3)


def test_every_event_does_something_that_dose_rules_know_or_nothing():
    for event in adverse_events():
        assert event.dosing in (*DoseRules.model_fields, "")
        assert set(event.sources) <= set(evidence.load().frame["id"])
