"""Rules, conditions and G-CSF without effect, and drugs given twice, are refused; schedules are free."""

from __future__ import annotations

import pytest

from glueprint import trials
from glueprint.errors import InputError
from glueprint.trials.conduct import conduct
from glueprint.trials.loading import protocol_from_text
from glueprint.trials.population import Stream, draw_population, model_parameters
from glueprint.trials.regimen_checks import known_conditions

TEMPLATE = trials.template()
DEX = 'compound = "dexamethasone"\ndose_mg = 40\ndays = "1,8,15,22"\n'
GLUE = 'compound = "pomalidomide"             # at most one glue per arm; a wrong name lists the known ones\n'


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
    assert "fluvoxamine" in known_conditions("pomalidomide")
    plain = protocol_from_text(TEMPLATE, where="my.toml")
    plan = spoilt('name = "POM 2 mg"\n', 'name = "POM 2 mg"\nconditions = ["fluvoxamine"]\n')
    stream = Stream(1, plan.name, 1)
    people = draw_population(plan, stream)
    usual, slowed = (
        model_parameters(which, people, stream)[0]["clearance_l_per_h"] for which in (plain, plan)
    )
    ratio = usual / slowed
    assert ratio[people.arm == 0] == pytest.approx(1.0)
    assert ratio[people.arm == 1] == pytest.approx(2.251, rel=2e-3)


def test_alternate_days_give_half_the_doses():
    whole = spoilt('days = "1-21"', 'days = "1-28"', -1)
    half = spoilt('days = "1-21"', 'days = "1-28/2"', -1)
    stream = Stream(1, whole.name, 1)
    planned = [conduct(plan, draw_population(plan, stream), stream).ward.planned_mg for plan in (whole, half)]
    assert planned[1].sum() / planned[0].sum() == pytest.approx(0.5, abs=0.06)


def test_a_cycle_may_have_any_length():
    plan = spoilt("cycle_days = 28", "cycle_days = 42", 1)
    stream = Stream(1, plan.name, 1)
    done = conduct(plan, draw_population(plan, stream), stream)
    assert done.ward.planned_mg.sum() > 0
