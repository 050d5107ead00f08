"""Sources of the uncertainty and the next experiment, as a reader of the page sees them."""

from __future__ import annotations

import polars as pl

from glueprint.report import glue_uncertainty
from glueprint.study.glue.uncertainty import GAINS, SHARES

ENDPOINTS = ("neutropenia_grade_3_4", "orr")


def share(endpoint, source, first, total):
    ends = {"first_order_low": first - 0.02, "first_order_high": first + 0.02}
    return {
        "endpoint": endpoint, "source": source, "first_order": first, **ends, "total": total,
        "total_low": total, "total_high": total, "replicates": 60,
    }  # fmt: skip


def test_every_source_has_a_row_and_an_interaction_is_said():
    parts = {
        "assays": (0.1, 0.2),
        "pharmacokinetics": (0.3, 0.3),
        "patients": (0.4, 0.4),
        "chance": (0.1, 0.1),
    }
    rows = [share(end, source, *numbers) for end in ENDPOINTS for source, numbers in parts.items()]
    grid = glue_uncertainty.sources(pl.DataFrame(rows, schema=SHARES))
    # In the order of the page's other tables, whatever the table's own.
    assert grid.heads == ("Overall response rate", "Neutropenia, grade 3/4")
    assert grid.rows[0][0].startswith("Affinity and efficacies")
    assert grid.rows[0][1][0] == "10\u00a0% (8–12), 20\u00a0% in all"
    assert grid.rows[1][1][0] == "30\u00a0% (28–32)"


def test_the_most_telling_experiment_stands_first():
    rows = [
        {
            "endpoint": end, "experiment": experiment, "assay": assay, "what": "one more run",
            "of_compound": gain, "of_all": 0.01, "replicates": 60,
        }
        for end in ENDPOINTS
        for experiment, assay, gain in (("fp-1", "fp", 0.05), ("", "degradation", 0.4))
    ]  # fmt: skip
    grid = glue_uncertainty.next_experiments(pl.DataFrame(rows, schema=GAINS))
    assert [name for name, _ in grid.rows] == [
        "Fractions remaining, which is not there yet; one more run",
        "Fluorescence polarisation: fp-1; one more run",
    ]
    assert grid.rows[0][1] == ("40\u00a0%", "40\u00a0%")


def test_without_enough_trials_there_is_no_section():
    for build in (glue_uncertainty.sources, glue_uncertainty.next_experiments):
        assert build(None) is None
    assert glue_uncertainty.sources(pl.DataFrame(schema=SHARES)) is None
    assert glue_uncertainty.next_experiments(pl.DataFrame(schema=GAINS)) is None
