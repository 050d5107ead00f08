"""The list of experiments: names, settings, and refusals with the nearest name."""

from __future__ import annotations

import dataclasses

import pytest

from glueprint import experiments
from glueprint.errors import InputError, NotSupportedError
from glueprint.experiments import provenance


@pytest.mark.parametrize("name", experiments.available())
def test_every_experiment_runs_on_its_defaults(name):
    found = experiments.run(name)
    assert found.name == name
    assert found.title == experiments.title(name)
    assert found.table.height > 0
    assert all(reading.label in ("input", "calibrated", "predicted") for reading in found.readings)
    assert len({reading.name for reading in found.readings}) == len(found.readings)
    assert found.assumptions
    assert found.panels
    assert set(found.settings) == set(experiments.settings_of(name))
    assert found.parameters.height > 0
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


def test_a_setting_close_to_a_parameter_offers_it():
    with pytest.raises(InputError, match="GP-L004") as caught:
        experiments.run("proliferation", irf4_ikzf5=0.1)
    assert 'did you mean "irf4_ikzf50"' in caught.value.message
    with pytest.raises(InputError, match="GP-L002"):
        experiments.run("proliferation", irf4_ikzf50="much")


MINE = """
kind = "compound"
version = 1
name = "mine"
[structure]
smiles = "O=C1CCC(N2C(=O)C3=CC=CC=C3C2=O)C(=O)N1"
molar_mass_g_per_mol = { typical = 258.23, unit = "g/mol", role = "assumed", why = "computed" }
[pharmacology]
kd_nm = { typical = 80.0, unit = "nM", role = "assumed", why = "own plate" }
fraction_unbound = { typical = 0.5, unit = "dimensionless", role = "assumed", why = "own dialysis" }
eudismic_ratio = { typical = 10.0, unit = "dimensionless", role = "assumed", why = "own plate" }
[pharmacology.efficacy]
IKZF1 = { typical = 0.7, unit = "dimensionless", role = "assumed", why = "own blots" }
IKZF3 = { typical = 0.7, unit = "dimensionless", role = "assumed", why = "own blots" }
[pharmacology.cooperativity]
IKZF1 = { typical = 4.0, unit = "dimensionless", role = "assumed", why = "own BLI" }
IKZF3 = { typical = 4.0, unit = "dimensionless", role = "assumed", why = "own BLI" }
[stability.serum]
inversion_s_to_r_per_h = { typical = 0.3, unit = "1/h", role = "assumed", why = "own HPLC" }
inversion_r_to_s_per_h = { typical = 0.3, unit = "1/h", role = "assumed", why = "own HPLC" }
hydrolysis_per_h = { typical = 0.1, unit = "1/h", role = "assumed", why = "own HPLC" }
"""


@pytest.mark.parametrize("name", experiments.available())
def test_every_experiment_runs_on_a_compound_written_from_scratch(name, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINE, encoding="utf-8")
    found = experiments.run(name, compound=path)
    assert found.compound == "mine"
    # The evidence speaks of other compounds, so nothing is called a prediction of it.
    published = [r for r in found.readings if r.label == "predicted"]
    assert not published


@pytest.mark.parametrize("name", experiments.available())
def test_every_experiment_names_what_a_bare_compound_lacks(name, tmp_path):
    path = tmp_path / "bare.toml"
    path.write_text(MINE[: MINE.index("[pharmacology]")], encoding="utf-8")
    with pytest.raises(NotSupportedError, match="GP-L003") as caught:
        experiments.run(name, compound=path)
    assert "pharmacology.kd_nm" in caught.value.message


@pytest.mark.parametrize("name", experiments.available())
def test_error_gives_other_wells_and_the_same_seed_the_same(name):
    first, again = (experiments.run(name, seed=3).table for _ in range(2))
    assert first.equals(again)
    assert not first.equals(experiments.run(name, seed=4).table)


# Arithmetic on what was put in, and the model beside its assay: there is nothing to be uncertain of.
WITHOUT_INTERVAL = ("exact", "put in", "steady state", "half-life")


@pytest.mark.parametrize("name", experiments.available())
def test_the_default_design_answers_its_own_question(name):
    found = experiments.run(name)
    assert found.question == experiments.described(name).question
    assert found.question.endswith("?")
    assert tuple(found.table.columns) == experiments.described(name).columns
    # What the assay cannot tell from nothing is an answer; what its doses do not reach is none.
    undetected = set(experiments.described(name).detection.values())
    limits = [
        reading.name
        for reading in found.readings
        if reading.relation not in ("=", "none")
        and (reading.relation, reading.value) not in {("<", limit) for limit in undetected}
    ]
    assert limits == []
    # What is not there at any dose is no gap of the design.
    none = [reading.name for reading in found.readings if reading.relation == "none"]
    assert none == ([f"IC50 at {x} % cereblon" for x in (0, 5, 10)] if name == "crbn_loss" else [])
    for reading in found.readings:
        assert reading.note or reading.relation == "="
        if reading.relation == "=" and not any(word in reading.name for word in WITHOUT_INTERVAL):
            assert reading.low <= reading.value <= reading.high, reading.name


@pytest.mark.parametrize("name", experiments.available())
def test_without_error_no_reading_of_wells_has_an_interval(name):
    found = experiments.run(name, **experiments.without_error(name))
    # Two are read between tested times, which they name.
    between = ("first rise, IL-2", "cells begin to fall")
    assert [r.name for r in found.readings if r.low is not None and r.name not in between] == []
    assert any("no measurement error" in text for text in found.assumptions)


def test_every_claim_belongs_to_a_described_experiment():
    assert set(provenance._claims()) <= set(experiments.available())


def test_a_curve_that_cannot_be_fitted_gives_no_number():
    readings = experiments.run("treg", doses_nm=(5.0,)).readings
    assert {reading.relation for reading in readings} == {"none"}
    assert all("measure more doses" in reading.note for reading in readings)


def test_unknown_compound_is_refused_by_its_room():
    with pytest.raises(InputError, match="GP-M001"):
        experiments.run("degradation", compound="pomalidomid")


def test_settings_are_listed_with_their_defaults():
    assert experiments.settings_of("degradation")["times_h"] == (1.0, 3.0, 6.0, 24.0)
    assert "compound" not in experiments.settings_of("fp_competition")


def test_a_reading_as_a_dictionary_has_plain_values():
    reading = experiments.run("fp_competition").reading("IC50 relative read from the wells")
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


@pytest.mark.parametrize(
    ("name", "reading"),
    [
        ("crbn_loss", "cereblon with half of the response to 1000 nM"),
        ("irf4_time_course", "time to half, IRF4"),
        ("irf4_time_course", "cells on day 5"),
        ("treg", "largest inhibition, Treg"),
        ("nk_killing", "lysis at the highest dose, alone"),
    ],
)
def test_intervals_hold_what_the_protocol_shows_without_error(name, reading):
    true = experiments.run(name, **experiments.without_error(name)).reading(reading).value
    held = 0
    for seed in range(20):
        found = experiments.run(name, seed=seed).reading(reading)
        held += found.low <= true <= found.high
    # 95 % of 20: fewer than 16 by chance once in 400.
    assert held >= 16
