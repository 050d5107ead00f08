"""Patients who change treatment: known truth comes back, and what cannot be is refused or has a status."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from glueprint import survival
from glueprint.errors import InputError
from glueprint.survival import Request, crossover

REFERENCE = Path(__file__).parent / "reference" / "switching_data.json"
DATA = json.loads(REFERENCE.read_text("utf-8"))
TIME = [5.0, 8.0, 3.0, 9.0, 7.0, 6.0]
EVENT = [1, 1, 1, 0, 1, 1]
ARM = ["a", "a", "a", "b", "b", "b"]
SWITCH = [2.0, np.nan, np.nan, np.nan, np.nan, np.nan]


def refused(code, where, function, *arguments, **options):
    with pytest.raises(InputError) as caught:
        function(*arguments, **options)
    assert (caught.value.code, caught.value.where) == (code, where)
    assert caught.value.expected
    assert caught.value.next_step
    return caught.value.render()


def trial(rng, n, psi, share=0.6, level=None):
    """Lives are stretched by exp(-psi) on treatment; control switches at some share of its untreated life."""
    new = np.arange(n) % 2 == 1
    untreated = 10 * rng.weibull(1.2, n)
    at = rng.uniform(0.2, 0.8, n) * untreated
    wants = ~new & (rng.random(n) < share)
    factor = math.exp(-psi)
    life = np.where(new, untreated * factor, np.where(wants, at + (untreated - at) * factor, untreated))
    cut = rng.uniform(8, 24, n)
    time, event = np.minimum(life, cut), life <= cut
    switch = np.where(wants & (at < time), at, np.nan)
    return time, event, new, switch, cut, untreated


def test_the_factor_of_a_rank_preserving_world_comes_back():
    """200 trials of 300: the interval of psi holds the truth in 95 %, within its binomial band."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(200):
        time, event, new, switch, cut, _ = trial(rng, 300, -0.5)
        fit = survival.rpsft(time, event, new, switch, follow_up=cut)
        found.append((fit.psi, *fit.psi_interval, fit.p_value, fit.randomised_z))
    psi, low, high = np.array(found).T[:3]
    assert psi.mean() == pytest.approx(-0.5, abs=3 * psi.std() / math.sqrt(200))
    inside = int(((low <= -0.5) & (high >= -0.5)).sum())
    assert 180 <= inside <= 198


def test_without_censoring_and_chance_the_root_is_exact():
    """Both arms have the same untreated lives: at the true factor the arms are alike to the last patient."""
    lives = np.linspace(1, 20, 40)
    switch = np.concatenate([lives * 0.5, np.full(40, np.nan)])
    treated = np.concatenate([lives * 0.5 + lives * 0.5 * 2, lives * 2])
    arm = np.repeat([0, 1], 40)
    fit = survival.rpsft(treated, np.ones(80), arm, switch)
    assert fit.time_ratio == pytest.approx(2.0, rel=0.02)
    np.testing.assert_allclose(np.sort(fit.lives.time[:40]), lives, rtol=0.02)
    assert fit.hazard_ratio < 0.6


def test_the_p_value_is_that_of_the_arms_as_randomised():
    time, event, new, switch, cut, _ = trial(np.random.default_rng(3), 300, -0.4)
    fit = survival.rpsft(time, event, new, switch, follow_up=cut)
    test = survival.log_rank(time, event, new)
    assert fit.p_value == pytest.approx(test.p_value, rel=1e-12)
    excludes = fit.interval[1] < 1 or fit.interval[0] > 1
    assert excludes == (test.p_value < 0.05)


def test_a_weighted_test_gives_another_root_of_the_same_truth():
    time, event, new, switch, cut, _ = trial(np.random.default_rng(4), 800, -0.5)
    plain, early = (
        survival.rpsft(time, event, new, switch, follow_up=cut, weights=weights)
        for weights in ((0.0, 0.0), (1.0, 0.0))
    )
    assert plain.psi != early.psi
    assert early.psi == pytest.approx(-0.5, abs=0.35)
    assert early.z[60] == pytest.approx(
        survival.fleming_harrington(time, event, new, 1.0, 0.0).z, abs=1e-9
    )  # psi of 0 is the trial as it is


def test_a_search_that_does_not_reach_says_so():
    time, event, new, switch, cut, _ = trial(np.random.default_rng(5), 300, -0.5)
    assert survival.rpsft(time, event, new, switch, between=(1.0, 2.0)).status == "no root"
    near = survival.rpsft(time, event, new, switch, follow_up=cut, between=(-0.9, -0.3))
    assert near.status in ("open interval", "several roots")
    assert math.isinf(near.psi_interval[0]) or math.isinf(near.psi_interval[1])
    assert "wider" in near.summary() or near.status == "several roots"


