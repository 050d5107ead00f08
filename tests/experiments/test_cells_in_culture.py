"""Lines, T cells, NK cells, Treg, resistance, competition, enantiomers: published numbers, signs, limits."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from glueprint import experiments
from glueprint.errors import InputError, NotSupportedError


def exact(name, **settings):
    """An experiment without measurement error: the model as the protocol shows it."""
    return experiments.run(name, **{**experiments.without_error(name), **settings})


def values(found, start):
    return [reading.value for reading in found.readings if reading.name.startswith(start)]


def test_three_lines_read_their_published_ic50():
    found = exact("proliferation")
    for line, ic50_nm in (("MM1S", 128.0), ("RPMI8226", 8000.0), ("OPM2", 10000.0)):  # DWN-001 to DWN-003
        reading = found.reading(f"IC50, {line}")
        # A four-parameter curve through a switch-like response reads a little low.
        assert abs(np.log10(reading.value / ic50_nm)) < 0.05
        assert reading.label == "calibrated"
        assert found.reading(f"IC50, {line}, exact").value == pytest.approx(ic50_nm, rel=0.01)
    assert found.reading("cells at the highest dose, MM1S").value < 10.0
    assert found.reading("cells at the highest dose, OPM2").value > 40.0


def test_vehicle_grows_at_the_doubling_time_of_its_line():
    days = exact("proliferation", days=2.0).table
    assert days.filter(pl.col("dose_nm") == 0.0)["percent_of_vehicle"].to_list() == pytest.approx([100.0] * 3)


def test_irf4_falls_before_the_cells_die():
    found = exact("irf4_time_course", compound="lenalidomide", dose_nm=10000.0)
    fallen = found.reading("IRF4 has fallen")
    assert fallen.value < 8.0  # DWN-004
    assert fallen.label == "predicted"
    begin = found.reading("cells begin to fall")
    assert fallen.value / 24.0 < begin.value < 5.0  # DWN-005
    # The day of the proliferation assay was chosen by it, and lenalidomide's efficacy on IKZF3 is assumed.
    assert begin.label == "assumed"
    assert found.reading("time to half, IKZF1").value < found.reading("time to half, IRF4").value
    # Half of the substrates is gone before an hour: a design that begins there says only that.
    late = exact("irf4_time_course", times_h=(1.0, 2.0, 4.0, 8.0)).reading("time to half, IKZF1")
    assert (late.relation, late.value) == ("<", 1.0)
    assert "add earlier times" in late.note
    early = exact("irf4_time_course", times_h=(1.0, 2.0)).reading("time to half, MYC")
    assert (early.relation, early.note) == ("none", "50 % are never lost in 1 of 1 replicates")


def test_t_cells_make_more_il2_and_dexamethasone_stops_it():
    found = exact("il2_ifn")
    assert values(found, "largest fold, IL-2")[0] > 2.0
    assert found.reading("first rise, IL-2").value <= 6.0  # IMM-018
    assert 2.0 < found.reading("AP-1 at 6 h").value < 4.0  # IMM-017
    stopped = exact("il2_ifn", dexamethasone=1.0)
    assert stopped.table["fold"].to_list() == pytest.approx([1.0] * stopped.table.height, abs=1e-6)
    assert stopped.reading("first rise, IL-2").relation == "none"


def test_nk_cells_kill_more_unless_dexamethasone_is_there():
    found = exact("nk_killing", compound="lenalidomide")
    assert found.reading("lysis untreated").value == pytest.approx(38.5)  # IMM-021
    assert 45.0 < found.reading("lysis at the highest dose, alone").value < 53.3  # IMM-022
    assert found.reading("lysis at the highest dose, with dexamethasone").value == pytest.approx(38.5)


def test_treg_are_half_inhibited_at_most():
    found = exact("treg")
    assert abs(np.log10(found.reading("IC50 relative, Treg").value / 1000.0)) < 0.1  # IMM-006
    assert found.reading("largest inhibition, Treg").value < 50.0  # IMM-007


def test_less_cereblon_needs_more_drug_until_no_drug_helps():
    found = exact("crbn_loss")
    full, seventy, half = (found.reading(f"IC50 at {level} % cereblon").value for level in (100, 70, 50))
    assert full < seventy < half
    for level in (0, 5, 10):
        # No dose halves them: the answer is no limit of the tested doses, and the plateau is said beside it.
        assert found.reading(f"IC50 at {level} % cereblon").relation == "none"
        assert found.reading(f"cells at the highest dose, {level} % cereblon").value > 50.0
    assert values(found, "cells left")[0] > 5.0
    # Of the model over 400 levels: 100 % of the cells without cereblon, 3.2 % with all, half way at 0.3257.
    half_lost = found.reading("cereblon with half of the response to 1000 nM")
    assert half_lost.value == pytest.approx(0.3257, abs=0.005)
    assert half_lost.unit == "of the line's"
    alone = exact("crbn_loss", levels=(0.5,)).reading("cells left at 1000 nM, least over most cereblon")
    assert (alone.value, alone.relation, alone.note) == (None, "none", "one level alone")


def test_more_of_one_substrate_spares_the_other():
    found = exact("neosubstrate_competition")
    dc50 = values(found, "DC50")
    assert (np.diff(dc50) > 0.0).all()
    assert found.reading("IKZF1 spared").value > 1.2
    assert found.reading("IKZF1 spared").label == "input"
    other = exact("neosubstrate_competition", target="IKZF3", competitor="IKZF1")
    assert other.reading("IKZF3 spared").value > 1.2
    with pytest.raises(InputError, match="GP-L002") as caught:
        exact("neosubstrate_competition", competitor="IKZF4")
    assert "did you mean" in caught.value.message


def test_stabilised_enantiomers_differ_as_their_affinities_and_inversion_levels_them():
    found = exact("enantiomers")
    # BIN-006: tenfold in Kd; far below Kd that is the ratio of potencies.
    assert found.reading("potency ratio (S) over (R), stabilised").value == pytest.approx(10.0, rel=0.02)
    assert 1.0 < found.reading("potency ratio (S) over (R), in the medium").value < 2.0
    assert found.reading("racemisation half-life").value == pytest.approx(np.log(2.0) / 0.694, rel=1e-3)
    assert found.reading("drug half-life").value == pytest.approx(np.log(2.0) / 0.175, rel=1e-3)
    still = [
        found.reading(f"DC50 of IKZF1 at 6 h, {form}, stabilised").value
        for form in ("(S)", "racemate", "(R)")
    ]
    # 1/Kd of the racemate is the mean of both.
    assert 1.0 / still[1] == pytest.approx(0.5 / still[0] + 0.5 / still[2], rel=0.01)


def test_enantiomers_need_a_medium_and_a_ratio(tmp_path):
    with pytest.raises(NotSupportedError, match="GP-M012"):
        exact("enantiomers", medium="plasm")
    with pytest.raises(InputError, match="GP-L002"):
        exact("enantiomers", medium=3.0)


def test_angiogenesis_is_called_an_input():
    found = exact("angiogenesis")
    assert {reading.label for reading in found.readings} == {"input"}
    assert any("BIN-019" in text for text in found.assumptions)
    stronger = exact("angiogenesis", vegf_ic50_nm=100.0)
    vegf, bfgf = values(stronger, "IC50")
    assert bfgf == pytest.approx(10.0 * vegf, rel=0.02)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("proliferation", {"lines": ()}),
        ("proliferation", {"days": 0.0}),
        ("crbn_loss", {"levels": (1.0, 0.5)}),
        ("crbn_loss", {"levels": (0.0, 50.0, 100.0)}),
        ("proliferation", {"lines": ("MM1S", "MM1S")}),
        ("treg", {"replicates": 2.5}),
        ("treg", {"replicates": True}),
        ("treg", {"treg_max": 5.0}),
        ("il2_ifn", {"dexamethasone": 1.5}),
        ("treg", {"replicates": 0}),
        ("nk_killing", {"noise_percent": 101.0}),
        ("irf4_time_course", {"dose_nm": -1.0}),
        ("angiogenesis", {"vegf_ic50_nm": 0.0}),
    ],
)
def test_settings_that_cannot_be_are_named(name, settings):
    with pytest.raises(InputError, match="GP-L002") as caught:
        exact(name, **settings)
    assert caught.value.where == f"setting {next(iter(settings))}"


def test_a_line_of_another_kind_is_refused():
    with pytest.raises(InputError, match="GP-M036"):
        exact("treg", line="MM1S")
