"""Outside of what the fitted trials cover a result says so; what no person can have is refused."""

from __future__ import annotations

import dataclasses
import json
import warnings

import numpy as np
import polars as pl
import pytest

from glueprint import trials
from glueprint.calibration import clinical
from glueprint.errors import InputError
from glueprint.mechanism import compounds
from glueprint.trials import Taken, outside, outside_of_one
from glueprint.trials.conduct.response import LABELS, categories
from glueprint.trials.protocol.checks import check_protocol

MM003 = trials.load_protocol("mm003")


def with_drug(**changes):
    """MM-003 with the first drug of its first arm changed, and without dose rules."""
    arm = MM003.arms[0]
    drug = arm.drugs[0].model_copy(update={"rules": "none", **changes})
    changed = arm.model_copy(update={"drugs": (drug, *arm.drugs[1:])})
    return MM003.model_copy(update={"arms": (changed, *MM003.arms[1:])})


def with_covariate(name, **changes):
    covariate = getattr(MM003.case_mix, name).model_copy(update=changes)
    return MM003.model_copy(update={"case_mix": MM003.case_mix.model_copy(update={name: covariate})})


@pytest.mark.parametrize("name", ["mm002", "mm003"])
def test_a_fitted_trial_lies_inside(name):
    protocol = trials.load_protocol(name)
    assert outside(protocol) == ()
    assert clinical.label_of(protocol) == "calibrated"


@pytest.mark.parametrize("dose_mg", [0, 1, 2, 3.5])
def test_a_smaller_dose_lies_inside_and_is_predicted(dose_mg):
    assert outside(with_drug(dose_mg=dose_mg)) == ()
    assert clinical.label_of(with_drug(dose_mg=dose_mg)) == "predicted"


@pytest.mark.parametrize("changes", [{"dose_mg": 400}, {"dose_mg": 4.5}, {"days": "1-28"}])
def test_a_larger_dose_and_more_days_are_extrapolated(changes):
    (found,) = outside(with_drug(**changes))
    assert found.code == "GP-T080"
    assert "pomalidomide" in found.asked
    assert "natural loss of IKZF1" in found.asked
    assert clinical.label_of(with_drug(**changes)) == "extrapolated"


def test_a_stronger_glue_at_the_same_dose_is_extrapolated_and_a_weaker_one_is_not():
    known = compounds.load("pomalidomide")

    def of(kd_nm):
        kd = known.pharmacology.kd_nm.model_copy(update={"typical": kd_nm})
        pharmacology = known.pharmacology.model_copy(update={"kd_nm": kd})
        return with_drug(compound=known.model_copy(update={"name": "glx", "pharmacology": pharmacology}))

    assert outside(of(1000.0)) == ()
    (found,) = outside(of(20.0))
    assert found.asked.startswith("glx 4 mg")


def test_a_dose_that_only_the_old_get_counts():
    drug = MM003.arms[1].drugs[0]
    old = drug.above_age.model_copy(update={"dose_mg": 400.0})
    changed = MM003.arms[1].model_copy(update={"drugs": (drug.model_copy(update={"above_age": old}),)})
    protocol = MM003.model_copy(update={"arms": (MM003.arms[0], changed)})
    day = outside(protocol)[0]
    assert "400 mg of dexamethasone a day, 10 times" in day.asked
    assert clinical.label_of(protocol) == "extrapolated"
    impossible = drug.above_age.model_copy(update={"dose_mg": 1e9})
    changed = changed.model_copy(update={"drugs": (drug.model_copy(update={"above_age": impossible}),)})
    with pytest.raises(InputError, match="GP-T081"):
        check_protocol(MM003.model_copy(update={"arms": (MM003.arms[0], changed)}), "x.toml")


def test_what_slows_the_clearance_of_all_patients_counts():
    def given(*conditions, dose_mg=4.0):
        protocol = with_drug(dose_mg=dose_mg)
        arm = protocol.arms[0].model_copy(update={"conditions": conditions})
        return protocol.model_copy(update={"arms": (arm, *protocol.arms[1:])})

    first, later = outside(given("fluvoxamine"))  # 2.25 times the exposure, after progression, too
    assert first.asked.startswith("pomalidomide 4 mg with fluvoxamine: ")
    (found,) = outside(given("fluvoxamine", dose_mg=4.0 * 0.444))
    assert found == later
    assert clinical.label_of(given("fluvoxamine")) == "extrapolated"


def test_a_partner_drug_counts_by_day_and_by_cycle():
    arm = MM003.arms[1]
    for changes, words in (({"dose_mg": 80}, "a day, 2 times"), ({"days": "1-28"}, "mean of a cycle")):
        drug = arm.drugs[0].model_copy(update=changes)
        changed = arm.model_copy(update={"drugs": (drug,)})
        (found,) = outside(MM003.model_copy(update={"arms": (MM003.arms[0], changed)}))
        assert words in found.asked


def test_the_share_of_patients_beyond_the_limits_is_that_of_a_sample():
    protocol = with_covariate("weight_kg", median=110.0, high=250.0)
    (found,) = outside(protocol)
    weights = np.exp(np.log(110.0) + 0.2 * np.random.default_rng(1).standard_normal(400_000))
    weights = weights[(weights >= 44.4) & (weights <= 250.0)]
    below, above = protocol.case_mix.weight_kg.shares_beyond(44.4, 127.0)
    assert below == 0.0
    assert above == pytest.approx(np.mean(weights > 127), abs=4 * np.sqrt(0.25 / weights.size))
    assert found.asked == f"{above:.0%} of the patients above 127"
    assert found.covered == "44.4 to 127"


