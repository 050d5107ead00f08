"""What the eye would object to: things on top of each other, lines through things, words beyond the sheet."""

from __future__ import annotations

import itertools
import math
import re
from xml.etree import ElementTree

import pytest

from glueprint.report import diagrams
from glueprint.report.diagrams import drawing, geometry, layout
from glueprint.report.diagrams.geometry import Rectangle

MAPS = layout.map_names()


def overlaps(one, other, gap=0.0):
    apart_x = abs(one.x - other.x) >= (one.width + other.width) / 2 + gap
    apart_y = abs(one.y - other.y) >= (one.height + other.height) / 2 + gap
    return not (apart_x or apart_y)


def crosses(start, end, box, margin=2.0):
    """Whether a segment enters the box, its rim left out: clipping after Liang and Barsky."""
    half_w, half_h = box.width / 2 - margin, box.height / 2 - margin
    enter, leave = 0.0, 1.0
    for at, step, low, high in (
        (start[0], end[0] - start[0], box.x - half_w, box.x + half_w),
        (start[1], end[1] - start[1], box.y - half_h, box.y + half_h),
    ):
        if step == 0:
            if not low < at < high:
                return False
            continue
        first, last = sorted(((low - at) / step, (high - at) / step))
        enter, leave = max(enter, first), min(leave, last)
    return enter < leave


def boxes(drawn):
    """Every solid thing on the sheet by name."""
    found = {f"node {key}": drawing.box_of(node) for key, node in drawn.nodes.items()}
    for key, step in drawn.steps.items():
        found[f"process {key}"] = Rectangle(*step.at, 14, 14)
        for number, arc in enumerate(step.arcs):
            if arc.empty is not None:
                found[f"empty {key} {number}"] = Rectangle(*arc.empty, 15, 15)
    return found


@pytest.mark.parametrize("name", MAPS)
def test_nothing_stands_on_top_of_another(name):
    solid = boxes(diagrams.scene(name))
    clashes = [(a, b) for a, b in itertools.combinations(solid, 2) if overlaps(solid[a], solid[b], 3.0)]
    assert clashes == []


@pytest.mark.parametrize("name", MAPS)
def test_everything_stands_on_the_sheet_and_in_its_area(name):
    drawn = diagrams.scene(name)
    width, height = drawn.chart.size
    for key, box in boxes(drawn).items():
        assert box.width / 2 <= box.x <= width - box.width / 2, key
        assert box.height / 2 <= box.y <= height - box.height / 2, key
    for key, node in drawn.nodes.items():
        home = drawn.areas.get(f"{node.part}/{node.place.area}")
        if home is not None:
            (x, y, w, h), box = home[1], drawing.box_of(node)
            assert x < box.x - box.width / 2, key
            assert box.x + box.width / 2 < x + w, key
            assert y < box.y - box.height / 2, key
            assert box.y + box.height / 2 < y + h, key
    for frame in drawn.frames.values():
        x, y, w, h = frame.box
        for member in frame.members:
            box = drawing.box_of(drawn.nodes[member])
            assert x < box.x - box.width / 2, member
            assert box.x + box.width / 2 < x + w, member
            assert y < box.y - box.height / 2, member
            assert box.y + box.height / 2 < y + h, member


@pytest.mark.parametrize("name", MAPS)
def test_no_line_runs_through_anything(name):
    drawn = diagrams.scene(name)
    solid, clashes = boxes(drawn), []
    for key, step in drawn.steps.items():
        for number, arc in enumerate(step.arcs):
            for start, end in itertools.pairwise(drawing.line_of(drawn, step, number)):
                for other, box in solid.items():
                    # Where a line leaves a rounded rim it lies inside the box around it.
                    margin = 9.0 if other == f"node {arc.node}" else 2.0
                    if crosses(start, end, box, margin):
                        clashes.append((key, number, other))
    assert clashes == []


@pytest.mark.parametrize("name", MAPS)
def test_lines_run_straight_up_or_across(name):
    drawn = diagrams.scene(name)
    for key, step in drawn.steps.items():
        for number in range(len(step.arcs)):
            for start, end in itertools.pairwise(drawing.line_of(drawn, step, number)):
                slant = min(abs(start[0] - end[0]), abs(start[1] - end[1]))
                # A source beside its port lies a few pixels aslant.
                assert slant < 11, (key, number, start, end)


@pytest.mark.parametrize("name", diagrams.names())
def test_no_word_leaves_the_sheet(name):
    """Widths from Liberation Sans: 0.56 em a character on average, 0.6 bold; the command type has 0.6."""
    root = ElementTree.fromstring(diagrams.svg(name))
    width, height = float(root.get("width")), float(root.get("height"))
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        length = 0.56 * float(text.get("font-size")) * len(text.text)
        x, y = float(text.get("x")), float(text.get("y"))
        left = x - length * {"start": 0.0, "middle": 0.5, "end": 1.0}[text.get("text-anchor")]
        assert left >= 0, text.text
        assert left + length <= width, text.text
        assert 0 < y < height, text.text


@pytest.mark.parametrize("name", diagrams.names())
def test_a_drawing_is_one_well_formed_file_without_ids_and_links(name):
    """Ids would clash where several drawings share a page; links would fetch."""
    text = diagrams.svg(name)
    root = ElementTree.fromstring(text)
    assert not [one for one in root.iter() if one.get("id") is not None]
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", text) == []
    assert "nan" not in text


def test_lines_leave_boxes_where_the_rim_is():
    box = Rectangle(10.0, 20.0, 40.0, 20.0)
    assert box.towards((100.0, 20.0)) == (30.0, 20.0)
    assert box.towards((12.0, 90.0)) == (12.0, 30.0)
    ellipse = Rectangle(0.0, 0.0, 20.0, 10.0, round=True)
    x, y = ellipse.towards((30.0, 3.0))
    assert (x / 10) ** 2 + (y / 5) ** 2 == pytest.approx(1.0)
    pill = Rectangle(0.0, 0.0, 40.0, 20.0, radius=10.0)
    x, y = pill.towards((90.0, 6.0))
    assert math.hypot(x - 10.0, y) == pytest.approx(10.0)
    x, y = box.towards((60.0, 80.0))
    assert y == pytest.approx(30.0)
    assert (x - 10.0) / (y - 20.0) == pytest.approx(50.0 / 60.0)


def test_a_path_keeps_its_ends_and_rounds_its_corner():
    drawn = geometry.path([(0.0, 0.0), (50.0, 0.0), (50.0, 40.0)])
    assert drawn == "M0,0L43,0Q50,0 50,7L50,40"
    assert geometry.arrow_angle([(0.0, 0.0), (0.0, 5.0)]) == 90.0
    assert geometry.shortened([(0.0, 0.0), (10.0, 0.0)], 4.0) == [(0.0, 0.0), (6.0, 0.0)]
