"""Twins of blots: pictures read back, bands that hold the truth, and what spoils a blot noticed as such."""

from __future__ import annotations

import io

import numpy as np
import polars as pl
import pytest
import tifffile

from glueprint.assays import blot, degradation
from glueprint.assays.blot import geometry
from glueprint.assays.degradation import Kinetics
from glueprint.assays.twins import blot as blot_twin
from glueprint.assays.twins.blot_image import CEILING, Geometry
from glueprint.assays.twins.draws import Draws
from glueprint.errors import InputError

QUIET = {
    "blotting_cv": 0.0, "load_cv": 0.15, "haze": 0.0, "dust": 0, "counts_per_photon": 0.01,
    "read_noise_counts": 0.0, "experiment_sd_log10_ec50": 0.0, "experiment_cv_rates": 0.0, "smear": 0.0,
    "experiments": 1,
}  # fmt: skip


def made(seed=1, **settings):
    return blot_twin.make(blot_twin.Truth(**settings), Draws(seed, "test"))


def analysed(membrane):
    return blot.analyse(blot.Scan(blot.from_array(membrane.counts), membrane.boxes))


def test_the_tiff_holds_the_counts_and_says_that_they_are_simulated():
    twin = made(experiments=1)
    files = blot_twin.files(twin, "yes, by a test")
    image = blot.image.parse(files["membrane-1.tif"], "membrane-1.tif")
    assert image.bits == 16
    assert np.array_equal(image.counts, twin.membranes[0].counts)
    assert image.metadata["ImageDescription"] == "Simulated: yes, by a test"
    boxes = blot.boxes.parse(files["boxes-1.toml"].decode(), "boxes-1.toml")
    assert boxes.file == twin.membranes[0].boxes.file


def test_the_analysis_of_a_simulated_image_says_so_and_so_does_its_table():
    twin = made(experiments=1)
    files = blot_twin.files(twin, "yes, by a test")
    image = blot.image.parse(files["membrane-1.tif"], "membrane-1.tif")
    result = blot.analyse(blot.Scan(image, twin.membranes[0].boxes))
    (finding,) = (one for one in result.findings if one.code == "GP-A054")
    assert (finding.severity, finding.where) == ("note", "membrane-1.tif")
    assert '"yes, by a test"' in finding.message
    assert result.tables["bands"]["simulated"].unique().to_list() == ["yes, by a test"]
    onwards = degradation.analyse(result.tables["bands"])
    assert [one.code for one in onwards.findings].count("GP-A054") == 1
    # A second picture speaks for itself; an image that says nothing is not called simulated.
    twice = blot.analyse(blot.Scan(image, twin.membranes[0].boxes, reference=image))
    assert [one.code for one in twice.findings].count("GP-A054") == 2
    plain = analysed(twin.membranes[0])
    assert "GP-A054" not in {one.code for one in plain.findings}
    assert plain.tables["bands"]["simulated"].unique().to_list() == [""]


def test_a_quiet_blot_gives_every_lane_back():
    (membrane,) = made(**QUIET).membranes
    bands = analysed(membrane).tables["bands"]
    for target, left in membrane.left.items():
        found = bands.filter(pl.col("target") == target).sort("lane")["log_ratio"].to_numpy()
        assert np.abs(found - np.log(left)).max() < 0.03


def test_the_usual_blot_scatters_as_its_truth_says():
    error = []
    for membrane in made(experiments=6).membranes:
        bands = analysed(membrane).tables["bands"]
        for target, left in membrane.left.items():
            found = bands.filter(pl.col("target") == target).sort("lane")["log_ratio"].to_numpy()
            error.append(found - np.log(left))
    spread = np.concatenate(error).std()
    # blotting_cv is that of a log ratio; the mean of four vehicle lanes adds a quarter of its variance.
    assert spread == pytest.approx(0.08 * np.sqrt(1.25), rel=0.15)


def test_smear_of_the_control_under_the_target_is_not_taken_for_target():
    # One wide line reads lanes at a tenth of the vehicle 2 % too high, one narrow line 5 % too low.
    error = []
    for membrane in made(**QUIET | {"experiments": 4, "smear": 0.1}).membranes:
        bands = analysed(membrane).tables["bands"].filter(pl.col("target") == "IKZF1").sort("lane")
        left = membrane.left["IKZF1"]
        error.append((bands["log_ratio"].to_numpy() - np.log(left))[left < 0.2])
    assert abs(np.concatenate(error).mean()) < 0.015


def test_the_true_shares_are_those_of_the_turnover_model():
    (membrane,) = made(**QUIET, mln4924_lanes=0, doses_nm=(50.0,), times_h=(6.0,)).membranes
    # k_deg 0.12, k_max 1 at half saturation: k = 0.62, F = 0.12/0.62; remaining F + (1 - F) exp(-k t).
    share = 0.12 / 0.62
    wanted = share + (1.0 - share) * np.exp(-0.62 * 6.0)
    treated = [i for i, lane in enumerate(membrane.boxes.file.lane) if not lane.vehicle]
    assert membrane.left["IKZF1"][treated] == pytest.approx([wanted])
    assert membrane.left["IKZF1"].max() == 1.0