def test_both_arms_may_switch_if_that_is_said():
    rng = np.random.default_rng(6)
    n, factor = 1200, math.exp(0.5)
    new = np.arange(n) % 2 == 1
    untreated = 10 * rng.weibull(1.2, n)
    at = rng.uniform(0.2, 0.8, n)
    moves = rng.random(n) < 0.4
    stretched = np.where(new, untreated * factor, untreated)
    switch = np.where(moves, at * stretched, np.nan)
    rest = untreated * (1 - at) * np.where(new, 1.0, factor)
    life = np.where(moves, at * stretched + rest, stretched)
    fit = survival.rpsft(life, np.ones(n), new, switch, both_arms=True)
    assert fit.time_ratio == pytest.approx(factor, rel=0.1)
    np.testing.assert_allclose(fit.lives.time, stretched, rtol=0.1)


def staged(rng, n):
    """A covariate at the second baseline decides the switch and the rest of life; no effect of the arm."""
    new = np.arange(n) % 2 == 1
    x = rng.normal(size=n)
    at = rng.exponential(6, n)
    rest = 8 * rng.weibull(1.2, n) * np.exp(0.6 * x)
    moves = ~new & (rng.random(n) < 1 / (1 + np.exp(-(0.3 + 1.2 * x))))
    life = at + np.where(moves, rest * math.exp(0.6), rest)
    cut = rng.uniform(12, 36, n)
    time, event = np.minimum(life, cut), life <= cut
    there = at < time
    return time, event, new, np.where(moves & there, at, np.nan), np.where(there, at, np.nan), x, cut


def test_two_stages_give_the_factor_back_with_the_covariate_and_not_without():
    rng = np.random.default_rng(7)
    psi, naive, inside = [], [], 0
    for _ in range(120):
        time, event, new, switch, baseline, x, cut = staged(rng, 400)
        fit = survival.two_stage(time, event, new, switch, baseline, x, follow_up=cut)
        psi.append(fit.psi)
        inside += fit.interval[0] <= 1 <= fit.interval[1]
        naive.append(survival.two_stage(time, event, new, switch, baseline, follow_up=cut).psi)
    assert np.mean(psi) == pytest.approx(-0.6, abs=0.05)
    assert np.mean(naive) < -0.8
    assert inside >= 106  # 95 % of 120 is 114; 106 is its 0.1 % quantile


def test_two_stages_need_somebody_who_did_not_switch():
    baseline = [2.0, np.nan, np.nan, np.nan, np.nan, np.nan]
    fit = survival.two_stage(TIME, EVENT, ARM, SWITCH, baseline)
    assert fit.status == "nobody to compare"
    assert math.isnan(fit.hazard_ratio)
    assert "rpsft" in fit.advice
    assert fit.advice in fit.summary()


def test_two_stages_need_patients_who_are_alike_but_for_the_switch():
    time, event, new, switch, baseline, x, cut = staged(np.random.default_rng(12), 300)
    tells = np.column_stack([x, np.where(np.isfinite(switch), 3.0, 7.0)])
    fit = survival.two_stage(time, event, new, switch, baseline, tells, follow_up=cut)
    assert fit.status == "nobody to compare"
    assert math.isnan(fit.hazard_ratio)
    constant = survival.two_stage(time, event, new, switch, baseline, np.ones(300), follow_up=cut)
    plain = survival.two_stage(time, event, new, switch, baseline, follow_up=cut)
    assert constant.psi == pytest.approx(plain.psi, abs=1e-9)


def test_recensoring_that_leaves_no_event_is_a_status():
    """Control dies late, and at the factor found its follow-up ends before."""
    time = [20.0, 22.0, 24.0, 26.0, 28.0, 9.0, 10.0, 11.0, 12.0, 13.0]
    switch = [1.0, 1.0, 1.0, np.nan, np.nan, *[np.nan] * 5]
    baseline = [1.0, 1.0, 1.0, 25.0, 27.5, *[np.nan] * 5]
    arm, event = np.repeat([0, 1], 5), np.ones(10)
    fit = survival.two_stage(time, event, arm, switch, baseline, follow_up=[29.0] * 10)
    assert fit.status == "no hazard ratio"
    assert math.isfinite(fit.psi)
    assert math.isnan(fit.hazard_ratio)
    assert "recensoring" in fit.summary()


