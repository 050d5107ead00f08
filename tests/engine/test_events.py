"""Events at the moments SBML demands, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint import engine
from glueprint.engine import Settings, Status

TIGHT = Settings(accuracy=1e-10)


def simulate(text, times, outputs, **kwargs):
    return engine.compile(text).ensemble(settings=TIGHT, **kwargs).simulate(times, outputs=outputs)


def test_a_state_trigger_is_located_to_the_accuracy_of_the_method():
    # x = exp(-t) falls below 0.5 at ln 2; y counts the time since.
    text = "x' = -x; x = 1; y' = on; y = 0; on = 0; at x < 0.5: on = 1;"
    result = simulate(text, [0.5, 2.0], ["y", "on"])
    np.testing.assert_allclose(result["y"][0], [0, 2 - np.log(2)], atol=1e-10)
    np.testing.assert_array_equal(result["on"][0], [0, 1])


def test_each_patient_has_its_own_moment():
    text = "x' = -k*x; x = 1; k = 1; hit = -1; at x < 0.25: hit = time;"
    k = np.array([0.5, 1.0, 4.0])
    result = simulate(text, [5.0], ["hit"], parameters={"k": k})
    np.testing.assert_allclose(result["hit"][:, 0], np.log(4) / k, atol=1e-9)


def test_a_time_trigger_is_hit_exactly_and_outputs_come_after_it():
    text = "x' = 0; x = 1; at time >= 2: x = 5;"
    result = simulate(text, [1.0, 2.0, 3.0], ["x"])
    np.testing.assert_array_equal(result["x"][0], [1, 5, 5])


def test_a_pulse_inside_a_long_step_is_not_missed():
    text = "x' = 0; x = 1; n = 0; at time >= 10 && time < 10.001: n = n + 1;"
    result = simulate(text, [1000.0], ["n"])
    assert result["n"][0, 0] == 1


@pytest.mark.parametrize(("from_trigger", "want"), [("true", 1.0), ("false", 3.0)])
def test_delay_with_values_from_the_trigger_or_from_the_execution(from_trigger, want):
    text = f"x' = 1; x = 0; y = 0; at 2 after time >= 1, fromTrigger={from_trigger}: y = x;"
    result = simulate(text, [2.9, 3.0, 4.0], ["y"])
    np.testing.assert_allclose(result["y"][0], [0, want, want], atol=1e-9)


@pytest.mark.parametrize(("persistent", "want"), [("true", 1.0), ("false", 0.0)])
def test_an_event_that_is_not_persistent_is_cancelled(persistent, want):
    text = f"x' = 1; x = 0; y = 0; at 1 after x > 1 && x < 1.5, persistent={persistent}: y = 1;"
    assert simulate(text, [4.0], ["y"])["y"][0, 0] == want


@pytest.mark.parametrize(("initial", "want"), [("true", 0.0), ("false", 1.0)])
def test_a_trigger_that_holds_at_the_start(initial, want):
    text = f"x' = 0; x = 1; y = 0; at x > 0, t0={initial}: y = 1;"
    result = simulate(text, [0.0, 1.0], ["y"])
    np.testing.assert_array_equal(result["y"][0], [want, want])


def test_higher_priority_goes_first():
    text = """
      x' = 0; x = 1; a = 0; b = 0;
      at time >= 1, priority = 1, fromTrigger=false: a = a*10 + 1;
      at time >= 1, priority = 5, fromTrigger=false: a = a*10 + 2;
      at time >= 1, priority = 3, fromTrigger=false: a = a*10 + 3;
    """
    assert simulate(text, [2.0], ["a"])["a"][0, 0] == 231


def test_events_in_a_chain_at_one_moment():
    text = "x' = 0; x = 0; y = 0; z = 0; at time >= 1: x = 1; at x > 0.5: y = 2; at y > 1: z = 3;"
    result = simulate(text, [1.0], ["x", "y", "z"])
    np.testing.assert_array_equal(result.values[0, 0], [1, 2, 3])


def test_repeated_events_like_a_bouncing_ball():
    # Fall from 1 with g = 2: first contact at t = 1, speed 2, then returns at speed 1 after 1 more.
    text = "h' = v; v' = -2; h = 1; v = 0; at h < 0: v = -0.5*v, h = 0;"
    result = simulate(text, [1.5, 2.25], ["h", "v"])
    np.testing.assert_allclose(result.values[0, 0], [0.5 - 0.25, 0.0], atol=1e-8)
    np.testing.assert_allclose(result.values[0, 1], [0.5 * 0.25 - 0.0625, 0.0], atol=1e-8)


def test_a_dose_written_as_an_event_equals_a_dose():
    text = "species x = 0; J: x -> ; k*x; k = 0.3; EXTRA"
    event = "next = 0; at time >= next, t0=false: x = x + 2, next = next + 12;"
    times = np.array([5.0, 12.5, 30.0])
    by_event = simulate(text.replace("EXTRA", event), times, ["x"])
    model = engine.compile(text.replace("EXTRA", ""))
    doses = engine.Doses.every_patient(1, [0.0, 12.0, 24.0], "x", 2.0)
    by_dose = model.ensemble(settings=TIGHT).simulate(times, doses, ["x"])
    np.testing.assert_allclose(by_event["x"], by_dose["x"], rtol=1e-8)


def test_events_survive_pieces():
    text = "x' = 1; x = 0; y = 0; at 2 after x > 1: y = 1;"
    ensemble = engine.compile(text).ensemble(patients=2, settings=TIGHT)
    ensemble.advance([1.5, 2.5])
    np.testing.assert_array_equal(ensemble["y"], [0, 0])
    ensemble.advance(4.0)
    np.testing.assert_array_equal(ensemble["y"], [1, 1])


def test_setting_a_value_can_trigger_an_event():
    ensemble = engine.compile("x' = 0; x = 0; y = 0; at x > 1: y = 1;").ensemble(patients=2, settings=TIGHT)
    ensemble.advance(1.0)
    ensemble.set("x", [0.5, 2.0])
    ensemble.advance(2.0)
    np.testing.assert_array_equal(ensemble["y"], [0, 1])


def test_endless_events_end_the_patient_only():
    text = "x' = 0; x = 0; p = 0; at x > 0.5: x = p; at x < 0.2: x = 1;"
    ensemble = engine.compile(text).ensemble({"p": [0.3, 0.1]}, initial={"x": 1.0}, settings=TIGHT)
    ensemble.advance(0.5)
    ensemble.set("x", 0.0)
    outcome = ensemble.advance(1.0)
    assert outcome.status.tolist()[1] == Status.EVENT_STORM
    assert outcome.status[0] == 0
    assert "loop" in outcome.reasons[1]


def test_a_negative_delay_ends_the_patient():
    text = "x' = 1; x = 0; d = 1; y = 0; at d after x > 1: y = 1;"
    outcome = engine.compile(text).ensemble({"d": [1.0, -1.0]}, settings=TIGHT).advance(3.0)
    assert outcome.status.tolist() == [0, Status.BAD_DELAY]
