"""A protocol that extends another is the other with what it changes, and says so where it cannot be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from glueprint import trials
from glueprint.errors import InputError
from glueprint.mechanism import compounds
from glueprint.trials.protocol.loading import load_protocol, protocol_from_text

HEAD = 'extends = "mm003"\nname = "mine"\ntitle = "Mine"\n'


def made(text):
    return protocol_from_text(HEAD + text, where="mine.toml")


def refused(text, code):
    with pytest.raises(InputError) as caught:
        protocol_from_text(text, where="mine.toml")
    assert caught.value.code == code
    return caught.value.render()


def test_three_lines_are_the_base_under_another_name():
    base = load_protocol("mm003")
    mine = made("")
    # What belongs to the base as a trial of its own is not carried over.
    assert (mine.registry, mine.sources) == ("", ())
    update = {"name": "mine", "title": "Mine", "registry": "", "sources": ()}
    assert mine == base.model_copy(update=update)
    assert trials.content_of(mine) == trials.content_of(base)


def test_one_number_changes_one_number():
    base = load_protocol("mm003")
    mine = made('[[arms]]\nname = "HiDEX"\npatients = 151\n')
    assert [arm.patients for arm in mine.arms] == [302, 151]
    assert mine.arms[0] == base.arms[0]
    assert mine.arms[1].drugs == base.arms[1].drugs
    # The claim is of 153 patients.
    assert (base.arms[1].sources, mine.arms[1].sources) == (("CL002",), ())


def test_a_drug_is_known_by_its_compound():
    mine = made(
        '[[arms]]\nname = "POM+LoDEX"\n'
        '[[arms.drugs]]\ncompound = "pomalidomide"\ndose_mg = 2\ndays = "1-14"\n'
    )
    glue, partner = mine.arms[0].drugs
    assert (glue.dose_mg, glue.days, partner.dose_mg) == (2.0, "1-14", 40.0)
    assert glue.rules == load_protocol("mm003").arms[0].drugs[0].rules
    # The arm itself is as in the base, so its source stands.
    assert mine.arms[0].sources == ("CL001",)


def test_arms_are_left_out_and_added():
    mine = made(
        'without = ["arms.HiDEX", "arms.POM+LoDEX.after_progression", "arms.POM+LoDEX.drugs.dexamethasone"]\n'
        '[[arms]]\nname = "more"\npatients = 302\n[[arms.drugs]]\ncompound = "dexamethasone"\ndose_mg = 20\n'
        'days = "1"\n[randomisation]\nratio = [1, 1]\nblocks_of = 2\n'
    )
    assert [(arm.name, len(arm.drugs)) for arm in mine.arms] == [("POM+LoDEX", 1), ("more", 1)]
    assert mine.arms[0].after_progression is None


def test_a_changed_distribution_needs_an_origin_of_its_own():
    assert "prior_lines" in refused(HEAD + "[case_mix]\nprior_lines = { median = 2 }\n", "GP-T013")
    mine = made('[case_mix]\nprior_lines = { median = 2, assumed = "an earlier line" }\n')
    assert mine.case_mix.prior_lines.median == 2
    assert mine.case_mix.prior_lines.sources == ()
    assert mine.case_mix.age_y == load_protocol("mm003").case_mix.age_y


def test_a_chain_of_files_with_paths_of_their_own(tmp_path):
    (tmp_path / "glues").mkdir()
    glue = tmp_path / "glues" / "glx.toml"
    glue.write_text(
        compounds.source("pomalidomide").replace('name = "pomalidomide"', 'name = "GLX"'), "utf-8"
    )
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "one.toml").write_text(
        'extends = "mm003"\nname = "one"\ntitle = "One"\nwithout = '
        '["arms.POM+LoDEX.drugs.pomalidomide", "arms.POM+LoDEX.after_progression"]\n'
        '[[arms]]\nname = "POM+LoDEX"\n[[arms.drugs]]\ncompound = "../glues/glx.toml"\ndose_mg = 1\n'
        'days = "1-21"\nrules = "none"\n',
        "utf-8",
    )
    two = tmp_path / "two.toml"
    two.write_text('extends = "base/one.toml"\nname = "two"\ntitle = "Two"\ncycle_days = 35\n', "utf-8")
    mine = load_protocol(two)
    assert (mine.name, mine.cycle_days) == ("two", 35)
    assert mine.arms[0].glue.name == "GLX"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ('extends = "mm03"\nname = "a"\ntitle = "A"\n', "GP-T001", "mm003"),
        ('extends = "mm003"\ntitle = "A"\n', "GP-T088", "no name"),
        ('extends = "mm003"\nname = "a"\n', "GP-T088", "no title"),
        ('extends = 3\nname = "a"\ntitle = "A"\n', "GP-T087", "3"),
        (HEAD + 'without = ["arms.HiDX"]\n', "GP-T089", 'did you mean "HiDEX"'),
        (HEAD + 'without = ["case_mix.age"]\n', "GP-T089", "age_y"),
        (HEAD + 'without = ["visits"]\n', "GP-T004", "visits"),
        (HEAD + "cycle_weeks = 4\n", "GP-T005", "cycle_weeks"),
    ],
)
def test_what_cannot_be_says_how_to_go_on(text, code, said):
    assert said in refused(text, code)


def test_a_ring_of_files_ends(tmp_path):
    for mine, other in (("a", "b"), ("b", "a")):
        text = f'extends = "{other}.toml"\nname = "{mine}"\ntitle = "{mine}"\n'
        (tmp_path / f"{mine}.toml").write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        load_protocol(tmp_path / "a.toml")
    assert caught.value.code == "GP-T087"


def test_the_example_of_the_page():
    page = (Path(__file__).parents[2] / "docs" / "trials.md").read_text("utf-8")
    example, looks = re.findall(r"```toml\n(extends = .*?)```", page, re.DOTALL)
    mine = protocol_from_text(example, where="page")
    calendar = protocol_from_text(looks, where="page")
    assert [cut.events for cut in calendar.data_cuts] == [150, 225, 300]
    assert calendar.follow_up.maximum_months == 36
    assert [(arm.name, arm.patients, arm.drugs[0].dose_mg) for arm in mine.arms] == [("POM+LoDEX", 100, 2.0)]


def test_all_findings_of_a_file_come_at_once():
    text = 'extends = "mm003"\nwithout = ["arms.Nobody", "case_mix.height"]\n[visits]\nwindow_days = -1\n'
    said = refused(text, "GP-T088")
    for part in ("no name", "no title", 'at "arms.Nobody"', 'at "case_mix.height"', "visits.window_days"):
        assert part in said, part
    # A base that cannot be read ends the looking, and what was found before is told with it.
    said = refused('extends = "mm9999"\n', "GP-T001")
    assert "no title (GP-T088)" in said


def test_a_check_gives_every_place_where_it_fails():
    days = '[[arms]]\nname = "{}"\n[[arms.drugs]]\ncompound = "dexamethasone"\ndays = "1,{}"\n'
    said = refused(HEAD + days.format("POM+LoDEX", 29) + days.format("HiDEX", 33), "GP-T009")
    assert "reach day 29" in said
    assert "reach day 33" in said
