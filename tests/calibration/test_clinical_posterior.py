"""The posterior that comes with Glueprint: fresh, met, told apart, and moving trials as potency does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from glueprint import trials
from glueprint.calibration import clinical
from glueprint.calibration.clinical import held_out
from glueprint.calibration.clinical.held_out import check, left_out_rows, observed_rows
from glueprint.calibration.clinical.simulating import simulate
from glueprint.calibration.clinical.summaries import published
from glueprint.calibration.targets import clinical_targets
from glueprint.errors import InputError
from glueprint.evidence import load as load_evidence
from glueprint.trials import ParameterDraws
from glueprint.trials.result import CALIBRATED, EXTRAPOLATED, PREDICTED

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
    whole, arms = (clinical.posterior("claret", scope).summaries for scope in ("trials", "arms"))
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


def effects(draws: ParameterDraws) -> np.ndarray:
    """What multiplies everybody's hazard of death, of each draw."""
    return draws.values[:, draws.names.index("study_death_ratio")]


def test_what_was_fitted_is_known_by_its_content_and_not_by_its_name() -> None:
    found, mm003 = clinical.posterior("claret"), trials.load_protocol("mm003")
    fitted = found.for_trial("mm003", count=5)
    assert fitted.label == CALIBRATED
    other = found.for_trial(mm003.model_copy(update={"name": "other", "title": "Mine"}), count=5)
    assert other.label == CALIBRATED
    assert (other.values == fitted.values).all()
    visits = mm003.visits.model_copy(update={"window_days": 1})
    for change in ({"cycle_days": 29}, {"visits": visits}):
        changed = found.for_trial(mm003.model_copy(update=change), count=500)
        assert changed.label == PREDICTED
        # A trial that nobody has seen draws its own effect, from all that trials may differ by.
        assert np.log10(effects(changed)).std() == pytest.approx(0.2, rel=0.15)
    # Shorter cycles are more of the drug than any fitted trial gave.
    assert found.for_trial(mm003.model_copy(update={"cycle_days": 27}), count=5).label == EXTRAPOLATED


def test_the_most_probable_draw_stands_for_the_fit() -> None:
    found, mm003 = clinical.posterior("claret"), trials.load_protocol("mm003")
    best = found.draws.sort("minus_log_posterior").row(0, named=True)
    central = found.central("mm003")
    assert central.values.shape == (1, len(central.names))
    given = central.truth(1).overrides
    assert (given["growth_per_d"], given["kd_nm"]) == (best["growth_per_d"], best["kd_nm"])
    assert central.label == CALIBRATED
    # A trial that was not fitted has no effect of its own, and is not called calibrated.
    changed = found.central(mm003.model_copy(update={"cycle_days": 27}))
    assert effects(changed).tolist() == [1.0]
    assert effects(central).tolist() != [1.0]
    assert "without their uncertainty" in changed.label
    assert changed.truth(1).overrides == given | {"study_death_ratio": 1.0}


def test_published_numbers_stand_beside_what_was_fitted_alone() -> None:
    mm003 = trials.load_protocol("mm003")
    told = clinical.printed(mm003)
    assert told["POM+LoDEX", "median_os"].split(", ")[0] == "12.7"
    assert set(told["POM+LoDEX vs HiDEX", "hr_os"].split(", ")) >= {"0.74", "0.7"}
    renamed = tuple(
        arm.model_copy(update={"name": name}) for arm, name in zip(mm003.arms, ("A", "B"), strict=True)
    )
    own = clinical.printed(mm003.model_copy(update={"name": "own", "arms": renamed}))
    assert own["A vs B", "hr_os"] == told["POM+LoDEX vs HiDEX", "hr_os"]
    assert clinical.printed(mm003.model_copy(update={"cycle_days": 27})) == {}


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


def test_a_check_says_what_its_draws_say(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, workers = held_out.trials.run, []

    def smaller(name: str, *how: int, **more: object) -> object:
        """An eighth of the patients in one process: an interval takes 39 trials, whatever their size."""
        workers.append(more.pop("workers"))
        protocol = held_out.trials.load_protocol(name)
        arms = tuple(arm.model_copy(update={"patients": arm.patients // 8}) for arm in protocol.arms)
        return whole(protocol.model_copy(update={"arms": arms}), *how, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(held_out.trials, "run", smaller)
    claims = [claim for claim in load_evidence() if claim.id == "CL101"]
    found = check(clinical.posterior("claret", "arms"), claims, replicates=39, seed=2, workers=2)
    assert workers == [2]
    assert set(found["trial"]) == {"mm002"}
    assert found.height == 1
    assert 0.4 < found["predicted"].item() < 1.1


def test_a_fit_to_one_trial_alone_predicts_the_other() -> None:
    alone = replace(clinical.posterior("claret"), scope="mm003")
    assert alone.for_trial("mm003", count=2).label == CALIBRATED
    assert alone.for_trial("mm002", count=2).label == PREDICTED
    assert alone.central("mm003").label == CALIBRATED != alone.central("mm002").label
    # Only what was published of the other is left out, and nothing of the fitted one.
    rows = left_out_rows(load_evidence(), "mm003")
    assert set(rows["trial"]) == {"mm002"}
    assert {"orr", "median_pfs", "hr_pfs"} <= set(rows["endpoint"])
    assert rows.height + left_out_rows(load_evidence(), "mm002").height == len(
        clinical_targets(load_evidence()).targets
    )


def test_one_trial_alone_is_simulated_and_read() -> None:
    (summary, *others) = published(clinical_targets(load_evidence()).targets, "mm002")
    assert {s.trial for s in (summary, *others)} == {"mm002"}
    z = np.zeros((1, len(clinical.free("claret").names)))
    both = published(clinical_targets(load_evidence()).targets)
    place = both.index(summary)
    alone = simulate("claret", (summary,), 1, z, np.array([5]))
    assert alone[0, 0] == simulate("claret", both, 1, z, np.array([5]))[0, place]


def test_each_trial_is_predicted_by_the_other_alone() -> None:
    inside = rows = 0
    for read, other in (("mm002", "mm003"), ("mm003", "mm002")):
        found = clinical.posterior("burden", read)
        assert found.targets < clinical.posterior("burden").targets
        table = found.held_out
        assert set(table["trial"]) == {other}
        assert set(table["label"]) == {PREDICTED}
        inside, rows = inside + int(table["inside"].sum()), rows + table.height
    # Reported, whatever they are; docs/predictions.md says which lie outside.
    assert inside >= 0.85 * rows
