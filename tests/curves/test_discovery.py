"""Discovery: adjusted p values against hand and SciPy, a null that is level, and the promised false share."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from glueprint import curves, errors
from glueprint.curves import Status

DOSE_NM = 10.0 ** np.arange(-0.5, 4.1, 0.5)
DESIGNS = {
    "ten": DOSE_NM,
    "duplicates": np.append(np.zeros(4), np.repeat(DOSE_NM, 2)),
    "six and vehicle": np.append(0.0, 10.0 ** np.linspace(0.0, 4.0, 6)),
}


def batch_of(count, seed, share=0.3):
    draw = np.random.default_rng(seed)
    real = draw.random(count) < share
    depth = np.where(real, draw.uniform(0.1, 0.8, count), 0.0)[:, None]
    falling = depth / (1.0 + 10.0 ** draw.uniform(0.5, 3.5, count)[:, None] / DOSE_NM)
    return real, 1.0 - falling + draw.normal(0.0, 0.06, (count, DOSE_NM.size))


def test_adjusted_values_by_hand_and_by_scipy():
    assert curves.adjusted([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.02, 0.04, 0.04, 0.02])
    p = np.random.default_rng(1).random(500) ** 2
    assert curves.adjusted(p) == pytest.approx(false_discovery_control(p))
    assert np.isnan(curves.adjusted([0.01, np.nan, 0.02])).tolist() == [False, True, False]
    assert curves.adjusted([0.01, np.nan, 0.02])[0] == pytest.approx(0.02)


@pytest.mark.parametrize("model", ["3pl", "4pl", "5pl"])
@pytest.mark.parametrize("design", DESIGNS)
def test_the_simulated_null_is_level_where_fishers_f_is_not(design, model):
    dose = DESIGNS[design]
    flat = np.random.default_rng(5).normal(1.0, 0.05, (6000, dose.size))
    fits = curves.fit(model, dose, flat, intervals=False)
    found = curves.discover(fits, seed=9)
    for level in (0.2, 0.05, 0.01):
        # Two simulations stand behind the share; 4 standard errors of both, and the tail's own uncertainty.
        error = np.sqrt(level * (1 - level) * (1 / 6000 + 1 / 10_000))
        assert np.mean(found.p < level) == pytest.approx(level, abs=4 * error + 0.1 * level)
    if model == "5pl":
        assert np.mean(fits.effect_p < 0.05) < 0.02


def test_curves_with_missing_points_share_a_null_that_is_level():
    draw = np.random.default_rng(6)
    flat = draw.normal(1.0, 0.05, (6000, 12))
    flat[draw.random(flat.shape) < 0.05] = np.nan
    fits = curves.fit("4pl", np.append(0.0, 10.0 ** np.arange(-0.5, 5.0, 0.5))[:12], flat, intervals=False)
    found = curves.discover(fits, seed=9)
    assert found.tested == 6000
    for level in (0.2, 0.05, 0.01):
        error = np.sqrt(level * (1 - level) * (1 / 6000 + 1 / 10_000))
        assert np.mean(found.p < level) == pytest.approx(level, abs=4 * error + 0.1 * level)


@pytest.mark.parametrize("null", ["f", "simulated"])
def test_of_the_discoveries_at_most_the_promised_share_is_flat(null):
    shares, powers = [], []
    for seed in range(12):
        real, response = batch_of(800, seed)
        found = curves.discover(curves.fit("4pl", DOSE_NM, response, intervals=False), null=null, seed=seed)
        shares.append(np.sum(found.discovered & ~real) / found.discovered.sum())
        powers.append(np.mean(found.discovered[real]))
    # 70 % are flat, so 5 % allow 3.5 % on average.
    assert np.mean(shares) < 0.05
    assert np.mean(powers) > (0.8 if null == "simulated" else 0.75)


def test_the_fits_take_the_verdict_as_status():
    _, response = batch_of(200, 3)
    response = np.column_stack([np.ones(200), response])
    fits = curves.fit("4pl", np.append(0.0, DOSE_NM), response)
    found = curves.discover(fits)
    applied = found.apply()
    assert set(np.flatnonzero(applied.status == Status.NO_EFFECT)) == set(np.flatnonzero(~found.discovered))
    for potency, called in zip(curves.relative(applied), found.discovered, strict=True):
        assert called != (curves.Reason.NO_EFFECT in potency.reasons)


def test_curves_that_cannot_be_tested_are_counted_and_keep_their_status():
    response = np.vstack([np.linspace(1.0, 0.0, 10), np.r_[1.0, 0.5, np.full(8, np.nan)]])
    found = curves.discover(curves.fit("4pl", DOSE_NM, response))
    assert (found.tested, found.not_tested) == (1, 1)
    assert found.table()["status"][1] == "TOO_FEW_POINTS"
    assert found.table()["q"][1] is None
    assert not found.discovered[1]


def test_strong_effects_keep_small_values_beyond_what_simulation_can_count():
    response = 1.0 / (1.0 + DOSE_NM / 30.0) + np.random.default_rng(2).normal(0.0, 0.003, 10)
    found = curves.discover(curves.fit("4pl", DOSE_NM, response))
    assert 0.0 < found.p[0] < 1e-6


def test_the_same_seed_gives_the_same_values():
    fits = curves.fit("4pl", DOSE_NM, batch_of(50, 4)[1], intervals=False)
    assert np.array_equal(curves.discover(fits, seed=1).p, curves.discover(fits, seed=1).p)


def test_what_cannot_be_judged_is_refused():
    fits = curves.fit("4pl", DOSE_NM, batch_of(5, 4)[1], intervals=False)
    for options in ({"rate": 5.0}, {"null": "normal"}, {"null_curves": 10}):
        with pytest.raises(errors.InputError, match="GP-C047"):
            curves.discover(fits, **options)
    held = curves.fit("4pl", DOSE_NM, batch_of(5, 4)[1], fixed={"back": 0.0}, intervals=False)
    with pytest.raises(errors.NotSupportedError, match="GP-C048"):
        curves.discover(held)
    assert curves.discover(held, null="f").tested == 5
