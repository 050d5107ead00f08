"""All replicates of a virtual MM-003 at once, against R survival on each of them, to 1e-10.

reference/mm003.json holds two virtual trials, progression and death; reference/mm003_reference.json holds R's
numbers with the versions, which reference/mm003.R made.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from glueprint import survival

HERE = Path(__file__).parent / "reference"
SETS = json.loads((HERE / "mm003.json").read_text(encoding="utf-8"))
REFERENCE = json.loads((HERE / "mm003_reference.json").read_text(encoding="utf-8"))
RELATIVE = 1e-10


def matrix(name):
    """(replicates, patients)"""
    return np.array([one[name] for one in SETS])


def of_r(*path):
    """One number of R for each replicate."""
    found = []
    for numbers in REFERENCE["sets"]:
        for key in path:
            numbers = numbers[key]
        found.append(numbers)
    return np.array(found, dtype=float)


def test_the_reference_names_its_makers():
    assert REFERENCE["versions"] == {"R": "R version 4.2.2 Patched (2022-11-10 r83330)", "survival": "3.5.3"}
    assert matrix("months").shape == (4, 455)
    assert len(REFERENCE["sets"]) == 4


@pytest.mark.parametrize("kind", ["all", "stratified"])
class TestTwoArms:
    def strata(self, kind):
        return matrix("stratum") if kind == "stratified" else None

    def test_log_rank(self, kind):
        found = survival.replicate_log_rank(
            matrix("months"), matrix("event"), matrix("group"), strata=self.strata(kind)
        )
        for name in ("difference", "variance", "chi2", "p_value"):
            np.testing.assert_allclose(getattr(found, name), of_r(kind, name), rtol=RELATIVE, err_msg=name)

    @pytest.mark.parametrize("ties", ["efron", "breslow"])
    def test_cox(self, kind, ties):
        found = survival.replicate_cox(
            matrix("months"), matrix("event"), matrix("group"), strata=self.strata(kind), ties=ties
        )
        for name in ("coefficient", "std_error", "hazard_ratio", "low", "high", "p_value"):
            np.testing.assert_allclose(
                getattr(found, name), of_r(kind, ties, name), rtol=RELATIVE, err_msg=name
            )


@pytest.mark.parametrize("arm", [0, 1])
def test_medians(arm):
    found = survival.replicate_median(matrix("months"), matrix("event"), included=matrix("group") == arm)
    np.testing.assert_allclose(found, of_r("medians", arm), rtol=RELATIVE)
