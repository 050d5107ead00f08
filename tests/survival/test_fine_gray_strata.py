"""Fine and Gray's regression with strata: R's coefficients, and what strata must not change."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from glueprint import survival

HERE = Path(__file__).parent / "reference"
DATA = json.loads((HERE / "methods_data.json").read_text(encoding="utf-8"))
R = json.loads((HERE / "strata.json").read_text(encoding="utf-8"))["sets"]


def arrays(name):
    given = DATA[name]
    time, cause, x = (np.array(given[key]) for key in ("time", "cause", "covariates"))
    strata = np.array(given["strata"])
    strata = strata if np.unique(strata).size > 1 else np.arange(time.size) % 3
    use = time > 0
    # R's two packages treat ties otherwise than each other; strata.R moves the times in the same way.
    time = time + 1e-4 * np.arange(1, time.size + 1)
    return time[use], cause[use], x[use], strata[use]


@pytest.mark.parametrize("name", [name for name in R if R[name]])
def test_coefficients_are_those_of_r(name):
    time, cause, x, strata = arrays(name)
    fit = survival.fine_gray(time, cause, x, strata=strata)
    theirs = np.array(R[name]["coefficients"], dtype=float)
    unit = fit.std_error
    np.testing.assert_allclose(fit.coefficients / unit, theirs / unit, atol=2e-7)
    assert fit.log_likelihood - fit.log_likelihood_null == pytest.approx(
        R[name]["log_likelihood"][1] - R[name]["log_likelihood"][0], abs=1e-8
    )


def test_one_stratum_is_none():
    time, cause, x, _ = arrays("plain" if "plain" in DATA else next(iter(DATA)))
    plain, one = (survival.fine_gray(time, cause, x, strata=s) for s in (None, np.zeros(time.size)))
    assert plain.coefficients.tolist() == one.coefficients.tolist()
    assert plain.covariance.tolist() == one.covariance.tolist()


def test_a_stratum_that_is_a_copy_halves_the_variance():
    time, cause, x, _ = arrays(next(iter(DATA)))
    plain = survival.fine_gray(time, cause, x)
    twice = survival.fine_gray(
        *(np.concatenate([a, a]) for a in (time, cause, x)), strata=np.repeat([0, 1], time.size)
    )
    np.testing.assert_allclose(twice.coefficients, plain.coefficients, atol=1e-9)
    np.testing.assert_allclose(twice.covariance, plain.covariance / 2, rtol=1e-7)
    half = twice.stratum == 0
    np.testing.assert_allclose(twice.baseline[half], plain.baseline, rtol=1e-8)
    np.testing.assert_allclose(twice.times[half], plain.times)


def test_strata_with_their_own_baselines_are_told_apart():
    """The covariate does nothing within the strata and all between them."""
    rng = np.random.default_rng(4)
    stratum = rng.integers(0, 2, 600)
    x = stratum + 0.5 * rng.normal(size=600)
    time = rng.exponential(np.where(stratum == 1, 3.0, 12.0))
    limit = rng.exponential(20.0, 600)
    cause = np.where(time <= limit, rng.integers(1, 3, 600), 0)
    time = np.minimum(time, limit)
    apart = survival.fine_gray(time, cause, x, strata=stratum)
    together = survival.fine_gray(time, cause, x)
    assert abs(apart.coefficients[0] / apart.std_error[0]) < 2.6
    assert together.coefficients[0] / together.std_error[0] > 3
