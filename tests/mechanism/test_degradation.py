"""Reduced degradation: simulated against the kernel, against the exact table, and its limits."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from glueprint import engine
from glueprint.mechanism import Scenario, binding, models

EXACT = Path(__file__).parents[3] / "shared" / "data" / "degradation-kinetics-exact" / "remaining.csv"


@pytest.fixture(scope="module")
def substrate():
    return engine.compile(models.source("degradation", Scenario.of()))


def test_the_simulated_steady_state_is_the_closed_form(substrate):
    free = np.array([0.0, 1.0, 12.4, 56.0, 264.0, 1e4])
    patients = substrate.ensemble({"free_nm": free})
    patients.advance(400.0)
    exact = binding.fraction_remaining(free, kd=264.0, rho=21.3)
    np.testing.assert_allclose(patients["ikzf1_myeloma"], exact, rtol=1e-6)


def test_time_courses_equal_the_exact_table(substrate):
    if not EXACT.exists():
        pytest.skip(f"{EXACT} is not here: computed reference data travel beside the repository")
    with EXACT.open(encoding="utf-8") as handle:
        rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(handle)]
    rows = [row for row in rows if row["hill"] == 1.0]
    times = sorted({row["time_h"] for row in rows})
    doses = sorted({row["conc_nM"] for row in rows})
    patients = substrate.ensemble(
        {"free_nm": doses, "kd_nm": 50.0, "ikzf1_myeloma_rho": 10.0, "ikzf1_myeloma_kdeg_per_h": 0.2}
    )
    got = patients.simulate(times, outputs=["ikzf1_myeloma"])["ikzf1_myeloma"]
    exact = {(row["conc_nM"], row["time_h"]): row["fraction_remaining"] for row in rows}
    expected = np.array([[exact[dose, time] for time in times] for dose in doses])
    assert expected.shape == (5, 5)
    np.testing.assert_allclose(got, expected, rtol=1e-4)


def test_more_drug_leaves_less_substrate_and_never_more_than_untreated(substrate):
    patients = substrate.ensemble({"free_nm": np.logspace(-1, 5, 25)})
    got = patients.simulate(np.linspace(0.0, 48.0, 25), outputs=["ikzf1_myeloma"])["ikzf1_myeloma"]
    assert np.all(np.diff(got[:, 1:], axis=0) < 0)
    assert np.all(got <= 1.0)
    assert np.all(got >= 1.0 - binding.dmax(21.3))
