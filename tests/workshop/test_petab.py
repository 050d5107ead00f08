"""PEtab 1: sixteen problems of our own, one a feature, beside closed forms and libpetab's likelihood."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from benchmarks import workshop_problems as problems

from glueprint import workshop

CASES = pytest.mark.parametrize("case", problems.CASES, ids=lambda case: case.name)


def truth(case, problem):
    return np.array(
        [
            problems.scaled(case.parameters[one.name], case.parameters[one.name].true)
            for one in problem.estimated
        ]
    )


@CASES
def test_the_objective_and_its_slopes_are_those_of_the_closed_form(case, tmp_path):
    problem = workshop.read(problems.write(case, tmp_path))
    objective = workshop.Objective(problem, accuracy=1e-9)
    data = problems.measured(case)
    fixed = {name: one.true for name, one in case.parameters.items() if not one.estimate}

    def exact(z):
        values = {
            one.name: problems.plain(case.parameters[one.name], v)
            for one, v in zip(problem.estimated, z, strict=True)
        }
        return problems.minus_log_posterior(case, {**fixed, **values}, data)

    z = truth(case, problem) + 0.11 * np.cos(1.0 + np.arange(len(problem.estimated)))
    cost = objective(z[None])
    assert cost.value[0] == pytest.approx(exact(z), rel=1e-7)
    step = 1e-6
    slopes = [(exact(z + step * unit) - exact(z - step * unit)) / (2 * step) for unit in np.eye(z.size)]
    np.testing.assert_allclose(cost.gradient[0], slopes, rtol=1e-4, atol=1e-4 * np.abs(slopes).max())
    assert np.linalg.eigvalsh(cost.curvature[0]).min() > 0


@CASES
def test_the_likelihood_is_that_of_libpetab(case, tmp_path):
    petab = pytest.importorskip("petab.v1")
    from petab.v1 import calculate

    file = problems.write(case, tmp_path)
    problem, theirs = workshop.read(file), petab.Problem.from_yaml(str(file))
    z = truth(case, problem) + 0.1
    fitted = workshop.Objective(problem).fitted(z[None])
    simulated = theirs.measurement_df.rename(columns={"measurement": "simulation"})
    simulated["simulation"] = fitted.predicted[0]
    parameters = theirs.parameter_df.copy()
    for one, value in zip(problem.estimated, problem.scales.plain(z), strict=True):
        parameters.loc[one.name, "nominalValue"] = value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas, within libpetab
        llh = calculate.calculate_llh(theirs.measurement_df, simulated, theirs.observable_df, parameters)
    assert fitted.likelihood.sum() == pytest.approx(llh, rel=1e-8)


@CASES
def test_the_known_optimum_is_found_from_random_starts(case, tmp_path):
    problem = workshop.read(problems.write(case, tmp_path))
    lowest, values = problems.best(case, problems.measured(case))
    for seed in (11, 12):
        found = workshop.fit(problem, workshop.Settings(starts=15, seed=seed, with_profiles=False))
        assert found.status == "ok"
        assert found.value == pytest.approx(lowest, abs=2e-4)
        for name, value in values.items():
            assert found.estimates[name] == pytest.approx(value, rel=5e-3, abs=2e-3)


def test_starts_follow_what_initialization_priors_say(tmp_path):
    (case,) = (one for one in problems.CASES if one.name.startswith("scales"))
    problem = workshop.read(problems.write(case, tmp_path))
    starts = workshop.draw_starts(problem, 4000, seed=3)
    assert starts[:, 0].mean() == pytest.approx(
        2.0, abs=0.05
    )  # normal about 2 on a linear scale, cut at 0.01
    assert starts[:, 1].std() == pytest.approx(1.0, abs=0.05)  # of the logarithm
    assert np.array_equal(starts, workshop.draw_starts(problem, 4000, seed=3))
    assert not np.array_equal(starts, workshop.draw_starts(problem, 4000, seed=4))
