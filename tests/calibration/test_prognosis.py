import math

import polars as pl
import pytest

from glueprint import evidence
from glueprint.calibration import prognosis

CLAIMS = evidence.load()
FOUND = prognosis.prognosis(CLAIMS)


def _row(table, **where):
    return table.filter(**where).to_dicts()[0]


def test_medians_become_a_log_ratio_per_doubling_of_lines():
    row = _row(FOUND.contrasts, covariate="prior_lines", claims="PRG002, PRG001")
    # 10.1 and 8.4 months, 232 and 233 patients, 1 line against 2.4.
    error = math.sqrt(1 / 232 + 1 / 233) / math.log(2)
    assert row["per_step"] == pytest.approx(math.log(10.1 / 8.4) / 1.26)
    assert row["std_error"] == pytest.approx(error / 1.26)


def test_a_printed_interval_and_a_p_value_give_the_error():
    interval = _row(FOUND.contrasts, claims="PRG263")
    assert interval["per_step"] == pytest.approx(math.log(1.8))
    assert interval["std_error"] == pytest.approx(math.log(2.7 / 1.3) / (2 * 1.959964), rel=1e-6)
    tested = _row(FOUND.contrasts, claims="PRG253")
    assert tested["std_error"] == pytest.approx(math.log(1.53) / 2.386708, rel=1e-5)  # z of p = 0.017


def test_the_rest_of_an_arm_is_computed_from_the_arm_and_its_part():
    row = _row(FOUND.contrasts, claims="PRG029, PRG027")
    # 81 of 247 with 4.9 months, all together 7.1: the others have 8.5.
    others = math.exp((math.log(7.1) - 81 / 247 * math.log(4.9)) / (1 - 81 / 247))
    assert others == pytest.approx(8.51, abs=0.01)
    assert row["per_step"] == pytest.approx(math.log(others / 4.9))


def test_rates_are_compared_as_logits_and_worse_is_positive():
    row = _row(FOUND.contrasts, claims="PRG023, PRG024")
    logits = [math.log(p / (100 - p)) for p in (66.0, 58.4)]
    assert row["per_step"] == pytest.approx(logits[0] - logits[1])
    assert (FOUND.effects["mean"] > 0).all()


def test_no_source_stands_on_both_sides_of_the_split_of_a_covariate():
    sides = FOUND.contrasts.group_by("covariate", "source").agg(pl.col("use").n_unique())
    assert (sides["use"] == 1).all()
    withheld = FOUND.contrasts.filter(use="withheld")
    assert withheld.height == 16
    assert set(withheld["claims"].str.split(", ").explode()).isdisjoint(
        FOUND.effects["claims"].str.split(", ").explode()
    )


def test_the_split_is_the_one_written_down_on_its_date():
    # Drawn once, before a patient model read it: another draw after a score was seen would be a choice.
    withheld = FOUND.contrasts.filter(use="withheld").select("covariate", "source").unique()
    assert sorted(withheld.iter_rows()) == [
        ("age_65", "vivarium inputs"),
        ("double_refractory", "GEN501 and SIRIUS"),
        ("high_risk_cytogenetics", "Blood 2019"),
        ("high_risk_cytogenetics", "CoMMpass"),
        ("high_risk_cytogenetics", "R-ISS II"),
        ("iss_stage", "Blood 2019"),
        ("lenalidomide_exposed", "ENDEAVOR"),
        ("prior_lines", "ENDEAVOR"),
        ("prior_lines", "PANORAMA 1"),
    ]


def test_claims_are_used_once_and_exist_or_say_why_not():
    used = [name for row in FOUND.contrasts["claims"] for name in row.split(", ")]
    left = [claim.claim_id for claim in prognosis.left_out()]
    assert len(set(used)) == len(used)
    assert set(used).isdisjoint(left)
    assert all(name in CLAIMS for name in (*used, *left))
    assert all(CLAIMS[name].role == "prior" for name in used)


def test_every_claim_of_two_groups_is_a_contrast_or_left_out():
    counted = {name for row in FOUND.contrasts["claims"] for name in row.split(", ")}
    counted |= {claim.claim_id for claim in prognosis.left_out()}
    compared = {
        claim.id
        for claim in CLAIMS
        if claim.topic == "prognosis" and claim.endpoint.startswith("hr_") and claim.id.startswith("PRG")
    }
    assert compared <= counted


def test_trials_of_one_regimen_differ_by_a_tenth_in_log_pfs():
    row = _row(FOUND.trials, endpoint="pfs")
    assert (row["trials"], row["regimens"]) == (6, 2)
    assert row["low"] < 0.1 < row["high"]
    assert row["tau"] == pytest.approx(0.1, abs=0.03)
