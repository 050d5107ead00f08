"""ELISA on plates of our own with a known truth: inversion, limits, weights, dilutions, and every
complaint."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from glueprint.assays import elisa
from glueprint.assays.elisa import calibration, shapes
from glueprint.errors import InputError

FRONT, BACK, EC50, SLOPE = 0.08, 3.0, 60.0, 1.2
LEVELS = (0.0, 1.0, 4.0, 16.0, 64.0, 256.0)
UNWEIGHTED = elisa.Settings(model="4pl", weights="none")


def four(x):
    """The textbook form, written independently of the kernel."""
    return BACK + (FRONT - BACK) / (1.0 + (np.asarray(x, dtype=float) / EC50) ** SLOPE)


def inverse(y):
    """x = c ((a - d) / (y - d) - 1)^(1 / b), as in the field's papers."""
    return EC50 * ((FRONT - BACK) / (y - BACK) - 1.0) ** (1.0 / SLOPE)


def a_plate(samples=(), *, noise=0.0, seed=1, levels=LEVELS, replicates=2, **columns):
    """Standards in replicate, then samples (name, concentration in the well, dilution), in wells A1, A2,
    ..."""
    rng = np.random.default_rng(seed)
    rows = [("standard", f"S{x:g}", x, x, 1.0) for x in levels for _ in range(replicates)]
    rows += [("sample", name, None, x, dilution) for name, x, dilution in samples for _ in range(replicates)]
    mean = four([row[3] for row in rows])
    value = mean + noise * mean * rng.standard_normal(mean.size)
    frame = pl.DataFrame(
        {
            "plate": "p1",
            "well": [f"{'ABCDEFGHIJKLMNOP'[i // 24]}{i % 24 + 1}" for i in range(len(rows))],
            "channel": "450",
            "value": value,
            "unit": "OD",
            "flag": "",
            "role": [row[0] for row in rows],
            "sample": [row[1] for row in rows],
            "concentration": pl.Series([row[2] for row in rows], dtype=pl.Float64),
            "concentration_unit": pl.Series(["ng/mL" if row[0] == "standard" else "" for row in rows]),
            "dilution": [row[4] for row in rows],
        }
    )
    return frame.with_columns(**columns)


def codes(result):
    return [finding.code for finding in result.findings]


def sample(result, name, table="samples"):
    (row,) = result.tables[table].filter(pl.col("sample") == name).to_dicts()
    return row


# From wells to results


def test_noiseless_samples_come_back():
    truth = {"low": 2.0, "mid": 30.0, "high": 200.0}
    plate = a_plate([(name, x, 10.0) for name, x in truth.items()])
    result = elisa.analyse(plate, UNWEIGHTED)
    for name, x in truth.items():
        row = sample(result, name)
        assert (row["relation"], row["unit"]) == ("=", "ng/mL")
        assert row["result"] == pytest.approx(10.0 * x, rel=1e-6)
    well = result.tables["wells"].row(0, named=True)
    assert well["concentration"] == pytest.approx(inverse(well["signal"]), rel=1e-6)


def test_a_falling_curve_works_as_well():
    plate = a_plate([("mid", 30.0, 1.0), ("nothing", 0.0, 1.0)], noise=0.01)
    turned = plate.with_columns(value=3.2 - pl.col("value"))
    result = elisa.analyse(turned, UNWEIGHTED)
    assert sample(result, "mid")["result"] == pytest.approx(30.0, rel=0.05)
    assert sample(result, "nothing")["relation"] == "<"


def test_beyond_the_curve_is_a_limit_and_never_a_number():
    plate = a_plate([("none", 0.0, 5.0), ("top", 5.0e3, 5.0), ("over", 400.0, 5.0)], noise=0.01)
    below = plate.with_columns(
        value=pl.when(pl.col("sample") == "none").then(0.04).otherwise(pl.col("value"))
    )
    result = elisa.analyse(below, UNWEIGHTED)
    limits = result.tables["ranges"].row(0, named=True)
    none, over = sample(result, "none"), sample(result, "over", "dilutions")
    assert (none["result"], none["relation"], none["status"]) == (None, "<", "beyond_lower_plateau")
    assert none["limit"] == pytest.approx(5.0 * limits["lloq"])
    assert (over["relation"], over["status"], over["counts"]) == (">", "extrapolated", False)
    assert over["limit"] == pytest.approx(5.0 * limits["uloq"])
    assert over["concentration"] > 256.0
    assert sample(result, "top")["relation"] == ">"
    assert {"GP-A099", "GP-A107"} <= set(codes(result))


