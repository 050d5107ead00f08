"""The maps say exactly what their models say, and refuse to drift."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from glueprint import engine, report, trials
from glueprint.errors import InputError
from glueprint.mechanism import Scenario, models
from glueprint.report import diagrams
from glueprint.report.diagrams import checks, layout, network, palette, scenes, section
from glueprint.report.figures import theme

PARTS = files("glueprint.report.diagrams") / "data" / "parts"
MAPS = layout.map_names()


def tables_of(part):
    return tomllib.loads((PARTS / f"{part}.toml").read_text("utf-8"))


def check_monocyte(change, system=None):
    """Hold the monocyte's part, after a change of its tables, to its model or to another one."""
    tables = tables_of("monocyte")
    change(tables)
    chart = layout.MapFile.model_validate(
        {
            **{"kind": "map", "version": 1, "name": "test", "title": "", "caption": "", "size": (300, 400)},
            "models": ({"part": "monocyte", "model": "culture_monocyte"},),
            "parts": ({"part": "medium"}, {"part": "monocyte"}),
        }
    )
    parts = {
        "medium": layout.part_of(tables_of("medium"), "medium"),
        "monocyte": layout.part_of(tables, "monocyte"),
    }
    networks = {"monocyte": system or network.shipped("culture_monocyte", "reduced")}
    checks.check(scenes.build(chart, parts, networks), parts, networks)


@pytest.mark.parametrize("name", MAPS)
def test_every_species_and_process_of_the_models_stands_on_the_map_and_nothing_else(name):
    drawn = diagrams.scene(name)
    species, processes = set(), set()
    for use in drawn.chart.models:
        model = models.build(use.model, Scenario.of(form=use.form))
        medium = set(models.build("culture_endothelium", Scenario.of()).reactions) - {"vegf", "bfgf"}
        species |= {one if one.startswith("drug_") else f"{use.part}/{one}" for one in model.species}
        processes |= {one if one in medium else f"{use.part}/{one}" for one in model.reactions}
    assert {node.species for node in drawn.nodes.values()} == species
    assert set(drawn.steps) == processes


def nothing(tables):
    pass


def test_the_part_as_it_is_passes():
    check_monocyte(nothing)


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("GP-P023", lambda t: t["place"].pop("tnf")),
        ("GP-P023", lambda t: t["process"].pop("secretion")),
        ("GP-P024", lambda t: t["place"].update(il6=t["place"]["tnf"])),
        ("GP-P024", lambda t: t["process"].update(uptake=t["process"]["secretion"])),
        ("GP-P024", lambda t: t["place"]["tnf"].update(area="nucleus")),
        ("GP-P025", lambda t: t["process"]["secretion"].update(makes={"tnf_mrna": []})),
        ("GP-P025", lambda t: t["process"]["secretion"].pop("source")),
        ("GP-P025", lambda t: t["process"]["secretion"].update(sink=[1, 1])),
        ("GP-P026", lambda t: t["process"]["secretion"].pop("by")),
        ("GP-P026", lambda t: t["process"]["secretion"]["by"].update(ikzf=[])),
    ],
)
def test_a_map_that_differs_from_its_model_is_refused(code, change):
    with pytest.raises(InputError) as caught:
        check_monocyte(change)
    assert caught.value.code == code


def test_a_model_that_has_changed_is_noticed():
    """A species that the module gains, and one that it loses, are both named."""
    text = models.source("culture_monocyte", Scenario.of()).replace("tnf_removal", "tnf_uptake")
    with pytest.raises(InputError, match=r"tnf_uptake.*tnf_removal"):
        check_monocyte(nothing, network.read(engine.compile(text)))


def test_the_class_of_a_modulation_is_the_sign_of_the_derivative():
    found = network.read(
        engine.compile(
            """model small
            species A, B, C, D, E;
            make: -> A; k * (1 + B) / (1 + C);
            needs: -> B; k * D;
            both: -> E; k * (1 + (A - 0.5)^2);
            swap: C -> D; k * (C - D);
            A = 1; B = 1; C = 1; D = 1; E = 1; k = 0.3;
            end"""
        )
    )
    assert found.reactions["make"].modulators == {"B": "stimulation", "C": "inhibition"}
    assert found.reactions["needs"].modulators == {"D": "necessary stimulation"}
    assert found.reactions["both"].modulators == {"A": "modulation"}
    assert found.reactions["swap"].reversible
    assert not found.reactions["make"].reversible


def test_signs_of_the_biology():
    """What the modules' comments say: facts of the evidence, not of the drawing."""
    t_cell = network.shipped("culture_nk", "reduced").reactions
    monocyte = network.shipped("culture_monocyte", "reduced").reactions
    assert t_cell["ap1"].modulators == {"ikzf1": "inhibition", "ikzf3": "inhibition"}
    assert monocyte["transcription"].modulators == {"ikzf1": "stimulation", "ikzf3": "stimulation"}
    assert monocyte["mrna_decay"].modulators == {"ikzf1": "inhibition", "ikzf3": "inhibition"}


@pytest.mark.parametrize("name", diagrams.names())
def test_themes_differ_only_in_colour(name):
    light, dark = diagrams.svg(name, "light"), diagrams.svg(name, "dark")
    assert light == diagrams.svg(name)
    assert light != dark
    assert len(light) == len(dark)
    assert "#1c1b19" not in dark


def test_unknown_names_are_refused(tmp_path):
    with pytest.raises(InputError, match=r'GP-P022.*did you mean "pathway"'):
        diagrams.svg("pathwey")
    with pytest.raises(InputError, match="GP-P028"):
        diagrams.svg("pathway", "sepia")
    with pytest.raises(InputError, match="GP-P029"):
        diagrams.save("immune", tmp_path / "map.gif")


@pytest.mark.parametrize(("text", "code"), [("a =", "GP-P020"), ('kind = "map"\nversion = 1', "GP-P021")])
def test_a_file_that_is_no_part_is_refused(text, code, tmp_path):
    path = tmp_path / "part.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        layout.part_of(layout.documents.read(path, layout.CODES), str(path))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("ending", "start"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("sbgn", b"<?xml")]
)
def test_diagrams_are_written(ending, start, tmp_path):
    path = diagrams.save("immune", tmp_path / f"map.{ending}")
    assert path.read_bytes().startswith(start)


def test_the_examples_of_the_page_run():
    page = (Path(__file__).parents[2] / "docs" / "diagrams.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(example, "docs/diagrams.md", "exec"), {})
    for name in MAPS:
        assert f"`{name}`" in page


def test_dark_colours_are_those_of_the_page():
    style = files("glueprint.report").joinpath("templates", "tokens.css").read_text("utf-8")
    light, dark = (dict(re.findall(r"--([\w-]+): (#\w+);", block)) for block in style.split("{")[1:3])
    for name, token in {
        "ink": theme.INK,
        "muted": theme.MUTED,
        "grid": theme.GRID,
        "paper": theme.PAPER,
    }.items():
        assert palette.DARK[token] == dark[name]
    for token, value in palette.DARK.items():
        assert any(light[name] == token and dark[name] == value for name in light), token


def test_the_report_shows_pathway_assays_and_the_schema_of_its_trial(small_input):
    trial = dataclasses.replace(small_input.trials["mm003"], protocol=trials.load_protocol("mm003"))
    html = report.render(dataclasses.replace(small_input, trials={"mm003": trial}))
    for name in (*section.PATHWAY, *section.ASSAYS, "trial-mm003"):
        assert f'id="diagram-{name}"' in html
    assert "n = 302" in html
    assert "Schema of the trial" not in report.render(small_input)
