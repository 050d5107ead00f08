"""Dose and time fitted together: exact data come back, limits, hooks, words, recovery, bad tables."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.optimize import least_squares

from glueprint import curves
from glueprint.assays import degradation
from glueprint.assays.degradation import Kinetics, Settings
from glueprint.assays.degradation.models import model
from glueprint.errors import InputError

TRUTH = Kinetics(0.1, 1.2, 60.0, 1.1)
DOSES_NM = (0.0, 0.0, 1.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 10000.0)
TIMES_H = (1.0, 3.0, 6.0, 24.0)


def blot(truth=TRUTH, doses=DOSES_NM, times=TIMES_H, noise=0.0, seed=1, vehicle=1.0, **columns):
    dose, time = (part.ravel() for part in np.meshgrid(doses, times))
    error = noise * np.random.default_rng(seed).normal(size=dose.size)
    left = vehicle * truth.remaining(dose, time) * np.exp(error)
    table = pl.DataFrame({"dose_nm": dose, "time_h": time, "fraction_remaining": left})
    return table.with_columns(**{name: pl.lit(value) for name, value in columns.items()})


def rate(result, name, experiment=""):
    rows = result.tables["rates"].filter((pl.col("name") == name) & (pl.col("experiment") == experiment))
    return rows.row(0, named=True)


def codes(result):
    return [finding.code for finding in result.findings]


@pytest.mark.parametrize("error", ["proportional", "constant"])
@pytest.mark.parametrize("vehicle", [1.0, 0.8])
def test_exact_data_give_the_truth_at_every_time_whatever_the_level_of_the_vehicle(error, vehicle):
    # A vehicle held at 1 would move k_max where the membrane's level is 0.8.
    result = degradation.analyse(blot(vehicle=vehicle), Settings(error=error))
    for time_h in TIMES_H:
        point = result.at(time_h)
        assert point.method == "joint"
        assert point.relative.value_nm == pytest.approx(float(TRUTH.relative_dc50_nm(time_h)), rel=1e-6)
        assert point.absolute.value_nm == pytest.approx(float(TRUTH.absolute_dc50_nm(time_h)), rel=1e-6)
        assert point.dmax == pytest.approx(float(TRUTH.dmax(time_h)), rel=1e-6)
    for name, value in (
        ("k_deg", 0.1),
        ("k_max", 1.2),
        ("ec50_of_rate", 60.0),
        ("slope", 1.1),
        ("vehicle", vehicle),
    ):
        assert rate(result, name)["value"] == pytest.approx(value, rel=1e-5)
    assert rate(result, "rate_at_full_dose")["value"] == pytest.approx(1.3, rel=1e-5)
    assert rate(result, "natural_half_life")["value"] == pytest.approx(np.log(2.0) / 0.1, rel=1e-5)
    assert rate(result, "dmax_at_steady_state")["value"] == pytest.approx(12.0 / 13.0, rel=1e-6)


def test_the_profile_of_a_parameter_is_that_of_the_general_fit():
    # Two codes for one interval: batched general profiles, and the scalar ones of this room.
    table = blot(noise=0.12)
    result = degradation.analyse(table, Settings(error="constant"))
    inputs = {name: table[name].to_numpy() for name in ("dose_nm", "time_h")}
    general = curves.fit(
        "degradation", inputs, table["fraction_remaining"].to_numpy(), fixed={"vehicle": None}
    )
    for ours, theirs in (
        ("k_deg", "k_deg_per_h"),
        ("k_max", "k_max_per_h"),
        ("ec50_of_rate", "ec50_nm"),
        ("slope", "slope"),
    ):
        row = rate(result, ours)
        assert row["value"] == pytest.approx(float(general[theirs][0]), rel=1e-4)
        assert [row["low"], row["high"]] == pytest.approx(general.interval(theirs)[0].tolist(), rel=1e-3)


def test_the_interval_of_a_dc50_is_where_the_refitted_sum_of_squares_crosses():
    table = blot(noise=0.12, seed=4)
    point = degradation.analyse(table, Settings(error="constant")).at(24.0)
    dose, time, y = table.to_numpy().T

    def miss(theta, dc50):
        level, k_deg, k_max, slope = np.exp(theta)
        # The EC50 whose DC50 at 24 h is the one held: concentrations scale.
        ec50 = dc50 / float(Kinetics(k_deg, k_max, 1.0, slope).relative_dc50_nm(24.0))
        return level * Kinetics(k_deg, k_max, ec50, slope).remaining(dose, time) - y

    start = np.log([1.0, 0.1, 1.2, 1.1])
    best, low, high = (
        2.0 * least_squares(miss, start, args=(dc50,), xtol=1e-12, ftol=1e-12).cost
        for dc50 in (point.relative.value_nm, point.relative.low_nm, point.relative.high_nm)
    )
    # 36 readings, 5 parameters: RSS (1 + t^2/dof) with t = 2.0395 on 31 degrees (Bates and Watts 1988).
    threshold = best * (1.0 + 2.0395134464**2 / 31.0)
    assert [low, high] == pytest.approx([threshold, threshold], rel=1e-3)


def test_the_guides_design_answers_a_limit_when_that_is_the_truth():
    truth = Kinetics(0.12, 2.4, 100.0, 1.0)
    result = degradation.analyse(blot(truth, (0.0, 0.0, 100.0, 1000.0, 10000.0), noise=0.1, seed=3))
    for time_h in (3.0, 6.0, 24.0):
        found = result.at(time_h).absolute
        assert (found.relation, found.value_nm, found.low_nm) == ("<", 100.0, None)
    assert {"GP-A154", "GP-A157"} <= set(codes(result))
    assert result.at(24.0).dmax_low < float(truth.dmax(24.0)) < result.at(24.0).dmax_high


def test_lanes_below_detection_enter_by_their_likelihood():
    limit = 0.1
    clean = blot(noise=0.1, seed=8)
    below = pl.col("fraction_remaining") < limit
    cut = clean.with_columns(
        relation=pl.when(below).then(pl.lit("<")).otherwise(pl.lit("=")),
        fraction_remaining=pl.when(below).then(limit).otherwise(pl.col("fraction_remaining")),
    )
    assert cut.filter(pl.col("relation") == "<").height >= 5
    proportional = Settings(error="proportional")
    known, limits, dropped, naive = (
        degradation.analyse(table, proportional).at(24.0)
        for table in (clean, cut, cut.filter(pl.col("relation") == "="), cut.drop("relation"))
    )
    # With limits the plateau is known less well than with values, but not biased upward like limits read as
    # values.
    assert limits.dmax_low <= known.dmax <= limits.dmax_high
    assert abs(limits.dmax - known.dmax) < abs(naive.dmax - known.dmax)
    assert abs(limits.dmax - known.dmax) < abs(dropped.dmax - known.dmax) + 0.02
    assert "GP-A151" in codes(degradation.analyse(cut, proportional))


def test_a_hook_is_called_where_it_is_and_only_there():
    dose, time = (part.ravel() for part in np.meshgrid((0, 0, 1, 10, 100, 1e3, 1e4, 1e5), TIMES_H))
    share = dose / (dose + 20.0) * (1.0 - dose / (dose + 2e4))
    rates = 0.1 + 1.0 * share
    left = 0.1 / rates + (1.0 - 0.1 / rates) * np.exp(-rates * time)
    noise = np.exp(0.05 * np.random.default_rng(2).normal(size=dose.size))
    table = pl.DataFrame({"dose_nm": dose, "time_h": time, "fraction_remaining": left * noise})
    hooked = degradation.analyse(table)
    top = (np.sqrt(1000.0) / (1.0 + np.sqrt(1000.0))) ** 2
    expected = top / (0.1 + top) * (1.0 - np.exp(-(0.1 + top) * 3.0))
    point = hooked.at(3.0)
    assert point.model == "turnover with hook"
    assert any(f.code == "GP-A150" and f.severity == "warning" for f in hooked.findings)
    assert point.dmax == pytest.approx(expected, abs=0.03)
    never = degradation.analyse(table, Settings(hook="never")).at(3.0)
    assert never.model == "turnover"
    assert never.dmax < point.dmax
    assert degradation.analyse(blot(noise=0.1)).at(3.0).model == "turnover"


def test_a_hook_at_a_single_time_is_read_from_the_bell():
    dose = np.repeat([0.0, 1, 3, 10, 30, 100, 300, 1e3, 3e3, 1e4, 3e4, 1e5], 2)
    bell = dose / (dose + 10.0) * (1.0 - dose / (dose + 1e4))
    left = 1.0 - 0.8 * bell + 0.01 * np.random.default_rng(1).normal(size=dose.size)
    point = degradation.analyse(
        pl.DataFrame({"dose_nm": dose, "time_h": 6.0, "fraction_remaining": left})
    ).at(6.0)
    top = 0.8 * (np.sqrt(1000.0) / (1.0 + np.sqrt(1000.0))) ** 2
    assert (point.model, point.method) == ("hook", "per-time")
    assert point.dmax == pytest.approx(top, abs=0.02)
    assert point.relative.value_nm == pytest.approx(10.0, rel=0.25)


def test_experiments_are_n_and_lanes_are_averaged():
    tables = [
        blot(Kinetics(0.1, 1.2, ec50, 1.1), noise=0.05, seed=i, experiment=name)
        for i, (name, ec50) in enumerate((("A", 50.0), ("B", 60.0), ("C", 75.0)))
    ]
    once = pl.concat(tables)
    twice = pl.concat([once, once])
    single, doubled = degradation.analyse(once), degradation.analyse(twice)
    point = single.at(6.0)
    assert (point.n, point.relative.n, point.experiment) == (3, 3, "")
    # The same lanes again are no further experiments and make nothing surer.
    assert "GP-A153" in codes(doubled)
    assert doubled.at(6.0).n == 3
    width = np.log(point.relative.high_nm / point.relative.low_nm)
    again = doubled.at(6.0).relative
    assert np.log(again.high_nm / again.low_nm) == pytest.approx(width, rel=0.1)
    parts = single.tables["experiments"].filter(pl.col("time_h") == 6.0)["dc50_relative_nm"].to_list()
    assert min(parts) < point.relative.value_nm < max(parts)
    low, high = rate(single, "k_deg")["low"], rate(single, "k_deg")["high"]
    assert low < 0.1 < high


def test_membranes_have_levels_of_their_own():
    one = blot(noise=0.02, membrane="m1", experiment="A", times=(1.0, 6.0))
    other = blot(noise=0.02, seed=2, membrane="m2", experiment="A", times=(3.0, 24.0), vehicle=1.5)
    result = degradation.analyse(pl.concat([one, other]))
    assert result.at(6.0).relative.value_nm == pytest.approx(float(TRUTH.relative_dc50_nm(6.0)), rel=0.1)
    assert result.at(6.0).dmax == pytest.approx(float(TRUTH.dmax(6.0)), abs=0.01)


@pytest.mark.parametrize(("rescued", "word"), [(0.95, "degradation"), (0.1, "loss")])
def test_mln4924_decides_the_word(rescued, word):
    plain = pl.concat(
        [blot(noise=0.03, seed=i, experiment=name, treatment="") for i, name in enumerate("ABC")]
    )
    arm = plain.with_columns(
        treatment=pl.lit("pevonedistat"), fraction_remaining=pl.col("fraction_remaining") ** (1.0 - rescued)
    )
    result = degradation.analyse(pl.concat([plain, arm]))
    (row,) = result.tables["arms"].to_dicts()
    assert row["value"] == pytest.approx(rescued, abs=0.05)
    assert row["shown"] is (word == "degradation")
    assert {point.process for point in result.points} == {word}
    assert set(result.tables["points"]["process"]) == {word}
    (said,) = [finding for finding in result.findings if finding.code == "GP-A152"]
    assert f'called "{word}"' in said.message


def test_cycloheximide_must_leave_a_loss():
    rows = []
    for i, name in enumerate("ABC"):
        draw = np.random.default_rng(i)
        for time_h in TIMES_H:
            for dose in (0.0, 1000.0):
                # Without synthesis exp(-k t): k_deg alone, and k_deg + k_max with the drug.
                left = np.exp(-(0.1 + (1.2 if dose else 0.0)) * min(time_h, 3.0) + 0.05 * draw.normal())
                rows.append((name, "CHX", time_h, dose, left))
    schema = ["experiment", "treatment", "time_h", "dose_nm", "fraction_remaining"]
    arm = pl.DataFrame(rows, schema=schema, orient="row")
    plain = pl.concat(
        [blot(noise=0.03, seed=i, experiment=name, treatment="") for i, name in enumerate("ABC")]
    )
    result = degradation.analyse(pl.concat([plain.select(schema), arm]))
    assert result.tables["arms"]["shown"].to_list() == [True]
    assert result.at(6.0).process == "degradation"


def test_without_arms_it_is_loss():
    result = degradation.analyse(blot())
    assert {point.process for point in result.points} == {"loss"}
    assert "GP-A152" in codes(result)


def test_recovery_after_wash_out_and_its_half_life():
    after = np.array([0.0, 2.0, 4.0, 8.0, 24.0])
    left = 1.0 - 0.9 * np.exp(-0.1 * after)
    washed = pl.DataFrame(
        {
            "dose_nm": 1000.0,
            "time_h": 6.0,
            "fraction_remaining": left,
            "washout_h": after,
        }
    )
    plain = blot().with_columns(washout_h=pl.lit(None, dtype=pl.Float64))
    result = degradation.analyse(pl.concat([plain, washed], how="diagonal"))
    assert rate(result, "recovery_rate")["value"] == pytest.approx(0.1, rel=1e-5)
    half = rate(result, "recovery_half_life")
    assert (half["relation"], half["value"]) == ("=", pytest.approx(np.log(2.0) / 0.1, rel=1e-5))
    # The same rate seen for 4 h only: the half-life lies beyond, and only that is said.
    short = degradation.analyse(pl.concat([plain, washed.head(3)], how="diagonal"))
    half = rate(short, "recovery_half_life")
    assert (half["relation"], half["value"]) == (">", 4.0)
    few = degradation.analyse(pl.concat([plain, washed.head(2)], how="diagonal"))
    assert "GP-A159" in codes(few)


def test_a_half_life_beyond_the_time_observed_is_a_limit():
    slow = Kinetics(0.01, 1.2, 60.0, 1.1)
    row = rate(degradation.analyse(blot(slow)), "natural_half_life")
    assert (row["relation"], row["value"], row["high"]) == (">", 24.0, None)


def test_no_effect_weak_effect_and_one_dose():
    flat = degradation.analyse(blot(Kinetics(0.1, 0.0, 60.0), noise=0.05))
    point = flat.at(24.0)
    assert (point.status, point.dmax, point.relative.relation) == ("NO_EFFECT", None, ">")
    assert "GP-A155" in codes(flat)
    assert flat.tables["rates"].is_empty()
    weak = degradation.analyse(blot(Kinetics(0.1, 0.06, 60.0))).at(24.0)
    assert weak.relative.relation == "="
    assert (weak.absolute.relation, [r.value for r in weak.absolute.reasons]) == (">", ["not_reached"])
    one = degradation.analyse(blot(doses=(0.0, 0.0, 100.0)))
    assert one.at(6.0).method == "per-time"
    assert one.at(6.0).relative.relation == "none"


def test_joint_is_refused_where_it_cannot_be():
    result = degradation.analyse(blot(times=(6.0,)), Settings(method="joint"))
    assert result.refused
    assert result.points == ()
    assert "GP-A149" in codes(result)


def test_errors_are_chosen_by_likelihood_and_negative_fractions_kept():
    proportional = degradation.analyse(blot(noise=0.2))
    assert any("proportional" in f.message for f in proportional.findings if f.code == "GP-A148")
    clean = blot()
    shaken = clean["fraction_remaining"].to_numpy() + 0.05 * np.random.default_rng(3).normal(
        size=clean.height
    )
    shaken[shaken.argmin()] = -0.02
    constant = degradation.analyse(clean.with_columns(fraction_remaining=pl.Series(shaken)))
    assert any("constant" in f.message for f in constant.findings if f.code == "GP-A148")
    assert "GP-A151" in codes(constant)
    asked = degradation.analyse(
        clean.with_columns(fraction_remaining=pl.Series(shaken)), Settings(error="proportional")
    )
    assert [f.severity for f in asked.findings if f.code == "GP-A148"] == ["warning"]


def test_without_vehicle_rows_there_is_a_warning():
    assert "GP-A146" in codes(degradation.analyse(blot(doses=DOSES_NM[2:])))
    assert "GP-A147" in codes(degradation.analyse(blot()))


def test_drug_that_is_used_up_is_noticed_by_replicates():
    # After 6 h the target comes back, which turnover at constant drug cannot do.
    table = pl.concat([blot(noise=0.03, seed=i, doses=DOSES_NM, times=(1.0, 3.0, 6.0)) for i in range(3)])
    back = pl.concat(
        [blot(Kinetics(0.1, 0.1, 60.0), noise=0.03, seed=9 + i, times=(24.0,)) for i in range(3)]
    )
    assert "GP-A156" in codes(degradation.analyse(pl.concat([table, back])))
    assert "GP-A156" not in codes(degradation.analyse(table))


def test_the_columns_of_a_blot_are_taken_as_they_are():
    table = blot(noise=0.05, experiment="A", membrane="m1").rename({"fraction_remaining": "log_ratio"})
    table = table.with_columns(
        pl.col("log_ratio").log(), sample=pl.lit("pomalidomide"), target=pl.lit("IKZF1")
    )
    table = table.with_columns(lane=pl.int_range(pl.len()).cast(pl.String), dose=pl.col("dose_nm") / 1000.0)
    units = table.drop("dose_nm").with_columns(dose_unit=pl.lit("uM"))
    result = degradation.analyse(units)
    assert result.at(6.0, "IKZF1", "pomalidomide").relative.value_nm == pytest.approx(
        degradation.analyse(table.drop("dose")).at(6.0).relative.value_nm, rel=1e-6
    )


@pytest.mark.parametrize("times", [TIMES_H, (6.0,)])
def test_the_table_of_a_blot_is_read_without_the_lanes_it_could_not_read(times):
    table = blot(
        noise=0.05,
        times=times,
        target="IKZF1",
        membrane="m1",
        experiment="A",
        treatment="",
        relation="=",
        flags="",
    )
    vehicle = pl.col("dose_nm") == 0.0
    table = table.with_columns(
        vehicle=vehicle,
        lane=pl.int_range(pl.len()),
        log_ratio=pl.col("fraction_remaining").log(),
        sample=pl.when(vehicle).then(pl.lit("DMSO")).otherwise(pl.lit("pomalidomide")),
        time_h=pl.when(vehicle).then(None).otherwise(pl.col("time_h")),
    )
    broken = (
        table.tail(2)
        .with_columns(
            log_ratio=pl.lit(None, dtype=pl.Float64),
            fraction_remaining=pl.lit(None, dtype=pl.Float64),
            relation=pl.lit(""),
            lane=pl.lit(99) + pl.int_range(2),
            flags=pl.lit("saturated"),
        )
        .select(table.columns)
    )
    result = degradation.analyse(
        pl.concat([table, broken.with_columns(pl.col("lane").cast(table["lane"].dtype))])
    )
    (said,) = [f.message for f in result.findings if f.code == "GP-A151"]
    assert "2 lanes without a ratio" in said
    assert "saturated" in said
    point = result.at(6.0, "IKZF1", "pomalidomide")
    assert point.absolute.value_nm == pytest.approx(float(TRUTH.absolute_dc50_nm(6.0)), rel=0.2)
    assert "GP-A146" not in codes(result)


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"treatment": "MLN4942"}, "GP-A142", 'did you mean "mln4924"'),
        ({"relation": "~"}, "GP-A142", '"~"'),
        ({"lane": "7", "membrane": "m1"}, "GP-A143", 'lane "7"'),
        ({"time_h": 0.0}, "GP-A145", "no time above zero"),
        ({"dose_nm": 0.0}, "GP-A145", "no dose above zero"),
        ({"fraction_remaining": 100.0}, "GP-A201", "fractions that reach 100"),
        ({"fraction_remaining": "high"}, "GP-A010", '"high" is no number'),
    ],
)
def test_bad_tables_are_named(change, code, said):
    table = blot().with_columns(**{name: pl.lit(value) for name, value in change.items()})
    with pytest.raises(InputError, match=code) as caught:
        degradation.analyse(table)
    assert said in str(caught.value)


def test_mixed_and_unknown_units():
    table = blot().rename({"dose_nm": "dose"}).with_columns(dose_unit=pl.lit("nM"))
    mixed = table.with_columns(
        dose=pl.when(pl.col("dose") > 50.0).then(pl.col("dose") / 1000.0).otherwise(pl.col("dose")),
        dose_unit=pl.when(pl.col("dose") > 50.0).then(pl.lit("uM")).otherwise(pl.lit("nM")),
    )
    plain, found = (degradation.analyse(part).at(6.0).relative.value_nm for part in (table, mixed))
    assert found == pytest.approx(plain, rel=1e-9)
    with pytest.raises(InputError, match="GP-A144") as caught:
        degradation.analyse(table.with_columns(dose_unit=pl.lit("mg")))
    assert caught.value.where == 'row 2, column "dose_unit"'


@pytest.mark.parametrize(
    "wrong",
    [{"method": "both"}, {"error": "none"}, {"hook": "always"}, {"confidence": 1.0}, {"hook_alpha": 0.0}],
)
def test_settings_that_are_no_choice(wrong):
    with pytest.raises(InputError, match="GP-A141") as caught:
        degradation.analyse(blot(), Settings(**wrong))
    assert caught.value.where == f"setting {next(iter(wrong))}"


def test_the_design_helper_knows_what_it_can_and_what_would_help():
    asked = {"k_deg_per_h": 0.12, "k_max_per_h": 2.4, "ec50_nm": 264.0}
    guide = degradation.design(**asked, doses_nm=[100.0, 1000.0, 10000.0], times_h=TIMES_H)
    answers = guide.expected.filter(pl.col("quantity") == "DC50 absolute")["answer"].to_list()
    assert answers == ["=", "<", "<", "<"]
    best = guide.suggested.row(0, named=True)
    assert "10 nM" in best["add"]
    assert best["values"] == 4
    assert best["mean_fold"] < 3.0 < best["now_fold"]
    assert "best further dose: 10 nM" in guide.advice


def test_the_expected_width_is_the_spread_of_repeats():
    truth, doses = Kinetics(0.12, 1.2, 60.0, 1.0), (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
    found = degradation.design(
        k_deg_per_h=0.12,
        k_max_per_h=1.2,
        ec50_nm=60.0,
        noise=0.1,
        doses_nm=doses,
        times_h=TIMES_H,
        vehicles=2,
    )
    row = found.expected.filter((pl.col("quantity") == "DC50 relative") & (pl.col("time_h") == 6.0)).row(
        0, named=True
    )
    assert row["truth"] == pytest.approx(float(truth.relative_dc50_nm(6.0)), rel=1e-9)
    tables = [blot(truth, (0.0, 0.0, *doses), noise=0.1, seed=i) for i in range(200)]
    dose, time, _ = tables[0].to_numpy().T
    fits = curves.fit(
        model(hook=False, logarithm=True),
        {"dose_nm": dose, "time_h": time},
        np.log([part["fraction_remaining"].to_numpy() for part in tables]),
        fixed={"vehicle": None},
        intervals=False,
    )
    repeats = [float(Kinetics(*estimates[1:]).relative_dc50_nm(6.0)) for estimates in fits.estimates]
    # t on 32 - 5 degrees; the spread of 200 repeats is known to 5 %.
    assert np.log(row["fold"]) / (2.0 * 2.0518) == pytest.approx(np.std(np.log(repeats), ddof=1), rel=0.15)


def test_a_design_that_cannot_tell_says_nothing():
    found = degradation.design(
        k_deg_per_h=0.1, k_max_per_h=1.0, ec50_nm=60.0, doses_nm=[60.0], times_h=[6.0], vehicles=1
    )
    assert found.expected.filter(pl.col("quantity") == "Dmax")["low"].to_list() == [None]
    for wrong in (
        {"doses_nm": []},
        {"times_h": [-1.0]},
        {"noise": 0.0},
        {"vehicles": 0},
        {"confidence": 2.0},
    ):
        asked = {"k_deg_per_h": 0.1, "k_max_per_h": 1.0, "ec50_nm": 60.0, "doses_nm": [1.0], "times_h": [1.0]}
        with pytest.raises(InputError, match="GP-A140"):
            degradation.design(**(asked | wrong))


def test_results_are_rows_and_json():
    result = degradation.analyse(blot(noise=0.05))
    found = result.as_dict()
    assert set(found) == {"assay", "settings", "tables", "potencies", "quality", "findings"}
    assert len(found["potencies"]) == 2 * len(TIMES_H)
    assert len(result.potencies) == 2 * len(TIMES_H)
    assert result.tables["points"].schema == degradation.SCHEMA
    assert set(result.tables) == {
        "points",
        "experiments",
        "rates",
        "arms",
        "readings",
        "curves",
        "suspects",
        "excluded",
        "findings",
    }
