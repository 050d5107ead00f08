"""Base lines that dive under the background: a lane at 1.5 % has no value, or the right one."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from glueprint.assays import blot
from glueprint.assays.blot.boxes import Band, Boxes, BoxFile, Lane
from glueprint.assays.blot.departure import departure
from glueprint.assays.twins import blot as twin
from glueprint.assays.twins.draws import Draws

ROOT = Path(__file__).parents[2]
LEFT = np.array([1.0, 1.1, 0.5, 0.1, 0.015, 1.0, 0.9, 0.3, 0.0])
ROW, COLUMN = np.mgrid[0:500, 0:620]


@pytest.fixture(scope="module")
def draw():
    sys.path.insert(0, str(ROOT))
    from benchmarks import blot_pictures

    sys.path.remove(str(ROOT))

    def drawn(**options):
        volumes = np.array([3e6 * LEFT, 4e6 * np.ones(LEFT.size)])
        blotted = blot_pictures.Blot(
            volumes, (200.0, 330.0), (5.0, 6.0), shape=(500, 620), first_px=60.0, **options
        )
        return blot_pictures.draw(blotted).astype(float)

    return drawn


@pytest.fixture(scope="module")
def boxes():
    lanes = tuple(
        Lane(lane=i + 1, left=35 + 60 * i, right=85 + 60 * i, vehicle=left >= 0.9, time_h=4.0, dose_nm=0.0)
        for i, left in enumerate(LEFT)
    )
    bands = (
        Band(name="IKZF3", top=184, bottom=216),
        Band(name="actin", top=311, bottom=349, role="loading"),
    )
    return Boxes(BoxFile(kind="glueprint-boxes", version=1, lane=lanes, band=bands))


def wave(middle, width):
    return np.exp(-0.5 * ((ROW - middle) / width) ** 2)


HIGH = {"background": 4000.0}
BUBBLE = np.exp(-0.5 * ((COLUMN - 300) / 25.0) ** 2)
# What the twins suffer, and the lanes that it does not reach.
DIVES = {
    "the membrane ends 28 px above": ({}, lambda p: np.where(ROW < 172, 0.2 * p, p), ()),
    "the membrane ends 20 px above": ({}, lambda p: np.where(ROW < 180, 0.2 * p, p), ()),
    "the membrane ends 50 px above": ({}, lambda p: np.where(ROW < 150, 0.2 * p, p), ()),
    "it ends, high background": (HIGH, lambda p: np.where(ROW < 172, 60.0, p), ()),
    "a dark streak below": ({}, lambda p: p - 350.0 * wave(240, 6.0), ()),
    "a dark streak near": ({}, lambda p: p - 350.0 * wave(225, 4.0), ()),
    "a dark bar": (HIGH, lambda p: p - 2500.0 * ((ROW > 232) & (ROW < 262)), ()),
    "a cloud": (HIGH, lambda p: p + 3000.0 * wave(200, 60.0), ()),
    "a wide valley": (HIGH, lambda p: p - 2500.0 * wave(260, 18.0), ()),
    "a bubble in lane 5": ({}, lambda p: p - 500.0 * wave(240, 6.0) * BUBBLE, (1, 2, 3, 6, 7, 8, 9)),
    "a scratch in lane 5": (
        HIGH, lambda p: p - 3300.0 * ((abs(ROW - 235) < 3) & (abs(COLUMN - 300) < 30)),
        (1, 2, 3, 4, 6, 7, 8, 9),
    ),
}  # fmt: skip


def counted(picture):
    return blot.from_array(np.clip(np.round(picture), 0, 65535).astype(np.uint16))


def volumes_of(result):
    return result.tables["volumes"].filter(pl.col("band") == "IKZF3")


@pytest.mark.parametrize(("options", "suffer", "spared"), DIVES.values(), ids=DIVES)
def test_no_lane_is_ok_on_a_base_line_that_dives(draw, boxes, options, suffer, spared):
    found = blot.analyse(blot.Scan(counted(suffer(draw(**options))), boxes))
    status = dict(volumes_of(found).select("lane", "status").rows())
    assert status[5] == "base line off"
    refusal = next(one for one in found.findings if one.code == "GP-A234")
    assert refusal.severity == "refusal"
    assert found.refused
    bands = found.tables["bands"].filter(pl.col("lane") == 5).row(0, named=True)
    assert bands["fraction_remaining"] is None
    assert "base line off" in bands["flags"]
    told = found.tables["bands"].filter(
        pl.col("fraction_remaining").is_not_null() & (pl.col("relation") == "=")
    )
    # What keeps a value is what it was made as, but for what a base line may be off by.
    for lane, value in told.select("lane", "fraction_remaining").rows():
        assert value == pytest.approx(LEFT[lane - 1], rel=0.25), lane
    assert {lane for lane, one in status.items() if one != "base line off"} >= set(spared)


def test_a_plain_blot_and_a_smear_have_their_values(draw, boxes):
    for smear in (0.0, 0.3):
        found = blot.analyse(blot.Scan(counted(draw(smear=smear)), boxes))
        assert "base line off" not in volumes_of(found)["status"].to_list()
        value = found.tables["bands"]["fraction_remaining"].to_numpy()
        assert np.allclose(value[:8] / np.mean([1.0, 1.1, 1.0, 0.9]), LEFT[:8], rtol=0.08)


def test_the_other_background_and_a_crop_are_the_way_out(draw, boxes):
    scratched = counted(DIVES["a scratch in lane 5"][1](draw(width_px=36.0, **HIGH)))
    narrow = boxes.file.model_copy(
        update={"lane": tuple(one.model_copy(update={"left": one.left + 4, "right": one.right - 4})
                              for one in boxes.file.lane)}
    )  # fmt: skip
    found = blot.analyse(blot.Scan(scratched, Boxes(narrow)), blot.Settings(background="beside"))
    row = found.tables["bands"].filter(pl.col("lane") == 5).row(0, named=True)
    assert row["fraction_remaining"] is None or row["fraction_remaining"] < 0.03
    ended = counted(DIVES["the membrane ends 50 px above"][1](draw()))
    lower = boxes.file.model_copy(
        update={
            "crop": "152:500,0:620",
            "band": tuple(one.model_copy(update={"top": one.top - 152, "bottom": one.bottom - 152})
                          for one in boxes.file.band),
        }
    )  # fmt: skip
    cropped = blot.analyse(blot.Scan(ended, Boxes(lower)))
    value = cropped.tables["bands"].filter(pl.col("lane") == 5)["fraction_remaining"][0]
    assert value == pytest.approx(0.015, abs=0.003)


def test_simulated_membranes_keep_their_bands():
    lost = bands = 0
    for nth, changed in enumerate(({}, {"haze": 0.4}, {"smear": 0.3}, {"smile_px": 8.0})):
        truth = twin.Truth(experiments=1, **changed)
        (membrane,) = twin.make(truth, Draws(5, "departure", nth)).membranes
        status = blot.analyse(blot.Scan(blot.from_array(membrane.counts), membrane.boxes)).tables["volumes"][
            "status"
        ]
        lost += int((status == "base line off").sum())
        bands += status.len()
    assert lost <= 0.01 * bands


def test_departures_by_hand():
    rows = np.arange(300.0)
    band = 100.0 * np.exp(-0.5 * ((rows - 100) / 4.0) ** 2)
    noise = np.random.default_rng(1).normal(0.0, 0.3, 300)
    flat = np.zeros(300)
    span, height = (88, 112), 40.0
    assert departure(band + noise, flat, span, (), height) == 0.0
    # A line 20 below the background everywhere: half of the height.
    assert departure(band + noise + 20.0, flat, span, (), height) == pytest.approx(0.5, abs=0.02)
    assert departure(band + noise - 20.0, flat, span, (), height) == pytest.approx(-0.5, abs=0.02)
    # Signal on one side only is a smear; where the line comes down to another level, it dives.
    smear = np.where(rows > 100, 20.0 * np.exp(-(rows - 100) / 30.0), 0.0)
    assert departure(band + noise + smear, flat, span, (), height) == 0.0
    step = np.where(rows > 90, 20.0, 0.0)
    dived = np.clip((rows - 88) / 2.5, 0.0, 20.0)
    assert departure(band + noise + step, dived, span, (), height) > 0.12
    # Other bands are no background, and a lane that shows none is not judged.
    assert departure(band + noise + 20.0, flat, span, ((60, 84), (116, 140)), height) == 0.0
