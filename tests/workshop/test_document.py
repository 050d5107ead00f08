"""Problems in TOML, folders that go on, formulas, priors, and what a result shows."""

from __future__ import annotations

import math
import re
from html import escape
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from glueprint import engine, workshop
from glueprint.workshop import Prior
from glueprint.workshop.formula import compiled
from glueprint.workshop.scales import Scales

MODEL = """
species gut = 0, central = 0;
J1: gut -> central; ka*gut;  J2: central -> ; CL/V*central;
ka = 1.2; CL := CLs*(WT/70)^0.75; CLs = 8; V = 70; WT = 70; conc := central/V;
"""
DOCUMENT = """
kind = "glueprint-fit"
version = 1
model = "pk.ant"
data = "data.csv"

[parameters]
CLs = { low = 1, high = 100 }
V = { low = 5, high = 1000, start = 50, prior = { kind = "log-normal", numbers = [4.2, 0.5] } }
ka = { fixed = 1.5 }
sigma = { low = 0.001, high = 10 }

[observables.conc]
formula = "conc"
noise = "sigma"
transformation = "log"
unit = "mg/L"

[conditions.single]
doses = [{ into = "gut", amount = 4000 }]

[conditions.twice]
set = { WT = 50 }
doses = [
  { into = "gut", amount = 2000, every = 12, more = 1 },
  { into = "central", amount = 100, at = 4, over = 2 },
]
"""
TIMES = (1.0, 2.0, 5.0, 9.0, 12.0, 20.0)


def course(name, **given):
    model = engine.compile(MODEL)
    doses = {
        "single": engine.Doses.every_patient(1, 0.0, "gut", 4000.0),
        "twice": engine.Doses.together(
            engine.Doses.every_patient(1, [0.0, 12.0], "gut", 2000.0),
            engine.Doses.regimen(0, 4.0, "central", 100.0, duration_h=2.0),
        ),
    }[name]
    weight = {"WT": 50.0} if name == "twice" else {}
    return model.ensemble({"ka": 1.5, **weight, **given}).simulate(TIMES, doses, ["conc"])["conc"][0]


