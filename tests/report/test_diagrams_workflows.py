"""Work flows and schemas: complete, in order, true to the commands and the protocols they name."""

from __future__ import annotations

import re
from typing import get_args

import pytest
import typer.main

from glueprint import trials
from glueprint.cli.app import app
from glueprint.report import diagrams
from glueprint.report.diagrams import flow, pictures, schema, workflow
from glueprint.trials.protocol.schedule import parse_days

FLOWS = workflow.workflow_names()


@pytest.mark.parametrize("name", FLOWS)
def test_steps_stand_in_order_with_all_their_words(name):
    found = workflow.read(name)
    text = flow.draw(found)
    titles = [step.title for step in found.step]
    places = [text.index(f">{title}<") for title in titles]
    assert places == sorted(places)
    for step in found.step:
        assert all(f">{line}<" in text for line in step.lines)
    assert all(f">{control.title}<" in text for control in found.control)


@pytest.mark.parametrize("name", FLOWS)
def test_every_command_exists(name):
    root = typer.main.get_command(app)
    for step in workflow.read(name).step:
        assert bool(step.command) == (step.place == "glueprint")
        if step.command:
            program, group, command = step.command.split()
            assert program == "glueprint"
            assert command in root.commands[group].commands


def test_the_guides_assays_have_a_work_flow():
    assert {"fp_competition", "tnf_elisa", "western_blot", "proliferation"} <= set(FLOWS)


def test_every_picture_is_drawn_and_used():
    used = {step.picture for name in FLOWS for step in workflow.read(name).step}
    assert used == set(get_args(pictures.Picture)) == set(pictures.DRAWN)


@pytest.mark.parametrize("name", trials.available())
def test_a_schema_says_what_its_protocol_says(name):
    protocol = trials.load_protocol(name)
    text = diagrams.svg(f"trial_{name}")
    assert f">{protocol.patients} patients<" in text
    assert f">{':'.join(map(str, protocol.randomisation.ratio))}<" in text
    for arm in protocol.arms:
        assert f">{arm.name}<" in text
        assert f">n = {arm.patients}<" in text
    given = [len(parse_days(drug.days)) for arm in protocol.arms for drug in arm.drugs]
    assert len(re.findall('fill-opacity="0.85"', text)) == sum(given)


def test_a_trial_of_ones_own_has_a_schema(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(trials.template().replace('"POM"', '"NEW"'))
    assert ">NEW<" in diagrams.svg(str(path)) or schema.draw(trials.load_protocol(path))
    assert diagrams.title(str(path)) == trials.load_protocol(path).title


def test_what_is_assumed_after_progression_stays_within_its_box():
    protocol = trials.load_protocol("mm003")
    words = {"assumed": "the delay, and that " * 12}
    arms = [
        arm.model_copy(update={"after_progression": arm.after_progression.model_copy(update=words)})
        for arm in protocol.arms
    ]
    drawn = schema.draw(protocol.model_copy(update={"arms": tuple(arms)}))
    boxes = re.findall(rf'<rect x="{schema.AFTER[0]:g}" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', drawn)
    ends = sorted({float(y) + float(height) for y, height in boxes})
    lines = [float(y) for y in re.findall(r'y="([\d.]+)"[^>]*font-style="italic"', drawn)]
    assert len(ends) == 2
    assert len(lines) >= 8
    first = [y for y in lines if y < ends[0]]
    assert ends[0] - max(first) >= 5
    assert ends[1] - max(lines) >= 5
    assert len(first) == len(lines) / 2
