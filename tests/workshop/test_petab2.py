"""PEtab 2: ten problems of our own, one a feature, beside closed forms and libpetab's own evaluation."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from benchmarks import workshop_problems2 as problems

from glueprint import workshop
from glueprint.errors import InputError, NotSupportedError

CASES = pytest.mark.parametrize("case", problems.CASES, ids=lambda case: case.name)


def near_truth(case, problem):
    """Values a little off the truth, within the bounds, by name."""
    away = 1.0 + 0.07 * np.cos(1.0 + np.arange(len(problem.estimated)))
    return {
        one.name: case.parameters[one.name].true * shift
        for one, shift in zip(problem.estimated, away, strict=True)
    }


@CASES
def test_the_objective_and_its_slopes_are_those_of_the_closed_form(case, tmp_path):
    problem = workshop.read(problems.write(case, tmp_path))
    data = problems.measured(case)
    objective = workshop.Objective(problem, accuracy=1e-9)

    def exact(z):
        plain = problem.scales.plain(z)
        values = {one.name: x for one, x in zip(problem.estimated, plain.tolist(), strict=True)}
        return problems.minus_log_posterior(case, values, data)

    z = problem.scales.scaled(np.array(list(near_truth(case, problem).values())))
    cost = objective(z[None])
    assert cost.value[0] == pytest.approx(exact(z), rel=1e-7)
    step = 1e-6
    slopes = [(exact(z + step * unit) - exact(z - step * unit)) / (2 * step) for unit in np.eye(z.size)]
    np.testing.assert_allclose(cost.gradient[0], slopes, rtol=1e-4, atol=1e-4 * np.abs(slopes).max())


def test_priors_are_those_of_libpetab(tmp_path):
    petab = pytest.importorskip("petab.v2")
    (case,) = (one for one in problems.CASES if one.name.startswith("priors"))
    file = problems.write(case, tmp_path)
    problem = workshop.read(file)
    values = near_truth(case, problem)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas and pydantic, within libpetab
        priors = petab.Problem.from_yaml(str(file)).get_priors()
        densities = [float(prior.pdf(values[name])) for name, prior in priors.items()]
    z = problem.scales.scaled(np.array(list(values.values())))[None]
    objective = workshop.Objective(problem)
    own = objective(z).value[0] + float(objective.fitted(z).likelihood.sum())
    assert len(densities) == len(problem.estimated) == 10
    assert own == pytest.approx(-np.log(densities).sum(), rel=1e-6)


@CASES
def test_the_known_optimum_is_found_from_random_starts(case, tmp_path):
    problem = workshop.read(problems.write(case, tmp_path))
    lowest, values = problems.best(case, problems.measured(case))
    found = workshop.fit(problem, workshop.Settings(starts=15, seed=11, with_profiles=False))
    assert found.value == pytest.approx(lowest, abs=5e-4)
    if case.name != "priors cut at the bounds":  # its terms can stand for one another
        for name, value in values.items():
            assert found.estimates[name] == pytest.approx(value, rel=5e-3, abs=2e-3)


def changed(folder, file, old, new, case=problems.CASES[4]):
    path = problems.write(case, folder)
    text = (folder / file).read_text("utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("file", "old", "new", "code", "place"),
    [
        ("problem.yaml", "language: sbml", "language: bngl", "GP-W020", "model_files"),
        ("problem.yaml", "[parameters.tsv]", "[../parameters.tsv]", "GP-W003", "parameter_files"),
        (
            "problem.yaml",
            "format_version",
            "extensions: {x: {version: 1}}\nformat_version",
            "GP-W020",
            "extensions",
        ),
        ("parameters.tsv", "\ttrue\t", "\t1\t", "GP-W004", "line 2, column estimate"),
        ("parameters.tsv", "true\t\t", "true\tgamma\t1", "GP-W016", "line 2, column priorParameters"),
        ("parameters.tsv", "true\t\t", "true\tbeta\t1;1", "GP-W004", "line 2, column priorDistribution"),
        ("parameters.tsv", "\t1000.0\t", "\tinf\t", "GP-W015", "parameters.tsv, line 2"),
        ("conditions.tsv", "rest\tu\t0.1", "rest\tksyn\t0.1", "GP-W013", "line 2, column targetId"),
        ("conditions.tsv", "rest\tkdeg", "rest\tu", "GP-W011", "line 3, column targetId"),
        ("conditions.tsv", "\tkdeg_last", "\tkdeg_lost*2", "GP-W014", "experiments.tsv, line 2"),
        ("conditions.tsv", "\tkdeg_first", "\tx + 1", "GP-W020", "experiments.tsv, line 2"),
        ("experiments.tsv", "\trest", "\trst", "GP-W009", "line 2, column conditionId"),
        ("experiments.tsv", "long\t0.0\tgo", "long\tinf\tgo", "GP-W018", "line 3, column time"),
        ("experiments.tsv", "short\t0.0\tgo\n", "", "GP-W020", "experiments.tsv, line 5"),
        ("experiments.tsv", "long\t0.0\tgo", "long\t1.0\tgo", "GP-W018", "measurements.tsv, line 2"),
        ("measurements.tsv", "\tlong\t", "\tlng\t", "GP-W009", "line 2, column experimentId"),
        ("measurements.tsv", "obs_x\t", "obs_y\t", "GP-W008", "line 2, column observableId"),
    ],
)
def test_problems_are_refused_with_file_and_line(file, old, new, code, place, tmp_path):
    with pytest.raises((InputError, NotSupportedError)) as caught:
        workshop.read(changed(tmp_path, file, old, new))
    assert (caught.value.code, place in caught.value.where) == (code, True), caught.value.render()


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("kdeg*x;", "kdeg*x*(1 + 0.1*sin(time));", "reads the time"),
        ("u = 1;", "u = 1; at (x > 50): u = 0;", "has events"),
        ("kdeg = 0.3;", "other = 0.3; kdeg = 2*other;", "computes kdeg at the start"),
    ],
)
def test_later_periods_of_models_that_cannot_begin_anew_are_refused(old, new, what, tmp_path, monkeypatch):
    assert old in problems.WITH_FACTOR
    monkeypatch.setattr(problems, "WITH_FACTOR", problems.WITH_FACTOR.replace(old, new))
    problem = workshop.read(problems.write(problems.CASES[1], tmp_path))
    with pytest.raises(NotSupportedError, match=what) as caught:
        workshop.Objective(problem)
    assert (caught.value.code, "experiments.tsv, line 2" in caught.value.where) == ("GP-W020", True)


def test_an_alias_is_refused(tmp_path):
    path = problems.write(problems.CASES[0], tmp_path)
    (tmp_path / "mapping.tsv").write_text("petabEntityId\tmodelEntityId\nk\tJ1.k\n", encoding="utf-8")
    path.write_text(path.read_text("utf-8") + "mapping_files: [mapping.tsv]\n", encoding="utf-8")
    with pytest.raises(NotSupportedError, match=r"the alias k of J1\.k") as caught:
        workshop.read(path)
    assert (caught.value.code, "line 2, column modelEntityId" in caught.value.where) == ("GP-W020", True)
