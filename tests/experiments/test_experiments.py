"""The list of experiments: names, settings, and refusals with the nearest name."""

from __future__ import annotations

import dataclasses

import pytest

from glueprint import experiments
from glueprint.errors import InputError


@pytest.mark.parametrize("name", experiments.available())
def test_every_experiment_runs_on_its_defaults(name):
    found = experiments.run(name)
    assert found.name == name
    assert found.title == experiments.title(name)
    assert found.table.height > 0
    assert all(reading.label in ("input", "calibrated", "predicted") for reading in found.readings)
    assert len({reading.name for reading in found.readings}) == len(found.readings)
    assert found.assumptions
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.name = "other"


def test_unknown_experiment_offers_the_nearest():
    with pytest.raises(InputError, match="GP-L001") as caught:
        experiments.run("degradaton")
    assert 'did you mean "degradation"' in caught.value.message


def test_unknown_setting_offers_the_nearest():
    with pytest.raises(InputError, match="GP-L004") as caught:
        experiments.run("degradation", dose_nm=(1.0,))
    assert 'did you mean "doses_nm"' in caught.value.message


def test_unknown_compound_is_refused_by_its_room():
    with pytest.raises(InputError, match="GP-M001"):
        experiments.run("degradation", compound="pomalidomid")


def test_settings_are_listed_with_their_defaults():
    assert experiments.settings_of("degradation")["times_h"] == (1.0, 3.0, 6.0, 24.0)
    assert "compound" not in experiments.settings_of("fp_competition")


def test_a_reading_as_a_dictionary_has_plain_values():
    reading = experiments.run("fp_competition").reading("IC50 read from the curve")
    assert reading.as_dict()["value"] == reading.potency.value_nm
    assert set(reading.as_dict()) == {
        "name",
        "relation",
        "value",
        "low",
        "high",
        "unit",
        "label",
        "claims",
        "note",
    }
