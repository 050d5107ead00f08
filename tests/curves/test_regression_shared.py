"""Fits with shared parameters, and robust fits: against one dense problem, single fits and known outliers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import least_squares

from glueprint.curves import compare, fit, shared
from glueprint.errors import InputError

DOSES = np.r_[0.0, np.geomspace(0.1, 1e4, 9)]


def curves(ec50, slope=1.2, noise=0.04, seed=3):
    ec50 = np.asarray(ec50, float)[:, None]
    y = 1.0 - 0.9 * DOSES**slope / (DOSES**slope + ec50**slope)
    return y + noise * np.random.default_rng(seed).standard_normal(y.shape)


def test_a_shared_fit_is_the_minimum_of_the_whole():
    y = curves([3.0, 30.0, 300.0])
    y[1, 4] = np.nan
    found = fit("4pl", DOSES, y, shared=("front", "back", "slope"))

    def misfit(p):
        ec50 = 10.0 ** p[3:, None]
        up = DOSES ** p[2] / (DOSES ** p[2] + ec50 ** p[2])
        return (p[0] + (p[1] - p[0]) * up - y)[np.isfinite(y)]

    peer = least_squares(misfit, [1.0, 0.1, 1.0, 0.5, 1.5, 2.5], xtol=1e-15, ftol=1e-15, gtol=1e-15)
    assert found.converged.all()
    assert found.rss.sum() == pytest.approx(2.0 * peer.cost, rel=1e-9)
    np.testing.assert_allclose(np.log10(found["ec50"]), peer.x[3:], atol=1e-6)
    np.testing.assert_allclose(found.estimates[:, [0, 1, 3]], np.tile(peer.x[:3], (3, 1)), rtol=1e-6)
    errors = np.sqrt(np.diag(np.linalg.inv(peer.jac.T @ peer.jac)) * found.rss.sum() / found.dof[0])
    np.testing.assert_allclose(found.standard_errors[0, [0, 1, 3]], errors[:3], rtol=1e-4)
    relative = found.standard_errors[:, 2] / found["ec50"] / np.log(10.0)
    np.testing.assert_allclose(relative, errors[3:], rtol=1e-4)
    assert found.points.sum() == 29
    assert found.dof[0] == 23


def test_one_curve_alone_is_a_plain_fit_with_the_same_intervals():
    y = curves([30.0])
    single = fit("4pl", DOSES, y, intervals="all")
    found = fit("4pl", DOSES, y, shared=("slope",))
    np.testing.assert_allclose(found.estimates, single.estimates, rtol=1e-6)
    np.testing.assert_allclose(found.low, single.low, rtol=1e-5)
    np.testing.assert_allclose(found.high, single.high, rtol=1e-5)


def test_curvature_stands_in_for_the_others_when_there_are_many(monkeypatch):
    y = curves(10.0 ** np.linspace(0.5, 2.5, 12))
    full = fit("4pl", DOSES, y, shared=("front", "back", "slope"))
    monkeypatch.setattr(shared, "EXACT", 0)
    quick = fit("4pl", DOSES, y, shared=("front", "back", "slope"))
    assert full.intervals == "profile"
    assert quick.intervals == "profile, others by curvature"
    width = np.log10(full.high[:, 2] / full.low[:, 2])
    assert np.abs(np.log10(quick.low[:, 2] / full.low[:, 2])).max() < 1e-3 * width.min()
    assert np.abs(np.log10(quick.high[:, 2] / full.high[:, 2])).max() < 1e-3 * width.min()


def test_the_same_ec50_is_tested_by_the_extra_sum_of_squares():
    names = ("front", "back", "slope")
    rejected = []
    for seed in range(20):
        y = curves([30.0, 30.0, 30.0], seed=seed)
        general = fit("4pl", DOSES, y, shared=names, intervals=False)
        one = fit("4pl", DOSES, y, shared=(*names, "ec50"), intervals=False)
        test = compare(one, general)
        assert (test.extra, test.dof) == (2, 24)
        rejected.append(test.p < 0.05)
    assert np.mean(rejected) < 0.25
    y = curves([30.0, 30.0, 90.0])
    general = fit("4pl", DOSES, y, shared=names, intervals=False)
    one = fit("4pl", DOSES, y, shared=(*names, "ec50"), intervals=False)
    assert compare(one, general).p < 1e-6


def test_a_thousand_curves_share_a_slope():
    ec50 = 10.0 ** np.random.default_rng(8).uniform(0.5, 2.5, 1000)
    found = fit("4pl", DOSES, curves(ec50), shared=("front", "back", "slope"))
    low, high = found.interval("ec50").T
    assert found.converged.all()
    assert found["slope"][0] == pytest.approx(1.2, abs=0.03)
    assert 0.925 < np.mean((low <= ec50) & (ec50 <= high)) < 0.975


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ('cannot share "slop" (did you mean "slope"?)', {"shared": ("slop",)}),
        ('cannot share "slope"', {"shared": ("slope",), "fixed": {"slope": 1.0}}),
        ("one twice", {"shared": ("slope", "slope")}),
    ],
)
def test_impossible_choices_are_refused(text, call):
    with pytest.raises(InputError) as caught:
        fit("4pl", DOSES, curves([30.0]), **call)
    assert caught.value.code == "GP-C028"
    assert text in str(caught.value)


def test_fits_of_other_points_are_not_compared():
    one = fit("4pl", DOSES, curves([3.0, 30.0]), shared=("slope", "ec50"), intervals=False)
    two = fit("4pl", DOSES, curves([3.0, 30.0], seed=4), shared=("slope",), intervals=False)
    with pytest.raises(InputError, match="GP-C028"):
        compare(one, two)


def test_the_robust_fit_stands_beside_the_plain_one():
    y = curves([30.0] * 20, noise=0.02)
    y[:, 6] += 0.5
    found = fit("4pl", DOSES, y, robust=True)
    robust = found.robust
    assert fit("4pl", DOSES, y).robust is None
    assert robust.outliers[:, 6].mean() >= 0.9
    assert np.delete(robust.outliers, 6, axis=1).mean() < 0.05
    assert np.median(robust.weights[:, 6]) == 0.0
    clean = np.delete(y, 6, axis=1)
    without = fit("4pl", np.delete(DOSES, 6), clean)
    assert np.median(np.abs(robust.theta[:, 2] - without.theta[:, 2])) < 0.05
    assert np.median(np.abs(found.theta[:, 2] - without.theta[:, 2])) > 0.2


def test_without_outliers_the_robust_fit_is_nearly_the_plain_one():
    found = fit("4pl", DOSES, curves([30.0] * 50), robust=True)
    error = found.standard_errors[:, 2] / found["ec50"] / np.log(10.0)
    assert np.median(np.abs(found.robust.theta[:, 2] - found.theta[:, 2]) / error) < 0.7
    assert found.robust.outliers.mean() < 0.03
    assert found.robust.converged.mean() > 0.9


def test_the_examples_of_the_page_run(capsys):
    page = Path(__file__).parents[2] / "docs" / "regression.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        exec(compile(block, str(page), "exec"), {})
    told = capsys.readouterr().out
    assert told.startswith("FINE")
    assert "[[213.8094   0.5472]]" in told
    assert told.rstrip().endswith("True")
