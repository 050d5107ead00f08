"""A course outside of what the fitted trials cover says so in Python, on the command line and in JSON."""

from __future__ import annotations

import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint import trials
from glueprint.cli.app import app
from glueprint.study.course import RANGES, Course, Patient, Plan, follow


def of(**asked):
    """What a plan is told, without following it."""
    return Course(Plan(**asked), *(None,) * 6).outside


def test_the_usual_course_lies_inside():
    assert of() == ()
    assert of(partner_mg=40.0, cycles=12) == ()
    assert of(dose_mg=0.0, days="") == ()


@pytest.mark.parametrize(
    "asked",
    [{"dose_mg": 400.0}, {"days": "1-28"}, {"kd_fold": 0.2}, {"efficacy_fold": 3}, {"clearance_fold": 0.5}],
)
def test_more_loss_of_a_substrate_than_any_fitted_trial_had_is_told(asked):
    (found,) = of(**asked)
    assert (found.code, found.field) == ("GP-T080", "dose_mg")
    assert "natural loss of IKZF1" in found.asked
    for name, value in asked.items():
        assert not name.endswith("fold") or f"{name.split('_')[0]} times {value:g}" in found.asked


def test_what_makes_up_for_a_fold_lies_inside():
    assert of(kd_fold=0.2, dose_mg=0.5) == of(clearance_fold=0.5, dose_mg=2.0) == ()


def test_a_trial_and_a_course_of_the_same_dose_are_told_the_same():
    mm003 = trials.load_protocol("mm003")
    drug = mm003.arms[0].drugs[0].model_copy(update={"dose_mg": 40.0, "rules": "none"})
    arm = mm003.arms[0].model_copy(update={"drugs": (drug, *mm003.arms[0].drugs[1:])})
    (trial,) = trials.outside(mm003.model_copy(update={"arms": (arm, *mm003.arms[1:])}))
    (course,) = of(dose_mg=40.0)
    assert (trial.asked, trial.covered) == (course.asked, course.covered)


@pytest.mark.parametrize("name", [name for name in RANGES if name in Patient.__dataclass_fields__])
def test_a_patient_that_no_fitted_trial_enrolled_is_told(name):
    mine, (least, most) = trials.NAMES_IN_CASE_MIX[name], RANGES[name]
    limits = [getattr(trials.load_protocol(one).case_mix, mine) for one in ("mm002", "mm003")]
    low, high = min(one.low for one in limits), max(one.high for one in limits)
    values = (least, max(low, least), min(high, most), most)
    told = {value: of(patient=Patient(**{name: value})) for value in values}
    assert [value for value in told if told[value]] == [value for value in told if not low <= value <= high]
    assert any(told.values())
    for found in (one for value in (least, most) for one in told[value]):
        assert (found.field, found.covered) == (mine, f"{low:g} to {high:g}")


def test_more_of_the_partner_is_told():
    (found,) = of(partner_mg=80.0)
    assert found.field == "partner_mg"
    assert "80 mg" in found.asked


def test_the_command_and_its_json_tell():
    asked = ["model", "course", "--dose", "400", "--cycles", "1"]
    shown = CliRunner().invoke(app, asked)
    assert shown.exit_code == 0
    assert "outside of what was fitted: dose_mg: pomalidomide 400 mg" in " ".join(shown.output.split())
    told = payload(CliRunner().invoke(app, [*asked, "--json"]).stdout)
    assert told["outside"] == [one.as_dict() for one in of(dose_mg=400.0, cycles=1)]
    usual = ["model", "course", "--cycles", "1"]
    assert "outside" not in CliRunner().invoke(app, usual).output
    assert payload(CliRunner().invoke(app, [*usual, "--json"]).stdout)["outside"] == []


def test_it_is_that_of_the_course_that_is_followed():
    assert [one.field for one in follow(Plan(dose_mg=400.0, cycles=1)).outside] == ["dose_mg"]