def weighted_world(rng, n, months=30):
    """A covariate that wanders decides death and switch month by month; the arms' hazard ratio is 0.6."""
    new = np.arange(n) % 2 == 1
    x = rng.normal(size=n)
    bar, own, free = rng.exponential(size=n), np.zeros(n), np.zeros(n)
    switch, death, alone = (np.full(n, np.inf) for _ in range(3))
    rows = []
    for month in range(months):
        x = 0.9 * x + 0.45 * rng.normal(size=n)
        hazard = 0.06 * np.exp(0.7 * x) * np.where(new, 0.6, 1.0)
        now = hazard * np.where(~new & (switch <= month), 0.4, 1.0)
        alone = np.where((free < bar) & (free + hazard >= bar), month + (bar - free) / hazard, alone)
        alive = np.isinf(death)
        dies = alive & (own + now >= bar)
        end = np.where(dies, month + (bar - own) / now, month + 1)
        free, own = free + hazard, own + now
        death = np.where(dies, end, death)
        rows.extend((k, month, end[k], dies[k], new[k], x[k]) for k in np.flatnonzero(alive))
        moves = ~new & alive & ~dies & np.isinf(switch) & (rng.random(n) < 1 / (1 + np.exp(2.5 - x)))
        switch = np.where(moves, month + 1, switch)
    table = np.array(rows, dtype=float)
    who = table[:, 0].astype(int)
    last = np.zeros(n)
    np.maximum.at(last, who, table[:, 2])
    moved = np.where(switch[who] < last[who], switch[who], np.nan)
    columns = (table[:, 1], table[:, 2], table[:, 3], table[:, 4], moved, table[:, 0], table[:, 5])
    return columns, np.minimum(alone, months), alone <= months, new


@pytest.mark.parametrize("model", ["cox", "logistic"])
def test_weights_give_the_comparison_without_switches_back(model):
    rng = np.random.default_rng(8)
    found, truth, censored = [], [], []
    for _ in range(25):
        columns, time, event, new = weighted_world(rng, 400)
        fit = survival.ipcw(*columns, model=model)
        assert fit.status == "ok"
        found.append(math.log(fit.hazard_ratio))
        censored.append(math.log(survival.ipcw(*columns[:-1], np.zeros(columns[0].size)).hazard_ratio))
        truth.append(float(survival.cox(time, event, new.astype(float)).coefficients[0]))
    difference = np.array(found) - truth
    assert abs(difference.mean()) < 3 * difference.std() / 5
    assert abs(np.mean(censored) - np.mean(truth)) > 0.08


def test_covariates_that_say_who_switches_leave_no_weight():
    columns, *_ = weighted_world(np.random.default_rng(9), 60)
    entry, end, event, arm, switch, who, _ = columns
    tells = ((switch <= end) & (switch > entry)).astype(float)
    for model in ("cox", "logistic"):
        fit = survival.ipcw(entry, end, event, arm, switch, who, tells, model=model)
        assert fit.status == "no maximum"
        assert "positivity" in fit.advice
        assert math.isnan(fit.hazard_ratio)


def test_unstabilised_and_bounded_weights():
    columns, *_ = weighted_world(np.random.default_rng(10), 200)
    plain, raw = survival.ipcw(*columns), survival.ipcw(*columns, stabilised=False)
    assert raw.mean > plain.mean
    assert survival.ipcw(*columns, largest=1.5).largest == 1.5
    assert plain.dropped > 0
    assert 0 < raw.effective < 1


@pytest.mark.parametrize(
    ("switch", "options", "code", "where"),
    [
        ([-1.0, *SWITCH[1:]], {}, "GP-V037", "switch[0]"),
        ([5.5, *SWITCH[1:]], {}, "GP-V037", "switch[0]"),
        ([2.0, *SWITCH[1:5], 3.0], {}, "GP-V038", "switch[5]"),
        ([np.nan] * 6, {}, "GP-V039", "switch"),
        (SWITCH, {"follow_up": [4.0] * 6}, "GP-V040", "follow_up[0]"),
        (SWITCH, {"follow_up": [np.nan] * 6}, "GP-V040", "follow_up[0]"),
        (SWITCH, {"reference": "c"}, "GP-V034", "reference"),
        (SWITCH, {"reference": "b"}, "GP-V039", "switch"),
        (SWITCH, {"between": (1.0, -1.0)}, "GP-V007", "between"),
        (SWITCH, {"level": 95}, "GP-V007", "level"),
    ],
)
def test_what_is_no_switch_is_refused(switch, options, code, where):
    refused(code, where, survival.rpsft, TIME, EVENT, ARM, switch, **options)


