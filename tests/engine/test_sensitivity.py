"""Derivatives of outputs by parameters: closed forms, finite differences, and what is refused."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pytest

from glueprint import engine
from glueprint.engine import Doses, Settings, Status
from glueprint.engine.reading import read
from glueprint.engine.sensitivity import sensitivities
from glueprint.errors import InputError, NotSupportedError
from glueprint.mechanism import Scenario

TIGHT = Settings(accuracy=1e-10)
TIMES = np.array([0.0, 0.4, 1.0, 2.5, 6.0])


def test_exponential_decay():
    model = engine.compile("species x = 2; J: x -> ; k*x; k = 0.3; s := k*x;")
    k = np.array([0.01, 0.3, 2.0])
    run = sensitivities(model, ["k", "x"]).simulate(TIMES, {"k": k}, outputs=["x", "s", "J"], settings=TIGHT)
    t, k = TIMES, k[:, None]
    decay = np.exp(-k * t)
    np.testing.assert_allclose(run["x"], 2 * decay, rtol=1e-9)
    np.testing.assert_allclose(run.slope("x", "k"), -2 * t * decay, rtol=1e-8)
    np.testing.assert_allclose(run.slope("x", "x"), decay, rtol=1e-8)
    for output in ("s", "J"):  # the chain rule: by k directly, and through x
        np.testing.assert_allclose(run.slope(output, "k"), 2 * decay * (1 - k * t), rtol=1e-8, atol=1e-11)
        np.testing.assert_allclose(run.slope(output, "x"), k * decay, rtol=1e-8)


def test_one_compartment_with_absorption_and_a_dose_per_patient():
    model = engine.compile("""
      species gut = 0, central = 0; c := central/V;
      J1: gut -> central; ka*gut;  J2: central -> ; CL/V*central;  ka = 1.3; CL = 4; V = 20;
    """)
    amount = np.array([10.0, 25.0, 40.0])
    clearance = np.array([2.0, 4.0, 9.0])
    doses = Doses.every_patient(3, [0.0, 2.0], "gut", amount)
    run = sensitivities(model, ["CL", "V", "ka"]).simulate(
        TIMES, {"CL": clearance}, doses=doses, outputs=["central", "c"], settings=TIGHT
    )

    def curve(since, ka, cl, v):
        """Amount after one unit into the gut."""
        ke = cl / v
        return np.where(since > 0, ka / (ka - ke) * (np.exp(-ke * since) - np.exp(-ka * since)), 0.0)

    def exact(ka, cl, v):
        since = TIMES - np.array([0.0, 2.0])[:, None]
        return sum(amount[:, None] * curve(s, ka, np.asarray(cl)[:, None], v) for s in since)

    np.testing.assert_allclose(run["central"], exact(1.3, clearance, 20.0), rtol=1e-8, atol=1e-9)
    # Complex steps through the closed form: exact to rounding.
    step = 1e-30j
    columns = {
        "CL": exact(1.3, clearance + step, 20.0).imag / 1e-30,
        "V": exact(1.3, clearance, 20.0 + step).imag / 1e-30,
        "ka": exact(1.3 + step, clearance, 20.0).imag / 1e-30,
    }
    for name, want in columns.items():
        np.testing.assert_allclose(run.slope("central", name), want, rtol=1e-7, atol=1e-9)
    by_volume = columns["V"] / 20 - exact(1.3, clearance, 20.0) / 400
    np.testing.assert_allclose(run.slope("c", "V"), by_volume, rtol=1e-7, atol=1e-10)


def test_logistic_growth():
    model = engine.compile("species n = 1; J: -> n; r*n*(1 - n/K); r = 0.7; K = 50;")
    run = sensitivities(model, ["r", "K", "n"]).simulate(TIMES, settings=TIGHT)
    t, grown = TIMES, np.exp(-0.7 * TIMES)
    bottom = 1 + 49 * grown
    np.testing.assert_allclose(run["n"][0], 50 / bottom, rtol=1e-9)
    np.testing.assert_allclose(run.slope("n", "r")[0], 50 * 49 * t * grown / bottom**2, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(
        run.slope("n", "K")[0], 1 / bottom - 50 * grown / bottom**2, rtol=1e-7, atol=1e-10
    )
    np.testing.assert_allclose(run.slope("n", "n")[0], 50 * 50 * grown / bottom**2, rtol=1e-7)


def test_what_the_model_computes_from_a_parameter_moves_with_it():
    model = engine.compile("""
      compartment V = 4; species x in V; x = base/2; J: x -> ; V*k*x; k = 3*base; base = 0.2;
    """)
    whole = sensitivities(model, ["base"])
    t = TIMES
    # x = base/2 exp(-3 base t)
    run = whole.simulate(t, settings=TIGHT)
    np.testing.assert_allclose(run["x"][0], 0.1 * np.exp(-0.6 * t), rtol=1e-9)
    np.testing.assert_allclose(run.slope("x", "base")[0], np.exp(-0.6 * t) * (0.5 - 0.3 * t), rtol=1e-8)
    # What the caller gives stays.
    run = whole.simulate(t, {"k": 0.6}, settings=TIGHT)
    np.testing.assert_allclose(run.slope("x", "base")[0], 0.5 * np.exp(-0.6 * t), rtol=1e-8)
    run = whole.simulate(t, initial={"x": 0.1}, settings=TIGHT)
    np.testing.assert_allclose(run.slope("x", "base")[0], -0.3 * t * np.exp(-0.6 * t), rtol=1e-8)
    run = whole.simulate(t, {"k": 0.6}, initial={"x": 0.1}, settings=TIGHT)
    np.testing.assert_array_equal(run.slope("x", "base")[0], 0.0)


def test_a_given_concentration_is_more_amount_in_a_larger_compartment():
    model = engine.compile("compartment V = 4; species x in V; x = 3; J: x -> ; q*x; q = 2; a := x*V;")
    run = sensitivities(model, ["V"]).simulate(TIMES, initial={"x": 5.0}, outputs=["x", "a"], settings=TIGHT)
    t, decay = TIMES, np.exp(-2 / 4 * TIMES)
    np.testing.assert_allclose(run.slope("x", "V")[0], 5 * decay * t * 2 / 16, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(run.slope("a", "V")[0], 5 * decay * (1 + t * 2 / 4), rtol=1e-8)


def test_a_sensitivity_can_be_given_at_the_start_and_dosed():
    model = engine.compile("species x = 2; J: x -> ; k*x; k = 0.3; F = 0.8;")
    whole = sensitivities(model, ["k"])
    run = whole.simulate(TIMES, initial={"x": 2.0, "d(x)/d(k)": -7.0}, settings=TIGHT)
    decay = np.exp(-0.3 * TIMES)
    np.testing.assert_allclose(run.slope("x", "k")[0], (-7 - 2 * TIMES) * decay, rtol=1e-8)
    doses = Doses([0, 0], 0.0, ["x", "d(x)/d(k)"], [1.0, 0.5])  # a dose that grows with k
    run = whole.simulate(TIMES[1:], doses=doses, settings=TIGHT)
    np.testing.assert_allclose(run.slope("x", "k")[0], ((0.5 - 3 * TIMES) * decay)[1:], rtol=1e-8)


def test_powers_and_kinks_against_differences():
    model = engine.compile("""
      species x = 2, z = 0.5; J1: x -> z; a*x^h/(q^h + x^h)*sqrt(z + b);  J2: z -> ; abs(z - w)*exp(-w*z);
      J3: -> x; tanh(time)*b^1.5; a = 1.1; h = 2.3; q = 0.9; b = 0.4; w = 0.7;
    """)
    names = ["a", "h", "q", "b", "w"]
    run = sensitivities(model, names).simulate(TIMES[1:], settings=TIGHT)
    for name in names:
        want = central_difference(model, name, TIMES[1:], model.species)
        got = np.stack([run.slope(output, name)[0] for output in model.species], axis=1)
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-8)


def central_difference(model, name, times, outputs, *, doses=None, parameters=None):
    """d(output)/d(name), (times, outputs), from runs at the value times 1 +- 1e-4 and 1 +- 2e-4."""
    value = (parameters or {}).get(name, model.defaults[name])
    steps = value * 1e-4 * np.array([-2.0, -1.0, 1.0, 2.0])
    given = {**(parameters or {}), name: value + steps}
    every = None
    if doses is not None:
        every = Doses.every_patient(4, *doses)
    runs = model.ensemble(given, settings=Settings.coarse(1e-12)).simulate(times, every, outputs).values
    weights = np.array([1.0, -8.0, 8.0, -1.0]) / (12 * value * 1e-4)
    return np.tensordot(weights, runs, axes=1)


@pytest.mark.parametrize(
    ("module", "dose", "names", "outputs"),
    [
        (
            "pk",
            ("glue_gut", 4.0),
            ["clearance_l_per_h", "central_l", "absorption_per_h", "peripheral_l"],
            ["glue_central", "cp_ng_per_ml", "free_nm"],
        ),
        (
            "degradation",
            None,
            ["ikzf1_myeloma_kdeg_per_h", "ikzf1_myeloma_rho", "kd_nm", "free_nm"],
            ["ikzf1_myeloma", "occupancy"],
        ),
        (
            "trial",
            ("glue_gut", 4.0),
            ["clearance_l_per_h", "ikzf3_myeloma_rho", "kd_nm", "neutrophil_mtt_h"],
            ["cp_ng_per_ml", "ikzf3_myeloma", "anc_1e9_per_l", "m_protein_g_per_l", "hazard_pneumonia"],
        ),
    ],
)
def test_modules_of_the_mechanism_against_differences(module, dose, names, outputs):
    models = pytest.importorskip("glueprint.mechanism.models")
    model = engine.compile(models.source(module, Scenario.of()))
    times = np.array([0.7, 3.0, 20.0, 24.0, 71.0, 200.0])
    given = {"free_nm": 30.0} if module == "degradation" else {}
    schedule = None if dose is None else (np.arange(3) * 24.0, *dose)
    doses = None if schedule is None else Doses.every_patient(1, *schedule)
    run = sensitivities(model, names).simulate(
        times, given, doses=doses, outputs=outputs, settings=Settings(accuracy=1e-9)
    )
    assert run.ok
    for name in names:
        want = central_difference(model, name, times, outputs, doses=schedule, parameters=given)
        got = np.stack([run.slope(output, name)[0] for output in outputs], axis=1)
        # The differences carry the runs' own error, up to 1e-12 over a step of 1e-4.
        rounding = 1e-9 * np.abs(run.values[0]) / (given.get(name) or model.defaults[name])
        floor = 1e-6 * np.abs(want).max(axis=0) + rounding
        assert np.all(np.abs(got - want) <= 1e-4 * np.abs(want) + floor), name


@pytest.mark.parametrize(
    ("text", "names", "outputs"),
    [
        pytest.param(
            "compartment V; V = 2; V' = g*V; species x in V; x = 3; J: x -> ; V*k*x; g = 0.1; k = 0.4;"
            "c := x*2;",
            ["g", "k", "x", "V"],
            ["x", "V", "c"],
            id="growing compartment",
        ),
        pytest.param(
            "compartment V = 2; const species e in V; e = 3; species x in V; x = 1; "
            "J: x -> ; V*k*x*e; k = 0.2;",
            ["e", "V", "k"],
            ["x", "e"],
            id="constant species",
        ),
        pytest.param(
            "species a = 2, b, c; b = 2*a*s; c = b + q; q = s^2; s = 0.7;"
            "J: a -> b; k*a*q; K: b -> c; k*b; k = 0.3;",
            ["a", "s", "q", "k"],
            ["a", "b", "c", "q"],
            id="chain of initial assignments",
        ),
        pytest.param(
            "compartment V = 2; species x in V; x = 3; x' = -k*x*w; w = 1; w' = V/10 - k*w; k = 0.3;",
            ["k", "w"],
            ["x", "w"],
            id="concentration with a rate rule",
        ),
        pytest.param(
            "x' = (time - lag + abs(time - lag))/2 - k*x; x = 0.3; lag = 1.7; k = 0.4;",
            ["lag", "k"],
            ["x"],
            id="kink in time",
        ),
        pytest.param("k = 2; y := k*time;", ["k"], ["y"], id="no states"),
    ],
)
def test_every_kind_of_quantity_against_differences(text, names, outputs):
    model = engine.compile(text)
    times = np.array([0.5, 1.0, 3.0])
    run = sensitivities(model, names).simulate(times, outputs=outputs, settings=TIGHT)
    for name in names:
        want = central_difference(model, name, times, outputs)
        got = np.stack([run.slope(output, name)[0] for output in outputs], axis=1)
        np.testing.assert_allclose(got, want, rtol=1e-7, atol=1e-8)


def test_a_patient_is_the_same_bits_in_any_company():
    model = engine.compile(
        "species x = 1, y = 0; J1: x -> y; k*x^h*(1 + y); J2: y -> ; q*y; k = 0.4; q = 0.9; h = 1.4;"
    )
    rng = np.random.default_rng(3)
    k = np.exp(rng.standard_normal(40))
    whole = sensitivities(model, ["k", "h"])
    together = whole.simulate(TIMES, {"k": k})
    order = rng.permutation(40)
    shuffled = whole.simulate(TIMES, {"k": k[order]})
    np.testing.assert_array_equal(shuffled.slopes, together.slopes[order])
    again = sensitivities(model, ["k", "h"]).simulate(TIMES, {"k": k[7]})
    np.testing.assert_array_equal(again.slopes[0], together.slopes[7])


def test_a_failed_patient_has_a_status_and_no_numbers():
    model = engine.compile("y' = k*y*y; y = 1; k = 0.1;")
    run = sensitivities(model, ["k"]).simulate([0.5, 2.0], {"k": [0.1, 1.0]}, outputs=["y"])
    assert run.status[0] == Status.OK
    assert run.status[1] != Status.OK
    assert run.reasons[1]
    t = np.array([0.5, 2.0])
    np.testing.assert_allclose(run.slope("y", "k")[0], t / (1 - 0.1 * t) ** 2, rtol=1e-4)
    assert np.isnan(run.slope("y", "k")[1, 1])


def test_only_what_depends_on_a_name_is_integrated():
    model = engine.compile("x' = -k*x; y' = -q*y; z' = x*y; x = 1; y = 1; z = 0; k = 1; q = 2;")
    whole = sensitivities(model, ["q"])
    assert whole.model.system.states == ("x", "y", "z", "d(y)/d(q)", "d(z)/d(q)")
    run = whole.simulate(TIMES, outputs=["x"])
    np.testing.assert_array_equal(run.slopes, 0.0)


@pytest.mark.parametrize(
    ("text", "names", "code", "words"),
    [
        ("x' = -k*x; x = 1; k = 1; at x < 0.5: x = 1;", ["k"], "GP-N036", "event"),
        ("x' = -k*piecewise(1, x > 0.5, 2); x = 1; k = 1;", ["k"], "GP-N037", "piecewise"),
        ("x' = piecewise(1, time > lag, 2); x = 1; lag = 1;", ["lag"], "GP-N037", '"lag"'),
        ("x' = floor(k*time); x = 1; k = 1;", ["k"], "GP-N037", "floor()"),
        ("x' = factorial(k); x = 1; k = 1;", ["k"], "GP-N037", "factorial()"),
        ("compartment V = 2; species x in V; x' = -k; x = 1; k = 1;", ["V"], "GP-N038", '"x"'),
    ],
)
def test_refused(text, names, code, words):
    with pytest.raises(NotSupportedError) as caught:
        sensitivities(engine.compile(text), names)
    assert caught.value.code == code
    assert words in str(caught.value)
    assert caught.value.next_step


@pytest.mark.parametrize(
    ("names", "code"), [([], "GP-N039"), (["k", "k"], "GP-N039"), (["kk"], "GP-N010"), (["s"], "GP-N010")]
)
def test_unusable_names(names, code):
    model = engine.compile("species x = 1; J: x -> ; k*x; k = 1; s := 2*x;")
    with pytest.raises(InputError) as caught:
        sensitivities(model, names)
    assert caught.value.code == code


def test_a_switch_at_a_fixed_time_is_exact():
    model = engine.compile("x' = -k*piecewise(x, time > 1, 0); x = 1; k = 0.8;")
    run = sensitivities(model, ["k"]).simulate(TIMES, outputs=["x"], settings=TIGHT)
    since = np.maximum(TIMES - 1, 0)
    np.testing.assert_allclose(run.slope("x", "k")[0], -since * np.exp(-0.8 * since), rtol=1e-8, atol=1e-14)


def test_the_examples_of_the_page(capsys):
    page = (Path(__file__).parents[2] / "docs" / "sensitivities.md").read_text("utf-8")
    pairs = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", page, flags=re.DOTALL)
    assert len(pairs) == page.count("```python")
    names = {}
    for code, shown in pairs:
        exec(compile(code, "docs/sensitivities.md", "exec"), names)
        assert capsys.readouterr().out == shown


def test_same_as_libroadrunner_on_a_stiff_binding_model():
    """libroadrunner 2.10.0, CVODES forward sensitivities; asked for all parameters in the model's order, for
    a part of them its columns are wrong (checked on exponential decay).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        roadrunner = pytest.importorskip("roadrunner")
    import libsbml

    text = """
      species drug = 30, target = 10, pair = 0, seen = 1;
      B: drug + target -> pair; kon*drug*target - koff*pair;  T1: -> target; kin;
      T2: target -> ; kdeg*target;
      P: pair -> ; kint*pair;  D: drug -> ; ke*drug;  R: -> seen; kr*(pair^h/(ec^h + pair^h) - seen);
      kon = 3.6; koff = 180; kin = 2; kdeg = 0.2; kint = 1.3; ke = 0.1; kr = 0.5; h = 2.3; ec = 4;
    """
    document, _ = read(text)
    runner = roadrunner.RoadRunner(libsbml.writeSBMLToString(document))
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-11, 1e-14
    names = list(runner.model.getGlobalParameterIds())
    times, slopes, _, species = runner.timeSeriesSensitivities(0.0, 12.0, 5, names)
    want = np.transpose(np.array(slopes), (0, 2, 1))
    model = engine.compile(text)
    run = sensitivities(model, names).simulate(
        np.array(times)[1:], outputs=list(species), settings=Settings(accuracy=1e-11)
    )
    assert len(names) == 9
    largest = np.abs(want).max(axis=0)
    difference = np.abs(run.slopes[0] - want[1:]) / (np.abs(want[1:]) + 1e-3 * largest + 1e-12)
    assert (
        difference.max() < 2e-5
    )  # its sensitivity rates are difference quotients; ours agree to 1e-9 by themselves


def test_what_falls_deep_and_grows_again():
    """By seventeen powers of ten; under the coarse control the sign was wrong, in silence."""
    text = "g=0.5; k=8; N=1e10; N'=g*N - piecewise(k, time>2 && time<7, 0)*N;"
    times = np.array([1.0, 6.5, 30.0, 60.0])
    run = engine.sensitivities(engine.compile(text), ["g", "k"]).simulate(times, outputs=["N"], patients=1)
    under = np.clip(times, 2.0, 7.0) - 2.0
    want = 1e10 * np.exp(0.5 * times - 8.0 * under)
    np.testing.assert_allclose(run["N"][0], want, rtol=1e-4)
    np.testing.assert_allclose(run.slope("N", "g")[0], want * times, rtol=1e-4)
    np.testing.assert_allclose(run.slope("N", "k")[0], -want * under, rtol=1e-4, atol=1e-6)
