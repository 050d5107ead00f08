"""`glueprint assay binding` from plate file and layout to tables, figure, JSON and exit codes."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint.assays.polarization import model, signal
from glueprint.cli.app import app
from glueprint.errors import InputError

LAYOUT = """
kind = "glueprint-layout"
version = 1
concentration_unit = "uM"

[[well]]
wells = "A1:B1"
role = "blank"

[[well]]
wells = "A2:B2"
role = "tracer_only"

[[well]]
wells = "A3:B3"
role = "tracer_protein"

[[well]]
wells = "A4:B11"
role = "competitor"
sample = "glue"
direction = "right"
concentration = { start = 100, factor = 10 }
"""
OPTIONS = {
    "protein-nm": 50, "protein-cv": 0.2, "tracer-nm": 5, "tracer-cv": 0.05, "tracer-kd-nm": 120,
    "tracer-kd-low": 90, "tracer-kd-high": 160, "g-factor": 1,
}  # fmt: skip
STATED = [word for name, value in OPTIONS.items() for word in (f"--{name}", str(value))]


@pytest.fixture
def files(tmp_path):
    """A plate of computed light, Ki 156.6 nM, and its layout."""
    doses = np.concatenate([[np.nan, np.inf, 0.0], 1e5 / 10.0 ** np.arange(8.0)])
    theta = np.array([[0.05, 0.2, np.log10(156.6), *np.log([50.0, 120.0, 5.0, 1.0])]])
    scatter = np.random.default_rng(2).normal(0.0, 0.001, (2, doses.size))
    r = model.anisotropy(theta, np.nan_to_num(doses, nan=0.0, posinf=np.inf)[None])[0][0] + scatter
    light = np.where(np.isnan(doses), 0.0, 50000.0)
    rows = [
        {"plate": "p1", "well": f"{'AB'[k]}{i + 1}", "channel": name, "value": round(values[k][i]) + 100,
         "unit": "count"}
        for name, values in zip(("parallel", "perpendicular"), signal.channels(r, light), strict=True)
        for k in range(2)
        for i in range(doses.size)
    ]  # fmt: skip
    plate, layout = tmp_path / "plate.csv", tmp_path / "layout.toml"
    pl.DataFrame(rows).write_csv(plate)
    layout.write_text(LAYOUT)
    return ["assay", "binding", str(plate), "--layout", str(layout)]


def invoke(arguments):
    return CliRunner().invoke(app, arguments, catch_exceptions=True)


def test_the_ki_and_everything_beside_it(files, tmp_path):
    figure, folder = tmp_path / "curve.svg", tmp_path / "tables"
    result = invoke([*files, *STATED, "--figure", str(figure), "--out", str(folder)])
    assert result.exit_code == 0, result.output
    for words in ("Ki (exact) = 1", "Cheng-Prusoff", "Quality", "share_protein"):
        assert words in result.output
    assert "<svg" in figure.read_text()
    fits = pl.read_csv(folder / "fits.csv")
    assert fits["ki_low_nm"][0] < 156.6 < fits["ki_high_nm"][0]
    assert pl.read_csv(folder / "potencies.csv")["kind"].to_list() == ["Ki", "IC50", "IC50"]


def test_json_holds_the_same_numbers(files):
    result = invoke([*files, *STATED, "--json"])
    assert result.exit_code == 0
    found = payload(result.stdout)
    assert found["potencies"][0]["kind"] == "Ki"
    assert found["potencies"][0]["value_nm"] == pytest.approx(156.6, rel=0.1)
    assert found["findings"] == []


def test_a_refused_ki_ends_with_1_and_still_shows_the_ic50(files):
    result = invoke([*files, "--protein-nm", "50", "--g-factor", "1"])
    assert result.exit_code == 1
    assert "GP-A064 refusal" in result.output
    assert "uncertainty of the protein" in result.output
    assert "IC50 (absolute) = " in result.output


def test_wells_can_be_left_out(files):
    result = invoke([*files, *STATED, "--exclude", "A4, B4=bubbles", "--json"])
    answer = payload(result.stdout)
    (finding,) = answer["findings"]
    assert (finding["code"], finding["where"]) == ("GP-A241", "A4, B4")
    assert {row["reason"] for row in answer["tables"]["excluded"]} == {"bubbles"}


@pytest.mark.parametrize(
    "options",
    [
        ["--protein-cv", "0.2"],
        ["--protein-nm", "50", "--protein-low", "40"],
        ["--tracer-kd-nm", "50", "--tracer-kd-cv", "0.1", "--tracer-kd-low", "40", "--tracer-kd-high", "60"],
        ["--tracer-nm", "-5"],
    ],
)
def test_half_an_uncertainty_is_refused(files, options):
    result = invoke([*files, *options])
    assert isinstance(result.exception, InputError)
    assert result.exception.code == "GP-A062"
    assert result.exception.exit_code == 2


def with_assay(files, tmp_path, text):
    """The layout with a table of conditions, in a file of its own."""
    path = tmp_path / "with_assay.toml"
    path.write_text(LAYOUT + "\n[assay]\n" + text, encoding="utf-8")
    return [*files[:4], str(path)]


def test_the_layout_may_state_the_conditions(files, tmp_path):
    text = "\n".join(f"{name.replace('-', '_')} = {value}" for name, value in OPTIONS.items())
    stated = invoke([*with_assay(files, tmp_path, text), "--json"])
    asked = invoke([*files, *STATED, "--json"])
    assert payload(stated.stdout)["potencies"] == payload(asked.stdout)["potencies"]


def test_an_option_takes_the_place_of_what_the_layout_states(files, tmp_path):
    text = "protein_nm = 9\nprotein_low = 8\nprotein_high = 10"
    both = invoke([*with_assay(files, tmp_path, text), *STATED, "--json"])
    asked = invoke([*files, *STATED, "--json"])
    assert payload(both.stdout)["potencies"] == payload(asked.stdout)["potencies"]


def test_a_condition_that_no_binding_assay_has_is_refused(files, tmp_path):
    result = invoke(with_assay(files, tmp_path, "protien_nm = 50"))
    assert isinstance(result.exception, InputError)
    assert result.exception.code == "GP-A062"
    assert "protein_nm" in result.exception.render()


def test_wrong_channel_names_are_refused(files):
    result = invoke([*files, "--parallel", "S"])
    assert isinstance(result.exception, InputError)
    assert result.exception.code == "GP-A060"