def test_the_range_is_where_the_cv_stays_below_the_limit():
    plate = a_plate([("mid", 30.0, 1.0)], noise=0.03)
    tight, loose = (
        elisa.analyse(plate, elisa.Settings(model="4pl", cv_limit_percent=limit))
        .tables["ranges"]
        .row(0, named=True)
        for limit in (10.0, 25.0)
    )
    assert loose["lloq"] <= tight["lloq"]
    profile = elisa.analyse(plate, elisa.Settings(model="4pl", cv_limit_percent=10.0)).tables["precision"]
    inside = profile.filter(pl.col("concentration").is_between(tight["lloq"], tight["uloq"]))
    assert inside["cv_percent"].max() <= 10.0 + 1e-6
    assert tight["uloq"] <= 256.0


def test_no_range_no_values():
    result = elisa.analyse(
        a_plate([("mid", 30.0, 1.0)], noise=0.3), elisa.Settings(model="4pl", cv_limit_percent=0.5)
    )
    assert "GP-A096" in codes(result)
    assert sample(result, "mid")["relation"] == "none"


def test_dilutions_in_range_are_joined_by_their_geometric_mean():
    dilutions = [("one", 3000.0 / d, d) for d in (1.0, 20.0, 100.0, 3000.0)]
    result = elisa.analyse(a_plate(dilutions, noise=0.02), elisa.Settings(model="4pl"))
    row, parts = sample(result, "one"), result.tables["dilutions"]
    assert (row["dilutions"], row["dilutions_used"]) == (4, 2)
    used = parts.filter(pl.col("counts"))["adjusted"].to_numpy()
    assert row["result"] == pytest.approx(np.exp(np.log(used).mean()))
    assert row["low"] < 3000.0 < row["high"]
    assert row["parallelism_p"] > 0.05


def test_dilutions_that_do_not_run_parallel():
    result = elisa.analyse(
        a_plate(
            [("bad", 100.0, 10.0), ("bad", 40.0, 100.0), ("good", 100.0, 10.0), ("good", 10.0, 100.0)],
            noise=0.01,
        )
    )
    assert codes(result).count("GP-A105") == 1
    bad, good = sample(result, "bad"), sample(result, "good")
    assert (bad["status"], good["status"]) == ("not_parallel", "in_range")
    # ln(4000 / 1000) over ln(100 / 10).
    assert bad["parallelism_slope"] == pytest.approx(np.log(4.0) / np.log(10.0), rel=0.05)


def test_limits_of_several_dilutions_take_the_sharpest():
    result = elisa.analyse(a_plate([("low", 0.0, 2.0), ("low", 0.0, 50.0)], noise=0.01), UNWEIGHTED)
    row = sample(result, "low")
    assert row["relation"] == "<"
    assert row["limit"] == pytest.approx(2.0 * result.tables["ranges"]["lloq"][0])


def test_weights_from_replicates_are_said_and_help_low_samples():
    samples = [(f"s{i}", x, 1.0) for i, x in enumerate(np.geomspace(1.0, 200.0, 30))]
    plate = a_plate(samples, noise=0.05)
    weighted, plain = elisa.analyse(plate, elisa.Settings(model="4pl")), elisa.analyse(plate, UNWEIGHTED)
    assert "variance power of 36 groups" in weighted.tables["curve"]["weights"][0]
    power = weighted.tables["curve"].filter(pl.col("parameter") == "variance_power")["value"][0]
    assert power == pytest.approx(2.0, abs=0.4)
    assert weighted.tables["ranges"]["lloq"][0] < plain.tables["ranges"]["lloq"][0]


def test_weights_of_one_over_y_squared():
    result = elisa.analyse(a_plate(noise=0.02), elisa.Settings(model="4pl", weights="1/y2"))
    assert result.tables["curve"]["weights"][0] == "1/y^2, y fitted"


def test_single_wells_are_fitted_without_weights_and_said_so():
    result = elisa.analyse(a_plate(noise=0.02, replicates=1, levels=(*LEVELS, 8.0, 32.0)))
    assert "GP-A090" in codes(result)


def test_a_wrong_standard_widens_the_intervals():
    plate = a_plate([("mid", 30.0, 1.0)], noise=0.002, replicates=3)
    spoilt = plate.with_columns(
        value=pl.when(pl.col("concentration") == 16.0).then(pl.col("value") * 1.2).otherwise(pl.col("value"))
    )
    result = elisa.analyse(spoilt, UNWEIGHTED)
    assert "GP-A091" in codes(result)
    wide, narrow = sample(result, "mid"), sample(elisa.analyse(plate, UNWEIGHTED), "mid")
    assert wide["high"] - wide["low"] > 5.0 * (narrow["high"] - narrow["low"])


