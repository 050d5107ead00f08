"""Delayed entry, start-stop rows, weights and clusters: by hand, by what must hold, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glueprint import survival
from glueprint.errors import InputError
from glueprint.survival.counts import tie
from glueprint.survival.influence import hazards, martingale_residuals
from glueprint.survival.monotone import separating_direction
from glueprint.survival.partial_likelihood import evaluate, risk_sets

SEEDS = st.integers(0, 10**6)
FITTED = ("coefficients", "std_error", "log_likelihood", "naive_covariance")


def trial(seed, n=40, ticks=9):
    """Entries and times on one grid, two covariates, three strata."""
    rng = np.random.Generator(np.random.Philox(seed))
    entry = rng.integers(0, ticks - 1, n).astype(float)
    time = entry + rng.integers(1, ticks, n)
    event = (rng.random(n) < 0.7).astype(int)
    event[:3] = 1
    x = np.column_stack([rng.integers(0, 2, n), rng.normal(size=n)])
    return rng, time, event, x, entry, rng.integers(0, 3, n)


def assert_fits_equal(one, other, rtol=1e-9):
    assert one.status == other.status
    for field in FITTED:
        np.testing.assert_allclose(getattr(one, field), getattr(other, field), rtol=rtol, atol=1e-9)


class TestByHand:
    # At risk at 2: patients 1, 2 (3 enters at 2, after it). At 3: 2, 3, 4. At 5: 3, 4.
    TIME, EVENT, ENTRY = [2, 3, 5, 5], [1, 1, 1, 0], [0, 1, 2, 2]

    def test_kaplan_meier(self):
        curve = survival.kaplan_meier(self.TIME, self.EVENT, entry=self.ENTRY)
        assert curve.at_risk.tolist() == [2, 3, 2]
        np.testing.assert_allclose(curve.survival, [1 / 2, 1 / 3, 1 / 6])
        greenwood = np.cumsum([1 / 2, 1 / 6, 1 / 2])
        np.testing.assert_allclose(curve.std_error, curve.survival * np.sqrt(greenwood))
        assert (curve.status, curve.advice, curve.n, curve.observed.begin) == ("ok", "", 4, 0.0)
        # At 0 those who start then; at 2 those who entered before it; at 2.5 also those of 2.
        assert curve.risk_table([0, 0.5, 2, 2.5, 5, 6]).tolist() == [1, 1, 2, 3, 2, 0]

    def test_nelson_aalen(self):
        curve = survival.nelson_aalen(self.TIME, self.EVENT, entry=self.ENTRY)
        np.testing.assert_allclose(curve.cumulative_hazard, [1 / 2, 5 / 6, 4 / 3])
        np.testing.assert_allclose(curve.std_error**2, np.cumsum([1 / 4, 1 / 9, 1 / 4]))
        np.testing.assert_allclose(np.sqrt(curve.low * curve.high), curve.cumulative_hazard)
        assert curve.at([1.9, 2, 4, 5.5])[:3].tolist() == [0.0, 0.5, 0.5 + 1 / 3]
        assert math.isnan(curve.at(5.5))

    def test_cox(self):
        # The group of x = 1 is 1 and 3: L = h/(h + 1) * 1/(h + 2) * h/(h + 1), at its maximum where
        # 2/h = 2/(h + 1) + 1/(h + 2), which is h^2 - h - 4 = 0.
        fit = survival.cox(self.TIME, self.EVENT, [1, 0, 1, 0], entry=self.ENTRY)
        h = (1 + math.sqrt(17)) / 2
        assert fit.hazard_ratio[0] == pytest.approx(h, rel=1e-10)
        assert fit.log_likelihood == pytest.approx(math.log(h**2 / (h + 1) ** 2 / (h + 2)), rel=1e-12)


def test_the_risk_table_of_a_curve_with_weights_counts_weights():
    curve = survival.kaplan_meier([1, 2, 3], [1, 0, 1], entry=[0, 0, 1], weights=[0.5, 1.5, 2.0])
    assert curve.risk_table([0, 1, 2]).tolist() == [2.0, 2.0, 3.5]


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_entry_at_the_start_and_weights_of_one_change_nothing(seed):
    _, time, event, x, _, strata = trial(seed)
    options = {"entry": np.zeros(time.size), "weights": np.ones(time.size)}
    assert_fits_equal(
        survival.cox(time, event, x, strata=strata, **options), survival.cox(time, event, x, strata=strata)
    )
    for function in (survival.kaplan_meier, survival.nelson_aalen):
        one, other = function(time, event, **options), function(time, event)
        for field in ("std_error", "low", "high", "at_risk"):
            np.testing.assert_allclose(getattr(one, field), getattr(other, field), rtol=1e-12)
        assert one.status == "ok"


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_cutting_a_follow_up_into_stretches_changes_nothing(seed):
    rng, time, event, x, entry, strata = trial(seed)
    cut = entry + np.ceil((time - entry) * rng.random(time.size))
    cut = np.where(cut < time, cut, (entry + time) / 2)
    who = np.tile(np.arange(time.size), 2)
    rows = {
        "time": np.append(cut, time),
        "event": np.append(0 * event, event),
        "entry": np.append(entry, cut),
    }
    whole = survival.cox(time, event, x, strata=strata, entry=entry, robust=True)
    parts = survival.cox(
        covariates=np.vstack([x, x]), strata=np.tile(strata, 2), patient=who, robust=True, **rows
    )
    assert_fits_equal(parts, whole)
    assert (parts.n, parts.rows, parts.clusters) == (time.size, 2 * time.size, time.size)
    np.testing.assert_allclose(parts.robust_covariance, whole.robust_covariance, rtol=1e-8, atol=1e-12)
    curve, again = survival.kaplan_meier(time, event, entry=entry), survival.kaplan_meier(**rows)
    np.testing.assert_allclose(again.at(curve.times), curve.at(curve.times), rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_whole_weights_are_so_many_equal_patients(seed):
    # Efron's shares differ between a row of weight 2 and two rows, so this holds for Breslow's.
    rng, time, event, x, entry, _ = trial(seed)
    weights = rng.integers(0, 4, time.size)
    weights[0] = 2
    many = np.repeat(np.arange(time.size), weights)
    one = survival.cox(time, event, x, ties="breslow", entry=entry, weights=weights)
    other = survival.cox(time[many], event[many], x[many], ties="breslow", entry=entry[many])
    assert_fits_equal(one, other)
    assert one.left_out == (weights == 0).sum()
    for function in (survival.kaplan_meier, survival.nelson_aalen):
        weighed = function(time, event, entry=entry, weights=weights)
        counted = function(time[many], event[many], entry=entry[many])
        for field in ("times", "std_error", "low", "high", "at_risk", "events", "censored"):
            np.testing.assert_allclose(getattr(weighed, field), getattr(counted, field), rtol=1e-11)


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.floats(1e-9, 1e9))
def test_the_size_of_all_weights_changes_no_robust_answer(seed, factor):
    rng, time, event, x, entry, _ = trial(seed)
    weights = rng.uniform(0.5, 2.0, time.size)
    one = survival.cox(time, event, x, entry=entry, weights=weights)
    other = survival.cox(time, event, x, entry=entry, weights=weights * factor, robust=True)
    assert one.status == other.status
    assert one.robust
    np.testing.assert_allclose(other.coefficients, one.coefficients, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(other.std_error, one.std_error, rtol=1e-8)
    np.testing.assert_allclose(other.naive_covariance * factor, one.naive_covariance, rtol=1e-7)


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_residuals_add_up(seed):
    rng, time, event, x, entry, strata = trial(seed)
    weights = rng.uniform(0.5, 2.0, time.size)
    fit = survival.cox(time, event, x, entry=entry, weights=weights, strata=strata)
    if fit.status != "ok":
        return
    found = survival.cox_residuals(fit)
    for stratum in range(3):
        assert abs(weights[strata == stratum] @ found.martingale[strata == stratum]) < 1e-9
    np.testing.assert_allclose(weights @ found.score, 0, atol=1e-7)
    np.testing.assert_allclose(weights[found.death_row] @ found.schoenfeld, 0, atol=1e-7)
    assert (time[found.death_row] == found.death_time).all()
    assert event[found.death_row].all()
    np.testing.assert_allclose(found.dfbeta.T @ found.dfbeta, fit.covariance, rtol=1e-9)


def test_dfbeta_is_close_to_leaving_the_row_out():
    _, time, event, x, entry, _ = trial(3, n=200)
    fit = survival.cox(time, event, x, entry=entry)
    change = survival.cox_residuals(fit).dfbeta
    for row in (0, 7, 50):
        others = np.arange(time.size) != row
        without = survival.cox(time[others], event[others], x[others], entry=entry[others])
        moved = fit.coefficients - without.coefficients
        assert np.abs(change[row] - moved).max() < 0.05 * np.abs(moved).max()


def test_small_risk_sets_keep_their_digits_beside_large_ones():
    # The covariate runs with time, so that late rows have e^50 times the risk of early ones.
    rng = np.random.Generator(np.random.Philox(6))
    entry = np.sort(rng.uniform(0, 50, 120))
    time, event = entry + rng.uniform(0.5, 6, 120), np.ones(120, dtype=bool)
    x = (entry + rng.normal(size=120))[:, None]
    sets = risk_sets(time, event, x, np.zeros(120, dtype=np.int64), "efron", entry=entry)
    inside = (entry[None, :] < time[:, None]) & (time[None, :] >= time[:, None])
    by_pairs = np.where(inside, x.T, -np.inf)
    expected = (x[:, 0] - np.logaddexp.reduce(by_pairs, axis=1)).sum()
    assert evaluate(sets, np.ones(1))[0] == pytest.approx(expected, rel=1e-13)
    # Events expected of each row: its relative risk times the hazards it met.
    hazard = -np.logaddexp.reduce(by_pairs, axis=1)
    met = np.exp(x[:, 0] + np.logaddexp.reduce(np.where(inside, hazard[:, None], -np.inf), axis=0))
    residuals = martingale_residuals(sets, hazards(sets, np.ones(1)))
    np.testing.assert_allclose(residuals, (1 - met)[sets.order], rtol=1e-9, atol=1e-11)


def separates_by_search(time, event, x, entry):
    """Bryson and Johnson's condition in the plane, with the rows at risk after their entry."""
    differences = np.array(
        [
            x[i] - x[j]
            for i in np.flatnonzero(event)
            for j in np.flatnonzero((time >= time[i]) & (entry < time[i]))
        ]
    )
    differences = differences[(differences != 0).any(axis=1)]
    if not differences.size:
        return False
    turned = np.column_stack([-differences[:, 1], differences[:, 0]])
    rays = np.concatenate([turned, -turned, differences, -differences])
    gains = differences @ rays.T
    return bool(((gains >= 0).all(axis=0) & (gains > 0).any(axis=0)).any())


