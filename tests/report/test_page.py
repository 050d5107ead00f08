"""The page: one file, nothing fetched, nothing injected, the same bytes again."""

from __future__ import annotations

import dataclasses
import json
import re
from html.parser import HTMLParser
from itertools import pairwise

import polars as pl
import pytest

from glueprint.errors import EnvironmentProblemError
from glueprint.report import drawn, render, write
from glueprint.report import page as page_module

LABELS = {"input", "calibrated", "predicted", "not modelled yet"}


class Reader(HTMLParser):
    """Elements with their attributes, the text outside scripts, and the JSON inside them."""

    def __init__(self):
        super().__init__()
        self.elements, self.text, self.json, self.chips = [], [], [], []
        self._inside = ""
        self._chip = False

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.elements.append((tag, given))
        self._chip = "chip" in (given.get("class") or "").split()
        if tag in {"script", "style"}:
            self._inside = given.get("type") or tag

    def handle_endtag(self, tag):
        if tag in {"script", "style"}:
            self._inside = ""

    def handle_data(self, data):
        if self._inside == "application/json":
            self.json.append(json.loads(data))
        elif not self._inside:
            self.text.append(data)
            if self._chip:
                self.chips.append(data)
                self._chip = False


def read(html):
    reader = Reader()
    reader.feed(html)
    return reader


@pytest.fixture(scope="module")
def html(report_input):
    return render(report_input)


@pytest.fixture(scope="module")
def page(html):
    return read(html)


def test_nothing_comes_from_outside(html, page):
    for tag, attributes in page.elements:
        for name in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
            value = attributes.get(name)
            assert value is None or value.startswith(("#", "data:image/svg+xml;base64,")), (tag, name, value)
        assert tag not in {"link", "iframe", "object", "embed", "base"}
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL).group(1)
    assert "url(" not in style
    assert "@import" not in style


def test_the_browser_is_told_to_fetch_nothing(page):
    policies = [a["content"] for tag, a in page.elements if tag == "meta" and a.get("http-equiv")]
    (said,) = policies
    assert said.startswith("default-src 'none'; script-src 'sha256-")
    assert "http" not in said


def test_the_page_stays_under_two_megabytes(html):
    assert len(html.encode()) < 2_000_000


@pytest.fixture(scope="module")
def small_page(small_input):
    return render(small_input)


def test_same_input_same_bytes(small_input, small_page):
    assert render(small_input) == small_page


def test_only_the_four_labels_are_shown(page, report_input):
    assert set(page.chips) == LABELS
    glance = 5
    assert len(page.chips) == report_input.comparison.height + len(LABELS) + glance


def test_every_published_number_is_on_the_page(page, report_input):
    text = " ".join(page.text)
    for row in report_input.comparison.to_dicts():
        assert row["published"] in text
        assert row["claim_id"] in text


def test_a_calibrated_number_is_never_called_predicted(small_input):
    given = dataclasses.replace(
        small_input, comparison=small_input.comparison.with_columns(pl.lit("calibrated").alias("label"))
    )
    chips = read(render(given)).chips
    assert chips.count("predicted") == 1  # the legend
    assert chips.count("calibrated") == small_input.comparison.height + 1 + 5  # the legend, at a glance


def test_special_characters_cannot_become_markup(small_input):
    evil = '</script><script>alert("x")</script><img src=x onerror=alert(1)>'
    arms = (evil, "HiDEX")
    given_trial = small_input.trials["mm003"]
    swap = pl.col("arm").str.replace("POM+LoDEX", evil, literal=True)
    trial = dataclasses.replace(
        given_trial,
        title=evil,
        arms=arms,
        **{
            name: getattr(given_trial, name).with_columns(swap)
            for name in ("patients", "visits", "endpoints", "survival_curves")
        },
    )
    given = dataclasses.replace(
        small_input,
        trials={"mm003": trial},
        title=evil,
        summary=evil,
        statements=(evil,),
        provenance={evil: evil},
        comparison=small_input.comparison.with_columns(pl.lit(evil).alias("how"), pl.lit(evil).alias("row")),
        findings=small_input.findings.with_columns(pl.lit(evil).alias("what")),
        parameters=small_input.parameters.with_columns(pl.lit(evil).alias("why")),
        compounds=small_input.compounds.with_columns(
            pl.lit(evil).alias("name"), pl.lit("<svg><script>alert(2)</script></svg>").alias("svg")
        ),
        profiles=small_input.profiles.with_columns((pl.col("series") + evil).alias("series")),
    )
    hostile, honest = read(render(given)), read(render(small_input))
    assert not [1 for tag, attributes in hostile.elements if "onerror" in attributes]
    shape = {"script", "img"}
    counts = [
        sum(tag == kind for tag, _ in reader.elements)
        for reader in (hostile, honest)
        for kind in sorted(shape)
    ]
    assert counts[0] == counts[2]
    assert counts[1] == counts[3]
    assert evil in "".join(hostile.text)


