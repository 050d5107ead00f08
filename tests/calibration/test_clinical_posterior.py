"""The posterior that comes with Glueprint: fresh, met, told apart, and moving trials as potency does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from glueprint import trials
from glueprint.calibration import clinical
from glueprint.calibration.clinical.held_out import check, observed_rows
from glueprint.errors import InputError
from glueprint.evidence import load as load_evidence
from glueprint.trials import ParameterDraws
from glueprint.trials.result import CALIBRATED, PREDICTED

RATIOS = {"CL010", "CL013", "CL016", "CL019", "CL035", "CL101"}


@pytest.mark.parametrize(("structure", "scope"), clinical.SHIPPED)
def test_it_follows_from_the_evidence_and_the_model_as_they_are(structure: str, scope: str) -> None:
    found = clinical.posterior(structure, scope)
    assert found.status == "ok"
    assert found.diagnostics["r_hat"].to_numpy().max() < 1.05
    assert found.draws.height == 2000
    assert set(clinical.free(structure).names) <= set(found.draws.columns)
    assert (found.held_out is None) == (scope == "trials")


def test_most_summaries_lie_where_a_trial_of_that_size_would() -> None:
    summaries = clinical.posterior("claret").summaries
    assert summaries.height == 37
    assert summaries["inside"].sum() >= 35
    assert set(summaries["label"]) == {"calibrated"}


def test_without_hazard_ratios_the_arms_alone_are_fitted() -> None:
    whole, arms = (clinical.posterior("claret", scope).summaries for scope in clinical.SCOPES)
    ratios = whole.filter(pl.col("endpoint").str.starts_with("hr_"))
    assert ratios.height == 4
    assert set(ratios["claims"].str.split(", ").explode()) == RATIOS
    assert arms.height == 33
    assert not RATIOS & set(arms["claims"].str.split(", ").explode())


def test_saved_and_read_again_it_is_the_same(tmp_path: Path) -> None:
    found = clinical.posterior("claret")
    clinical.save(found, tmp_path)
    again = clinical.load(tmp_path, "claret")
    assert again.draws.equals(found.draws)
    assert again.settings == dict(found.settings)
    assert clinical.load(tmp_path, "claret").status == "ok"
    checked = clinical.posterior("claret", "arms")
    clinical.save(checked, tmp_path)
    assert clinical.load(tmp_path, "claret", "arms").held_out.equals(checked.held_out)
    assert clinical.load(tmp_path, "claret").draws.equals(found.draws)


def test_a_posterior_of_other_inputs_is_stale_and_one_without_its_draws_is_refused(tmp_path: Path) -> None:
    found = clinical.posterior("claret")
    clinical.save(replace(found, digest="0" * 64), tmp_path)
    assert clinical.load(tmp_path, "claret").status == "stale"
    clinical.save(replace(found, draws=found.draws.drop("growth_per_d")), tmp_path)
    with pytest.raises(InputError, match="GP-K011"):
        clinical.load(tmp_path, "claret")


def test_calibrated_are_the_two_trials_as_they_come_and_nothing_else() -> None:
    found, mm003 = clinical.posterior("claret"), trials.load_protocol("mm003")
    assert found.for_trial("mm003", count=5).label == CALIBRATED
    changed = mm003.model_copy(update={"cycle_days": 27})
    assert found.for_trial(changed, count=5).label == PREDICTED
    other = mm003.model_copy(update={"name": "other"})
    assert found.for_trial(other, count=5).label == PREDICTED
    own = found.for_trial(other, count=500).values
    effect = list(found.for_trial(other).names).index("study_death_ratio")
    # A trial that nobody has seen draws its own effect, from all that trials may differ by.
    assert np.log10(own[:, effect]).std() == pytest.approx(0.2, rel=0.15)


def test_potency_moves_the_trial() -> None:
    found = clinical.posterior("claret").for_trial("mm003", count=1)
    weak = {**dict(zip(found.names, found.values[0], strict=True))}
    weak["kd_nm"] *= 30.0
    less = ParameterDraws(tuple(weak), np.array([list(weak.values())]), found.structure)

    def response(draws: ParameterDraws) -> float:
        table = trials.run("mm003", replicates=2, seed=3, draws=draws).endpoints
        rows = table.filter((pl.col("arm") == "POM+LoDEX") & (pl.col("endpoint") == "orr"))
        return float(rows["value"].to_numpy().mean())

    assert response(less) < 0.7 * response(found)


def test_held_out_rows_are_not_among_the_targets() -> None:
    claims = list(load_evidence())
    held = set(observed_rows(claims)["source"])
    summaries = clinical.posterior("claret", "arms").summaries
    fitted = {i for text in summaries["claims"] for i in text.split(", ")}
    assert len(held) == 20
    assert not held & fitted


def test_the_check_that_comes_with_glueprint_holds_every_row_with_its_score() -> None:
    scores = clinical.posterior("claret", "arms").held_out
    assert scores.height == 20
    assert scores["replicates"].min() == 80
    assert scores["log_score"].null_count() == 0
    assert set(scores["label"]) == {PREDICTED}
    assert set(scores["source"]) > RATIOS


def test_a_check_says_what_its_draws_say() -> None:
    claims = [claim for claim in load_evidence() if claim.id == "CL101"]
    found = check(clinical.posterior("claret", "arms"), claims, replicates=39, seed=2, workers=2)
    assert set(found["trial"]) == {"mm002"}
    assert found.height == 1
    assert 0.4 < found["predicted"].item() < 1.1