@pytest.fixture
def file(tmp_path):
    rng = np.random.default_rng(8)
    lines = ["arm\tt\tmeasurement\tunit"]
    for name in ("single", "twice"):
        for t, y in zip(TIMES, course(name, CLs=6.0, V=60.0), strict=True):
            lines.append(f"{name}\t{t}\t{float(y * math.exp(0.05 * rng.normal()))!r}\tmg/L")
    (tmp_path / "data.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "pk.ant").write_text(MODEL, encoding="utf-8")
    document = DOCUMENT.replace(
        'data = "data.csv"', 'data = "data.csv"\ncolumns = { condition = "arm", time = "t" }'
    )
    (tmp_path / "fit.toml").write_text(document, encoding="utf-8")
    return tmp_path / "fit.toml"


def test_a_document_is_fitted(file):
    found = workshop.fit(workshop.read(file), workshop.Settings(starts=6))
    assert found.status == "ok"
    assert found.estimates["CLs"] == pytest.approx(6.0, rel=0.08)
    assert found.estimates["V"] == pytest.approx(60.0, rel=0.08)
    table = found.tables["rows"]
    exact = np.concatenate(
        [course(name, CLs=found.estimates["CLs"], V=found.estimates["V"]) for name in ("single", "twice")]
    )
    np.testing.assert_allclose(table["predicted"], exact, rtol=1e-5)
    away = np.log(table["measurement"].to_numpy() / exact)
    expected = stats.norm.logpdf(away, scale=found.estimates["sigma"]) - np.log(
        table["measurement"].to_numpy()
    )
    np.testing.assert_allclose(table["log_likelihood"], expected, rtol=1e-4)
    prior = -stats.lognorm.logpdf(found.estimates["V"], 0.5, scale=math.exp(4.2))
    assert found.value == pytest.approx(-found.log_likelihood + prior, rel=1e-9)
    assert set(found.tables["parameters"]["verdict"]) == {"identified"}


def test_results_print_and_turn_into_other_tables(file):
    pandas = pytest.importorskip("pandas")
    found = workshop.fit(workshop.read(file), workshop.Settings(starts=3))
    frames = found.to_pandas()
    assert isinstance(frames["parameters"], pandas.DataFrame)
    assert list(frames["parameters"]["parameter"]) == ["CLs", "V", "sigma"]
    assert "3 parameters, 12 measurements" in repr(found)
    assert "<table" in found._repr_html_()
    assert f"<p>{escape(repr(found))}</p>" in found._repr_html_()
    chart = found.plot().to_dict()
    assert len(chart["vconcat"]) == 3
    assert found.as_dict()["parameters"][0]["verdict"] == "identified"


def test_a_parameter_that_nothing_reads_is_noted(file):
    text = file.read_text("utf-8").replace("ka = { fixed", "idle = { low = 1, high = 2 }\nka = { fixed")
    file.write_text(text, encoding="utf-8")
    problem = workshop.read(file)
    assert problem.notes == ("idle is estimated, and nothing reads it",)
    verdicts = dict(
        workshop.fit(problem, workshop.Settings(starts=3))
        .tables["parameters"]
        .select("parameter", "verdict")
        .rows()
    )
    assert verdicts["idle"] == "not identified"
    assert verdicts["V"] == "identified"


def test_a_folder_goes_on_from_the_searches_that_it_holds(file, monkeypatch):
    from glueprint.workshop import kept

    monkeypatch.setattr(kept, "BATCH", 2)
    problem, settings, out = workshop.read(file), workshop.Settings(starts=5), file.parent / "out"
    told = []
    first = workshop.fit_into(out, problem, settings, told=lambda *words: told.append(words))
    assert sorted(path.name for path in out.glob("searches-*")) == [
        f"searches-0000{k}.parquet" for k in (1, 2, 3)
    ]
    assert ("searches", 5, 5) in told
    assert told[-1][0] == "profiles"
    (out / "searches-00002.parquet").unlink()  # as if it had been killed there
    searched = []
    again = workshop.fit_into(out, problem, settings, told=lambda *words: searched.append(words))
    assert {done for what, done, _ in searched if what == "searches"} <= {2, 3, 4}
    assert first.tables["starts"].equals(again.tables["starts"])
    assert first.tables["parameters"].equals(again.tables["parameters"])
    alone = workshop.fit(problem, settings)
    assert alone.tables["starts"].drop("evaluations").equals(first.tables["starts"].drop("evaluations"))


def test_records_of_nonmems_kind_are_one_experiment_an_id(tmp_path):
    (tmp_path / "pk.ant").write_text(MODEL, encoding="utf-8")
    model = engine.compile(MODEL)
    lines = ["ID,TIME,AMT,RATE,CMT,EVID,DV,WT,NOTE"]
    for number, weight in enumerate((50.0, 80.0), 1):
        doses = engine.Doses.together(
            engine.Doses.every_patient(1, 0.0, "gut", 1000.0 * number),
            engine.Doses.regimen(0, 10.0, "central", 500.0, rate=100.0),
        )
        seen = model.ensemble({"CLs": 5.0, "V": 40.0, "ka": 1.5, "WT": weight}).simulate(
            TIMES, doses, ["conc"]
        )["conc"][0]
        lines.append(f"{number},10,{1000 * number},0,1,1,.,{weight},7")
        rows = [
            (10 + t, f"{number},{10 + t},0,0,1,0,{y!r},{weight},7")
            for t, y in zip(TIMES, seen.tolist(), strict=True)
        ]
        rows.append((20, f"{number},20,500,100,2,1,.,{weight},7"))
        lines += [text for _, text in sorted(rows, key=lambda row: row[0])]
    (tmp_path / "data.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = DOCUMENT.split("[conditions.single]")[0].replace(
        'data = "data.csv"', 'data = "data.csv"\nformat = "records"'
    )
    text = text.replace("sigma = { low = 0.001", "sigma = { low = 0.02")
    (tmp_path / "fit.toml").write_text(text, encoding="utf-8")
    problem = workshop.read(tmp_path / "fit.toml")
    assert [one.name for one in problem.experiments] == ["1", "2"]
    assert problem.notes == ("columns not used: NOTE",)
    found = workshop.fit(problem, workshop.Settings(starts=6, with_profiles=False))
    assert found.estimates["CLs"] == pytest.approx(5.0, rel=1e-2)
    assert found.estimates["V"] == pytest.approx(40.0, rel=1e-2)
    np.testing.assert_allclose(found.tables["rows"]["predicted"], problem.rows.value, rtol=2e-2)


def test_times_in_another_unit_are_converted(tmp_path):
    model = "unit time_unit = 3600 second; " + MODEL
    (tmp_path / "pk.ant").write_text(model, encoding="utf-8")
    (tmp_path / "data.csv").write_text("time,measurement\n0.5,20\n1,10\n", encoding="utf-8")
    text = DOCUMENT.split("[conditions.twice]")[0].replace(
        'data = "data.csv"', 'data = "data.csv"\ntime_unit = "day"'
    )
    (tmp_path / "fit.toml").write_text(
        text.replace("amount = 4000", "amount = 4000, at = 0.25"), encoding="utf-8"
    )
    problem = workshop.read(tmp_path / "fit.toml")
    assert problem.rows.time.tolist() == [12.0, 24.0]
    assert problem.experiments[0].doses.time_h.tolist() == [6.0]


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("-a^2 + b**2", {"a": 3.0, "b": 2.0}, -5.0),
        ("log(a) + log10(b) + log2(a)", {"a": 8.0, "b": 100.0}, math.log(8.0) + 5.0),
        ("piecewise(a, time > 1, b)", {"a": 1.0, "b": 5.0}, 5.0),
        ("exp(a*time)/b", {"a": 2.0, "b": 4.0}, math.exp(1.0) / 4.0),
    ],
)
def test_formulas_are_read_as_they_are_written(text, values, expected):
    formula = compiled(text, where="here")
    columns = [np.array([[values[name]]]) for name in formula.names]
    value, slopes = formula(columns, np.array([[0.5]]))
    assert value[0, 0] == pytest.approx(expected)
    for place, name in enumerate(formula.names):
        moved = [column + 1e-6 * (k == place) for k, column in enumerate(columns)]
        assert slopes[place][0, 0] == pytest.approx(
            (formula(moved, np.array([[0.5]]))[0] - value)[0, 0] / 1e-6, rel=1e-4
        ), name