def test_headings_tables_and_figures_can_be_read_without_eyes(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert all(a.get("scope") for tag, a in page.elements if tag == "th")
    assert all(a.get("alt") for tag, a in page.elements if tag == "img")
    drawn = [a for _, a in page.elements if a.get("class") == "still"]
    assert drawn
    assert all(len(a["aria-label"]) > 40 for a in drawn)
    identifiers = [a["id"] for _, a in page.elements if a.get("id")]
    assert len(identifiers) == len(set(identifiers))
    targets = {a["href"][1:] for tag, a in page.elements if tag == "a" and a["href"].startswith("#")}
    assert targets <= set(identifiers)


def test_every_colour_of_a_figure_follows_the_page(html, page):
    mapped = set(re.findall(r'\[fill="(#[0-9a-f]{6})"\]', html))
    used = {
        a[name] for tag, a in page.elements for name in ("fill", "stroke") if str(a.get(name)).startswith("#")
    }
    assert used <= mapped


def test_the_live_figures_are_complete_descriptions(page):
    config, *specs = [page.json[-1], *page.json[:-1]]
    assert config["background"]
    assert all("config" not in spec and "$schema" not in spec for spec in specs)
    assert all({"vconcat", "hconcat", "concat", "layer"} & spec.keys() for spec in specs)
    for spec in specs:
        for data in spec["datasets"].values():
            assert all(len(row) == len(data["fields"]) for row in data["rows"])


def test_packed_rows_come_back_as_they_were():
    rows = [{"arm": 'A, "B"', "value": 1.5, "low": None}, {"arm": "C", "value": 2.0, "low": 0.1}]
    given = drawn.packed(rows)
    assert [dict(zip(given["fields"], row, strict=True)) for row in given["rows"]] == rows
    assert drawn.packed([]) == {"fields": [], "rows": []}


def test_the_sentence_at_the_top_counts_labels_and_hits(page, report_input):
    text = re.sub(r"\s+", " ", " ".join(page.text))
    counts = dict(report_input.comparison.get_column("label").value_counts().iter_rows())
    assert f"Here {counts['input']} input, {counts['calibrated']} calibrated" in text
    assert "teratogenic" in text
    assert "not medical advice" in text


def test_a_trial_without_results_still_gives_a_page(small_input):
    mm003 = small_input.trials["mm003"]
    bare = dataclasses.replace(
        mm003,
        survival_curves=mm003.survival_curves.clear(),
        endpoints=mm003.endpoints.clear(),
        patients=mm003.patients.with_columns(pl.lit(None, pl.Float64).alias("best_change_pct")),
    )
    given = dataclasses.replace(small_input, trials={"mm003": bare}, findings=small_input.findings.clear())
    assert "found nothing" in render(given)


def test_write_is_whole_or_not_at_all(small_input, small_page, tmp_path):
    target = write(small_input, tmp_path / "out" / "report.html")
    assert target.read_text("utf-8") == small_page
    assert [path.name for path in target.parent.iterdir()] == ["report.html"]


def test_an_unwritable_folder_is_named(small_input, small_page, tmp_path, monkeypatch):
    monkeypatch.setattr(page_module, "render", lambda _: small_page)
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(EnvironmentProblemError, match="GP-R001") as caught:
        write(small_input, tmp_path / "taken" / "report.html")
    assert "report.html" in caught.value.where
    assert caught.value.next_step
