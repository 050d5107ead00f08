"""What a study's trials were run with: its compound's numbers, and what draws of a fit put in their place."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from glueprint import study, trials
from glueprint.calibration import clinical
from glueprint.errors import InputError
from glueprint.mechanism import Scenario, compounds, parameters
from glueprint.study import plates, profiles
from glueprint.study.definition import ProfileRequest
from glueprint.study.inputs import parameter_table

MM003 = trials.load_protocol("mm003")
SHIPPED = (files("glueprint.mechanism") / "data" / "compounds" / "pomalidomide.toml").read_text("utf-8")
STUDY = """
kind = "glueprint-study"
version = 1
name = "own"
title = "A study of GLX"
compound = "the glue.toml"
[[trials]]
protocol = "own trial.toml"
[profiles]
patients = 20
days = 2
"""


def glx(*changes: tuple[str, str]) -> str:
    """Pomalidomide's file as that of another glue."""
    text = SHIPPED.replace('name = "pomalidomide"', 'name = "GLX"', 1)
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def folder_with(folder: Path, compound: str, protocol: str, plan: str = STUDY) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "the glue.toml").write_text(compound, encoding="utf-8")
    (folder / "own trial.toml").write_text(protocol, encoding="utf-8")
    path = folder / "study.toml"
    path.write_text(plan, encoding="utf-8")
    return path


def own_trial(compound: str = "the glue.toml", rules: str = "none") -> str:
    text = trials.source("mm003").replace('name = "mm003"', 'name = "own"', 1)
    text = text.replace('compound = "pomalidomide"', f'compound = "{compound}"')
    return text.replace('rules = "pomalidomide-us-label"', f'rules = "{rules}"')


def row(table, name):
    return table.row(by_predicate=pl.col("name") == name, named=True)


def test_the_most_probable_draw_stands_beside_typical_values():
    compound, draws = compounds.load("pomalidomide"), clinical.posterior().central(MM003)
    table = parameter_table(compound, draws)
    given = draws.truth(1).overrides
    growth = row(table, "growth_per_d")
    assert (growth["fitted"], growth["fitted_low"], growth["fitted_high"]) == (
        given["growth_per_d"],
        None,
        None,
    )
    assert growth["typical"] == parameters.typical(Scenario(compound))["growth_per_d"] != growth["fitted"]
    # A rho follows the capacity of its cell; clearance is in no draw.
    assert row(table, "ikzf1_myeloma_rho")["fitted"] == pytest.approx(given["ikzf1_myeloma_capacity"])
    assert row(table, "clearance_l_per_h")["fitted"] is None


def test_another_compound_is_shown_with_numbers_of_its_own():
    """Its affinity moves with the reference's by their ratio; the table never shows that of the reference."""
    kd = compounds.load("pomalidomide").kd()
    fifth = compounds.load("pomalidomide").pharmacology.model_copy(
        update={"kd_nm": kd.model_copy(update={"typical": kd.typical / 5})}
    )
    other = compounds.load("pomalidomide").model_copy(update={"name": "GLX", "pharmacology": fifth})
    draws = clinical.posterior().for_trial(MM003, count=40)
    mine, reference = (
        row(parameter_table(one, draws), "kd_nm") for one in (other, compounds.load("pomalidomide"))
    )
    assert mine["typical"] == kd.typical / 5
    for name in ("fitted", "fitted_low", "fitted_high"):
        assert mine[name] == pytest.approx(reference[name] / 5)
    values = draws.values[:, draws.names.index("kd_nm")]
    assert reference["fitted"] == pytest.approx(np.median(values))
    assert reference["fitted_low"] < reference["fitted"] < reference["fitted_high"]


def test_the_other_structure_of_the_tumour_has_its_own_rows():
    draws = clinical.posterior("two-clone").central(MM003)
    compound = compounds.load("pomalidomide")
    names = set(parameter_table(compound, draws)["name"])
    assert names == set(parameters.typical(Scenario(compound, "two-clone")))
    assert names != set(parameters.typical(Scenario(compound)))


