"""The report in a real browser: figures alive, both themes, and no text that vanishes into its ground."""

from __future__ import annotations

from tests.browsing import FAINT, chromium

from glueprint.report import page as pages

ALIVE = """
async () => {
  for (const figure of document.querySelectorAll("figure.figure")) {
    figure.scrollIntoView();
    await new Promise((done) => setTimeout(done, 60));
  }
  await new Promise((done) => setTimeout(done, 1500));
  return document.querySelectorAll("figure.is-live").length;
}
"""


def test_live_figures_can_be_read_in_both_themes_and_sections_fold(small_input, tmp_path):
    file = pages.write(small_input, tmp_path / "report.html")
    said = []
    with chromium() as browser:
        for theme in ("light", "dark"):
            page = browser.new_context(color_scheme=theme, viewport={"width": 1280, "height": 900}).new_page()
            page.set_default_timeout(120_000)
            page.on("console", lambda message: said.append(message.text))
            page.on("pageerror", lambda error: said.append(str(error)))
            page.goto(file.as_uri())
            assert page.evaluate(ALIVE) > 0
            assert page.evaluate(FAINT) == [], theme
        knob = page.locator("#limits .fold")
        knob.click()
        assert knob.get_attribute("aria-expanded") == "false"
        assert not page.locator("#limits p").first.is_visible()
        page.evaluate("location.hash = '#limits'")
        page.wait_for_function("!document.getElementById('limits').classList.contains('folded')")
        with page.expect_download() as download:
            page.locator(".csv").first.click()
        assert download.value.suggested_filename.endswith(".csv")
        assert not page.locator("#provenance table").is_visible()
        page.set_viewport_size({"width": 1600, "height": 900})
        place = page.locator(".contents").bounding_box()
        assert place["x"] + place["width"] <= page.locator("main").bounding_box()["x"]
    assert said == []
