"""The benchmark of the clinical fit in worlds of known truth: its pure parts."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from benchmarks import clinic_truth as worlds

from glueprint.calibration import clinical
from glueprint.calibration.clinical.parameters import free
from glueprint.calibration.clinical.summaries import Summary
from glueprint.trials import content_of, load_protocol

RATE = Summary("mm003", "HiDEX", "orr", "rate", (10.0,), ("CL020",), 153)
SHARE = Summary("mm003", "HiDEX", "median_os", "share without event", (8.1, 8.0), ("CL016",), 153)
RATIO = Summary("mm003", "POM+LoDEX vs HiDEX", "hr_os", "hazard ratio", (0.74,), ("CL018",), 455)


def test_coordinates_of_draws_are_those_that_give_them():
    given = free("burden")
    z = np.random.default_rng(1).normal(size=(5, len(given.names)))
    assert worlds.standard(given, pl.DataFrame(given.values(z))) == pytest.approx(z, abs=1e-9)


def test_half_of_the_evidence_lies_between_prior_and_posterior():
    # One coordinate measured with variance 1/3 at 2, another not: the posterior is N(1.5, 1/4) and N(0, 1).
    # Half of that evidence is a variance of 2/3: N(2 * 1.5 / 2.5, 1 / 2.5).
    normal = np.random.default_rng(2).normal(size=(4000, 2))
    normal = (normal - normal.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(normal.T))).T
    z = normal * [0.5, 1.0] + [1.5, 0.0]
    mean, covariance = worlds.tempered(z, 0.5)
    assert mean == pytest.approx([1.2, 0.0])
    assert covariance == pytest.approx(np.diag([0.4, 1.0]))
    assert worlds.tempered(z, 1.0)[0] == pytest.approx(z.mean(axis=0))
    assert worlds.tempered(z, 0.0)[1] == pytest.approx(np.eye(2))


def test_worlds_differ_and_each_is_the_same_again():
    first, again, other = (worlds.truth(world) for world in (1, 1, 2))
    assert first == again
    assert all(first[name] != other[name] for name in free("burden").names)
    assert {belief.name for belief in free("burden").carried} <= set(first)


def test_trials_of_a_world_share_its_truth_but_for_what_trials_differ_in():
    draws = worlds.true_draws(1, 3, 4)
    values = dict(zip(draws.names, draws.values.T, strict=True))
    differ = {name for name, column in values.items() if np.ptp(column) > 0}
    assert differ == set(free("burden").study)
    assert values["growth_per_d"][0] == worlds.truth(1)["growth_per_d"]
    assert not np.array_equal(draws.values, worlds.true_draws(1, 4, 4).values)


@pytest.mark.parametrize(
    ("summary", "value", "reading"), [(RATE, 11.1111, 11.0), (SHARE, 8.1478, 8.1), (RATIO, 0.74444, 0.74)]
)
def test_numbers_are_printed_to_the_digits_of_a_paper(summary, value, reading):
    found = worlds.printed(summary, {"value": value, "n": 150})
    assert (found.readings, found.n, found.key) == ((reading,), 150, summary.key)


@pytest.mark.parametrize(
    "row", [None, {"value": None, "n": 153}, {"value": 8.0, "n": 0}, {"value": 0.02, "n": 153}]
)
def test_what_cannot_be_printed_is_no_target(row):
    assert worlds.printed(SHARE, row) is None


def test_a_rate_of_nought_is_printed():
    assert worlds.printed(RATE, {"value": 0.0, "n": 153}).readings == (0.0,)


def test_held_back_trials_are_none_that_was_fitted_and_differ():
    plans = [worlds.held_back(1, number, (40, 110)) for number in range(20)]
    contents = {content_of(plan) for plan in plans}
    assert len(contents) == 20
    assert contents.isdisjoint({content_of(load_protocol(name)) for name in ("mm002", "mm003")})
    assert not any(clinical.fitted_trial(plan) for plan in plans)
    assert all(40 <= arm.patients <= 110 for plan in plans for arm in plan.arms)
    assert len({tuple(arm.name for arm in plan.arms) for plan in plans}) == 3


def rows(values, endpoint="median_os", unit="months", method="Kaplan-Meier"):
    count = len(values)
    return pl.DataFrame(
        {
            "replicate": range(1, count + 1),
            "arm": ["A"] * count,
            "endpoint": [endpoint] * count,
            "value": values,
            "unit": [unit] * count,
            "n": [50] * count,
            "method": [method] * count,
        },
        schema_overrides={"value": pl.Float64},
    )


def test_a_trial_is_inside_where_it_lies_between_the_ends_of_what_was_predicted():
    predicted, true = rows(np.exp(np.linspace(0, 2, 39))), rows([2.0, *np.exp(np.linspace(0.5, 1.5, 39))])
    (found,) = worlds.scored(predicted, true)
    assert (found["inside"], found["inside_of_truth"], found["ratio"]) == (True, True, 2.0)
    (found,) = worlds.scored(predicted, rows([8.0, *np.exp(np.linspace(0.5, 1.5, 39))]))
    assert (found["inside"], found["inside_of_truth"]) == (False, False)


def test_a_median_not_reached_lies_beyond_all_others_and_has_no_width():
    late = [*np.linspace(5.0, 9.0, 38), None]
    (found,) = worlds.scored(rows(late), rows([None, *np.linspace(5.0, 9.0, 39)]))
    assert (found["value"], found["interval"], found["inside"], found["ratio"]) == (
        None,
        [5.0, None],
        True,
        None,
    )
    assert not found["inside_of_truth"]


def test_only_endpoints_that_were_asked_for_are_scored():
    predicted = rows(np.linspace(1, 2, 39), endpoint="median_dor")
    assert not list(worlds.scored(predicted, rows(np.linspace(1, 2, 40), endpoint="median_dor")))


def test_independent_rows_have_no_design_effect_and_equal_ones_that_of_their_number():
    chance = np.random.default_rng(3).random((400, 20)) < 0.95
    assert worlds.coverage(chance)["design_effect"] == pytest.approx(1.0, abs=0.15)
    clustered = np.repeat(np.random.default_rng(3).random((400, 1)) < 0.95, 20, axis=1)
    found = worlds.coverage(clustered)
    assert found["design_effect"] == pytest.approx(20.0, rel=0.01)
    alone = worlds.coverage(clustered[:, :1])
    assert found["expected"] == pytest.approx(alone["expected"], abs=0.003)


def test_coverage_too_low_is_seen_and_too_few_worlds_say_nothing():
    low = np.random.default_rng(4).random((12, 100)) < 0.85
    assert worlds.coverage(low)["within"] is False
    assert worlds.coverage(low[:9])["within"] is None
    good = np.random.default_rng(5).random((12, 100)) < 0.95
    assert worlds.coverage(good)["within"] is True


def record(world, digest, inside, effort="small"):
    row = {"endpoint": "orr", "inside": inside, "inside_of_truth": True, "ratio": 1.2}
    return {"world": world, "effort": effort, "digest": digest, "status": "ok", "rows": [row] * 4}


def test_worlds_of_another_model_or_effort_are_not_counted():
    own = worlds.digest("burden")
    records = [record(1, own, True), record(2, "other", False), record(3, own, True, "long")]
    found = worlds.summary([*records, record(1, own, True), record(1, "other", False)], "small")
    assert (found["worlds"], found["of_another_model"], found["not_converged"]) == (1, 1, 0)
    assert (found["orr"]["rows"], found["orr"]["inside"], found["orr"]["width_ratio"]) == (4, 1.0, 1.2)
    assert found["orr"]["narrow_enough"] is None
    assert "hr_os" not in found


def test_a_claim_needs_ten_worlds():
    own = worlds.digest("burden")
    found = worlds.summary([record(world, own, True) for world in range(10)], "small")
    assert found["all"]["narrow_enough"] is True
    assert found["all"]["within"] is not None


def test_simulations_that_were_kept_are_not_made_again(tmp_path):
    made = []

    def simulator(z, seeds):
        made.append(len(z))
        return z[:, :2] + seeds[:, None]

    z, seeds = np.arange(500.0).reshape(250, 2), np.arange(250)
    first = worlds.kept_simulations(tmp_path, simulator, z, seeds)
    assert np.array_equal(first, z + seeds[:, None])
    next(tmp_path.glob("*.npy")).unlink()
    assert np.array_equal(worlds.kept_simulations(tmp_path, simulator, z, seeds), first)
    assert made[:-1] == [100, 100, 50]
    assert made[-1] in (100, 50)


@pytest.mark.parametrize("place", ["kept", "run"])
def test_a_finished_world_is_not_computed_again(tmp_path, monkeypatch, place):
    for name in ("kept", "run"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(worlds, "KEPT", tmp_path / "kept")
    monkeypatch.setattr(worlds, "fitted", lambda *_: pytest.fail("fitted"))
    text = json.dumps(record(1, worlds.digest("burden"), True))
    (tmp_path / place / "world-001-small.json").write_text(text)
    worlds.finish(1, "small", tmp_path / "run", 1)
    with pytest.raises(pytest.fail.Exception):
        worlds.finish(1, "long", tmp_path / "run", 1)


def test_a_file_that_was_not_finished_is_not_there(tmp_path):
    def ends(path):
        path.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worlds.written(tmp_path / "world-001-small.json", ends)
    assert not list(worlds.records(tmp_path))
    worlds.written(tmp_path / "world-001-small.json", lambda to: to.write_text(json.dumps({"world": 1})))
    assert [found["world"] for found in worlds.records(tmp_path)] == [1]
