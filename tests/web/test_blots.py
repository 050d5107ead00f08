"""Blots on the page: lanes and boxes moved with a reason, kept in the journal, read again, refused whole."""

from __future__ import annotations

import html
import json
import re

import pytest
from tests.browsing import chromium
from tests.web.test_browser import opened, served, settled  # noqa: F401 (a fixture)

from glueprint.assays import blot
from glueprint.study import glue

PAGE = "/p/demo/plates/blot-1"


def form_of(text):
    """Every field of the form of lanes and boxes as it stands."""
    form = text[text.index('id="boxes-form"') :].split("</form>")[0]
    found = {}
    for tag in re.findall(r"<input [^>]*>", form):
        name, value = (re.search(rf' {key}="([^"]*)"', tag) for key in ("name", "value"))
        if "checkbox" not in tag or " checked" in tag:
            found[name[1]] = html.unescape(value[1] if value else "")
    for name, body in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r"<option selected>([^<]*)", body) or re.search(r"<option>([^<]*)", body)
        found[name] = html.unescape(chosen[1])
    found["boxes"] = html.unescape(re.search(r"<textarea[^>]*>(.*?)</textarea>", form, re.DOTALL)[1])
    return found


@pytest.fixture
def file(demo):
    return demo / "raw" / "blot" / "boxes-1.toml"


def journal(demo):
    return [json.loads(line) for line in (demo / "exclusions.jsonl").read_text("utf-8").splitlines()]


def test_a_box_moved_by_hand_is_read_again_and_kept_with_its_reason(browser, demo, file):
    before, fit = blot.boxes.read(file).file, browser.get(f"{PAGE}/fit").text
    first = before.band[0]
    lane = before.lane[3]
    form = form_of(browser.get(PAGE).text) | {
        "boxes": f"{lane.lane}, {first.name}, {first.top + 9}, {first.bottom + 9}, ,",
        f"lane-{lane.lane}-left": str(lane.left + 2),
        "other": "scratch",
        "reason": "",
    }
    answer = browser.post(f"{PAGE}/boxes", form)
    assert (answer.status, answer.headers["location"]) == (303, f"{PAGE}?picture=1")
    after = blot.boxes.read(file)
    assert after.place(after.file.lane[3], after.file.band[0]) == (
        *(first.top + 9, first.bottom + 9),
        *(lane.left + 2, lane.right),
    )
    assert after.file.lane[4:] == before.lane[4:]
    assert after.file.rotation_deg == before.rotation_deg
    assert file.read_text("utf-8").startswith("# SIMULATED, not measured")
    (line,) = journal(demo)
    assert (line["kind"], line["assay"], line["reason"]) == ("glueprint-boxes-moved", "blot-1", "scratch")
    assert f"lane {lane.lane} left {lane.left} to {lane.left + 2}" in line["what"]
    assert f"box {lane.lane} {first.name} top none to {first.top + 9}" in line["what"]
    page = browser.get(PAGE).text
    assert "scratch" in page
    assert 'class="box own"' in page
    assert browser.get(f"{PAGE}/fit").text != fit
    one = next(one for one in glue.load(demo).assay if one.name == "blot-1")
    glue.analyse(demo, one)


def test_a_form_left_alone_changes_nothing(browser, demo, file):
    before = file.read_bytes()
    answer = browser.post(f"{PAGE}/boxes", form_of(browser.get(PAGE).text))
    assert (answer.status, "GP-B024" in answer.text) == (422, True)
    assert file.read_bytes() == before
    assert not (demo / "exclusions.jsonl").exists()


def test_every_lane_and_its_annotation_comes_back(browser, demo, file):
    form = form_of(browser.get(PAGE).text) | {"lane-2-exclude": "spill", "lane-3-dose_nm": "31.5"}
    assert browser.post(f"{PAGE}/boxes", form).status == 303
    lanes = blot.boxes.read(file).file.lane
    assert (lanes[1].exclude, lanes[2].dose_nm, len(lanes)) == ("spill", 31.5, 25)
    back = form_of(browser.get(PAGE).text) | {"lane-2-exclude": "", "lane-3-dose_nm": "30"}
    assert browser.post(f"{PAGE}/boxes", back).status == 303
    assert [line["action"] for line in journal(demo)] == ["boxes moved"] * 2
    assert "lane 2 exclude spill to " in journal(demo)[1]["what"]


def test_lanes_and_rows_come_and_go(browser, demo, file):
    names = [band.name for band in blot.boxes.read(file).file.band]
    new = {"band-3-name": "background", "band-3-top": "2", "band-3-bottom": "12", "band-3-role": "ignore"}
    form = form_of(browser.get(PAGE).text) | new | {"lane-24-drop": "yes", "band-0-name": "Ikaros"}
    form["boxes"] = f"1, {names[0]}, 50, , ,"
    assert browser.post(f"{PAGE}/boxes", form).status == 303
    file_now = blot.boxes.read(file).file
    assert [band.name for band in file_now.band] == ["Ikaros", *names[1:], "background"]
    assert 24 not in {lane.lane for lane in file_now.lane}
    assert [(box.lane, box.band, box.top) for box in file_now.box] == [(1, "Ikaros", 50)]
    assert "lane 24 taken away, was " in journal(demo)[0]["what"]


