"""Twins of plates: files read back as they were made, and truths found again where there is little noise."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.assays import elisa, layout, polarization, readers
from glueprint.assays.polarization import Amount, Conditions, Optics, Settings
from glueprint.assays.twins import elisa as elisa_twin
from glueprint.assays.twins import fp as fp_twin
from glueprint.assays.twins.draws import Draws
from glueprint.assays.twins.plate_reads import as_plate

QUIET_FP = {
    "protein_cv": 0.0, "tracer_kd_cv": 0.0, "counts_per_photon": 0.0, "volume_cv": 0.0, "dose_cv": 0.0,
    "edge_evaporation": 0.0, "drift": 0.0, "light_counts": 90_000.0,
}  # fmt: skip
QUIET_ELISA = {
    "od_cv": 0.002, "volume_cv": 0.0, "dose_cv": 0.0, "culture_cv": 0.001, "edge_colour": 0.0, "donors": 2,
}  # fmt: skip


def read_back(made, files):
    plate = readers.parse(files["plate.txt"], "plate.txt")
    return plate, layout.apply(plate, layout.parse(files["layout.toml"].decode(), "layout.toml"))


@pytest.mark.parametrize("twin", [fp_twin, elisa_twin])
def test_the_reader_gives_back_what_was_made(twin):
    made = twin.make(twin.Truth(), Draws(2, "test"))
    plate, _ = read_back(made, twin.files(made, "yes"))
    key = ["plate", "well", "channel"]
    direct = as_plate(made.reads).table.sort(key)
    # The stored mP are printed beside the channels that they come from.
    found = plate.table.filter(plate.table["channel"] != "mP").select(direct.columns).sort(key)
    assert found.equals(direct)


def test_a_quiet_fp_plate_gives_its_ki_and_g_factor_back():
    truth = fp_twin.Truth(**QUIET_FP, ki_nm={"weak": 2000.0, "strong": 60.0})
    made = fp_twin.make(truth, Draws(1, "test"))
    plate, wells = read_back(made, fp_twin.files(made, "yes"))
    said = wells.assay
    assert (said["protein_nm"], said["tracer_kd_nm"]) == (100.0, 120.0)
    stated = Conditions(Amount(100.0, 0.0), Amount(5.0, 0.0), Amount(120.0, 0.0))
    result = polarization.analyse(wells.table, Settings(stated, Optics(g_factor=1.05)))
    for sample, ki in truth.ki_nm.items():
        (found,) = (one for one in result.of(sample) if one.kind == "Ki")
        assert found.value_nm == pytest.approx(ki, rel=0.01)
    assert float(plate.metadata["g_factor"]) == pytest.approx(1.05, rel=2e-3)
    # The checks find nothing wrong with the simulated optics; empty wells are left out.
    assert {finding.code for finding in result.findings} <= {"GP-A078"}


def test_brightness_of_the_bound_tracer_is_found():
    made = fp_twin.make(fp_twin.Truth(**QUIET_FP, brightness_ratio=0.6), Draws(1, "test"))
    _, wells = read_back(made, fp_twin.files(made, "yes"))
    stated = Conditions(Amount(100.0, 0.0), Amount(5.0, 0.0), Amount(120.0, 0.0))
    result = polarization.analyse(wells.table, Settings(stated, Optics(g_factor=1.05)))
    assert result.tables["fits"]["brightness_ratio"][0] == pytest.approx(0.6, abs=0.01)


def test_a_fluorescent_compound_is_noticed():
    truth = fp_twin.Truth(fluorescence_per_um={"pomalidomide": 0.05})
    made = fp_twin.make(truth, Draws(1, "test"))
    _, wells = read_back(made, fp_twin.files(made, "yes"))
    result = polarization.analyse(wells.table, Settings(optics=Optics(g_factor=1.05)))
    assert [finding.where for finding in result.findings if finding.code == "GP-A071"] == [
        'plate "Plate 1", pomalidomide'
    ]


def test_counts_beyond_the_detector_are_printed_as_such():
    made = fp_twin.make(fp_twin.Truth(light_counts=1e6), Draws(1, "test"))
    plate, _ = read_back(made, fp_twin.files(made, "yes"))
    assert "above_range" in plate.table["flag"].to_list()


def test_what_is_stated_of_protein_scatters_as_it_says():
    truth = fp_twin.Truth(protein_cv=0.2)
    stated = [fp_twin.make(truth, Draws(1, "test", i)).drawn["stated_protein_nm"] for i in range(300)]
    logs = np.log(np.array(stated) / truth.protein_nm)
    # Standard error of a standard deviation: sd / sqrt(2 n), here 4 %; four of them either way.
    assert logs.std() == pytest.approx(np.sqrt(np.log1p(0.04)), rel=0.16)


def test_quiet_donors_give_their_ic50s_back():
    truth = elisa_twin.Truth(**QUIET_ELISA, ic50_nm={"one": 13.0, "two": 40.0}, slope=1.3)
    made = elisa_twin.make(truth, Draws(1, "test"))
    _, wells = read_back(made, elisa_twin.files(made, "yes"))
    result = elisa.analyse(wells.table, elisa.Settings(model="4pl"))
    assert len(result.named) == 2 * 2 * 2 + 2 * 2
    for one in result.named:
        if not one.donor:
            continue
        drawn = made.drawn[one.donor.removesuffix(" 1")][f"{one.potency.definition}_ic50_nm"][one.sample]
        assert one.potency.value_nm == pytest.approx(drawn, rel=0.05)


def test_a_half_inhibition_that_no_dose_reaches_has_no_absolute_ic50():
    truth = elisa_twin.Truth(max_inhibition=0.45)
    assert elisa_twin.absolute_nm(truth, 13.0) is None
    full = elisa_twin.Truth(max_inhibition=1.0)
    assert elisa_twin.absolute_nm(full, 13.0) == pytest.approx(13.0)
    # max x/(x + 10) = 1/2 with max 0.75 at x = 20: 0.75 * 20/30 = 0.5.
    assert elisa_twin.absolute_nm(elisa_twin.Truth(max_inhibition=0.75), 10.0) == pytest.approx(20.0)


def test_a_reader_that_saturates_leaves_limits_and_no_numbers():
    truth = elisa_twin.Truth(od_ceiling=2.0)
    made = elisa_twin.make(truth, Draws(1, "test"))
    plate, wells = read_back(made, elisa_twin.files(made, "yes"))
    assert "above_range" in plate.table["flag"].to_list()
    result = elisa.analyse(wells.table)
    assert any(finding.code == "GP-A089" for finding in result.findings)


def test_dying_cells_are_told_by_their_viability():
    truth = elisa_twin.Truth(toxic_ic50_nm=100.0)
    made = elisa_twin.make(truth, Draws(1, "test"))
    _, wells = read_back(made, elisa_twin.files(made, "yes"))
    result = elisa.analyse(wells.table)
    left_out = result.tables["inhibition"].filter(~result.tables["inhibition"]["used"])
    assert left_out["reason"].str.contains("viability").any()
    assert left_out["dose_nm"].min() > 10.0
