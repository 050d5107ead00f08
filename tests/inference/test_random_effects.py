"""Pooled means equal to metafor's and to what can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from glueprint.errors import InputError
from glueprint.inference import random_effects

STUDIES = {
    "scattered": ([2.42, 2.19, 3.48, 2.70, 2.95], [0.03, 0.08, 0.15, 0.2, 0.05]),
    "homogeneous": ([1.0, 1.1, 0.95, 1.02], [0.2, 0.25, 0.15, 0.3]),
    "unequal": ([-0.8, 0.1, 0.4, 0.45, 0.5, 1.9, -0.2], [0.5, 0.1, 0.05, 0.3, 0.2, 0.6, 0.15]),
}
# metafor 3.8.1 on R 4.2.2: f <- rma(yi, sei = se, method = "REML" or "DL", test = "knha",
#   control = list(threshold = 1e-14, maxiter = 10000)); beta, se, ci.lb, ci.ub, sqrt(tau2), confint(f)
#   (with tol = 1e-14) tau, predict(f) prediction limits, QE.
METAFOR = {
    ("scattered", "REML"): "2.73889754135998 0.223130734506308 2.11938730572075 3.3584077769992 "
    "0.485001233187415 0.275347129674661 1.43024877941119 1.25664629984395 4.221148782876 142.019187102937",
    ("scattered", "DL"): "2.73412266069131 0.222806156801588 2.11551359723161 3.35273172415101 "
    "0.387683278602734 0.275347129674661 1.43024877941119 1.49264210700879 3.97560321437382 142.019187102937",
    ("homogeneous", "REML"): "0.995857307249712 0.0307500303660037 0.897996986724062 1.09371762777536 "
    "0 0 0.103490360699989 0.897996986724062 1.09371762777536 0.273898478455441",
    ("homogeneous", "DL"): "0.995857307249712 0.0307500303660037 0.897996986724062 1.09371762777536 "
    "0 0 0.103490360699989 0.897996986724062 1.09371762777536 0.273898478455441",
    ("unequal", "REML"): "0.259964748575493 0.233364030633732 -0.311056463613142 0.830985960764128 "
    "0.418237433168579 0.234424362620345 1.74380595893846 "
    "-0.911953587598529 1.43188308474952 32.2779144070291",
    ("unequal", "DL"): "0.244391064125886 0.205936207470358 -0.259516682513181 0.748298810764954 "
    "0.299367638877322 0.234424362620345 1.74380595893846 "
    "-0.644719550543741 1.13350167879551 32.2779144070291",
}


@pytest.mark.parametrize(("name", "method"), METAFOR)
def test_equal_to_metafor(name, method):
    pooled = random_effects(*STUDIES[name], method=method)
    ours = [pooled.mean, pooled.std_error, *pooled.interval, pooled.tau, *pooled.tau_interval]
    expected = [float(number) for number in METAFOR[name, method].split()]
    # metafor stops its own iterations near 1e-7 of tau.
    np.testing.assert_allclose([*ours, *pooled.prediction, pooled.q], expected, rtol=2e-6, atol=1e-12)
    assert pooled.weights.sum() == pytest.approx(1, rel=1e-14)


def test_equal_errors_have_a_closed_form():
    # With one common error s, REML gives tau^2 = sample variance - s^2 and equal weights.
    y = np.array([1.0, 2.0, 4.0, 9.0])
    pooled = random_effects(y, [0.5] * 4)
    assert pooled.mean == pytest.approx(4.0, rel=1e-12)
    assert pooled.tau == pytest.approx(math.sqrt(np.var(y, ddof=1) - 0.25), rel=1e-9)
    assert random_effects(y, [0.5] * 4, method="DL").tau == pytest.approx(pooled.tau, rel=1e-9)


def test_studies_without_an_error_give_the_plain_mean_and_its_t_interval():
    y = np.array([2.4216, 2.1948, 3.4771])
    pooled = random_effects(y, [0.0, 0.0, 0.0])
    assert pooled.mean == pytest.approx(y.mean(), rel=1e-12)
    assert pooled.tau == pytest.approx(y.std(ddof=1), rel=1e-9)
    t = stats.t.ppf(0.975, 2) * y.std(ddof=1) / math.sqrt(3)
    assert pooled.interval == pytest.approx((y.mean() - t, y.mean() + t), rel=1e-9)
    chi2 = stats.chi2.ppf([0.975, 0.025], 2)
    assert pooled.tau_interval == pytest.approx(np.sqrt(2 * y.var(ddof=1) / chi2), rel=1e-9)
    assert math.isnan(pooled.q)


def test_studies_that_agree_have_no_scatter():
    pooled = random_effects([2.0, 2.0, 2.0], [0.1, 0.0, 0.0])
    assert (pooled.mean, pooled.tau, pooled.std_error) == (2.0, 0.0, 0.0)
    assert pooled.weights.tolist() == [0.0, 0.5, 0.5]


def test_shifting_and_scaling_the_studies_shifts_and_scales_the_answer():
    y, se = (np.array(part) for part in STUDIES["unequal"])
    plain, moved = random_effects(y, se), random_effects(3 * y + 10, 3 * se)
    assert moved.mean == pytest.approx(3 * plain.mean + 10, rel=1e-9)
    assert moved.tau == pytest.approx(3 * plain.tau, rel=1e-9)
    assert moved.interval == pytest.approx(3 * np.array(plain.interval) + 10, rel=1e-9)


@pytest.mark.parametrize(
    ("estimates", "errors", "options", "code"),
    [
        ([1.0], [0.1], {}, "GP-I003"),
        ([1.0, 2.0], [0.1], {}, "GP-I003"),
        ([1.0, np.nan], [0.1, 0.1], {}, "GP-I003"),
        ([1.0, 2.0], [0.1, -0.1], {}, "GP-I003"),
        ([1.0, 2.0], [0.1, 0.0], {"method": "DL"}, "GP-I003"),
        ([1.0, 2.0], [0.1, 0.1], {"method": "ML"}, "GP-I004"),
        ([1.0, 2.0], [0.1, 0.1], {"level": 95}, "GP-I004"),
    ],
)
def test_what_cannot_be_pooled_is_refused(estimates, errors, options, code):
    with pytest.raises(InputError) as caught:
        random_effects(estimates, errors, **options)
    assert caught.value.code == code
    assert caught.value.next_step
