"""Swallowed doses: lag, bioavailability and duration of each patient, overlap, and what crosses a visit."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint import engine
from glueprint.engine import Doses
from glueprint.engine.batch import Settings
from glueprint.errors import InputError
from glueprint.mechanism import pharmacokinetics
from glueprint.mechanism.pharmacokinetics import Intake, doses_of, due, together

CL, V = 7.0, 60.0


def infusion(t, start, duration, amount):
    """Concentration of one compartment during and after an infusion, ng/mL."""
    k, on = CL / V, np.clip(t - start, 0.0, duration)
    after = np.maximum(t - start - duration, 0.0)
    return 1000 * amount / duration / CL * (1 - np.exp(-k * on)) * np.exp(-k * after)


def test_first_order_doses_are_amounts_to_the_gut_after_the_lag(pk):
    glue = pk.compound(pk.section())
    intake = Intake.of(glue.pk, 3, lag_h=np.array([0.0, 0.25, 30.0]), bioavailability=[1.0, 0.5, 0.8])
    patient, time, target, amount = doses_of(
        glue.pk, intake, [0, 1, 1, 2], [0.0, 0.0, 24.0, 24.0], 4.0
    ).columns()
    assert patient.tolist() == [0, 1, 1, 2]
    assert time.tolist() == [0.0, 0.25, 24.25, 54.0]
    assert amount.tolist() == [4.0, 2.0, 2.0, 3.2]
    assert set(target) == {"glue_gut"}


def test_a_typical_patient_has_the_values_of_the_file(pk):
    glue = pk.compound(pk.section("zero-order", lag_h=0.3, bioavailability=0.7))
    intake = Intake.of(glue.pk, 2)
    for column, value in ((intake.lag_h, 0.3), (intake.bioavailability, 0.7), (intake.duration_h, 3.0)):
        assert column.tolist() == [value, value]
    assert Intake.of(pk.compound(pk.section()).pk, 1).duration_h is None


def test_without_loss_an_amount_keeps_its_bits(pk):
    amounts = np.random.default_rng(1).uniform(0.5, 25.0, 1000)
    glue = pk.compound(pk.section())
    assert np.array_equal(doses_of(glue.pk, Intake.of(glue.pk, 1), 0, 0.0, amounts).columns()[3], amounts)


def test_zero_order_doses_of_patients_with_durations_of_their_own_overlap_exactly(pk):
    glue = pk.compound(pk.section("zero-order", 1))
    durations, lags = np.array([2.0, 9.0, 31.0]), np.array([0.0, 0.5, 1.5])
    at, times = np.array([0.0, 8.0, 16.0, 24.0]), np.linspace(0.0, 90.0, 181)
    doses = pk.swallowed(glue, at, 4.0, patients=3, absorption_h=durations, lag_h=lags)
    got = pk.course(glue, times, doses, ("cp_ng_per_ml", "glue_hourly"), patients=3)
    exact = [
        sum(infusion(times, start + lag, duration, 4.0) for start in at)
        for duration, lag in zip(durations, lags, strict=True)
    ]
    np.testing.assert_allclose(got["cp_ng_per_ml"], exact, rtol=1e-6, atol=1e-9)
    # While all four of the slowest patient overlap, 4 mg times four in 31 h.
    assert got["glue_hourly"][2, times == 30.0] == pytest.approx(16.0 / 31.0, rel=1e-12)


def test_what_stays_of_a_rate_that_was_switched_off_is_nothing(pk):
    # Two years of daily doses that take 3.1 h: 730 ups and downs of a number that is no binary fraction.
    glue = pk.compound(pk.section("zero-order", 1, absorption_h=3.1))
    doses = pk.swallowed(glue, 24.0 * np.arange(730), 0.7)
    end = pk.course(glue, [24.0 * 730], doses, ("glue_hourly", "glue_central"))
    assert abs(end["glue_hourly"][0, 0]) < 1e-15
    assert end["glue_central"][0, 0] > 0


@pytest.mark.parametrize("absorption", ["first-order", "zero-order", "transit"])
def test_visits_do_not_change_the_course(pk, absorption):
    """Each interval is given what is due in it, and hands on what is not."""
    glue = pk.compound(pk.section(absorption, lag_h=0.25))
    late = {"absorption_h": np.array([3.0, 40.0])} if absorption == "zero-order" else {}
    values = late | {"lag_h": np.array([0.25, 30.0])}
    settings, visits = Settings(accuracy=1e-10, threads=1), np.array([24.0, 48.0, 96.0, 144.0])
    model = engine.compile(pk.source(glue))
    whole = model.ensemble(patients=2, settings=settings)
    whole.advance(144.0, pk.swallowed(glue, 24.0 * np.arange(3), 4.0, 2, **values))

    parted, left, day = model.ensemble(patients=2, settings=settings), Doses.none(), 0
    intake = Intake.of(glue.pk, 2, **values)
    for visit in visits:
        days = [d for d in range(day, int(visit // 24)) if d < 3]
        who = np.repeat(np.arange(2), len(days))
        new = doses_of(glue.pk, intake, who, 24.0 * np.tile(days, 2), 4.0)
        now, left = due(together(left, new), np.full(2, visit))
        parted.advance(visit, now)
        day = int(visit // 24)
    assert len(left) == 0
    np.testing.assert_allclose(parted["cp_ng_per_ml"], whole["cp_ng_per_ml"], rtol=1e-8)


def test_what_is_not_due_is_kept_for_each_patient():
    doses = Doses([0, 0, 1, 1], [1.0, 5.0, 1.0, 5.0], "glue_gut", [1.0, 2.0, 3.0, 4.0])
    now, later = due(doses, [5.0, 6.0])
    assert now.columns()[3].tolist() == [1.0, 3.0, 4.0]  # a dose at the end belongs to the next interval
    assert later.columns()[3].tolist() == [2.0]
    assert due(doses, 2.0)[0].columns()[3].tolist() == [1.0, 3.0]
    assert together(now, later).columns()[3].tolist() == [1.0, 3.0, 4.0, 2.0]
    assert len(together(Doses.none(), Doses.none())) == 0


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"absorption_h": 2.0}, '"absorption_h" is not read when a dose is given'),
        ({"lag_h": -0.1}, "finite numbers of zero or more"),
        ({"bioavailability": 0.0}, "finite numbers above zero"),
        ({"lag_h": np.zeros(3)}, r"lag_h of shape \(3,\)"),
        ({"lag_h": np.nan}, "finite numbers of zero or more"),
    ],
)
def test_an_intake_that_cannot_be_is_refused(pk, values, told):
    glue = pk.compound(pk.section())
    with pytest.raises(InputError, match=f"GP-M106 (?s:.*){told}"):
        Intake.of(glue.pk, 2, **values)


def test_names_of_the_conduct_are_those_of_the_quantities(pk):
    glue = pk.compound(pk.section("zero-order"))
    known = pharmacokinetics.conduct_quantities(glue.pk)
    assert known["absorption_h"].unit == "h"
    assert Intake.of(glue.pk, 1, **{name: q.typical for name, q in known.items()}).duration_h == [3.0]