def test_a_tail_as_small_as_an_interval_leaves_is_no_finding():
    assert outside(with_covariate("weight_kg", high=140.0)) == ()


def test_follow_up_and_foreign_levels_are_named():
    longer = MM003.follow_up.model_copy(update={"maximum_months": 60.0})
    (found,) = outside(MM003.model_copy(update={"follow_up": longer}))
    assert (found.field, found.asked) == ("follow_up.maximum_months", "60 months")
    (found,) = outside(with_covariate("disease_population", shares={"refractory": 0.5, "untreated": 0.5}))
    assert '50% "untreated"' in found.asked


def test_the_result_says_it_in_summary_and_folder(tmp_path):
    small = with_drug(dose_mg=400)
    small = small.model_copy(
        update={
            "arms": tuple(
                a.model_copy(update={"patients": n}) for a, n in zip(small.arms, (20, 10), strict=True)
            )
        }
    )
    draws = clinical.posterior().for_trial(small, count=1)
    result = trials.run(small, seed=3, draws=draws)
    assert result.label == "extrapolated"
    assert result.summary()["outside"] == [dataclasses.asdict(found) for found in result.outside]
    trials.kept.save(result, tmp_path)
    assert json.loads((tmp_path / "trial.json").read_text())["outside"][0]["code"] == "GP-T080"


def test_a_sweep_labels_each_variant_by_itself():
    posterior = clinical.posterior()
    small = MM003.model_copy(update={"follow_up": MM003.follow_up})
    found = trials.sweep(
        small,
        trials.grid(dose_mg=(2.0, 20.0), rules=("none",)),
        arm="POM+LoDEX",
        settings=trials.SweepSettings(replicates=2, patients=10, draws=posterior.for_trial(small, count=2)),
    )
    labels = dict(found.table.select("dose_mg", "label").iter_rows())
    assert labels == {4.0: "calibrated", 2.0: "predicted", 20.0: "extrapolated"}


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("anc_1e9_per_l", {"low": 1e-6}),
        ("weight_kg", {"low": 1e-6}),
        ("weight_kg", {"high": 7000.0}),
        ("haemoglobin_g_per_dl", {"mean": 93.0, "high": 150.0}),
    ],
)
def test_what_no_person_has_is_refused(name, changes):
    with pytest.raises(InputError, match="GP-T081") as caught:
        check_protocol(with_covariate(name, **changes), "my.toml")
    assert name in caught.value.where


def test_so_are_a_kilogram_of_drug_and_a_century_of_follow_up():
    with pytest.raises(InputError, match=r"GP-T081.*1e\+06 mg of pomalidomide"):
        check_protocol(with_drug(dose_mg=1_000_000), "my.toml")
    longer = MM003.follow_up.model_copy(update={"maximum_months": 1200.0})
    with pytest.raises(InputError, match=r"GP-T081.*1200 months"):
        check_protocol(MM003.model_copy(update={"follow_up": longer}), "my.toml")


def test_a_baseline_that_is_not_found_allows_no_response():
    marker = np.array([[0.0, 0.0, 0.0, 0.0], [0.2, 0.1, 0.0, 9.0], [10.0, 1.0, 0.0, 0.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = categories(marker, 0.5, marker > 0.1)
    names = [[LABELS[one] for one in row] for row in found]
    assert names == [["NE"] * 4, ["NE", "NE", "NE", "PD"], ["NE", "VGPR", "CR", "CR"]]


def test_m_protein_typed_in_g_per_dl_is_said_and_counts_nobody_without_a_baseline_as_a_responder():
    slip = with_covariate("m_protein_g_per_l", median=2.0, low=0.5, high=10.2)
    (found,) = outside(slip)
    assert found.field == "case_mix.m_protein_g_per_l"
    assert "below 5" in found.asked
    arms = tuple(a.model_copy(update={"patients": n}) for a, n in zip(slip.arms, (60, 30), strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = trials.run(slip.model_copy(update={"arms": arms}), seed=1)
    first = result.visits.filter(pl.col("time_days") == 0).select("patient", at_first="m_protein_g_per_l")
    unseen = result.patients.join(first, on="patient").filter(
        pl.col("at_first") < MM003.measurement.m_protein_detection_g_per_l
    )
    assert unseen.height > 0
    assert set(unseen.get_column("best_response")) <= {"NE", "PD"}
    assert unseen.get_column("best_change_pct").null_count() == unseen.height


def test_a_substrate_that_no_module_reads_is_named():
    """A glue that degrades GSPT1 too gets a trial without what that does: the result says so."""
    glue = compounds.load("pomalidomide")
    more = glue.pharmacology.model_copy(update={"degrades": ("IKZF1", "IKZF3", "GSPT1")})
    own = glue.model_copy(update={"pharmacology": more})
    (found,) = outside_of_one({"dose_mg": Taken(own, 4.0, 0.75)}, {}, 1.0)
    assert (found.code, found.field) == ("GP-T107", "dose_mg")
    assert "degrades GSPT1, which acts on nothing here" in found.asked
    assert found.covered == "IKZF1, IKZF3"
    assert outside_of_one({"dose_mg": Taken(glue, 4.0, 0.75)}, {}, 1.0) == ()
    # A glue that nobody takes does nothing.
    assert outside_of_one({"dose_mg": Taken(own, 0.0, 0.75)}, {}, 1.0) == ()
