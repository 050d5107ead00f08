"""Files of dose rules: read by name and path, refused field by field, all findings at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from glueprint import evidence, trials
from glueprint.errors import EnvironmentProblemError, InputError
from glueprint.trials.protocol.ladder import ladder
from glueprint.trials.protocol.rules_document import DoseRules, Lineage, OtherToxicity, Reductions
from glueprint.trials.protocol.rules_loading import NO_RULES, load_rules, rules_from_text, rules_in_force

TEMPLATE = trials.rules_template()
ARCHIVE = Path(__file__).parents[1] / "data-archive"
LABELS = ("lenalidomide-us-label", "pomalidomide-us-label")


def refusal(*changes):
    """The error of the template with texts replaced, each an (old, new)."""
    text = TEMPLATE
    for old, new in changes:
        assert old in text, "the template has changed; choose another text to spoil"
        text = text.replace(old, new, 1)
    with pytest.raises(InputError) as caught:
        rules_from_text(text, where="mine.toml")
    error = caught.value
    assert error.where.startswith("mine.toml")
    assert error.message
    assert error.expected
    assert error.next_step
    return error


def test_what_comes_with_glueprint():
    assert trials.available_rules() == LABELS
    for name in LABELS:
        assert load_rules(name).name == name
        assert load_rules(name).compounds == (name.split("-")[0],)


@pytest.mark.parametrize("name", LABELS)
def test_every_evidence_id_exists(name):
    known = set(evidence.load().frame["id"])
    rooms = {claim.rstrip("0123456789abc") for claim in known}
    cited = {claim for claim in load_rules(name).sources if claim.rstrip("0123456789abc") in rooms}
    assert cited
    assert cited <= known


def test_the_template_explains_itself_and_loads(tmp_path):
    assert rules_from_text(TEMPLATE, where="template").name == "my-rules"
    path = tmp_path / "mine.toml"
    trials.write_rules_template(path)
    assert load_rules(path) == rules_from_text(TEMPLATE, where="template")
    with pytest.raises(InputError, match="GP-T022"):
        trials.write_rules_template(path)
    with pytest.raises(EnvironmentProblemError, match="GP-T023"):
        trials.write_rules_template(tmp_path / "absent" / "mine.toml")


def test_the_template_speaks_of_every_field():
    parts = (DoseRules, Reductions, Lineage, OtherToxicity)
    for field in (name for part in parts for name in part.model_fields):
        assert re.search(rf"\b{field}\b", TEMPLATE), field


def test_version_1_is_still_read():
    old = load_rules(ARCHIVE / "0.1.0" / "rules" / "pomalidomide-us-label.toml")
    new = load_rules("pomalidomide-us-label")
    for part in ("compounds", "anc", "platelets", "other_toxicity", "counts_while_held_every_days"):
        assert getattr(old, part) == getattr(new, part)
    for start_mg in (4.0, 3.0, 2.0, 1.0):
        assert ladder(old.reductions, start_mg) == ladder(new.reductions, start_mg)


def test_version_1_whose_limits_disagree():
    path = ARCHIVE / "0.1.0" / "rules" / "pomalidomide-us-label.toml"
    text = path.read_text("utf-8").replace(
        "resume_anc_at_least_1e9_per_l = 0.5", "resume_anc_at_least_1e9_per_l = 0.4"
    )
    with pytest.raises(InputError, match=r"GP-T067 old\.toml.*resume at 0\.4"):
        rules_from_text(text, where="old.toml")


def test_the_newest_version_is_named_for_one_that_is_not_known():
    assert refusal(("version = 2", "version = 3")).code == "GP-T062"


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        ("version = 2", 'version = "2"', "GP-T062", "version"),
        ('kind = "glueprint-dose-rules"', 'kind = "glueprint-trial"', "GP-T062", "kind"),
        ("[anc]", "[anc", "GP-T061", "line"),
        ('title = "Rules of my trial"\n', "", "GP-T063", "title"),
        ("hold_below_1e9_per_l = 25\n", "", "GP-T063", "platelets.hold_below_1e9_per_l"),
        ("hold_days = 14", "hold_day = 14", "GP-T063", "other_toxicity.hold_days"),
        ("hold_days = 14", "hold_days = 14\nfever = 38.5", "GP-T064", "other_toxicity.fever"),
        ("hold_days = 14", "hold_days = 14.5", "GP-T065", "other_toxicity.hold_days"),
        ("levels_mg = [4, 3, 2, 1]\nat", "levels_mg = 4\nat", "GP-T065", "reductions.levels_mg"),
        ("hold_below_1e9_per_l = 0.5", 'hold_below_1e9_per_l = "0.5"', "GP-T065", "anc.hold_below_1e9_per_l"),
        ("hold_below_1e9_per_l = 0.5", "hold_below_1e9_per_l = -1", "GP-T066", "anc.hold_below_1e9_per_l"),
        ('later_falls = "lower"', 'later_falls = "lowr"', "GP-T066", "anc.later_falls"),
        ('at_lowest = "stop"', 'at_lowest = "keep"', "GP-T066", "reductions.at_lowest"),
        ("levels_mg = [4, 3, 2, 1]\nat", "levels_mg = [4, 0]\nat", "GP-T066", "reductions.levels_mg[1]"),
        ("[4, 3, 2, 1]\nat", "[4, 3, 3, 1]\nat", "GP-T067", "reductions"),
        ("levels_mg = [4, 3, 2, 1]\nat", "at", "GP-T067", "reductions"),
        ("levels_mg = [4, 3, 2, 1]\nat", "step_mg = 1\nat", "GP-T067", "reductions"),
        ("[4, 3, 2, 1]\nat", "[4, 3, 2, 1]\nstep_mg = 1\nat", "GP-T067", "reductions"),
        ("[4, 3, 2, 1]\nat", "[4, 3, 2, 1]\nfirst_mg = 3\nat", "GP-T067", "reductions"),
        (
            "levels_mg = [4, 3, 2, 1]\nat",
            "step_mg = 1\nlowest_mg = 1\nfirst_mg = 0.5\nat",
            "GP-T067",
            "reductions",
        ),
        (
            "levels_mg = [4, 3, 2, 1]\nat",
            'step_mg = 1\nlowest_mg = 1\nother_starts = "next level"\nat',
            "GP-T067",
            "reductions",
        ),
        (
            "levels_mg = [4, 3, 2, 1]\nat",
            "step_percent = 100\nlowest_mg = 1\nat",
            "GP-T066",
            "reductions.step_percent",
        ),
        ("resume_at_least_1e9_per_l = 50", "resume_at_least_1e9_per_l = 5", "GP-T067", "platelets"),
        ('compounds = ["pomalidomide"]', 'compounds = ["any", "pomalidomide"]', "GP-T067", "compounds"),
        ('compounds = ["pomalidomide"]', "compounds = []", "GP-T066", "compounds"),
        ('assumed = "an example"', 'assumed = ""', "GP-T067", "assumed"),
    ],
)
def test_bad_fields(old, new, code, field):
    error = refusal((old, new))
    assert error.code == code
    assert field in error.where


def test_all_findings_come_at_once():
    error = refusal(
        ('name = "my-rules"', 'name = "My Rules"'),
        ('assumed = "an example"', ""),
        ("levels_mg = [4, 3, 2, 1]\nat", "levels_mg = [1, 2]\nat"),
        ("hold_below_1e9_per_l = 0.5", "hold_below_1e9_per_l = 5"),
        ("resume_at_least_1e9_per_l = 50", "resume_at_leest_1e9_per_l = 50"),
        ('later_falls = "lower"', 'later_falls = "never"'),
        ("hold_days = 14", "hold_days = -1"),
    )
    assert error.code == "GP-T066"
    assert error.where == "mine.toml, name"
    for place in (
        "assumed: nothing says where the rules come from (GP-T067)",
        "reductions: levels_mg [1.0, 2.0] do not fall (GP-T067)",
        "anc.later_falls",
        "platelets.resume_at_least_1e9_per_l: is missing (GP-T063)",
        'platelets.resume_at_leest_1e9_per_l: is not known (did you mean "resume_at_least_1e9_per_l"?)',
        "other_toxicity.hold_days",
    ):
        assert place in error.message


def test_unknown_names_and_paths(tmp_path):
    with pytest.raises(InputError, match=r'GP-T015 .*did you mean "pomalidomide-us-label"') as caught:
        load_rules("pomalidomide-label")
    assert "lenalidomide-us-label" in caught.value.expected
    with pytest.raises(InputError, match="GP-T060"):
        load_rules("absent.toml", tmp_path)
    with pytest.raises(InputError, match=r"GP-T060.*no file can have this name"):
        load_rules("a\0b.toml", tmp_path)
    with pytest.raises(InputError, match="GP-T015"):
        load_rules(tmp_path)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="GP-T060"):
        load_rules(binary)
    with pytest.raises(InputError, match="GP-T015"):
        trials.rules_text("template")


def test_paths_are_relative_to_the_folder(tmp_path):
    (tmp_path / "my rules").write_text(TEMPLATE)
    loaded = load_rules("my rules", tmp_path)
    assert loaded.name == "my-rules"
    assert load_rules(loaded) is loaded
    assert load_rules(tmp_path / "my rules", tmp_path / "elsewhere") == loaded


def test_no_rules():
    assert rules_in_force(None) is None
    assert rules_in_force(NO_RULES) is None
    assert rules_in_force("pomalidomide-us-label") is load_rules("pomalidomide-us-label")
