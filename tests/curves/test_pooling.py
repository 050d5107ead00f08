"""Pooling over experiments and donors: the log scale, limits as limits, and what a design cannot say."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from glueprint import curves, errors
from glueprint.curves import Reason


def measured(value_nm, log10_se=0.05, relation="=", **fields):
    error = log10_se if relation == "=" else None
    return curves.Potency("IC50", "relative", value_nm, None, None, relation, log10_se=error, **fields)


THREE = [measured(10.0), measured(20.0, 0.1), measured(40.0, 0.02)]


def test_the_average_is_the_geometric_mean_with_a_t_interval_on_experiments():
    found = curves.pool(THREE, method="average").potency
    log10 = np.log10([10.0, 20.0, 40.0])
    low, high = stats.t.interval(0.95, 2, log10.mean(), stats.sem(log10))
    assert found.value_nm == pytest.approx(20.0, rel=1e-6)
    assert (found.low_nm, found.high_nm) == (
        pytest.approx(10**low, rel=1e-4),
        pytest.approx(10**high, rel=1e-4),
    )
    assert (found.n, found.relation, found.reasons) == (3, "=", ())
    assert found.p_molar == pytest.approx(np.mean([found.p_molar for found in THREE]), abs=1e-6)


def test_limits_are_never_numbers():
    values = [measured(10.0), measured(12.0), measured(11.0), measured(9.0)]
    censored = curves.pool([*values, measured(100.0, relation=">")], method="average")
    substituted = curves.pool([*values, measured(100.0)], method="average")
    left_out = curves.pool(values, method="average")
    assert censored.potency.value_nm > left_out.potency.value_nm
    assert censored.tau_experiment > left_out.tau_experiment
    assert Reason.CENSORED_PARTS in censored.potency.reasons
    # The censored one is at least as far away as its limit, so the mean is at least as high.
    assert censored.potency.value_nm >= substituted.potency.value_nm
    further = curves.pool([*values, measured(10.0, relation=">")], method="average")
    assert further.potency.value_nm < censored.potency.value_nm


@pytest.mark.parametrize(
    ("parts", "relation", "value", "reason"),
    [
        ([measured(10.0)], "=", 10.0, Reason.ONE_EXPERIMENT),
        ([measured(100.0, relation=">")] * 3, ">", 100.0, Reason.TOO_FEW_VALUES),
        ([measured(10.0), measured(1000.0, relation=">")], ">", 100.0, Reason.TOO_FEW_VALUES),
        ([measured(1.0, relation="<"), measured(100.0, relation="<")], "<", 10.0, Reason.TOO_FEW_VALUES),
        (
            [measured(1.0, relation="<"), measured(100.0, relation=">")],
            "none",
            None,
            Reason.LIMITS_ON_BOTH_SIDES,
        ),
        ([measured(None, relation="none")], "none", None, Reason.NOTHING_TO_POOL),
    ],
)
def test_fewer_than_two_values_give_a_limit_or_nothing(parts, relation, value, reason):
    found = curves.pool(parts).potency
    assert (found.relation, found.value_nm) == (relation, pytest.approx(value))
    assert reason in found.reasons


def test_experiments_of_donors_are_nested():
    draw = np.random.default_rng(3)
    donor_log10 = draw.normal(1.0, 0.3, 8)
    parts, donors, experiments = [], [], []
    for i in range(8):
        for j in range(4):
            parts.append(measured(10.0 ** (donor_log10[i] + draw.normal(0.0, 0.1) + draw.normal(0.0, 0.05))))
            donors.append(f"donor {i}")
            experiments.append(f"{j}")
    found = curves.pool(parts, donor=donors, experiment=experiments)
    assert (found.donors, found.experiments, found.potency.n) == (8, 32, 32)
    assert found.tau_low <= 0.3 <= found.tau_high
    assert found.tau_experiment == pytest.approx(0.1, abs=0.04)
    assert found.prediction_low_nm < found.potency.low_nm < found.potency.high_nm < found.prediction_high_nm
    assert 0.8 < found.i2 < 1.0
    as_if_alone = curves.pool(parts).potency
    assert as_if_alone.high_nm / as_if_alone.low_nm < found.potency.high_nm / found.potency.low_nm


def test_every_donor_lies_between_its_own_mean_and_the_pooled_one():
    parts = [measured(value, 0.1) for value in (10.0, 14.0, 30.0, 24.0, 18.0, 5.0)]
    donors = ["a", "a", "b", "b", "c", "d"]
    found = curves.pool(parts, donor=donors)
    for name in "abcd":
        mine = found.parts.filter(donor=name)
        own, expected = 10.0 ** np.log10(mine["value_nm"].to_numpy()).mean(), mine["expected_nm"][0]
        assert (np.log(expected / own)) * (np.log(expected / found.potency.value_nm)) <= 0.0


def test_one_donor_speaks_for_itself_only():
    found = curves.pool(THREE, donor=["a"] * 3)
    assert Reason.ONE_DONOR in found.potency.reasons
    assert (found.tau_donor, found.donors) == (None, 1)
    assert found.tau_experiment is not None


def test_what_does_not_enter_is_listed_with_its_reason():
    parts = [*THREE, measured(None, relation="none"), dataclasses.replace(measured(10.0), log10_se=None)]
    found = curves.pool(parts)
    assert found.parts["used"].to_list() == [True, True, True, False, False]
    assert found.parts["left_out"].to_list()[3:] == ["no potency", "no error to weigh it by"]
    assert found.potency.n == 3
    assert curves.pool(parts, method="average").potency.n == 4


def test_precise_experiments_weigh_more_only_as_far_as_experiments_agree():
    agreeing = [measured(10.0, 0.01), measured(10.5, 0.2), measured(9.0, 0.2)]
    scattered = [measured(10.0, 0.01), measured(100.0, 0.02), measured(1000.0, 0.03)]
    assert curves.pool(agreeing).potency.value_nm == pytest.approx(10.0, rel=0.01)
    assert curves.pool(scattered).potency.value_nm == pytest.approx(100.0, rel=0.01)


def test_the_whole_result_as_a_dictionary():
    found = curves.pool(THREE).as_dict()
    assert curves.Potency.from_dict(found["potency"]).n == 3
    assert len(found["parts"]) == 3
    assert found["method"] == "hierarchical"


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: curves.pool([]), "GP-C044"),
        (lambda: curves.pool(THREE, method="mean"), "GP-C044"),
        (lambda: curves.pool(THREE, donor=["a"]), "GP-C044"),
        (lambda: curves.pool(THREE, confidence=95.0), "GP-C044"),
        (lambda: curves.pool([*THREE, measured(1.0, time_h=24.0)]), "GP-C045"),
        (lambda: curves.pool(THREE, experiment=["1", "2", "2"]), "GP-C046"),
    ],
)
def test_what_cannot_be_pooled_is_refused(call, code):
    with pytest.raises(errors.InputError, match=code):
        call()


def test_the_example_of_the_page_runs(capsys):
    page = Path(__file__).parents[2] / "docs" / "potencies.md"
    (example,) = re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    exec(example, {})
    assert "IC50 (relative) =" in capsys.readouterr().out
