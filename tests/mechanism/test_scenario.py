"""A scenario holds all that is chosen, is what it holds, and refuses what there is not."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError, replace

import pytest

from glueprint.errors import InputError
from glueprint.experiments.cultures import grow
from glueprint.mechanism import TYPICAL_STRUCTURE, Scenario, compounds, lines, models, parameters

SCENARIO = Scenario.of()
OTHERS = (
    {"compound": "lenalidomide"},
    {"structure": "two-clone"},
    {"overrides": {"kd_nm": 100.0}},
    {"line": "OPM2"},
    {"form": "kinetic"},
    {"medium": "blood"},
)


def test_the_reference_compound_is_meant_where_none_is_named():
    assert SCENARIO.compound.name == compounds.REFERENCE == "pomalidomide"
    assert (SCENARIO.structure, SCENARIO.form) == (TYPICAL_STRUCTURE, "reduced")
    assert SCENARIO.line is SCENARIO.medium is None


@pytest.mark.parametrize("given", ["lenalidomide", compounds.load("lenalidomide")])
def test_names_and_values_give_the_same_scenario(given):
    found = Scenario.of(given, line="OPM2")
    assert found == Scenario.of("lenalidomide", line=lines.load("OPM2"))
    assert hash(found) == hash(Scenario.of("lenalidomide", line="OPM2"))


@pytest.mark.parametrize("choice", OTHERS, ids=lambda choice: next(iter(choice)))
def test_every_choice_tells_scenarios_apart(choice):
    other = Scenario.of(**choice)
    assert other != SCENARIO
    assert other == Scenario.of(**choice)
    assert len({other, SCENARIO, Scenario.of(**choice)}) == 2


def test_one_name_with_other_numbers_is_another_compound(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(compounds.source("pomalidomide").replace("typical = 264.0", "typical = 132.0"), "utf-8")
    other = Scenario.of(path)
    assert other.compound.name == SCENARIO.compound.name
    assert other != SCENARIO
    assert parameters.typical(other)["kd_nm"] == 132.0
    assert grow("culture_myeloma", other).typical("kd_nm") == 132.0


def test_a_copy_with_other_numbers_is_another_compound_too():
    glue = compounds.load("pomalidomide")
    assert Scenario.of(glue) == SCENARIO
    weaker = glue.kd().model_copy(update={"typical": 1000.0})
    copy = glue.model_copy(update={"pharmacology": glue.pharmacology.model_copy(update={"kd_nm": weaker})})
    assert copy.digest != glue.digest
    assert Scenario.of(copy) != SCENARIO
    assert hash(copy) != hash(glue)
    assert glue.model_copy(update={"name": "other"}).digest == glue.digest


def test_a_culture_is_kept_for_equal_scenarios():
    assert grow("culture_treg", Scenario.of()) is grow("culture_treg", Scenario.of())
    assert grow("culture_treg", Scenario.of(medium="blood")) is not grow("culture_treg", SCENARIO)


@pytest.mark.parametrize("choice", OTHERS, ids=lambda choice: next(iter(choice)))
def test_a_scenario_reaches_another_process_whole(choice):
    there = pickle.loads(pickle.dumps(Scenario.of(**choice)))
    assert there == Scenario.of(**choice)
    assert there.key == Scenario.of(**choice).key


def test_nothing_of_a_scenario_can_be_changed():
    given = {"kd_nm": 100.0}
    scenario = Scenario.of(overrides=given)
    given["kd_nm"] = 1.0
    assert dict(scenario.overrides) == {"kd_nm": 100.0}
    with pytest.raises(TypeError):
        scenario.overrides["kd_nm"] = 1.0
    with pytest.raises(FrozenInstanceError):
        scenario.form = "kinetic"


def test_other_overrides_replace_those_there_were():
    scenario = Scenario.of("lenalidomide", overrides={"kd_nm": 100.0}, structure="two-clone")
    assert scenario.with_overrides({"growth_per_d": 0.03}) == Scenario.of(
        "lenalidomide", overrides={"growth_per_d": 0.03}, structure="two-clone"
    )
    assert dict(scenario.overrides) == {"kd_nm": 100.0}


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (
            {"structure": "two_clone"},
            r'GP-M052 structure: no structure "two_clone" .*did you mean "two-clone"',
        ),
        ({"form": "kinetics"}, r'GP-M030 unknown form "kinetics" .did you mean "kinetic"'),
        ({"compound": "pomalidomid"}, r'GP-M001 .*did you mean "pomalidomide"'),
        ({"line": "MM2S"}, r'GP-M031 .*did you mean "MM1S"'),
    ],
)
def test_what_there_is_not_is_refused_at_once_with_the_nearest(choice, told):
    with pytest.raises(InputError, match=told):
        Scenario.of(**choice)


def test_a_changed_copy_is_checked_too():
    with pytest.raises(InputError, match="GP-M052"):
        replace(SCENARIO, structure="three-clone")


@pytest.mark.parametrize("structure", ["claret", "two-clone"])
def test_scenarios_of_one_shape_share_their_statements(structure):
    one, other = (Scenario.of(overrides={"kd_nm": kd}, structure=structure) for kd in (1.0, 2.0))
    assert models.shape(one) == models.shape(other)
    assert (models.shape(one) == models.shape(SCENARIO)) == (structure == "claret")
