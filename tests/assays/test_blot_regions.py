"""Several gels in one picture: found, refused by name, or read one by one; crops and their boxes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from glueprint.assays import blot
from glueprint.assays.blot import regions
from glueprint.assays.blot.boxes import Band, Boxes, BoxFile, Lane
from glueprint.errors import InputError

ROOT = Path(__file__).parents[2]
TARGET = np.array([1.0, 0.9, 0.8, 0.5, 0.25, 0.1, 0.05, 0.0, 1.1, 0.95])


@pytest.fixture(scope="module")
def gel():
    sys.path.insert(0, str(ROOT))
    from benchmarks import blot_pictures

    sys.path.remove(str(ROOT))

    def draw(seed, lanes=10, rows=(120.0, 220.0), first=60.0, pitch=60.0, width=44.0):
        volumes = np.array([3e6 * np.resize(TARGET, lanes), 4e6 * np.ones(lanes)])
        drawn = blot_pictures.Blot(
            volumes, rows, (5.0, 6.0), shape=(320, 700), first_px=first, pitch_px=pitch, width_px=width
        )
        return blot_pictures.draw(drawn, seed)

    return draw


def bar(level, rows=60):
    return np.full((rows, 700), level, np.uint16)


SCANS = {
    "shifted by half a lane": lambda gel: np.vstack([gel(1), gel(2, first=90.0)]),
    "another comb": lambda gel: np.vstack([gel(1), gel(2, lanes=14, pitch=43.0, width=30.0)]),
    "dark bar between": lambda gel: np.vstack([gel(1), bar(90), gel(2, first=85.0)]),
    "bright bar between": lambda gel: np.vstack([gel(1), bar(9000), gel(2, first=85.0)]),
    "four": lambda gel: np.vstack(
        [
            np.hstack([gel(1), gel(2, rows=(90.0, 250.0))]),
            np.hstack([gel(3, first=80.0), gel(4, lanes=12, pitch=50.0, width=36.0)]),
        ]
    ),
    "two combs of 20": lambda gel: np.vstack(
        [gel(seed, lanes=20, pitch=32.0, width=24.0, first=first) for seed, first in ((1, 40.0), (2, 52.0))]
    ),
}


@pytest.mark.parametrize("scan", SCANS.values(), ids=SCANS)
def test_gels_that_share_no_lanes_are_refused_with_crops(gel, scan):
    with pytest.raises(InputError, match="GP-A233") as caught:
        blot.analyse(blot.from_array(scan(gel)))
    assert "--crop 0:" in caught.value.next_step
    assert "--boxes" in caught.value.next_step


def test_the_crops_that_are_offered_read_each_gel(gel):
    scan = blot.from_array(SCANS["another comb"](gel))
    with pytest.raises(InputError) as caught:
        blot.analyse(scan)
    offered = [word for word in caught.value.next_step.replace(";", " ").split() if "," in word]
    found = blot.analyse(scan, blot.Settings(crop=tuple(offered)))
    assert [len(part.boxes.file.lane) for part in found.membranes] == [10, 14]
    assert [len(part.boxes.file.band) for part in found.membranes] == [2, 2]
    alone = blot.analyse(blot.from_array(gel(1)))
    upper = found.parts[0].tables["volumes"].drop("membrane")
    whole = alone.tables["volumes"]
    assert upper["volume"].to_numpy() == pytest.approx(whole["volume"].to_numpy(), rel=0.02, abs=1e4)


def test_gels_side_by_side_are_said(gel):
    found = blot.analyse(blot.from_array(np.hstack([gel(1), gel(2)])))
    assert len(found.boxes.file.lane) == 20
    (finding,) = [one for one in found.findings if one.code == "GP-A233"]
    assert "10 and 11" in finding.message
    assert finding.severity == "warning"
    assert not [one for one in blot.analyse(blot.from_array(gel(1))).findings if one.code == "GP-A233"]


def test_several_parts_are_one_result(gel):
    scan = blot.from_array(SCANS["shifted by half a lane"](gel))
    settings = blot.Settings(crop=("upper=0:320,0:700", "lower = 320:640,0:700"))
    found = blot.analyse(scan, settings)
    volumes = found.tables["volumes"]
    assert volumes["membrane"].unique(maintain_order=True).to_list() == ["upper", "lower"]
    assert found.tables["profiles"]["membrane"].n_unique() == 2
    assert volumes.height == sum(part.tables["volumes"].height for part in found.parts)
    said = next(one for one in found.findings if one.code == "GP-A235")
    assert "320:640,0:700" in said.message
    assert any(one.where.startswith('membrane "lower"') for one in found.findings)
    assert len(found.as_dict()["parts"]) == 2


def test_box_files_keep_their_crop(gel):
    scan = blot.from_array(SCANS["another comb"](gel))
    found = blot.analyse(scan, blot.Settings(crop=("a=0:320,0:700", "b=320:640,0:700")))
    written = [blot.boxes_writing.text(part.boxes) for part in found.parts]
    boxes = [blot.boxes.parse(text, f"{nth}.toml") for nth, text in enumerate(written)]
    again = blot.analyse(blot.Scan(scan, boxes))
    assert again.tables["volumes"].equals(found.tables["volumes"])
    one = blot.analyse(blot.Scan(scan, boxes[1]))
    assert one.tables["volumes"].equals(found.parts[1].tables["volumes"])
    with pytest.raises(InputError, match="GP-A232"):
        blot.analyse(blot.Scan(scan, boxes), blot.Settings(crop=("0:320,0:700",)))
    with pytest.raises(InputError, match="GP-A138"):
        blot.analyse(blot.Scan(scan, [boxes[0], boxes[0]]))


def test_lanes_of_several_membranes_are_left_out_by_name(gel):
    scan = blot.from_array(SCANS["another comb"](gel))
    crop = ("a=0:320,0:700", "b=320:640,0:700")
    lanes = tuple(Lane(lane=i + 1, left=left, right=left + 40) for i, left in enumerate((45, 105, 165)))
    bands = (Band(name="t", top=100, bottom=140), Band(name="r", top=200, bottom=240, role="loading"))
    boxes = [
        Boxes(
            BoxFile(
                kind="glueprint-boxes", version=1, membrane=name[0], crop=name[2:], lane=lanes, band=bands
            )
        )
        for name in crop
    ]
    found = blot.analyse(blot.Scan(scan, boxes), blot.Settings(exclude=("b:2=torn",)))
    flags = found.tables["bands"].filter(found.tables["bands"]["flags"].str.contains("torn"))
    assert flags.select("membrane", "lane").rows() == [("b", 2)]


def test_a_crop_reads_what_an_image_of_that_part_reads(gel):
    counts = gel(1)
    part = blot.analyse(blot.from_array(counts), blot.Settings(crop=("20:300,10:690",)))
    alone = blot.analyse(blot.from_array(counts[20:300, 10:690]))
    assert part.tables["volumes"].equals(alone.tables["volumes"])
    assert part.boxes.file.crop == "20:300,10:690"
    assert not part.parts


@pytest.mark.parametrize(
    "text",
    ["", "1:2", "0:100,0:99999", "5:5,0:100", "9:2,0:100", "0:10,0:100", "0:99999999999,0:5", "a,b:c,d"],
)
def test_crops_off_the_picture_are_refused(gel, text):
    with pytest.raises(InputError, match="GP-A232"):
        blot.analyse(blot.from_array(gel(1)), blot.Settings(crop=(text,)))


def test_regions_by_hand():
    assert regions.parse(" a b = 1:2 , 3:4 ", "x") == regions.Region("a b", 1, 2, 3, 4)
    assert regions.parse("1:2,3:4", "x").text == "1:2,3:4"
