"""Responses that are limits: below detection, beyond the detector, known as a range."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize
from scipy.special import log_ndtr, ndtr
from scipy.stats import t as student

from glueprint import curves
from glueprint.errors import InputError, NotSupportedError

DOSE = np.repeat([1.0, 10.0, 30.0, 100.0, 300.0, 1e3, 3e3, 1e4], 2)
NONE = np.nan


def simulated(seed, curve_count=1):
    draw = np.random.default_rng(seed)
    clean = 0.03 + 0.97 / (1.0 + (DOSE / 150.0) ** 1.2)
    return clean + draw.normal(0.0, 0.05, (curve_count, DOSE.size))


def limited(y, *, below=None, above=None, width=None):
    """Responses and upper ends, as `fit` takes them."""
    low, upper = y.copy(), np.full(y.shape, NONE)
    if width is not None:
        low[:, ::2] = np.floor(y[:, ::2] / width) * width
        upper[:, ::2] = low[:, ::2] + width
    if below is not None:
        low, upper = np.where(y < below, -np.inf, low), np.where(y < below, below, upper)
    if above is not None:
        low, upper = np.where(y > above, above, low), np.where(y > above, np.inf, upper)
    return low, upper


def deviance(theta, low, upper):
    """Twice the negative log likelihood of one curve, written out; theta: front, back, log10 EC50, ln slope,
    ln s."""
    front, back, half, ln_slope, ln_sigma = theta
    y = back + (front - back) / (1.0 + np.exp(np.exp(ln_slope) * np.log(10.0) * (np.log10(DOSE) - half)))
    sigma, total = np.exp(ln_sigma), 0.0
    for fitted, a, b in zip(y, low, upper, strict=True):
        if np.isnan(b):
            total += 2.0 * ln_sigma + ((a - fitted) / sigma) ** 2
        elif np.isinf(a):
            total -= 2.0 * log_ndtr((b - fitted) / sigma)
        elif np.isinf(b):
            total -= 2.0 * log_ndtr((fitted - a) / sigma)
        else:
            total -= 2.0 * np.log(max(ndtr((b - fitted) / sigma) - ndtr((a - fitted) / sigma), 1e-300))
    return total


KINDS = [{"below": 0.2}, {"above": 0.9}, {"below": 0.15, "above": 0.95}, {"width": 0.1}]


@pytest.mark.parametrize("kind", KINDS)
def test_estimates_and_interval_are_those_of_the_likelihood_written_out(kind):
    low, upper = limited(simulated(3), **kind)
    fits = curves.fit("4pl", DOSE, low, upper=upper)
    centre = np.append(fits.theta[0, :4], np.log(0.05))
    options = {"xatol": 1e-9, "fatol": 1e-11, "maxiter": 20_000, "maxfev": 20_000}
    best = minimize(deviance, centre, (low[0], upper[0]), method="Nelder-Mead", options=options)
    assert fits.status[0] == curves.Status.FINE
    assert fits.theta[0, :4] == pytest.approx(best.x[:4], abs=2e-5)
    told = int((np.isnan(upper) | (np.isfinite(low) & np.isfinite(upper))).sum())
    assert fits.dof[0] == told - 4
    rise = told * np.log1p(student.ppf(0.975, told - 4) ** 2 / (told - 4))
    assert np.isfinite(fits.interval("ec50")[0]).any()
    for at in np.log10(fits.interval("ec50")[0]).tolist():
        found, lowest = float(np.clip(at, best.x[2] - 2.0, best.x[2] + 2.0)), np.inf
        for back, steeper in ((0.0, 0.0), (-0.1, -0.2), (-0.5, -0.4), (0.05, 0.3)):
            begun = np.delete(best.x, 2) + np.array([0.0, back, steeper, 0.2])
            for _ in range(2):
                rest = minimize(
                    lambda free, end=found: deviance([*free[:2], end, *free[2:]], low[0], upper[0]),
                    begun, method="Nelder-Mead", options=options,
                )  # fmt: skip
                begun, lowest = rest.x, min(lowest, rest.fun)
        if found == at:
            assert lowest - best.fun == pytest.approx(rise, rel=1e-4)
        else:  # an open end: decades away the likelihood is still within its threshold
            assert lowest - best.fun < rise


@pytest.mark.parametrize("dose", [0.01, 30.0, 1e5])
@pytest.mark.parametrize("ends", [(-np.inf, 1e4), (-np.inf, 1e9), (-1e4, np.inf), (-1e9, np.inf)])
def test_a_limit_far_from_its_curve_changes_nothing(ends, dose):
    y = simulated(5)
    plain = curves.fit("4pl", DOSE, y)
    low, high = ends
    more = np.append(y, [[low]], axis=1), np.append(np.full(y.shape, NONE), [[high]], axis=1)
    fits = curves.fit("4pl", np.append(DOSE, dose), more[0], upper=more[1])
    assert fits.theta == pytest.approx(plain.theta, abs=1e-6)
    assert fits.rss == pytest.approx(plain.rss, rel=1e-9)
    assert fits.standard_errors[0, :4] == pytest.approx(plain.standard_errors[0, :4], rel=1e-5)
    assert fits.interval("ec50") == pytest.approx(plain.interval("ec50"), rel=1e-6)
    assert fits.effect_f == pytest.approx(plain.effect_f, rel=1e-6)


def test_upper_ends_that_are_the_response_are_values():
    y = simulated(6)
    plain, fits = curves.fit("4pl", DOSE, y), curves.fit("4pl", DOSE, y, upper=y)
    assert fits.problem.between is None
    assert np.array_equal(fits.theta, plain.theta)


def test_values_at_the_limit_would_put_the_plateau_there():
    y = simulated(12)
    low, upper = limited(y, below=0.3)
    fits = curves.fit("4pl", DOSE, low, upper=upper, intervals="all")
    wrong = curves.fit("4pl", DOSE, np.where(np.isnan(upper), y, upper), intervals="all")
    assert wrong.interval("back")[0, 0] > 0.2  # sure of what was not measured
    assert fits.interval("back")[0, 0] < 0.03 < fits.interval("back")[0, 1]
    absolute = curves.absolute(fits, 0.5, control=1.0)[0]
    assert absolute.low_nm < 150.0 * (0.97 / 0.47 - 1.0) ** (1 / 1.2) < absolute.high_nm


def test_fewer_values_than_parameters_have_no_error():
    dose = np.array([1.0, 10.0, 100.0, 1e3, 1e4, 1e5])
    low = np.array([1.0, 0.9, 0.5, 0.3, -np.inf, -np.inf])
    fits = curves.fit("4pl", dose, low, upper=np.where(np.isinf(low), 0.2, NONE))
    assert fits.status[0] == curves.Status.NO_DEGREES
    assert np.isnan(fits.interval("ec50")).all()
    step, steps = np.array([100.0, 99.0, 101.0, *[-np.inf] * 5]), [1, 3, 10, 30, 100, 300, 1e3, 3e3]
    fits = curves.fit("4pl", steps, step, upper=np.where(np.isinf(step), 5.0, NONE))
    assert (fits.status[0], fits.dof[0]) == (curves.Status.NO_DEGREES, 0)
    lost = curves.fit("4pl", dose, np.full(6, -np.inf), upper=np.full(6, 0.2))
    assert lost.status[0] == curves.Status.TOO_FEW_POINTS
    assert curves.relative(lost)[0].relation == "none"
    between = curves.relative(fits)[0]
    assert (between.relation, between.low_nm, between.high_nm) == (
        "between",
        pytest.approx(10.0),
        pytest.approx(30.0),
    )


def test_other_models_take_limits():
    x = np.linspace(0.0, 10.0, 15)
    y = 5.0 * np.exp(-0.4 * x) + np.random.default_rng(1).normal(0.0, 0.1, 15)
    low, upper = np.where(y < 0.5, -np.inf, y), np.where(y < 0.5, 0.5, NONE)
    fits = curves.fit("a*exp(-k*x)", x, low, upper=upper, start={"a": 3.0, "k": 0.2})
    low_k, high_k = fits.interval("k")[0]
    assert fits.status[0] == curves.Status.FINE
    assert low_k < 0.4 < high_k < 0.5


def test_refusals():
    with pytest.raises(InputError, match="a response above its upper end") as caught:
        curves.fit("4pl", DOSE[:3], [1.0, 0.5, 0.2], upper=[NONE, 0.4, NONE])
    assert caught.value.code == "GP-C024"
    assert "curve 0, point 1" in str(caught.value)
    low, upper = limited(simulated(8), below=0.2)
    for more in ({"robust": True}, {"shared": ("back",)}):
        with pytest.raises(NotSupportedError, match="of curves with limits") as told:
            curves.fit("4pl", DOSE, low, upper=upper, **more)
        assert told.value.code == "GP-C029"
    with pytest.raises(NotSupportedError, match="responses that are limits"):
        curves.discover(curves.fit("4pl", DOSE, low, upper=upper))


def test_cells_and_columns_of_a_table():
    y = ["100.2", "99.1", "95", "81.3", "55.8", "28.0", "< 15", "<15"]
    table = pl.DataFrame({"dose": [0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0], "y": y})
    found = curves.fit_table(table, x="dose", y="y")
    upper = np.array([NONE] * 6 + [15.0] * 2)
    low = np.array([100.2, 99.1, 95.0, 81.3, 55.8, 28.0, -np.inf, -np.inf])
    same = curves.fit("4pl", table["dose"].to_numpy(), low, upper=upper)
    assert found.theta == pytest.approx(same.theta)
    last = found.tables["points"].row(7, named=True)
    assert (last["y"], last["limit"], last["residual"]) == (15.0, "< 15", None)
    assert found.tables["sets"]["lack_of_fit_p"].to_list() == [None]
    assert found.notes == ("2 responses are limits, and enter by their likelihood",)
    ranges = table.with_columns(
        y=pl.Series(["> 90", *y[1:6], "5", "5"]), most=pl.Series([None] * 6 + [15.0] * 2)
    )
    ranged = curves.fit_table(ranges, x="dose", y="y", upper="most")
    assert ranged.tables["points"]["limit"].to_list() == ["> 90", *[None] * 5, "5 to 15", "5 to 15"]
    with pytest.raises(InputError, match=r'"n\.d\." is no number'):
        curves.fit_table(table.with_columns(y=pl.Series([*y[:7], "< n.d."])), x="dose", y="y")


def test_compared_with_a_model_whose_input_has_another_name():
    dose = [0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0]
    table = pl.DataFrame({"dose": dose, "y": [100.0, 90.0, 60.0, 30.0, 20.0, 30.0, 60.0, 88.0]})
    found = curves.fit_table(table, x="dose", y="y", against="hook")
    assert found.comparisons["preferred"].to_list() == ["hook"]
