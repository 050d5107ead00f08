"""The pages in a real browser: the main path, both themes, a phone, the keyboard; nothing leaves it."""

from __future__ import annotations

import re
import threading
import time

import pytest
import uvicorn
from tests.browsing import FAINT, chromium

from glueprint.study import glue
from glueprint.web import Choices, application, bench_of, serving

PAGES = (
    "/",
    "/mechanism?kd_fold=0.5&pin=kd_fold%3D2",
    "/evidence?q=ikzf1",
    "/jobs",
    "/p/demo",
    "/p/demo/plates/growth-1",
)


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


def test_every_page_can_be_read_in_both_themes_and_on_a_phone(served):
    said = []
    with chromium() as browser:
        for theme in ("light", "dark"):
            page = opened(browser, served, said, color_scheme=theme)
            for address in PAGES:
                page.goto(served[0] + address)
                if "plates" in address:
                    page.wait_for_selector("#fit .figure")
                assert page.evaluate(FAINT) == [], (theme, address)
                page.set_viewport_size({"width": 390, "height": 844})
                assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
                page.set_viewport_size({"width": 1280, "height": 900})
    assert said == []


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
