"""Virtual populations, posteriors and kept runs, held to distributions that are known."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint import engine, workshop
from glueprint.cli.app import app
from glueprint.errors import InputError

# Outputs are the parameters themselves, so that every density is known.
PLAIN = "species S = 1; p = 1; q = 1; J: S -> ; 0.1*S; a := p; b := p*q;"
ORAL = """
species gut = 0, central = 0;
J1: gut -> central; ka*gut; J2: central -> ; CL/V*central;
ka = 1.2; CL = 8; V = 70; conc := central/V;
"""


def plain_question():
    return workshop.Question(
        engine.compile(PLAIN),
        (workshop.Range("p", 1.0, 9.0), workshop.Range("q", 0.2, 5.0, "log10")),
        ("a",),
        np.array([0.0, 1.0]),
    )


def test_a_population_has_the_published_mean_and_sd_within_sampling_error():
    targets = (
        workshop.Target("a", "end", 5.0, 0.8),
        workshop.Target("b", "end", np.log(4.0), 0.3, log=True, low=0.5, high=20.0),
    )
    found = workshop.populate(plain_question(), targets, workshop.Drawing(20_000, seed=3))
    assert found.effective > 1000
    accepted = int(found.table["accepted"].sum())
    assert accepted > 500
    assert ((found.table["b_end"] >= 0.5) & (found.table["b_end"] <= 20.0)).all()
    for row in found.fits.to_dicts():
        sd = row["published_sd"]
        for kind, n in (("weighted", found.effective), ("accepted", accepted)):
            assert abs(row[f"{kind}_mean"] - row["published_mean"]) < 4.0 * sd / np.sqrt(n)
            assert abs(row[f"{kind}_sd"] - sd) < 4.0 * sd / np.sqrt(2.0 * n)
        assert row["distance"] < 1.95 / np.sqrt(accepted)  # 0.1 % of samples are farther away
    assert found.table["weight"].sum() == pytest.approx(1.0)


def test_a_population_is_saved_runs_again_and_goes_on(tmp_path):
    targets = (workshop.Target("a", "end", 5.0, 0.8),)
    told = []
    found = workshop.populate(
        plain_question(), targets, workshop.Drawing(2000), folder=tmp_path, told=lambda *one: told.append(one)
    )
    found.save(tmp_path)
    again = workshop.load_population(tmp_path)
    assert again.table.equals(found.table)
    assert (again.names, again.targets, again.candidates) == (found.names, targets, 2000)
    assert told[-1] == ("runs", 2000, 2000)
    (kept,) = tmp_path.glob("runs-*.parquet")
    before = kept.stat().st_mtime_ns
    same = workshop.populate(plain_question(), targets, workshop.Drawing(2000), folder=tmp_path)
    assert same.table.equals(found.table)
    assert kept.stat().st_mtime_ns == before
    people = found.patients(50)
    assert people["p"].shape == (50,)
    assert abs(people["p"].mean() - 5.0) < 0.6
    assert "plausible" in repr(found)
    assert "published_mean" in found._repr_html_()


@pytest.mark.parametrize(
    ("targets", "drawing", "code"),
    [
        ((), workshop.Drawing(), "GP-W037"),
        ((workshop.Target("a", "end", 5.0, 0.0),), workshop.Drawing(), "GP-W037"),
        ((workshop.Target("a", "end", 5.0, 1.0, low=2.0, high=1.0),), workshop.Drawing(), "GP-W037"),
        ((workshop.Target("a", "end", 5.0, 1.0),) * 2, workshop.Drawing(), "GP-W037"),
        ((workshop.Target("a", "end", 5.0, 1.0),), workshop.Drawing(10), "GP-W037"),
        ((workshop.Target("a", "end", 50.0, 1.0, low=40.0),), workshop.Drawing(200), "GP-W038"),
        ((workshop.Target("a", "end", 5000.0, 1.0),), workshop.Drawing(200), "GP-W038"),
        ((workshop.Target("a", "end", 50.0, 1.0, high=40.0),), workshop.Drawing(200), "GP-W037"),
        ((workshop.Target("a", "peak", 50.0, 1.0),), workshop.Drawing(200), "GP-W027"),
    ],
)
def test_what_makes_no_population_is_refused(targets, drawing, code):
    with pytest.raises(InputError) as caught:
        workshop.populate(plain_question(), targets, drawing)
    assert caught.value.code == code


def test_the_second_target_is_looked_at_before_the_runs_of_the_first(tmp_path):
    targets = (workshop.Target("a", "end", 5.0, 0.8), workshop.Target("nothing", "max", 5.0, 0.8))
    with pytest.raises(InputError, match="nothing"):
        workshop.populate(plain_question(), targets, workshop.Drawing(2000), folder=tmp_path)
    assert not list(tmp_path.glob("runs-*.parquet"))


def run(*words):
    return CliRunner().invoke(app, ["model", *map(str, words)])


def test_the_command_finds_a_population_and_simulate_runs_it(tmp_path):
    (tmp_path / "oral.ant").write_text(ORAL, encoding="utf-8")
    words = ["population", tmp_path / "oral.ant", "--vary", "CL=2:40:log10", "--vary", "V=20:200:log10"]
    words += ["--target", "conc:max,mean=3.7,sd=0.3,log,low=1", "--until", 24, "--dose", "gut=4000@0"]
    words += ["--candidates", 1000, "--out", tmp_path / "people"]
    done = run(*words, "--json")
    assert done.exit_code == 0, done.output
    assert payload(done.stdout)["targets"][0]["weighted_mean"] == pytest.approx(3.7, abs=0.05)
    assert "accepted" in run(*words).output
    done = run(
        *("simulate", tmp_path / "oral.ant", "--until", 24, "--every", 6, "--dose", "gut=4000@0"),
        *("--output", "conc", "--population", tmp_path / "people", "--patients", 80, "--json"),
    )
    assert done.exit_code == 0, done.output
    table = pl.DataFrame(payload(done.stdout)["table"])
    assert table.height == 5
    assert table["failed"].to_list() == [0] * 5
    assert (table["q5"] <= table["q50"]).all()
    assert table["q95"][1] > table["q5"][1] * 1.2
    bad = run(*words[:6], "--target", "conc,mean=1", *words[8:])
    assert bad.exception.code == "GP-W037"


def test_kept_runs_of_a_question_are_not_run_again(tmp_path):
    pytest.importorskip("SALib")
    question = plain_question()
    first = workshop.sobol(question, samples=64, folder=tmp_path)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs-*.parquet")}
    again = workshop.sobol(question, samples=64, folder=tmp_path)
    assert again.table.equals(first.table)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs-*.parquet")} == kept
    workshop.sobol(question, samples=64, seed=2, folder=tmp_path)
    assert len(list(tmp_path.glob("runs-*.parquet"))) == 2


MEASURED = "condition,observable,time,measurement\n" + "".join(
    f"one,x,{t},{value}\n" for t, value in ((0, 4.8), (0, 5.3), (1, 5.1), (1, 4.7), (2, 5.2), (2, 5.0))
)
FLAT = """
kind = "glueprint-fit"
version = 1
model = "m.ant"
data = "d.csv"
[parameters]
p = { low = 0.1, high = 100, prior = { kind = "normal", numbers = [4.0, 0.3] } }
[observables.x]
formula = "a"
noise = "0.5"
[conditions.one]
"""


def flat_problem(folder):
    (folder / "m.ant").write_text(PLAIN, encoding="utf-8")
    (folder / "d.csv").write_text(MEASURED, encoding="utf-8")
    (folder / "f.toml").write_text(FLAT, encoding="utf-8")
    return folder / "f.toml"


def test_a_posterior_is_the_one_that_is_known(tmp_path):
    """A normal mean with a normal prior: a density of the value, though the search is on log10."""
    found = workshop.fit(
        workshop.read(flat_problem(tmp_path)), workshop.Settings(starts=4, with_profiles=False)
    )
    draws = workshop.draw_posterior(found, workshop.Sampling(600), folder=tmp_path)
    precision = 6 / 0.5**2 + 1 / 0.3**2
    mean = (np.mean([4.8, 5.3, 5.1, 4.7, 5.2, 5.0]) * 6 / 0.5**2 + 4.0 / 0.3**2) / precision
    (row,) = draws.table.to_dicts()
    assert draws.status == "ok", draws.reason
    error = precision**-0.5 / np.sqrt(row["effective"])
    assert abs(row["mean"] - mean) < 5.0 * error
    assert row["sd"] == pytest.approx(precision**-0.5, rel=0.08)
    assert draws.to_table().height == draws.draws[..., 0].size
    again = workshop.draw_posterior(found, workshop.Sampling(600), folder=tmp_path)
    assert again.table.equals(draws.table)
    assert len(list(tmp_path.glob("posterior-*.parquet"))) == workshop.posterior.ENSEMBLES
    with pytest.raises(InputError) as caught:
        workshop.Sampling(3)
    assert caught.value.code == "GP-W022"


def test_a_posterior_is_part_of_a_fit(tmp_path):
    done = run(
        "fit", flat_problem(tmp_path), "--starts", 3, "--posterior", 40, "--out", tmp_path / "o", "--json"
    )
    assert done.exit_code == 0, done.output
    assert payload(done.stdout)["posterior"]["parameters"][0]["parameter"] == "p"
    assert (tmp_path / "o" / "posterior.parquet").is_file() or (tmp_path / "o" / "posterior.csv").is_file()
