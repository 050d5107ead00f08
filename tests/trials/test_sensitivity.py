"""A trial as a question of the workshop: the same patients at every point, and other numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest

from glueprint import trials, workshop
from glueprint.errors import InputError
from glueprint.trials import ParameterDraws, TrialQuestion, chance, units_of
from glueprint.trials.protocol.loading import protocol_from_text
from glueprint.trials.protocol.variants import lone
from glueprint.trials.running import run_unit
from glueprint.workshop import Asked, Range

PLAN = protocol_from_text(trials.template(), where="template")
SMALL = lone(PLAN, PLAN.arms[0], 12)
DRAWS = ParameterDraws(("growth_per_d",), np.array([[0.02]]))
GROWTH = Range("growth_per_d", 0.005, 0.05, "log10")


def question(outputs, *, ranges=(GROWTH,), **more):
    return TrialQuestion(SMALL, ranges, outputs, DRAWS, **more)


def outcome(growth_per_d, name, replicate=1):
    draws = ParameterDraws(("growth_per_d",), np.array([[growth_per_d]]))
    *_, unit = units_of(SMALL, replicate, 1, draws=draws)
    table = run_unit(unit)[2]
    return table.filter(table["endpoint"] == name)["value"][0]


@dataclass(frozen=True, eq=False)
class Linear(Asked):
    """y = x0 + 2 x1 + 3 x2 on the unit cube: shares of the variance 1, 4 and 9 of 14."""

    ranges: tuple[Range, ...] = tuple(Range(f"x{k}", 0.0, 1.0) for k in range(3))
    outputs: tuple[str, ...] = ("y",)

    @property
    def per_part(self):
        return 100

    def computed(self, plain):
        return plain @ np.array([[1.0], [2.0], [3.0]])[: plain.shape[1]]

    def content(self):
        return ()


def test_any_question_gets_the_indices_of_a_linear_function(tmp_path):
    pytest.importorskip("SALib")
    answer = workshop.sobol(Linear(), samples=1024, folder=tmp_path)
    assert answer.table["first"].to_list() == pytest.approx([1 / 14, 4 / 14, 9 / 14], abs=0.02)
    assert answer.table["total"].to_list() == pytest.approx([1 / 14, 4 / 14, 9 / 14], abs=0.02)
    assert answer.table["sd"].to_list() == pytest.approx([math.sqrt(14 / 12)] * 3, rel=0.01)
    assert len(list(tmp_path.glob("runs-*.parquet"))) == math.ceil(1024 * 5 / 100)


@pytest.mark.parametrize("ask", [workshop.sobol, workshop.morris, workshop.sweep])
def test_a_question_that_is_stopped_goes_on_from_the_parts_that_are_there(ask, tmp_path, monkeypatch):
    pytest.importorskip("SALib")
    size = {workshop.sobol: {"samples": 128}, workshop.morris: {"trajectories": 120}}.get(ask, {"points": 20})
    asked = Linear() if ask is not workshop.sweep else Linear(Linear().ranges[:2])
    whole = ask(asked, **size, folder=tmp_path / "whole")
    computed, runs = Linear.computed, []

    def stopping(self, plain):
        runs.append(len(plain))
        if len(runs) == 3:
            raise KeyboardInterrupt
        return computed(self, plain)

    monkeypatch.setattr(Linear, "computed", stopping)
    with pytest.raises(KeyboardInterrupt):
        ask(asked, **size, folder=tmp_path / "stopped")
    answer = ask(asked, **size, folder=tmp_path / "stopped")
    assert answer.table.equals(whole.table)
    assert sum(runs) == whole.runs + runs[2]  # the part that was stopped is the only one computed twice
    kept = [
        {one.name: one.read_bytes() for one in (tmp_path / name).iterdir()} for name in ("whole", "stopped")
    ]
    assert kept[0] == kept[1]


def test_a_point_is_the_trial_with_these_numbers():
    asked = question(("orr", "median_pfs"), replicates=2)
    found = asked.computed(np.array([[0.03], [0.05]]))
    for row, growth in zip(found, (0.03, 0.05), strict=True):
        for value, name in zip(row, asked.outputs, strict=True):
            assert value == pytest.approx(np.mean([outcome(growth, name, k) for k in (1, 2)]))
    assert found[0, 1] > found[1, 1]  # a tumour that grows faster is back sooner


def test_two_processes_give_the_same_bits_and_kept_runs_are_not_done_again(tmp_path, monkeypatch, elsewhere):
    plain = np.array([[0.01], [0.02], [0.03]])
    one = question(("orr",))
    assert (question(("orr",), workers=2).computed(plain) == one.computed(plain)).all()
    assert [choice.workers for choice in elsewhere] == [2, 1]
    first = one.quantities(plain, folder=tmp_path)
    monkeypatch.setattr(TrialQuestion, "computed", lambda *_: pytest.fail("computed again"))
    assert (question(("orr",)).quantities(plain, folder=tmp_path) == first).all()


def test_kept_runs_are_of_every_glue_of_the_trial():
    """What holds for a third glue decides the outputs as much as the first two do."""

    def key(growth_of_third):
        third = ParameterDraws(("growth_per_d",), np.array([[growth_of_third]]))
        draws = replace(DRAWS, beside=replace(DRAWS, beside=third))
        return TrialQuestion(SMALL, (GROWTH,), ("orr",), draws).content()

    assert key(0.02) == key(0.02) != key(0.03)


def test_what_was_not_reached_is_no_number():
    slow = question(("median_pfs",), ranges=(Range("growth_per_d", 1e-6, 2e-6),))
    assert np.isnan(slow.computed(np.array([[1e-6]]))).all()
    pytest.importorskip("SALib")
    with pytest.raises(InputError, match="GP-W028"):
        workshop.morris(slow, trajectories=2)


def test_chance_is_the_spread_between_trials_with_other_patients():
    asked = question(("orr",))
    middle = math.sqrt(GROWTH.low * GROWTH.high)
    known = np.std([outcome(middle, "orr", k) for k in (1, 2, 3)], ddof=1)
    assert chance(asked, 3) == pytest.approx([known])
    assert chance(question(("orr",), replicates=4), 3) == pytest.approx([known / 2])
    with pytest.raises(InputError, match="GP-W027"):
        chance(asked, 1)


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"outputs": ("best",)}, "GP-T100", '"best" is no endpoint'),
        ({"outputs": ("no arm:orr",)}, "GP-T100", '"no arm:orr" is no row'),
        ({"outputs": ("orr",), "ranges": (Range("kd_mm", 1.0, 2.0),)}, "GP-M050", "kd_mm"),
        ({"outputs": ("orr",), "ranges": (Range("growth_per_d", 2.0, 1.0),)}, "GP-W027", "from 2 to 1"),
        ({"outputs": ("orr",), "replicates": 0}, "GP-T021", "replicates is 0"),
    ],
)
def test_questions_that_cannot_be_asked(change, code, said):
    with pytest.raises(InputError, match=code) as caught:
        question(**change)
    assert said in str(caught.value)


def test_an_endpoint_of_two_arms_needs_its_arm():
    two = trials.load_protocol("mm003")
    small = two.model_copy(update={"arms": tuple(arm.model_copy(update={"patients": 6}) for arm in two.arms)})
    with pytest.raises(InputError, match="GP-T100") as caught:
        TrialQuestion(small, (GROWTH,), ("orr",), DRAWS)
    assert "POM+LoDEX:orr, HiDEX:orr" in str(caught.value)
    arms = TrialQuestion(small, (GROWTH,), ("HiDEX:orr", "hr_pfs"), DRAWS).rows
    assert [(arm, name) for arm, name, _ in arms] == [("HiDEX", "orr"), ("POM+LoDEX vs HiDEX", "hr_pfs")]
