"""Summaries that merge: quantiles against numpy, survival against the exact curve, parts in any order."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glueprint.errors import InputError
from glueprint.runs import reduce
from glueprint.survival import kaplan_meier

LEVELS = (0.0, 0.05, 0.5, 0.95, 1.0)
NUMBERS = st.floats(-1e12, 1e12, allow_subnormal=False)


@settings(deadline=None)
@given(st.lists(NUMBERS, min_size=1, max_size=60))
def test_quantiles_are_within_half_a_percent(values):
    found = reduce.quantile_of(reduce.sketch(values), LEVELS)
    exact = np.quantile(np.array(values), LEVELS, method="lower")
    assert found["n"].item() == len(values)
    np.testing.assert_allclose(found.select(pl.exclude("n")).row(0), exact, rtol=0.00501, atol=1e-299)


def test_keys_have_quantiles_and_means_of_their_own():
    rng = np.random.default_rng(1)
    values = np.exp(rng.normal(3.0, 0.5, 20_000))
    day = np.arange(20_000) % 4
    table = reduce.sketch(values, {"quantity": "anc", "day": day})
    found = reduce.quantile_of(table, (0.5,))
    means = reduce.mean_of(table)
    assert found["day"].to_list() == [0, 1, 2, 3]
    for row, mean in zip(found.iter_rows(named=True), means.iter_rows(named=True), strict=True):
        mine = values[day == row["day"]]
        assert row["n"] == mean["n"] == mine.size
        assert row["q0.5"] == pytest.approx(np.quantile(mine, 0.5, method="lower"), rel=0.00501)
        assert mean["mean"] == pytest.approx(mine.mean(), rel=0.005)


@settings(deadline=None, max_examples=30)
@given(st.lists(NUMBERS, min_size=3, max_size=50), st.data())
def test_parts_in_any_order_add_up_to_the_same_bits(values, data):
    cut = data.draw(st.integers(1, len(values) - 1))
    parts = [reduce.sketch(values[:cut], {"arm": "A"}), reduce.sketch(values[cut:], {"arm": "A"})]
    whole = reduce.sketch(values, {"arm": "A"})
    assert reduce.add(parts).equals(whole)
    assert reduce.add(reversed(parts)).equals(whole)


def test_survival_of_parts_is_the_kaplan_meier_curve_of_all():
    rng = np.random.default_rng(2)
    time, event = np.ceil(rng.exponential(120.0, 500)), rng.random(500) < 0.7
    parts = [reduce.survival_table(t, e) for t, e in zip(np.split(time, 5), np.split(event, 5), strict=True)]
    table = reduce.add(parts)
    leave = (table["events"] + table["censored"]).to_numpy()
    at_risk = leave[::-1].cumsum()[::-1]
    curve = np.cumprod(1.0 - table["events"].to_numpy() / at_risk)
    exact = kaplan_meier(time, event)
    np.testing.assert_array_equal(table["day"].to_numpy(), exact.times)
    np.testing.assert_allclose(curve, exact.survival, rtol=1e-12, atol=1e-15)


def test_numbers_that_are_none_are_refused():
    with pytest.raises(InputError, match="GP-R016") as caught:
        reduce.sketch([1.0, np.nan, np.inf])
    assert "2 of 3" in str(caught.value)


def test_nothing_adds_up_to_nothing():
    assert reduce.add([]).is_empty()
