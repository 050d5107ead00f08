"""Patients come by a calendar, the data are cut, and a test at a cut may end the trial."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from glueprint import trials
from glueprint.errors import InputError
from glueprint.survival import SpendingPlan, log_rank
from glueprint.trials.protocol import Accrual
from glueprint.trials.protocol.loading import protocol_from_text
from glueprint.trials.running import Unit, keep_group, read_units, run_unit

HEAD = """extends = "mm003"
name = "cut"
title = "Cut"
without = ["follow_up"]
landmark_months = [3]

[[arms]]
name = "POM+LoDEX"
patients = 60

[[arms]]
name = "HiDEX"
patients = 30
"""
ACCRUAL = '[accrual]\nmonths = 8\nassumed = "an example"\n'
MONTH_10 = '[[data_cuts]]\nname = "month 10"\nmonths = 10\n'
MONTH_16 = '[[data_cuts]]\nname = "month 16"\nmonths = 16\n'
EVENTS = '[[data_cuts]]\nname = "{0} events"\nevents = {0}\nat_most_months = 20\n'


def protocol(*parts):
    return protocol_from_text(HEAD + "".join(parts), where="cut.toml")


def refused(*parts):
    with pytest.raises(InputError) as caught:
        protocol(*parts)
    return caught.value


def test_accrual_follows_its_curve():
    # 60 patients at 5 a month for 6 months and 15 a month from then on: 30 by month 6, the last at month 8.
    curve = Accrual(per_month=((0, 5), (6, 15)), assumed="x")
    months = curve.months_of(np.array([0.0, 0.25, 0.5, 0.75, 1.0]), 60)
    assert months == pytest.approx([0.0, 3.0, 6.0, 7.0, 8.0])
    # Nobody comes while the rate is 0.
    pause = Accrual(per_month=((0, 10), (3, 0), (5, 10)), assumed="x").months_of(np.array([0.5, 0.51]), 60)
    assert pause == pytest.approx([3.0, 5.06])
    assert Accrual(per_month=10, assumed="x").months_of(np.array([1.0]), 60) == pytest.approx([6.0])


def test_follow_up_is_what_the_calendar_comes_to():
    plan = protocol(ACCRUAL, MONTH_10, MONTH_16)
    follow_up = plan.follow_up
    assert (follow_up.minimum_months, follow_up.median_months, follow_up.maximum_months) == (8, 12, 16)
    last = protocol(ACCRUAL, '[[data_cuts]]\nname = "later"\nlast_patient_months = 6\n')
    assert last.follow_up.maximum_months == 14
    # What a kept trial writes down is read again.
    assert type(plan).model_validate_json(plan.model_dump_json()) == plan


@pytest.fixture(scope="module")
def both():
    return trials.run(protocol(ACCRUAL, MONTH_10, MONTH_16), seed=5)


def test_each_cut_has_the_data_of_a_trial_with_this_cut_alone(both):
    early, late = (trials.run(protocol(ACCRUAL, cut), seed=5) for cut in (MONTH_10, MONTH_16))
    assert both.patients.equals(late.patients)
    assert both.visits.equals(late.visits)
    assert both.endpoints.equals(late.endpoints)
    assert both.earlier_endpoints.drop("cut").equals(early.endpoints)
    assert both.earlier_endpoints["cut"].unique().to_list() == ["month 10"]
    assert late.earlier_endpoints.is_empty()


def test_nobody_is_followed_beyond_the_cut_and_entry_has_its_order(both):
    patients = both.patients
    assert (patients["entry_months"] + patients["os_months"]).max() <= 16.0
    assert patients["entry_months"].is_sorted()
    assert patients["entry_months"][0] == 0.0
    assert patients["entry_months"].max() <= 8.0
    assert both.looks.select("cut", "reason", "patients", "decision").rows() == [
        ("month 10", "calendar", 90, "analysed"),
        ("month 16", "calendar", 90, "analysed"),
    ]


def test_patients_who_have_not_come_are_in_no_table():
    found = trials.run(protocol(ACCRUAL, '[[data_cuts]]\nname = "early"\nmonths = 4\n', MONTH_16), seed=5)
    early = found.looks["patients"][0]
    assert 30 < early < 60
    assert found.earlier_endpoints.filter(endpoint="orr")["n"].head(2).sum() == early


def test_a_cut_by_events_comes_when_they_are_known():
    plan = protocol(ACCRUAL, EVENTS.format(40), EVENTS.format(70))
    found = trials.run(plan, replicates=3, seed=2)
    for _, part in found.patients.group_by("replicate"):
        # One or two more may fall on the day of the cut; a death near it may move by the last step's line.
        assert abs(part["pfs_event"].sum() - 70) <= 2
    assert found.looks["reason"].to_list() == ["events"] * 6
    never = trials.run(protocol(ACCRUAL, EVENTS.format(90)), seed=2)
    assert never.looks["months"][0] == pytest.approx(20, abs=1 / 30)
    assert never.looks["reason"][0] == "latest month, before the events"


MONITORING = '[monitoring]\nevents = 70\nalpha = 0.025\nspending = "pocock"\nfutility = "pocock"\n'


def test_a_test_at_a_cut_is_the_log_rank_test_of_its_data():
    plan = protocol(ACCRUAL, EVENTS.format(40), EVENTS.format(70), MONITORING)
    found = trials.run(plan, replicates=4, seed=2)
    assert found.replicates == 4
    decisions = {}
    for (number,), rows in found.looks.group_by("replicate", maintain_order=True):
        patients = found.patients.filter(pl.col("replicate") == number)
        new = (patients["arm"] == "POM+LoDEX").to_numpy()
        test = log_rank(patients["pfs_months"], patients["pfs_event"], new)
        last = rows.row(-1, named=True)
        assert abs(last["z"]) == pytest.approx(np.sqrt(test.chi2), rel=1e-9)
        assert last["p_one_sided"] == pytest.approx(
            test.p_value / 2 if last["z"] > 0 else 1 - test.p_value / 2, rel=1e-6
        )
        assert (last["hazard_ratio"] < 1) == (last["z"] > 0)
        spending = SpendingPlan(70, 0.025, "pocock", "pocock", 0.9, (40, 70))
        events = rows["events"].to_list()
        ended = last["decision"] == "no benefit" or len(events) == 2
        look = spending.bounds(events, last=ended)[-1]
        assert (last["efficacy_z"], last["spent"]) == (look.efficacy, look.spent)
        assert (last["decision"] == "benefit") == (last["z"] >= look.efficacy)
        # Nothing follows a trial that ended, and all before it went on.
        assert rows["decision"].to_list()[:-1] == ["goes on"] * (rows.height - 1)
        decisions[number] = rows["decision"].to_list()
    assert any(len(one) == 1 for one in decisions.values())


def test_a_cut_without_anything_new_spends_nothing():
    again = '[[data_cuts]]\nname = "again"\nmonths = 10\n'
    plan = protocol(ACCRUAL, MONTH_10, again, MONTH_16, "[monitoring]\nevents = 85\nalpha = 0.0001\n")
    looks = trials.run(plan, seed=5).looks
    assert looks["decision"].to_list()[:2] == ["goes on", "nothing new since the cut before"]
    assert looks["months"][0] == looks["months"][1]
    assert looks["spent"][1] is None
    assert looks["spent"][2] == 0.0001


def test_units_on_disk_and_workers_give_the_same(tmp_path, elsewhere):
    plan = protocol(ACCRUAL, EVENTS.format(40), MONTH_16)
    whole = trials.run(plan, replicates=2, seed=7, workers=2)
    assert [one.workers for one in elsewhere] == [2]
    for number in (2, 1):
        keep_group(tmp_path, (Unit(plan, 7, number),))
    kept = read_units(tmp_path, plan, 2, 7)
    assert kept.tables().keys() == whole.tables().keys() >= {"looks", "earlier_endpoints"}
    for name, table in whole.tables().items():
        assert table.equals(kept.tables()[name]), name
    assert run_unit(Unit(plan, 7, 1))[2].equals(whole.endpoints.filter(pl.col("replicate") == 1))
    assert whole.summary()["looks"][0]["cut"] == "40 events"


def test_arms_can_be_pooled():
    plan = protocol_from_text(
        HEAD.replace('without = ["follow_up"]', "")
        + '[[pools]]\nname = "all"\narms = ["POM+LoDEX", "HiDEX"]\n',
        where="pool.toml",
    )
    found = trials.run(plan, seed=1)
    rows = {row["arm"]: row for row in found.endpoints.filter(endpoint="orr").iter_rows(named=True)}
    assert rows["all"]["n"] == 90
    assert rows["all"]["events"] == rows["POM+LoDEX"]["events"] + rows["HiDEX"]["events"]
    assert "all" in found.survival_curves["arm"].unique().to_list()
    # A pool is compared with the arms that are not in it, of which there is none here.
    assert not [arm for arm in rows if arm.startswith("all vs")]


def test_a_pool_is_compared_with_the_other_arms():
    third = '[[arms]]\nname = "POM"\npatients = 30\n[[arms.drugs]]\ncompound = "pomalidomide"\n'
    third += 'dose_mg = 4\ndays = "1-21"\nrules = "pomalidomide-us-label"\n'
    ratio = "[randomisation]\nratio = [2, 1, 1]\nblocks_of = 4\n"
    pool = '[[pools]]\nname = "glue"\narms = ["POM+LoDEX", "POM"]\n'
    plan = protocol_from_text(
        HEAD.replace('without = ["follow_up"]', "") + third + ratio + pool, where="pool.toml"
    )
    found = trials.run(plan, seed=1)
    row = found.endpoints.filter(endpoint="hr_pfs", arm="glue vs HiDEX").row(0, named=True)
    assert row["n"] == 120
    both = found.patients.with_columns(new=pl.col("arm") != "HiDEX")
    test = log_rank(both["pfs_months"], both["pfs_event"], both["new"])
    assert row["p_value"] == pytest.approx(test.p_value, rel=1e-9)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((ACCRUAL,), "no data cut"),
        (
            (MONTH_10, "[follow_up]\nminimum_months = 1\nmedian_months = 2\nmaximum_months = 3\n"),
            "no accrual",
        ),
        ((ACCRUAL, MONTH_10, MONTH_10.replace("10\n", "12\n")), "share a name"),
        ((ACCRUAL, MONTH_16, MONTH_10), "data cuts at 16, 10 months"),
        ((ACCRUAL, EVENTS.format(40), EVENTS.format(30)), "data cuts at 40, 30 events of pfs"),
        ((ACCRUAL, MONTH_10, MONTH_16.replace("month 16", "Month 10 ")), "share a name"),
        ((ACCRUAL, MONTH_10.replace("= 10", "= 7")), "the last data cut is at 7"),
        (
            ('[accrual]\nmonths = 8\nper_month = 3\nassumed = "x"\n', MONTH_10),
            "accrual by months and per_month",
        ),
        (('[accrual]\nassumed = "x"\n', MONTH_10), "accrual by nothing"),
        (('[accrual]\nper_month = [[1, 3]]\nassumed = "x"\n', MONTH_10), "from month 1"),
        ((ACCRUAL, '[[data_cuts]]\nname = "a"\n'), "data cut by nothing"),
        ((ACCRUAL, '[[data_cuts]]\nname = "a"\nevents = 10\n'), "events 10 and at_most_months None"),
        ((ACCRUAL, EVENTS.format(91)), "91 events of 90 patients"),
        ((ACCRUAL, EVENTS.format(40) + 'endpoint = "pfss"\n'), 'did you mean "pfs"'),
        ((ACCRUAL, MONTH_10, '[monitoring]\nevents = 70\nfutility = "linear"\n'), "futility without"),
        ((ACCRUAL, EVENTS.format(40), EVENTS.format(30), "[monitoring]\nevents = 40\n"), "looks at 40, 30"),
        ((ACCRUAL, MONTH_10, '[monitoring]\nevents = 70\narms = ["POM+LoDEX"]\n'), "the arms POM+LoDEX of"),
        (
            (ACCRUAL, MONTH_16, "[follow_up]\nminimum_months = 1\nmedian_months = 2\nmaximum_months = 3\n"),
            "calendar 8",
        ),
    ],
)
def test_a_calendar_that_cannot_be_is_refused(parts, said):
    error = refused(*parts)
    assert error.code == "GP-T093"
    assert said in error.render()


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ('[[pools]]\nname = "p"\narms = ["POM+LoDEX", "HiDex"]\n', 'did you mean "HiDEX"'),
        ('[[pools]]\nname = "p"\narms = ["HiDEX", "HiDEX"]\n', "an arm twice"),
        ('[[pools]]\nname = "HiDEX"\narms = ["POM+LoDEX", "HiDEX"]\n', "the name of something else"),
    ],
)
def test_pools_that_cannot_be_are_refused(part, said):
    error = refused(ACCRUAL, MONTH_10, part)
    assert error.code == "GP-T096"
    assert said in error.render()


def test_a_record_that_is_not_known_is_refused():
    text = HEAD.replace("landmark_months", 'records = ["pfs3", "infection"]\nlandmark_months')
    with pytest.raises(InputError, match="GP-T096") as caught:
        protocol_from_text(text + ACCRUAL + MONTH_10, where="cut.toml")
    assert 'did you mean "pfs2"' in caught.value.render()
    assert "febrile_neutropenia" in caught.value.expected


def test_one_arm_of_it_is_followed_as_its_calendar_comes_to():
    plan = protocol(ACCRUAL, EVENTS.format(40), EVENTS.format(70), MONITORING)
    alone = trials.alone(plan, "POM+LoDEX", patients=12)
    assert (alone.data_cuts, alone.monitoring, alone.accrual) == ((), None, None)
    assert alone.follow_up.maximum_months == 20
    found = trials.sweep(
        plan,
        trials.grid(dose_mg=[2]),
        arm="POM+LoDEX",
        settings=trials.SweepSettings(replicates=1, patients=12),
    )
    assert found.variants == ("as written", "2 mg")