rows = st.lists(
    st.tuples(
        st.integers(0, 4), st.integers(1, 4), st.integers(0, 1), st.integers(-2, 2), st.integers(-2, 2)
    ),
    min_size=3,
    max_size=9,
)


@settings(max_examples=150, deadline=None)
@given(rows)
def test_monotone_exactly_when_some_direction_separates(table):
    numbers = np.array(table, dtype=float)
    entry, time, event = numbers[:, 0], numbers[:, 0] + numbers[:, 1], numbers[:, 2].astype(bool)
    x = numbers[:, 3:]
    if not event.any():
        return
    stratum = np.zeros(time.size, dtype=np.int64)
    found = separating_direction(risk_sets(time, event, x, stratum, "efron", entry=entry))
    assert (found is not None) == separates_by_search(time, event, x, entry)
    weights = np.random.default_rng(len(table)).uniform(0.1, 9.0, time.size)
    fit = survival.cox(time, event, x, entry=entry, weights=weights, robust=False)
    if fit.status in ("ok", "monotone"):
        assert (fit.status == "monotone") == (found is not None)


def test_delayed_entry_can_make_or_unmake_a_monotone_likelihood():
    # From the start the one death is among both groups; with the others entering later it is alone.
    time, event, group = [1, 2, 3, 4], [1, 0, 0, 0], [1, 1, 0, 0]
    assert survival.cox(time, event, group).status == "monotone"
    assert survival.cox(time, event, group, entry=[0, 0, 1, 2]).status == "no comparison"
    # Two deaths, the second of the other group: separated only because the groups never meet then.
    time, event, group = [1, 2, 3, 4], [1, 0, 1, 0], [1, 0, 0, 1]
    assert survival.cox(time, event, group).status == "ok"
    late = survival.cox(time, event, group, entry=[0, 0, 0, 3])
    assert (late.status, late.coefficients[0]) == ("monotone", math.inf)
    assert late.interval[0][0] > 0
    assert late.interval[1][0] == math.inf