# The signal


def two_channels(plate, background=0.04):
    second = plate.with_columns(channel=pl.lit("650"), value=pl.lit(background))
    return pl.concat([plate.with_columns(value=pl.col("value") + background), second])


def test_the_reference_is_subtracted_and_said():
    plate = a_plate([("mid", 30.0, 1.0)])
    both = elisa.analyse(two_channels(plate), UNWEIGHTED)
    alone = elisa.analyse(plate, UNWEIGHTED)
    assert (both.signal, alone.signal) == ("450 - 650", "450")
    assert sample(both, "mid")["result"] == pytest.approx(sample(alone, "mid")["result"])
    off = elisa.analyse(two_channels(plate), elisa.Settings(model="4pl", weights="none", reference="none"))
    assert off.signal == "450"
    assert "GP-A093" in codes(off)


@pytest.mark.parametrize("asked", [{"channel": "405"}, {"reference": "570"}, {"reference": "450"}])
def test_a_wavelength_that_is_not_there(asked):
    with pytest.raises(InputError, match="GP-A081"):
        elisa.analyse(two_channels(a_plate()), elisa.Settings(**asked))


def test_two_channels_that_could_both_be_it():
    plate = a_plate()
    both = pl.concat([plate.with_columns(channel=pl.lit("485")), plate.with_columns(channel=pl.lit("560"))])
    with pytest.raises(InputError, match="GP-A081"):
        elisa.analyse(both)


def test_blanks_are_subtracted_only_without_a_zero_standard():
    blank = pl.DataFrame(
        {"plate": "p1", "well": ["H1", "H2"], "channel": "450", "value": [0.05, 0.07], "role": "blank"}
    )
    with_zero = elisa.analyse(pl.concat([a_plate(), blank], how="diagonal"), UNWEIGHTED)
    without = elisa.analyse(
        pl.concat([a_plate(levels=(2.0, *LEVELS[1:])), blank], how="diagonal"), UNWEIGHTED
    )
    said = [f.message for r in (with_zero, without) for f in r.findings if f.code == "GP-A093"]
    assert "no blank is subtracted" in said[0]
    assert "the mean of 2 blanks, 0.06, is subtracted" in said[1]
    top = (r.tables["standards"]["signal"].max() for r in (with_zero, without))
    assert next(top) - next(top) == pytest.approx(0.06)


def test_no_zero_and_no_blank_is_said():
    assert "GP-A094" in codes(elisa.analyse(a_plate(levels=(2.0, *LEVELS[1:]), noise=0.01)))


def test_negative_signals_are_kept_and_named():
    result = elisa.analyse(
        a_plate([("mid", 30.0, 1.0)]).with_columns(value=pl.col("value") - 0.09), UNWEIGHTED
    )
    (finding,) = [f for f in result.findings if f.code == "GP-A088"]
    assert finding.message.startswith("2 wells with a signal below zero")
    assert sample(result, "mid")["result"] == pytest.approx(30.0, rel=1e-5)


def test_flagged_wells_stay_as_limits_or_gaps():
    plate = a_plate([("over", 100.0, 4.0), ("lost", 30.0, 1.0), ("half", 30.0, 1.0)])
    first = plate.group_by("sample", maintain_order=True).first()["well"].to_list()
    hidden = plate.with_columns(
        flag=pl.when(pl.col("sample") == "over").then(pl.lit("above_range"))
        .when((pl.col("sample") == "lost") | ((pl.col("sample") == "half") & pl.col("well").is_in(first)))
        .then(pl.lit("missing")).otherwise(pl.lit("")),
    ).with_columns(value=pl.when(pl.col("flag") == "").then(pl.col("value")))  # fmt: skip
    result = elisa.analyse(hidden, UNWEIGHTED)
    over, lost, half = (sample(result, name) for name in ("over", "lost", "half"))
    assert (over["relation"], over["status"], over["limit"]) == (">", "above_range", 4.0 * 256.0)
    assert (lost["relation"], lost["status"]) == ("none", "no_reading")
    assert half["result"] == pytest.approx(30.0, rel=1e-6)
    assert codes(result).count("GP-A089") == 2


# Standards and layouts that cannot be


def test_no_standard():
    with pytest.raises(InputError, match="GP-A084"):
        elisa.analyse(a_plate().with_columns(role=pl.lit("sample")))


