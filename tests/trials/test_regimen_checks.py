"""Rules, conditions and G-CSF without effect, and drugs given twice, are refused; schedules are free."""

from __future__ import annotations

import pytest

from glueprint import trials
from glueprint.errors import InputError
from glueprint.mechanism import compounds
from glueprint.trials.conduct.conducting import conduct
from glueprint.trials.patients.chance import Stream
from glueprint.trials.patients.population import draw_population, model_parameters
from glueprint.trials.protocol.checks import check_protocol
from glueprint.trials.protocol.loading import protocol_from_text
from glueprint.trials.protocol.regimen_checks import known_conditions
from glueprint.trials.protocol.regimen_rules import drugs_of

TEMPLATE = trials.template()
DEX = 'compound = "dexamethasone"\ndose_mg = 40\ndays = "1,8,15,22"\n'
GLUE = 'compound = "pomalidomide"             # a name or a file from here; at most one glue per arm\n'


def spoilt(old, new, count=1):
    assert old in TEMPLATE, "the template has changed; choose another text to spoil"
    return protocol_from_text(TEMPLATE.replace(old, new, count), where="my.toml")


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        (
            'gcsf = "none"\ngcsf_fold = 10',
            'gcsf = "primary"\ngcsf_fold = 1',
            "GP-T050",
            "supportive_care",
        ),
        ("gcsf_until_1e9_per_l = 1.0", "gcsf_until_1e9_per_l = 0.4", "GP-T050", "supportive_care"),
        ('gcsf = "none"', 'gcsf = "always"', "GP-T007", "supportive_care.gcsf"),
        ("gcsf_days = 7", "gcsf_days = 0", "GP-T007", "supportive_care.gcsf_days"),
        ("gcsf_fold = 10", "gcsf_folds = 10", "GP-T005", "supportive_care.gcsf_folds"),
        (DEX, DEX + 'rules = "pomalidomide-us-label"\n', "GP-T051", "arms[0].drugs[1].rules"),
        (
            'name = "POM 2 mg"\n',
            'name = "POM 2 mg"\nconditions = ["fluvoxamin"]\n',
            "GP-T052",
            "arms[1].conditions",
        ),
        ("keep_current = false", "keep_current = true", "GP-T053", "arms[1].after_progression"),
        ('days = "1-21"', 'days = "1-21/0"', "GP-T009", "arms[0].drugs[0].days"),
        ('days = "1-21"', 'days = "2-30/7"', "GP-T009", "arms[0].drugs[0].days"),
    ],
)
def test_what_would_do_nothing_or_twice(old, new, code, field):
    with pytest.raises(InputError) as caught:
        spoilt(old, new)
    error = caught.value
    assert error.code == code
    assert "my.toml" in error.where
    assert field in error.where
    assert error.expected
    assert error.next_step


def test_gcsf_without_any_glue():
    text = TEMPLATE.replace('gcsf = "none"', 'gcsf = "secondary"')
    for line in (GLUE, 'compound = "pomalidomide"\n'):
        text = text.replace(line, 'compound = "dexamethasone"\n')
    text = text.replace('rules = "pomalidomide-us-label"       # holds', "# holds")
    text = text.replace('rules = "pomalidomide-us-label"\n', "").replace("[[arms.drugs]]\n" + DEX, "")
    text = text.replace(
        "above_age = { age_y = 75, dose_mg = 20 }  # another dose above an age; may be left out\n", ""
    )
    text = text.replace("above_age = { age_y = 75, dose_mg = 20 }\n", "")
    with pytest.raises(InputError, match="GP-T050") as caught:
        protocol_from_text(text, where="my.toml")
    assert "supportive_care.gcsf" in caught.value.where


def test_the_nearest_condition_is_offered():
    with pytest.raises(InputError, match='did you mean "fluvoxamine"'):
        spoilt('name = "POM 2 mg"\n', 'name = "POM 2 mg"\nconditions = ["fluvoxamin"]\n')


def test_fluvoxamine_halves_the_clearance_of_its_arm_alone():
    # PK026: the area under the curve becomes 225.1 %, so clearance 1/2.251 of what it was.
    assert "fluvoxamine" in known_conditions(compounds.load("pomalidomide"))
    plain = protocol_from_text(TEMPLATE, where="my.toml")
    plan = spoilt('name = "POM 2 mg"\n', 'name = "POM 2 mg"\nconditions = ["fluvoxamine"]\n')
    stream = Stream(1, plan.name, 1)
    people = draw_population(plan, stream)
    usual, slowed = (model_parameters(which, people, stream)["clearance_l_per_h"] for which in (plain, plan))
    ratio = usual / slowed
    assert ratio[people.arm == 0] == pytest.approx(1.0)
    assert ratio[people.arm == 1] == pytest.approx(2.251, rel=2e-3)


