"""The spline model: Weibull without knots, R's maximum of the definition with them, true derivatives."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from glueprint import survival
from glueprint.errors import InputError
from glueprint.survival.spline import basis, slopes

HERE = Path(__file__).parent / "reference"
DATA = json.loads((HERE / "methods_data.json").read_text(encoding="utf-8"))
REFERENCE = json.loads((HERE / "spline.json").read_text(encoding="utf-8"))
R = REFERENCE["sets"]


def arrays(name):
    return tuple(np.array(DATA[name][key], dtype=float) for key in ("time", "event", "covariates"))


@pytest.mark.parametrize("name", DATA)
def test_without_knots_it_is_a_weibull_model(name):
    time, event, x = arrays(name)
    fit, weibull = survival.royston_parmar(time, event, x, knots=0), survival.parametric(time, event, x)
    assert fit.status == "ok"
    assert fit.log_likelihood == pytest.approx(weibull.log_likelihood, rel=1e-12)
    assert fit.coefficients == pytest.approx(-weibull.coefficients[1:] / weibull.scale, rel=1e-8)
    at = x.mean(axis=0)
    assert fit.quantile(0.3, at) == pytest.approx(weibull.quantile(0.3, at), rel=1e-9)
    times = np.quantile(time, [0.2, 0.5, 0.8])
    assert fit.survival(times, at)[0] == pytest.approx(weibull.survival(times, at), rel=1e-9)


@pytest.mark.parametrize("knots", [1, 2, 3])
@pytest.mark.parametrize("name", R)
def test_maximum_of_the_definition(name, knots):
    time, event, x = arrays(name)
    expected = R[name][{1: "one", 2: "two", 3: "three"}[knots]]
    fit = survival.royston_parmar(time, event, x, knots=knots)
    assert fit.status == "ok"
    # R's search goes by differences: it knows the flat top of the likelihood better than where it is.
    assert fit.log_likelihood == pytest.approx(expected["log_likelihood"], abs=1e-8)
    assert fit.log_likelihood >= expected["log_likelihood"] - 1e-9
    error = np.array(expected["std_error"])
    assert np.abs(fit.coefficients - expected["coefficients"]).max() == pytest.approx(
        0, abs=1e-3 * error.max()
    )
    assert fit.std_error == pytest.approx(error, rel=1e-3)


def test_slopes_are_derivatives_and_ends_are_straight():
    knots = np.array([0.3, 0.9, 1.4, 2.2])
    y = np.linspace(-1, 4, 41)
    step = 1e-5
    numeric = (basis(y + step, knots) - basis(y - step, knots)) / (2 * step)
    assert slopes(y, knots) == pytest.approx(numeric, abs=1e-7)
    outside = slopes(np.array([-3.0, -2.0, 3.0, 5.0]), knots)
    assert outside[0] == pytest.approx(outside[1])
    assert outside[2] == pytest.approx(outside[3])


def test_hazard_is_the_derivative_of_the_cumulative_one():
    time, event, x = arrays("crossing curves")
    fit = survival.royston_parmar(time, event, x, knots=3)
    at, step = np.array([1.0, 4.0, 8.0]), 1e-5
    cumulative = [-np.log(fit.survival(at + s, [1.0, 0.2])[0]) for s in (step, -step)]
    assert fit.hazard(at, [1.0, 0.2]) == pytest.approx((cumulative[0] - cumulative[1]) / (2 * step), rel=1e-6)


def test_quantile_and_its_limits_are_where_the_curve_says():
    time, event, x = arrays("delayed effect")
    fit = survival.royston_parmar(time, event, x, knots=2, level=0.9)
    median, low, high = fit.quantile(0.5, [1.0, 0.0])
    value, below, above = fit.survival([median], [1.0, 0.0])
    assert value[0] == pytest.approx(0.5, abs=1e-12)
    assert below[0] < 0.5 < above[0]
    assert low < median < high


def test_units_of_time_move_nothing_but_the_times():
    time, event, x = arrays("plain")
    months, days = (survival.royston_parmar(time * f, event, x, knots=2) for f in (1.0, 30.4375))
    assert days.coefficients == pytest.approx(months.coefficients, rel=1e-9)
    assert days.quantile(0.5, x[0])[0] == pytest.approx(30.4375 * months.quantile(0.5, x[0])[0], rel=1e-9)
    change = -int(event.sum()) * np.log(30.4375)
    assert days.log_likelihood - months.log_likelihood == pytest.approx(change, rel=1e-9)


class TestWhatCannotBeFitted:
    TIME = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
    EVENT = (1, 1, 1, 0, 0, 1)

    @pytest.mark.parametrize("knots", [-1, 9, 1.5])
    def test_knots(self, knots):
        with pytest.raises(InputError, match="GP-V007 knots"):
            survival.royston_parmar(self.TIME, self.EVENT, knots=knots)

    def test_more_knots_than_event_times(self):
        with pytest.raises(InputError, match="GP-V007 knots"):
            survival.royston_parmar([1, 1, 1, 2], [1, 1, 1, 1], knots=2)

    def test_events_at_the_origin(self):
        with pytest.raises(InputError, match=r"GP-V024 time\[0\]"):
            survival.royston_parmar([0.0, *self.TIME[1:]], self.EVENT)

    def test_no_events(self):
        fit = survival.royston_parmar(self.TIME, [0] * 6, [[0.0]] * 3 + [[1.0]] * 3)
        assert fit.status == "no events"
        assert np.isnan(fit.coefficients).all()
        assert np.isnan(fit.quantile(0.5, [0.0])).all()
        assert np.isnan(fit.survival([1.0], [0.0])).all()

    def test_a_covariate_that_separates(self):
        fit = survival.royston_parmar(self.TIME, [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1], knots=0)
        assert fit.status == "no maximum"
        assert "log_rank" in fit.advice

    def test_aliased_covariates(self):
        x = np.array([0.0, 1, 0, 1, 1, 0])
        fit = survival.royston_parmar(self.TIME, self.EVENT, np.column_stack([x, 3 - x]), knots=0)
        alone = survival.royston_parmar(self.TIME, self.EVENT, x, knots=0)
        assert fit.status == "aliased"
        assert np.isnan(fit.coefficients).tolist() == [False, True]
        assert fit.coefficients[0] == pytest.approx(alone.coefficients[0], rel=1e-9)
        limits = [float(value[0]) for value in fit.survival([2.0], [1.0, 2.0])]
        assert limits == pytest.approx([float(value[0]) for value in alone.survival([2.0], [1.0])], rel=1e-9)

    def test_a_hazard_that_would_be_negative_is_said(self):
        time, event, x = arrays("small")
        fit = survival.royston_parmar(time, event, x, knots=2)
        assert fit.status == "not monotone"
        assert np.isnan(fit.quantile(0.5, x[0])).all()
        assert "fewer knots" in fit.advice