@pytest.mark.parametrize(
    ("fields", "code", "status"),
    [
        ({"lane-1-left": "-5"}, "GP-A125", 422),
        ({"lane-1-right": "90"}, "GP-A126", 422),
        ({"lane-1-left": "x"}, "GP-B023", 422),
        ({"lane-1-left": "nan"}, "GP-B023", 422),
        ({"lane-1-left": "30.5"}, "GP-B023", 422),
        ({"lane-1-dose_nm": "-1"}, "GP-A124", 422),
        ({"band-0-role": "nonsense"}, "GP-A124", 422),
        ({"band-1-name": "IKZF1"}, "GP-A138", 422),
        ({"boxes": "1, IKZF1"}, "GP-B023", 422),
        ({"boxes": "1, IKZF1, 1, 2, 3, 99999999999999999999"}, "GP-A12", 422),
        ({"lane-1-left": "28", "reason": "", "other": ""}, "GP-B025", 422),
        ({"seen": "old", "lane-1-left": "28"}, "GP-B012", 409),
    ],
)
def test_boxes_that_cannot_be_are_refused_whole(browser, demo, file, fields, code, status):
    before = file.read_bytes()
    answer = browser.post(f"{PAGE}/boxes", form_of(browser.get(PAGE).text) | fields)
    assert (answer.status, code in answer.text) == (status, True), answer.text
    assert file.read_bytes() == before
    assert not (demo / "exclusions.jsonl").exists()


def test_pictures_are_those_of_the_blot(browser, demo):
    sent = browser.get(f"{PAGE}/pictures/2.png")
    assert (sent.body[:8], sent.headers["content-type"]) == (b"\x89PNG\r\n\x1a\n", "image/png")
    assert sent.body != browser.get(f"{PAGE}/pictures/1.png").body
    for wrong in ("0", "4", "..", "1%00", "9" * 99):
        assert browser.get(f"{PAGE}/pictures/{wrong}.png").status == 404
    assert browser.get("/p/demo/plates/fp-1/pictures/1.png").status == 404
    assert browser.post("/p/demo/plates/fp-1/boxes", {}).status == 404


def test_a_picture_is_dropped_its_lanes_found_and_filled_in(browser, demo):
    content = (demo / "raw" / "blot" / "membrane-2.tif").read_bytes()
    fields = {"name": "blot-2", "kind": "blot", "cells": "MM1S"}
    answer = browser.post("/p/demo/plates", fields, [("file", "../m.tif", content)])
    assert (answer.status, answer.headers.get("location")) == (303, "/p/demo/plates/blot-2"), answer.text
    one = next(one for one in glue.load(demo).assay if one.name == "blot-2")
    assert (one.files, one.boxes) == (("raw/blot-2/picture.tif",), ("raw/blot-2/boxes.toml",))
    found = blot.boxes.read(demo / one.boxes[0]).file
    assert len(found.lane) > 10
    assert "svg" in browser.get("/p/demo/plates/blot-2").text
    for name, body in (("x.tif", b"no picture"), ("x.exe", content), ("x.png", b"\x89PNG\r\n\x1a\n")):
        answer = browser.post("/p/demo/plates", fields | {"name": "blot-3"}, [("file", name, body)])
        assert 400 <= answer.status < 500
        assert not (demo / "raw" / "blot-3").exists()


def test_lanes_and_boxes_are_dragged_over_the_picture(served, file):  # noqa: F811
    said = []
    before = blot.boxes.read(file).file
    with chromium() as browser:
        page = opened(browser, served, said)
        page.goto(served[0] + PAGE)
        settled(page)
        scale = page.evaluate("document.getElementById('blot').getScreenCTM().a")

        def drag(where, by, *, edge=None):
            box = page.locator(where).bounding_box()
            x = box["x"] + (box["width"] - 1 if edge == "right" else box["width"] / 2)
            y = box["y"] + box["height"] / 2
            page.mouse.move(x, y)
            page.mouse.down()
            page.mouse.move(x + by[0] * scale, y + by[1] * scale, steps=4)
            page.mouse.up()

        drag("#blot [data-lane='2']", (2, 0))
        drag("#blot [data-lane='2']", (-5, 0), edge="right")
        drag("#blot [data-band='1']", (0, 4))
        drag("#blot [data-box='7'][data-row='0']", (0, 6))
        lane, band = before.lane[1], before.band[1]
        value = page.locator("[name='lane-2-left']").input_value
        assert value() == str(lane.left + 2)
        assert page.locator("[name='lane-2-right']").input_value() == str(lane.right - 3)
        page.locator("[name=reason]").first.select_option("lane beside its bands")
        page.locator("#boxes-form button.main").click()
        page.wait_for_load_state()
        page.wait_for_selector("#blot .own")
        assert page.locator("#blot .own").count() == 1
        page.reload()
    after = blot.boxes.read(file)
    assert (after.file.lane[1].left, after.file.lane[1].right) == (lane.left + 2, lane.right - 3)
    assert (after.file.band[1].top, after.file.band[1].bottom) == (band.top + 4, band.bottom + 4)
    (single,) = after.file.box
    first = before.band[0]
    assert (single.lane, single.band, single.top, single.bottom) == (
        7,
        first.name,
        first.top + 6,
        first.bottom + 6,
    )
    assert said == []
