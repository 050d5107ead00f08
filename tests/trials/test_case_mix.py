"""Who is enrolled: covariates that go together, optional ones, stages at entry, and what a case-mix may not
say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtri

from glueprint import trials
from glueprint.errors import InputError
from glueprint.runs.streams import uniforms
from glueprint.trials.patients.chance import Stream
from glueprint.trials.patients.population import draw_population
from glueprint.trials.patients.sampling import correlate
from glueprint.trials.patients.staging import iss_stage
from glueprint.trials.protocol.loading import protocol_from_text

MM003 = trials.load_protocol("mm003")
TEMPLATE = trials.template()


def enlarged(patients):
    arms = (MM003.arms[0].model_copy(update={"patients": patients}),)
    plan = MM003.randomisation.model_copy(update={"ratio": (1,), "blocks_of": 1})
    return MM003.model_copy(update={"arms": arms, "randomisation": plan})


@pytest.fixture(scope="module")
def crowd():
    return draw_population(enlarged(20_000), Stream(1, "crowd", 1))


def refused(old, new):
    assert old in TEMPLATE
    with pytest.raises(InputError) as caught:
        protocol_from_text(TEMPLATE.replace(old, new, 1), where="my.toml")
    return caught.value


def test_correlated_uniforms_are_uniform_and_their_scores_correlate_as_asked():
    wanted = np.array([[1.0, -0.6, 0.3], [-0.6, 1.0, 0.2], [0.3, 0.2, 1.0]])
    independent = np.concatenate([uniforms(1, str(k), np.arange(40_000), 1) for k in range(3)], axis=1)
    found = correlate(independent, wanted)
    # Standard error of a correlation over 40,000 pairs is 0.005.
    assert np.corrcoef(ndtri(found).T) == pytest.approx(wanted, abs=0.02)
    assert np.quantile(found, [0.1, 0.5, 0.9], axis=0) == pytest.approx(
        np.tile([[0.1], [0.5], [0.9]], 3), abs=0.01
    )
    assert found[:, 0] == pytest.approx(independent[:, 0], abs=1e-12)
    assert correlate(independent, np.eye(3)) == pytest.approx(independent, abs=1e-12)


def test_a_patient_keeps_its_correlated_draw_whoever_else_is_drawn(crowd):
    few = draw_population(enlarged(50), Stream(1, "crowd", 1))
    for name, values in few.values.items():
        assert (values == crowd.values[name][:50]).all(), name


@pytest.mark.parametrize("item", MM003.case_mix.correlations, ids=lambda item: "-".join(item.between))
def test_the_shipped_correlations_are_those_of_the_patients(crowd, item):
    ranks = np.stack([crowd.values[name].argsort().argsort() for name in item.between])
    # Spearman's rho of a Gaussian copula is 6/pi asin(rho/2), which limits do not change.
    expected = 6 / np.pi * np.arcsin(item.value / 2)
    assert np.corrcoef(ranks)[0, 1] == pytest.approx(expected, abs=0.03)


def test_pairs_that_are_not_named_are_independent(crowd):
    named = {frozenset(item.between) for item in MM003.case_mix.correlations}
    names = [name for name in crowd.values if name != "iss_stage"]
    matrix = np.corrcoef(np.stack([crowd.values[name] for name in names]))
    for i, first in enumerate(names):
        for j, second in enumerate(names[:i]):
            if {first, second} not in named:
                assert abs(matrix[i, j]) < 0.04, (first, second)


def test_correlation_does_not_change_who_a_covariate_alone_describes(crowd):
    mix = MM003.case_mix
    assert np.median(crowd.values["m_protein_g_per_l"]) == pytest.approx(
        mix.m_protein_g_per_l.median, rel=0.03
    )
    assert np.median(crowd.values["albumin_g_per_l"]) == pytest.approx(mix.albumin_g_per_l.mean, rel=0.01)
    # CL186: 5 and 95 % of another population, 170 and 1034 nmol/L at 11.73 kDa.
    spread = np.quantile(crowd.values["beta2_microglobulin_mg_per_l"], [0.05, 0.95])
    assert spread == pytest.approx([170 * 0.01173, 1034 * 0.01173], rel=0.15)


def test_the_shipped_albumin_correlation_follows_from_its_rows():
    # CL190: power -2.74; CL187: spread of log albumin 15 / 3.29 / 38; CL194: the rest of log M-protein.
    slope = -2.74 * (45 - 30) / (2 * ndtri(0.95)) / 38
    item = next(
        i for i in MM003.case_mix.correlations if set(i.between) >= {"m_protein_g_per_l", "albumin_g_per_l"}
    )
    assert item.value == pytest.approx(slope / np.sqrt(slope**2 + 0.343), abs=0.01)


def test_stages_are_those_of_the_definition(crowd):
    albumin, beta2 = np.array([35, 34.9, 40, 40, 20]), np.array([3.49, 3.49, 3.5, 5.5, 5.49])
    assert iss_stage(albumin, beta2).tolist() == [1, 2, 2, 3, 2]
    found = crowd.values["iss_stage"]
    assert set(found) == {1, 2, 3}
    mine = iss_stage(crowd.values["albumin_g_per_l"], crowd.values["beta2_microglobulin_mg_per_l"])
    assert (found == mine).all()


def test_patients_can_be_stratified_by_stage():
    old = 'covariate = "age_y"                   # a covariate of the case-mix\ncuts = [75] '
    text = TEMPLATE.replace(old, 'covariate = "iss_stage"\ncuts = [1, 2] ')
    protocol = protocol_from_text(text, where="my.toml")
    people = draw_population(protocol, Stream(1, "staged", 1))
    # Three stages by two levels of cytogenetic risk.
    assert people.stratum.max() == 5
    assert np.bincount(people.arm).tolist() == [arm.patients for arm in protocol.arms]


def test_what_is_left_out_is_not_drawn():
    lines = [line for line in TEMPLATE.splitlines() if not line.startswith(("smoking", "crbn_level"))]
    protocol = protocol_from_text("\n".join(lines), where="my.toml")
    people = draw_population(protocol, Stream(1, "short", 1))
    assert {"smoking", "crbn_level"} & {*people.levels, *people.values} == set()
    whole = draw_population(protocol_from_text(TEMPLATE, where="my.toml"), Stream(1, "short", 1))
    assert (whole.values["age_y"] == people.values["age_y"]).all()


def test_covariates_reach_the_table_of_patients_in_their_own_columns():
    protocol = MM003.model_copy(
        update={"arms": tuple(arm.model_copy(update={"patients": 6}) for arm in MM003.arms)}
    )
    table = trials.run(protocol, seed=1).patients
    people = draw_population(protocol, Stream(1, "mm003", 1))
    for name, values in {**people.values, **people.levels}.items():
        assert table[name].to_list() == values.tolist(), name


def test_a_narrow_eligibility_of_a_wide_distribution_is_fine():
    old = "median = 72, log_sd = 0.38, low = 30, high = 188"
    protocol = protocol_from_text(
        TEMPLATE.replace(old, "median = 72, log_sd = 0.38, low = 30, high = 35"), where="my.toml"
    )
    clearance = draw_population(protocol, Stream(1, "renal", 1)).values["creatinine_clearance_ml_per_min"]
    assert 30 < clearance.min() < clearance.max() < 35
    assert np.unique(clearance).size == clearance.size


@pytest.mark.parametrize(
    ("between", "part"),
    [
        ('["age_y", "age_y"]', "age_y"),
        ('["age_y", "sex"]', "age_y and sex"),
        ('["age_y", "albumine"]', "age_y and albumine"),
        ('["m_protein_g_per_l", "albumin_g_per_l"]', "albumin_g_per_l and m_protein_g_per_l"),
    ],
)
def test_a_correlation_that_is_none(between, part):
    error = refused('between = ["albumin_g_per_l", "beta2_microglobulin_mg_per_l"]', f"between = {between}")
    assert error.code == "GP-T040"
    assert part in error.message
    assert "case_mix" in error.where
    assert "beta2_microglobulin_mg_per_l" in error.expected


def test_correlations_that_contradict_each_other():
    more = """
