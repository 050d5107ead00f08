"""Twins of growth assays: plates read back, growth rates and potencies found again."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from glueprint.assays import growth, layout, readers
from glueprint.assays.growth.plates import cultures_table
from glueprint.assays.twins import growth as growth_twin
from glueprint.assays.twins.draws import Draws
from glueprint.assays.twins.plate_reads import as_plate

QUIET = {
    "seeding_cv": 0.0, "read_cv": 0.001, "dose_cv": 0.0, "edge_loss": 0.0, "experiment_sd_log10_ec50": 0.0,
    "experiment_cv_doubling": 0.0, "rlu_per_photon": 0.0,
}  # fmt: skip


def wells_of(made):
    files = growth_twin.files(made, "yes")
    plate = readers.parse(files["plate.txt"], "plate.txt")
    return plate, layout.apply(plate, layout.parse(files["layout.toml"].decode(), "layout.toml"))


def analysed(made):
    table, findings = cultures_table(wells_of(made)[1].table)
    assert findings == ()
    return growth.analyse(table)


def test_the_reader_gives_back_what_was_made():
    made = growth_twin.make(growth_twin.Truth(experiments=1), Draws(1, "test"))
    plate, wells = wells_of(made)
    assert plate.table.equals(as_plate(made.reads).table)
    assert [finding.code for finding in wells.findings if finding.severity != "note"] == []
    assert "GP-A054" in [finding.code for finding in wells.findings]


def test_quiet_cultures_give_their_growth_rate_potencies_back():
    truth = growth_twin.Truth(**QUIET, experiments=1)
    made = growth_twin.make(truth, Draws(1, "test"))
    result = analysed(made)
    for line, doubling_h in truth.doubling_time_h.items():
        found = result.of(line, "pomalidomide", "GEC50", "1")
        assert found.value_nm == pytest.approx(128.0, rel=0.02)
        row = result.tables["growth_rate"].filter(pl.col("line") == line)
        assert row["divisions"][0] == pytest.approx(72.0 / doubling_h, abs=0.01)
        assert row["gr_inf"][0] == pytest.approx(0.1, abs=0.01)


def test_quiet_cultures_give_their_ic50_back_where_the_truth_is_viability():
    truth = growth_twin.Truth(**QUIET, experiments=1, effect_on="viability", doubling_time_h={"A": 30.0})
    made = growth_twin.make(truth, Draws(1, "test"))
    result = analysed(made)
    assert result.of("A", "pomalidomide", "relative IC50", "1").value_nm == pytest.approx(128.0, rel=0.02)


def test_the_share_of_cells_follows_the_growth_rate():
    truth = growth_twin.Truth(bottom=0.0, slope=1.0)
    # At GR = 1/2 after two divisions: 2^(2 (log2(1.5) - 1)) = (1.5/2)^2.
    share = growth_twin.expected(truth, np.array([0.0, 10.0]), 10.0, 2.0)
    assert share == pytest.approx([1.0, 0.5625])
    # GR of minus one is the end of all cells, whatever is asked for.
    killed = growth_twin.expected(growth_twin.Truth(bottom=-1.0), np.array([1e12]), 1.0, 2.0)
    assert 0.0 <= killed[0] < 1e-3


def test_evaporation_at_the_rim_costs_cells_there_alone():
    quiet = growth_twin.Truth(**{**QUIET, "edge_loss": 0.5}, experiments=1)
    made = growth_twin.make(quiet, Draws(1, "test"))
    end = made.reads[1].channels["luminescence"]
    assert end[0, 1] / end[3, 1] == pytest.approx(0.5, abs=0.02)
    assert end[4, 1] == pytest.approx(end[3, 1], rel=0.02)


def test_experiments_differ_as_the_truth_says():
    truth = growth_twin.Truth(experiments=30, experiment_sd_log10_ec50=0.2, doubling_time_h={"A": 30.0})
    drawn = growth_twin.make(truth, Draws(1, "test")).drawn
    logs = np.log10([one["ec50_nm"]["pomalidomide"] for one in drawn.values()])
    # Standard error of a standard deviation of 30: 13 %; three of them either way.
    assert logs.std(ddof=1) == pytest.approx(0.2, rel=0.4)
