"""The examples of docs/your-glue-fit.md give what they show, and the page says what the code does."""

from __future__ import annotations

import doctest
from pathlib import Path

from glueprint.calibration.compound import QUANTITIES, latents, thresholds

PAGE = Path(__file__).parents[3] / "docs" / "your-glue-fit.md"


def test_examples():
    result = doctest.testfile(str(PAGE), module_relative=False)
    assert result.attempted >= 11
    assert result.failed == 0


def test_the_page_states_the_priors_and_the_surface():
    text = PAGE.read_text("utf-8")
    assert f"a correlation of {latents.CORRELATION:g}" in text
    assert f"scale {latents.RUN.spread:g} each" in text
    assert f"at {thresholds.SEEN} draws" in text


def test_every_quantity_that_is_fitted_is_on_the_page():
    text = PAGE.read_text("utf-8")
    shown_only = {"gi50", "gec50"}
    assert [name for name in QUANTITIES if name not in shown_only and f"`{name}`" not in text] == []
