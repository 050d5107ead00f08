"""Covariates that a protocol leaves out, drawn from the reference population given the others."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint import trials
from glueprint.errors import InputError
from glueprint.trials import ParameterDraws
from glueprint.trials.patients import Stream, draw_population
from glueprint.trials.patients.reference import unstated
from glueprint.trials.protocol import Levels, Protocol
from glueprint.trials.protocol.loading import protocol_from_text, source

PLAN = trials.load_protocol("mm003")
N = 4000
STREAM = Stream(1, "mm003", 1)


def without(*names: str, **changed: object) -> Protocol:
    """MM-003 in one arm of many, whose case-mix lacks some covariates."""
    left = [pair for pair in PLAN.case_mix.correlations if not set(pair.between) & set(names)]
    mix = PLAN.case_mix.model_copy(update={**dict.fromkeys(names), "correlations": tuple(left), **changed})
    arm = PLAN.arms[0].model_copy(update={"patients": N})
    alone = PLAN.randomisation.model_copy(update={"ratio": (1,), "blocks_of": 1, "strata": ()})
    return PLAN.model_copy(update={"arms": (arm,), "case_mix": mix, "randomisation": alone})


def drawn(plan):
    people = draw_population(plan, STREAM)
    return people, *unstated(plan.case_mix, people.values, people.number, STREAM)


def test_what_a_protocol_states_is_not_drawn_again():
    _, levels, values = drawn(without())
    assert set(levels) == {"ldh", "ecog", "extramedullary"}
    assert values == {}


def test_shares_are_those_of_the_reference():
    _, levels, _ = drawn(without())
    for name, level, share in (("ldh", "high", 0.3), ("extramedullary", "yes", 0.1), ("ecog", "2", 0.1)):
        assert (levels[name] == level).mean() == pytest.approx(share, abs=4 * np.sqrt(share / N))


def test_a_marker_left_out_follows_what_is_stated():
    people, _, values = drawn(without("beta2_microglobulin_mg_per_l"))
    marker = np.log(values["beta2_microglobulin_mg_per_l"])
    assert np.exp(np.median(marker)) == pytest.approx(4.27, rel=0.05)
    assert np.corrcoef(marker, people.values["albumin_g_per_l"])[0, 1] == pytest.approx(-0.4, abs=0.06)
    clearance = np.log(people.values["creatinine_clearance_ml_per_min"])
    assert np.corrcoef(marker, clearance)[0, 1] == pytest.approx(-0.5, abs=0.06)
    assert set(np.unique(values["iss_stage"])) == {1.0, 2.0, 3.0}


def test_high_ldh_is_commoner_where_the_stated_marker_is_high():
    mix = PLAN.case_mix.beta2_microglobulin_mg_per_l
    low = without(beta2_microglobulin_mg_per_l=mix.model_copy(update={"median": 2.0, "log_sd": 0.1}))
    high = without(beta2_microglobulin_mg_per_l=mix.model_copy(update={"median": 12.0, "log_sd": 0.1}))
    shares = [(drawn(plan)[1]["ldh"] == "high").mean() for plan in (low, high)]
    assert shares[0] < 0.25
    assert shares[1] > 0.4


def test_levels_that_act_are_known_by_name():
    with pytest.raises(InputError, match="GP-T043"):
        protocol_from_text(
            source("mm003").replace("lenalidomide_and_bortezomib = 0.75", "both = 0.75"), where="mine.toml"
        )


def test_every_new_covariate_moves_survival_and_the_stated_ones_are_in_the_table():
    draws = ParameterDraws(("death_per_month",), np.array([[0.02]]), "burden")
    deaths = {}
    for level in ("0", "2"):
        mix = {"ecog": Levels(kind="levels", shares={level: 1.0}, assumed="a test")}
        plan = without(**mix)
        few = plan.model_copy(update={"arms": (plan.arms[0].model_copy(update={"patients": 300}),)})
        table = trials.run(few, seed=1, draws=draws).patients
        assert table["ecog"].unique().to_list() == [level]
        deaths[level] = table["os_event"].sum()
    assert deaths["2"] > deaths["0"]


def test_later_therapy_is_worth_months():
    draws = ParameterDraws(("death_per_month",), np.array([[0.02]]), "burden")
    few = without().model_copy(update={"arms": (PLAN.arms[0],)})
    found = trials.run(few, seed=1, draws=draws, counterfactual=True).endpoints
    value = dict(found.select("endpoint", "value").iter_rows())
    assert value["median_os"] - value["median_os_without_later"] > 2.0