def test_a_monotone_fit_has_no_robust_error_but_a_robust_score_test():
    fit = survival.cox([1, 2, 3, 4, 5], [1, 0, 1, 0, 0], [1, 0, 1, 0, 0], robust=True)
    assert fit.status == "monotone"
    assert np.isnan(fit.std_error).all()
    assert math.isnan(fit.wald.chi2)
    assert fit.robust_score.chi2 > 0


def test_robust_errors_with_fewer_clusters_than_covariates_have_no_joint_test():
    _, time, event, x, _, _ = trial(5)
    fit = survival.cox(time, event, np.column_stack([x, x[:, 1] ** 2]), cluster=np.arange(40) % 2)
    assert fit.clusters == 2
    assert np.isfinite(fit.std_error).all()
    assert math.isnan(fit.wald.chi2)
    assert math.isnan(fit.robust_score.chi2)


class TestWhichErrors:
    TIME, EVENT, X = [1.0, 2, 3, 4, 5, 6], [1, 1, 0, 1, 1, 0], [0, 1, 1, 0, 1, 0]

    def fit(self, **options):
        return survival.cox(self.TIME, self.EVENT, self.X, **options)

    def test_naive_without_a_reason(self):
        assert not self.fit().robust
        assert not self.fit(weights=[1, 2, 1, 1, 3, 1]).robust

    def test_robust_for_weights_that_are_no_counts_and_for_clusters(self):
        fit = self.fit(weights=[1, 2, 1, 1, 0.5, 1])
        assert fit.robust
        assert (fit.covariance == fit.robust_covariance).all()
        assert (fit.covariance != fit.naive_covariance).all()
        assert not self.fit(weights=[1, 2, 1, 1, 0.5, 1], robust=False).robust
        assert self.fit(cluster=[1, 1, 2, 2, 3, 3]).clusters == 3

    def test_robust_for_a_patient_with_several_events(self):
        entry = [0.0, 1, 2, 3, 4, 5]
        once, twice = (self.fit(entry=entry, patient=who) for who in ([1, 2, 3, 3, 4, 4], [1, 1, 2, 2, 3, 3]))
        assert (once.robust, once.n, once.rows) == (False, 4, 6)
        assert (twice.robust, twice.n, twice.clusters) == (True, 3, 3)