def test_alternate_days_give_half_the_doses():
    whole = spoilt('days = "1-21"', 'days = "1-28"', -1)
    half = spoilt('days = "1-21"', 'days = "1-28/2"', -1)
    stream = Stream(1, whole.name, 1)
    planned = [
        conduct(plan, draw_population(plan, stream), stream).ward.dosing.planned_mg for plan in (whole, half)
    ]
    assert planned[1].sum() / planned[0].sum() == pytest.approx(0.5, abs=0.06)


def test_a_cycle_may_have_any_length():
    plan = spoilt("cycle_days = 28", "cycle_days = 42", 1)
    stream = Stream(1, plan.name, 1)
    done = conduct(plan, draw_population(plan, stream), stream)
    assert done.ward.dosing.planned_mg.sum() > 0


LABEL = 'rules = "pomalidomide-us-label"'
LEVELS = "levels_mg = [4, 3, 2, 1]\nat"


def with_rules(folder, text, name="slow rules.toml"):
    """The template as a protocol in a folder, all its glues under rules of a file beside it."""
    (folder / name).write_text(text)
    protocol = TEMPLATE.replace(LABEL, f'rules = "{name}"')
    path = folder / "my trial.toml"
    path.write_text(protocol)
    return path


def rules_text(*changes):
    text = trials.rules_template()
    for old, new in changes:
        assert old in text, "the template has changed; choose another text to spoil"
        text = text.replace(old, new, 1)
    return text


def test_rules_of_a_file_beside_the_protocol(tmp_path, monkeypatch):
    path = with_rules(tmp_path, trials.rules_template())
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    plan = trials.load_protocol(path)
    rules = [drug.rules for arm in plan.arms for _, drug in drugs_of(arm) if drug.name == "pomalidomide"]
    assert rules == [trials.load_rules(tmp_path / "slow rules.toml")] * 3
    # The protocol holds the rules from now on, also when it is kept and read back.
    (tmp_path / "slow rules.toml").unlink()
    assert trials.Protocol.model_validate_json(plan.model_dump_json()) == plan
    check_protocol(plan, "kept")


def test_rules_may_be_written_out_in_the_protocol():
    rules = trials.load_rules("pomalidomide-us-label").model_dump()
    plan = trials.load_protocol("mm003")
    data = plan.model_dump()
    data["arms"][0]["drugs"][0]["rules"] = rules
    written = trials.Protocol.model_validate(data)
    assert written.arms[0].drugs[0].rules == trials.load_rules("pomalidomide-us-label")
    assert written != plan


def small(plan):
    arms = tuple(arm.model_copy(update={"patients": 20}) for arm in plan.arms)
    return plan.model_copy(update={"arms": arms})


def doses(plan):
    """Doses of the glue in force at the visits of the first arm."""
    visits = trials.run(small(plan), seed=1).visits.filter(arm="POM 4 mg", period="treatment")
    return visits, set(visits["dose_mg"]) - {0.0}


def test_rules_of_a_file_act(tmp_path):
    percent = rules_text((LEVELS, "step_percent = 25\nlowest_mg = 2\nat"), ('"stop" ', '"stay" '))
    path = with_rules(tmp_path, percent)
    found, given = doses(trials.load_protocol(path))
    assert {4.0, 3.0, 2.25} <= given <= {4.0, 3.0, 2.25, 2.0}
    rarely = percent.replace("held_every_days = 7", "held_every_days = 28")
    later, _ = doses(trials.load_protocol(with_rules(tmp_path, rarely)))
    assert (later["action"] == "held").sum() < (found["action"] == "held").sum()


def test_rules_for_any_compound_and_content_not_name_decide(tmp_path):
    text = trials.rules_text("pomalidomide-us-label").replace('["pomalidomide"]', '["any"]')
    plan = trials.load_protocol(with_rules(tmp_path, text))
    named = protocol_from_text(TEMPLATE, where="my.toml")
    mine, theirs = (trials.run(small(one), seed=1).patients for one in (plan, named))
    assert mine.equals(theirs)


def test_no_rules_said_aloud_are_a_fixed_dose():
    visits, given = doses(spoilt(LABEL, 'rules = "none"', -1))
    assert given == {4.0}
    assert set(visits["action"]) == {""}