def test_a_noise_that_reads_an_observable_called_like_the_model_s_own_is_read():
    formula = compiled("0.1*conc + s", where="here", functions={"conc": "conc"})
    assert formula.names == ("conc", "s")
    both = compiled("b", where="here", functions={"a": "2*b", "b": "a + 1"})
    assert both.names == ("b",)  # 2*b + 1 with the model's own b


@pytest.mark.parametrize(
    ("prior", "law"),
    [
        (Prior("normal", 2.0, 0.5), stats.norm(2.0, 0.5)),
        (Prior("laplace", 2.0, 0.5), stats.laplace(2.0, 0.5)),
        (Prior("log-normal", 0.3, 0.5), stats.lognorm(0.5, scale=math.exp(0.3))),
        (Prior("log-laplace", 0.3, 0.5), stats.loglaplace(2.0, scale=math.exp(0.3))),
        (Prior("uniform", 0.5, 9.0), stats.uniform(0.5, 8.5)),
    ],
)
def test_priors_are_the_densities_that_they_are_called(prior, law):
    scales = Scales.of(["log10"])
    z = np.array([-0.1, 0.05, 0.2, 0.4])
    x = scales.plain(z[:, None])[:, 0]
    value, slope, _ = prior.cost(x, z, scales.slopes(x[:, None])[:, 0])
    np.testing.assert_allclose(value, -law.logpdf(x), rtol=1e-12)

    def at(z):
        x = scales.plain(z[:, None])[:, 0]
        return prior.cost(x, z, scales.slopes(x[:, None])[:, 0])[0]

    np.testing.assert_allclose(slope, (at(z + 1e-6) - at(z - 1e-6)) / 2e-6, rtol=1e-6, atol=1e-8)
    share = (np.arange(20_000) + 0.5) / 20_000
    np.testing.assert_allclose(
        np.quantile(prior.draw(share), [0.1, 0.5, 0.9]), law.ppf([0.1, 0.5, 0.9]), rtol=1e-3
    )
    outside = Prior("uniform", 0.5, 0.6).cost(np.array([0.7]), np.array([0.7]), np.ones(1))[0]
    assert outside[0] == math.inf


def test_the_examples_of_the_page_run_and_print_what_it_says(tmp_path, monkeypatch, capsys):
    page = (Path(__file__).parents[2] / "docs" / "workshop.md").read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(block, names)
    said = "".join(re.findall(r"```text\n(.*?)```", page, re.DOTALL))
    assert capsys.readouterr().out == said