class TestEmptyRiskSets:
    def test_emptied(self):
        curve = survival.kaplan_meier([1, 5, 6], [1, 1, 0], entry=[0, 2, 3])
        assert (curve.status, curve.survival.tolist()) == ("emptied", [0.0, 0.0, 0.0])
        assert curve.observed.gaps.tolist() == [[1.0, 2.0]]
        assert "by arithmetic alone" in curve.advice
        assert survival.nelson_aalen([1, 5, 6], [1, 1, 0], entry=[0, 2, 3]).status == "emptied"

    def test_emptied_by_rows_that_others_follow_at_once(self):
        curve = survival.kaplan_meier([1, 5, 6], [1, 1, 0], entry=[0, 1, 1])
        assert (curve.status, curve.observed.gaps.tolist()) == ("emptied", [])

    def test_the_advice_gives_a_curve(self):
        curve = survival.kaplan_meier([5, 6], [1, 0], entry=[2, 3])
        assert (curve.status, curve.observed.begin, curve.survival.tolist()) == ("ok", 2.0, [0.5, 0.5])

    def test_gap(self):
        curve = survival.kaplan_meier([1, 2, 5, 6], [1, 0, 1, 0], entry=[0, 0, 3, 4])
        assert (curve.status, curve.observed.gaps.tolist()) == ("gap", [[2.0, 3.0]])
        assert curve.survival.tolist() == [0.5, 0.5, 0.25, 0.25]
        assert "carried level" in curve.advice
        assert survival.nelson_aalen([1, 2, 5, 6], [1, 0, 1, 0], entry=[0, 0, 3, 4]).advice == curve.advice

    def test_rounding_of_weights_leaves_nobody_alive(self):
        weights = [0.1, 0.2, 0.3, 0.7]
        curve = survival.kaplan_meier([1, 1, 1, 9], [1, 1, 1, 1], entry=[0, 0, 0, 4], weights=weights)
        assert curve.survival.tolist() == [0.0, 0.0]
        assert (curve.status, curve.variance) == ("emptied", "robust")
        assert np.isnan(curve.std_error).all()


