"""Degradation read from exact turnover kinetics: closed forms at steady state, exact roots before it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.optimize import brentq

from glueprint.assays import degradation
from glueprint.errors import InputError

EXACT = Path(__file__).parents[3] / "shared" / "data" / "degradation-kinetics-exact" / "metrics.csv"
DOSES_NM = np.concatenate([[0.0], 10.0 ** np.arange(-1.0, 5.1, 0.5)])


def remaining(dose_nm, time_h, *, kdeg=0.2, kmax=2.0, ec50_nm=50.0, hill=1.0):
    """F + (1 - F) exp(-k t), the solution of dP/dt = ksyn - (kdeg + kmax x) P from untreated."""
    x = dose_nm**hill / (dose_nm**hill + ec50_nm**hill)
    rate = kdeg + kmax * x
    return kdeg / rate + (1.0 - kdeg / rate) * np.exp(-rate * time_h)


def table(times_h, doses_nm=DOSES_NM, **kinetics):
    return pl.DataFrame(
        [
            {"time_h": t, "dose_nm": d, "fraction_remaining": remaining(d, t, **kinetics)}
            for t in times_h
            for d in doses_nm
        ]
    )


def test_steady_state_is_read_exactly():
    found = degradation.analyse(table([1000.0])).at(1000.0)
    # Dmax = kmax / (kdeg + kmax); DC50 = EC50 (1 - Dmax); half of control at EC50 kdeg / (kmax - kdeg).
    assert found.dmax == pytest.approx(2.0 / 2.2, rel=1e-6)
    assert found.relative.value_nm == pytest.approx(50.0 * 0.2 / 2.2, rel=1e-6)
    assert found.absolute.value_nm == pytest.approx(50.0 * 0.2 / 1.8, rel=1e-6)
    assert (found.model, found.status) == ("4pl", "FINE")
    assert found.relative.time_h == 1000.0


@pytest.mark.parametrize("time_h", [1.0, 3.0, 6.0, 24.0])
def test_absolute_dc50_at_a_time_is_near_the_exact_root(time_h):
    found = degradation.analyse(table([time_h])).at(time_h)
    exact = brentq(lambda dose: remaining(dose, time_h) - 0.5, 1e-3, 1e5)
    # At a finite time the curve is no logistic; a 4PL stays within 6 % of the root.
    assert found.absolute.value_nm == pytest.approx(exact, rel=0.06)
    assert found.dmax == pytest.approx(1.0 - remaining(1e9, time_h), abs=0.02)


def test_dc50_falls_with_time():
    result = degradation.analyse(table([1.0, 3.0, 6.0, 24.0]))
    values = [point.relative.value_nm for point in result.points]
    assert values == sorted(values, reverse=True)
    assert values[0] > 3.0 * values[-1]


@pytest.mark.skipif(not EXACT.exists(), reason="the exact degradation data are not beside this repository")
def test_exact_table_of_dmax_and_dc50():
    with EXACT.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["time_h"] not in ("infinity", "0.5")]
    for row in rows:
        kinetics = {
            "kdeg": float(row["k_deg_per_h"]),
            "kmax": float(row["k_max_per_h"]),
            "ec50_nm": float(row["EC50_rate_nM"]),
            "hill": float(row["hill"]),
        }
        time_h = float(row["time_h"])
        found = degradation.analyse(table([time_h], np.append(0.0, np.logspace(-2, 7, 28)), **kinetics)).at(
            time_h
        )
        assert found.dmax == pytest.approx(float(row["Dmax_at_time"]), abs=0.02)
        assert found.relative.value_nm == pytest.approx(float(row["DC50_relative_at_time_nM"]), rel=0.1)
        assert found.absolute.value_nm == pytest.approx(float(row["conc_for_50pct_loss_nM"]), rel=0.1)


def test_three_doses_that_all_degrade_give_limits():
    found = degradation.analyse(table([24.0], [0.0, 100.0, 1000.0, 10000.0], ec50_nm=10.0)).at(24.0)
    assert found.model == "3pl"
    assert (found.relative.relation, found.relative.value_nm) == ("<", 100.0)
    assert (found.absolute.relation, found.absolute.value_nm) == ("<", 100.0)


def test_weak_loss_has_a_relative_and_no_absolute_dc50():
    found = degradation.analyse(table([1000.0], kmax=0.1)).at(1000.0)
    # Dmax = 0.1 / 0.3: half of control is never reached, whatever the dose.
    assert found.dmax == pytest.approx(1.0 / 3.0, rel=1e-5)
    assert found.relative.relation == "="
    assert (found.absolute.relation, found.absolute.value_nm) == (">", pytest.approx(1e5))


def test_an_inactive_compound_has_no_dmax():
    found = degradation.analyse(table([6.0], kmax=0.0)).at(6.0)
    assert found.dmax is None
    assert found.status == "NO_EFFECT"
    assert found.relative.relation == ">"


def test_the_error_of_dmax_is_its_spread_over_repeats():
    rng = np.random.default_rng(5)
    clean = table([24.0], DOSES_NM[:10])
    repeats = [
        clean.with_columns(
            pl.col("fraction_remaining") + pl.Series(rng.normal(0.0, 0.03, clean.height)),
            target=pl.lit(f"repeat {repeat}"),
        )
        for repeat in range(400)
    ]
    found = degradation.analyse(pl.concat(repeats), degradation.Settings(hook="never")).points
    estimates, errors = [point.dmax for point in found], [point.dmax_se for point in found]
    # The spread of 400 repeats is known to about 4 %; the delta method itself leaves some more.
    assert np.mean(errors) == pytest.approx(np.std(estimates, ddof=1), rel=0.15)


def test_time_points_do_not_see_each_other():
    short = table([6.0], DOSES_NM[:8]).with_columns(target=pl.lit("short"))
    both = pl.concat([short, table([24.0]).with_columns(target=pl.lit("long"))])
    together, alone = degradation.analyse(both), degradation.analyse(short)
    assert together.at(6.0).points == alone.at(6.0).points == 8
    assert together.at(6.0).absolute.value_nm == pytest.approx(alone.at(6.0).absolute.value_nm, rel=1e-9)


def test_targets_are_kept_apart():
    both = pl.concat(
        [
            table([6.0]).with_columns(target=pl.lit("IKZF1")),
            table([6.0], kmax=0.5).with_columns(target=pl.lit("IKZF3")),
        ]
    )
    result = degradation.analyse(both)
    assert result.at(6.0, "IKZF1").dmax > result.at(6.0, "IKZF3").dmax
    assert result.tables["points"]["target"].to_list() == ["IKZF1", "IKZF3"]
    assert result.tables["points"].schema == degradation.SCHEMA
    for time_h, target in ((7.0, "IKZF1"), (6.0, "CK1alpha"), (6.0, None)):
        with pytest.raises(InputError, match="GP-A011"):
            result.at(time_h, target)


def test_a_missing_column_is_named():
    with pytest.raises(InputError, match="GP-A009") as caught:
        degradation.analyse(table([6.0]).rename({"dose_nm": "dose"}))
    assert 'no column dose_nm (did you mean "dose"?)' in caught.value.message
    assert caught.value.expected.endswith("found time_h, dose, fraction_remaining")


@pytest.mark.parametrize(
    ("column", "value"),
    [("dose_nm", -1.0), ("time_h", -1.0), ("fraction_remaining", float("nan")), ("dose_nm", None)],
)
def test_a_bad_value_is_named_with_its_row(column, value):
    spoilt = table([6.0]).with_columns(
        pl.when(pl.int_range(pl.len()) == 2).then(pl.lit(value)).otherwise(pl.col(column)).alias(column)
    )
    with pytest.raises(InputError, match="GP-A010") as caught:
        degradation.analyse(spoilt)
    assert caught.value.where == f'row 2, column "{column}"'


def test_text_and_empty_tables_are_refused():
    for wrong in (table([6.0]).with_columns(dose_nm=pl.lit("x")), table([6.0]).head(0)):
        with pytest.raises(InputError, match="GP-A010"):
            degradation.analyse(wrong)
