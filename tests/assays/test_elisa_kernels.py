"""The kernels of an ELISA: shapes, variance, precision and the interval of a result, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import t as student

from glueprint.assays.elisa import calibration, inversion, shapes, variance

LEVELS = (0.0, 1.0, 4.0, 16.0, 64.0, 256.0)


def four(x):
    """The textbook form (plateaus 0.08 and 3, EC50 60, slope 1.2), written independently of the kernel."""
    return 3.0 + (0.08 - 3.0) / (1.0 + (np.asarray(x, dtype=float) / 60.0) ** 1.2)


THETAS = {
    "4pl": [0.1, 2.0, 1.5, 0.2],
    "5pl": [0.1, 2.0, 1.5, 0.2, 0.6],
    "5pl-mirrored": [2.0, 0.1, 1.5, 0.2, -0.8],
    "linear": [0.1, 0.02],
    "power": [0.1, 0.002, 0.2],
}


@pytest.mark.parametrize("name", THETAS)
def test_derivatives_and_inverse_of_every_shape(name):
    shape, theta = shapes.SHAPES[name], np.array(THETAS[name])
    x = np.array([0.0, 0.3, 3.0, 30.0, 300.0])
    numeric = np.stack(
        [approx_fprime(theta, lambda p, i=i: shape.response(p, x[[i]])[0], 1e-7) for i in range(x.size)]
    )
    assert shape.gradient(theta, x) == pytest.approx(numeric, abs=1e-5)
    y, seen = shape.response(theta, x), x[1:]
    step = 1e-6 * seen
    rise = (shape.response(theta, seen + step) - shape.response(theta, seen - step)) / (2.0 * step)
    assert shape.steepness(theta, seen) == pytest.approx(rise, rel=1e-6)
    assert shape.inverse(theta, y[1:]) == pytest.approx(seen, rel=1e-10)


@pytest.mark.parametrize("name", ["4pl", "5pl", "5pl-mirrored"])
def test_half_way_is_the_ec50_and_beyond_the_plateaus_is_nothing(name):
    shape, theta = shapes.SHAPES[name], np.array(THETAS[name])
    ends = theta[:2]
    assert shape.response(theta, np.array([10.0**1.5]))[0] == pytest.approx(ends.mean())
    assert np.isnan(shape.inverse(theta, np.array([ends.min(), ends.max(), -1.0, 9.0]))).all()


def test_the_variance_power_is_found():
    rng = np.random.default_rng(3)
    mean = np.repeat(np.geomspace(0.1, 3.0, 1500), 3)
    y = mean + 0.04 * mean**0.75 * rng.standard_normal(mean.size)
    found = variance.fit_power(y, np.repeat(np.arange(1500.0), 3))
    assert found.power == pytest.approx(1.5, abs=0.06)
    assert found.scale == pytest.approx(0.04**2, rel=0.06)
    assert (found.degrees, found.groups) == (3000, 1500)


def test_too_few_replicates_say_nothing_of_a_power():
    assert variance.fit_power(np.array([1.0, 1.1, 2.0, 2.1]), np.array([0.0, 0.0, 1.0, 1.0])) is None


def test_the_precision_profile_is_the_delta_method():
    x, y = np.repeat(LEVELS, 2), four(np.repeat(LEVELS, 2)) + 0.01 * np.tile([1.0, -1.0], 6)
    curve = calibration.calibrate(x, y, replicates=(np.zeros(0), np.zeros(0)), model="4pl", weights="none")
    at = np.array([20.0])
    gradient, step = curve.shape.gradient(curve.theta, at), 1e-4
    rise = (curve.mean(at + step) - curve.mean(at - step)) / (2.0 * step)
    by_hand = np.sqrt(curve.sigma2 / 2.0 + (gradient @ curve.covariance @ gradient.T)[0]) / rise
    assert inversion.precision(curve, at, 2.0) == pytest.approx(by_hand, rel=1e-6)
    # inv(J'J) s^2 with s^2 = RSS / (n - p), the textbook covariance.
    jacobian = curve.shape.gradient(curve.theta, x)
    expected = np.linalg.inv(jacobian.T @ jacobian) * curve.rss / 8
    assert curve.covariance == pytest.approx(expected, rel=1e-6)


def test_the_interval_is_where_the_band_meets_the_mean():
    x, y = np.repeat(LEVELS, 2), four(np.repeat(LEVELS, 2)) + 0.02 * np.tile([1.0, -1.0], 6)
    curve = calibration.calibrate(x, y, replicates=(np.zeros(0), np.zeros(0)), model="4pl", weights="none")
    mean = np.array([four(20.0), four(0.05), four(5000.0)])
    bounds = inversion.intervals(curve, mean, np.full(3, 2.0), 0.95)
    quantile = student.ppf(0.975, 8)
    for bound in bounds[0]:
        at = np.array([bound])
        spread = np.sqrt(curve.sigma2 / 2.0 + curve.curve_variance(at)[0])
        assert abs(curve.mean(at)[0] - mean[0]) == pytest.approx(quantile * spread, rel=1e-6)
    assert bounds[0, 0] < 20.0 < bounds[0, 1]
    # Near the lower plateau nothing speaks against zero; near the upper nothing speaks against more.
    assert bounds[1, 0] == 0.0
    assert bounds[1, 1] > 0.05
    assert np.isinf(bounds[2, 1])


def test_the_power_law_finds_its_parameters():
    x = np.array([0.0, 1.0, 4.0, 16.0, 64.0, 256.0]).repeat(2)
    y = 0.1 + 0.03 * x**0.8
    curve = calibration.calibrate(x, y, replicates=(np.empty(0), np.empty(0)), model="power", weights="none")
    assert curve.theta == pytest.approx([0.1, 0.03, np.log(0.8)], rel=1e-6)
