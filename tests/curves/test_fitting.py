"""Fits against exact data, SciPy, drc's published example and the symmetries of the model."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import approx_fprime, least_squares
from scipy.stats import f as fisher
from tests.curves import reference

from glueprint import curves
from glueprint.curves import logistic
from glueprint.curves.status import Status
from glueprint.errors import InputError

RYEGRASS = Path(__file__).parents[3] / "shared" / "data" / "drc-datasets" / "ryegrass.csv"
DOSE = 10.0 ** np.arange(-0.5, 4.1, 0.5)


def hill(dose, front, back, ec50, slope):
    """The textbook form, written independently of the kernel."""
    return back + (front - back) / (1.0 + (np.asarray(dose) / ec50) ** slope)


def noisy(n, seed, sd=0.04, dose=DOSE):
    rng = np.random.default_rng(seed)
    log10_ec50, slope = rng.uniform(0.3, 3.2, (n, 1)), np.exp(rng.normal(0.0, 0.3, (n, 1)))
    return log10_ec50[:, 0], hill(dose, 1.0, 0.1, 10.0**log10_ec50, slope) + rng.normal(
        0.0, sd, (n, dose.size)
    )


def scipy_rss(dose, response, start, weights=1.0):
    """The residual sum of squares that scipy.optimize.least_squares (lm) reaches from a start."""
    found = least_squares(
        lambda p: np.sqrt(weights) * (hill(dose, p[0], p[1], 10.0 ** p[2], np.exp(p[3])) - response),
        start, method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=20000,
    )  # fmt: skip
    return 2.0 * found.cost, found.x


@pytest.mark.parametrize("slope", [0.4, 1.0, 3.0])
@pytest.mark.parametrize(("front", "back"), [(1.0, 0.1), (0.0, 100.0), (-2.0, -1.0)])
def test_noiseless_data_give_the_parameters_back(front, back, slope):
    fits = curves.fit("4pl", DOSE, hill(DOSE, front, back, 45.0, slope))
    assert fits.status[0] == Status.FINE
    assert fits.estimates[0] == pytest.approx([front, back, 45.0, slope, 1.0], rel=1e-8, abs=1e-9)
    assert np.log10(fits.low[0, 2]) == pytest.approx(np.log10(fits.high[0, 2]), abs=1e-5)


@pytest.mark.parametrize("asymmetry", [0.0, -1.5, 1.2])
@pytest.mark.parametrize("level", [None, 0.5])
def test_the_jacobian_equals_finite_differences(level, asymmetry):
    theta = np.array([1.1, 0.05, 1.4, 0.3, asymmetry])
    log10_dose = np.array([[-np.inf, -1.0, 0.5, 1.4, 2.0, 6.0]])
    levels = None if level is None else np.array([level])
    _, jacobian = reference.curve_at(theta[None], log10_dose, levels)
    for point in range(log10_dose.shape[1]):
        numeric = approx_fprime(
            theta, lambda p, point=point: reference.curve_at(p[None], log10_dose, levels)[0][0, point], 1e-7
        )
        assert jacobian[0, point] == pytest.approx(numeric, abs=2e-6)


def test_reaches_the_optimum_of_scipy_on_noisy_curves():
    _, response = noisy(60, seed=4)
    fits = curves.fit("4pl", DOSE, response, intervals=False)
    ours, theirs = [], []
    for i in np.flatnonzero(fits.status == Status.FINE):
        rss, _ = scipy_rss(DOSE, response[i], [response[i, 0], response[i, -1], 1.75, 0.0])
        ours.append(fits.rss[i])
        theirs.append(rss)
    assert len(ours) >= 55
    assert np.all(np.array(ours) <= np.array(theirs) * (1.0 + 1e-6))


def test_standard_errors_are_those_of_the_linearised_model():
    _, response = noisy(1, seed=8)
    fits = curves.fit("4pl", DOSE, response)

    def model(p):
        return hill(DOSE, *p)

    # Central differences: the truncation error falls with the square of the step.
    steps = 1e-5 * np.eye(4)
    jacobian = np.stack(
        [(model(fits.estimates[0, :4] + e) - model(fits.estimates[0, :4] - e)) / 2e-5 for e in steps], 1
    )
    covariance = np.linalg.inv(jacobian.T @ jacobian) * fits.rss[0] / 6.0
    assert fits.standard_errors[0, :4] == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-6)
    assert np.isnan(fits.standard_errors[0, 4])


def test_zero_dose_is_the_front_plateau_and_not_a_small_dose():
    dose = np.array([0.0, 1.0, 10.0, 100.0, 1000.0])
    fits = curves.fit("4pl", dose, hill(dose, 1.0, 0.2, 20.0, 1.0))
    assert fits.log10_ec50[0] == pytest.approx(np.log10(20.0), rel=1e-8)
    assert fits.problem.lowest_dose[0] == 1.0
    assert fits.predict([0.0])[0, 0] == pytest.approx(1.0, rel=1e-9)


def test_a_missing_point_counts_for_nothing():
    _, response = noisy(1, seed=3)
    holed = response.copy()
    holed[0, 4] = np.nan
    without = curves.fit("4pl", np.delete(DOSE, 4), np.delete(response, 4, axis=1))
    fits = curves.fit("4pl", DOSE, holed)
    assert fits.points[0] == 9
    assert fits.estimates == pytest.approx(without.estimates, rel=1e-6)
    assert fits.low[:, 2] == pytest.approx(without.low[:, 2], rel=1e-5)


def test_weight_two_is_a_point_twice():
    _, response = noisy(1, seed=5)
    weights = np.where(DOSE > 30.0, 2.0, 1.0)
    twice = np.concatenate([DOSE, DOSE[DOSE > 30.0]])
    doubled = curves.fit(
        "4pl", twice, np.concatenate([response[0], response[0][DOSE > 30.0]]), intervals=False
    )
    weighted = curves.fit("4pl", DOSE, response, weights=weights, intervals=False)
    assert weighted.estimates == pytest.approx(doubled.estimates, rel=1e-7)
    assert weighted.rss == pytest.approx(doubled.rss)


def test_units_of_dose_and_response_only_move_and_stretch_the_estimates():
    _, response = noisy(20, seed=6)
    plain, scaled = (
        curves.fit("4pl", DOSE, response),
        curves.fit("4pl", DOSE * 1000.0, 100.0 * response - 7.0),
    )
    fine = plain.status == Status.FINE
    assert scaled.log10_ec50[fine] == pytest.approx(plain.log10_ec50[fine] + 3.0, abs=1e-6)
    assert scaled.front[fine] == pytest.approx(100.0 * plain.front[fine] - 7.0, rel=1e-6)
    assert scaled.effect_f[fine] == pytest.approx(plain.effect_f[fine], rel=1e-6)
    assert np.log10(scaled.high[fine, 2]) == pytest.approx(np.log10(plain.high[fine, 2]) + 3.0, abs=1e-4)


def test_a_curve_does_not_see_its_neighbours():
    _, response = noisy(30, seed=7)
    together = curves.fit("4pl", DOSE, response)
    for i in (0, 11, 29):
        alone = curves.fit("4pl", DOSE, response[i])
        assert alone.estimates[0] == pytest.approx(together.estimates[i], rel=1e-9, nan_ok=True)
        assert np.log10(alone.low[0, 2]) == pytest.approx(np.log10(together.low[i, 2]), abs=1e-6, nan_ok=True)


def test_profile_interval_is_where_the_constrained_rss_meets_the_threshold():
    _, response = noisy(1, seed=9)
    fits = curves.fit("4pl", DOSE, response)
    # t(0.975, 6) = 2.446912 (printed in every table of t).
    leave = fits.rss[0] * (1.0 + 2.446912**2 / 6.0)
    for bound in (np.log10(fits.low[0, 2]), np.log10(fits.high[0, 2])):
        found = least_squares(
            lambda p, bound=bound: hill(DOSE, p[0], p[1], 10.0**bound, np.exp(p[2])) - response[0],
            [fits.front[0], fits.back[0], np.log(fits.slope[0])],
            xtol=1e-14, ftol=1e-14, gtol=1e-14,
        )  # fmt: skip
        assert 2.0 * found.cost == pytest.approx(leave, rel=1e-5)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    truth, response = noisy(1200, seed=10)
    fits = curves.fit("4pl", DOSE, response)
    covered = (fits.low[:, 2] <= 10.0**truth) & (10.0**truth <= fits.high[:, 2])
    # 0.95 with three binomial standard errors of 1200 curves, 0.019.
    assert abs(covered.mean() - 0.95) < 0.019


def test_the_interval_is_open_where_a_plateau_is_out_of_sight():
    rng = np.random.default_rng(12)
    fits = curves.fit("4pl", DOSE, hill(DOSE, 1.0, 0.0, 8000.0, 1.0) + rng.normal(0.0, 0.03, DOSE.size))
    assert fits.high[0, 2] == np.inf
    assert fits.low[0, 2] > 0.0


def test_effect_test_equals_the_textbook_f():
    _, response = noisy(1, seed=13)
    fits = curves.fit("4pl", DOSE, response)
    flat = np.sum((response[0] - response[0].mean()) ** 2)
    by_hand = (flat - fits.rss[0]) / 3.0 / (fits.rss[0] / 6.0)
    assert fits.effect_f[0] == pytest.approx(by_hand, rel=1e-9)
    assert fits.effect_p[0] == pytest.approx(fisher.sf(by_hand, 3, 6), rel=1e-9)


@pytest.mark.parametrize("value", [0.0, 1.0, -3.5])
def test_exactly_flat_data_have_no_effect(value):
    fits = curves.fit("4pl", DOSE, np.full(DOSE.size, value))
    assert fits.status[0] == Status.NO_EFFECT
    assert fits.effect_p[0] == 1.0


def test_noise_alone_is_mostly_seen_as_no_effect():
    response = np.random.default_rng(14).normal(1.0, 0.05, (400, DOSE.size))
    fits = curves.fit("4pl", DOSE, response, intervals=False)
    # At 5 % the test calls 2 to 3 % of flat curves an effect (docs/curves.md); 0.93 is far outside.
    assert np.mean(fits.effect_p > 0.05) > 0.93
    flat = fits.status[fits.effect_p > 0.05]
    assert np.all(np.isin(flat, (Status.NO_EFFECT, Status.TURNS)))
    # The test of turning has a level of 1 % (docs/curves.md).
    assert np.mean(flat == Status.TURNS) < 0.03


def test_too_few_doses_are_a_status_with_a_remedy():
    fits = curves.fit("4pl", [1.0, 10.0, 100.0], [[1.0, 0.5, 0.1], [1.0, np.nan, np.nan]])
    assert fits.status.tolist() == [Status.TOO_FEW_POINTS] * 2
    assert np.isnan(fits.estimates).all()
    assert "measure more doses" in fits.reasons[0]


def test_replicates_of_one_dose_are_not_more_doses():
    fits = curves.fit("4pl", [10.0] * 8, np.linspace(0.4, 0.6, 8))
    assert fits.status[0] == Status.TOO_FEW_POINTS


def test_as_many_parameters_as_points_gives_a_curve_without_errors():
    dose = np.array([1.0, 10.0, 100.0, 1000.0])
    fits = curves.fit("4pl", dose, hill(dose, 1.0, 0.0, 30.0, 1.2))
    assert fits.status[0] == Status.NO_DEGREES
    assert fits.log10_ec50[0] == pytest.approx(np.log10(30.0), abs=1e-5)
    assert np.isnan(fits.standard_errors).all()
    assert np.isnan(fits.low[0, 2])


def test_fixed_parameters_stay_and_have_no_error():
    _, response = noisy(1, seed=15)
    fits = curves.fit("4pl", DOSE, response, fixed={"front": 1.0, "back": 0.1})
    assert fits.estimates[0, :2].tolist() == [1.0, 0.1]
    assert np.isnan(fits.standard_errors[0, :2]).all()
    three = curves.fit("3pl", DOSE, response)
    assert three.slope[0] == 1.0
    assert three.dof[0] == 7


@pytest.mark.skipif(not RYEGRASS.exists(), reason="the drc ryegrass data are not beside this repository")
def test_ryegrass_as_in_drc():
    with RYEGRASS.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    response, dose = (np.array([float(row[name]) for row in rows]) for name in ("rootl", "conc"))
    fits = curves.fit("4pl", dose, response)
    # drc 3.0-1 in R 4.2.2: drm(rootl ~ conc, data = ryegrass, fct = LL.4()), relTol 1e-14.
    # b 2.98222, c 0.48141, d 7.79296, e 3.05795.
    assert fits.estimates[0] == pytest.approx([7.79296, 0.48141, 3.05795, 2.98222, 1.0], rel=1e-4)


def drc_data(name, response, dose):
    with (RYEGRASS.parent / f"{name}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return tuple(np.array([float(row[column]) for row in rows]) for column in (dose, response))


def drc_estimates(name, model):
    """What drc 3.0-1 found in R 4.2.2 (relTol 1e-14), by quantity, and the residual sum of squares."""
    with (RYEGRASS.parent / "estimates.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if (row["dataset"], row["model"]) == (name, model)]
    found = {row["quantity"].removesuffix(":(Intercept)"): float(row["estimate"]) for row in rows}
    return found, float(rows[0]["rss"])


@pytest.mark.skipif(not RYEGRASS.exists(), reason="the drc data are not beside this repository")
def test_five_parameters_as_in_drc_with_the_true_ec50():
    dose, response = drc_data("ryegrass", "rootl", "conc")
    fits = curves.fit("5pl", dose, response)
    theirs, rss = drc_estimates("ryegrass", "LL.5")
    assert rss * (1.0 - 1e-7) < fits.rss[0] < rss
    expected = [theirs["d"], theirs["c"], theirs["b"], theirs["f"]]
    got = [fits.front[0], fits.back[0], fits.slope[0], fits["asymmetry"][0]]
    # drc stops 2e-8 above our sum of squares, which moves f (0.47 +- 0.53) by 7e-4 of its error.
    errors = fits.standard_errors[0, [0, 1, 3, 4]]
    assert np.all(np.abs(np.subtract(got, expected)) < 1e-3 * errors)
    # drc's e (2.215) is not the ED50; ours is.
    assert 10.0 ** fits.log10_ec50[0] == pytest.approx(3.02354, rel=1e-4)
    assert theirs["ED:e:1:50"] == pytest.approx(3.02354, rel=1e-4)


@pytest.mark.skipif(not RYEGRASS.exists(), reason="the drc data are not beside this repository")
@pytest.mark.parametrize(
    ("name", "columns"),
    [("lettuce", ("weight", "conc")), ("algae", ("vol", "conc")), ("ryegrass", ("rootl", "conc"))],
)
def test_three_and_four_parameters_as_in_drc(name, columns):
    dose, response = drc_data(name, *columns)
    model = "LL.4" if name == "ryegrass" else "LL.3"
    fits = curves.fit("4pl", dose, response, fixed={} if model == "LL.4" else {"back": 0.0})
    theirs, rss = drc_estimates(name, model)
    assert fits.rss[0] == pytest.approx(rss, rel=1e-9)
    expected = [theirs["d"], theirs["e"], theirs["b"]]
    assert [fits.front[0], 10.0 ** fits.log10_ec50[0], fits.slope[0]] == pytest.approx(expected, rel=1e-4)


def test_five_parameters_give_themselves_back_and_reduce_to_four():
    theta = np.array([[1.0, 0.2, 1.5, 0.2, -0.7]])
    clean, _ = logistic.curve(theta, np.log10(DOSE)[None])
    fits = curves.fit("5pl", DOSE, clean)
    assert fits.theta == pytest.approx(theta, abs=1e-6)
    half_way = fits.predict(10.0**fits.log10_ec50)
    assert half_way[0, 0] == pytest.approx(0.6, rel=1e-9)
    _, response = noisy(6, seed=16)
    four = curves.fit("4pl", DOSE, response)
    five = curves.fit("5pl", DOSE, response, fixed={"asymmetry": 1.0})
    assert np.array_equal(five.estimates, four.estimates)
    free = curves.fit("5pl", DOSE, response)
    assert np.all(free.rss <= four.rss * (1.0 + 1e-9))


def test_hill_begins_at_zero():
    fits = curves.fit("hill", DOSE, hill(DOSE, 0.0, 80.0, 45.0, 1.4))
    assert fits.estimates[0] == pytest.approx([0.0, 80.0, 45.0, 1.4, 1.0], rel=1e-7)
    assert fits.dof[0] == 7
    assert np.isnan(fits.standard_errors[0, [0, 4]]).all()


def test_shapes_that_do_not_fit_are_refused():
    for dose, response in (([1.0, 2.0], [1.0]), ([[1.0], [2.0]], [[1.0, 2.0]]), (["a"], [1.0])):
        with pytest.raises(InputError, match="GP-C021"):
            curves.fit("4pl", dose, response)


@pytest.mark.parametrize("dose", [-1.0, np.inf])
def test_impossible_doses_are_refused_with_their_place(dose):
    with pytest.raises(InputError, match="GP-C023") as caught:
        curves.fit("4pl", [1.0, dose, 3.0], [1.0, 0.5, 0.2])
    assert caught.value.where == "curve 0, point 1"


def test_impossible_responses_and_weights_are_refused():
    with pytest.raises(InputError, match="GP-C024"):
        curves.fit("4pl", [1.0, 2.0, 3.0], [1.0, np.inf, 0.2])
    with pytest.raises(InputError, match="GP-C024"):
        curves.fit("4pl", [1.0, 2.0, 3.0], [1.0, 0.5, 0.2], weights=[1.0, -1.0, 1.0])


@pytest.mark.parametrize("unit", [1e-100, 1e100])
def test_responses_whose_squares_leave_the_numbers_are_refused(unit):
    # Within the bounds the unit of the response changes nothing; beyond them the fit once ended anywhere.
    dose = np.array([0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0])
    response = 1.0 - 0.8 * dose / (dose + 20.0) + 0.01 * np.cos(np.arange(dose.size))
    plain = curves.fit("4pl", dose, response)
    assert curves.fit("4pl", dose, response * np.sqrt(unit))["ec50"] == pytest.approx(plain["ec50"], rel=1e-9)
    with pytest.raises(InputError, match="GP-C024") as caught:
        curves.fit("4pl", dose, response * unit)
    assert caught.value.where == "curve 0, point 0"


@pytest.mark.parametrize(
    "asked",
    [
        {"fixed": {"top": 1.0}},
        {"fixed": {"slope": 0.0}},
        {"fixed": {"back": np.nan}},
        {"confidence": 95.0},
        {"alpha": np.nan},
    ],
)
def test_unknown_parameters_and_impossible_values_are_refused(asked):
    with pytest.raises(InputError, match="GP-C025"):
        curves.fit("4pl", DOSE, DOSE, **asked)


@pytest.mark.parametrize("model", ["3pl", "4pl"])
def test_a_curve_between_two_held_plateaus_has_an_interval(model):
    """Normalised responses: the EC50, with slope 1, is all that is left to fit."""
    _, response = noisy(3, seed=41)
    fits = curves.fit(model, DOSE, response, fixed={"front": 1.0, "back": 0.1})
    assert (fits.low[:, 2] < fits["ec50"]).all()
    assert (fits["ec50"] < fits.high[:, 2]).all()
    held = curves.fit("4pl", DOSE, response, fixed={"front": 1.0, "back": 0.1, "slope": 1.0})
    if model == "3pl":
        np.testing.assert_allclose(held.interval("ec50"), fits.interval("ec50"), rtol=1e-9)
        found = curves.absolute(fits, 0.5, control=1.0)
        # With one free parameter every dose at a level is the EC50 times the same factor.
        factor = [one.value_nm / ec50 for one, ec50 in zip(found, fits["ec50"], strict=True)]
        ends = [(one.low_nm / f, one.high_nm / f) for one, f in zip(found, factor, strict=True)]
        np.testing.assert_allclose(ends, fits.interval("ec50"), rtol=1e-4)