def test_a_glue_without_rules():
    with pytest.raises(InputError, match=r"GP-T068 my\.toml, arms\[0\]\.drugs\[0\]\.rules") as caught:
        spoilt("\n" + LABEL, "\n#", -1)
    assert "arms[1].after_progression.drugs[0].rules" in caught.value.message
    assert 'rules = "none"' in caught.value.expected


def test_dexamethasone_may_say_that_it_has_none():
    spoilt(DEX, DEX + 'rules = "none"\n', -1)


@pytest.mark.parametrize("bad", ["5", "true", "[]"])
def test_rules_that_are_no_name(bad):
    with pytest.raises(InputError, match=r"GP-T006 my\.toml, arms\[0\]\.drugs\[0\]\.rules: ") as caught:
        spoilt(LABEL, f"rules = {bad}")
    assert '"none"' in caught.value.expected


@pytest.mark.parametrize(
    ("dose_mg", "changes", "code"),
    [
        (8, [], "GP-T069"),
        (2.5, [], "GP-T069"),
        (0.5, [], "GP-T069"),
        (1, [], ""),
        (8, [(LEVELS, 'other_starts = "next level"\n' + LEVELS)], ""),
        (0.5, [(LEVELS, 'other_starts = "next level"\n' + LEVELS)], "GP-T069"),
        (8, [(LEVELS, "step_mg = 1\nlowest_mg = 1\nat")], ""),
        (0.5, [(LEVELS, "step_mg = 1\nlowest_mg = 1\nat")], "GP-T069"),
    ],
)
def test_starting_doses(tmp_path, dose_mg, changes, code):
    path = with_rules(tmp_path, rules_text(*changes))
    path.write_text(path.read_text().replace("dose_mg = 4\n", f"dose_mg = {dose_mg}\n", 1))
    if not code:
        assert trials.load_protocol(path).arms[0].drugs[0].dose_mg == dose_mg
        return
    with pytest.raises(InputError, match=code) as caught:
        trials.load_protocol(path)
    assert f"{dose_mg:g} mg of pomalidomide" in caught.value.message
    assert "arms[0].drugs[0].dose_mg" in caught.value.where
    assert ("at least 1 mg" if changes else "levels 4, 3, 2, 1 mg") in caught.value.expected


def test_a_starting_dose_above_an_age():
    older = 'days = "1-21"\nabove_age = { age_y = 75, dose_mg = 3.5 }\n'
    with pytest.raises(InputError, match=r"GP-T069 .*above_age\.dose_mg: 3\.5 mg"):
        spoilt('days = "1-21"\n', older)


def test_rules_of_another_drug(tmp_path):
    with pytest.raises(InputError, match="GP-T051") as caught:
        spoilt(LABEL, 'rules = "lenalidomide-us-label"')
    assert "are for lenalidomide, not for pomalidomide" in caught.value.message
    assert "glueprint trial rules template" in caught.value.next_step
    for owner in ("any", "dexamethasone"):
        name = f"{owner}.toml"
        path = with_rules(tmp_path, rules_text(('["pomalidomide"]', f'["{owner}"]')), name)
        path.write_text(TEMPLATE.replace(DEX, DEX + f'rules = "{name}"\n', 1))
        with pytest.raises(InputError, match=r"GP-T051 .*drugs\[1\].*whose dose is fixed"):
            trials.load_protocol(path)


def test_all_findings_of_rules_and_protocol_come_at_once(tmp_path):
    bad = rules_text(("hold_days = 14", "hold_days = -1"), ("version = 2", 'version = 2\nmore = "x"'))
    path = with_rules(tmp_path, bad)
    text = path.read_text().replace('rules = "slow rules.toml"', 'rules = "absent.toml"', 1)
    path.write_text(text)
    with pytest.raises(InputError, match="GP-T060") as caught:
        trials.load_protocol(path)
    error = caught.value
    assert error.where.endswith(f"my trial.toml, arms[0].drugs[0].rules, {tmp_path / 'absent.toml'}")
    assert "arms[1].drugs[0].rules" in error.message
    assert "slow rules.toml, other_toxicity.hold_days" in error.message
    assert "more: is not known" in error.message
    # The checks of a protocol come together as well.
    with pytest.raises(InputError, match="GP-T016") as caught:
        protocol_from_text(
            TEMPLATE.replace('name = "POM 2 mg"', 'name = "POM 4 mg"')
            .replace("dose_mg = 4\n", "dose_mg = 8\n")
            .replace("cuts = [75] ", ""),
            where="my.toml",
        )
    for code in ("GP-T018", "GP-T069"):
        assert code in caught.value.message
