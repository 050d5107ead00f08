"""Which glue a trial gives: a name, a path and a value are one drug, a copy is the same, none is none."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from glueprint import trials
from glueprint.errors import InputError
from glueprint.mechanism import compounds
from glueprint.trials.loading import protocol_from_text
from glueprint.trials.protocol import Drug, Protocol

MM003 = trials.load_protocol("mm003")
POMALIDOMIDE = compounds.load("pomalidomide")
COPY = POMALIDOMIDE.model_copy(update={"name": "copy"})
# What is known without a dose: what happened to the patient. The others count doses.
DOSES = ("days_on_drug", "relative_dose_intensity")


def giving(arm, compound=None, **changes):
    """An arm with another glue in the place of its own, at first and later."""
    changes |= {} if compound is None else {"compound": compound}
    then = arm.after_progression
    drugs, later = (
        tuple(drug.model_copy(update=changes) if drug.glue else drug for drug in given)
        for given in (arm.drugs, then.drugs if then else ())
    )
    return arm.model_copy(
        update={"drugs": drugs, "after_progression": then and then.model_copy(update={"drugs": later})}
    )


def run(*arms, sizes=(60, 30)):
    """A small MM-003 of these arms, at fixed doses."""
    small = [
        giving(arm, rules="none").model_copy(update={"patients": size})
        for arm, size in zip(arms, sizes, strict=True)
    ]
    return trials.run(MM003.model_copy(update={"arms": tuple(small)}), seed=2)


def alone(arm):
    return arm.model_copy(update={"after_progression": None})


def changed(field, to):
    """Pomalidomide with another number in its pharmacology."""
    pharmacology = POMALIDOMIDE.pharmacology.model_copy(update={field: to})
    return POMALIDOMIDE.model_copy(update={"name": "glx", "pharmacology": pharmacology})


def test_a_name_a_path_and_a_value_are_the_same_drug(tmp_path):
    (tmp_path / "a glue.toml").write_text(compounds.source("pomalidomide"), encoding="utf-8")
    text = trials.source("mm003").replace('compound = "pomalidomide"', 'compound = "a glue.toml"')
    (tmp_path / "my trial.toml").write_text(text, encoding="utf-8")
    by_path = trials.load_protocol(tmp_path / "my trial.toml")
    assert by_path == MM003
    by_value = Drug(compound=POMALIDOMIDE, dose_mg=4, days="1-21", rules="pomalidomide-us-label")
    assert by_value == MM003.arms[0].drugs[0]
    assert Protocol.model_validate_json(by_path.model_dump_json()) == by_path


def test_a_copy_under_another_name_gives_the_same_bits():
    own, copy = (run(*(giving(arm, glue) for arm in MM003.arms)).patients for glue in (POMALIDOMIDE, COPY))
    assert_frame_equal(own, copy, check_exact=True)


def test_two_arms_of_one_drug_under_two_names_differ_by_chance_alone():
    both = [giving(MM003.arms[0], glue) for glue in (POMALIDOMIDE, COPY)]
    arms = (both[0], both[1].model_copy(update={"name": "the copy"}))
    found = run(*arms, sizes=(300, 150)).endpoints
    for endpoint in ("hr_pfs", "hr_os"):
        row = found.filter(pl.col("endpoint") == endpoint).row(0, named=True)
        assert row["low"] < 1 < row["high"]


def test_a_dose_of_nothing_is_the_partner_alone():
    first, control = map(alone, MM003.arms)
    partner = first.model_copy(update={"drugs": first.drugs[1:]})
    nothing, none = (run(arm, control).patients.drop(DOSES) for arm in (giving(first, dose_mg=0.0), partner))
    assert_frame_equal(nothing, none, check_exact=True)


@pytest.mark.parametrize("what", ["efficacy", "affinity"])
def test_a_glue_that_does_nothing_is_the_partner_alone(what):
    first, control = map(alone, MM003.arms)
    efficacy = {
        name: quantity.model_copy(update={"typical": 0.0})
        for name, quantity in POMALIDOMIDE.pharmacology.efficacy.items()
    }
    weak = POMALIDOMIDE.kd().model_copy(update={"typical": 1e8})
    glue = changed("efficacy", efficacy) if what == "efficacy" else changed("kd_nm", weak)
    partner = first.model_copy(update={"drugs": first.drugs[1:]})
    useless, none = (run(arm, control).patients for arm in (giving(first, glue), partner))
    for column in ("os_months", "pfs_months", "best_change_pct"):
        assert_frame_equal(useless.select(column), none.select(column), abs_tol=1e-3, rel_tol=1e-3)
    assert useless["best_response"].equals(none["best_response"])


def test_response_and_neutropenia_rise_with_potency():
    kd = POMALIDOMIDE.kd()
    glues = [changed("kd_nm", kd.model_copy(update={"typical": kd.typical * k})) for k in (10.0, 1.0, 0.1)]
    for endpoint in ("orr", "neutropenia_grade_3_4"):
        rates = [
            run(giving(alone(MM003.arms[0]), glue), alone(MM003.arms[1]))
            .endpoints.filter((pl.col("endpoint") == endpoint) & (pl.col("arm") == MM003.arms[0].name))[
                "value"
            ]
            .item()
            for glue in glues
        ]
        assert rates[0] < rates[1] < rates[2], endpoint


def test_arms_of_one_trial_may_give_different_glues():
    lenalidomide = compounds.load("lenalidomide")
    arms = (MM003.arms[0], giving(MM003.arms[0], lenalidomide).model_copy(update={"name": "LEN"}))
    result = run(*arms)
    assert result.failed == 0
    assert result.protocol.glues == (POMALIDOMIDE, lenalidomide)
    own = run(arms[0], arms[0].model_copy(update={"name": "LEN"})).patients
    # The patients of the first arm do not know what the others are given.
    mine = pl.col("arm") == MM003.arms[0].name
    assert_frame_equal(result.patients.filter(mine), own.filter(mine), abs_tol=1e-3, rel_tol=1e-3)
    assert not result.patients.filter(~mine)["os_months"].equals(own.filter(~mine)["os_months"])


def test_what_is_no_drug_is_refused_with_the_field_and_what_to_do(tmp_path):
    text = trials.template()
    for given, code in (('"no such.toml"', "GP-M002"), ('"pomalidomid"', "GP-T008"), ("4", "GP-T006")):
        with pytest.raises(InputError, match=code) as caught:
            protocol_from_text(
                text.replace('compound = "pomalidomide"', f"compound = {given}", 1), where="my.toml"
            )
        assert caught.value.next_step
    with pytest.raises(InputError, match=r"GP-T008 .*did you mean \"pomalidomide\""):
        protocol_from_text(text.replace('"pomalidomide" ', '"pomalidomid" ', 1), where="my.toml")
