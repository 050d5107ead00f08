"""Boundaries at the looks that a trial had: the planned ones where looks fell as planned, alpha always."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.errors import InputError
from glueprint.survival import SPENDING, SpendingPlan, group_sequential
from glueprint.survival.group_sequential import _crossing


@pytest.mark.parametrize("spending", sorted(SPENDING))
def test_looks_as_planned_have_the_planned_bounds(spending):
    planned = group_sequential([0.5, 0.75, 1.0], spending=spending, futility="pocock")
    plan = SpendingPlan(200, spending=spending, futility="pocock", looks=(100, 150, 200))
    looks = plan.bounds([100, 150, 200], last=True)
    assert [look.efficacy for look in looks] == pytest.approx(planned.efficacy.tolist(), abs=1e-9)
    assert [look.futility for look in looks] == pytest.approx(planned.futility.tolist(), abs=1e-6)
    assert [look.spent for look in looks] == pytest.approx(planned.spent.tolist(), abs=1e-12)


@pytest.mark.parametrize("events", [[90, 163, 204], [40, 60, 120], [199.0, 201.0], [37], [100, 230]], ids=str)
@pytest.mark.parametrize("spending", sorted(SPENDING))
def test_whatever_came_all_alpha_is_spent_and_no_more(events, spending):
    looks = SpendingPlan(200, alpha=0.025, spending=spending).bounds(events, last=True)
    share = np.array(events) / events[-1]
    efficacy = np.array([look.efficacy for look in looks])
    above, _ = _crossing(share, efficacy, np.full(share.size, -np.inf), 0.0)
    assert above.sum() == pytest.approx(0.025, abs=1e-9)
    assert looks[-1].spent == 0.025


def test_an_interim_look_knows_nothing_of_what_comes():
    plan = SpendingPlan(200)
    (early,) = plan.bounds([80], last=False)
    assert early == plan.bounds([80, 200], last=True)[0]
    assert early.information == 0.4
    assert early.spent == pytest.approx(SPENDING["obrien-fleming"](0.4, 0.025))


def test_after_all_planned_events_nothing_is_left_to_spend():
    one, two = SpendingPlan(100, spending="linear").bounds([100, 130], last=True)
    assert one.spent == two.spent == 0.025
    assert two.efficacy > 8.0


def test_events_that_do_not_rise_are_refused():
    with pytest.raises(InputError) as caught:
        SpendingPlan(100).bounds([50, 50], last=False)
    assert (caught.value.code, caught.value.where) == ("GP-V035", "events[1]")
