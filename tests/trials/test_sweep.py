"""Dose and schedule questions: the variants, the patients they share, and the table."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from glueprint import trials
from glueprint.errors import InputError
from glueprint.mechanism import compounds
from glueprint.trials import SWEPT, SweepSettings, sweep
from glueprint.trials.patients.chance import Stream
from glueprint.trials.patients.draws import ParameterDraws
from glueprint.trials.patients.population import draw_population, model_parameters
from glueprint.trials.protocol.loading import protocol_from_text
from glueprint.trials.protocol.variants import Variant, apply, arm_of, compound_of, grid, lone
from glueprint.trials.running import run
from glueprint.trials.sweep import differences

ARM = "POM 4 mg"
PLAN = protocol_from_text(trials.template(), where="template")
WRITTEN = lone(PLAN, PLAN.arms[0])


def changed(**about):
    return apply(WRITTEN, "pomalidomide", Variant(**about), gcsf_fold=10.0)


def patients(protocol):
    return draw_population(protocol, Stream(1, protocol.name, 1))


def clearance(protocol):
    people = patients(protocol)
    return model_parameters(protocol, people, Stream(1, protocol.name, 1))["clearance_l_per_h"], people


def test_every_combination_in_its_words():
    names = [str(v) for v in grid(dose_mg=[2, 4], days=["1-21", "1-28/2"], condition=["fluvoxamine"])]
    assert names == [
        "2 mg, days 1-21, fluvoxamine",
        "2 mg, days 1-28/2, fluvoxamine",
        "4 mg, days 1-21, fluvoxamine",
        "4 mg, days 1-28/2, fluvoxamine",
    ]
    assert [str(v) for v in grid()] == ["as written"]
    odd = Variant(gcsf="primary", condition="none", creatinine_clearance_ml_per_min=(15, 30))
    assert str(odd) == "G-CSF primary, no condition, CrCl 15 to 30 mL/min"


def test_only_what_is_asked_about_changes():
    variant = changed(dose_mg=2.0, days="1-28/2")
    drug, dexamethasone = variant.arms[0].drugs
    assert (drug.dose_mg, drug.days) == (2.0, "1-28/2")
    assert dexamethasone == WRITTEN.arms[0].drugs[1]
    assert variant.case_mix == WRITTEN.case_mix
    assert changed(gcsf="secondary").supportive_care.gcsf_fold == 10.0
    assert changed(gcsf="none") == WRITTEN


def test_variants_share_their_patients():
    one, other = patients(WRITTEN), patients(changed(dose_mg=1.0, days="1-28", condition="fluvoxamine"))
    for name, values in one.values.items():
        np.testing.assert_array_equal(values, other.values[name])
    np.testing.assert_array_equal(one.cut_day, other.cut_day)


def test_fluvoxamine_divides_every_clearance_by_the_same_number():
    (effect,) = [e for e in compounds.load("pomalidomide").pk.covariate if e.covariate == "fluvoxamine"]
    ratio = clearance(changed(condition="fluvoxamine"))[0] / clearance(WRITTEN)[0]
    np.testing.assert_allclose(ratio, effect.coefficient, rtol=1e-12)


def test_renal_impairment_moves_clearance_as_in_the_compound_file():
    """Li 2017: CL/F is 3.71 + 0.0469 min(CrCl, 37.7) L/h (PK104 to PK108)."""
    impaired, people = clearance(changed(creatinine_clearance_ml_per_min=(15.0, 37.0)))
    crcl = people.values["creatinine_clearance_ml_per_min"]
    assert crcl.min() >= 15.0
    assert crcl.max() <= 37.0
    whole, others = clearance(WRITTEN)
    before = np.minimum(others.values["creatinine_clearance_ml_per_min"], 37.7)
    expected = (3.71 + 0.0469 * crcl) / (3.71 + 0.0469 * before)
    np.testing.assert_allclose(impaired / whole, expected, rtol=1e-3)


@pytest.fixture(scope="module")
def found():
    variants = grid(dose_mg=[1.0, 4.0], gcsf=["none", "primary"])
    return sweep(PLAN, variants, arm=ARM, settings=SweepSettings(replicates=3, gcsf_fold=10.0))


def test_the_table_has_every_endpoint_of_every_variant(found):
    assert found.variants == (
        "1 mg, G-CSF none",
        "1 mg, G-CSF primary",
        "4 mg, G-CSF none (as written)",
        "4 mg, G-CSF primary",
    )
    assert found.table.height == 4 * len(SWEPT)
    assert found.table.get_column("endpoint").to_list() == list(SWEPT) * 4
    reference = found.table.filter("reference")
    assert reference.get_column("variant").unique().to_list() == ["4 mg, G-CSF none (as written)"]
    assert set(reference.drop_nulls("difference").get_column("difference")) == {0.0}
    assert found.table.get_column("replicates").to_list() == [3] * found.table.height
    assert (found.arm, found.compound) == (ARM, "pomalidomide")


def test_the_reference_is_the_trial_of_that_arm_alone(found):
    alone = run(WRITTEN, replicates=3, seed=1).endpoints.filter(endpoint="orr").get_column("value")
    row = found.table.filter("reference", endpoint="orr").to_dicts()[0]
    assert (row["value"], row["low"], row["high"]) == (alone.median(), alone.min(), alone.max())


def test_differences_are_taken_replicate_by_replicate(found):
    variant = run(changed(dose_mg=1.0), replicates=3, seed=1).endpoints
    alone = run(WRITTEN, replicates=3, seed=1).endpoints
    for endpoint in ("orr", "neutropenia_grade_3_4"):
        pairs = [table.filter(endpoint=endpoint).get_column("value") for table in (variant, alone)]
        row = found.table.filter(variant="1 mg, G-CSF none", endpoint=endpoint).to_dicts()[0]
        assert row["difference"] == (pairs[0] - pairs[1]).median()


def difference(found, variant, endpoint):
    return found.table.filter(variant=variant, endpoint=endpoint).get_column("difference")[0]


def test_less_drug_costs_response_and_spares_neutrophils(found):
    assert difference(found, "1 mg, G-CSF none", "orr") < 0
    assert difference(found, "1 mg, G-CSF none", "neutropenia_grade_3_4") < 0


def test_g_csf_spares_neutrophils(found):
    assert difference(found, "4 mg, G-CSF primary", "neutropenia_grade_3_4") < -10
    assert difference(found, "4 mg, G-CSF primary", "dose_reduction") <= 0


def test_the_number_of_processes_changes_nothing(elsewhere):
    variants = grid(days=["1-28"])
    one, two = (
        sweep(
            PLAN, variants, arm=ARM, settings=SweepSettings(replicates=2, patients=8, workers=workers)
        ).table
        for workers in (1, 2)
    )
    assert [choice.workers for choice in elsewhere] == [1, 2]
    assert one.equals(two)
    assert one.get_column("variant").unique(maintain_order=True).to_list() == ["as written", "days 1-28"]


def test_variants_of_a_calibrated_arm_are_predicted():
    draws = ParameterDraws(("study_death_ratio",), np.array([[1.0], [1.2]]), label="calibrated")
    settings = SweepSettings(replicates=2, patients=6, draws=draws)
    table = sweep(PLAN, [Variant(dose_mg=2.0)], arm=ARM, settings=settings).table
    labels = dict(table.select("variant", "label").unique().iter_rows())
    assert labels == {"as written": "calibrated", "2 mg": "predicted"}


def test_progress_ends_at_one():
    shares = []
    how = SweepSettings(replicates=2, patients=4)
    sweep(PLAN, [Variant(dose_mg=2.0)], arm=ARM, settings=how, progress=shares.append)
    assert shares == [0.5, 1.0]  # the two trials of a variant are conducted at once


@pytest.mark.parametrize(
    ("code", "about", "words"),
    [
        ("GP-T072", {"dose_mg": -1.0}, "dose -1"),
        ("GP-T072", {"dose_mg": math.inf}, "dose inf"),
        ("GP-T073", {"days": "1-"}, 'cannot read "1-"'),
        ("GP-T073", {"days": "1-30"}, "day 30 of a cycle of 28 days"),
        ("GP-T074", {"gcsf": "primry"}, 'did you mean "primary"?'),
        ("GP-T075", {"creatinine_clearance_ml_per_min": (60.0, 30.0)}, "60 to 30"),
        ("GP-T075", {"creatinine_clearance_ml_per_min": (1.0, 2.0)}, "1 to 2"),
        ("GP-T076", {"condition": "fluvoxamin"}, 'did you mean "fluvoxamine"?'),
    ],
)
def test_variants_that_cannot_be(code, about, words):
    with pytest.raises(InputError) as caught:
        changed(**about)
    assert caught.value.code == code
    assert words in str(caught.value)
    assert all((caught.value.where, caught.value.expected, caught.value.next_step))


def test_g_csf_needs_a_level():
    bare = WRITTEN.model_copy(update={"supportive_care": type(WRITTEN.supportive_care)()})
    with pytest.raises(InputError, match="GP-T074"):
        apply(bare, "pomalidomide", Variant(gcsf="secondary"))


def test_g_csf_starts_where_it_is_asked_to():
    variant = apply(
        WRITTEN, "pomalidomide", Variant(gcsf="secondary"), gcsf_fold=5.0, gcsf_below_1e9_per_l=1.5
    )
    care = variant.supportive_care
    assert (care.gcsf_fold, care.gcsf_below_1e9_per_l, care.gcsf_until_1e9_per_l) == (5.0, 1.5, 1.5)
    with pytest.raises(InputError, match="GP-T074"):
        apply(WRITTEN, "pomalidomide", Variant(gcsf="secondary"), gcsf_below_1e9_per_l=0.0)


def test_an_unknown_arm_and_an_unknown_compound():
    with pytest.raises(InputError, match=r'GP-T070.*did you mean "POM 4 mg"'):
        arm_of(PLAN, "POM 4mg")
    with pytest.raises(InputError, match=r'GP-T071.*did you mean "pomalidomide"'):
        compound_of(PLAN.arms[0], "pomalidomid")
    assert compound_of(PLAN.arms[0], None) == "pomalidomide"


def test_a_level_of_g_csf_that_no_variant_gives():
    for how in (SweepSettings(1, gcsf_fold=5.0), SweepSettings(1, gcsf_below_1e9_per_l=1.0)):
        with pytest.raises(InputError, match="GP-T074"):
            sweep(PLAN, [Variant(dose_mg=2.0)], arm="POM 4 mg", settings=how)


def test_a_sweep_without_a_question():
    for variants in ([], [Variant()], [Variant(dose_mg=4.0)]):
        with pytest.raises(InputError, match="GP-T077"):
            sweep(PLAN, variants, arm=ARM, settings=SweepSettings(replicates=1, patients=2))


@pytest.mark.parametrize("about", [{"replicates": 0}, {"patients": 0}, {"seed": -1}, {"workers": 0}])
def test_settings_out_of_range(about):
    with pytest.raises(InputError, match="GP-T021"):
        SweepSettings(**about)


def test_a_median_that_one_variant_does_not_reach_has_no_difference():
    found = differences(pl.Series([math.inf, math.inf, 5.0, 3.0]), pl.Series([math.inf, 4.0, math.inf, 1.0]))
    assert found.tolist() == [math.inf, -math.inf, 2.0]


def test_dose_rules_are_varied_as_well(tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text(trials.rules_template().replace('"stop" ', '"stop"\nother_starts = "next level" ', 1))
    variants = grid(dose_mg=[8.0], rules=["none", str(mine)])
    table = sweep(PLAN, variants, arm=ARM, settings=SweepSettings(replicates=1, patients=30)).table
    rows = table.filter(endpoint="dose_interruption").select("dose_mg", "rules", "value").rows()
    assert [row[:2] for row in rows] == [
        (4.0, "pomalidomide-us-label"),
        (8.0, "none"),
        (8.0, "my-rules"),
    ]
    assert rows[1][2] == 0.0
    assert rows[2][2] > 0.0
    assert f"8 mg, rules {mine}" in set(table["variant"])
    # The label does not say how 8 mg falls, and a sweep does not invent it.
    with pytest.raises(InputError, match=r"GP-T069 .*8 mg"):
        sweep(PLAN, [Variant(dose_mg=8.0)], arm=ARM)
    with pytest.raises(InputError, match="GP-T015"):
        sweep(PLAN, [Variant(rules="nobodys")], arm=ARM)
