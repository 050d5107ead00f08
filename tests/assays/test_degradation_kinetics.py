"""The closed forms of turnover against 40-digit numbers, limits, and the profile's own scalar versions."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glueprint.assays import degradation
from glueprint.assays.degradation import quantities
from glueprint.assays.degradation.kinetics import Kinetics
from glueprint.errors import InputError

SHARED = Path(__file__).parents[3] / "shared" / "data" / "degradation-kinetics-exact"
FAST, SLOW = Kinetics(0.2, 2.0, 50.0, 1.0), Kinetics(0.02, 0.4, 500.0, 0.8)
# Rows of degradation-kinetics-exact (CC0, computed with 40 digits): time, Dmax, relative DC50, dose of 50 %
# loss.
METRICS = [
    (FAST, 0.5, 0.606480833001746, 30.9330947337253, 141.29307326945),
    (FAST, 2.0, 0.897929690997211, 11.6902960659487, 14.3082853395443),
    (FAST, 18.0, 0.909090909090909, 4.55776303760666, 5.56473859571613),
    (FAST, np.inf, 0.909090909090909, 4.54545454545455, 5.55555555555556),
    (SLOW, 0.5, 0.180395956218869, 441.390668557782, np.nan),
    (SLOW, 2.0, 0.541228072924686, 306.41737274012, 6720.30806654224),
    (SLOW, 18.0, 0.95188488072011, 37.5706286812043, 41.7377720939104),
    (SLOW, np.inf, 0.952380952380952, 11.1223328030524, 12.6045690906204),
]
REMAINING = [
    (FAST, 3.0, 0.5, 0.947605824907481),
    (FAST, 30.0, 2.0, 0.328606804649449),
    (FAST, 300.0, 18.0, 0.104477611940299),
    (SLOW, 30.0, 18.0, 0.57456006793926),
    (SLOW, 300.0, 4.0, 0.544408044346708),
    (SLOW, 3000.0, 0.5, 0.85160132495277),
]


@pytest.mark.parametrize(("truth", "time_h", "dmax", "relative", "absolute"), METRICS)
def test_metrics_at_a_time_to_the_digits_of_the_table(truth, time_h, dmax, relative, absolute):
    assert float(truth.dmax(time_h)) == pytest.approx(dmax, rel=1e-13)
    assert float(truth.relative_dc50_nm(time_h)) == pytest.approx(relative, rel=1e-13)
    assert float(truth.absolute_dc50_nm(time_h)) == pytest.approx(absolute, rel=1e-13, nan_ok=True)


@pytest.mark.parametrize(("truth", "dose_nm", "time_h", "left"), REMAINING)
def test_fractions_remaining_to_the_digits_of_the_table(truth, dose_nm, time_h, left):
    assert float(truth.remaining(dose_nm, time_h)) == pytest.approx(left, rel=1e-14)


@pytest.mark.skipif(not SHARED.exists(), reason="the exact degradation data are not beside this repository")
def test_the_whole_shared_tables():
    def kinetics(row):
        return Kinetics(*(float(row[c]) for c in ("k_deg_per_h", "k_max_per_h", "EC50_rate_nM", "hill")))

    with (SHARED / "metrics.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10
    for row in rows:
        truth, time_h = kinetics(row), float(row["time_h"])
        assert float(truth.dmax(time_h)) == pytest.approx(float(row["Dmax_at_time"]), rel=1e-13)
        assert float(truth.relative_dc50_nm(time_h)) == pytest.approx(
            float(row["DC50_relative_at_time_nM"]), rel=1e-13
        )
        half = row["conc_for_50pct_loss_nM"]
        found = float(truth.absolute_dc50_nm(time_h))
        assert np.isnan(found) if not half else found == pytest.approx(float(half), rel=1e-13)
    with (SHARED / "remaining.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 50
    for row in rows:
        left = float(kinetics(row).remaining(float(row["conc_nM"]), float(row["time_h"])))
        assert left == pytest.approx(float(row["fraction_remaining"]), rel=1e-13)


def test_limits_in_time():
    # At time zero the half dose is the EC50 of the rate; at steady state EC50 (1 - Dmax)^(1/h).
    assert float(SLOW.relative_dc50_nm(1e-9)) == pytest.approx(500.0, rel=1e-6)
    assert float(SLOW.relative_dc50_nm(0.0)) == 500.0
    assert float(SLOW.relative_dc50_nm(np.inf)) == pytest.approx(
        500.0 * (0.02 / 0.42) ** (1.0 / 0.8), rel=1e-13
    )
    assert np.isnan(SLOW.absolute_dc50_nm(0.0))
    # The observed rate is neither of the two rates, the plateau is not zero.
    assert float(FAST.observed_rate_per_h(50.0)) == pytest.approx(1.2)
    assert float(FAST.plateau(50.0)) == pytest.approx(0.2 / 1.2)


@given(
    st.floats(-3.0, 0.0),
    st.floats(-2.0, 1.0),
    st.floats(0.0, 4.0),
    st.floats(0.4, 3.0),
    st.floats(-1.0, 2.0),
)
def test_a_dc50_put_back_gives_its_loss(log_deg, log_max, log_ec50, slope, log_time):
    truth = Kinetics(10.0**log_deg, 10.0**log_max, 10.0**log_ec50, slope)
    time_h = 10.0**log_time
    relative = truth.relative_dc50_nm(time_h)
    assert 1.0 - float(truth.remaining(relative, time_h)) == pytest.approx(
        0.5 * float(truth.dmax(time_h)), rel=1e-9
    )
    theta = np.array(
        [0.0, *np.log([truth.k_deg_per_h, truth.k_max_per_h, truth.ec50_nm, slope]), quantities.NO_HOOK]
    )
    assert np.exp(quantities.dc50(time_h).value(theta)) == pytest.approx(float(relative), rel=1e-9)


@pytest.mark.parametrize(
    "quantity",
    [
        quantities.dc50(3.0),
        quantities.dc50(3.0, 0.5),
        quantities.dmax(3.0),
        quantities.observed(30.0),
        quantities.observed(np.inf),
    ],
)
@pytest.mark.parametrize("window", [quantities.NO_HOOK, np.log(500.0)])
def test_a_held_quantity_keeps_its_value(quantity, window):
    theta = np.array([0.0, np.log(0.1), np.log(1.2), np.log(60.0), np.log(1.1), window])
    wanted = quantity.value(theta)
    moved = theta + np.array([0.1, 0.2, 0.3, -0.4, 0.1, 0.0])
    moved[quantity.solved] = quantity.solve(moved, wanted)
    assert quantity.value(moved) == pytest.approx(wanted, abs=1e-9)


def test_with_a_hook_the_top_is_at_the_geometric_mean():
    window, slope = 400.0, 1.3
    theta = np.array([0.0, np.log(0.1), np.log(1.0), np.log(10.0), np.log(slope), np.log(window)])
    dose = np.geomspace(1.0, 1e5, 200_001)
    up = dose**slope / (dose**slope + 10.0**slope)
    gone = dose**slope / (dose**slope + (10.0 * window) ** slope)
    share = up * (1.0 - gone)
    assert quantities.top(theta) == pytest.approx(share.max(), rel=1e-8)
    rate = 0.1 + share
    lost = share / rate * (1.0 - np.exp(-rate * 3.0))
    rising = dose[: share.argmax()][lost[: share.argmax()] >= 0.5 * lost.max()][0]
    assert np.exp(quantities.dc50(3.0).value(theta)) == pytest.approx(rising, rel=1e-4)


@pytest.mark.parametrize(
    "wrong", [(0.0, 1.0, 1.0), (0.1, -1.0, 1.0), (0.1, 1.0, float("inf")), (float("nan"), 1.0, 1.0)]
)
def test_numbers_that_cannot_be(wrong):
    with pytest.raises(InputError, match="GP-A140"):
        degradation.Kinetics(*wrong)
