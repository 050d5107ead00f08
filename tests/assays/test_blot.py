"""Blots of known volumes: volumes back, saturation and detection kept honest, ratios to vehicle lanes."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from glueprint.assays import blot, degradation
from glueprint.assays.blot import background, linearity, normalisation, optical
from glueprint.assays.blot.boxes import Band, Boxes, BoxFile, Lane
from glueprint.errors import InputError

ROOT = Path(__file__).parents[2]
# Of the target in twelve lanes: two vehicles, a dose series, one lane without, two more vehicles.
TARGET = np.array([1.0, 0.9, 0.8, 0.5, 0.25, 0.1, 0.05, 0.0, 1.1, 0.95, 0.6, 0.3])
CONTROL = np.array([1.0, 1.1, 0.9, 1.0, 1.05, 0.95, 1.0, 1.0, 1.05, 1.1, 0.9, 1.0])
VEHICLES = (1, 2, 9, 10)
ROWS = (250.0, 420.0)


@pytest.fixture(scope="module")
def pictures():
    sys.path.insert(0, str(ROOT))
    from benchmarks import blot_pictures as module

    sys.path.remove(str(ROOT))
    return module


@pytest.fixture(scope="module")
def drawn(pictures):
    volumes = np.array([3e6 * TARGET, 4e6 * CONTROL])
    return pictures.Blot(volumes, ROWS, (5.0, 6.0))


def boxed(found, roles=("target", "loading"), vehicles=VEHICLES, **fields):
    """The found boxes with names, roles, doses and vehicle lanes."""
    names = ("IKZF3", "actin")
    bands = tuple(
        band.model_copy(update={"name": name, "role": role})
        for band, name, role in zip(found.file.band, names, roles, strict=True)
    )
    renamed = {band.name: name for band, name in zip(found.file.band, names, strict=True)}
    boxes = tuple(box.model_copy(update={"band": renamed[box.band]}) for box in found.file.box)
    lanes = tuple(
        lane.model_copy(
            update={
                "vehicle": lane.lane in vehicles, "sample": "pomalidomide", "time_h": 4.0,
                "dose_nm": 0.0 if lane.lane in vehicles else 10.0 * 3.0**lane.lane,
            }
        )
        for lane in found.file.lane
    )  # fmt: skip
    update = {"band": bands, "box": boxes, "lane": lanes, "membrane": "M1", "experiment": "E1"}
    return Boxes(found.file.model_copy(update=update | fields), "boxes.toml")


def codes(result, severity=None):
    return [one.code for one in result.findings if severity in (None, one.severity)]


def volumes_of(result, band):
    table = result.tables["volumes"]
    name = table["band"].unique(maintain_order=True)[band]
    return table.filter(pl.col("band") == name)["volume"].to_numpy()


@pytest.fixture(scope="module")
def plain(pictures, drawn):
    return blot.analyse(blot.from_array(pictures.draw(drawn)))


@pytest.fixture(scope="module")
def annotated(pictures, drawn, plain):
    return blot.analyse(blot.Scan(blot.from_array(pictures.draw(drawn)), boxed(plain.boxes)))


@pytest.mark.parametrize(("rotation", "smear"), [(0.0, 0.0), (2.0, 0.0), (-4.0, 0.1)])
def test_lanes_bands_and_volumes_are_found(pictures, drawn, rotation, smear):
    picture = pictures.draw(replace(drawn, rotation_deg=rotation, smear=smear), seed=3)
    result = blot.analyse(blot.from_array(picture))
    assert len(result.boxes.file.lane) == 12
    assert len(result.boxes.file.band) == 2
    assert result.rotation_deg == pytest.approx(rotation, abs=0.1)
    # The boxes hold all but the blurred edges; trailing signal just below a band cannot be told from it.
    for band, truth in enumerate((3e6 * TARGET, 4e6 * CONTROL)):
        ratio = volumes_of(result, band) / np.maximum(truth, 3e5)
        seen = truth > 3e5
        assert np.all(np.abs(ratio[seen] / np.median(ratio[seen]) - 1.0) < 0.02)
        assert np.median(ratio[seen]) == pytest.approx(0.985 + 0.5 * smear, abs=0.02)


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"width_px": 54.0}, 0.985),  # lanes with a tenth between them
        ({"shape": (70, 800), "rows": (35.0,)}, 0.985),  # a strip cut out of a blot
        ({"gradient": 3000.0}, 0.985),
        ({"sigma_px": (14.0,)}, 0.98),
    ],
    ids=["narrow gaps", "strip", "steep background", "tall bands"],
)
def test_a_single_row_with_lanes_that_hold_nothing(pictures, drawn, change, part):
    dose = np.where(TARGET < 0.07, 0.0, TARGET)
    one = replace(
        drawn, **({"volumes": np.array([4e6 * dose]), "rows": (250.0,), "sigma_px": (5.0,)} | change)
    )
    result = blot.analyse(blot.from_array(pictures.draw(one)))
    # The two lanes without any band are found by the distance of the others, and said.
    assert len(result.boxes.file.lane) == 12
    note = next(finding for finding in result.findings if finding.code == "GP-A127")
    assert note.message.endswith("7, 8")
    found = volumes_of(result, 0)
    assert np.allclose(found, part * 4e6 * dose, rtol=0.02, atol=2e4)


def test_an_empty_lane_is_censored_not_dropped(annotated):
    row = annotated.tables["bands"].filter(pl.col("lane") == 8).row(0, named=True)
    volume = annotated.tables["volumes"].filter((pl.col("lane") == 8) & (pl.col("band") == "IKZF3"))
    assert volume["status"][0] == "below detection"
    assert row["relation"] == "<"
    assert 0.0 < row["fraction_remaining"] < 0.01
    assert row["flags"] == "below detection"
    assert "GP-A135" in codes(annotated, "note")
    assert annotated.tables["bands"].height == 12


def test_ratios_are_those_of_the_truth(annotated):
    table = annotated.tables["bands"].filter(pl.col("lane") != 8)
    log = np.log(TARGET / CONTROL, where=TARGET > 0, out=np.zeros(12))
    truth = np.exp(log - log[[lane - 1 for lane in VEHICLES]].mean())
    ours = table["fraction_remaining"].to_numpy()
    assert np.allclose(ours, np.delete(truth, 7), rtol=0.03)
    assert np.allclose(np.exp(table["log_ratio"].to_numpy()), ours)
    assert table["relation"].unique().to_list() == ["="]
    assert annotated.tables["bands"]["reference"].unique().to_list() == ["actin"]
    assert not annotated.refused


def test_the_error_of_a_ratio_is_the_scatter_of_the_vehicles(annotated):
    table = annotated.tables["bands"]
    vehicle = table.filter(pl.col("vehicle"))["log_ratio"].to_numpy()
    strong = table.filter(pl.col("lane") == 3)["log_ratio_se"][0]
    assert strong == pytest.approx(vehicle.std(ddof=1) * np.sqrt(1.25), rel=0.01)
    assert table.filter(pl.col("lane") == 7)["log_ratio_se"][0] > strong


def test_empty_places_have_volumes_around_zero(pictures, drawn):
    blank = replace(drawn, volumes=np.zeros((1, 1)), rows=(300.0,), sigma_px=(5.0,), gain=2.0)
    lanes = tuple(Lane(lane=i + 1, left=40 + 60 * i, right=90 + 60 * i) for i in range(12))
    bands = tuple(Band(name=f"b{i}", top=60 + 50 * i, bottom=90 + 50 * i) for i in range(9))
    boxes = Boxes(BoxFile(kind="glueprint-boxes", version=1, lane=lanes, band=bands))
    for method in ("lane", "border"):
        result = blot.analyse(
            blot.Scan(blot.from_array(pictures.draw(blank, 5)), boxes),
            blot.Settings(light="emission", background=method),
        )
        table = result.tables["volumes"]
        z = (table["volume"] / table["noise_sd"]).to_numpy()
        # Negative ones are allowed; the noise said is the noise there is; 3 SD keeps empty places empty.
        assert (z < 0).mean() == pytest.approx(0.5, abs=0.15)
        assert z.std() == pytest.approx(1.0, abs=0.35)
        assert (table["status"] == "below detection").mean() > 0.97
        assert (method == "lane") == table["method"][0].startswith("lane base line, half window 36 px")


def beside(picture, lanes, bands):
    file = BoxFile(kind="glueprint-boxes", version=1, lane=lanes, band=bands)
    settings = blot.Settings(light="emission", background="beside")
    return blot.analyse(blot.Scan(blot.from_array(picture), Boxes(file)), settings)


def test_gaps_beside_a_lane_are_its_background(pictures, drawn):
    blank = replace(drawn, volumes=np.zeros((1, 1)), rows=(300.0,), sigma_px=(5.0,), gain=2.0)
    lanes = tuple(Lane(lane=i + 1, left=50 + 60 * i, right=80 + 60 * i) for i in range(12))
    bands = tuple(Band(name=f"b{i}", top=60 + 50 * i, bottom=90 + 50 * i) for i in range(9))
    table = beside(pictures.draw(blank, 5), lanes, bands).tables["volumes"]
    z = (table["volume"] / table["noise_sd"]).to_numpy()
    assert (z < 0).mean() == pytest.approx(0.5, abs=0.15)
    assert table["method"].unique().to_list() == ["gaps beside the lane"]
    # Closed form: a hill that fills most of the lane stands on 500 + row/4 counts; no envelope can know that.
    rows, columns = np.mgrid[0:400, 0:200].astype(float)
    hill = 900.0 * np.exp(-(((rows - 200.0) / 120.0) ** 2)) * (np.abs(columns - 99.5) < 20.0)
    picture = np.round(500.0 + rows / 4.0 + hill).astype(np.uint16)
    one = Lane(lane=1, left=80, right=120)
    volume = beside(picture, (one,), (Band(name="hill", top=20, bottom=380),)).tables["volumes"]["volume"][0]
    assert volume == pytest.approx(hill[20:380].sum(), rel=0.002)


def test_lanes_that_touch_have_no_background_beside_them(pictures, drawn):
    lanes = tuple(Lane(lane=i + 1, left=50 + 60 * i, right=108 + 60 * i) for i in range(2))
    outer = Lane(lane=4, left=0, right=49)
    two = replace(drawn, volumes=drawn.volumes[:, :2])
    result = beside(pictures.draw(two), (outer, *lanes), (Band(name="b", top=230, bottom=270),))
    # The last of them has the rest of the picture to its right.
    assert result.tables["volumes"]["status"].to_list() == ["no background", "no background", "ok"]
    assert "GP-A135" in codes(result, "warning")


def test_a_saturated_band_is_refused_for_itself(pictures, drawn, plain):
    volumes = drawn.volumes.copy()
    volumes[0, 3] = 8e7
    result = blot.analyse(
        blot.Scan(blot.from_array(pictures.draw(replace(drawn, volumes=volumes))), boxed(plain.boxes))
    )
    row = result.tables["bands"].filter(pl.col("lane") == 4).row(0, named=True)
    assert (row["fraction_remaining"], row["relation"], row["flags"]) == (None, "", "saturated")
    assert codes(result, "refusal") == ["GP-A129"]
    assert "lane 4" in next(one.where for one in result.findings if one.code == "GP-A129")
    assert result.tables["bands"]["fraction_remaining"].null_count() == 1


def test_a_saturated_control_takes_the_ratio_of_its_lane(pictures, drawn, plain):
    volumes = drawn.volumes.copy()
    volumes[1, 4] = 9e7
    result = blot.analyse(
        blot.Scan(blot.from_array(pictures.draw(replace(drawn, volumes=volumes))), boxed(plain.boxes))
    )
    assert codes(result, "refusal") == ["GP-A129", "GP-A130"]
    row = result.tables["bands"].filter(pl.col("lane") == 5).row(0, named=True)
    assert (row["log_ratio"], row["flags"]) == (None, "reference saturated")


def test_a_plateau_below_the_end_of_the_scale_is_saturation(pictures, drawn, plain):
    picture = pictures.draw(replace(drawn, ceiling=4095))
    result = blot.analyse(blot.Scan(blot.from_array(picture), boxed(plain.boxes)))
    warning = next(one for one in result.findings if one.code == "GP-A136")
    assert "4095" in warning.message
    assert "GP-A129" in codes(result, "refusal")
    # Four bits that the file does not use are no plateau where the file says so.
    assert "GP-A136" not in codes(
        blot.analyse(blot.Scan(blot.from_array(picture, bits=12), boxed(plain.boxes)))
    )


@pytest.mark.parametrize(
    ("vehicles", "code", "severity"), [((), "GP-A131", "refusal"), ((1,), "GP-A132", "warning")]
)
def test_vehicle_lanes_are_needed(pictures, drawn, plain, vehicles, code, severity):
    picture = blot.from_array(pictures.draw(drawn))
    result = blot.analyse(blot.Scan(picture, boxed(plain.boxes, vehicles=vehicles)))
    assert code in codes(result, severity)
    table = result.tables["bands"]
    assert table["log_ratio_se"].null_count() == 12
    assert table["log_ratio"].null_count() == (12 if not vehicles else 0)
    # What was measured stays.
    assert table["log_target_over_reference"].null_count() == 0


def test_vehicles_without_a_value_are_no_vehicles(pictures, drawn, plain):
    result = blot.analyse(blot.Scan(blot.from_array(pictures.draw(drawn)), boxed(plain.boxes, vehicles=(8,))))
    assert "GP-A131" in codes(result, "refusal")
    assert result.tables["bands"]["fraction_remaining"].null_count() == 12


def test_without_a_reference_there_are_volumes_only(plain):
    assert "GP-A137" in codes(plain, "note")
    assert plain.tables["bands"].is_empty()
    assert plain.tables["volumes"].height == 24
    assert not plain.refused


def test_a_control_that_does_not_follow_the_load_is_named(pictures, drawn, plain):
    load = np.array([0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 0.5, 0.7, 0.9])
    flat = replace(drawn, volumes=np.array([2e6 * load, 4e6 * np.ones(12)]))
    picture = blot.from_array(pictures.draw(flat))
    result = blot.analyse(blot.Scan(picture, boxed(plain.boxes)))
    assert "GP-A133" in codes(result, "warning")
    steady = blot.analyse(
        blot.Scan(
            blot.from_array(pictures.draw(replace(drawn, volumes=np.full((2, 12), 3e6)))), boxed(plain.boxes)
        )
    )
    assert "GP-A133" not in codes(steady)


def test_total_protein_is_preferred_and_may_be_a_second_picture(pictures, drawn, plain):
    stain = np.full((1, 12), 6e6) * CONTROL
    second = replace(drawn, volumes=stain, rows=(320.0,), sigma_px=(60.0,))
    boxes = boxed(plain.boxes)
    whole = Band(name="stain", top=150, bottom=500, role="total protein", image="reference")
    boxes = replace(boxes, file=boxes.file.model_copy(update={"band": (*boxes.file.band, whole)}))
    result = blot.analyse(
        blot.Scan(
            blot.from_array(pictures.draw(drawn)), boxes, reference=blot.from_array(pictures.draw(second, 7))
        )
    )
    assert result.tables["bands"]["reference"].unique().to_list() == ["stain"]
    method = result.tables["volumes"].filter(pl.col("band") == "stain")["method"][0]
    assert method == "median of a rim of 3 px"
    stain_ratio = result.tables["bands"].filter(pl.col("lane") == 5)["fraction_remaining"][0]
    log = np.log(TARGET[[0, 1, 8, 9]] / CONTROL[[0, 1, 8, 9]]).mean()
    assert stain_ratio == pytest.approx(0.25 / 1.05 / np.exp(log), rel=0.03)
    asked = blot.Settings(reference="actin")
    other = blot.analyse(
        blot.Scan(
            blot.from_array(pictures.draw(drawn)), boxes, reference=blot.from_array(pictures.draw(second))
        ),
        asked,
    )
    assert other.tables["bands"]["reference"].unique().to_list() == ["actin"]


def test_a_second_picture_must_fit(pictures, drawn, plain):
    picture = pictures.draw(drawn)
    with pytest.raises(InputError, match="GP-A139"):
        blot.analyse(blot.Scan(blot.from_array(picture), reference=blot.from_array(picture[:-5])))
    band = plain.boxes.file.band[0].model_copy(update={"image": "reference"})
    lonely = Boxes(plain.boxes.file.model_copy(update={"band": (band,), "box": ()}), "boxes.toml")
    with pytest.raises(InputError, match=r"GP-A139 boxes.toml, band\[0\].image"):
        blot.analyse(blot.Scan(blot.from_array(picture), lonely))


def test_optical_density_of_a_scan_is_that_of_emission(pictures, drawn):
    """A film of density proportional to the signal: dark bands, whose densities add up to known volumes."""
    clean = replace(drawn, volumes=drawn.volumes[:, :6] / 1e6, background=0.0, gradient=0.0, gain=0.0,
                    read_noise=0.0)  # fmt: skip
    y, x = np.mgrid[0:600, 0:800].astype(float)
    density = np.zeros((600, 800))
    for lane in range(6):
        for band, row in enumerate(ROWS):
            hill = np.exp(-0.5 * ((y - row) / 5.0) ** 2) * np.exp(-0.5 * ((x - 80 - 100 * lane) / 14.0) ** 2)
            density += clean.volumes[band, lane] / (2 * np.pi * 5.0 * 14.0) * hill * 40.0
    noise = np.random.default_rng(3).normal(0.0, 20.0, density.shape)
    counts = np.round(50000.0 * 10.0**-density + noise).astype(np.uint16)
    image = blot.from_array(counts)
    with pytest.raises(InputError, match=r"GP-A119.*\n?.*"):
        blot.analyse(image)
    result = blot.analyse(image, blot.Settings(light="transmission"))
    assert result.pictures["blot"].unit == "OD"
    found = volumes_of(result, 0)
    truth = 40.0 * clean.volumes[0]
    assert np.allclose(found[:5] / found[0], truth[:5] / truth[0], rtol=0.04)
    assert found[0] == pytest.approx(truth[0], rel=0.08)
    # I0 shifts every density alike and cancels in net volumes.
    given = blot.analyse(image, blot.Settings(light="transmission", background_light=60000.0))
    assert np.allclose(volumes_of(given, 0)[:5], found[:5], rtol=0.01)
    assert any("I0 = 60000 (given)" in one.message for one in given.findings if one.code == "GP-A120")


def test_light_is_never_guessed_from_dark_bands(pictures, drawn):
    counts = pictures.draw(drawn)
    assert optical.polarity(counts) == "bright"
    assert optical.polarity(65535 - counts) == "dark"
    assert optical.polarity(np.random.default_rng(1).integers(90, 110, (300, 300))) == "unclear"
    negative = blot.from_array((65535 - counts).astype(np.uint16))
    for settings in (blot.Settings(), blot.Settings(light="emission")):
        with pytest.raises(InputError) as caught:
            blot.analyse(negative, settings)
        assert caught.value.code == "GP-A119"
        assert "--invert" in caught.value.next_step
    straight = blot.analyse(blot.from_array(counts))
    again = blot.analyse(negative, blot.Settings(invert=True))
    assert again.tables["volumes"]["volume"].to_list() == straight.tables["volumes"]["volume"].to_list()
    with pytest.raises(InputError, match="GP-A119"):
        blot.analyse(blot.from_array(counts), blot.Settings(light="transmission"))


def test_an_image_without_bands_says_so():
    empty = np.random.default_rng(1).poisson(500, (300, 400)).astype(np.uint16)
    with pytest.raises(InputError, match="GP-A127"):
        blot.analyse(blot.from_array(empty))
    with pytest.raises(InputError, match="GP-A127"):
        blot.analyse(blot.from_array(np.full((300, 400), 7, np.uint16)))


def test_a_dilution_series_shows_the_linear_range(pictures, drawn, plain):
    load = np.array([0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 1.0, 1.0, 1.0, 1.0])
    bent = load / (1.0 + load / 6.0)
    picture = pictures.draw(replace(drawn, volumes=np.array([3e6 * load, 3e6 * bent])))
    boxes = boxed(plain.boxes, vehicles=(9, 10, 11, 12))
    lanes = tuple(
        lane.model_copy(update={"load": load[lane.lane - 1], "sample": "lysate", "dose_nm": None})
        if lane.lane <= 8
        else lane
        for lane in boxes.file.lane
    )
    result = blot.analyse(
        blot.Scan(
            blot.from_array(picture), replace(boxes, file=boxes.file.model_copy(update={"lane": lanes}))
        )
    )
    straight, curved = result.tables["linearity"].to_dicts()
    assert straight["slope"] == pytest.approx(1.0, abs=0.02)
    assert straight["verdict"] == "linear"
    assert curved["verdict"] == "linear in part"
    assert (curved["linear_load_low"], curved["load_high"]) == (0.125, 16.0)
    assert 0.5 <= curved["linear_load_high"] <= 4.0
    assert [one.where for one in result.findings if one.code == "GP-A134"] == [
        'band "actin", sample "lysate"'
    ]
    assert result.tables["bands"].filter(pl.col("lane") == 3)["flags"][0] == "dilution series"


def test_the_table_is_what_degradation_takes(annotated):
    table = annotated.tables["bands"]
    assert table.columns[:9] == [
        "membrane", "lane", "target", "reference", "sample", "dose_nm", "time_h", "experiment", "treatment",
    ]  # fmt: skip
    assert degradation.analyse(table) is not None


def test_snip_clips_peaks_and_keeps_lines():
    rows = np.arange(200.0)
    line = 5.0 + 0.1 * rows
    peaks = 40.0 * np.exp(-0.5 * ((rows - 90.0) / 4.0) ** 2)
    assert np.allclose(background.snip(line, 30), line)
    assert np.allclose(background.snip(line + peaks, 30), line, atol=0.1)
    # Its window may be longer than the lane.
    assert background.snip(line + peaks, 500).shape == rows.shape


def test_a_base_line_runs_through_the_middle_of_the_noise():
    random = np.random.default_rng(2)
    rows = np.arange(600.0)
    truth = 300.0 + 0.2 * rows
    profile = truth + random.normal(0.0, 3.0, 600) + 900.0 * np.exp(-0.5 * ((rows - 250.0) / 6.0) ** 2)
    line = background.base_line(profile, 50)
    assert abs(np.mean(line - truth)) < 0.6
    empty = background.empty_rows(profile, line)
    assert not empty[240:260].any()
    assert empty[:200].mean() > 0.9
    assert background.spread(profile - line, empty, 25) == pytest.approx(15.0, rel=0.5)
    assert np.isnan(background.spread(profile, np.zeros(600, dtype=bool), 5))


def test_the_rim_is_cut_at_the_edge():
    values = np.arange(100.0).reshape(10, 10)
    assert background.rim(values, (4, 6, 4, 6), 2).size == 36 - 4
    assert background.rim(values, (0, 2, 0, 2), 2).size == 16 - 4
    assert background.rim(values, (0, 10, 0, 10), 3).size == 0


def test_against_vehicle_by_hand():
    logs = np.array([0.1, -0.1, -1.0, np.nan])
    ratio, error, n = normalisation.against_vehicle(logs, np.zeros(4), np.array([True, True, False, True]))
    assert n == 2
    assert ratio[:3].tolist() == pytest.approx([0.1, -0.1, -1.0])
    # s = 0.1 sqrt(2), s^2 (1 + 1/2) = 0.03.
    assert error[2] == pytest.approx(np.sqrt(0.03))
    none, _, n = normalisation.against_vehicle(logs, np.zeros(4), np.zeros(4, dtype=bool))
    assert n == 0
    assert np.isnan(none).all()


def test_the_slope_of_a_power_is_its_exponent():
    load = np.array([1.0, 2.0, 4.0, 8.0])
    line = linearity.slope(load, 7.0 * load**0.8)
    assert (line.slope, line.error) == (pytest.approx(0.8), pytest.approx(0.0, abs=1e-12))
    assert linearity.linear_run(load, 7.0 * load**0.8) is None
    assert linearity.linear_run(load, np.array([1.0, 2.0, 4.0, 4.1])) == (1.0, 4.0)


@pytest.mark.parametrize(
    "settings",
    [
        {"light": "emision"}, {"background": "ball"}, {"page": 0}, {"detection_sd": 0.0}, {"rim_px": 0},
        {"base_line_px": 1}, {"saturation_percent": float("nan")}, {"background_light": 100.0},
    ],
)  # fmt: skip
def test_settings_are_checked(settings):
    with pytest.raises(InputError, match="GP-A121"):
        blot.Settings(**settings)


def test_a_reference_must_be_a_band_and_one(pictures, drawn, plain):
    image = blot.from_array(pictures.draw(drawn))
    with pytest.raises(InputError, match=r'GP-A121 reference: "actine" \(did you mean "actin"\?\)'):
        blot.analyse(blot.Scan(image, boxed(plain.boxes)), blot.Settings(reference="actine"))
    with pytest.raises(InputError, match="GP-A138"):
        blot.analyse(blot.Scan(image, boxed(plain.boxes, roles=("loading", "loading"))))


def test_a_wide_turn_in_the_box_file_is_doubted(pictures, drawn, plain):
    result = blot.analyse(
        blot.Scan(blot.from_array(pictures.draw(drawn)), boxed(plain.boxes, rotation_deg=7.0))
    )
    assert "GP-A128" in codes(result, "warning")
    turned = blot.analyse(blot.from_array(pictures.draw(replace(drawn, rotation_deg=2.0))))
    assert "GP-A128" in codes(turned, "note")
