"""The one result of every fit: what it prints, draws and hands to other tables."""

from __future__ import annotations

import sys

import altair as alt
import numpy as np
import polars as pl
import pytest

from glueprint import curves
from glueprint.curves import result
from glueprint.errors import EnvironmentProblemError, InputError

DOSE = np.array([0.0, 1, 3, 10, 30, 100, 300, 1000])
NOISE = np.random.default_rng(4).normal(0.0, 0.02, (2, DOSE.size))
RESPONSE = 1.0 - 0.9 * DOSE / (DOSE + np.array([[20.0], [60.0]])) + NOISE


def test_every_kind_of_fit_is_one_type():
    fits = [
        curves.fit("4pl", DOSE, RESPONSE),
        curves.fit("weibull", DOSE, RESPONSE),
        curves.fit("4pl", DOSE, RESPONSE, shared=("front", "back")),
        curves.fit("a*exp(-k*x)+c", DOSE, RESPONSE, start={"a": 0.9, "k": 0.02, "c": 0.1}),
    ]
    assert {type(one) for one in fits} == {curves.Fits}
    for one in fits:
        assert one.estimates.shape == (2, len(one.names))
        assert one.converged.all()


def test_it_prints_its_curves_by_name():
    text = str(curves.fit("4pl", DOSE, RESPONSE, labels=("A", "B"), fixed={"slope": 1.0}))
    assert text.startswith("four-parameter logistic: 2 curves")
    assert "  B ec50 " in text
    assert "  A slope 1 (held)" in text
    with pytest.raises(InputError, match="GP-C025"):
        curves.fit("4pl", DOSE, RESPONSE, labels=("A",))


def test_intervals_are_those_asked_for():
    alone = curves.fit("4pl", DOSE, RESPONSE)
    every = curves.fit("4pl", DOSE, RESPONSE, intervals="all")
    some = curves.fit("4pl", DOSE, RESPONSE, intervals=("slope",))
    np.testing.assert_array_equal(np.isfinite(alone.low[0]), [False, False, True, False, False])
    np.testing.assert_array_equal(np.isfinite(some.low[0]), [False, False, False, True, False])
    np.testing.assert_allclose(every.interval("ec50"), alone.interval("ec50"), rtol=1e-9)
    np.testing.assert_allclose(every.interval("slope"), some.interval("slope"), rtol=1e-9)
    with pytest.raises(InputError, match='did you mean "slope"'):
        curves.fit("4pl", DOSE, RESPONSE, intervals=("slop",))


def test_the_profile_of_every_parameter_by_machine_code_is_that_of_the_general_descent():
    begun = {"front": 1.0, "back": 0.1, "ec50": 30.0, "slope": 1.0, "asymmetry": 1.0}
    fast = curves.fit("4pl", DOSE, RESPONSE, intervals="all")
    slow = curves.fit("4pl", DOSE, RESPONSE, intervals="all", start=begun)
    np.testing.assert_allclose(fast.low[:, :4], slow.low[:, :4], rtol=1e-4)
    np.testing.assert_allclose(fast.high[:, :4], slow.high[:, :4], rtol=1e-4)
    np.testing.assert_allclose(fast.standard_errors[:, :4], slow.standard_errors[:, :4], rtol=1e-4)


def test_it_is_a_table_for_whatever_takes_arrow():
    fits = curves.fit("4pl", DOSE, RESPONSE, labels=("A", "B"))
    table = fits.to_table()
    assert table.schema == result.TABLE
    assert pl.DataFrame(fits).equals(table)
    row = table.filter((pl.col("set") == "B") & (pl.col("parameter") == "ec50")).to_dicts()[0]
    assert row["estimate"] == fits["ec50"][1]
    assert (row["low"], row["high"]) == tuple(fits.interval("ec50")[1])


def test_pandas_is_asked_for_where_it_is_missing(monkeypatch):
    fits = curves.fit("4pl", DOSE, RESPONSE)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(EnvironmentProblemError, match=r"GP-N090.*pandas"):
        fits.to_pandas()
    assert "ec50" in fits._repr_html_()


def test_it_draws_points_and_curves():
    chart = curves.fit("4pl", DOSE, RESPONSE, labels=("A", "B")).plot()
    assert isinstance(chart, alt.LayerChart)
    drawn = chart.to_dict()
    assert '"A"' in str(drawn).replace("'", '"')


def test_what_machine_code_does_not_hold_is_held_by_the_general_descent():
    slopes = np.array([1.0, 1.2])
    each = curves.fit("4pl", DOSE, RESPONSE, fixed={"slope": slopes})
    for i, slope in enumerate(slopes):
        alone = curves.fit("4pl", DOSE, RESPONSE[i], fixed={"slope": float(slope)})
        np.testing.assert_allclose(each.estimates[i], alone.estimates[0], rtol=1e-6)
    held = curves.fit("4pl", DOSE, RESPONSE, fixed={"ec50": 30.0})
    assert held["ec50"].tolist() == pytest.approx([30.0, 30.0])
    assert np.isnan(held.interval("ec50")).all()
    for potency in curves.absolute(each, 0.5, "IC50", control=1.0):
        assert potency.relation == "="
        assert potency.low_nm < potency.value_nm < potency.high_nm