@pytest.mark.parametrize(
    "broken",
    [
        {"concentration": pl.lit(None, dtype=pl.Float64)},
        {"concentration": pl.lit(-1.0)},
        {"dilution": pl.lit(0.0)},
        {"dilution": pl.lit(float("inf"))},
    ],
)
def test_values_that_cannot_be(broken):
    with pytest.raises(InputError, match="GP-A085"):
        elisa.analyse(a_plate().with_columns(**broken))


def test_a_unit_that_cannot_be_converted():
    mixed = a_plate().with_columns(
        concentration_unit=pl.when(pl.col("concentration") == 1.0)
        .then(pl.lit("nM"))
        .otherwise(pl.lit("ng/mL"))
    )
    with pytest.raises(InputError, match="GP-A085"):
        elisa.analyse(mixed)


def test_mixed_units_are_converted_and_said():
    plate = a_plate([("mid", 30.0, 1.0)])
    small = (pl.col("concentration") > 0.0) & (pl.col("concentration") < 10.0)
    mixed = plate.with_columns(
        concentration=pl.when(small)
        .then(pl.col("concentration") * 1000.0)
        .otherwise(pl.col("concentration")),
        concentration_unit=pl.when(small).then(pl.lit("pg/mL")).otherwise(pl.col("concentration_unit")),
    )
    result = elisa.analyse(mixed, UNWEIGHTED)
    assert "GP-A087" in codes(result)
    assert result.unit == "ng/mL"
    assert sample(result, "mid")["result"] == pytest.approx(30.0, rel=1e-6)


@pytest.mark.parametrize("levels", [(10.0,), (0.0, 10.0, 100.0)])
def test_too_few_standards_refuse_the_curve_but_keep_the_wells(levels):
    result = elisa.analyse(a_plate([("mid", 30.0, 1.0)], levels=levels, noise=0.01), UNWEIGHTED)
    assert result.refused
    (finding,) = [f for f in result.findings if f.code == "GP-A086"]
    assert f"{len(levels)} standard levels for the 4 parameters" in finding.message
    assert sample(result, "mid")["status"] == "no_curve"
    assert result.tables["wells"].height == 2


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_standards_that_are_all_equal_give_no_curve(noise):
    rng = np.random.default_rng(5)
    plate = a_plate([("mid", 30.0, 1.0)])
    flat = plate.with_columns(value=pl.Series(1.0 + noise * rng.standard_normal(plate.height)))
    assert "GP-A086" in codes(elisa.analyse(flat, UNWEIGHTED))


def test_a_lost_standard_is_named():
    plate = a_plate(noise=0.01).with_columns(
        value=pl.when(pl.col("concentration") == 4.0).then(None).otherwise(pl.col("value"))
    )
    (finding,) = [f for f in elisa.analyse(plate).findings if f.code == "GP-A095"]
    assert finding.message.startswith("no well of the standard 4 has a reading")


def test_a_dilution_below_one_is_not_turned_over():
    result = elisa.analyse(a_plate([("half", 30.0, 0.5)]), UNWEIGHTED)
    assert "GP-A092" in codes(result)
    assert sample(result, "half")["result"] == pytest.approx(15.0, rel=1e-6)


def test_a_well_twice_is_refused():
    with pytest.raises(InputError, match="GP-A045"):
        elisa.analyse(pl.concat([a_plate(), a_plate()]))


def test_poor_recovery_is_said():
    plate = a_plate(noise=0.01, replicates=3)
    off = plate.with_columns(
        value=pl.when(pl.col("concentration") == 1.0).then(pl.col("value") + 0.03).otherwise(pl.col("value"))
    )
    result = elisa.analyse(off, UNWEIGHTED)
    assert "GP-A097" in codes(result)
    assert "fail" in result.quality.filter(pl.col("name") == "recovery of standard")["verdict"].to_list()


def test_controls_pass_or_fail_by_their_range():
    control = pl.col("sample").str.starts_with("c")
    plate = a_plate([("c1", 30.0, 2.0), ("c2", 30.0, 2.0)]).with_columns(
        role=pl.when(control).then(pl.lit("control")).otherwise(pl.col("role")),
        expected_low=pl.when(pl.col("sample") == "c1").then(50.0).when(pl.col("sample") == "c2").then(80.0),
        expected_high=pl.when(control).then(100.0),
    )
    result = elisa.analyse(plate, UNWEIGHTED)
    verdicts = dict(
        result.quality.filter(pl.col("name").str.starts_with("control")).select("name", "verdict").rows()
    )
    assert verdicts == {"control c1": "pass", "control c2": "fail"}
    assert codes(result).count("GP-A098") == 1


