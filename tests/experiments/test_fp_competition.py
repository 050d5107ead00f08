"""The FP plate against exact competitive binding, and what a lab reads from it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glueprint import experiments
from glueprint.errors import InputError, NotSupportedError
from glueprint.experiments.fp_competition import Plate, exact_ic50_nm, implied_ki_nm

# Total IC50 by 60-digit arithmetic on the same mass balance: protein, tracer, tracer Kd, Ki, IC50, all nM.
EXACT = [
    (100.0, 120.0, 120.0, 156.6, 421.4),
    (100.0, 10.0, 120.0, 156.6, 355.08),
    (50.0, 5.0, 120.0, 156.6, 254.641229957465),
    (50.0, 50.0, 120.0, 250.0, 448.364074822586),
    (200.0, 5.0, 20.0, 10.0, 290.227688330828),
    (100.0, 10.0, 120.0, 0.1, 63.7944445847185),
    (500.0, 10.0, 120.0, 156.6, 1221.7),
]
NANOMOLAR = st.floats(0.1, 1e4)


@pytest.mark.parametrize(("protein", "tracer", "kd", "ki", "ic50"), EXACT)
def test_exact_ic50(protein, tracer, kd, ki, ic50):
    plate = Plate(protein, kd, tracer)
    digits = 1e-4 if ic50 in (421.4, 355.08, 1221.7) else 1e-10
    assert exact_ic50_nm(ki, plate) == pytest.approx(ic50, rel=digits)
    assert plate.bound(np.array([ic50]), ki)[0] == pytest.approx(
        0.5 * plate.bound(np.zeros(1), ki)[0], rel=digits
    )


@given(NANOMOLAR, NANOMOLAR, NANOMOLAR, NANOMOLAR)
def test_ic50_is_above_ki_on_every_plate_and_gives_it_back(protein, tracer, kd, ki):
    plate = Plate(protein, kd, tracer)
    ic50 = exact_ic50_nm(ki, plate)
    assert ic50 > ki
    assert implied_ki_nm(ic50, plate) == pytest.approx(ki, rel=1e-6, abs=1e-6 * protein)


def test_the_printed_ic50_cannot_come_from_the_printed_ki():
    # Guide 1, table 1: Ki 156.60 nM, IC50 153.9 nM, tracer at its Kd. Even without depletion Ki <= 153.9 / 2.
    assert implied_ki_nm(153.9, Plate(protein_nm=1e-9)) == pytest.approx(153.9 / 2.0, rel=1e-6)
    for protein in (1.0, 50.0, 100.0):
        assert implied_ki_nm(153.9, Plate(protein_nm=protein)) < 153.9 / 2.0


def test_below_the_floor_of_a_plate_no_ki_is_implied():
    assert implied_ki_nm(20.0, Plate(protein_nm=100.0)) is None


def test_with_little_protein_the_ic50_is_that_of_cheng_and_prusoff():
    found = experiments.run("fp_competition", ki_nm=156.6, protein_nm=0.5, tracer_nm=120.0, noise_percent=0.0)
    assert found.reading("IC50, exact").value == pytest.approx(2.0 * 156.6, rel=5e-3)
    assert found.reading("Ki by Cheng-Prusoff").value == pytest.approx(156.6, rel=0.05)


def test_with_much_protein_cheng_and_prusoff_are_wrong():
    found = experiments.run("fp_competition", ki_nm=10.0, protein_nm=500.0, tracer_nm=10.0)
    assert found.reading("Ki by Cheng-Prusoff").value > 5.0 * 10.0


def test_the_plate_gives_back_the_ki_that_was_put_in():
    for ki, plate in ((156.6, {}), (30.0, {"protein_nm": 100.0, "tracer_nm": 10.0})):
        found = experiments.run(
            "fp_competition", ki_nm=ki, noise_percent=0.0, protein_cv=0.0, tracer_kd_cv=0.0, **plate
        )
        assert found.reading("Ki read from the wells").value == pytest.approx(ki, rel=0.02)
        exact = found.reading("IC50, exact").value
        # Polarisation is not linear in bound tracer, so its midpoint lies a little off.
        assert found.reading("IC50 relative read from the wells").value == pytest.approx(exact, rel=0.03)


def test_the_true_ki_lies_in_its_interval_when_wells_err():
    inside = 0
    for seed in range(12):
        found = experiments.run("fp_competition", ki_nm=156.6, noise_percent=0.4, replicates=3, seed=seed)
        reading = found.reading("Ki read from the wells")
        inside += (reading.low or 0.0) < 156.6 < (reading.high or np.inf)
    # Exactly known totals, stated with 20 and 15 %: the interval is wider than 95 % needs.
    assert inside >= 10


def test_the_plate_has_its_blanks_and_controls_in_whole_counts():
    table = experiments.run("fp_competition", replicates=3).table
    counts = dict(table.group_by("role").len().iter_rows())
    assert counts == {"blank": 8, "tracer_only": 8, "tracer_protein": 8, "competitor": 2 * 3 * 12}
    assert table["value"].to_list() == table["value"].round().to_list()
    assert table["channel"].unique().sort().to_list() == ["parallel", "perpendicular"]


def test_labels_claims_and_defaults():
    found = experiments.run("fp_competition")
    assert found.reading("Ki put in").label == "input"
    assert found.reading("Ki put in").claims == ("BIN-001",)
    assert found.reading("IC50, exact").label == "predicted"
    assert "BIN-003" in found.reading("IC50, exact").claims
    cheng = found.reading("Ki by Cheng-Prusoff")
    assert cheng.label == "input"
    relative = found.reading("IC50 relative read from the wells")
    assert cheng.low / cheng.value == pytest.approx(relative.low / relative.value)
    assert found.settings["tracer_nm"] == found.settings["tracer_kd_nm"]


@pytest.mark.parametrize(
    "settings", [{"protein_nm": 0.0}, {"tracer_kd_nm": -1.0}, {"tracer_nm": 0.0}, {"ki_nm": float("nan")}]
)
def test_settings_that_cannot_be_are_named(settings):
    with pytest.raises(InputError, match="GP-L002") as caught:
        experiments.run("fp_competition", **settings)
    assert caught.value.where == f"setting {next(iter(settings))}"


def test_a_compound_without_affinity_needs_one():
    with pytest.raises(NotSupportedError, match="GP-L003"):
        experiments.run("fp_competition", compound="thalidomide")
    assert experiments.run("fp_competition", compound="thalidomide", ki_nm=400.0).compound == "thalidomide"


@pytest.mark.parametrize("setting", ["protein_nm", "tracer_kd_nm", "tracer_nm", "ki_nm"])
@pytest.mark.parametrize("value", [1e-308, 1e308, 0.0, float("nan")])
def test_a_concentration_no_plate_can_have_is_refused(setting, value):
    with pytest.raises(InputError, match="GP-L002"):
        experiments.run("fp_competition", **{setting: value})


def test_a_dose_no_plate_can_have_is_refused():
    with pytest.raises(InputError, match="GP-L002"):
        experiments.run("fp_competition", doses_nm=(1.0, 1e308))
