"""`glueprint synthesis` and `glueprint compound` over the same functions."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from glueprint.cli.chemistry import compound_app, synthesis_app
from glueprint.errors import EnvironmentProblemError, InputError


def printed(app, *words, code=0):
    result = CliRunner().invoke(app, list(words), env={"COLUMNS": "300"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


def test_check_ends_with_one_and_names_reagent_and_remedy():
    assert "3-nitrophthalic anhydride" in printed(synthesis_app, "check", code=1)
    said = json.loads(printed(synthesis_app, "check", "--json", code=1))
    assert said["routes"] == {"A": [], "B": []}
    assert [finding["code"] for finding in said["findings"]] == ["CH-route-product"]


def test_list_and_show_name_routes_and_steps():
    assert [row["name"] for row in json.loads(printed(synthesis_app, "list", "--json"))] == ["A", "B"]
    assert "Boc-L-glutamine" in printed(synthesis_app, "list")
    assert "nitro reduction" in printed(synthesis_app, "show", "A")
    assert json.loads(printed(synthesis_app, "show", "B", "--json"))["target"] == "pomalidomide"


def test_plan_prints_grams():
    said = json.loads(printed(synthesis_app, "plan", "A", "--grams", "10", "--json"))
    assert said["materials"][0]["grams"] == pytest.approx(10.8729, abs=1e-3)
    assert "10.873" in printed(synthesis_app, "plan", "A")
    with pytest.raises(InputError, match="GP-H006"):
        printed(synthesis_app, "plan", "A", "--grams", "-1")


def test_compounds_carry_their_safety_note():
    assert "teratogen" in printed(compound_app, "show", "pomalidomide")
    assert json.loads(printed(compound_app, "show", "(S)-pomalidomide", "--json"))["stereo"] == "S"
    assert "UVSMNLNDYGZFPF-UHFFFAOYSA-N" in printed(compound_app, "list")
    assert len(json.loads(printed(compound_app, "list", "--json"))) > 10


def test_drawings_go_to_a_file_or_to_standard_output(tmp_path):
    printed(compound_app, "draw", "lenalidomide", "--out", str(tmp_path / "x.svg"))
    assert (tmp_path / "x.svg").read_text(encoding="utf-8").startswith("<?xml")
    assert "</svg>" in printed(compound_app, "draw", "lenalidomide")
    with pytest.raises(EnvironmentProblemError, match="GP-H008"):
        printed(compound_app, "draw", "lenalidomide", "--out", str(tmp_path / "none" / "x.svg"))
