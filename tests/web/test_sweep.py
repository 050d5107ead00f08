"""Doses and schedules compared: a job of our own command, a figure and a table of what it gave."""

from __future__ import annotations

import polars as pl
import pytest

from glueprint import trials
from glueprint.calibration import clinical
from glueprint.cli.trial_draws import draws_for
from glueprint.errors import InputError
from glueprint.report import figures
from glueprint.runs.store import write_tables
from glueprint.web import designs, sweep_page

PAGE = "/p/demo/trials/one/sweep"
ASKED = {"doses": "1, 2", "schedules": "1-21; 1-28/2", "patients": "10", "replicates": "2", "arm": "x"}


@pytest.fixture
def place(demo):
    return designs.begin(demo, "one", "template")


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    protocol = trials.load_protocol(
        designs.begin(tmp_path_factory.mktemp("s"), "one", "template") / designs.FILE
    )
    how = trials.SweepSettings(replicates=2, patients=8)
    variants = trials.grid(dose_mg=[1.0, 4.0], days=["1-14"])
    return trials.sweep(protocol, variants, arm=protocol.arms[0].name, settings=how)


def test_a_comparison_is_a_job_of_our_own_command(browser, bench, place):
    arm = trials.load_protocol(place / designs.FILE).arms[1].name
    answer = browser.post(PAGE, ASKED | {"arm": arm, "gcsf": ["none", "primary"], "posterior": "yes"})
    assert answer.status == 303, answer.text
    (job,) = bench.jobs.of("demo")
    assert job.words == (
        *("trial", "sweep", str(place / designs.FILE), "--arm", arm, "--dose-mg", "1,2"),
        *("--days", "1-21", "--days", "1-28/2", "--gcsf", "none,primary", "--patients", "10"),
        *("--replicates", "2", "--seed", "1", "--posterior", "--out", str(place / designs.SWEEP)),
    )
    assert job.title.endswith("8 variants")
    assert browser.post(PAGE, ASKED).status == 409
    assert job.id in browser.get(PAGE).text


def test_the_python_of_the_page_takes_the_numbers_that_its_job_takes(tmp_path, monkeypatch):
    path = designs.begin(tmp_path, "one", "template") / designs.FILE
    asked = []

    def sweep(*_, settings, **options):
        asked.append(settings.draws)
        raise LookupError

    monkeypatch.setattr(trials, "sweep", sweep)
    with pytest.raises(LookupError):
        exec(sweep_page.python_of(path), {})
    job = draws_for(trials.load_protocol(path), None, None, 1, 1)
    assert asked[0].structure == job.structure == clinical.STRUCTURES[0]
    assert (asked[0].values == job.values).all()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"doses": "1;rm"}, "GP-B023"),
        ({"doses": "-1"}, "GP-B023"),
        ({"doses": "nan"}, "GP-B023"),
        ({"schedules": "x"}, "GP-B023"),
        ({"replicates": "0"}, "GP-B023"),
        ({"doses": "", "schedules": ""}, "GP-B024"),
        ({"doses": ",".join(str(n) for n in range(1, 100))}, "GP-B024"),
    ],
)
def test_what_cannot_be_compared_is_refused_before_it_is_a_job(browser, bench, place, fields, code):
    answer = browser.post(PAGE, ASKED | fields)
    assert (answer.status, code in answer.text) == (422, True)
    assert bench.jobs.all() == ()


def test_a_comparison_is_shown_with_its_differences(browser, place, swept):
    assert "Nothing was compared yet" in browser.get(PAGE).text
    assert browser.get(f"{PAGE}.svg").status == 404
    write_tables(place / designs.SWEEP, {"sweep": swept.table})
    page = browser.get(PAGE).text
    row = swept.table.filter((pl.col("endpoint") == "orr") & ~pl.col("reference")).to_dicts()[0]
    assert f"{row['value']:.3g} ({row['low']:.3g} to {row['high']:.3g}); {row['difference']:+.3g}" in page
    assert "<svg" in page
    assert all(variant in page for variant in swept.variants)
    for ending, start in (("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("csv", b"variant,")):
        answer = browser.get(f"{PAGE}.{ending}")
        assert (answer.status, answer.body.lstrip()[: len(start)]) == (200, start)
    assert browser.get(f"{PAGE}.exe").status == 404


def test_the_figure_has_a_row_a_variant_and_says_what_it_needs(swept):
    drawn = figures.variants(swept.table).to_dict()
    assert len(drawn["hconcat"]) == 3
    text = figures.svg(figures.variants(swept.table))
    assert all(name in text for name in swept.variants)
    with pytest.raises(InputError) as refusal:
        figures.variants(swept.table.drop("low"))
    assert refusal.value.code == "GP-P001"
    with pytest.raises(InputError) as refusal:
        figures.variants(swept.table.with_columns(value=pl.lit(None, pl.Float64)))
    assert refusal.value.code == "GP-P005"
