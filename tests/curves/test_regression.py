"""General regression: known answers, derivatives, truth from simulation, statuses and refusals."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t as student
from tests.curves.observed import observed_errors

from glueprint.curves import Model, Parameter, Status, fit, model_from_formula
from glueprint.curves.models import MODELS, Given
from glueprint.errors import InputError

DATA = Path(__file__).parents[3] / "shared" / "data"
DOSES = np.r_[0.0, np.geomspace(1.0, 1e5, 11)]
LOGISTIC = {"front": 1.0, "back": 0.1, "ec50": 300.0, "slope": 1.0, "asymmetry": 1.0}
# name: truth, inputs, constants.
EXAMPLES = {
    "competition": (
        {"bottom": 40.0, "top": 200.0, "ki_nm": 150.0},
        {"competitor_nm": DOSES},
        {"protein_nm": 50.0, "tracer_nm": 5.0, "tracer_kd_nm": 20.0, "brightness_ratio": 0.8},
    ),
    "saturation": (
        {"bottom": 40.0, "top": 200.0, "kd_nm": 20.0},
        {"protein_nm": np.r_[0.0, np.geomspace(0.5, 1e3, 11)]},
        {"tracer_nm": 5.0, "brightness_ratio": 0.8},
    ),
    "hyperbola": (
        {"bottom": 40.0, "top": 200.0, "kd_nm": 20.0},
        {"protein_nm": np.r_[0.0, np.geomspace(0.5, 1e3, 11)]},
        {},
    ),
    "degradation": (
        {"vehicle": 1.0, "k_deg_per_h": 0.1, "k_max_per_h": 1.5, "ec50_nm": 60.0, "slope": 1.2},
        {
            "dose_nm": np.repeat([0.0, 1.0, 10.0, 100.0, 1e3], 5),
            "time_h": np.tile([0.0, 1.0, 3.0, 6.0, 24.0], 5),
        },
        {},
    ),
    "hook": (
        {"front": 1.0, "back": 0.1, "ec50_nm": 10.0, "window": 500.0, "slope": 1.0},
        {"dose_nm": np.r_[0.0, np.geomspace(0.1, 1e5, 13)]},
        {},
    ),
    "4pl": ({**LOGISTIC, "slope": 1.2}, {"dose": DOSES}, {}),
    "3pl": (LOGISTIC, {"dose": DOSES}, {}),
    "5pl": ({**LOGISTIC, "slope": 1.2, "asymmetry": 0.5}, {"dose": np.geomspace(0.1, 1e6, 60)}, {}),
    "hill": ({**LOGISTIC, "front": 0.0, "slope": 1.2}, {"dose": DOSES}, {}),
    "biphasic": (
        {"front": 1.0, "back": 0.1, "ec50": 30.0, "ratio": 300.0, "first": 0.4, "slope": 1.0},
        {"dose": np.r_[0.0, np.geomspace(0.1, 1e6, 24)]},
        {},
    ),
    "weibull": ({"front": 1.0, "back": 0.1, "scale": 300.0, "slope": 0.9}, {"dose": DOSES}, {}),
    "hormesis": (
        {"front": 1.0, "back": 0.0, "scale": 3.0, "slope": 1.6, "stimulus": 1.0},
        {"dose": np.r_[0.0, np.geomspace(0.1, 1e3, 13)]},
        {},
    ),
}


def given_of(inputs, constants):
    shape = (1, len(next(iter(inputs.values()))))
    values = {name: np.broadcast_to(value, shape) for name, value in inputs.items()}
    values |= {name: np.full((1, 1), value) for name, value in constants.items()}
    return Given(values, np.ones(shape, bool))


def exact(name):
    truth, inputs, constants = EXAMPLES[name]
    theta = np.array([[truth[key] for key in MODELS[name].names]])
    return theta, given_of(inputs, constants)


def table(path):
    if not path.exists():
        pytest.skip(f"{path} is not here: third-party data travel beside the repository")
    with path.open(encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def floats(rows, name):
    return np.array([float(row[name]) for row in rows])


def test_every_model_has_an_example():
    assert set(EXAMPLES) == set(MODELS)


@pytest.mark.parametrize("name", EXAMPLES)
def test_derivatives_equal_central_differences(name):
    theta, given = exact(name)
    curve = MODELS[name].curve
    _, jacobian = curve(theta, given)
    for place in range(theta.shape[1]):
        step = 1e-6 * max(abs(theta[0, place]), 1e-3)
        up, down = theta.copy(), theta.copy()
        up[0, place] += step
        down[0, place] -= step
        slope = (curve(up, given)[0] - curve(down, given)[0]) / (2.0 * step)
        np.testing.assert_allclose(jacobian[..., place], slope, rtol=1e-5, atol=1e-7 * np.abs(slope).max())


@pytest.mark.parametrize("name", EXAMPLES)
def test_exact_data_give_the_truth_back(name):
    theta, given = exact(name)
    _, inputs, constants = EXAMPLES[name]
    y, _ = MODELS[name].curve(theta, given)
    found = fit(name, inputs, y, constants=constants, intervals=False)
    assert found.converged[0]
    np.testing.assert_allclose(found.estimates, theta, rtol=1e-6)
    np.testing.assert_allclose(found.predict(inputs), y, rtol=1e-6)


@pytest.mark.parametrize("name", EXAMPLES)
def test_intervals_hold_the_truth_as_often_as_they_say(name):
    # 400 curves: three standard deviations of the observed share are 3.3 %.
    theta, given = exact(name)
    _, inputs, constants = EXAMPLES[name]
    y, _ = MODELS[name].curve(theta, given)
    noise = np.random.default_rng(len(name)).standard_normal((400, y.shape[1]))
    found = fit(name, inputs, y + 0.03 * np.ptp(y) * noise, constants=constants)
    assert np.mean(found.status == Status.FINE) > 0.98
    for place, parameter in enumerate(found.names):
        known = ~np.isnan(found.low[:, place])
        if known.any():
            truth = theta[0, place]
            inside = (found.low[known, place] <= truth) & (truth <= found.high[known, place])
            assert 0.917 < inside.mean() < 0.983, parameter


@pytest.mark.parametrize("name", ["competition", "degradation"])
def test_the_profile_ends_where_the_refit_reaches_the_threshold(name):
    theta, given = exact(name)
    truth, inputs, constants = EXAMPLES[name]
    y, _ = MODELS[name].curve(theta, given)
    y = y + 0.03 * np.ptp(y) * np.random.default_rng(5).standard_normal(y.shape)
    found = fit(name, inputs, y, constants=constants)
    key = next(parameter for parameter in truth if parameter.endswith("_nm"))
    for end in found.interval(key)[0]:
        held = fit(name, inputs, y, constants=constants, fixed={key: end}, intervals=False)
        # F(1, dof) at 95 %: the square of t.
        rise = (held.rss[0] / found.rss[0] - 1.0) * found.dof[0]
        assert rise == pytest.approx(student.ppf(0.975, found.dof[0]) ** 2, rel=1e-4)


def test_drc_estimates_are_reproduced():
    # R 4.2.2, drc 3.0-1; drc's parameters are b slope, c back, d front, e location, f stimulus.
    models = {"LL.4": "4pl", "LL.3": "4pl", "W1.4": "weibull", "BC.4 (hormesis)": "hormesis"}
    places = {"ryegrass": ("conc", "rootl"), "lettuce": ("conc", "weight"), "algae": ("conc", "vol")}
    checked = 0
    rows = table(DATA / "drc-datasets" / "estimates.csv")
    for dataset, drc in sorted({(row["dataset"], row["model"]) for row in rows}):
        if drc not in models:
            continue
        points = table(DATA / "drc-datasets" / f"{dataset}.csv")
        x, y = (floats(points, name) for name in places[dataset])
        found = fit(models[drc], x, y, fixed={"back": 0.0} if drc == "LL.3" else None)
        assert found.status[0] == Status.FINE
        errors = observed_errors(found)[0]
        location = "ec50" if models[drc] == "4pl" else "scale"
        ours = {"b": "slope", "c": "back", "d": "front", "e": location, "f": "stimulus"}
        for row in rows:
            if (row["dataset"], row["model"]) == (dataset, drc) and not row["quantity"].startswith("ED"):
                estimate = float(found[ours[row["quantity"][0]]][0])
                # drc stops the flat hormesis fit early: ours is 6e-8 lower, at 1e-3 of a standard error.
                loose = 1e-3 * float(row["se"]) if drc.startswith("BC") else 0.0
                assert estimate == pytest.approx(float(row["estimate"]), rel=1e-4, abs=loose)
                assert found.rss[0] <= float(row["rss"]) * (1.0 + 1e-9)
                if not drc.startswith("BC"):
                    error = errors[found.names.index(ours[row["quantity"][0]])]
                    assert error == pytest.approx(float(row["se"]), rel=1e-3)
                checked += 1
    assert checked == 18


def test_fret_saturation_is_reproduced():
    # R nlsLM on the same 24 points: estimate (standard error), residual sum of squares.
    rows = table(DATA / "fret-saturation-dna" / "fret_binding_data_corrected.csv")
    x, y = floats(rows, "concentration"), floats(rows, "signal")
    plain = fit("hyperbola", x, y)
    assert plain["kd_nm"][0] == pytest.approx(4.283751, abs=3e-5)
    assert plain.standard_errors[0, 2] == pytest.approx(0.522911, abs=1e-5)
    np.testing.assert_allclose(plain.estimates[0, :2], [2.291726, 11973.91], rtol=1e-3)
    assert plain.rss[0] == pytest.approx(6398567, abs=0.5)
    exactly = fit("saturation", x, y, constants={"tracer_nm": 5.0})
    assert exactly["kd_nm"][0] == pytest.approx(1.676913, abs=2e-5)
    assert exactly.standard_errors[0, 2] == pytest.approx(0.318839, abs=2e-6)
    np.testing.assert_allclose(exactly.estimates[0, :2], [102.8161, 11605.86], rtol=2e-5)
    assert exactly.rss[0] == pytest.approx(4381553, abs=0.5)
    start = {"bottom": 0.0, "top": 12000.0, "n": 1.0, "kd": 4.0}
    steep = fit("bottom + (top - bottom) * x^n / (kd + x^n)", {"x": x}, y, start=start)
    assert steep["kd"][0] == pytest.approx(6.668096, abs=5e-6)
    assert steep["n"][0] == pytest.approx(1.351288, abs=5e-7)
    assert steep.rss[0] == pytest.approx(4298736, abs=0.5)
    assert fit("4pl", x, y)["ec50"][0] == pytest.approx(4.07, abs=0.005)


def test_degradation_equals_forty_digits():
    rows = table(DATA / "degradation-kinetics-exact" / "remaining.csv")
    names = ("k_deg_per_h", "k_max_per_h", "EC50_rate_nM", "hill")
    theta = np.array([[1.0, *(float(row[name]) for name in names)] for row in rows])
    inputs = {"dose_nm": floats(rows, "conc_nM")[:, None], "time_h": floats(rows, "time_h")[:, None]}
    y, _ = MODELS["degradation"].curve(theta, Given(inputs, np.ones((len(rows), 1), bool)))
    np.testing.assert_allclose(y[:, 0], floats(rows, "fraction_remaining"), rtol=1e-12)


def test_a_function_of_the_caller_is_a_model():
    x = np.array([0.0, 1.0, 2.0, 4.0, 8.0])

    def decay(theta, inputs):
        left = np.exp(-theta[:, 1:] * inputs["x"])
        return theta[:, :1] * left, np.stack([left, -theta[:, :1] * inputs["x"] * left], axis=-1)

    found = fit(decay, {"x": x}, 3.0 * np.exp(-0.4 * x), start={"height": 1.0, "rate": 1.0})
    np.testing.assert_allclose(found.estimates, [[3.0, 0.4]], rtol=1e-8)
    own = Model(
        "decay",
        "decay",
        ("x",),
        (Parameter("height", linear=True), Parameter("rate", grid=(0.1, 1.0))),
        decay,
    )
    np.testing.assert_allclose(fit(own, x, 3.0 * np.exp(-0.4 * x)).estimates, [[3.0, 0.4]], rtol=1e-8)


def test_positive_parameters_of_a_formula_are_fitted_as_logarithms():
    x = np.linspace(0.0, 4.0, 9)
    model = model_from_formula("a * exp(-k * x)", positive=("k",))
    noise = 0.05 * np.cos(7.0 * x)
    found = fit(model, x, 2.0 * np.exp(-0.05 * x) + noise, start={"a": 1.0, "k": 1.0})
    assert found.names == ("a", "k")
    assert found.theta[0, 1] == pytest.approx(np.log10(found["k"][0]))
    assert found.low[0, 1] >= 0.0


def test_a_missing_point_and_a_weight_of_zero_are_the_same():
    theta, given = exact("4pl")
    y = MODELS["4pl"].curve(theta, given)[0][0] + 0.02 * np.sin(np.arange(DOSES.size))
    gap, weights = y.copy(), np.ones(y.size)
    gap[4], weights[4] = np.nan, 0.0
    one, two = fit("4pl", DOSES, gap), fit("4pl", DOSES, y, weights=weights)
    short = fit("4pl", np.delete(DOSES, 4), np.delete(y, 4))
    np.testing.assert_allclose(one.estimates, two.estimates, rtol=1e-9)
    np.testing.assert_allclose(one.high, short.high, rtol=1e-5)
    assert one.points[0] == DOSES.size - 1


def test_a_curve_does_not_feel_its_neighbours():
    theta, given = exact("competition")
    _, inputs, constants = EXAMPLES["competition"]
    y = MODELS["competition"].curve(theta, given)[0] + 4.0 * np.random.default_rng(2).standard_normal((7, 12))
    y[3] = np.nan
    many = fit("competition", inputs, y, constants=constants)
    alone = fit("competition", inputs, y[5], constants=constants)
    np.testing.assert_allclose(many.estimates[5], alone.estimates[0], rtol=1e-7)
    np.testing.assert_allclose(many.high[5], alone.high[0], rtol=1e-5)
    assert many.status[3] == Status.TOO_FEW_POINTS
    assert np.isnan(many.estimates[3]).all()


def test_statuses_say_why():
    rng = np.random.default_rng(11)
    flat = fit("4pl", DOSES, 1.0 + 0.05 * rng.standard_normal(DOSES.size))
    assert flat.status[0] == Status.NO_EFFECT
    assert "flat line" in flat.reasons[0]
    few = fit("4pl", DOSES[:3], [1.0, 0.9, 0.5])
    assert few.status[0] == Status.TOO_FEW_POINTS
    even = fit("4pl", DOSES[::3], [1.0, 0.9, 0.4, 0.1])
    assert even.status[0] == Status.NO_DEGREES
    assert np.isnan(even.standard_errors).all()
    rising = 10.0 ** np.linspace(0.0, 3.0, 8)
    beyond = fit("hyperbola", rising, rising * 1e-3, fixed={"bottom": 0.0})
    assert beyond.status[0] == Status.AT_BOUND
    assert beyond.reasons[0].startswith("kd_nm")


def test_an_interval_that_never_closes_is_open():
    # Only the rising part of a saturation was measured: Kd has a lower limit and no upper one.
    x = np.geomspace(0.1, 10.0, 8)
    y = x / (20.0 + x) + 0.02 * np.sin(5.0 * np.arange(8))
    found = fit("hyperbola", x, y)
    low, high = found.interval("kd_nm")[0]
    assert low > 0.0
    assert np.isinf(high)
    assert np.isinf(found.interval("top")[0, 1])


def test_a_dictionary_holds_every_figure():
    theta, given = exact("4pl")
    y = MODELS["4pl"].curve(theta, given)[0] + 0.01 * np.cos(np.arange(DOSES.size))
    found = fit("4pl", DOSES, y)
    told = found.as_dict()
    assert (told["model"], told["sets"][0]["status"], told["sets"][0]["dof"]) == ("4pl", "FINE", found.dof[0])
    (ec50,) = [row for row in told["parameters"] if row["parameter"] == "ec50"]
    assert (ec50["estimate"], ec50["high"]) == (found["ec50"][0], found.interval("ec50")[0, 1])
    np.testing.assert_allclose(found.fitted, found.predict(DOSES))
    rows = {row["parameter"]: row for row in found.to_table().iter_rows(named=True)}
    assert rows["ec50"]["estimate"] == found["ec50"][0]
    assert rows["asymmetry"]["low"] is None
    assert f"0 ec50 {found['ec50'][0]:.4g} (" in str(found)


COMPETITION = {"protein_nm": 50.0, "tracer_nm": 5.0, "tracer_kd_nm": 20.0}
Y = np.linspace(1.0, 0.0, DOSES.size)


@pytest.mark.parametrize(
    ("code", "text", "call"),
    [
        ("GP-C020", 'did you mean "hill"', lambda: fit("hil", DOSES, Y)),
        ("GP-C020", "needs start=", lambda: fit(lambda theta, inputs: (theta, inputs), DOSES, Y)),
        ("GP-C021", '"time_h" is missing', lambda: fit("degradation", {"dose_nm": DOSES}, Y)),
        ("GP-C021", 'no input "time"', lambda: fit("degradation", {"dose_nm": DOSES, "time": DOSES}, Y)),
        ("GP-C021", "one array for several", lambda: fit("degradation", DOSES, Y)),
        ("GP-C021", "does not fit", lambda: fit("4pl", DOSES[:-1], Y)),
        ("GP-C021", "shape (0, 9)", lambda: fit("hyperbola", np.zeros((0, 9)), np.zeros((0, 9)))),
        ("GP-C021", "not a rectangle", lambda: fit("4pl", DOSES, ["high"] * DOSES.size)),
        ("GP-C022", '"protein_nm" is missing', lambda: fit("competition", DOSES, Y)),
        ("GP-C022", 'no constant "tracer"', lambda: fit("4pl", DOSES, Y, constants={"tracer": 1.0})),
        (
            "GP-C022",
            "not above 0",
            lambda: fit("competition", DOSES, Y, constants=COMPETITION | {"tracer_kd_nm": 0.0}),
        ),
        (
            "GP-C022",
            "shape",
            lambda: fit("competition", DOSES, Y, constants=COMPETITION | {"tracer_nm": [1.0, 2.0]}),
        ),
        ("GP-C023", "point 1", lambda: fit("4pl", np.r_[0.0, -DOSES[1:]], Y)),
        ("GP-C024", "response is infinite", lambda: fit("4pl", DOSES, np.r_[Y[:-1], np.inf])),
        ("GP-C024", "weight is negative", lambda: fit("4pl", DOSES, Y, weights=-np.ones(Y.size))),
        ("GP-C025", 'did you mean "slope"', lambda: fit("4pl", DOSES, Y, fixed={"slop": 1.0})),
        ("GP-C025", "cannot be held", lambda: fit("4pl", DOSES, Y, fixed={"slope": -1.0})),
        ("GP-C025", 'no start for "back"', lambda: fit("4pl", DOSES, Y, start={"front": 1.0})),
        ("GP-C025", "confidence", lambda: fit("4pl", DOSES, Y, confidence=95.0)),
        (
            "GP-C026",
            'cannot read "a if x else b"',
            lambda: fit("a if x else b", DOSES, Y, start={"a": 1.0}),
        ),
        ("GP-C026", "__import__", lambda: model_from_formula("__import__('os').getcwd() * a")),
        ("GP-C026", "exp", lambda: model_from_formula("exp * x")),
        ("GP-C026", "at most", lambda: model_from_formula("a+" * 2000 + "x")),
        ("GP-C026", "2*x", lambda: model_from_formula("2*x")),
        ("GP-C027", "no starts of its own", lambda: fit("a * exp(-k * x)", DOSES, Y)),
    ],
)
def test_refusals_name_what_is_wrong(code, text, call):
    with pytest.raises(InputError) as caught:
        call()
    assert caught.value.code == code
    assert text in str(caught.value)
    assert caught.value.expected
    assert caught.value.next_step
