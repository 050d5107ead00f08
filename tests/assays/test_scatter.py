"""Fits of wells that scatter with their signal: the variance found, equal weights, limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from glueprint import curves
from glueprint.assays import scatter
from glueprint.curves import Status

DOSE = np.concatenate([np.zeros(12), np.repeat(10.0 ** np.arange(0.0, 4.1, 0.5), 6)])
EC50, BOTTOM = 100.0, 0.05


def left(dose, ec50=EC50, bottom=BOTTOM):
    return bottom + (1.0 - bottom) / (1.0 + dose / ec50)


def plain_signal(mean):
    return np.maximum(mean, 0.0), np.ones_like(mean)


def simulated(count, sd, seed=1, dose=DOSE, **truth):
    mean = left(dose, **truth)
    return mean + sd(mean) * np.random.default_rng(seed).normal(size=(count, dose.size))


@pytest.mark.parametrize(("floor", "within"), [(1.0, (0.6, 1.0)), (0.3, (0.2, 0.45)), (0.05, (0.02, 0.09))])
def test_the_floor_of_the_scatter_is_found(floor, within):
    def sd(mean):
        return 0.06 * np.sqrt(floor**2 + (1.0 - floor**2) * mean**2)

    found = scatter.fit(DOSE, simulated(60, sd), plain_signal)
    assert within[0] <= np.median(found.floor) <= within[1]
    # In the plateau at the foot the weight is that of the scatter there, within a factor of 2.
    weights = found.fits.problem.weights
    ratio = np.median(weights[:, -1] / weights[:, 0])
    assert ratio == pytest.approx(sd(1.0) ** 2 / sd(left(1e4)) ** 2, rel=1.0)


def test_errors_of_the_dose_are_found_where_the_curve_is_steep():
    draw = np.random.default_rng(5)
    # 10 % of the dose against 2 % of the signal.
    dosed = DOSE * np.exp(0.1 * draw.normal(size=(60, DOSE.size)))
    response = left(dosed) * (1.0 + 0.02 * draw.normal(size=dosed.shape))
    found = scatter.fit(DOSE, response, plain_signal)
    assert 2.0 <= np.median(found.dose_error) <= 5.0
    steep, flat = (found.fits.problem.weights[:, dose == DOSE][:, 0] for dose in (EC50, 0.0))
    # d signal / d ln dose is 0.95 / 4 half way down, where the signal is 0.525.
    variance = (0.1 * 0.95 / 4.0) ** 2 + (0.02 * 0.525) ** 2
    assert np.median(steep / flat) == pytest.approx(0.02**2 / variance, rel=0.5)


def test_intervals_hold_as_often_as_they_say():
    response = simulated(600, lambda mean: 0.08 * mean)
    weighted = scatter.fit(DOSE, response, plain_signal).fits
    equal = curves.fit("4pl", DOSE, response)

    def covered(fits):
        return np.mean((np.log10(fits.low[:, 2]) <= 2.0) & (np.log10(fits.high[:, 2]) >= 2.0))

    # 95 % within three binomial errors of 600; equal weights are too wide here.
    assert 0.923 <= covered(weighted) <= 0.977
    assert covered(equal) > 0.977
    width = np.median(np.log10(weighted.high[:, 2] / weighted.low[:, 2]))
    assert width < 0.85 * np.median(np.log10(equal.high[:, 2] / equal.low[:, 2]))


def test_single_wells_are_fitted_as_ever():
    dose = np.unique(DOSE)
    response = simulated(5, lambda mean: 0.05 * mean, dose=dose)
    found, plain = scatter.fit(dose, response, plain_signal), curves.fit("4pl", dose, response)
    assert np.isnan(found.floor).all()
    for name in ("estimates", "low", "high", "effect_p", "status"):
        assert np.array_equal(getattr(found.fits, name), getattr(plain, name), equal_nan=True)


def test_the_effect_test_is_that_of_equal_weights():
    response = 1.0 + 0.05 * np.random.default_rng(3).normal(size=(40, DOSE.size))
    found, plain = scatter.fit(DOSE, response, plain_signal).fits, curves.fit("4pl", DOSE, response)
    assert np.array_equal(found.status == Status.NO_EFFECT, plain.status == Status.NO_EFFECT)
    assert np.array_equal(found.effect_p, plain.effect_p)
    assert (found.status == Status.NO_EFFECT).sum() > 30


def test_a_judge_has_the_last_word_on_effects():
    response = simulated(3, lambda mean: 0.05 * mean)

    def none_at_all(fits):
        return replace(fits, status=np.full(fits.status.shape, Status.NO_EFFECT))

    judged = scatter.fit(DOSE, response, plain_signal, judge=none_at_all).fits
    assert (judged.status == Status.NO_EFFECT).all()


def test_wells_of_which_only_limits_are_known_do_not_pin_the_curve():
    response = simulated(40, lambda mean: 0.05 * mean)
    blur = np.where(DOSE >= 3000.0, 0.1, 0.0) * np.ones_like(response)
    moved = np.where(blur > 0.0, 0.15, response)
    blurred = scatter.fit(DOSE, moved, plain_signal, blur=blur).fits
    pinned = scatter.fit(DOSE, moved, plain_signal).fits
    # Equal values in the place of limits look exact, and would drag the foot to 0.15.
    assert np.median(pinned.back) > 0.12
    assert np.median(blurred.back) < 0.1
    assert np.median(blurred["ec50"]) == pytest.approx(EC50, rel=0.1)
