"""What a joined log of visits says of doses, by hand."""

from __future__ import annotations

import numpy as np

from glueprint.trials.analysis.exposure import first_day
from glueprint.trials.conduct.records import VisitLog, assessments
from glueprint.trials.conduct.visit import Labs

PATIENT = np.array([0, 0, 0, 1, 1, 2])
DAY = np.array([0, 7, 14, 0, 28, 0])
NUMBERS = np.arange(6.0)
LOG = VisitLog(
    patient=PATIENT,
    day=DAY,
    start_day=np.zeros(6, dtype=np.int64),
    labs=Labs(NUMBERS, NUMBERS, NUMBERS, NUMBERS),
    assessment=np.array([True, False, True, True, True, True]),
    action=np.zeros(6, dtype=np.int64),
    dose_mg=np.full(6, 4.0),
    regimen=np.zeros(6, dtype=np.int64),
    line=np.array([0, 0, 0, 0, 1, 0]),
    gcsf=np.zeros(6, dtype=np.bool_),
    true_m_protein_g_per_l=NUMBERS + 0.5,
)


def test_the_first_of_the_chosen_visits_and_none():
    chosen = np.array([False, True, True, True, True, False])
    assert first_day(LOG, chosen, 4).tolist()[:2] == [7.0, 0.0]
    assert np.isnan(first_day(LOG, chosen, 4)[2:]).all()


def test_assessments_lie_in_rows_and_leave_later_lines_out():
    seen = assessments(LOG, np.zeros(4, dtype=np.bool_))
    nan = np.nan
    np.testing.assert_array_equal(seen.day, [[0, 14], [0, nan], [0, nan], [nan, nan]])
    np.testing.assert_array_equal(seen.m_protein_g_per_l, [[0, 2], [3, nan], [5, nan], [nan, nan]])
    np.testing.assert_array_equal(seen.true_m_protein_g_per_l, seen.m_protein_g_per_l + 0.5)
    assert seen.column.tolist() == [0, -1, 1, 0, -1, 0]
