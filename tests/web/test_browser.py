"""The pages in a real browser: the main path, both themes, a phone, the keyboard; nothing leaves it."""

from __future__ import annotations

import re
import shutil
import threading
import time

import pytest
import uvicorn
from tests.browsing import FAINT, chromium, grave

from glueprint import trials
from glueprint.runs.store import write_tables
from glueprint.study import glue
from glueprint.web import Choices, application, bench_of, designs, serving

PAGES = (
    "/",
    "/mechanism?kd_fold=0.5&pin=kd_fold%3D2",
    "/evidence?q=ikzf1",
    "/jobs",
    "/compounds",
    "/p/demo",
    "/p/demo/compound",
    "/p/demo/plates/growth-1",
    "/p/demo/plates/blot-1",
    "/p/demo/trials",
    "/p/demo/trials/one",
    "/p/demo/trials/one/sweep",
    "/p/demo/trials/one/result",
    "/p/demo/trials/one/result/patients",
    "/p/demo/trials/one/result/patients/1/1",
)


@pytest.fixture
def tried(demo, small_run):
    """A trial of the project, designed and run."""
    place = designs.begin(demo, "one", "template")
    shutil.copytree(small_run, place / designs.RUN)
    protocol = trials.load_protocol(place / designs.FILE)
    how = trials.SweepSettings(replicates=2, patients=8)
    swept = trials.sweep(protocol, trials.grid(dose_mg=[1, 2]), arm=protocol.arms[0].name, settings=how)
    write_tables(place / designs.SWEEP, {"sweep": swept.table})
    return place


@pytest.fixture
def served(demo, bench):
    """The address of a server of these projects."""
    ear = serving.listen(Choices(bench.workspace.folder))
    own = bench_of(Choices(bench.workspace.folder), ear.getsockname()[1])
    server = uvicorn.Server(
        uvicorn.Config(application(own), log_level="error", ws="none", http="h11", loop="asyncio")
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [ear]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{ear.getsockname()[1]}", own
    server.should_exit = True
    thread.join(timeout=20)
    ear.close()


def opened(browser, served, said, **settings):
    """A window that was let in, with everything noted that it says or asks for elsewhere."""
    base, bench = served
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **settings)
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "request",
        lambda request: None if request.url.startswith((base, "data:")) else said.append(request.url),
    )
    page.goto(f"{base}/?token={bench.session.token}")
    return page


def settled(page):
    """Wait for the parts that a page asks for after it is there."""
    page.wait_for_selector("[aria-busy=true] .wait", state="detached")


def test_every_page_can_be_read_in_both_themes_on_a_phone_and_in_print(served, tried):
    said = []
    with chromium() as browser:
        for theme in ("light", "dark"):
            page = opened(browser, served, said, color_scheme=theme)
            for address in PAGES:
                page.goto(served[0] + address)
                settled(page)
                assert page.evaluate(FAINT) == [], (theme, address)
                page.set_viewport_size({"width": 390, "height": 844})
                assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
                page.emulate_media(media="print")
                assert page.evaluate(FAINT) == [], (theme, address, "print")
                page.emulate_media(media="screen")
                page.set_viewport_size({"width": 1280, "height": 900})
    assert said == []


def test_a_screen_reader_meets_nothing_serious(served, tried):
    said = []
    with chromium() as browser:
        page = opened(browser, served, said)
        page.context.set_default_timeout(300_000)
        found = {}
        for address in PAGES:
            page.goto(served[0] + address)
            settled(page)
            found[address] = grave(page)
    assert {address: what for address, what in found.items() if what} == {}
    assert said == []


def test_days_are_clicked_on_and_off_and_two_tabs_do_not_overwrite_each_other(served, tried):
    said = []
    with chromium() as browser:
        page = opened(browser, served, said)
        other = page.context.new_page()
        for one in (page, other):
            one.goto(f"{served[0]}/p/demo/trials/one")
        days = page.locator("#arm-0-drug-0-days")
        page.locator("[data-for=arm-0-drug-0-days] [data-day='21']").click()
        page.locator("[data-for=arm-0-drug-0-days] [data-day='22']").click()
        assert days.input_value() == "1-20,22"
        days.fill("1-14")
        assert page.locator("[data-for=arm-0-drug-0-days] [aria-pressed=true]").count() == 14
        page.locator("button.main[name=do]").click()
        page.wait_for_load_state()
        assert days.input_value() == "1-14"
        other.locator("#arm-0-drug-0-days").fill("1-7")
        other.locator("button.main[name=do]").click()
        other.wait_for_selector("text=GP-B012")
    assert 'days = "1-14"' in (tried / designs.FILE).read_text("utf-8")
    # A refusal is an answer with its status, which browsers note.
    assert [one for one in said if "409" not in one] == []


def test_a_slider_a_pin_and_the_way_back(served):
    said = []
    with chromium() as browser:
        page = opened(browser, served, said)
        page.goto(f"{served[0]}/mechanism")
        before = page.text_content("#panels dl")
        page.focus("[data-for=s-kd_fold]")
        for _ in range(10):
            page.keyboard.press("ArrowLeft")
        page.wait_for_url(re.compile("kd_fold"))
        assert page.text_content("#panels dl") != before
        page.click("text=Pin this course")
        page.wait_for_selector(".pins li")
        assert page.locator(".pins li").count() == 1
        page.reload()
        assert page.locator(".pins li").count() == 1
    assert said == []


def test_wells_are_chosen_by_keyboard_and_mouse_and_left_out(served, demo):
    said = []
    with chromium() as browser:
        page = opened(browser, served, said)
        page.goto(f"{served[0]}/p/demo/plates/growth-1")
        page.focus("#plate")
        for key in ("ArrowRight", "ArrowRight", "Space"):
            page.keyboard.press(key)
        assert page.input_value("input.wells >> nth=0") == "A3"
        page.locator("#w-B4").click()
        page.locator("#w-C5").click(modifiers=["Shift"])
        assert page.input_value("input.wells >> nth=0") == "B4,B5,C4,C5"
        page.locator("[data-row='7'].head").click()
        assert page.input_value("input.wells >> nth=0").count("H") == 12
        page.locator("#w-B4").click()
        page.select_option("select[name=reason]", "bubble")
        page.click("text=Leave out, fit again")
        page.wait_for_selector("path.out")
        assert "left out: bubble" in page.get_attribute("#w-B4", "aria-label")
    one = next(one for one in glue.load(demo).assay if one.name == "growth-1")
    assert one.exclude[0].endswith("B4=bubble")
    assert said == []
