"""Effects of covariates, which trials cannot narrow, go with every draw; so does what trials differ in."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.calibration.clinical.parameters import TRIALS, free
from glueprint.mechanism import Scenario, parameters, prognosis

GIVEN = free("burden")


def test_every_published_effect_is_carried_with_the_prior_of_its_file() -> None:
    carried = {belief.name: belief for belief in GIVEN.carried}
    assert {effect.strength for effect in prognosis.PUBLISHED} <= set(carried)
    typical = parameters.typical(Scenario.of(structure="burden"))
    for name, belief in carried.items():
        assert belief.middle == typical[name] or belief.shape == "uniform"
        assert belief.spread > 0
    assert free("claret").carried == ()


def test_nothing_is_both_fitted_and_carried() -> None:
    fitted = {name for names in GIVEN.sets.values() for name in names}
    assert not fitted & {belief.name for belief in GIVEN.carried}


def test_carried_effects_reach_the_trial_only_where_they_are_drawn() -> None:
    values = GIVEN.values(np.zeros((3, len(GIVEN.names))))
    assert "growth_by_lines" not in GIVEN.draws(values, TRIALS[0]).names
    normal = np.linspace(-1.0, 1.0, 3)[:, None].repeat(len(GIVEN.carried), axis=1)
    draws = GIVEN.draws(values | GIVEN.carried_values(normal), TRIALS[0])
    column = draws.values[:, draws.names.index("growth_by_lines")]
    belief = next(b for b in GIVEN.carried if b.name == "growth_by_lines")
    assert column == pytest.approx(belief.middle * 10.0 ** (belief.spread * normal[:, 0]))


def test_effects_of_a_trial_are_as_wide_as_their_spread_says() -> None:
    z = np.zeros((2, len(GIVEN.names)))
    z[:, GIVEN.names.index("study_growth_sd")] = [-1.0, 2.0]
    z[:, GIVEN.names.index(f"study_growth_ratio:{TRIALS[0]}")] = 1.0
    values = GIVEN.values(z)
    spread = values["study_growth_sd"]
    assert values[f"study_growth_ratio:{TRIALS[0]}"] == pytest.approx(10.0**spread)
    assert spread[1] > 3.0 * spread[0]
    for trial in TRIALS:
        sets = GIVEN.overrides(values, trial)
        assert {"study_growth_ratio", "study_death_ratio"} <= set(sets)
        assert "study_growth_sd" not in sets


def test_every_structure_names_its_effects_after_its_trials() -> None:
    assert free("claret").effects == tuple(f"study_death_ratio:{trial}" for trial in TRIALS)
    assert len(GIVEN.effects) == 2 * len(TRIALS)
    assert GIVEN.study_sd_log10 == 0.065
