"""A coloured map shows what the run gives: fold changes against closed forms, colours against folds."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from glueprint.errors import InputError
from glueprint.mechanism import Scenario, compounds, models
from glueprint.report import diagrams
from glueprint.report.diagrams import overlay

POMALIDOMIDE = compounds.load("pomalidomide")


@pytest.fixture(scope="module")
def immune():
    drawn = diagrams.scene("immune")
    return drawn, overlay.folds(drawn, POMALIDOMIDE, dose_nm=1000.0, time_h=96.0)


def fold_of(table, species):
    return table.filter(pl.col("species") == species)["fold"].item()


def test_levels_are_those_of_the_closed_forms(immune):
    """Half of what is left of the drug is each enantiomer; Ikaros lies between the steady states
    1/(1 + rho occupancy) of the dose and of what is left of it, since it lags behind.
    """
    _, table = immune
    defaults = models.build("culture_monocyte", Scenario.of()).defaults
    left = 1000.0 * math.exp(-96.0 * defaults["hydrolysis_per_h"])
    levels = dict(zip(table["species"], table["treated"], strict=True))
    assert levels["drug_s_nm"] == pytest.approx(left / 2, rel=1e-4)
    assert levels["drug_r_nm"] == pytest.approx(left / 2, rel=1e-4)

    def steady(free_nm):
        return 1.0 / (1.0 + defaults["ikzf1_rho"] * free_nm / (free_nm + defaults["kd_nm"]))

    assert steady(1000.0) < fold_of(table, "monocyte/ikzf1") < steady(left)


def test_directions_are_those_of_the_evidence(immune):
    """IL-2 rises with AP-1 (IMM-017), TNF falls (IMM-001), and regulatory T cells lose at most half."""
    _, table = immune
    assert fold_of(table, "t_cell/il2") > 1.5
    assert fold_of(table, "monocyte/tnf") < 0.5
    assert 0.5 <= fold_of(table, "treg/treg_proliferation") < 1.0


def test_what_is_not_there_untreated_has_no_fold_and_is_said_to_be_new(immune):
    drawn, table = immune
    assert fold_of(table, "drug_s_nm") is None
    assert overlay.said(500.0, None) == "new"
    assert overlay.said(0.0, None) == ""
    assert overlay.marks(drawn, table).count(">new<") == 3  # both enantiomers and the NK cells' activation


def test_cells_are_compared_as_numbers_not_as_logarithms():
    drawn = diagrams.scene("myeloma")
    table = overlay.folds(drawn, POMALIDOMIDE, dose_nm=1000.0, time_h=120.0)
    row = table.filter(pl.col("species") == "myeloma/log_cells").row(0, named=True)
    assert row["fold"] == pytest.approx(math.exp(row["treated"] - row["untreated"]))
    assert row["fold"] < 0.5


def test_colours_follow_the_folds(immune):
    drawn, table = immune
    flat = table.with_columns(pl.lit(1.0).alias("fold"))
    none = {overlay.fills(drawn, flat)[one] for one in table["species"]}
    assert none == {(overlay.FALLS, overlay.OPACITY[0])}
    shades = [
        overlay.fills(drawn, table.with_columns(pl.lit(fold).alias("fold")))["t_cell/il2"]
        for fold in (1 / 64, 1 / 16, 1 / 2, 2.0, 16.0, 64.0)
    ]
    assert [token for token, _ in shades] == [overlay.FALLS] * 3 + [overlay.RISES] * 3
    opacity = np.array([shade for _, shade in shades])
    assert opacity[0] == opacity[1] > opacity[2]
    assert np.allclose(opacity, opacity[::-1])


@pytest.mark.parametrize(
    ("fold", "words"), [(0.004, "<0.01"), (0.123, "×0.12"), (1.0, "×1.0"), (3.26, "×3.3"), (47.3, "×47.3")]
)
def test_folds_are_said_shortly(fold, words):
    assert overlay.said(1.0, fold) == words


def test_the_picture_says_dose_time_and_compound():
    text = diagrams.svg("immune", compound="lenalidomide", dose_nm=300.0, time_h=24.0)
    assert "lenalidomide, 300 nM, after 24 h" in text
    assert text != diagrams.svg("immune", dose_nm=300.0)


@pytest.mark.parametrize(
    ("given", "code"), [({"dose_nm": 0.0}, "GP-P031"), ({"time_h": math.nan}, "GP-P031")]
)
def test_a_dose_or_time_that_is_none_is_refused(given, code):
    with pytest.raises(InputError) as caught:
        diagrams.svg("immune", **given)
    assert caught.value.code == code


def test_only_maps_take_colours_and_only_whole_tables(immune):
    drawn, table = immune
    with pytest.raises(InputError, match="GP-P033"):
        diagrams.svg("tnf_elisa", dose_nm=10.0)
    with pytest.raises(InputError, match="GP-P032"):
        overlay.fills(drawn, table.head(3))
