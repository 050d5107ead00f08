"""Trials under draws of parameters: which row a replicate takes, what it changes, what it leaves alone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from glueprint import trials
from glueprint.errors import InputError
from glueprint.mechanism import Scenario, compounds, models, parameters
from glueprint.trials.patients.chance import Stream
from glueprint.trials.patients.draws import ParameterDraws, Truth
from glueprint.trials.patients.population import draw_population, model_parameters
from glueprint.trials.running import keep_group, read_units, units_of

MM003 = trials.load_protocol("mm003")
SHORT = MM003.model_copy(
    update={
        "arms": tuple(
            arm.model_copy(update={"patients": size}) for arm, size in zip(MM003.arms, (40, 20), strict=True)
        )
    }
)
STREAM = Stream(1, "mm003", 1)


def drawn(names, *rows, **options):
    return ParameterDraws(names, np.array(rows, dtype=np.float64), **options)


def of_patients(truth):
    return model_parameters(SHORT, draw_population(SHORT, STREAM, truth), STREAM)


def test_one_structure_is_meant_where_none_is_named():
    assert Scenario.of().structure == Truth().structure == drawn(("kd_nm",), (1.0,)).structure
    text = models.source("trial", Scenario.of())
    assert text == models.source(models.TRIALS[Scenario.of().structure], Scenario.of())


def test_replicates_take_the_rows_in_turn():
    draws = drawn(("growth_per_d", "study_death_ratio"), (0.01, 1), (0.02, 2), (0.03, 3))
    taken = [draws.truth(replicate).overrides["study_death_ratio"] for replicate in range(1, 8)]
    assert taken == [1, 2, 3, 1, 2, 3, 1]
    assert [unit.truth for unit in units_of(SHORT, 4, 1, draws=draws)] == [
        draws.truth(r) for r in range(1, 5)
    ]


def test_draws_cannot_be_changed_from_outside():
    values = np.array([[1.0]])
    draws = ParameterDraws(("study_death_ratio",), values)
    values[0, 0] = 5
    assert draws.truth(1).overrides == {"study_death_ratio": 1}
    with pytest.raises(ValueError, match="read-only"):
        draws.values[0, 0] = 2


def test_the_truth_does_not_change_who_is_enrolled():
    plain, other = (draw_population(SHORT, STREAM, truth) for truth in (None, Truth({"growth_per_d": 0.1})))
    assert (plain.arm == other.arm).all()
    for name, values in plain.values.items():
        assert (values == other.values[name]).all()


def test_typical_values_of_everybody_move_together():
    plain, other = of_patients(Truth()), of_patients(Truth({"growth_per_d": 0.03, "kd_nm": 50.0}))
    growth = parameters.typical(Scenario.of())["growth_per_d"]
    assert other["growth_per_d"] / plain["growth_per_d"] == pytest.approx(0.03 / growth)
    assert "kd_nm" not in plain
    assert (other["kd_nm"] == 50).all()
    unchanged = plain.keys() - {"growth_per_d"}
    assert all((plain[name] == other[name]).all() for name in unchanged)


def test_a_variance_moves_the_spread_and_not_the_middle():
    names, covariance = parameters.random_effects(Scenario.of())
    before = covariance[names.index("kill_per_d"), names.index("kill_per_d")]
    one, two, three = (
        np.log(of_patients(Truth({"omega2.kill_per_d": k**2 * before}))["kill_per_d"]) for k in (1, 2, 3)
    )
    # The random effect grows with the standard deviation; what covariates do stays.
    assert three - two == pytest.approx(two - one)
    assert (one == np.log(of_patients(Truth())["kill_per_d"])).all()


def test_the_ratio_of_the_study_multiplies_each_patients_hazard_of_death():
    plain, other = of_patients(Truth()), of_patients(Truth({"study_death_ratio": 2.5}))
    assert other["death_per_month"] == pytest.approx(2.5 * plain["death_per_month"])


def test_numbers_of_one_compound_are_not_put_on_another():
    truth = Truth({"kd_nm": 50.0, "growth_per_d": 0.03, "omega2.growth_per_d": 0.2})
    own, other = compounds.load("pomalidomide"), compounds.load("lenalidomide")
    assert truth.scenario(own) == Scenario(own, "claret", truth.overrides)
    # What is known of two affinities is their ratio, so that of another glue moves with it.
    moved = other.kd().typical * 50.0 / own.kd().typical
    known = {"growth_per_d": 0.03, "omega2.growth_per_d": 0.2, "kd_nm": pytest.approx(moved)}
    assert truth.scenario(other).overrides == known


def test_other_numbers_of_a_compound_stay_its_own():
    truth = Truth({"clearance_l_per_h": 1.0, "ikzf1_myeloma_rho": 3.0, "load_cap": 2.0})
    assert truth.scenario(compounds.load("lenalidomide")).overrides == {"load_cap": 2.0}


def test_draws_beside_hold_for_patients_on_their_own_glue():
    other = compounds.load("lenalidomide")
    reference = drawn(("kd_nm", "growth_per_d"), (300.0, 0.01), (400.0, 0.02))
    draws = drawn(("kd_nm", "growth_per_d"), (30.0, 0.01), (50.0, 0.02), compound=other, beside=reference)
    truth = draws.truth(2)
    assert truth.scenario(other).overrides == {"kd_nm": 50.0, "growth_per_d": 0.02}
    assert truth.scenario(reference.compound).overrides == {"kd_nm": 400.0, "growth_per_d": 0.02}


def test_a_copy_under_another_name_is_the_same_compound():
    own = compounds.load("pomalidomide")
    copy = own.model_copy(update={"name": "copy"})
    truth = Truth({"kd_nm": 50.0, "clearance_l_per_h": 1.0})
    assert truth.scenario(copy).overrides == truth.scenario(own).overrides == truth.overrides


def test_typical_values_drawn_once_more_are_no_draws_at_all():
    typical = parameters.typical(Scenario.of())
    draws = drawn(("growth_per_d", "kill_per_d"), [typical["growth_per_d"], typical["kill_per_d"]])
    assert trials.run(SHORT, seed=1, draws=draws).patients.equals(trials.run(SHORT, seed=1).patients)


def test_deaths_follow_the_ratio():
    few, many = (
        trials.run(SHORT, seed=1, draws=drawn(("study_death_ratio",), [ratio])).patients["os_event"].sum()
        for ratio in (0.05, 2.0)
    )
    assert few < 0.3 * many


def test_workers_and_folders_do_not_change_a_bit(tmp_path, elsewhere):
    draws = drawn(("study_death_ratio",), [0.5], [2.0], label="predicted")
    one = trials.run(SHORT, replicates=3, seed=4, draws=draws)
    two = trials.run(SHORT, replicates=3, seed=4, draws=draws, workers=2)
    assert [one.workers for one in elsewhere] == [2]
    for unit in units_of(SHORT, 3, 4, draws=draws):
        keep_group(tmp_path, (unit,))
    kept = read_units(tmp_path, SHORT, 3, 4, draws=draws)
    for name, table in one.tables().items():
        assert table.equals(two.tables()[name]), name
        assert table.equals(kept.tables()[name]), name
    alone = trials.run(SHORT, replicates=1, seed=4, draws=draws)
    assert alone.patients.equals(one.patients.filter(pl.col("replicate") == 1))
    assert [result.label for result in (one, two, kept)] == ["predicted"] * 3


@pytest.mark.parametrize(
    ("names", "values", "part"),
    [
        (("a",), [[1.0, 2.0]], "values of shape (1, 2) for 1 names"),
        (("a",), np.empty((0, 1)), "values of shape (0, 1)"),
        (("a",), [1.0], "values of shape (1,)"),
        (("a",), [[np.nan]], "not finite"),
        (("a", "a"), [[1.0, 2.0]], "a name twice among a, a"),
    ],
)
def test_draws_that_do_not_fit_their_names(names, values, part):
    with pytest.raises(InputError, match="GP-T042") as caught:
        ParameterDraws(names, np.array(values))
    assert part in caught.value.message


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("growth_per_day", 0.01, "GP-M050"),
        ("omega2.death_per_month", 0.1, "GP-M050"),
        ("growth_per_d", -0.01, "GP-M051"),
    ],
)
def test_draws_that_the_mechanism_cannot_have_are_refused_before_any_trial_is_run(name, value, code):
    with pytest.raises(InputError, match=code):
        trials.run(SHORT, draws=drawn((name,), [0.01], [value]))


def test_the_other_structure_of_the_tumour_can_be_run():
    share = drawn(("resistant_share0",), [0.01], structure="two-clone")
    few = trials.run(SHORT, seed=1, draws=share)
    many = trials.run(SHORT, seed=1, draws=drawn(("resistant_share0",), [0.6], structure="two-clone"))
    assert few.failed == many.failed == 0
    # Nobody who is drawn differs; resistant tumours respond less.
    assert few.patients["age_y"].equals(many.patients["age_y"])
    assert many.patients["best_change_pct"].mean() > few.patients["best_change_pct"].mean() + 3


def test_a_structure_that_there_is_not():
    with pytest.raises(InputError, match="GP-M052"):
        trials.run(SHORT, draws=drawn(("growth_per_d",), [0.01], structure="three-clone"))
