"""Sensitivities and sweeps against functions whose indices are known, and courses in closed form."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest

from glueprint import engine, workshop
from glueprint.errors import EnvironmentProblemError, InputError
from glueprint.workshop import Question, Range

END = np.array([1.0])
ISHIGAMI = "x1 = 0; x2 = 0; x3 = 0; y := sin(x1) + 7*sin(x2)^2 + 0.1*x3^4*sin(x1);"
WEIGHTS = (0.0, 1.0, 4.5, 9.0)
G = (
    "".join(f"x{k} = 0; " for k in range(4))
    + "y := "
    + "*".join(f"(abs(4*x{k} - 2) + {a})/(1 + {a})" for k, a in enumerate(WEIGHTS))
    + ";"
)
# The half widths are 1.96 standard errors; fourteen indices are to lie within three of them.
THREE_ERRORS = 3.0 / 1.96
# Of x over 4 units of time, and its slope by k.
AREA = 10 * (1 - math.exp(-1.2)) / 0.3
BY_K = -10 * (1 - math.exp(-1.2)) / 0.09 + 40 * math.exp(-1.2) / 0.3
DECAY = "species x = 10; J: x -> ; k*x; k = 0.3; double := 2*x;"


def ishigami():
    """First and total indices. Source: Ishigami and Homma 1990, doi:10.1109/ISUMA.1990.151285."""
    a, b, pi = 7.0, 0.1, math.pi
    first = 0.5 * (1 + b * pi**4 / 5) ** 2, a**2 / 8
    mixed = b**2 * pi**8 * (1 / 18 - 1 / 50)
    variance = sum(first) + mixed
    return [first[0] / variance, first[1] / variance, 0.0], [
        (first[0] + mixed) / variance,
        first[1] / variance,
        mixed / variance,
    ]


def test_sobol_indices_of_the_ishigami_function_are_the_known_ones():
    pytest.importorskip("SALib")
    ranges = tuple(Range(f"x{k}", -math.pi, math.pi) for k in (1, 2, 3))
    answer = workshop.sobol(Question(engine.compile(ISHIGAMI), ranges, ("y",), END), samples=2048, seed=4)
    assert answer.runs == 2048 * 5
    for kind, exact in zip(("first", "total"), ishigami(), strict=True):
        found, half = answer.table[kind].to_numpy(), answer.table[f"{kind}_half_width"].to_numpy()
        assert (np.abs(found - exact) <= THREE_ERRORS * half).all()
        assert (half < 0.1).all()


def test_one_trajectory_says_nothing():
    question = Question(engine.compile(DECAY), (Range("k", 0.1, 0.5),), ("x",), END)
    with pytest.raises(InputError, match="GP-W027"):
        workshop.morris(question, trajectories=1)


def test_sobol_indices_of_the_g_function_are_those_of_salib():
    pytest.importorskip("SALib")
    known = importlib.import_module("SALib.test_functions.Sobol_G")
    ranges = tuple(Range(f"x{k}", 0.0, 1.0) for k in range(4))
    answer = workshop.sobol(Question(engine.compile(G), ranges, ("y",), END), samples=2048, seed=2)
    weights = np.array(WEIGHTS)
    for kind, exact in (
        ("first", known.sensitivity_index(weights)),
        ("total", known.total_sensitivity_index(weights)),
    ):
        found, half = answer.table[kind].to_numpy(), answer.table[f"{kind}_half_width"].to_numpy()
        assert (np.abs(found - exact) <= THREE_ERRORS * half).all()
        assert (half < 0.1).all()


def test_elementary_effects_of_a_linear_function_are_its_slopes():
    pytest.importorskip("SALib")
    model = engine.compile("a = 0; b = 0; c = 0; y := 3*a - 2*b + 0*c;")
    ranges = (Range("a", 0.0, 2.0), Range("b", 1.0, 2.0), Range("c", 0.0, 1.0))
    table = workshop.morris(Question(model, ranges, ("y",), END), trajectories=10).table
    np.testing.assert_allclose(table["mu"], [6.0, -2.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(table["mu_star"], [6.0, 2.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(table["sigma"], 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("summary", "value", "by_k"),
    [
        ("end", 10 * math.exp(-1.2), -40 * math.exp(-1.2)),
        ("max", 10.0, 0.0),
        ("min", 10 * math.exp(-1.2), -40 * math.exp(-1.2)),
        ("auc", AREA, BY_K),
        ("mean", AREA / 4, BY_K / 4),
    ],
)
def test_local_slopes_are_those_of_the_closed_form(summary, value, by_k):
    ranges = (Range("k", 0.2, 0.4), Range("x", 5.0, 15.0))
    question = Question(engine.compile(DECAY), ranges, ("x", "double"), np.linspace(0.0, 4.0, 801), summary)
    rows = {(row["output"], row["name"]): row for row in workshop.local(question).table.to_dicts()}
    assert rows["x", "k"]["value"] == pytest.approx(value, rel=1e-4)
    assert rows["x", "k"]["slope"] == pytest.approx(by_k, rel=1e-4, abs=1e-9)
    assert rows["x", "x"]["elasticity"] == pytest.approx(1.0, rel=1e-6)
    assert rows["double", "k"]["slope"] == pytest.approx(2 * by_k, rel=1e-4, abs=1e-9)


def test_a_sweep_gives_dose_and_response_at_the_steady_state():
    model = engine.compile("species x = 1; J1: -> x; s*dose/(dose + 5); J2: x -> ; 0.5*x; s = 3; dose = 1;")
    question = Question(model, (Range("dose", 0.1, 1000.0, "log10"),), ("x",), END, "steady")
    table = workshop.sweep(question, points=9).table
    dose = np.geomspace(0.1, 1000.0, 9)
    np.testing.assert_allclose(table["dose"], dose, rtol=1e-12)
    np.testing.assert_allclose(table["x"], 6.0 * dose / (dose + 5.0), rtol=1e-5)


def test_a_sweep_of_two_ranges_with_doses_leaves_failed_runs_empty():
    doses = engine.Doses.every_patient(1, [0.0, 2.0], "x", 4.0)
    question = Question(
        engine.compile("species x = 0; J: x -> ; k*x; k = 1; y := log(x - f); f = 0;"),
        (Range("k", 0.1, 0.5), Range("f", 0.0, 20.0)),
        ("x", "y"),
        np.array([1.0, 3.0]),
        doses=doses,
    )
    table = workshop.sweep(question, points=3).table
    assert table.height == 9
    np.testing.assert_allclose(table["x"], 4 * (np.exp(-3 * table["k"]) + np.exp(-table["k"])), rtol=1e-4)
    assert table["y"].null_count() == 6
    with pytest.raises(InputError, match="runs failed or have no value") as caught:
        workshop.local(question)
    assert caught.value.code == "GP-W028"


@pytest.mark.parametrize("summary", sorted(workshop.SUMMARIES))
def test_an_output_without_a_value_at_one_time_has_no_summary(summary):
    """log of what falls below 0 between two outputs that have a value, and one that has none."""
    model = engine.compile("model gap; x' = -1; x = 2; y := ln(x); z := x; a = 1; end")
    times = np.array([0.5, 1.0, 3.0])
    answer = workshop.sweep(Question(model, (Range("a", 1.0, 2.0),), ("y", "z"), times, summary), points=2)
    assert answer.table["y"].null_count() == 2
    if summary != "steady":
        assert answer.table["z"].null_count() == 0


@pytest.mark.parametrize(
    "change",
    [
        {"ranges": ()},
        {"ranges": (Range("k", 0.1, 0.5), Range("k", 0.1, 0.5))},
        {"ranges": (Range("k", 0.5, 0.1),)},
        {"ranges": (Range("k", 0.0, 0.1, "log10"),)},
        {"outputs": ()},
        {"times": np.array([2.0, 1.0])},
        {"summary": "middle"},
        {"given": {"k": 0.2}},
    ],
)
def test_questions_that_cannot_be_asked_are_refused(change):
    asked = {"ranges": (Range("k", 0.1, 0.5),), "outputs": ("x",), "times": END, "summary": "end"}
    with pytest.raises(InputError) as caught:
        Question(engine.compile(DECAY), **{**asked, **change})
    assert caught.value.code == "GP-W027"


def test_what_methods_need_is_checked(monkeypatch):
    question = Question(engine.compile(DECAY), (Range("k", 0.1, 0.5),), ("x",), END)
    for call in (lambda: workshop.sobol(question, samples=1000), lambda: workshop.sweep(question, points=1)):
        with pytest.raises(InputError) as caught:
            call()
        assert caught.value.code == "GP-W027"
    monkeypatch.setattr(importlib, "import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    with pytest.raises(EnvironmentProblemError, match=r"glueprint\[sensitivity\]") as caught:
        workshop.morris(question)
    assert caught.value.code == "GP-W023"
