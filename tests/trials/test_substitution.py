"""The same arm with another glue: the same patients, the same limits, doses in proportion."""

from __future__ import annotations

import pytest

from glueprint import trials
from glueprint.errors import InputError
from glueprint.mechanism import compounds

MM003 = trials.load_protocol("mm003")
OWN = compounds.load("pomalidomide")


def test_the_glue_itself_in_its_own_place_is_the_arm_as_written():
    written = trials.run(trials.alone(MM003, patients=15), seed=2)
    replaced = trials.run(trials.with_glue(MM003, OWN, dose_mg=4.0, patients=15), seed=2)
    assert written.patients.equals(replaced.patients)
    assert written.endpoints.equals(replaced.endpoints)


def test_another_glue_is_given_to_the_same_patients_at_first_and_later():
    other = compounds.load("lenalidomide")
    changed = trials.with_glue(MM003, other, dose_mg=25.0, days="1-14", patients=15)
    (arm,) = changed.arms
    assert arm.name == "lenalidomide 25 mg"
    assert [drug.days for drug in arm.drugs if drug.glue] == ["1-14"]
    assert {drug.glue.name for drug in arm.all_drugs if drug.glue} == {"lenalidomide"}
    covariates = ["patient", "sex", "age_y", "weight_kg"]
    mine, theirs = (trials.run(plan, seed=2) for plan in (changed, trials.alone(MM003, patients=15)))
    assert mine.patients.select(covariates).equals(theirs.patients.select(covariates))


@pytest.mark.parametrize("dose_mg", [0.3, 2.5, 7.0])
def test_rules_in_proportion_begin_at_the_dose_and_keep_the_limits(dose_mg):
    (arm,) = trials.with_glue(MM003, OWN, dose_mg=dose_mg, patients=5).arms
    law, written = arm.drugs[0].rules, trials.load_rules("pomalidomide-us-label")
    assert law.reductions.levels_mg[0] == dose_mg
    assert [level / dose_mg for level in law.reductions.levels_mg] == pytest.approx([1.0, 0.75, 0.5, 0.25])
    assert (law.anc, law.platelets) == (written.anc, written.platelets)
    assert "in proportion" in law.assumed


def test_a_fixed_dose_and_rules_of_ones_own_are_taken_as_they_are():
    fixed = trials.with_glue(MM003, OWN, dose_mg=6.0, rules="none", patients=5)
    assert fixed.arms[0].drugs[0].rules == "none"
    own = trials.load_rules("pomalidomide-us-label").model_copy(update={"compounds": ("any",)})
    kept = trials.with_glue(MM003, compounds.load("lenalidomide"), dose_mg=4.0, rules=own, patients=5)
    assert kept.arms[0].drugs[0].rules == own


@pytest.mark.parametrize(("arm", "code"), [("HiDEX", "GP-T079"), ("nobody", "GP-T070")])
def test_an_arm_without_a_glue_has_no_place_for_another(arm, code):
    with pytest.raises(InputError, match=code):
        trials.alone(MM003, arm)
