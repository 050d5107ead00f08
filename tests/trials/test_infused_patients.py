"""Infusions, lags and steady states reach the patients of a trial as they reach an ensemble."""

from __future__ import annotations

import numpy as np

from glueprint import engine
from glueprint.engine import Doses, Settings
from glueprint.mechanism import pharmacokinetics
from glueprint.trials.patients.bodies import Bodies

TEXT = "species drug = 0; J: drug -> ; ke*drug; ke = 0.1;"
MORE = "species drug = 0, other = 0; J: drug -> other; ke*drug; ke = 0.1;"


def infusion(since, duration):
    during = (1 - np.exp(-0.1 * np.minimum(since, duration))) / (0.1 * duration)
    return during * np.exp(-0.1 * np.maximum(since - duration, 0.0))


def bodies():
    """Two arms whose models differ; patients of both stand side by side."""
    settings = Settings(accuracy=1e-9)
    groups = [
        (np.array(who), engine.compile(text).ensemble(patients=len(who), settings=settings))
        for text, who in ((TEXT, [0, 3]), (MORE, [1, 2]))
    ]
    return Bodies(4, tuple(groups))


def test_visits_may_fall_into_an_infusion():
    """Each patient has its own visits; what runs or lags goes on behind them."""
    everyone = bodies()
    doses = Doses.regimen(
        np.arange(4), 1.0, "drug", 50.0, duration_h=[6.0, 6.0, 20.0, 0.0], lag_h=[0.0, 2.0, 0.0, 4.0]
    )
    waiting = doses
    for until in ([2.0, 2.0, 8.0, 3.0], [10.0, 5.0, 9.0, 4.0], [30.0, 30.0, 30.0, 30.0]):
        now, waiting = pharmacokinetics.due(waiting, np.array(until))
        assert not everyone.advance(np.array(until), now).status.any()
    want = [infusion(29.0, 6.0), infusion(27.0, 6.0), infusion(29.0, 20.0), np.exp(-0.1 * 25.0)]
    np.testing.assert_allclose(everyone.values(["drug"])["drug"], 50.0 * np.array(want), rtol=1e-7)


def test_arms_start_from_their_steady_states():
    everyone = bodies()
    arm = np.array(["daily", "daily", "weekly", "none"])
    doses = pharmacokinetics.together(
        Doses.regimen(np.flatnonzero(arm == "daily"), 0.0, "drug", 7.0, interval_h=24.0, steady=1),
        Doses.regimen(np.flatnonzero(arm == "weekly"), 0.0, "drug", 49.0, interval_h=168.0, duration_h=2.0),
    )
    # The model of patients 1 and 2 gathers what is removed, so that it has no steady state.
    ended = everyone.advance(np.full(4, 24.0), doses)
    assert ended.status.tolist() == [0, engine.Status.NO_STEADY_STATE, 0, 0]
    left = 7.0 * np.exp(-2.4) / (1 - np.exp(-2.4))
    got = everyone.values(["drug"])["drug"][[0, 2, 3]]
    np.testing.assert_allclose(got, [left, 49.0 * infusion(24.0, 2.0), 0.0], rtol=1e-7)