def test_a_turned_blot_is_found_turned():
    (membrane,) = made(**QUIET, rotation_deg=2.0).membranes
    picture = blot.optical.signal(blot.from_array(membrane.counts), blot.Settings())
    assert geometry.tilt_deg(picture.values) == pytest.approx(2.0, abs=0.2)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"exposure": 8.0}, "GP-A129"),
        ({"vehicle_lanes": 0}, "GP-A131"),
        ({"vehicle_lanes": 1}, "GP-A132"),
        ({"rotation_deg": 1.5}, "GP-A128"),
    ],
)
def test_what_spoils_a_blot_is_noticed(settings, code):
    (membrane,) = made(experiments=1, **settings).membranes
    assert code in {finding.code for finding in analysed(membrane).findings}


def test_overexposure_ends_at_the_ceiling():
    (membrane,) = made(experiments=1, exposure=8.0).membranes
    assert membrane.counts.max() == CEILING
    assert membrane.counts.dtype == np.uint16


def test_boxes_of_lanes_and_bands_do_not_meet():
    plan = Geometry(lanes=20, bands=4, lane_px=40, smile_px=5.0, rotation_deg=0.0)
    lanes = [plan.lane(i) for i in range(plan.lanes)]
    bands = [plan.band(i) for i in range(plan.bands)]
    for spans, most in ((lanes, plan.shape[1]), (bands, plan.shape[0])):
        ends = [end for span in spans for end in span]
        assert ends == sorted(ends)
        assert ends[0] >= 0
        assert ends[-1] <= most


def test_vehicle_lanes_stand_apart_and_every_dose_meets_every_time():
    truth = blot_twin.Truth(vehicle_lanes=3, mln4924_lanes=2)
    plan = blot_twin.lanes(truth)
    vehicle = [i for i, (dose, _, _, _) in enumerate(plan) if dose == 0.0]
    assert vehicle == [0, len(plan) // 2, len(plan) - 1]
    pairs = {(dose, time) for dose, time, treatment, _ in plan if dose > 0.0 and not treatment}
    assert len(pairs) == len(truth.doses_nm) * len(truth.times_h)
    assert sum(treatment == "MLN4924" for _, _, treatment, _ in plan) == 2


def test_a_quiet_blot_gives_its_dc50s_back():
    twin = made(**QUIET, vehicle_lanes=4)
    bands = analysed(twin.membranes[0]).tables["bands"].filter(pl.col("target") == "IKZF1")
    result = degradation.analyse(bands)
    truth = Kinetics(0.12, 1.0, 50.0, 1.0)
    points = result.tables["points"]
    for row in points.to_dicts():
        time = np.array(row["time_h"])
        assert row["dc50_relative_nm"] == pytest.approx(float(truth.relative_dc50_nm(time)), rel=0.1)
        assert row["dmax"] == pytest.approx(float(truth.dmax(time)), abs=0.01)
    # The lane with MLN4924 takes the loss back: it may be called degradation.
    assert set(points["process"]) <= {"degradation", "loss"}


BESIDE = {"glue": {"IKZF1": {"k_max_per_h": 2.0, "ec50_nm": 500.0}}}


def test_a_second_compound_stands_on_the_same_membranes_and_leaves_the_first_alone():
    alone = blot_twin.lanes(blot_twin.Truth(doses_nm=(10.0, 100.0, 1000.0), times_h=(2.0, 6.0)))
    truth = blot_twin.Truth(doses_nm=(10.0, 100.0, 1000.0), times_h=(2.0, 6.0), beside=BESIDE)
    plan = blot_twin.lanes(truth)
    assert [lane for lane in plan if lane[3] == "pomalidomide" and lane[0]] == [x for x in alone if x[0]]
    assert {lane[:3] for lane in plan if lane[3] == "glue"} == {
        (dose, time, "") for dose in truth.doses_nm for time in truth.times_h
    }


def test_two_compounds_of_a_quiet_blot_give_their_rates_back():
    twin = made(**QUIET, doses_nm=(10.0, 100.0, 1000.0, 10_000.0), times_h=(2.0, 6.0), beside=BESIDE)
    bands = analysed(twin.membranes[0]).tables["bands"].filter(pl.col("target") == "IKZF1")
    rates = degradation.analyse(bands).tables["rates"]
    k_max = {row["compound"]: row["value"] for row in rates.to_dicts() if row["name"] == "k_max"}
    assert k_max == {"pomalidomide": pytest.approx(1.0, rel=0.1), "glue": pytest.approx(2.0, rel=0.1)}
    # IKZF3 is left alone by the second compound.
    others = twin.membranes[0].left["IKZF3"]
    plan = blot_twin.lanes(twin.truth)
    assert {float(left) for left, lane in zip(others, plan, strict=True) if lane[3] == "glue"} == {1.0}


def test_a_compound_beside_cannot_degrade_what_is_not_on_the_membrane():
    with pytest.raises(InputError, match="GP-A183"):
        made(times_h=(6.0,), beside={"glue": {"GSPT1": {}}})


def test_the_twin_file_is_a_plain_tiff_of_one_page():
    files = blot_twin.files(made(experiments=2), "yes")
    assert sorted(files) == ["boxes-1.toml", "boxes-2.toml", "membrane-1.tif", "membrane-2.tif"]
    with tifffile.TiffFile(io.BytesIO(files["membrane-2.tif"])) as file:
        assert len(file.pages) == 1
        assert file.pages[0].dtype == np.uint16
