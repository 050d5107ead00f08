"""Virtual patients: distributions, randomisation, follow-up, independence of neighbours."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from glueprint import evidence, trials
from glueprint.mechanism import Scenario, parameters
from glueprint.runs.streams import uniforms
from glueprint.trials import load_protocol
from glueprint.trials.patients.chance import Stream
from glueprint.trials.patients.population import (
    draw_population,
    follow_up_months,
    mechanism_covariates,
    model_parameters,
)
from glueprint.trials.patients.sampling import draw_level, draw_quantity
from glueprint.trials.protocol.case_mix import Count, Levels, LogNormal, Normal
from glueprint.trials.protocol.document import FollowUp
from glueprint.trials.protocol.loading import protocol_from_text

MM003 = load_protocol("mm003")
SPREAD = (np.arange(100_000) + 0.5) / 100_000


def test_a_cut_normal_distribution_is_scipys():
    drawn = draw_quantity(Normal(kind="normal", mean=64, sd=10, low=50, high=80, assumed="test"), SPREAD)
    exact = stats.truncnorm(-1.4, 1.6, loc=64, scale=10)
    assert drawn.mean() == pytest.approx(exact.mean(), rel=1e-5)
    assert drawn.std() == pytest.approx(exact.std(), rel=1e-3)
    assert (drawn.min(), drawn.max()) == pytest.approx((50, 80), abs=0.01)


def test_a_wide_lognormal_distribution_keeps_its_median_and_spread():
    drawn = draw_quantity(
        LogNormal(kind="lognormal", median=20, log_sd=0.5, low=1e-3, high=1e6, assumed="test"), SPREAD
    )
    assert np.median(drawn) == pytest.approx(20, rel=1e-3)
    assert np.log(drawn).std() == pytest.approx(0.5, rel=1e-3)


def test_counts_are_whole_and_inside():
    drawn = draw_quantity(Count(kind="count", median=5, log_sd=0.45, low=2, high=17, assumed="test"), SPREAD)
    assert (drawn == np.rint(drawn)).all()
    assert (drawn.min(), np.median(drawn), drawn.max()) == (2, 5, 17)


def test_levels_have_their_shares():
    names = draw_level(Levels(kind="levels", shares={"a": 0.2, "b": 0.5, "c": 0.3}, assumed="test"), SPREAD)
    assert [np.mean(names == name) for name in "abc"] == pytest.approx([0.2, 0.5, 0.3], abs=1e-4)


def test_follow_up_meets_its_three_times():
    months = follow_up_months(
        FollowUp(minimum_months=5, median_months=10, maximum_months=23.5, assumed="test"), SPREAD
    )
    assert (months.min(), np.median(months), months.max()) == pytest.approx((5, 10, 23.5), abs=0.01)


def test_patients_do_not_depend_on_how_many_are_drawn():
    larger = MM003.model_copy(
        update={"arms": tuple(arm.model_copy(update={"patients": arm.patients + 50}) for arm in MM003.arms)}
    )
    few = draw_population(MM003, Stream(5, "mm003", 1))
    many = draw_population(larger, Stream(5, "mm003", 1))
    for name, values in few.values.items():
        assert (many.values[name][: few.size] == values).all()


def test_replicates_and_seeds_differ():
    first, second, other = (
        draw_population(MM003, stream).values["age_y"]
        for stream in (Stream(1, "mm003", 1), Stream(1, "mm003", 2), Stream(2, "mm003", 1))
    )
    assert not np.isin(first, second).any()
    assert not np.isin(first, other).any()


def test_random_effects_have_the_covariance_of_the_mechanism():
    names, covariance = parameters.random_effects(Scenario.of())
    people = draw_population(MM003, Stream(1, "mm003", 1))
    values = model_parameters(MM003, people, Stream(1, "mm003", 1))
    typical = parameters.typical(Scenario.of())
    effects = np.log(
        np.stack([values["growth_per_d"], values["kill_per_d"]])
        / [[typical["growth_per_d"]], [typical["kill_per_d"]]]
    )
    i, j = names.index("growth_per_d"), names.index("kill_per_d")
    expected = covariance[np.ix_([i, j], [i, j])]
    # Standard error of a variance over 455 patients is 6.6 % of it.
    assert np.cov(effects) == pytest.approx(expected, rel=0.3)
    assert set(values["lag_h"]) == {0.206}


def test_conditions_of_an_arm_act_on_its_patients_alone():
    arms = (MM003.arms[0].model_copy(update={"conditions": ("fluvoxamine",)}), MM003.arms[1])
    stream = Stream(1, "mm003", 1)
    people = draw_population(MM003, stream)
    plain, inhibited = (
        model_parameters(protocol, people, stream)["clearance_l_per_h"]
        for protocol in (MM003, MM003.model_copy(update={"arms": arms}))
    )
    assert (inhibited / plain)[people.arm == 1] == pytest.approx(1.0, abs=1e-12)
    # PK026: the area under the curve is 2.251 times as large.
    assert (plain / inhibited)[people.arm == 0] == pytest.approx(2.251, rel=0.01)


def test_the_mechanism_gets_numbers_and_levels_by_its_own_names():
    protocol = protocol_from_text(
        trials.template().replace(
            "none = 1.0, mild = 0, moderate = 0", "none = 0.5, mild = 0.3, moderate = 0.2"
        ),
        where="my.toml",
    )
    people = draw_population(protocol, Stream(1, "levels", 1))
    mine = people.arm == 1
    known = mechanism_covariates(people, mine, ("dialysis",))
    assert set(known) <= {*parameters.COVARIATES, *parameters.OPTIONAL}
    assert set(known) >= {"crbn_level", "smoker", "high_risk", "hepatic_severe", "anc0", "m_protein0"}
    assert (known["dialysis"] == 1).all()
    assert (known["hepatic_mild"] == (people.levels["hepatic_impairment"][mine] == "mild")).all()
    assert 0 < known["hepatic_moderate"].sum() < mine.sum()
    assert (known["haemoglobin0"] == people.values["haemoglobin_g_per_dl"][mine]).all()


def test_uniform_numbers_are_not_shared_between_purposes():
    assert uniforms(1, "a", [0], 1) != uniforms(1, "b", [0], 1)


@pytest.mark.parametrize("name", ["mm002", "mm003", "template"])
def test_every_evidence_id_of_a_protocol_exists(name):
    known = set(evidence.load().frame["id"])
    text = (Path(trials.__file__).parent / "protocol" / "protocols" / f"{name}.toml").read_text(
        encoding="utf-8"
    )
    cited = set(re.findall(r"\b(?:CL|SAF|PK)\d{3}[a-z]?\b", text))
    assert len(cited) > 5
    assert cited - known == set()


def test_every_evidence_id_of_the_dose_rules_exists():
    known = set(evidence.load().frame["id"])
    text = (Path(trials.__file__).parent / "protocol" / "rules" / "pomalidomide-us-label.toml").read_text(
        encoding="utf-8"
    )
    assert set(re.findall(r"\b(?:CL|SAF)\d{3}[a-z]?\b", text)) - known == set()
