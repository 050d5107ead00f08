"""Names from files of somebody else's in our HTML: shown as text, never run."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import polars as pl
import pytest

from glueprint.report import figures
from glueprint.report.embedding import embeddable, policy
from glueprint.report.page import render

EVIL = "</script><script>document.documentElement.className='pwned'</script><img src=x onerror=alert(1)>'\"&"
RUNS = ("", "text/javascript", "module")


class Page(HTMLParser):
    """Elements, scripts that run with their text as a browser sees it, and the policy."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.scripts, self.data, self.policy = [], [], [], ""
        self._kind = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.append((tag, given))
        self._kind = given.get("type", "") if tag == "script" else None
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"]

    def handle_data(self, data):
        if self._kind is not None:
            (self.scripts if self._kind in RUNS else self.data).append(data)

    def handle_endtag(self, tag):
        self._kind = self._kind if tag != "script" else None


def allowed(page):
    return re.findall(r"'sha256-([^']+)'", page.policy)


def digest(script):
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def holds(page):
    """Exactly the scripts that the policy names run, and nothing has a handler."""
    assert [digest(script) for script in page.scripts] == allowed(page)
    assert "unsafe-inline" not in page.policy.split("style-src")[0]
    assert "pwned" not in "".join(page.scripts)
    for tag, given in page.tags:
        assert tag != "img" or given["src"].startswith("data:"), given
        assert not [name for name in given if name.startswith("on")], (tag, given)


@pytest.fixture
def chart():
    table = pl.DataFrame(
        {
            "arm": [EVIL] * 3,
            "endpoint": ["os"] * 3,
            "time_months": [0.0, 1.0, 2.0],
            "survival": [1.0, 0.8, 0.5],
            "low": [1.0, 0.6, 0.2],
            "high": [1.0, 0.9, 0.8],
            "at_risk": [10, 8, 5],
            "events": [0, 2, 3],
            "censored": [0, 0, 0],
            "replicate": [1, 1, 1],
        }
    )
    return figures.kaplan_meier(table, arms=[EVIL], title=EVIL)


def test_a_name_is_text_in_an_html_figure(chart, tmp_path):
    text = figures.save(chart, tmp_path / "f.html").read_text("utf-8")
    page = Page(text)
    assert len(page.scripts) == 2
    holds(page)
    assert EVIL in json.dumps(json.loads(page.data[0]), ensure_ascii=False).replace('\\"', '"')


def test_a_name_is_text_in_an_svg_figure(chart, tmp_path):
    text = figures.save(chart, tmp_path / "f.svg").read_text("utf-8")
    holds(Page(f"<script></script>{text}".replace("<script></script>", "")))


def test_names_are_text_in_the_report(small_input):
    import dataclasses

    trial = small_input.trials["mm003"]
    old = trial.arms[0]

    def renamed(table):
        text = [name for name, kind in table.schema.items() if kind == pl.String]
        return table.with_columns(pl.col(text).str.replace_all(old, EVIL, literal=True))

    tables = {
        field.name: renamed(getattr(trial, field.name))
        for field in dataclasses.fields(trial)
        if isinstance(getattr(trial, field.name), pl.DataFrame)
    }
    given = dataclasses.replace(
        small_input,
        title=EVIL,
        summary=EVIL,
        statements=(EVIL,),
        comparison=renamed(small_input.comparison),
        trials={"mm003": dataclasses.replace(trial, arms=(EVIL, *trial.arms[1:]), **tables)},
        provenance={EVIL: EVIL},
    )
    text = render(given)
    assert "pwned" in text
    page = Page(text)
    assert len(page.scripts) == 2
    holds(page)


def test_json_that_closes_no_script():
    text = embeddable({"a": f"{EVIL}\u2028<!--"})
    assert "<" not in text
    assert json.loads(text) == {"a": f"{EVIL}\u2028<!--"}


def test_a_policy_names_each_script_and_allows_no_other():
    # The example of W3C, Content Security Policy Level 3, 8.3 (usage of hashes).
    assert "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='" in policy("alert('Hello, world.');")
    assert policy().startswith("default-src 'none'; script-src ")
