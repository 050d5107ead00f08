"""What the error of a control does to potencies: closed forms, refits of moved data, simulated scatter."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from glueprint import curves
from glueprint.assays.controls import SharedError, widened

DOSES = np.repeat(10.0 ** np.arange(0.0, 4.1, 0.5), 3)
EC50, BOTTOM, SLOPE = 100.0, 0.1, 1.2
MANY = 1e6


def answer(dose):
    return BOTTOM + (1.0 - BOTTOM) / (1.0 + (dose / EC50) ** SLOPE)


def nearly_exact(**options):
    wobble = 1e-5 * np.random.default_rng(1).normal(size=(1, DOSES.size))
    return curves.fit("4pl", DOSES, answer(DOSES) + wobble, **options)


def error_of(fits, sd=0.01, degrees=MANY, **more):
    return SharedError(np.array([sd]), np.array([degrees]), -fits.predict(DOSES), **more)


def added(before, after):
    """Variance of log10 that came on top."""
    return after[0].log10_se ** 2 - before[0].log10_se ** 2


def test_the_level_moves_with_its_control():
    fits = nearly_exact()
    before = curves.absolute(fits, 0.5, "IC50", control=1.0)
    after = widened(before, fits, [error_of(fits)])
    # At 0.5 a share of 0.4 / 0.9 of the window is left, and the level is wrong by half of the error.
    share = (0.5 - BOTTOM) / (1.0 - BOTTOM)
    per_decade = (1.0 - BOTTOM) * share * (1.0 - share) * SLOPE * np.log(10.0)
    assert np.sqrt(added(before, after)) == pytest.approx(0.5 * 0.01 / per_decade, rel=1e-3)
    reach = np.log10(after[0].high_nm / after[0].value_nm)
    assert reach == pytest.approx(1.96 * 0.5 * 0.01 / per_decade, rel=1e-2)


def test_few_control_wells_count_by_the_t_quantile():
    fits = nearly_exact()
    before = curves.absolute(fits, 0.5, "IC50", control=1.0)
    wide, narrow = (widened(before, fits, [error_of(fits, degrees=n)])[0] for n in (2.0, MANY))
    ratio = np.log(wide.high_nm / wide.value_nm) / np.log(narrow.high_nm / narrow.value_nm)
    assert ratio == pytest.approx(student.ppf(0.975, 2) / student.ppf(0.975, MANY), rel=1e-3)


def test_the_middle_between_free_plateaus_does_not_move():
    fits = nearly_exact()
    before = curves.relative(fits, "IC50")
    assert added(before, widened(before, fits, [error_of(fits)])) == pytest.approx(0.0, abs=1e-12)


def test_the_middle_below_a_held_plateau_moves_as_a_refit_does():
    fits = nearly_exact(fixed={"front": 1.0})
    before = curves.relative(fits, "IC50")
    small = 1e-4
    moved = curves.fit("4pl", DOSES, answer(DOSES) * (1.0 - small), fixed={"front": 1.0})
    shift = float(moved.log10_ec50[0] - np.log10(EC50)) / small
    assert abs(shift) > 0.1
    found = np.sqrt(added(before, widened(before, fits, [error_of(fits)])))
    assert found == pytest.approx(0.01 * abs(shift), rel=5e-3)


def test_a_control_of_unknown_error_adds_nothing():
    fits = nearly_exact()
    before = curves.absolute(fits, 0.5, "IC50", control=1.0)
    assert widened(before, fits, [error_of(fits, sd=np.nan)]) == list(before)


def test_limits_stay_limits():
    fits = curves.fit("4pl", DOSES, 0.7 + 0.3 * answer(DOSES))
    (found,) = widened(curves.absolute(fits, 0.5, "IC50", control=1.0), fits, [error_of(fits)])
    assert (found.relation, found.value_nm) == (">", 1e4)


@pytest.mark.parametrize("wells", [4, 16])
def test_controls_inside_the_fit_are_not_counted_twice(wells):
    # Raw signals over their own control, many times: the scatter of the results is what the errors say.
    dose = np.concatenate([np.zeros(wells), DOSES])
    raw = answer(dose) + 0.04 * np.random.default_rng(7).normal(size=(1500, dose.size))
    mean = raw[:, :wells].mean(axis=1, keepdims=True)
    se = raw[:, :wells].std(axis=1, ddof=1) / np.sqrt(wells) / mean[:, 0]
    fits = curves.fit("4pl", dose, raw / mean)
    control = np.broadcast_to(dose == 0.0, raw.shape).astype(float)
    error = SharedError(se, np.full(len(raw), wells - 1.0), -fits.predict(dose), wells=control)
    found = widened(curves.absolute(fits, 0.5, "IC50", control=1.0), fits, [error])
    scatter = np.std([np.log10(one.value_nm) for one in found])
    said = np.sqrt(np.mean([one.log10_se**2 for one in found]))
    # The control's own scatter may only add to what the curve says, so the errors are a little large.
    assert 0.97 <= said / scatter <= 1.12
