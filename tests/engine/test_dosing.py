"""Doses against closed forms: at once, infused, lagged, repeated, steady; per patient and per arm."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from glueprint import engine
from glueprint.engine import Doses, Settings, Status, schedule
from glueprint.engine.reference import ReferenceSolver
from glueprint.errors import InputError, NotSupportedError

TEXT = """
  species gut = 0, central = 0;
  J1: gut -> central; ka*gut;  J2: central -> ; ke*central;
  ka = 1.3; ke = 0.2; half := central/2;
"""
KA, KE = 1.3, 0.2
TIMES = np.array([0.0, 0.3, 1.0, 2.5, 6.0, 11.0, 12.5, 24.0, 31.0, 47.0])
# (accuracy, what the result may be off by): tight, and ten times what is asked at the default.
ACCURACIES = [(1e-9, 1e-6), (1e-5, 1e-4)]


@pytest.fixture(scope="module")
def model():
    return engine.compile(TEXT)


@pytest.fixture(params=["compiled", "reference"], scope="module")
def either(request, model):
    """The compiled solver, or the plain one."""
    plain = dataclasses.replace(model, solver=ReferenceSolver(model.system))
    return model if request.param == "compiled" else plain


def bolus(since, ke=KE):
    return np.where(since >= 0, np.exp(-ke * since), 0.0)


def oral(since, ke=KE, ka=KA):
    with np.errstate(over="ignore"):
        return np.where(since >= 0, ka / (ka - ke) * (np.exp(-ke * since) - np.exp(-ka * since)), 0.0)


def infusion(since, duration, ke=KE):
    """Of one unit of amount."""
    during = (1 - np.exp(-ke * np.minimum(since, duration))) / (ke * duration)
    return np.where(since >= 0, during * np.exp(-ke * np.maximum(since - duration, 0.0)), 0.0)


def run(model, doses, accuracy, times=TIMES, output="central", patients=1, **given):
    result = model.ensemble(given, patients=patients, settings=Settings(accuracy=accuracy)).simulate(
        times, doses, [output]
    )
    assert result.ok
    return result[output]


def assert_close(got, want, within):
    """Relative to the value, or to a thousandth of the largest where it is less."""
    size = np.maximum(np.abs(want), 1e-3 * np.abs(want).max())
    assert (np.abs(got - want) / size).max() < within


@pytest.mark.parametrize(("accuracy", "within"), ACCURACIES)
@pytest.mark.parametrize(
    ("target", "how", "curve"),
    [
        ("central", {}, bolus),
        ("gut", {}, oral),
        ("central", {"duration_h": 2.0}, lambda s: infusion(s, 2.0)),
        ("central", {"rate": 50.0}, lambda s: infusion(s, 2.0)),
        ("central", {"lag_h": 0.7}, lambda s: bolus(s - 0.7)),
        ("gut", {"lag_h": 0.7, "bioavailability": 0.4}, lambda s: 0.4 * oral(s - 0.7)),
        # A share that enters at a given rate is in sooner; at a given duration it is slower.
        ("central", {"rate": 50.0, "bioavailability": 0.5}, lambda s: 0.5 * infusion(s, 1.0)),
        ("central", {"duration_h": 2.0, "bioavailability": 0.5}, lambda s: 0.5 * infusion(s, 2.0)),
        (
            "gut",
            {"additional": 3, "interval_h": 12.0},
            lambda s: sum(oral(s - 12.0 * k) for k in range(4)),
        ),
        (
            "central",  # infusions that overlap
            {"additional": 3, "interval_h": 12.0, "duration_h": 15.0, "lag_h": 1.5},
            lambda s: sum(infusion(s - 1.5 - 12.0 * k, 15.0) for k in range(4)),
        ),
    ],
)
def test_closed_forms(either, target, how, curve, accuracy, within):
    doses = Doses.regimen(0, 0.0, target, 100.0, **how)
    # An output at the time of a dose is the value before it.
    want = np.array([100.0 * curve(np.array(np.nextafter(t, -1.0))) for t in TIMES])
    assert_close(run(either, doses, accuracy)[0], want, within)


@pytest.mark.parametrize(("accuracy", "within"), ACCURACIES)
@pytest.mark.parametrize("duration", [2.0, 12.0, 15.0, 24.0, 40.0])
@pytest.mark.parametrize("lag", [0.0, 3.0])
def test_steady_states_of_infusions(model, duration, lag, accuracy, within):
    doses = Doses.regimen(
        0, 0.0, "central", 100.0, duration_h=duration, lag_h=lag, interval_h=12.0, steady=1, additional=1
    )
    want = sum(100.0 * infusion(TIMES - lag - 12.0 * k, duration) for k in range(-60, 2))
    assert_close(run(model, doses, accuracy)[0], want, within)


@pytest.mark.parametrize(("accuracy", "within"), ACCURACIES)
@pytest.mark.parametrize(("interval", "lag"), [(12.0, 0.0), (12.0, 1.5), (0.5, 0.0), (60.0, 59.0)])
def test_steady_states_of_swallowed_doses(model, interval, lag, accuracy, within):
    times = TIMES[TIMES != 0.0] + 0.01
    doses = Doses.regimen(0, 0.0, "gut", 100.0, lag_h=lag, interval_h=interval, steady=1)
    want = sum(100.0 * oral(times - lag - interval * k) for k in range(-4000 if interval < 1 else -60, 1))
    assert_close(run(model, doses, accuracy, np.append(0.0, times))[0, 1:], want, within)


def test_a_steady_state_may_be_added_to_what_is_there(model):
    """Morning and evening doses that differ: the first resets, the second is added."""
    ensemble = model.ensemble(patients=1, settings=Settings(accuracy=1e-9))
    ensemble.advance(12.0, Doses.regimen(0, 0.0, "gut", 100.0, interval_h=24.0, steady=1))
    ensemble.advance(20.0, Doses.regimen(0, 12.0, "gut", 40.0, interval_h=24.0, steady=2))
    want = sum(100 * oral(20.0 - 24.0 * k) + 40 * oral(8.0 - 24.0 * k) for k in range(-30, 1))
    np.testing.assert_allclose(ensemble["central"], want, rtol=1e-7)


def test_every_patient_has_its_own_dosing(model):
    """Rates, lags, shares, counts and parameters differ; nobody changes a neighbour."""
    n = 40
    random = np.random.default_rng(5)
    ke, amount = random.uniform(0.05, 0.5, n), random.uniform(1.0, 9.0, n)
    lag, over = random.uniform(0.0, 2.0, n), np.where(np.arange(n) % 2, random.uniform(0.5, 20.0, n), 0.0)
    more, every = random.integers(0, 4, n), random.uniform(5.0, 9.0, n)
    doses = Doses.regimen(
        np.arange(n), 0.0, "central", amount, duration_h=over, lag_h=lag, additional=more, interval_h=every
    )
    times = np.array([3.3, 17.0, 50.0])
    got = run(model, doses, 1e-9, times, patients=n, ke=ke)
    for i in range(n):
        since = times[:, None] - lag[i] - every[i] * np.arange(more[i] + 1)
        curve = infusion(since, over[i], ke[i]) if over[i] else bolus(since, ke[i])
        assert_close(got[i], amount[i] * curve.sum(axis=1), 1e-6)
        mine = doses.take(np.asarray(doses.patient) == i)
        alone = run(model, dataclasses.replace(mine, patient=0), 1e-9, times, ke=ke[i])
        np.testing.assert_array_equal(alone[0], got[i])


def test_every_arm_has_its_own_dosing(model):
    arm = np.array(["swallowed", "infused", "infused", "swallowed", "none"])
    doses = Doses.together(
        Doses.regimen(np.flatnonzero(arm == "swallowed"), 0.0, "gut", 50.0, additional=2, interval_h=8.0),
        Doses.regimen(np.flatnonzero(arm == "infused"), 0.0, "central", 50.0, duration_h=24.0),
    )
    got = run(model, doses, 1e-9, np.array([30.0]), patients=5)[:, 0]
    swallowed, infused = 50 * sum(oral(30.0 - 8.0 * k) for k in range(3)), 50 * infusion(30.0, 24.0)
    np.testing.assert_allclose(got, [swallowed, infused, infused, swallowed, 0.0], rtol=1e-7)


def test_an_infusion_goes_on_from_call_to_call(either):
    doses = Doses.regimen([0, 1], 1.0, "central", 80.0, duration_h=[10.0, 0.0])
    whole = either.ensemble(patients=2, settings=Settings(accuracy=1e-9))
    whole.advance(20.0, doses)
    parts = either.ensemble(patients=2, settings=Settings(accuracy=1e-9))
    parts.advance(3.0, doses)
    parts.advance([8.0, 4.0], Doses.regimen(0, 3.0, "central", 7.0, duration_h=1.0))
    parts.advance(20.0)
    np.testing.assert_allclose(whole["central"], [80 * infusion(19.0, 10.0), 80 * bolus(19.0)], rtol=1e-7)
    np.testing.assert_allclose(
        parts["central"], [80 * infusion(19.0, 10.0) + 7 * infusion(17.0, 1.0), 80 * bolus(19.0)], rtol=1e-7
    )
    assert (parts._now.state[:, 2:] == 0.0).all()  # no rest of rounding goes on for ever


def test_a_restart_stops_what_runs(model):
    ensemble = model.ensemble({"ke": [0.2, 0.4]}, initial={"central": [1.0, 2.0]}, settings=Settings(1e-9))
    ensemble.advance(5.0, Doses.regimen([0, 1], 0.0, "central", 80.0, duration_h=20.0))
    ensemble.restart([1], 0.0)
    np.testing.assert_array_equal(ensemble.time_h, [5.0, 0.0])
    ensemble.advance(30.0)
    want = [bolus(30.0) + 80 * infusion(30.0, 20.0), 2.0 * bolus(30.0, 0.4)]
    np.testing.assert_allclose(ensemble["central"], want, rtol=1e-7)


def test_infusions_into_a_concentration():
    """A species in a compartment, and one whose concentration a rate rule governs."""
    text = """
      compartment V = 5; species a in V, b in V; a = 0; b = 0;
      J: a -> ; V*ke*a;  b' = -ke*b; ke = 0.2;
    """
    made = engine.compile(text)
    doses = Doses.regimen([0, 0], 0.0, ["a", "b"], 100.0, duration_h=2.0)
    got = made.ensemble(settings=Settings(1e-9)).simulate([1.0, 6.0], doses, ["a", "b"]).values[0]
    np.testing.assert_allclose(got, 20 * infusion(np.array([[1.0], [6.0]]), 2.0) * [1, 1], rtol=1e-7)


def test_sensitivities_under_an_infusion():
    made = engine.sensitivities(engine.compile(TEXT), ["ke"])
    doses = Doses.regimen(0, 0.0, "central", 100.0, duration_h=2.0)
    slope = made.simulate([6.0], doses=doses, outputs=["central"], settings=Settings(1e-8)).slope(
        "central", "ke"
    )
    by = 1e-5
    want = 100 * (infusion(6.0, 2.0, KE + by) - infusion(6.0, 2.0, KE - by)) / (2 * by)
    np.testing.assert_allclose(slope, [[want]], rtol=1e-5)


def test_the_plain_solver_finds_the_same_steady_state(either):
    doses = Doses.regimen(0, 0.0, "central", 100.0, duration_h=15.0, lag_h=3.0, interval_h=12.0, steady=1)
    want = 100.0 * sum(infusion(np.array([1.0, 9.0]) - 3.0 - 12.0 * k, 15.0) for k in range(-60, 1))
    np.testing.assert_allclose(run(either, doses, 1e-5, np.array([1.0, 9.0]))[0], want, rtol=1e-5)


def test_a_steady_state_keeps_what_the_model_conserves():
    """A drug that binds a receptor; its total stays, and the doses lead to the same state one by one."""
    made = engine.compile("""
      species C = 0, R = 3, RC = 0;
      J1: C + R -> RC; C*R - 0.1*RC;  J2: RC -> R; 0.3*RC;  J3: C -> ; 0.05*C;
    """)
    ensemble = made.ensemble(patients=1, settings=Settings(1e-9))
    ensemble.advance(12.0, Doses.regimen(0, 0.0, "C", 10.0, duration_h=1.0, interval_h=12.0, steady=1))
    again = made.ensemble(patients=1, settings=Settings(1e-9))
    again.advance(2400.0, Doses.regimen(0, 0.0, "C", 10.0, duration_h=1.0, interval_h=12.0, additional=199))
    for name in ("C", "R", "RC"):
        np.testing.assert_allclose(ensemble[name], again[name], rtol=1e-6)


def test_a_steady_state_beyond_what_can_be_removed():
    """Michaelis and Menten: 5 per hour are removed at most. The neighbour is not in trouble."""
    made = engine.compile("species c = 0; J: c -> ; 5*c/(2 + c);")
    ensemble = made.ensemble(patients=3, settings=Settings(1e-8))
    doses = Doses.regimen([0, 1, 2], 0.0, "c", [40.0, 70.0, 55.0], interval_h=12.0, steady=1)
    outcome = ensemble.advance(12.0, doses)
    assert outcome.status.tolist() == [Status.OK, Status.NO_STEADY_STATE, Status.OK]
    assert "steady state" in outcome.reasons[1]
    again = made.ensemble(patients=2, settings=Settings(1e-8))
    again.advance(2400.0, Doses.regimen([0, 1], 0.0, "c", [40.0, 55.0], interval_h=12.0, additional=199))
    np.testing.assert_allclose(ensemble["c"][[0, 2]], again["c"], rtol=1e-6)


def test_an_area_under_a_curve_has_no_steady_state():
    made = engine.compile("species c = 0; J: c -> ; 0.1*c; AUC' = c; AUC = 0;")
    outcome = made.ensemble(patients=1).advance(
        1.0, Doses.regimen(0, 0.0, "c", 1.0, interval_h=2.0, steady=1)
    )
    assert outcome.status.tolist() == [Status.NO_STEADY_STATE]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"duration_h": -1.0}, "duration"),
        ({"duration_h": np.nan}, "duration"),
        ({"amount": -1.0, "duration_h": 1.0}, "infusion of a negative"),
        ({"rate": -1.0}, "rate"),
        ({"rate": 1.0, "duration_h": 1.0}, "both"),
        ({"lag_h": -1.0}, "lag"),
        ({"bioavailability": -0.1}, "bioavailability"),
        ({"additional": 1}, "interval"),
        ({"additional": 1.5, "interval_h": 1.0}, "whole number"),
        ({"additional": 1e9, "interval_h": 1.0}, "1e+09 doses"),
        ({"steady": 1}, "no interval"),
        ({"steady": 3, "interval_h": 1.0}, "none of 0, 1 and 2"),
        ({"steady": 1, "interval_h": 1.0, "lag_h": 1.0}, "as long as the interval"),
        ({"time_h": np.inf}, "no time"),
    ],
)
def test_regimens_that_cannot_be(how, words):
    with pytest.raises(InputError, match="GP-N050") as caught:
        Doses.regimen(**{"patient": 0, "time_h": 0.0, "target": "gut", "amount": 1.0, **how})
    assert words in str(caught.value)


def test_columns_of_regimens_that_do_not_fit():
    with pytest.raises(InputError, match="GP-N014"):
        Doses.regimen([0, 1], [0.0, 1.0, 2.0], "gut", 1.0)


@pytest.mark.parametrize(
    ("text", "doses", "code", "words"),
    [
        (TEXT, Doses.regimen(0, 3.0, "gut", 1.0, steady=1, interval_h=8.0), "GP-N051", "stands at 0.0 h"),
        (TEXT, Doses.regimen(0, 0.0, "guts", 1.0, duration_h=1.0), "GP-N015", 'did you mean "gut"'),
        (
            "x' = -x*(2 + sin(time)); x = 0;",
            Doses.regimen(0, 0.0, "x", 1.0, steady=1, interval_h=8.0),
            "GP-N052",
            "depend on time",
        ),
        (
            "x' = -x; x = 0; y = 0; at x > 1: y = 1;",
            Doses.regimen(0, 0.0, "x", 1.0, steady=1, interval_h=8.0),
            "GP-N052",
            "the event",
        ),
        (
            "x' = -x/(1 + x); x = 0;",
            Doses.regimen(0, 0.0, "x", 1.0, steady=2, interval_h=8.0),
            "GP-N053",
            "do not add up",
        ),
        (
            "x' = 1 - x; x = 0;",
            Doses.regimen(0, 0.0, "x", 1.0, steady=2, interval_h=8.0),
            "GP-N053",
            "do not add up",
        ),
        (
            "x' = -x; x = 0; y' = rateOf(x); y = 0;",
            Doses.regimen(0, 0.0, "x", 1.0, duration_h=8.0),
            "GP-N054",
            "rateOf",
        ),
        (
            "x' = 1; x = 0; y' = piecewise(1, x > 3, 0); y = 0;",
            Doses.regimen(0, 0.0, "x", 1.0),
            "GP-N062",
            "a clock",
        ),
    ],
)
def test_doses_that_a_model_cannot_take(text, doses, code, words):
    with pytest.raises((InputError, NotSupportedError), match=code) as caught:
        engine.compile(text).ensemble(patients=1).advance(10.0, doses)
    assert words in str(caught.value)
    assert caught.value.next_step


def test_doses_after_the_end_are_counted_with_their_infusions(model):
    doses = Doses.regimen([0, 0], 0.0, "central", 10.0, duration_h=1.0, additional=[0, 3], interval_h=10.0)
    result = model.ensemble(patients=1).simulate([5.0, 10.0], doses)
    assert result.doses_after_end == 3
    np.testing.assert_allclose(result["central"][0], 20 * infusion(np.array([5.0, 10.0]), 1.0), rtol=1e-4)


def test_stops_of_doses_alone_are_those_that_sorting_gives():
    chance = np.random.default_rng(5)
    for patients in (1, 4, 30):
        for doses in (0, 1, 60):
            who = chance.integers(0, patients, doses)
            when = chance.integers(0, 5, doses).astype(float)
            table = schedule.DoseTable(who, when, chance.integers(0, 3, doses), chance.normal(size=doses))
            until, time = np.full(patients, 5.0), np.zeros(patients)
            active = chance.random(patients) < 0.7
            some = schedule.Reads.none()
            # A time to hit that nobody's lies at makes no stop, and takes the general way.
            never = np.full((patients, 1), np.inf)
            ways = [
                schedule.stops_until(time, until, table, some, active=active, breaks=breaks)
                for breaks in (np.zeros((patients, 0)), never)
            ]
            for name, found in vars(ways[0]).items():
                np.testing.assert_array_equal(found, vars(ways[1])[name], err_msg=name)
                assert found.dtype == vars(ways[1])[name].dtype
