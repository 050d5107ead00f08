"""Which glue a trial gives: a name, a path and a value are one drug, arms may differ, others are refused."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from glueprint import trials
from glueprint.errors import InputError
from glueprint.mechanism import compounds
from glueprint.trials.protocol.document import Drug, Protocol
from glueprint.trials.protocol.loading import protocol_from_text

MM003 = trials.load_protocol("mm003")
POMALIDOMIDE = compounds.load("pomalidomide")


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


def test_a_name_a_path_and_a_value_are_the_same_drug(tmp_path):
    (tmp_path / "a glue.toml").write_text(compounds.source("pomalidomide"), encoding="utf-8")
    text = trials.source("mm003").replace('compound = "pomalidomide"', 'compound = "a glue.toml"')
    (tmp_path / "my trial.toml").write_text(text, encoding="utf-8")
    by_path = trials.load_protocol(tmp_path / "my trial.toml")
    assert by_path == MM003
    by_value = Drug(compound=POMALIDOMIDE, dose_mg=4, days="1-21", rules="pomalidomide-us-label")
    assert by_value == MM003.arms[0].drugs[0]
    assert Protocol.model_validate_json(by_path.model_dump_json()) == by_path


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