def test_arms_that_are_not_two():
    refused("GP-V006", "arm", survival.rpsft, TIME, EVENT, ["a"] * 6, SWITCH)
    refused("GP-V020", "arm", survival.rpsft, TIME, EVENT, ["a", "b", "c"] * 2, SWITCH)


@pytest.mark.parametrize(
    "baseline", [[3.0, *[np.nan] * 5], [np.nan] * 6, [2.0, 9.0, *[np.nan] * 4], [-1.0, *[np.nan] * 5]]
)
def test_a_second_baseline_lies_before_the_switch(baseline):
    text = refused(
        "GP-V041",
        "baseline[1]" if baseline[1] == 9.0 else "baseline[0]",
        survival.two_stage,
        TIME,
        EVENT,
        ARM,
        SWITCH,
        baseline,
    )
    assert "second baseline" in text


def test_rows_of_one_patient_that_say_different_things():
    entry, end, event, who = [0, 2, 0, 0], [2, 5, 4, 6], [0, 1, 1, 1], [1, 1, 2, 3]
    arm, switch = [0, 0, 0, 1], [2, 2, np.nan, np.nan]
    x = [0.0, 1.0, 0.5, 0.2]
    refused("GP-V042", "switch[1]", survival.ipcw, entry, end, event, arm, [2, 3, np.nan, np.nan], who, x)
    refused("GP-V042", "arm[1]", survival.ipcw, entry, end, event, [0, 1, 0, 1], switch, who, x)
    refused("GP-V037", "switch[0]", survival.ipcw, entry, end, event, arm, [7, 7, np.nan, np.nan], who, x)
    refused("GP-V039", "switch", survival.ipcw, entry, end, event, arm, [np.nan] * 4, who, x)
    refused("GP-V017", "patient[1]", survival.ipcw, [0, 1, 0, 0], end, event, arm, switch, who, x)
    refused("GP-V007", "model", survival.ipcw, entry, end, event, arm, switch, who, x, model="probit")
    refused("GP-V007", "largest", survival.ipcw, entry, end, event, arm, switch, who, x, largest=0.5)


def table_of(name="plain"):
    return pl.DataFrame(DATA["trials"][name]).with_columns(
        arm=pl.when(pl.col("arm") == 1).then(pl.lit("new")).otherwise(pl.lit("control"))
    )


BASE = {"arm": "arm", "switch": "switch", "follow_up": "follow_up"}


def test_a_table_says_what_the_arrays_say():
    table = table_of()
    request = Request("time", "event", **BASE, progression="baseline", covariates=("covariate",))
    found = crossover(table, request)
    arrays = [
        table[name].cast(pl.Float64, strict=False).fill_null(math.nan).to_numpy()
        for name in ("time", "event")
    ]
    switch = table["switch"].fill_null(math.nan).to_numpy()
    new = (table["arm"] == "new").to_numpy()
    direct = survival.rpsft(*arrays, new, switch, follow_up=table["follow_up"].to_numpy())
    ratios = {row["method"]: row for row in found.tables["hazard_ratios"].to_dicts()}
    assert list(ratios) == ["as randomised", "censored at the switch", "RPSFT", "two-stage"]
    assert ratios["RPSFT"]["hazard_ratio"] == direct.hazard_ratio
    assert ratios["as randomised"]["p_value"] == survival.cox(*arrays, new.astype(float)).p_value[0]
    staged = survival.two_stage(
        *arrays,
        new,
        switch,
        table["baseline"].fill_null(math.nan).to_numpy(),
        table["covariate"].to_numpy(),
        follow_up=table["follow_up"].to_numpy(),
    )
    assert ratios["two-stage"]["hazard_ratio"] == staged.hazard_ratio
    assert (found.control, found.experimental, found.switched) == (
        "control",
        "new",
        int(np.isfinite(switch).sum()),
    )
    assert found.arms == ("new", "control", "control, nobody switched (RPSFT)")
    assert "IPCW left out" in " ".join(found.notes)


def test_covariates_at_the_second_baseline_may_be_empty_elsewhere():
    table = table_of()
    there = pl.col("baseline").is_not_null()
    holes = table.with_columns(covariate=pl.when(there).then("covariate"))
    request = Request("time", "event", **BASE, progression="baseline", covariates=("covariate",))
    full, some = crossover(table, request), crossover(holes, request)
    assert some.tables["hazard_ratios"].equals(full.tables["hazard_ratios"])
    missing = table.with_columns(covariate=pl.when(~there).then("covariate"))
    with pytest.raises(InputError) as caught:
        crossover(missing, request)
    assert caught.value.code == "GP-V008"


