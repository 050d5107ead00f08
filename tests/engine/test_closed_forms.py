"""Solutions known in closed form, on the compiled solver and on the plain one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.linalg import expm

from glueprint import engine
from glueprint.engine import Doses, Settings
from glueprint.engine.reference import ReferenceSolver

TIGHT = Settings(accuracy=1e-10)


@pytest.fixture(params=["compiled", "reference"])
def build(request):
    def make(text):
        model = engine.compile(text)
        if request.param == "reference":
            return dataclasses.replace(model, solver=ReferenceSolver(model.system))
        return model

    return make


def test_exponential_decay_at_the_accuracy_asked_for(build):
    model = build("species x = 2; J: x -> ; k*x; k = 0.3;")
    k = np.array([0.01, 0.3, 5.0])
    times = np.linspace(0.5, 6, 12)
    want = 2 * np.exp(-k[:, None] * times)
    for accuracy in (1e-4, 1e-6, 1e-9):
        got = model.ensemble({"k": k}, settings=Settings(accuracy=accuracy)).simulate(times)["x"]
        assert np.abs(got - want).max() < accuracy * 2


def test_present_values_of_several_names_are_those_of_each(build):
    model = build("species x = 2; J: x -> ; k*x; k = 0.3; half := sqrt(x); whole := 2*half;")
    ensemble = model.ensemble({"k": [0.1, 0.3]}, settings=TIGHT)
    ensemble.advance([1.0, 2.0])
    found = ensemble.values(("whole", "x", "k"))
    assert list(found) == ["whole", "x", "k"]
    x = 2 * np.exp([-0.1, -0.6])
    np.testing.assert_allclose(found["x"], x, rtol=1e-9)
    np.testing.assert_allclose(found["whole"], 2 * np.sqrt(x), rtol=1e-9)
    for name, values in found.items():
        np.testing.assert_array_equal(values, ensemble[name])
        values[:] = -1.0  # a copy: the ensemble keeps its own
        assert (ensemble[name] > 0).all()


def test_linear_chain_against_the_matrix_exponential(build):
    model = build("""
      species a = 1, b = 0, c = 0;
      J1: a -> b; k1*a;  J2: b -> c; k2*b;  J3: c -> a; k3*c;
      k1 = 2; k2 = 50; k3 = 0.1;
    """)
    rates = np.array([[-2, 0, 0.1], [2, -50, 0], [0, 50, -0.1]])
    times = np.array([0.01, 0.3, 2.0, 30.0])
    got = model.ensemble(settings=TIGHT).simulate(times).values[0]
    want = np.array([expm(rates * t) @ [1, 0, 0] for t in times])
    np.testing.assert_allclose(got, want, rtol=1e-8, atol=1e-11)
    np.testing.assert_allclose(got.sum(axis=1), 1, rtol=1e-12)  # mass


def test_logistic_growth(build):
    model = build("species n = 1; J: -> n; r*n*(1 - n/k); r = 0.7; k = 50;")
    times = np.linspace(0, 20, 9)
    got = model.ensemble(settings=TIGHT).simulate(times)["n"][0]
    want = 50 / (1 + 49 * np.exp(-0.7 * times))
    np.testing.assert_allclose(got, want, rtol=1e-8)


def test_explicit_time_in_a_rate(build):
    model = build("x' = -20*(x - sin(time)) + cos(time); x = 0;")
    times = np.linspace(0.3, 9, 20)
    got = model.ensemble(settings=TIGHT).simulate(times, outputs=["x"])["x"][0]
    np.testing.assert_allclose(got, np.sin(times), atol=1e-8)


def test_fast_rotation_needs_no_pivoting(build):
    # The Jacobian has nothing on its diagonal; elimination without exchange of rows must still be right.
    model = build("x' = w*y; y' = -w*x; x = 1; y = 0; w = 1;")
    w = np.array([1.0, 200.0])
    got = model.ensemble({"w": w}, settings=TIGHT).simulate([0.5, 1.0], outputs=["x", "y"])
    for i, time in enumerate((0.5, 1.0)):
        np.testing.assert_allclose(got["x"][:, i], np.cos(w * time), atol=1e-7)
        np.testing.assert_allclose(got["y"][:, i], -np.sin(w * time), atol=1e-7)


def test_unstable_growth_is_followed(build):
    model = build("a' = 30*b; b' = 30*a; a = 1; b = 0;")
    got = model.ensemble(settings=TIGHT).simulate([1.0], outputs=["a"])["a"][0, 0]
    np.testing.assert_allclose(got, np.cosh(30.0), rtol=1e-6)


def test_doses_superpose(build):
    model = build(
        "species gut = 0, central = 0; ka = 1.3; ke = 0.2;"
        "J1: gut -> central; ka*gut; J2: central -> ; ke*central;"
    )
    ke = np.array([0.1, 0.2, 0.4])
    given = np.array([0.0, 11.0, 24.0])
    times = np.array([5.0, 11.0, 23.0, 24.0, 30.0])
    doses = Doses.every_patient(3, given, "gut", [1.0, 2.0, 3.0])
    got = model.ensemble({"ke": ke}, settings=TIGHT).simulate(times, doses)["central"]
    since = times[None, :, None] - given
    curve = 1.3 / (1.3 - ke[:, None, None]) * (np.exp(-ke[:, None, None] * since) - np.exp(-1.3 * since))
    want = np.array([1.0, 2.0, 3.0])[:, None] * np.where(since >= 0, curve, 0).sum(axis=2)
    np.testing.assert_allclose(got, want, rtol=1e-8)


def test_a_dose_at_time_zero_counts_after_parameters_were_given(build):
    # libroadrunner 2.10.0 loses it when resetAll() comes before the parameters are set.
    model = build("species x = 0; J: x -> ; k*x; k = 1;")
    ensemble = model.ensemble({"k": [1.0, 2.0]}, settings=TIGHT)
    assert ensemble.advance(1.0, Doses([0, 1], 0.0, "x", 5.0)).ok
    np.testing.assert_allclose(ensemble["x"], 5 * np.exp([-1.0, -2.0]), rtol=1e-8)


def test_an_output_is_taken_before_a_dose_at_its_time(build):
    model = build("species x = 0; J: x -> ; k*x; k = 1;")
    got = model.ensemble(settings=TIGHT).simulate([0.0, 1.0, 2.0], Doses([0, 0], [0.0, 1.0], "x", 1.0))["x"][
        0
    ]
    np.testing.assert_allclose(got, [0, np.exp(-1), np.exp(-2) + np.exp(-1)], rtol=1e-8)


def test_advance_in_pieces_is_simulate(build):
    model = build(
        "species x = 1, y = 0; J1: x -> y; k*x*(1 + y); J2: y -> ; q*y; k = 0.4; q = 0.9; s := x + y;"
    )
    k = np.array([0.2, 0.4, 0.8])
    doses = Doses([0, 1, 2, 0], [0.0, 2.5, 3.0, 7.0], "x", [1.0, 2.0, 3.0, 4.0])
    whole = model.ensemble({"k": k}, settings=TIGHT).simulate([10.0], doses, ["s"])["s"][:, 0]
    pieces = model.ensemble({"k": k}, settings=TIGHT)
    pieces.advance([2.0, 2.5, 3.0], Doses([0], 0.0, "x", 1.0))
    np.testing.assert_array_equal(pieces.time_h, [2.0, 2.5, 3.0])
    pieces.advance(6.0, Doses([1, 2], [2.5, 3.0], "x", [2.0, 3.0]))
    pieces.advance(10.0, Doses([0], 7.0, "x", 4.0))
    np.testing.assert_allclose(pieces["s"], whole, rtol=1e-8)


def test_a_parameter_set_between_calls_holds_from_then_on(build):
    model = build("species x = 1; J: x -> ; k*x; k = 1;")
    ensemble = model.ensemble(patients=2, settings=TIGHT)
    ensemble.advance(1.0)
    ensemble.set("k", [0.0, 3.0])
    ensemble.advance(2.0)
    np.testing.assert_allclose(ensemble["x"], [np.exp(-1), np.exp(-4)], rtol=1e-8)
    ensemble.set("x", 7.0)
    np.testing.assert_array_equal(ensemble["x"], [7.0, 7.0])


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("y' = -y*y; y = 1;", lambda t: 1 / (1 + t)),
        ("y' = y*cos(time); y = 1;", lambda t: np.exp(np.sin(t))),
        ("y' = sqrt(y)*2; y = 1;", lambda t: (1 + t) ** 2),
        ("y' = y^1.5; y = 0.2;", lambda t: (0.2**-0.5 - t / 2) ** -2),
    ],
)
def test_observed_order_is_five(text, exact):
    """With fixed steps (stops dense enough to cut every step) the error falls as h^5."""
    model = engine.compile(text)
    loose = Settings(accuracy=1.0)
    errors = []
    counts = np.array([16, 32, 64, 128])
    for count in counts:
        ensemble = model.ensemble(settings=loose)
        ensemble._now.step[:] = 1.0
        for stop in np.linspace(0, 2, count + 1)[1:]:
            ensemble._now.step[:] = 1.0  # so that each call is one step
            assert ensemble.advance(stop).steps[0].tolist() == [1, 0]
        errors.append(abs(ensemble["y"][0] - exact(2.0)))
    slopes = -np.diff(np.log(errors)) / np.diff(np.log(counts))
    assert slopes[-1] == pytest.approx(5, abs=0.2)


def test_what_a_rate_rule_moves_is_an_output_by_default():
    model = engine.compile("species s = 1; J: s -> ; s; x' = -x; x = 2; y := 3*x;")
    result = model.ensemble(patients=1).simulate([1.0])
    assert result.outputs == ("s", "x")
    assert result["x"][0, 0] == pytest.approx(2 * np.exp(-1), rel=1e-4)
