"""Patients fail with a status and a remedy; their neighbours finish."""

from __future__ import annotations

import numpy as np

from glueprint import engine
from glueprint.engine import REASONS, Settings, Status


def outcome_of(text, values, until=10.0, **settings):
    ensemble = engine.compile(text).ensemble(values, settings=Settings(**settings))
    return ensemble, ensemble.advance(until)


def test_blow_up_in_finite_time():
    # y' = y^2 is infinite at t = 1 / y0.
    ensemble, outcome = outcome_of("y' = a*y*y; y = 1; a = 1;", {"a": [0.01, 1.0, 0.05]})
    assert outcome.status[[0, 2]].tolist() == [0, 0]
    assert outcome.status[1] in (Status.NOT_FINITE, Status.STEP_TOO_SMALL)
    np.testing.assert_allclose(ensemble["y"][[0, 2]], [1 / 0.9, 2.0], rtol=1e-4)
    assert ensemble.time_h[1] <= 1.001


def test_division_by_zero():
    _, outcome = outcome_of("y' = 1/(a - y); y = 0; a = 1;", {"a": [100.0, 0.0]})
    assert outcome.status.tolist() == [0, Status.NOT_FINITE]
    assert "division by zero" in outcome.reasons[1]


def test_overflow():
    _, outcome = outcome_of("y' = a; y = 1e308; a = 0;", {"a": [0.0, 1e308]})
    assert outcome.status.tolist() == [0, Status.NOT_FINITE]


def test_step_limit():
    _, outcome = outcome_of("y' = w*cos(w*time); y = 0; w = 1;", {"w": [1.0, 1e5]}, step_limit=3000)
    assert outcome.status.tolist() == [0, Status.STEP_LIMIT]
    assert "step_limit" in outcome.reasons[1]


def test_a_value_that_is_not_a_number():
    _, outcome = outcome_of("y' = -a*y; y = 1; a = 1;", {"a": [1.0, np.nan], "y": [1.0, 1.0]})
    assert outcome.status.tolist() == [0, Status.BAD_START]


def test_a_truly_negative_base_is_no_number():
    text = "x' = -a; x = 1; y' = x^1.5; y = 0; a = 1;"
    ensemble, outcome = outcome_of(text, {"a": [0.05, 1.0]})
    assert outcome.status.tolist() == [0, Status.OUTSIDE_DOMAIN]
    assert 1.0 < ensemble.time_h[1] < 2.0


def test_a_negative_base_at_the_start():
    _, outcome = outcome_of("x' = 0*x; x = 1; y' = sqrt(x); y = 0;", {"x": [4.0, -4.0]})
    assert outcome.status.tolist() == [0, Status.OUTSIDE_DOMAIN]


def test_a_base_that_decays_to_zero_is_zero():
    # Plain C^n breaks libroadrunner 2.10.0 (convergence failure), AMICI 1.0.1 (NaN) and COPASI 4.48 here.
    text = "c' = -3*c; c = 100; e := c^n/(2^n + c^n); y' = 1 - e - y; y = 0; n = 1.7;"
    ensemble, outcome = outcome_of(text, {"n": [0.5, 1.7, 3.3]}, until=300.0)
    assert outcome.ok
    np.testing.assert_allclose(ensemble["y"], 1, rtol=1e-4)
    assert np.isfinite(ensemble["e"]).all()


def test_a_whole_power_of_a_negative_base_is_a_number():
    text = "x' = 1; x = -2; y' = x^n; y = 0; n = 3;"
    ensemble, outcome = outcome_of(text, {"n": [2.0, 3.0, 11.0]}, until=1.0, accuracy=1e-9)
    assert outcome.ok
    np.testing.assert_allclose(ensemble["y"], [7 / 3, -15 / 4, (1 - 2.0**12) / 12], rtol=1e-7)


def test_zero_to_the_power_zero_is_one():
    ensemble, outcome = outcome_of("x' = 0*x; x = 0; y' = x^n; y = 0; n = 1;", {"n": [0.0, 1.0]}, until=2.0)
    assert outcome.ok
    np.testing.assert_allclose(ensemble["y"], [2.0, 0.0], atol=1e-12)


def test_a_failed_patient_stays_where_it_failed():
    ensemble, _ = outcome_of("y' = a*y*y; y = 1; a = 1;", {"a": [0.01, 1.0]})
    stopped = ensemble.time_h[1]
    again = ensemble.advance(20.0)
    assert again.status[0] == 0
    assert again.status[1] != 0
    assert ensemble.time_h.tolist() == [20.0, stopped]


def test_every_status_has_a_reason_with_a_remedy():
    assert set(REASONS) == set(Status)
    assert all(": " in REASONS[code] for code in Status if code)