def test_start_stop_rows_give_weights_and_the_same_patients():
    rows = pl.DataFrame(DATA["rows"]["plain"])
    people = pl.DataFrame(DATA["trials"]["plain"])
    people = people.select(pl.int_range(pl.len()).cast(pl.Float64).alias("patient"), "follow_up", "baseline")
    table = rows.join(people, on="patient").sample(fraction=1.0, shuffle=True, seed=1)
    options = {"patient": "patient", "entry": "entry", "covariates": ("covariate",)}
    found = crossover(table, Request("time", "event", **BASE, **options, progression="baseline"))
    plain = crossover(table_of(), Request("time", "event", **BASE, reference="control"))
    ratio = {row["method"]: row["hazard_ratio"] for row in found.tables["hazard_ratios"].to_dicts()}
    assert ratio["RPSFT"] == pytest.approx(plain.rpsft.hazard_ratio, rel=1e-9)
    assert found.ipcw is not None
    assert ratio["IPCW"] == found.ipcw.hazard_ratio
    assert found.two_stage is not None
    assert found.two_stage.status == "ok"


def test_units_at_odds_are_refused():
    table = table_of().rename({"time": "months", "switch": "switch_days"})
    request = Request("months", "event", arm="arm", switch="switch_days")
    refused("GP-V033", "table of patients", crossover, table, request)


def test_dates_of_switches_are_counted_from_the_start():
    table = table_of()
    day = pl.duration(seconds=(pl.col("time") * 86400).round().cast(pl.Int64))
    moved = pl.duration(seconds=(pl.col("switch") * 86400).round().cast(pl.Int64))
    start = pl.lit("2024-01-01").str.to_datetime()
    dated = table.with_columns(start=start, end=start + day, moved=start + moved)
    found = crossover(dated, Request("end", "event", arm="arm", switch="moved", origin="start"))
    plain = crossover(table, Request("time", "event", arm="arm", switch="switch"))
    assert found.rpsft.psi == pytest.approx(plain.rpsft.psi, abs=1e-3)
    assert found.unit == "days"


def test_a_table_without_a_switch_is_told():
    assert "--switch" in refused(
        "GP-V043", "switch", crossover, table_of(), Request("time", "event", arm="arm")
    )
    assert "--arm" in refused(
        "GP-V043", "arm", crossover, table_of(), Request("time", "event", switch="switch")
    )


def test_every_summary_says_what_is_assumed():
    found = crossover(table_of(), Request("time", "event", **BASE, progression="baseline"))
    assert "assumes one factor" in found.rpsft.summary()
    assert "assumes that the covariates" in found.two_stage.summary()
    columns, *_ = weighted_world(np.random.default_rng(11), 100)
    assert "a chance not to switch" in survival.ipcw(*columns).summary()


def test_a_refused_switch_is_named_by_its_row_and_column():
    late = table_of().with_columns(
        switch=pl.when(pl.int_range(pl.len()) == 6).then(pl.lit(999.0)).otherwise(pl.col("switch"))
    )
    with pytest.raises(InputError) as caught:
        survival.crossover(late, survival.Request("time", "event", arm="arm", switch="switch"))
    # The header is row 1, as in what a spreadsheet shows.
    assert (caught.value.code, caught.value.where) == ("GP-V037", 'row 8, column "switch"')
    # Rows that are left out before do not shift the name.
    shifted = late.with_columns(
        time=pl.when(pl.int_range(pl.len()) == 0).then(None).otherwise(pl.col("time"))
    )
    with pytest.raises(InputError) as caught:
        survival.crossover(shifted, survival.Request("time", "event", arm="arm", switch="switch"))
    assert caught.value.where == 'row 8, column "switch"'


@pytest.mark.parametrize("column", ["entry", "eligible", "weights", "cluster"])
def test_columns_that_no_method_reads_are_refused(column):
    table = table_of().with_columns(other=pl.lit(0.0) if column == "entry" else pl.lit(1.0))
    with pytest.raises(InputError, match="GP-V043") as caught:
        crossover(table, Request("time", "event", **BASE, **{column: "other"}))
    assert caught.value.where == column
    assert "act on nothing" in caught.value.message


def test_two_stages_beside_switches_of_both_arms_are_left_out_with_a_word():
    found = crossover(table_of(), Request("time", "event", **BASE, progression="baseline"), both_arms=True)
    assert found.two_stage is None
    assert "two-stage left out: it takes switches of the control arm alone" in found.notes
