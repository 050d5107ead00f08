"""Delayed entry, start-stop rows, weights and clusters: every number equal to R survival's to 1e-10.

reference/counting.json holds R's numbers with the versions; reference/counting.R is the code that made them
from reference/counting_datasets.json, which reference/counting_datasets.py wrote.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from glueprint import survival

HERE = Path(__file__).parent / "reference"
DATA = json.loads((HERE / "counting_datasets.json").read_text(encoding="utf-8"))
REFERENCE = json.loads((HERE / "counting.json").read_text(encoding="utf-8"))
R = REFERENCE["sets"]
NAMES = list(DATA)
TIES = ("efron", "breslow")
RELATIVE = 1e-10


def floats(values):
    return np.array(values, dtype=float)


def columns(name):
    """The columns of a data set; what it lacks is None."""
    return {key: None if values is None else floats(values) for key, values in DATA[name].items()}


def weighted(name):
    """Flags of the rows whose weight is above 0: R was given only these."""
    weights = DATA[name]["weights"]
    return np.ones(len(DATA[name]["time"]), bool) if weights is None else floats(weights) > 0


def same(ours, theirs, *, absolute=1e-12):
    """Equal to 1e-10 of the value; what is 0 up to rounding may differ by `absolute`."""
    np.testing.assert_allclose(
        np.asarray(ours, float).ravel(),
        floats(theirs).ravel(),
        rtol=RELATIVE,
        atol=absolute,
    )


def fitted(name, ties, **options):
    data = columns(name)
    return survival.cox(
        data["time"],
        data["event"],
        data["covariates"],
        ties=ties,
        strata=data["strata"],
        entry=data["entry"],
        weights=data["weights"],
        **options,
    )


def scaled_down(covariance):
    spread = np.sqrt(np.diag(covariance))
    return covariance / np.outer(spread, spread)


def test_the_reference_names_its_makers():
    assert REFERENCE["versions"]["R"].startswith("R version 4")
    assert REFERENCE["versions"]["survival"][0] == "3"
    assert len(NAMES) >= 8
    assert set(NAMES) == set(R)


CURVES = [(name, part) for name in NAMES for part in ("curve", "curve_cluster") if part in R[name]]


@pytest.mark.parametrize(("name", "part"), [c for c in CURVES if R[c[0]][c[1]]])
class TestCurves:
    def both(self, name, part, function):
        data, expected = columns(name), R[name][part]
        cluster = data["cluster"] if part == "curve_cluster" else None
        options = {"entry": data["entry"], "weights": data["weights"], "cluster": cluster}
        return function(data["time"], data["event"], **options), expected

    def test_kaplan_meier(self, name, part):
        curve, expected = self.both(name, part, survival.kaplan_meier)
        for field in ("times", "survival", "at_risk", "events", "censored", "low", "high"):
            same(getattr(curve, field), expected[field])
        alive = curve.survival > 0
        same(curve.std_error[alive], floats(expected["std_error"])[alive])
        assert np.isnan(curve.std_error[~alive]).all()
        assert (curve.variance == "robust") == expected["robust"]
        found = np.array([curve.quantile(p) for p in (0.25, 0.5, 0.75)])
        for column, theirs in enumerate(("quantile", "quantile_low", "quantile_high")):
            same(found[:, column], expected[theirs])

    def test_nelson_aalen(self, name, part):
        curve, expected = self.both(name, part, survival.nelson_aalen)
        same(curve.times, expected["times"])
        same(curve.cumulative_hazard, expected["hazard"])
        same(curve.std_error, expected["hazard_error"])
        same(curve.low, expected["hazard_low"])
        same(curve.high, expected["hazard_high"])


@pytest.mark.parametrize("ties", TIES)
@pytest.mark.parametrize("name", NAMES)
class TestCox:
    def test_naive(self, name, ties):
        fit, expected = fitted(name, ties, robust=False), R[name][f"cox_{ties}"]
        assert fit.status == "ok"
        same(fit.coefficients, expected["coefficients"])
        same(fit.std_error, expected["std_error"])
        same(scaled_down(fit.covariance), scaled_down(floats(expected["naive"])), absolute=1e-10)
        same(fit.log_likelihood, expected["log_likelihood"])
        same(fit.log_likelihood_null, expected["log_likelihood_null"])
        same(fit.wald.chi2, expected["wald"])
        for ours, theirs in [(fit.likelihood_ratio, "likelihood_ratio"), (fit.score, "score")]:
            same([ours.chi2, ours.df, ours.p_value], expected[theirs])
        assert fit.robust_covariance is None
        assert fit.clusters is None
        assert fit.robust_score is None

    def test_robust(self, name, ties):
        expected = R[name][f"cox_{ties}"]
        fit = fitted(name, ties, cluster=columns(name)["cluster"], robust=True)
        same(scaled_down(fit.naive_covariance), scaled_down(floats(expected["naive"])), absolute=1e-10)
        same(scaled_down(fit.covariance), scaled_down(floats(expected["robust"])), absolute=1e-10)
        same(fit.std_error, expected["robust_error"])
        same(fit.interval[0], expected["robust_low"])
        same(fit.interval[1], expected["robust_high"])
        same(fit.p_value, expected["robust_p"])
        same(fit.wald.chi2, expected["robust_wald"])
        score = fit.robust_score
        same([score.chi2, score.df, score.p_value], expected["robust_score"])

    def test_residuals(self, name, ties):
        expected, use = R[name][f"cox_{ties}"], weighted(name)
        found = survival.cox_residuals(fitted(name, ties, robust=False))
        for ours, theirs in [("martingale", "martingale"), ("score", "scores"), ("dfbeta", "dfbeta")]:
            if expected[theirs]:
                values = getattr(found, ours)
                assert np.isnan(values[~use]).all()
                size = np.abs(floats(expected[theirs])).max(axis=0)
                same(values[use] / size, floats(expected[theirs]) / size, absolute=1e-10)
        for ours, theirs in [("schoenfeld", "schoenfeld"), ("scaled_schoenfeld", "scaled_schoenfeld")]:
            if expected[theirs]:
                size = np.abs(floats(expected[theirs])).max(axis=0)
                same(getattr(found, ours) / size, floats(expected[theirs]) / size, absolute=1e-10)

    def test_proportional_hazards(self, name, ties):
        fit, expected = fitted(name, ties), R[name][f"cox_{ties}"]["proportional"]
        for transform in ("km", "identity", "log", "rank"):
            found = survival.proportional_hazards(fit, transform=transform)
            if transform not in expected:
                assert (name, found.status) == ("emptied", "no comparison")
                assert np.isnan(found.together.chi2)
                continue
            table = floats(expected[transform])
            together = found.together
            same(np.append(found.chi2, together.chi2), table[:, 0])
            same(np.append(found.p_value, together.p_value), table[:, 2])
            assert together.df == table[-1, 1]
            assert (found.status, found.advice) == ("ok", "")

    def test_curves(self, name, ties):
        expected = R[name][f"cox_{ties}"]["curve"]
        profile = R[name][f"cox_{ties}"]["profile"]
        curve = survival.baseline_hazard(fitted(name, ties, robust=False), profile)
        same(curve.times, expected["times"])
        same(curve.cumulative_hazard, expected["hazard"])
        same(curve.cumulative_error, expected["hazard_error"])
        same(curve.survival, expected["survival"])
        inside = (curve.survival > 0) & (curve.survival < 1)
        same(curve.low[inside], floats(expected["low"])[inside])
        same(curve.high[inside], floats(expected["high"])[inside])
        robust = fitted(name, ties, cluster=columns(name)["cluster"], robust=True)
        same(survival.baseline_hazard(robust, profile).cumulative_error, expected["robust_error"])
