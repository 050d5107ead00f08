"""A real browser for tests: Debian's Chromium through Playwright; without it a test is skipped."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from importlib import resources
from importlib.util import find_spec

import pytest

CHROMIUM = "/usr/bin/chromium"
# Every text that can be seen and is fainter than 4.5 to 1 on what lies behind it: WCAG 2.1, 1.4.3.
FAINT = """
() => {
  const parts = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => {
    const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const [x, y, z] = [r, g, b].map((v) => linear(v / 255));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = parts(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.95) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || !node.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    if (node.closest("script, style, [disabled], [aria-disabled=true], .skip, title")) continue;
    const style = getComputedStyle(node);
    const ink = parts(node instanceof SVGElement ? style.fill : style.color);
    if (ink.length < 3) continue;
    const [a, b] = [light(ink), light(behind(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const name = `${node.tagName}.${node.getAttribute("class") || ""}`;
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${name}: ${text.slice(0, 40)}`);
  }
  return [...new Set(found)];
}
"""


@contextmanager
def chromium():
    """A browser; skips the test with a message where there is none."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="no Playwright: the pages are not looked at"
    )
    if shutil.which(CHROMIUM) is None:
        pytest.skip("no Chromium: the pages are not looked at")
    with playwright.sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"Chromium does not start here: the pages are not looked at ({error})")
        try:
            yield browser
        finally:
            browser.close()


def grave(page):
    """What axe-core finds serious or critical on a page; skips the test where it is not installed.

    Of plates and calendars it looks at the first parts alone: hundreds of wells are one rule a hundred times.
    """
    if find_spec("axe_playwright_python") is None:
        pytest.skip("no axe-core: what a screen reader meets is not looked at")
    page.evaluate(resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations'], iframes: false})")
    return [
        f"{rule['id']}: {rule['help']} at {rule['nodes'][0]['target']}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
    ]
