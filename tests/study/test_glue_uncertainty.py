"""Shares of the variance on outcomes whose shares are known, and gains that follow the slopes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from glueprint.calibration.compound import COORDINATES
from glueprint.calibration.compound.next_runs import AFTER, NEXT_RUNS, PAIRS
from glueprint.study.glue import uncertainty
from glueprint.study.glue.answers import Column
from glueprint.study.glue.uncertainty import SOURCES, Sample, gains, sample_of, shares
from glueprint.trials import ParameterDraws


def sample(n=1500, *, weights=(1.0, 1.0, 1.0), noise=1.0, product=0.0, seed=1):
    """An outcome of one input of each source, with an interaction of the first two."""
    random = np.random.default_rng(seed)
    z = random.standard_normal((n, 3))
    y = z @ np.array(weights) + product * z[:, 0] * z[:, 1] + noise * random.standard_normal(n)
    return Sample("orr", z, np.arange(3), np.ones(3), y)


def by_source(table):
    return {row["source"]: row for row in table.to_dicts()}


def test_shares_of_a_sum_are_those_of_its_parts():
    found = by_source(shares({"orr": sample(weights=(2.0, 1.0, 1.0))}, seed=1))
    truth = {"assays": 4.0, "pharmacokinetics": 1.0, "patients": 1.0, "chance": 1.0}
    for source, part in truth.items():
        row = found[source]
        assert row["first_order"] == pytest.approx(part / 7.0, abs=0.06)
        assert row["first_order_low"] <= part / 7.0 <= row["first_order_high"] + 0.02
        assert row["total"] == pytest.approx(row["first_order"], abs=0.03)


def test_an_interaction_is_in_the_totals_alone():
    found = by_source(shares({"orr": sample(weights=(1.0, 1.0, 0.0), product=1.0)}, seed=1))
    # Variance 4: each source alone 1, the product 1, chance 1.
    assert found["assays"]["first_order"] == pytest.approx(0.25, abs=0.06)
    assert found["assays"]["total"] == pytest.approx(0.5, abs=0.06)
    assert found["patients"]["total"] == pytest.approx(0.0, abs=0.03)


def test_the_gain_of_an_experiment_follows_the_slope():
    now, half = np.diag([0.04, 0.09, 0.09]), np.diag([0.01, 0.09, 0.09])
    table = [
        {"experiment": name, "assay": "fp", "what": name}
        | {column: float(matrix[pair]) for column, pair in zip(AFTER, PAIRS, strict=True)}
        for name, matrix in (("as it is", now), ("again", half), ("useless", now))
    ]
    posterior = SimpleNamespace(next_runs=pl.DataFrame(table, schema=NEXT_RUNS))
    random = np.random.default_rng(2)
    z = random.standard_normal((400, 3))
    given = Sample("orr", z, np.zeros(3, dtype=int), np.sqrt(np.diag(now)), z @ [0.4, 0.3, 0.0])
    found = gains({"orr": given}, posterior).to_dicts()
    # The slopes over log10 are 2, 1 and 0: of 0.16 + 0.09 the plate takes three quarters of 0.16.
    assert [row["experiment"] for row in found] == ["again", "useless"]
    assert found[0]["of_compound"] == pytest.approx(0.12 / 0.25, abs=0.01)
    assert found[0]["of_all"] == pytest.approx(0.12 / 0.25, abs=0.05)
    assert found[1]["of_compound"] == pytest.approx(0.0, abs=1e-12)


def test_inputs_come_from_the_draws_of_both_arms():
    n = 60
    random = np.random.default_rng(3)
    kd, ratio, capacity, first, third, clearance = np.exp(0.3 * random.standard_normal((6, n)))
    names = ("kd_nm", "ikzf1_myeloma_capacity", "ikzf3_myeloma_capacity")
    beside = ParameterDraws(names, np.stack([kd, capacity, capacity], axis=1))
    own = ParameterDraws(
        ("kd_nm", "ikzf1_myeloma_rho", "ikzf3_myeloma_rho", "clearance_l_per_h"),
        np.stack([kd * ratio, capacity * first, capacity * third, clearance], axis=1),
    )
    trial = np.arange(1, n + 1)

    def column(values):
        table = pl.DataFrame(
            {
                "replicate": trial,
                "endpoint": "orr",
                "value": values,
                "unit": "%",
                "n": 100,
                "events": 10,
                "method": "Clopper-Pearson",
            }
        )
        return Column("planned", "GLX", 4.0, "predicted", table)

    there, other = 30.0 + random.standard_normal(n), 25.0 + random.standard_normal(n)
    found = sample_of("orr", (column(there), column(other)), own, beside)
    assert [SOURCES[k] for k in found.source] == ["assays"] * 3 + ["pharmacokinetics", "patients"]
    assert COORDINATES == ("kd_ratio", "efficacy:IKZF1", "efficacy:IKZF3")
    for place, truth in enumerate((ratio, first, third)):
        assert found.inputs[:, place] * found.scale[place] == pytest.approx(
            np.log10(truth) - np.log10(truth).mean()
        )
    assert sample_of("median_pfs", (column(there), column(other)), own, beside) is None


def test_too_few_trials_say_nothing():
    assert uncertainty.FEWEST == 39
    assert shares({}, seed=1).is_empty()