def test_wells_without_a_role_are_counted():
    plate = a_plate([("mid", 30.0, 1.0)])
    result = elisa.analyse(plate.with_columns(role=pl.col("role").replace("sample", "")), UNWEIGHTED)
    (finding,) = [f for f in result.findings if f.code == "GP-A108"]
    assert finding.message == "2 wells that the layout does not name"
    assert finding.severity == "note"


def test_a_role_that_does_not_exist_is_a_warning_with_the_nearest():
    plate = a_plate([("mid", 30.0, 1.0)])
    result = elisa.analyse(plate.with_columns(role=pl.col("role").replace("sample", "smaple")), UNWEIGHTED)
    (finding,) = [f for f in result.findings if f.code == "GP-A108"]
    assert finding.severity == "warning"
    assert 'role "smaple", which does not exist' in finding.message
    assert 'did you mean "sample"' in finding.message


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": "6pl"}, {"weights": "1/x"}, {"response": "ln"}, {"cv_limit_percent": 0.0},
         {"confidence": 1.0},
        {"signal_range": (2.0, 1.0)}, {"signal_cv_limit_percent": -1.0}, {"recovery_percent": (0.0,
         float("nan"))},
    ],
)  # fmt: skip
def test_choices_that_are_none(wrong):
    with pytest.raises(InputError, match="GP-A083"):
        elisa.analyse(a_plate(), elisa.Settings(**wrong))


def test_a_fifth_parameter_for_a_curve_that_needs_it():
    theta = np.array([0.08, 3.0, 1.8, 0.3, 1.6])
    levels = np.repeat([0.0, 1.0, 3.0, 10.0, 30.0, 60.0, 100.0, 300.0, 1000.0, 3000.0], 2)
    rng = np.random.default_rng(8)
    y = shapes.FIVE.response(theta, levels)
    y = y + 0.003 * rng.standard_normal(y.size)
    none = (np.zeros(0), np.zeros(0))
    found = calibration.calibrate(levels, y, replicates=none, weights="none")
    assert found.shape is shapes.FIVE
    assert found.evidence["p"] < 0.01
    assert found.evidence["aicc_5pl"] < found.evidence["aicc_4pl"]
    assert found.theta[2] == pytest.approx(1.8, abs=0.03)


def test_a_fifth_parameter_is_rarely_taken_where_there_is_none():
    none, taken = (np.zeros(0), np.zeros(0)), 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        x = np.repeat([*LEVELS, 2.0, 32.0], 2)
        y = four(x) + 0.02 * rng.standard_normal(x.size)
        taken += calibration.calibrate(x, y, replicates=none, weights="none").shape is not shapes.FOUR
    assert taken <= 4


def test_several_plates_have_a_curve_each():
    first, second = (
        a_plate([("mid", 30.0, 1.0)]),
        a_plate([("mid", 30.0, 1.0)]).with_columns(plate=pl.lit("p2")),
    )
    second = second.with_columns(value=pl.col("value") * 0.7)
    result = elisa.analyse(pl.concat([first, second]), UNWEIGHTED)
    assert result.tables["samples"]["result"].to_list() == pytest.approx([30.0, 30.0], rel=1e-6)
    assert result.tables["ranges"]["plate"].to_list() == ["p1", "p2"]


def test_the_result_as_a_dictionary_has_every_table():
    result = elisa.analyse(a_plate([("mid", 30.0, 1.0)], noise=0.01))
    given = result.as_dict()
    assert set(given["tables"]) == set(result.tables) - {"findings"}
    assert given["settings"]["weights"] == "replicates"
    assert not result.refused


def test_the_example_of_the_docs_runs(capsys):
    page = (Path(__file__).parents[2] / "docs" / "elisa.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    names = {}
    exec(compile(example, "elisa.md", "exec"), names)
    assert sample(names["result"], "one")["result"] == pytest.approx(4150.0, rel=0.01)
    assert sample(names["result"], "two")["relation"] == "<"
    assert "GP-A093" in capsys.readouterr().out


def test_without_an_upper_plateau_the_curve_is_a_power_law():
    # y = 0.08 + 0.004 x: the four-parameter logistic comes near only as its upper plateau goes to infinity.
    wells = a_plate([("S", 30.0, 2.0)], levels=(0.0, 3.0, 10.0, 30.0, 100.0))
    line = pl.col("concentration").fill_null(30.0) * 0.004 + 0.08
    step = 0.0005 * (pl.int_range(pl.len()) % 2) - 0.00025
    result = elisa.analyse(wells.with_columns(value=line + step))
    assert result.tables["curve"]["model"].unique().to_list() == ["power"]
    assert "GP-A109" in codes(result)
    assert result.tables["samples"]["result"][0] == pytest.approx(60.0, rel=1e-3)
