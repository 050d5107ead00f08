"""Box files: what is written is read again, and every fault has its code and its place."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from glueprint.assays import blot
from glueprint.assays.blot import boxes, boxes_writing
from glueprint.assays.blot.boxes import Band, Box, Boxes, BoxFile, Lane
from glueprint.assays.blot.finding_boxes import (
    Found,
    Peak,
    _boxes,
    find,
    find_bands,
)
from glueprint.assays.blot.finding_lanes import find_lanes, with_empty
from glueprint.errors import InputError

FILE = """
kind = "glueprint-boxes"
version = 1
membrane = "M1"

[[lane]]
lane = 1
left = 10
right = 40
vehicle = true

[[lane]]
lane = 2
left = 50
right = 80
dose_nm = 100
time_h = 4

[[band]]
name = "IKZF3"
top = 20
bottom = 40

[[band]]
name = "actin"
top = 60
bottom = 80
role = "loading"

[[box]]
lane = 2
band = "IKZF3"
top = 22
bottom = 42
"""
SHAPE = (100, 90)


def refused(text, code, *told):
    with pytest.raises(InputError) as caught:
        boxes.parse(text, "b.toml").checked(SHAPE)
    assert caught.value.code == code
    for part in told:
        assert part in caught.value.render()


def test_boxes_are_read():
    found = boxes.parse(FILE, "b.toml").checked(SHAPE)
    one, two = found.file.lane
    ikzf3, actin = found.file.band
    assert found.place(one, ikzf3) == (20, 40, 10, 40)
    assert found.place(two, ikzf3) == (22, 42, 50, 80)
    assert found.place(two, actin) == (60, 80, 50, 80)
    assert (one.vehicle, one.dose_nm, two.dose_nm, two.time_h) == (True, None, 100.0, 4.0)
    assert (ikzf3.role, actin.role) == ("target", "loading")


def test_what_is_written_is_read_again():
    quote = 'anti-"IKZF3" \\ µ\x7f'
    file = BoxFile(
        kind="glueprint-boxes", version=1, image="a b.tif", rotation_deg=-1.85, membrane=quote,
        experiment="E 2",
        lane=(
            Lane(lane=1, left=1, right=9, vehicle=True, treatment="MLN4924", experiment="E 3"),
            Lane(lane=4, left=9, right=20, sample=quote, dose_nm=0.1, time_h=24.0, load=0.5),
        ),
        band=(Band(name=quote, top=3, bottom=9), Band(name="stain", top=0, bottom=9, role="total protein",
                                                      image="reference")),
        box=(Box(lane=4, band=quote, top=2, bottom=8), Box(lane=1, band=quote, left=2)),
    )  # fmt: skip
    text = boxes_writing.text(Boxes(file))
    assert boxes.parse(text, "b.toml").file == file
    assert text.startswith("# Where the lanes and bands of a blot are")


def test_a_template_of_what_was_found_can_be_read():
    found = Found(((10, 40), (50, 80)), (((20, 40), (22, 42)), ((60, 80), (60, 80))))
    made = boxes.from_found(found, image="a.tif", rotation_deg=0.5)
    again = boxes.parse(boxes_writing.text(made), "b.toml").checked(SHAPE)
    assert again.file == made.file
    places = [again.place(lane, band) for band in again.file.band for lane in again.file.lane]
    assert places == [(20, 40, 10, 40), (22, 42, 50, 80), (60, 80, 10, 40), (60, 80, 50, 80)]


def test_a_file_that_is_not_there_or_no_toml(tmp_path):
    with pytest.raises(InputError, match="GP-A122"):
        boxes.read(tmp_path / "none.toml")
    refused(FILE.replace("left = 10", "left 10"), "GP-A122", "b.toml, line 8")
    (tmp_path / "b.toml").write_text(FILE, encoding="utf-8")
    assert boxes.read(tmp_path / "b.toml").file == boxes.parse(FILE, "b.toml").file


def test_another_kind_or_version():
    refused(FILE.replace("glueprint-boxes", "glueprint-layout"), "GP-A123", "b.toml, kind")
    refused(FILE.replace("version = 1", "version = 9"), "GP-A123", "b.toml, version")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("time_h = 4", "time = 4", "lane[1].time"),
        ("right = 80", 'right = "80"', "lane[1].right"),
        ("right = 80", "", "lane[1].right"),
        ('role = "loading"', 'role = "loadin"', "band[1].role"),
        ("dose_nm = 100", "dose_nm = -1", "lane[1].dose_nm"),
        ("dose_nm = 100", "dose_nm = inf", "lane[1].dose_nm"),
        ('name = "actin"', 'name = ""', "band[1].name"),
        ("version = 1", "version = 1\nrotation_deg = 30", "rotation_deg"),
    ],
)
def test_fields_are_checked(old, new, place):
    refused(FILE.replace(old, new), "GP-A124", f"b.toml, {place}")


def test_a_near_name_is_offered():
    refused(FILE.replace("vehicle = true", "vehicel = true"), "GP-A124", 'did you mean "vehicle"?')


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("right = 80", "right = 91", "lane[1] (lane 2)"),
        ("left = 10", "left = -1", "lane[0] (lane 1)"),
        ("bottom = 80", "bottom = 101", 'band[1] "actin"'),
        ("bottom = 80", "bottom = 60", 'band[1] "actin"'),
        ("bottom = 42", "bottom = 142", 'box[0] (lane 2, band "IKZF3")'),
    ],
)
def test_boxes_off_the_picture(old, new, place):
    refused(FILE.replace(old, new), "GP-A125", place)


def test_boxes_that_overlap():
    refused(FILE.replace("left = 50", "left = 39"), "GP-A126", "lane 1 ends at 40, and lane 2 begins at 39")
    refused(FILE.replace("bottom = 42", "bottom = 62"), "GP-A126", "lane 2", 'band "actin" begins at 60')
    # Ends are excluded: touching is not overlapping.
    assert boxes.parse(FILE.replace("left = 50", "left = 40"), "b.toml").checked(SHAPE)


def test_names_twice_or_unknown():
    refused(FILE.replace("lane = 2\nleft", "lane = 1\nleft"), "GP-A138", "lane number 1 twice")
    refused(FILE.replace('name = "actin"', 'name = "IKZF3"'), "GP-A138", "band name IKZF3 twice")
    refused(FILE.replace('band = "IKZF3"', 'band = "IKZF1"'), "GP-A138", "box[0]", 'did you mean "IKZF3"?')
    refused(FILE.replace("lane = 2\nband", "lane = 7\nband"), "GP-A138", "no lane 7")


def test_a_hand_made_picture_has_its_lanes_and_bands():
    values = np.random.default_rng(1).normal(100.0, 3.0, (300, 400)).astype(np.float32)
    truth = [(30, 80), (110, 160), (190, 240), (300, 350)]
    for i, (left, right) in enumerate(truth):
        values[100:110, left:right] += 900.0
        values[200 + 2 * i : 212 + 2 * i, left:right] += 300.0 * (i != 2)
    lanes = find_lanes(values)
    assert len(lanes) == 4
    for (left, right), (first, last) in zip(lanes, truth, strict=True):
        assert first - 8 <= left <= first + 1
        assert last - 1 <= right <= last + 8
    upper, lower = find_bands(values, lanes)
    assert all(top <= 100 and bottom >= 110 for top, bottom in upper)
    # The lane without the lower band has a box where its neighbours have theirs.
    assert abs(lower[2][0] - (lower[1][0] + lower[3][0]) / 2) <= 1
    assert len({bottom - top for top, bottom in lower}) == 1


def test_nothing_is_found_in_nothing():
    assert find(np.zeros((100, 100), np.float32)) == Found((), ())


def test_boxes_of_a_file_are_checked_against_the_picture():
    counts = np.random.default_rng(1).poisson(500, (50, 90)).astype(np.uint16)
    with pytest.raises(InputError, match="GP-A125"):
        blot.analyse(blot.Scan(blot.from_array(counts), boxes.parse(FILE, "b.toml")))


def test_rows_that_cross_between_lanes_never_overlap_or_vanish_into_nothing():
    random = np.random.default_rng(1)
    for _ in range(500):
        peaks = [
            [Peak(int(random.integers(0, 60)), *map(int, random.integers(2, 20, 2))) for _ in range(3)]
            for _ in range(int(random.integers(1, 8)))
        ]
        peaks.sort(key=lambda row: np.median([peak.row for peak in row]))
        found = _boxes(peaks, 60)
        for lane in range(3):
            places = [row[lane] for row in found]
            assert all(0 <= top < bottom <= 60 for top, bottom in places)
            assert all(one[1] <= two[0] for one, two in pairwise(places))


def test_gaps_of_whole_lanes_are_filled():
    lanes = ((0, 40), (60, 100), (120, 160), (300, 340), (360, 400))
    every, placed = with_empty(lanes)
    assert placed == (4, 5)
    assert every[3:5] == ((180, 220), (240, 280))
    # Three lanes do not tell a distance, and a gap of one and a half lanes is none of lanes.
    assert with_empty(lanes[:2] + lanes[3:4]) == (lanes[:2] + lanes[3:4], ())
    assert with_empty((*lanes[:3], (210, 250), (270, 310)))[1] == ()