def test_a_study_resolves_paths_from_its_own_folder_and_shows_its_compound(tmp_path, monkeypatch):
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    path = folder_with(tmp_path / "my study", glx(("typical = 264.0,", "typical = 52.8,")), own_trial())
    result = study.run(path, tmp_path / "out")
    assert {arm.glue.name for arm in result.trials["own"].protocol.arms} == {"GLX"}
    assert row(result.tables["parameters"], "kd_nm")["typical"] == 52.8
    series = result.tables["profiles"].filter(profile="pk")["series"].unique().to_list()
    assert series == ["GLX in plasma"]
    # The time courses are of the same numbers as the trials.
    truth = clinical.posterior().central(result.trials["own"].protocol).truth(1)
    plan = study.load(path)
    protocol = plan.load_protocol(plan.trials[0])
    again = profiles.compute(protocol, plan.load_compound(), plan.profiles, plan.seed, truth=truth)
    assert again.equals(result.tables["profiles"])


@pytest.mark.parametrize(
    ("protocol", "words"),
    [
        (own_trial("pomalidomide", "pomalidomide-us-label"), 'its trial "own" doses pomalidomide'),
        (own_trial("other.toml"), 'its trial "own" doses GLX of another content'),
    ],
)
def test_a_study_whose_trial_doses_another_compound_is_refused(tmp_path, protocol, words):
    path = folder_with(tmp_path, glx(), protocol)
    (tmp_path / "other.toml").write_text(glx(("typical = 264.0,", "typical = 52.8,")), encoding="utf-8")
    with pytest.raises(InputError, match="GP-S011") as caught:
        study.run(path, tmp_path / "out")
    assert words in str(caught.value)
    assert "the study is about GLX" in str(caught.value)
    assert "trial file" not in caught.value.next_step  # there is a file of the user's already
    assert not (tmp_path / "out").exists()


def test_a_trial_that_comes_with_glueprint_is_copied_first(tmp_path):
    plan = STUDY.replace("own trial.toml", "mm003")
    with pytest.raises(InputError, match="GP-S011") as caught:
        study.run(folder_with(tmp_path, glx(), "", plan), tmp_path / "out")
    assert "glueprint trial file mm003 > my-mm003.toml" in caught.value.next_step


def test_simulated_plates_are_of_their_own_compound_or_refused(tmp_path):
    plan = STUDY + '[plates]\nprotocols = ["fp"]\n'
    with pytest.raises(InputError, match="GP-S012") as caught:
        study.run(folder_with(tmp_path, glx(), own_trial(), plan), tmp_path / "out")
    assert "GLX" in str(caught.value)
    assert "leave [plates] out" in caught.value.next_step
    assert not (tmp_path / "out").exists()


def test_which_compound_the_twins_simulate():
    own = compounds.load("pomalidomide")
    assert plates.is_of(own, plates.ANALYSES)
    assert not plates.is_of(compounds.load("lenalidomide"), ["fp"])
    assert not plates.is_of(own.model_copy(update={"name": "GLX"}), ["fp"])
    weaker = own.kd().model_copy(update={"typical": 500.0})
    changed = own.pharmacology.model_copy(update={"kd_nm": weaker})
    assert not plates.is_of(own.model_copy(update={"pharmacology": changed}), ["fp"])


def test_profiles_follow_the_numbers_of_the_trials():
    """They move with the parameters that a fit puts in the place of the typical ones."""
    compound, request = compounds.load("pomalidomide"), ProfileRequest(patients=20, days=1)
    truth = clinical.posterior().central(MM003).truth(1)
    typical = profiles.compute(MM003, compound, request, 1)
    fitted = profiles.compute(MM003, compound, request, 1, truth=truth)
    ikaros = [table.filter(series="Ikaros, myeloma cells")["value"].min() for table in (typical, fitted)]
    assert ikaros[0] != pytest.approx(ikaros[1], rel=1e-3)
