"""IMWG response and progression by truth tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from glueprint.trials.conduct import response

NAN = np.nan
LABELS = response.LABELS


def best(series, detection=0.5, died=False, immunofixation=False):
    marker = np.array([series], dtype=float)
    found = response.progression(marker)
    day = np.arange(marker.shape[1])
    last = found.column[0] if found.column[0] >= 0 else marker.shape[1]
    category = response.categories(marker, detection, np.full(marker.shape, immunofixation))
    category = response.settle_unconfirmed(category, np.array([died]))
    usable = (day > 0)[None, :] & (day < last)[None, :] & ~np.isnan(marker)
    category = np.where((day <= last)[None, :], category, response.NE)
    result = response.best_response(category, usable)
    return LABELS[result.response[0]], int(result.first_column[0])


@pytest.mark.parametrize(
    ("series", "expected", "column"),
    [
        ([40, 20, 20], "PR", 1),  # exactly half is a partial response
        ([40, 20.1, 20.1], "MR", -1),
        ([40, 30, 30], "MR", -1),  # exactly a quarter less is minimal
        ([40, 30.1, 30.1], "SD", -1),
        ([40, 4, 4], "VGPR", 1),
        ([40, 0.4, 0.4], "CR", 1),
        ([40, 0.6, 0.6], "VGPR", 1),
        ([40, 18, 10, 3, 3], "VGPR", 1),  # PR at column 1 is confirmed by the better one after it
        ([40, 18, 45, 45], "SD", -1),  # progression follows the only PR, so it is not confirmed
        ([40, 18], "SD", -1),  # nothing follows
        ([40, 18, 22, 22], "MR", -1),  # confirmed at the lower of the two
        ([40, 18, NAN, 18], "PR", 1),  # a missed assessment is passed over
        ([40, 55, 60], "PD", -1),
        ([40, 55], "NE", -1),  # nothing confirms the progression (SAF294)
        ([40, 18, 45, 18], "PR", 1),  # a progression that is not confirmed does not stand between
        ([40, NAN, NAN], "NE", -1),
    ],
)
def test_best_response(series, expected, column):
    assert best(series) == (expected, column)


def test_what_immunofixation_still_finds_is_no_complete_response():
    assert best([40, 0.4, 0.4], immunofixation=True) == ("VGPR", 1)
    once = response.categories(np.array([[40.0, 0.4, 0.4]]), 0.5, np.array([[True, True, False]]))
    assert once.tolist() == [[response.NE, response.VGPR, response.CR]]


@pytest.mark.parametrize(
    ("series", "column"),
    [
        ([20, 25, 26], 1),  # 25 % and exactly 5 g/L, confirmed
        ([20, 24.9, 24.9], -1),  # less than 25 %
        ([8, 12.9, 12.9], -1),  # more than 25 %, less than 5 g/L
        ([8, 13, 13], 1),
        ([40, 10, 15, 16], 2),  # from the nadir, not from the baseline
        ([40, 10, 15, 11, 15, 15], 4),  # the first rise is not confirmed
        ([40, 10, 15], -1),  # nothing confirms
        ([40, 10, 15, NAN, 15], 2),
        ([40, NAN, 52, 52], 2),
    ],
)
def test_progression_needs_both_rises_from_nadir_and_the_next_assessment(series, column):
    assert response.progression(np.array([series], dtype=float)).column[0] == column


def test_death_settles_a_progression_that_nothing_could_confirm():
    assert best([40, 55], died=True) == ("PD", -1)
    assert best([40, 55, 39], died=True) == ("SD", -1)


@pytest.mark.parametrize(
    ("nadir", "threshold"),
    [(8, 13), (20, 25), (40, 50), (49.9, 62.375), (50, 60), (80, 90)],  # SAF282, SAF283, SAF284
)
def test_a_high_nadir_needs_a_rise_of_10_g_per_l_only(nadir, threshold):
    assert response.progression_threshold(np.array([float(nadir)]))[0] == pytest.approx(threshold)
    below, at = response.is_progression(np.array([threshold - 1e-6, threshold + 1e-9]), np.full(2, nadir))
    assert (bool(below), bool(at)) == (False, True)


def test_progression_reports_the_nadir_it_was_judged_by():
    found = response.progression(np.array([[40.0, 10.0, 15.0, 16.0], [20.0, 20.0, 20.0, 20.0]]))
    assert found.nadir_g_per_l[0] == 10.0
    assert np.isnan(found.nadir_g_per_l[1])


series = hnp.arrays(float, st.tuples(st.integers(1, 6), st.integers(2, 8)), elements=st.floats(5, 100))


@given(series)
def test_confirmed_is_never_better_than_seen(marker):
    category = response.categories(marker, 0.5, np.zeros(marker.shape, dtype=bool))
    assert (response.confirmed(category) <= np.maximum(category, response.SD)).all()


@given(series, st.floats(0.1, 10))
def test_response_depends_on_the_ratio_alone(marker, factor):
    one = response.categories(marker, 0.0, np.zeros(marker.shape, dtype=bool)) >= response.MR
    # Progression has an absolute part, so only the falls are compared, away from their thresholds.
    ratio = marker / marker[:, :1]
    clear = np.abs(ratio - 0.75) > 1e-9
    other = response.categories(marker * factor, 0.0, np.zeros(marker.shape, dtype=bool)) >= response.MR
    pd = response.categories(marker, 0.0, np.zeros(marker.shape, dtype=bool)) == response.PD
    pd |= response.categories(marker * factor, 0.0, np.zeros(marker.shape, dtype=bool)) == response.PD
    assert (one == other)[clear & ~pd].all()


def test_patients_do_not_influence_each_other():
    rng = np.random.default_rng(1)
    marker = rng.uniform(5, 60, (20, 7))
    whole = response.progression(marker).column
    assert [response.progression(row[None]).column[0] for row in marker] == whole.tolist()