def test_rows_of_weight_0_are_left_out_and_counted():
    curve = survival.kaplan_meier([1, 2, 3], [1, 1, 0], weights=[1, 0, 1])
    assert (curve.n, curve.observed.left_out, curve.times.tolist()) == (2, 1, [1.0, 3.0])
    labels = ["a", "b", "c"]
    curve = survival.kaplan_meier([1, 2, 3], [1, 1, 0], weights=[1, 0, 1], cluster=labels)
    assert curve.observed.clusters == 2
    fit = survival.cox([1, 2, 3, 4], [1, 1, 1, 0], [0, 9, 1, 0], weights=[1, 0, 1, 1])
    assert (fit.rows, fit.left_out) == (3, 1)
    found = survival.cox_residuals(fit)
    assert np.isnan(found.martingale).tolist() == [False, True, False, False]
    assert found.death_row.tolist() == [0, 2]


class TestBaseline:
    def test_without_an_effect_it_is_nelson_aalen(self):
        # Each event time has the same risk sets in both groups, so the coefficient is 0.
        time, event, group = [1, 1, 2, 2, 3, 3], [1, 1, 1, 1, 0, 0], [0, 1, 0, 1, 0, 1]
        fit = survival.cox(time, event, group, ties="breslow")
        curve = survival.baseline_hazard(fit)
        plain = survival.nelson_aalen(time, event)
        np.testing.assert_allclose(curve.cumulative_hazard, plain.cumulative_hazard, atol=1e-12)
        np.testing.assert_allclose(curve.survival, np.exp(-plain.cumulative_hazard), atol=1e-12)
        assert (curve.cumulative_error[1] > plain.std_error[1]).all()

    def test_hazards_are_proportional_and_strata_have_their_own(self):
        _, time, event, x, entry, strata = trial(11, n=80)
        fit = survival.cox(time, event, x, entry=entry, strata=np.array(["a", "b", "c"])[strata])
        base, other = survival.baseline_hazard(fit), survival.baseline_hazard(fit, [1.0, -0.5], level=0.8)
        ratio = math.exp(fit.coefficients @ [1.0, -0.5])
        np.testing.assert_allclose(other.cumulative_hazard, ratio * base.cumulative_hazard, rtol=1e-10)
        np.testing.assert_allclose(other.std_error, other.survival * other.cumulative_error, rtol=1e-12)
        assert sorted(set(base.stratum)) == ["a", "b", "c"]
        assert (base.level, other.level, base.covariates.tolist()) == (0.95, 0.8, [0.0, 0.0])

    def test_an_aliased_covariate_plays_no_part(self):
        _, time, event, x, _, _ = trial(12)
        plain = survival.cox(time, event, x)
        wide = survival.cox(time, event, np.column_stack([x, x[:, 0]]))
        one, other = survival.baseline_hazard(plain, [1, 1]), survival.baseline_hazard(wide, [1, 1, 5])
        np.testing.assert_allclose(other.cumulative_error, one.cumulative_error, rtol=1e-10)
        found = survival.cox_residuals(wide)
        assert np.isnan(found.dfbeta[:, 2]).all()
        np.testing.assert_allclose(found.dfbeta[:, :2], survival.cox_residuals(plain).dfbeta, rtol=1e-8)
        tests = survival.proportional_hazards(wide)
        assert math.isnan(tests.chi2[2])
        assert tests.status == "ok"
        assert tests.together.df == 2


