"""Every shipped model against libroadrunner at tight tolerance, dosed where it can be dosed."""

from __future__ import annotations

import numpy as np
import pytest
import roadrunner

from glueprint import engine
from glueprint.mechanism import Scenario, culture, models

TIMES_H = np.array([1.0, 6.0, 24.0, 100.0, 336.0])
# Amounts, mg, that enter at time 0: one day of 4 mg and of 40 mg.
DOSES_MG = {"glue_gut": 4.0, "dex_depot": 40.0}
# What the neighbours of a module would say under treatment, so that it moves when it stands alone.
TREATED = {
    "free_nm": 80.0,
    "occupancy": 0.25,
    "ikzf1_myeloma": 0.3,
    "ikzf3_myeloma": 0.3,
    "ikzf1_tcell": 0.3,
    "ikzf3_tcell": 0.3,
    "ikzf1_progenitor": 0.3,
    "dex_effect": 0.5,
    "immune_activation": 0.5,
    "m_protein_relative": 2.0,
    "anc_1e9_per_l": 1.0,
    "dose_nm": 80.0,
}


EVERY = [(name, "reduced") for name in models.names()] + [(name, "kinetic") for name in culture.CULTURES]


@pytest.mark.parametrize(("name", "form"), EVERY)
def test_every_model_agrees_with_libroadrunner(name, form):
    # libroadrunner 2.10.0 (CVODE, rtol 1e-11, atol 1e-13); difference scaled by each state's largest value.
    model = models.build(name, Scenario.of(form=form))
    treated = {key: value for key, value in TREATED.items() if key in model.parameters}
    doses = {target: amount for target, amount in DOSES_MG.items() if target in model.species}
    expected = by_libroadrunner(models.sbml(name, Scenario.of(form=form)), treated, doses, model.species)

    ensemble = model.ensemble(
        {key: [value] for key, value in treated.items()}, settings=engine.Settings(accuracy=1e-10)
    )
    events = engine.Doses([0] * len(doses), [0.0] * len(doses), list(doses), list(doses.values()))
    got = ensemble.simulate(TIMES_H, events, list(model.species)).values[0]
    largest = np.abs(expected).max(axis=0)
    assert np.max(np.abs(got - expected) / np.where(largest > 0, largest, 1.0)) < 1e-6


def by_libroadrunner(text, treated, doses, names):
    """Values of the named species at TIMES_H, (times, names)."""
    runner = roadrunner.RoadRunner(text)
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-11, 1e-13
    runner.integrator.maximum_num_steps = 500_000
    for key, value in treated.items():
        runner[key] = value
    runner.reset()  # initial values that depend on the parameters follow
    for target, amount in doses.items():
        runner[target] = runner[target] + amount
    values, present = [], 0.0
    for time in TIMES_H:
        runner.simulate(present, time, 2)
        present = time
        values.append([runner[name] for name in names])
    return np.array(values)
