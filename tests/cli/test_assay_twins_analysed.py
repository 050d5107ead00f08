"""The commands in the README of a twin run in its folder, and every analysis says that it is simulated."""

from __future__ import annotations

import shlex

import polars as pl
import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint.assays import twins
from glueprint.cli import assay
from glueprint.errors import InputError

RUN = CliRunner()
SMALL = {
    "fp": ("ki_nm={pomalidomide = 156.6}",),
    "elisa": ("donors=2",),
    "blot": ("experiments=2", "lane_px=24", "targets={IKZF1 = {}}"),
    "growth": ("experiments=2", 'doubling_time_h={"line A" = 26.0}'),
}


@pytest.mark.parametrize("protocol", twins.PROTOCOLS)
def test_the_commands_of_the_readme_run_and_draw(protocol, tmp_path, monkeypatch):
    twin = twins.simulate(protocol, seed=3, changes=SMALL[protocol])
    twins.write(twin, tmp_path)
    monkeypatch.chdir(tmp_path)
    told = (tmp_path / "README.txt").read_text(encoding="utf-8")
    for command in twin.commands:
        assert command in told
        first, group, *words = shlex.split(command)
        assert (first, group) == ("glueprint", "assay")
        found = RUN.invoke(assay.app, words)
        assert found.exit_code == 0, found.output
        assert "GP-A054 note" in found.output
    assert list(tmp_path.glob("*.svg"))


@pytest.mark.parametrize("protocol", ["fp", "elisa", "growth"])
def test_every_analysis_of_a_simulated_plate_says_so(protocol, tmp_path, monkeypatch):
    twins.write(twins.simulate(protocol, seed=3, changes=SMALL[protocol]), tmp_path)
    monkeypatch.chdir(tmp_path)
    analysis = {"fp": "binding"}.get(protocol, protocol)
    for command in (analysis, "plate"):
        words = [command, "plate.txt", "--layout", "layout.toml"]
        printed = RUN.invoke(assay.app, words).output
        assert "GP-A054 note" in printed
        assert f"by glueprint assay twin {protocol}, seed 3" in printed
        found = payload(RUN.invoke(assay.app, [*words, "--json"]).output)
        assert [row["code"] for row in found["findings"]].count("GP-A054") == 1


def test_a_growth_plate_gives_findings_of_every_kind_as_a_table(tmp_path):
    twins.write(twins.simulate("growth", seed=3, changes=SMALL["growth"]), tmp_path)
    out = tmp_path / "out"
    words = [
        "growth",
        str(tmp_path / "plate.txt"),
        "--layout",
        str(tmp_path / "layout.toml"),
        "--out",
        str(out),
    ]
    assert RUN.invoke(assay.app, words).exit_code == 0
    assert "GP-A054" in pl.read_csv(out / "findings.csv")["code"].to_list()


def test_a_table_that_names_plates_and_wells_is_still_a_table(tmp_path):
    rows = [("p", f"{row}1", "1", 0.0, 1.0) for row in "ABC"]
    rows += [("p", f"A{n}", "1", 10.0**n, 1.0 / (1.0 + 10.0**n / 1000.0)) for n in range(2, 7)]
    names = ["plate", "well", "unit", "dose_nm", "viability"]
    table = pl.DataFrame(rows, schema=names, orient="row")
    table.write_csv(tmp_path / "wells.csv")
    found = RUN.invoke(assay.app, ["growth", str(tmp_path / "wells.csv"), "--json"])
    assert found.exit_code == 0, found.output
    with pytest.raises(InputError, match="GP-A158"):
        RUN.invoke(
            assay.app,
            ["growth", str(tmp_path / "wells.csv"), "--channel", "x", "--column", "dose_nm=dose_nm"],
            catch_exceptions=False,
        )


def test_several_tables_of_lanes_are_joined(tmp_path):
    rows = [
        (dose, time, 1.0 / (1.0 + dose * time / 100.0)) for dose in (0, 10, 100, 1000) for time in (1, 6, 24)
    ]
    table = pl.DataFrame(rows, schema=["dose_nm", "time_h", "fraction_remaining"], orient="row")
    files = [str(tmp_path / f"{name}.csv") for name in "ab"]
    for name, file in zip("ab", files, strict=True):
        table.with_columns(experiment=pl.lit(name), simulated=pl.lit("yes")).write_csv(file)
    found = payload(RUN.invoke(assay.app, ["degradation", *files, "--json"]).output)
    codes = [row["code"] for row in found["findings"]]
    assert codes.count("GP-A191") == codes.count("GP-A054") == 1
    assert found["tables"]["points"][0]["experiments"] == 2
    out = tmp_path / "out"
    printed = RUN.invoke(assay.app, ["degradation", *files, "--out", str(out)]).output
    assert "GP-A191 note" in printed
    assert {"GP-A191", "GP-A054"} <= set(pl.read_csv(out / "findings.csv")["code"])
    pl.read_csv(files[1]).drop("simulated").write_csv(files[1])
    with pytest.raises(InputError, match="GP-A190"):
        RUN.invoke(assay.app, ["degradation", *files], catch_exceptions=False)
