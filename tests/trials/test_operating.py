"""Designs simulated from pools: closed forms where hazards are constant, whole trials where they are the
model's, the same answer after a stop."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint import survival, trials
from glueprint.cli.app import app
from glueprint.errors import InputError
from glueprint.report import figures
from glueprint.trials import OperatingSettings, operating
from glueprint.trials.pools import EVER, Course, Pool, simulate
from glueprint.trials.protocol.loading import protocol_from_text

HEAD = """extends = "mm003"
name = "design"
title = "Design"
without = ["follow_up", "randomisation.strata"]
[randomisation]
ratio = [1, 1]
blocks_of = 4
[[arms]]
name = "POM+LoDEX"
patients = 60
[[arms]]
name = "HiDEX"
patients = 60
[accrual]
months = 12
assumed = "an example"
"""
CUT = '[[data_cuts]]\nname = "{0} events"\nevents = {0}\nendpoint = "os"\nat_most_months = {1}\n'


def design(events, more="", months=20):
    cuts = "".join(CUT.format(one, months) for one in events)
    monitoring = f'[monitoring]\nendpoint = "os"\nevents = {events[-1]}\n{more}'
    head = HEAD.replace("patients = 60", f"patients = {max(events[-1], 60)}")
    return protocol_from_text(head + cuts + monitoring, where="design.toml")


def exponential_pool(median, ratio, n=20_000):
    """Patients of constant hazards, at the quantiles, so that the pool itself has no chance in it."""
    quantile = -np.log1p(-(np.arange(n) + 0.5) / n) / np.log(2)
    day = np.concatenate([quantile * median / ratio, quantile * median]) * trials.MONTH_DAYS
    new = np.arange(2 * n) < n
    return Pool(day, day, np.full(2 * n, EVER), new, np.zeros(2 * n, dtype=np.int64), None)


@pytest.mark.parametrize("many", [1_000, 4_000])
@pytest.mark.parametrize("spending", ["obrien-fleming", "pocock"])
def test_power_and_error_are_those_of_the_closed_form(spending, many):
    ratio = 0.7
    planned = survival.plan(
        survival.Assumptions(ratio, 10.0, accrual=12, follow_up=24), (0.5, 0.75, 1.0), spending=spending
    )
    course = Course.of(design(planned.look_events, f'spending = "{spending}"\n', 100))
    pool, bounds = exponential_pool(10.0, ratio), planned.boundaries
    size = planned.patients * 5 // 4  # more than enough for the events to come
    wider = math.sqrt(4_000 / many)
    seen = simulate(pool, course, size, many, np.random.default_rng(1), effect=True)
    # Three Monte Carlo errors of 4,000 trials are 1.4; benchmarks.trial_power has ten times as many.
    assert seen["power_percent"] == pytest.approx(100 * bounds.power, abs=1.5 * wider)
    for look in range(3):
        expected = 100 * bounds.stop_for_benefit[look]
        assert seen[f"benefit_at_look_{look + 1}_percent"] == pytest.approx(expected, abs=2.4 * wider)
    assert seen["events"] == pytest.approx(bounds.expected_information * planned.events, rel=0.02)
    null = simulate(pool, course, size, many, np.random.default_rng(2), effect=False)
    assert null["power_percent"] == pytest.approx(2.5, abs=0.75 * wider)
    assert null["hazard_ratio"] == pytest.approx(1.0, abs=0.015 * wider)


def test_futility_ends_trials_without_an_effect():
    events = (60, 120)
    plain, futile = (
        simulate(
            exponential_pool(10.0, 0.7, 2000),
            Course.of(design(events, more, 100)),
            200,
            1500,
            np.random.default_rng(3),
            effect=False,
        )
        for more in ("", 'futility = "pocock"\n')
    )
    planned = survival.group_sequential([0.5, 1.0], futility="pocock")
    assert plain["futility_percent"] == 0.0
    expected = 100 * float(survival.group_sequential([0.5, 1.0]).stop_under_null.sum())
    assert plain["power_percent"] == pytest.approx(expected, abs=1.2)
    assert futile["futility_percent"] > 30
    assert futile["power_percent"] == pytest.approx(100 * planned.stop_under_null.sum(), abs=1.2)
    assert futile["events"] < plain["events"] - 15


def test_a_drawn_trial_has_the_events_and_the_calendar_of_its_cut():
    course = Course.of(design((40,), months=100))
    seen = simulate(exponential_pool(10.0, 1.0, 500), course, 100, 500, np.random.default_rng(4), effect=True)
    assert 40 <= seen["events"] < 41.5
    months = survival.Assumptions(0.999, 10.0, accrual=12, follow_up=12)
    when = next(m for m in np.arange(1, 40, 0.05) if 100 * months.events_by(m) >= 40)
    assert seen["months"] == pytest.approx(when, rel=0.03)
    # Cut by the calendar the number of events is what comes.
    by_month = replace(course, cuts=(trials.protocol.DataCut(name="a", months=15.0),), monitoring=None)
    late = simulate(
        exponential_pool(10.0, 1.0, 500), by_month, 100, 500, np.random.default_rng(4), effect=True
    )
    assert late["months"] == pytest.approx(15.0, abs=0.04)
    # Entry counts from the first patient, so that follow-up is a little longer than without.
    assert late["events"] == pytest.approx(100 * months.events_by(15.0), rel=0.04)


PLAN = design((30, 60))
SETTINGS = OperatingSettings(pools=3, patients=30, trials=300, seed=2)


@pytest.fixture(scope="module")
def found():
    return operating(PLAN, [90, 110], SETTINGS)


def test_the_table_is_a_mean_over_pools(found):
    assert found.by_pool["trials"].sum() == 2 * 2 * 300
    assert found.table.select("patients", "truth").rows() == [
        (90, "as the model has it"),
        (90, "no effect"),
        (110, "as the model has it"),
        (110, "no effect"),
    ]
    row = found.table.row(0, named=True)
    mine = found.by_pool.filter(patients=90, truth="as the model has it")
    assert row["power_percent"] == pytest.approx(mine["power_percent"].mean())
    spread = 1.96 * mine["power_percent"].std() / np.sqrt(3)
    assert row["high"] - row["power_percent"] == pytest.approx(min(spread, 100 - row["power_percent"]))
    assert row["least_power_percent"] is None  # of three pools nothing is said of the middle 95 %
    assert found.table["events"].is_between(30, 62).all()


def test_a_run_that_was_stopped_goes_on_and_workers_change_nothing(found, tmp_path, elsewhere):
    told = []
    operating(PLAN, [90, 110], replace(SETTINGS, pools=3), folder=tmp_path)
    (job,) = tmp_path.iterdir()
    kept = sorted(path.name for path in job.iterdir())
    assert kept == ["000001", "000002", "000003"]
    for file in (job / "000002").iterdir():
        file.unlink()
    (job / "000002").rmdir()
    again = operating(PLAN, [90, 110], replace(SETTINGS, workers=2), folder=tmp_path, progress=told.append)
    assert elsewhere[-1].workers == 2
    assert told[0] == pytest.approx(2 / 3)
    assert again.table.equals(found.table)
    assert again.by_pool.equals(found.by_pool)


def test_pools_behave_as_whole_trials_do():
    """The approximation of the pool: its trials beside trials conducted one by one."""
    plan = protocol_from_text(HEAD + CUT.format(60, 18), where="design.toml")
    plan = plan.model_copy(
        update={"data_cuts": tuple(c.model_copy(update={"endpoint": "pfs"}) for c in plan.data_cuts)}
    )
    pools = operating(plan, [120], OperatingSettings(pools=1, patients=150, trials=1000))
    whole = trials.run(plan, replicates=10, seed=5).endpoints.filter(endpoint="hr_pfs")
    row = pools.table.row(0, named=True)
    log = np.log(whole["value"].to_numpy())
    # The pool of 300 patients differs from others by chance as well.
    error = np.hypot(log.std(ddof=1) / np.sqrt(10), 2 / np.sqrt(250))
    assert abs(np.log(row["hazard_ratio"]) - log.mean()) < 3 * error
    assert whole["events"].mean() == pytest.approx(row["events"], rel=0.05)


def test_patients_for_a_power_lie_between_two_sizes(found):
    table = found.table.with_columns(
        power_percent=pl.when(pl.col("truth") == "no effect")
        .then(2.5)
        .when(pl.col("patients") == 90)
        .then(70.0)
        .otherwise(90.0)
    )
    known = replace(found, table=table)
    assert known.patients_for(80.0) == pytest.approx(100.0)
    assert known.patients_for(60.0) is known.patients_for(95.0) is None


@pytest.mark.parametrize(
    ("sizes", "said"), [([60], "60 patients"), ([], "of nothing"), ([100, 100], "100, 100")], ids=str
)
def test_sizes_that_cannot_be_are_refused(sizes, said):
    with pytest.raises(InputError) as caught:
        operating(PLAN, sizes, SETTINGS)
    assert caught.value.code == "GP-T097"
    assert said in caught.value.render()


def test_one_arm_has_no_power():
    plan = PLAN.model_copy(
        update={"arms": PLAN.arms[:1], "monitoring": None, "data_cuts": PLAN.data_cuts[:1]}
    )
    with pytest.raises(InputError, match="GP-T097"):
        operating(plan, [100], SETTINGS)


def test_the_command(tmp_path, printed):
    path = tmp_path / "design.toml"
    path.write_text(HEAD + CUT.format(40, 20), encoding="utf-8")
    few = ["--patients", "60,80", "--trials", "40", "--pools", "1", "--pool-patients", "20"]
    out, figure = tmp_path / "out", tmp_path / "power.svg"
    told = payload(
        printed(app, "trial", "power", str(path), *few, "--out", str(out), "--figure", str(figure), "--json")
    )
    assert [row["patients"] for row in told["rows"]] == [60, 60, 80, 80]
    assert set(told["patients_for_power"]) == {"80", "90"}
    assert pl.read_parquet(out / "operating.parquet").height == 4
    assert figure.read_text("utf-8").startswith("<svg")
    text = printed(app, "trial", "power", str(path), *few)
    assert "no effect" in text
    assert "90 %" in text
    refused = CliRunner().invoke(app, ["trial", "power", str(path), "--patients", "many"])
    assert refused.exit_code != 0


def test_a_grid_of_doses(tmp_path, printed):
    path = tmp_path / "design.toml"
    path.write_text(HEAD + CUT.format(40, 20), encoding="utf-8")
    few = ["--patients", "60,80", "--trials", "40", "--pools", "1", "--pool-patients", "20"]
    out, drawn = tmp_path / "out", tmp_path / "power.svg"
    asked = ["trial", "power", str(path), *few, "--dose-mg", "1,4", "--out", str(out)]
    told = payload(printed(app, *asked, "--figure", str(drawn), "--json"))
    assert [(row["variant"], row["patients"]) for row in told["rows"][::2]] == [
        ("1 mg", 60),
        ("1 mg", 80),
        ("4 mg", 60),
        ("4 mg", 80),
    ]
    assert (tmp_path / "power-1.svg").exists()
    assert (tmp_path / "power-2.svg").exists()
    text = printed(app, *asked)
    assert "1 mg: 90 %" in text


def test_a_grid_is_its_designs_and_goes_on(tmp_path):
    protocol, settings = (
        protocol_from_text(HEAD + CUT.format(40, 20), where="x"),
        OperatingSettings(1, 20, 40),
    )
    one = trials.operating_grid(protocol, trials.grid(dose_mg=[4]), [60, 80], settings, folder=tmp_path)
    kept = {folder: folder.stat().st_mtime_ns for folder in tmp_path.glob("operating-*/*")}
    assert len(kept) == 1
    grown = trials.operating_grid(protocol, trials.grid(dose_mg=[1, 4]), [60, 80], settings, folder=tmp_path)
    assert {folder: folder.stat().st_mtime_ns for folder in kept} == kept
    assert len(list(tmp_path.glob("operating-*/*"))) == 2
    # The dose as written is the design itself; the control arm is nobody's variant.
    assert grown.found["4 mg"].table.equals(one.found["4 mg"].table)
    assert grown.found["4 mg"].table.equals(operating(protocol, [60, 80], settings).table)
    low, full = (found.table for found in grown.found.values())
    assert not low.equals(full)
    assert low.filter(truth="no effect").equals(full.filter(truth="no effect"))
    assert grown.table["variant"].unique(maintain_order=True).to_list() == ["1 mg", "4 mg"]


def test_the_figure_needs_its_columns(found):
    with pytest.raises(InputError, match="GP-P001"):
        figures.power(found.table.drop("low"))
    with pytest.raises(InputError, match="GP-P005"):
        figures.power(found.table.clear())
