"""Every number equal to R survival's to 1e-10, on data that each hold one difficulty.

reference/reference.json holds R's numbers with the versions; reference/reference.R is the code that made
them from reference/datasets.json, which reference/datasets.py wrote.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from glueprint import survival
from glueprint.errors import InputError

HERE = Path(__file__).parent / "reference"
DATA = json.loads((HERE / "datasets.json").read_text(encoding="utf-8"))
REFERENCE = json.loads((HERE / "reference.json").read_text(encoding="utf-8"))
R = REFERENCE["sets"]
NAMES = list(DATA)
RELATIVE = 1e-10


def floats(values):
    return np.array(values, dtype=float)


def assert_same(ours, theirs, *, absolute=1e-14):
    """Equal to 1e-10 of the value; what is 0 up to rounding may differ by `absolute`."""
    np.testing.assert_allclose(
        np.asarray(ours, dtype=float).ravel(), floats(theirs).ravel(), rtol=RELATIVE, atol=absolute
    )


def columns(name):
    data = DATA[name]
    return {key: floats(data[key]) for key in ("time", "event", "group", "strata", "cause", "covariates")}


def test_the_reference_names_its_makers():
    assert REFERENCE["versions"]["R"].startswith("R version 4")
    assert REFERENCE["versions"]["survival"][0] == "3"
    assert len(NAMES) >= 5
    assert set(NAMES) == set(R)


@pytest.mark.parametrize("part", ["all", "first_group"])
@pytest.mark.parametrize("name", NAMES)
class TestKaplanMeier:
    def curve(self, name, part):
        data = columns(name)
        use = data["group"] == data["group"][0] if part == "first_group" else slice(None)
        return data["time"][use], data["event"][use], R[name][part]

    def test_curve_and_band(self, name, part):
        time, event, expected = self.curve(name, part)
        curve = survival.kaplan_meier(time, event)
        assert_same(curve.times, expected["times"])
        assert_same(curve.survival, expected["survival"])
        for ours, theirs in [
            (curve.at_risk, "at_risk"),
            (curve.events, "events"),
            (curve.censored, "censored"),
        ]:
            assert ours.tolist() == np.ravel(expected[theirs]).tolist()
        assert_same(curve.low, expected["low"])
        assert_same(curve.high, expected["high"])
        alive = curve.survival > 0
        assert_same(
            (curve.std_error / curve.survival)[alive] if alive.all() else curve.std_error[alive],
            floats(expected["log_error"]).ravel()
            if alive.all()
            else (floats(expected["log_error"]).ravel()[alive] * curve.survival[alive]),
        )

    def test_quantiles_with_limits(self, name, part):
        time, event, expected = self.curve(name, part)
        curve = survival.kaplan_meier(time, event)
        rows = np.array([curve.quantile(p) for p in (0.25, 0.5, 0.75)])
        assert_same(rows[:, 0], expected["quantile"])
        assert_same(rows[:, 1], expected["quantile_low"])
        assert_same(rows[:, 2], expected["quantile_high"])
        assert_same([curve.median, *curve.median_interval], rows[1])

    def test_restricted_mean(self, name, part):
        time, event, expected = self.curve(name, part)
        if expected["rmean"] is None:
            with pytest.raises(InputError, match="GP-V010"):
                survival.rmst(time, event, DATA[name]["tau"])
            return
        area = survival.rmst(time, event, DATA[name]["tau"])
        assert_same([area.value, area.std_error], [expected["rmean"], expected["rmean_error"]])


@pytest.mark.parametrize("stratified", [False, True])
@pytest.mark.parametrize("name", NAMES)
class TestLogRank:
    def both(self, name, stratified):
        expected = R[name]["log_rank_strata" if stratified else "log_rank"]
        return columns(name), expected

    def test_statistic_and_its_parts(self, name, stratified):
        data, expected = self.both(name, stratified)
        strata = data["strata"] if stratified else None
        test = survival.log_rank(data["time"], data["event"], data["group"], strata=strata)
        assert_same(test.observed, expected["observed"])
        assert_same(test.expected, expected["expected"])
        assert_same(test.variance, expected["variance"], absolute=1e-13)
        assert_same(test.chi2, expected["chi2"])
        assert_same(test.p_value, expected["p_value"])

    def test_the_replicate_path_gives_the_same(self, name, stratified):
        data, expected = self.both(name, stratified)
        if set(data["group"]) != {0.0, 1.0}:
            with pytest.raises(InputError, match="GP-V006"):
                survival.replicate_log_rank([data["time"]], [data["event"]], data["group"])
            return
        strata = data["strata"] if stratified else None
        rows = np.tile(data["time"], (2, 1)), np.tile(data["event"], (2, 1))
        test = survival.replicate_log_rank(*rows, data["group"], strata=strata)
        assert_same(test.chi2, [expected["chi2"]] * 2)
        assert_same(test.p_value, [expected["p_value"]] * 2)


@pytest.mark.parametrize("stratified", ["", "_strata"])
@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("name", NAMES)
class TestCox:
    def both(self, name, ties, stratified):
        expected = R[name][f"cox_{ties}{stratified}"]
        assert "warning" not in expected
        return columns(name), expected

    def test_fit(self, name, ties, stratified):
        data, expected = self.both(name, ties, stratified)
        strata = data["strata"] if stratified else None
        fit = survival.cox(data["time"], data["event"], data["covariates"], ties=ties, strata=strata)
        assert fit.status == "ok"
        assert fit.converged
        for field in ("coefficients", "std_error", "hazard_ratio", "p_value"):
            assert_same(getattr(fit, field), expected[field])
        assert_same(fit.interval[0], expected["low"])
        assert_same(fit.interval[1], expected["high"])
        spread = np.sqrt(np.diag(fit.covariance))
        assert_same(
            fit.covariance / np.outer(spread, spread),
            floats(expected["covariance"]).reshape(fit.covariance.shape) / np.outer(spread, spread),
            absolute=1e-10,
        )
        assert_same(fit.log_likelihood, expected["log_likelihood"])
        assert_same(fit.log_likelihood_null, expected["log_likelihood_null"])

    def test_global_tests(self, name, ties, stratified):
        data, expected = self.both(name, ties, stratified)
        strata = data["strata"] if stratified else None
        fit = survival.cox(data["time"], data["event"], data["covariates"], ties=ties, strata=strata)
        assert_same(fit.wald.chi2, expected["wald_chi2"])
        for ours, theirs in [(fit.likelihood_ratio, "likelihood_ratio"), (fit.score, "score")]:
            assert_same([ours.chi2, ours.df, ours.p_value], expected[theirs], absolute=1e-11)


@pytest.mark.parametrize("stratified", ["", "_strata"])
@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("name", ["freireich", "embury"])  # the sets whose only covariate is the group
def test_cox_of_replicates(name, ties, stratified):
    data, expected = columns(name), R[name][f"cox_{ties}{stratified}"]
    strata = data["strata"] if stratified else None
    fit = survival.replicate_cox([data["time"]], [data["event"]], data["group"], ties=ties, strata=strata)
    assert fit.status.tolist() == ["ok"]
    assert_same(fit.coefficient, expected["coefficients"])
    for field in ("std_error", "hazard_ratio", "low", "high", "p_value"):
        assert_same(getattr(fit, field), expected[field])


@pytest.mark.parametrize("name", NAMES)
def test_cumulative_incidence(name):
    data, expected = columns(name), R[name]["incidence"]
    ours = survival.cumulative_incidence(data["time"], data["cause"])
    assert_same(ours.times, expected["times"])
    assert_same(ours.causes, expected["causes"])
    assert_same(ours.incidence, expected["incidence"])
    assert_same(ours.std_error, expected["std_error"], absolute=1e-13)


@pytest.mark.parametrize("row", REFERENCE["proportions"], ids=lambda r: f"{r['successes']}/{r['n']}")
def test_clopper_pearson_against_binom_test(row):
    for level, suffix in [(0.95, ""), (0.9, "90")]:
        ours = survival.clopper_pearson(row["successes"], row["n"], level)
        assert_same([ours.low, ours.high], [row["low" + suffix], row["high" + suffix]])