[[case_mix.correlations]]
between = ["beta2_microglobulin_mg_per_l", "m_protein_g_per_l"]
value = -0.9
assumed = "test"
"""
    text = (
        TEMPLATE.replace("value = -0.49", "value = -0.9").replace("value = -0.4\n", "value = -0.9\n") + more
    )
    with pytest.raises(InputError, match=r"GP-T041 my\.toml, case_mix: the correlations between"):
        protocol_from_text(text, where="my.toml")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("value = -0.49", "value = -1", "GP-T007"),
        ('value = -0.4\nassumed = "both follow the disease"', "value = -0.4", "GP-T013"),
        ("{ male = 0.549, female = 0.451 }", "{ man = 0.549, female = 0.451 }", "GP-T043"),
        ("{ non_smoker = 0.9, smoker = 0.1 }", "{ no = 0.9, smoker = 0.1 }", "GP-T043"),
        ("mean = 64, sd = 10, low = 34, high = 88", "mean = 64, sd = 1, low = 70, high = 88", "GP-T044"),
        ("mean = 64, sd = 10, low = 34, high = 88", "mean = 64, sd = 1, low = 34, high = 60", "GP-T044"),
        (
            "median = 72, log_sd = 0.38, low = 30, high = 188",
            "median = 7, log_sd = 0.1, low = 30, high = 188",
            "GP-T044",
        ),
        (
            "median = 5, log_sd = 0.45, low = 2, high = 17",
            "median = 1, log_sd = 0.1, low = 2, high = 17",
            "GP-T044",
        ),
        ("mean = 64, sd = 10, low = 34, high = 88", "mean = 64, sd = 10, low = -34, high = 88", "GP-T007"),
    ],
)
def test_what_a_case_mix_may_not_say(old, new, code):
    assert refused(old, new).code == code


def test_an_unknown_level_names_those_that_are_known():
    error = refused("standard = 0.75", "low = 0.75")
    assert error.code == "GP-T043"
    assert error.expected == "levels of cytogenetic_risk out of standard, high, unknown"