class TestProportionalHazards:
    def crossing(self, seed, n=400):
        """Group 1 does better early and worse late: 0.4 times the hazard of group 0, then twice."""
        rng = np.random.Generator(np.random.Philox(seed))
        group = np.arange(n) % 2
        early, late = rng.exponential(1, n) / np.where(group, 0.4, 1.0), rng.exponential(1, n) / (1 + group)
        return np.where(early < 0.7, early, 0.7 + late), group

    def test_it_finds_crossing_hazards_and_only_them(self):
        time, group = self.crossing(1)
        noise = np.random.Generator(np.random.Philox(2)).normal(size=time.size)
        fit = survival.cox(time, np.ones(time.size), np.column_stack([group, noise]))
        for transform in ("km", "identity", "log", "rank"):
            found = survival.proportional_hazards(fit, transform=transform)
            assert found.p_value[0] < 1e-6
            assert found.p_value[1] > 0.01
            assert found.together.p_value < 1e-5
            assert abs(found.transformed.sum()) < 1e-8

    def test_one_time_of_death_tells_no_trend(self):
        fit = survival.cox([1, 1, 2, 2, 2, 2], [1, 1, 0, 0, 0, 0], [1, 0, 1, 0, 0, 0])
        found = survival.proportional_hazards(fit)
        assert (found.status, found.together.df) == ("no comparison", 0)
        assert np.isnan([found.chi2[0], found.p_value[0], found.together.p_value]).all()
        assert "too few deaths" in found.advice

    def test_a_false_alarm_in_twenty(self):
        rng = np.random.Generator(np.random.Philox(4))
        alarms = 0
        for _ in range(400):
            group = np.arange(80) % 2
            time, entry = rng.exponential(1 / np.exp(0.5 * group)), rng.random(80) * 0.2
            fit = survival.cox(entry + time, np.ones(80), group, entry=entry)
            alarms += survival.proportional_hazards(fit).together.p_value < 0.05
        assert 8 <= alarms <= 34  # binomial(400, 0.05), one in a thousand on either side


def refusal(function, *args, **kwargs):
    with pytest.raises(InputError) as caught:
        function(*args, **kwargs)
    assert caught.value.expected
    assert caught.value.next_step
    return caught.value.code, caught.value.where


TIME, EVENT, X = [1.0, 2.0, 3.0, 4.0], [1, 0, 1, 1], [0, 1, 1, 0]
EVERY = {
    "kaplan_meier": lambda **options: survival.kaplan_meier(TIME, EVENT, **options),
    "nelson_aalen": lambda **options: survival.nelson_aalen(TIME, EVENT, **options),
    "cox": lambda **options: survival.cox(TIME, EVENT, X, **options),
}


