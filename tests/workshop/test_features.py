"""What problems of others use, each beside libroadrunner's own course of the same model."""

from __future__ import annotations

import math

import antimony
import libsbml
import numpy as np
import pytest
from benchmarks.workshop_problems import PROBLEM

from glueprint import workshop
from glueprint.errors import InputError

# A compartment that is not 1, a species counted as a concentration and one as an amount, an initial
# assignment that follows parameters, an input that is switched at a time, a rule, a function.
MODEL = """
function mm(v, k, s) v*s/(k + s); end
model features
  compartment cell = 2.5;
  species A in cell, B in cell; substanceOnly species B;
  A = a_start*scale; B = 4; a_start = 3; scale = 1.5; vmax = 2; km = 1.2; k2 = 0.4;
  feed = 0.7; dose = 1; t_on = 2;
  input := piecewise(feed*dose, time >= t_on, 0);
  J0: -> A; cell*input;
  J1: A -> B; cell*mm(vmax, km, A);
  J2: B -> ; k2*B;
  total := A*cell + B;
end
"""
TIMES = (0.0, 0.5, 1.5, 2.0, 3.0, 6.0, 12.0)


def sbml():
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(MODEL) >= 0, antimony.getLastError()
    return antimony.getSBMLString("features")


def table(path, header, rows):
    lines = ["\t".join(header.split()), *("\t".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def written(folder, conditions, rows, parameters):
    (folder / "model.xml").write_text(sbml(), encoding="utf-8")
    table(
        folder / "parameters.tsv",
        "parameterId parameterScale lowerBound upperBound nominalValue estimate",
        [(name, scale, 1e-3, 1e3, value, 1) for name, (scale, value) in parameters.items()],
    )
    names = list(dict.fromkeys(name for one in conditions.values() for name in one))
    table(
        folder / "conditions.tsv",
        " ".join(["conditionId", *names]),
        [(key, *(one.get(name, "NaN") for name in names)) for key, one in conditions.items()],
    )
    table(
        folder / "observables.tsv",
        "observableId observableFormula noiseFormula observableTransformation noiseDistribution",
        [
            ("obs_a", "observableParameter1_obs_a*A", "noiseParameter1_obs_a", "log10", "normal"),
            ("obs_b", "B", "noiseParameter1_obs_b + 0.1*obs_b", "lin", "laplace"),
            ("obs_t", "total", "0.2", "log", "normal"),
        ],
    )
    table(
        folder / "measurements.tsv",
        "observableId preequilibrationConditionId simulationConditionId time measurement "
        "observableParameters noiseParameters",
        rows,
    )
    file = folder / "problem.yaml"
    file.write_text(PROBLEM, encoding="utf-8")
    return file


PARAMETERS = {
    "a_start": ("log10", 2.0),
    "vmax": ("log", 1.7),
    "k2": ("lin", 0.5),
    "gain": ("log10", 2.5),
    "noise": ("log10", 0.3),
    "b_start": ("log10", 6.0),
}
CONDITIONS = {
    "plain": {},
    "scaled": {"scale": 0.5, "dose": 3},
    "started": {"A": 7, "B": "b_start"},
    "small": {"cell": 0.8},
    "rest": {"feed": 0.2, "t_on": 0},
    "go": {"feed": 1.1, "t_on": 0},
    "go_reset": {"feed": 1.1, "t_on": 0, "B": "b_start"},
}


def changed(given):
    """The model with other values written into it."""
    document = libsbml.readSBMLFromString(sbml())
    model = document.getModel()
    for name, value in given.items():
        model.removeInitialAssignment(name)
        if name == "A":
            model.getSpecies(name).setInitialConcentration(value)
        elif name == "B":
            model.getSpecies(name).setInitialAmount(value)
        elif name == "cell":
            model.getCompartment(name).setSize(value)
        else:
            model.getParameter(name).setValue(value)
    return libsbml.writeSBMLToString(document)


def run(given, times):
    roadrunner = pytest.importorskip("roadrunner")
    runner = roadrunner.RoadRunner(changed(given))
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-11, 1e-13
    return np.array(runner.simulate(times=list(times), selections=["[A]", "B", "total"]))


def by_libroadrunner(changes, values, before=None):
    """A, B and total at TIMES, (times, 3)."""
    shared = {name: values[name] for name in ("a_start", "vmax", "k2")}
    named = {name: values.get(value, value) for name, value in changes.items()}
    if before is not None:
        state = run({**shared, **before}, (0.0, 2500.0, 5000.0))[-1]
        named = {"A": float(state[0]), "B": float(state[1]), **named}
    return run({**shared, **named}, TIMES)


@pytest.mark.parametrize(
    ("condition", "before"),
    [("plain", ""), ("scaled", ""), ("started", ""), ("small", ""), ("go", "rest"), ("go_reset", "rest")],
)
def test_courses_are_those_of_libroadrunner(condition, before, tmp_path):
    rows = [
        (observable, before or "NaN", condition, t, 1.0, gain, noise)
        for t in TIMES
        for observable, gain, noise in (
            ("obs_a", "gain", 0.1),
            ("obs_b", "NaN", "noise"),
            ("obs_t", "NaN", "NaN"),
        )
    ]
    problem = workshop.read(written(tmp_path, CONDITIONS, rows, PARAMETERS))
    values = {name: value for name, (_, value) in PARAMETERS.items()}
    z = problem.scales.scaled(np.array([values[one.name] for one in problem.estimated]))
    fitted = workshop.Objective(problem, accuracy=1e-9).fitted(z[None])
    settled = CONDITIONS[before] if before else None
    expected = by_libroadrunner(CONDITIONS[condition], values, settled) * [values["gain"], 1.0, 1.0]
    assert fitted.predicted[0].reshape(-1, 3) == pytest.approx(expected, rel=2e-6)
    sd = fitted.sd[0].reshape(-1, 3)
    assert sd[:, [0, 2]] == pytest.approx(np.tile([0.1, 0.2], (len(TIMES), 1)))
    assert sd[:, 1] == pytest.approx(0.3 + 0.1 * expected[:, 1], rel=2e-6)


def test_slopes_are_those_of_differences_for_all_of_these_at_once(tmp_path):
    pairs = (("scaled", ""), ("started", ""), ("small", ""), ("go", "rest"), ("go_reset", "rest"))
    rows = [
        (observable, before or "NaN", condition, t, 1.5, "gain" if observable == "obs_a" else "NaN", noise)
        for condition, before in pairs
        for t in (0.5, 3.0, 6.0)
        for observable, noise in (("obs_a", 0.1), ("obs_b", "noise"), ("obs_t", "NaN"))
    ] + [("obs_b", "NaN", "go", "inf", 3.0, "NaN", "noise"), ("obs_b", "rest", "go", "inf", 3.0, "NaN", 0.5)]
    problem = workshop.read(written(tmp_path, CONDITIONS, rows, PARAMETERS))
    objective = workshop.Objective(problem, accuracy=1e-10)
    z = problem.scales.scaled(np.array([PARAMETERS[one.name][1] for one in problem.estimated]))
    step = 1e-4
    away = np.concatenate([z + step * np.eye(z.size), z - step * np.eye(z.size)])
    up, down = np.split(objective(away).value, 2)
    slopes = objective(z[None]).gradient[0]
    assert slopes == pytest.approx((up - down) / (2 * step), rel=2e-4, abs=2e-4 * np.abs(slopes).max())
    steady = objective.fitted(z[None]).predicted[0, -2:]
    assert steady[0] == pytest.approx(steady[1], rel=1e-6)  # one steady state, whatever came before
    assert math.isfinite(objective(z[None]).value[0])


NAMED = """
model letters
  compartment cell = 1;
  species PI in cell = 2, PB in cell = 3;
  J1: PI -> PB; k*PI;
  k = 0.3;
end
"""


def test_a_species_that_is_called_like_a_constant_is_the_species(tmp_path):
    written(tmp_path, {"c": {}}, [], {"k": ("log10", 0.3)})
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(NAMED) >= 0, antimony.getLastError()
    (tmp_path / "model.xml").write_text(antimony.getSBMLString("letters"), encoding="utf-8")
    columns = "observableId observableFormula noiseFormula"
    table(tmp_path / "observables.tsv", columns, [("a", "PI", "0.1"), ("b", "PB*sign(PI - 1.5)", "0.1")])
    columns = "observableId simulationConditionId time measurement"
    rows = [(name, "c", t, 1.0) for t in (0.0, 0.5, 4.0) for name in "ab"]
    table(tmp_path / "measurements.tsv", columns, rows)
    problem = workshop.read(tmp_path / "problem.yaml")
    z = problem.scales.scaled(np.array([0.3]))[None]
    left = 2.0 * np.exp(-0.3 * np.array([0.0, 0.5, 4.0]))
    expected = np.stack([left, (5.0 - left) * np.sign(left - 1.5)], axis=1)
    predicted = workshop.Objective(problem, accuracy=1e-9).fitted(z).predicted[0]
    assert predicted.reshape(-1, 2) == pytest.approx(expected, rel=1e-7)


def test_a_name_that_formulas_read_as_a_constant_is_refused(tmp_path):
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(NAMED.replace("PI", "x")) >= 0, antimony.getLastError()
    document = libsbml.readSBMLFromString(antimony.getSBMLString("letters"))
    document.getModel().getParameter("k").setId("pi")
    rate = document.getModel().getReaction("J1").getKineticLaw()
    rate.getMath().renameSIdRefs("k", "pi")
    written(tmp_path, {"c": {}}, [], {"pi": ("log10", 0.3)})
    (tmp_path / "model.xml").write_text(libsbml.writeSBMLToString(document), encoding="utf-8")
    table(tmp_path / "observables.tsv", "observableId observableFormula noiseFormula", [("a", "pi*x", "0.1")])
    table(
        tmp_path / "measurements.tsv",
        "observableId simulationConditionId time measurement",
        [("a", "c", 1.0, 1.0)],
    )
    with pytest.raises(InputError, match="GP-W006") as caught:
        workshop.read(tmp_path / "problem.yaml")
    assert "observables.tsv, line 2" in str(caught.value)