@pytest.mark.parametrize("name", EVERY)
class TestEveryFunctionChecksItsRows:
    def test_entries(self, name):
        call = EVERY[name]
        assert refusal(call, entry=[0, 0, 3, 0]) == ("GP-V014", "entry[2]")
        assert refusal(call, entry=[0, 0, 0, 5]) == ("GP-V014", "entry[3]")
        assert refusal(call, entry=[0, -1, 0, 0]) == ("GP-V014", "entry[1]")
        assert refusal(call, entry=[0, 0, np.nan, 0]) == ("GP-V014", "entry[2]")
        # One time up to rounding, as R's timefix has it.
        assert refusal(call, entry=[1 - 1e-10, 0, 0, 0]) == ("GP-V014", "entry[0]")
        assert refusal(call, entry=[0, 0]) == ("GP-V003", "entry")

    def test_weights(self, name):
        call = EVERY[name]
        assert refusal(call, weights=[1, -0.5, 1, 1]) == ("GP-V015", "weights[1]")
        assert refusal(call, weights=[1, 1, np.inf, 1]) == ("GP-V015", "weights[2]")
        assert refusal(call, weights=[1, 1, 1, np.nan]) == ("GP-V015", "weights[3]")
        assert refusal(call, weights=[0, 0, 0, 0]) == ("GP-V016", "weights")
        assert refusal(call, weights=[1, 1]) == ("GP-V003", "weights")

    def test_clusters(self, name):
        call = EVERY[name]
        assert refusal(call, cluster=[1.0, np.nan, 2.0, 2.0]) == ("GP-V008", "cluster[1]")
        assert refusal(call, cluster=["a", None, "b", "b"]) == ("GP-V008", "cluster")
        assert refusal(call, cluster=["a"] * 4) == ("GP-V018", "cluster")
        assert refusal(call, cluster=["a", "b", "b", "b"], weights=[0, 1, 1, 1]) == ("GP-V018", "cluster")
        assert refusal(call, cluster=["a"]) == ("GP-V003", "cluster")


def test_rows_of_one_patient_may_not_overlap():
    time, event, x = [3.0, 5.0, 4.0, 6.0], [0, 1, 0, 1], [0, 1, 1, 0]
    call = {"time": time, "event": event, "covariates": x, "patient": ["a", "a", "b", "b"]}
    assert survival.cox(entry=[0, 3, 0, 4], **call).n == 2
    assert refusal(survival.cox, entry=[0, 2, 0, 4], **call) == ("GP-V017", "patient[1]")
    assert refusal(survival.cox, **call) == ("GP-V017", "patient[1]")
    # In different strata they are different risks of one patient, and may run side by side.
    assert survival.cox(entry=[0, 2, 0, 3], strata=[0, 1, 0, 1], **call).n == 2
    # A row of weight 0 is not there.
    assert survival.cox(entry=[0, 2, 0, 4], weights=[0, 1, 1, 1], **call).left_out == 1


def test_clusters_without_robust_errors_contradict_each_other():
    assert refusal(EVERY["cox"], cluster=[1, 1, 2, 2], robust=False) == ("GP-V007", "robust")


@pytest.mark.parametrize(
    "function", [survival.cox_residuals, survival.baseline_hazard, survival.proportional_hazards]
)
def test_a_fit_without_estimates_has_no_residuals_curves_or_tests(function):
    monotone = survival.cox([1, 2, 3, 4, 5], [1, 0, 0, 0, 0], [1, 1, 0, 0, 0])
    nothing = survival.cox(TIME, [0, 0, 0, 0], X)
    for fit in (monotone, nothing):
        assert refusal(function, fit) == ("GP-V019", "fit")


def test_options_of_what_reads_a_fit():
    fit = survival.cox([0, *TIME], [1, *EVENT], [1, *X])
    assert refusal(survival.proportional_hazards, fit, transform="sqrt") == ("GP-V007", "transform")
    assert refusal(survival.proportional_hazards, fit, transform="log") == ("GP-V007", "transform")
    assert refusal(survival.baseline_hazard, fit, [1.0, 2.0]) == ("GP-V003", "covariates")
    assert refusal(survival.baseline_hazard, fit, [np.nan]) == ("GP-V008", "covariates[0]")
    assert refusal(survival.baseline_hazard, fit, level=95) == ("GP-V007", "level")


def test_entries_and_times_are_tied_together():
    # The second row begins where the first ends, up to rounding: its event at 2 has only itself at risk.
    time, entry = np.array([1.0, 2.0]), np.array([0.0, 1.0 + 1e-10])
    assert tie(np.concatenate([time, entry])).tolist() == [1.0, 2.0, 0.0, 1.0]
    curve = survival.kaplan_meier(time, [0, 1], entry=entry)
    assert (curve.at_risk.tolist(), curve.observed.gaps.tolist()) == ([1, 1], [])
