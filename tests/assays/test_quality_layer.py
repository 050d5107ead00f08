"""What is wrong on the bench becomes a finding, and what is right does not."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest
from benchmarks import quality as study
from scipy.stats import t as student

from glueprint.assays import degradation, elisa, growth, layout, polarization, readers
from glueprint.assays.blot.suspects import suspects as odd_lanes
from glueprint.assays.quality import inspection, outliers, positions, replicates, verdicts
from glueprint.assays.quality.outliers import Readings
from glueprint.assays.wells import check


def line(value, level=None, **more):
    """Readings about a straight line in x = 0, 1, 2, ..."""
    value = np.asarray(value, float)
    x = np.arange(value.size, dtype=float)
    return Readings(
        name="line",
        where=tuple(f"w{i}" for i in range(value.size)),
        level=x + 1.0 if level is None else level,
        value=value,
        fitted=np.zeros(value.size),
        jacobian=np.stack([np.ones_like(x), x], axis=1),
        weights=np.ones(value.size),
        aside=np.zeros(value.size, bool),
        **more,
    )


def test_the_t_of_a_reading_is_that_of_the_line_through_all_others():
    rng = np.random.default_rng(3)
    y = 2.0 + 0.5 * np.arange(12) + rng.standard_normal(12)
    one = line(y)
    found = {one.where[0]: one for one in outliers._Asked(one).singles()}
    x = np.arange(12.0)
    for i in (0, 5, 11):
        rest = x != i
        coefficients, rss, *_ = np.polyfit(x[rest], y[rest], 1, full=True)
        s2 = rss[0] / (rest.sum() - 2)
        away = x[i] - x[rest].mean()
        error = np.sqrt(s2 * (1.0 + 1.0 / rest.sum() + away**2 / np.sum((x[rest] - x[rest].mean()) ** 2)))
        shift = y[i] - np.polyval(coefficients, x[i])
        assert found[f"w{i}"].shift == pytest.approx(shift, rel=1e-9)
        assert found[f"w{i}"].t == pytest.approx(shift / error, rel=1e-9)
        assert found[f"w{i}"].p_value == pytest.approx(2.0 * student.sf(abs(shift / error), 9), rel=1e-6)
        group = x == i
        assert outliers.standard_error(one, group) == pytest.approx(error, rel=1e-9)


def test_two_bad_readings_do_not_hide_each_other():
    rng = np.random.default_rng(4)
    y = 2.0 + 0.5 * np.arange(30) + 0.1 * rng.standard_normal(30)
    y[[7, 8]] += [3.0, 2.5]

    def fitted(_, without):
        one = line(y)
        weights = np.array([0.0 if name in without else 1.0 for name in one.where])
        return Readings(**{**vars(one), "weights": weights})

    found = outliers.suspects(1, fitted)
    assert {one.where for one in found} == {("w7",), ("w8",)}


def test_a_dose_is_named_as_a_whole_and_a_bad_well_in_it_alone():
    rng = np.random.default_rng(5)
    level = np.repeat(np.arange(1.0, 11.0), 3)
    base = 1.0 + 0.2 * level + 0.05 * rng.standard_normal(30)

    def found(y):
        one = line(y, level)
        jacobian = np.stack([np.ones(30), level], axis=1)
        whole = Readings(**{**vars(one), "jacobian": jacobian})
        fitted = lambda _, without: Readings(  # noqa: E731
            **{**vars(whole), "weights": np.array([0.0 if n in without else 1.0 for n in whole.where])}
        )
        return outliers.suspects(1, fitted)

    assert found(base) == ()
    (dose,) = found(np.where(level == 5.0, base + 0.5, base))
    assert (dose.dose, dose.level, len(dose.where)) == (True, 5.0, 3)
    assert dose.shift == pytest.approx(0.5, abs=0.1)
    (well,) = found(np.where(np.arange(30) == 12, base + 0.8, base))
    assert (well.dose, well.where) == (False, ("w12",))


def test_discoveries_are_those_of_benjamini_and_hochberg():
    p = np.array([0.001, 0.008, 0.039, 0.041, 0.042, 0.06, np.nan, 0.2])
    assert outliers.discoveries(p, 0.05).tolist() == [True, True, False, False, False, False, False, False]
    assert not outliers.discoveries(np.array([]), 0.05).any()


def test_alike_wells_share_one_scatter():
    rng = np.random.default_rng(6)
    group = np.repeat(np.arange(6), 4)
    value = np.array([1.0, 5.0, 20.0, 80.0, 300.0, 1000.0])[group] * np.exp(0.05 * rng.standard_normal(24))
    names = [f"w{i}" for i in range(24)]
    assert outliers.suspects(1, lambda _, out: replicates.of_groups("g", names, value, group, out)) == ()
    value[9] /= 20.0
    (one,) = outliers.suspects(1, lambda _, out: replicates.of_groups("g", names, value, group, out))
    assert one.where == ("w9",)
    assert one.expected == pytest.approx(20.0, rel=0.1)


def test_a_trend_across_columns_is_seen_and_none_in_noise():
    rng = np.random.default_rng(7)
    rows, columns = (place.ravel() for place in np.meshgrid(np.arange(8), np.arange(12), indexing="ij"))
    noise = 1.0 + 0.05 * rng.standard_normal(96)
    flat = positions.effects(noise, rows, columns, rows, (8, 12))
    assert not any(effect.found for effect in flat)
    sloped = positions.effects(noise * (1.0 + 0.3 * columns / 11.0), rows, columns, rows, (8, 12))
    (trend,) = [effect for effect in sloped if effect.title == "trend across columns"]
    assert trend.found
    assert trend.shift_percent == pytest.approx(30.0 / 1.15, abs=6.0)


def test_controls_that_overlap_are_said_on_every_plate():
    rng = np.random.default_rng(8)
    rows = [("vehicle", 100.0 + 30.0 * rng.standard_normal()) for _ in range(8)]
    rows += [("positive", 60.0 + 30.0 * rng.standard_normal()) for _ in range(8)]
    wells = check(
        pl.DataFrame(
            {
                "well": [f"{'ABCDEFGH'[i % 8]}{1 + i // 8}" for i in range(16)],
                "value": [v for _, v in rows],
                "role": [r for r, _ in rows],
            }
        )
    )
    numbers, findings = inspection.of_plates(wells)
    assert [one.code for one in findings] == ["GP-A245"]
    assert {row["name"] for row in numbers} >= {"Z' of vehicle and positive"}


STANDARDS = [0.0, 1.0, 2.5, 6.25, 15.6, 39.0, 98.0, 244.0]
HEAD = "plate,well,value,unit,role,sample,concentration,concentration_unit\n"


def plate(od, samples=()):
    """A plate with standards of the ODs given (in duplicate) and samples of (name, OD, OD)."""
    rows = [
        f"p,{'ABCDEFGH'[i]}{c + 1},{value + (c - 0.5) * 0.008 * (1 + value):.5f},OD,standard,,{x},ng/mL"
        for i, (x, value) in enumerate(zip(STANDARDS, od, strict=True))
        for c in (0, 1)
    ]
    rows += [
        f"p,{'ABCDEFGH'[i]}{c + 3},{value},OD,sample,{name},,"
        for i, (name, *both) in enumerate(samples)
        for c, value in enumerate(both)
    ]
    return layout.apply(readers.parse((HEAD + "\n".join(rows) + "\n").encode(), "plate.csv")).table


def good(x):
    return 0.06 + 2.4 * x / (x + 30.0)


def warned(result):
    return [one for one in result.findings if one.severity == "warning"]


def test_a_hook_in_the_top_standard_proposes_its_exclusion():
    od = [good(x) for x in STANDARDS]
    sample = ("s1", 1.6, 1.61)
    assert not warned(elisa.analyse(plate(od, [sample])))
    hooked = plate([*od[:-1], 1.5], [sample])
    (finding,) = [one for one in warned(elisa.analyse(hooked)) if one.code == "GP-A247"]
    assert '--exclude "p:H1,H2=hook"' in finding.next_step
    assert "s1" in finding.message
    after = elisa.analyse(hooked, elisa.Settings(exclude=("p:H1,H2=hook",)))
    (sample_row,) = after.tables["samples"].to_dicts()
    assert sample_row["result"] == pytest.approx(30.0 * (1.605 - 0.06) / (2.46 - 1.605), rel=0.05)
    (said,) = [one for one in warned(after) if one.code == "GP-A247"]
    assert "ambiguous" in said.message
    assert "exclude" not in said.next_step


def test_standards_that_changed_places_are_named():
    od = [good(x) for x in STANDARDS]
    od[3], od[4] = od[4], od[3]
    codes = {one.code: one for one in warned(elisa.analyse(plate(od)))}
    assert "p:E1,E2" in codes["GP-A248"].next_step


def test_a_competitive_curve_has_no_hook():
    od = [2.5 - good(x) for x in STANDARDS]
    assert not {one.code for one in warned(elisa.analyse(plate(od)))} & {"GP-A247", "GP-A248"}


def test_duplicates_that_differ_by_half_are_in_doubt():
    """7.83 and 3.81: their mean of 5.82 is no result in range without a word."""
    od = [good(x) for x in STANDARDS]
    result = elisa.analyse(plate(od, [("s1", good(7.83), good(3.81)), ("s2", good(8.0), good(7.9))]))
    first, second = result.tables["samples"].to_dicts()
    assert first["status"] == "replicates_differ"
    assert 3.81 < first["result"] < 7.83
    assert second["status"] == "in_range"
    (finding,) = [one for one in result.findings if one.code == "GP-A246"]
    assert "s1 (A3, A4) 49 %" in finding.message
    loose = elisa.analyse(
        plate(od, [("s1", good(7.83), good(3.81))]), elisa.Settings(replicate_cv_percent=60.0)
    )
    assert loose.tables["samples"]["status"].to_list() == ["in_range"]


def test_an_outlier_well_of_a_binding_plate_is_named():
    wells, stated = study.fp_plate("test", 0)
    lit = (pl.col("well") == "B6") & (pl.col("channel") == "parallel")
    spoiled = wells.with_columns(value=pl.when(lit).then(1.15 * pl.col("value")).otherwise("value"))
    optics = polarization.Optics(g_factor=study.FP.g_factor)
    found = polarization.analyse(spoiled, polarization.Settings(stated, optics))
    assert [row["where"] for row in found.tables["suspects"].to_dicts()] == ["Plate 1:B6"]
    bare = polarization.analyse(spoiled, polarization.Settings(optics=optics))
    assert bare.tables["suspects"]["where"].to_list() == ["Plate 1:B6"]


def test_a_lane_that_its_experiment_contradicts_is_named():
    rng = np.random.default_rng(0)
    rows = []
    for nth, (time, dose) in enumerate(
        (t, d) for t in (1.0, 3.0, 6.0, 24.0) for d in (0.0, 0.0, 1.0, 10.0, 100.0, 1e3)
    ):
        rate = 0.1 + dose / (dose + 50.0)
        floor = 0.1 / rate
        left = (floor + (1.0 - floor) * np.exp(-rate * time)) * np.exp(0.1 * rng.standard_normal())
        rows.append(
            {
                "membrane": "m",
                "lane": str(nth + 1),
                "time_h": time,
                "dose_nm": dose,
                "fraction_remaining": left,
            }
        )
    table = pl.DataFrame(rows)
    assert degradation.analyse(table).tables["suspects"].is_empty()
    tripled = (
        pl.when(pl.col("lane") == "11")
        .then(3.0 * pl.col("fraction_remaining"))
        .otherwise("fraction_remaining")
    )
    found = degradation.analyse(table.with_columns(fraction_remaining=tripled))
    assert found.tables["suspects"]["where"].to_list() == ["m:11"]
    assert "GP-A243" in {one.code for one in found.findings}


def test_a_lane_of_a_blot_that_its_replicates_contradict_is_named():
    base = {
        "membrane": "m",
        "target": "T",
        "experiment": "",
        "sample": "",
        "time_h": 6.0,
        "treatment": "",
        "flags": "",
        "relation": "=",
    }
    logs = [0.02, -0.03, 0.05, -0.04, 0.0, -1.0, -1.05, -0.95, 0.03, -2.5]
    bands = [
        base
        | {
            "lane": i + 1,
            "log_ratio": log,
            "dose_nm": 100.0 if -2.0 < log < -0.5 else 0.0,
            "vehicle": not -2.0 < log < -0.5,
        }
        for i, log in enumerate(logs)
    ]
    table, findings = odd_lanes(bands)
    assert table["where"].to_list() == ["m:10"]
    assert [one.code for one in findings] == ["GP-A243"]
    assert odd_lanes(bands[:-1])[0].is_empty()


def test_a_dose_beside_one_that_is_off_is_named_where_the_readings_do_not_tell_them_apart():
    def dose(level, t, p=1e-4):
        return outliers.Suspect("c", (f"w{level:g}",), level, True, 0.5, 0.6, -0.1, t, p)

    every = [dose(10.0, 5.7), dose(30.0, -6.0), dose(100.0, 5.4), dose(300.0, -5.9)]
    # 36 - 32.5 is less than the 1 % point of chi-square, 36 - 29.2 is more; 300 does not stand beside 30.
    assert outliers._instead(every[1], every) == (every[0],)
    assert outliers._instead(every[1], [dose(10.0, 5.7, 0.02), *every[1:]]) == ()
    assert outliers._instead(outliers.Suspect("c", ("w",), 30.0, False, 1, 1, 1, 6.0, 0.0), every) == ()
    found = dataclasses.replace(every[1], instead=(every[0],))
    said = verdicts._finding(found, "nM", "well")
    assert "or it is the dose of 10 nM (t = 5.7) that is off" in said.message
    assert '--exclude "w30=doubtful" or --exclude "w10=doubtful"' in said.next_step


def test_a_doubled_dose_and_a_dead_vehicle_well_are_named_in_growth():
    """One dose doubled moves the IC50; a vehicle well at a twentieth moves all viabilities."""
    rng = np.random.default_rng(2)
    rows = [{"well": f"A{i + 1}", "dose_nm": 0.0, "signal": 1.0} for i in range(8)]
    rows += [
        {
            "well": f"{row}{i + 1}",
            "dose_nm": 10.0 ** (i / 2.0),
            "signal": 1.0 / (1.0 + 10.0 ** (i / 2.0) / 100.0) + 0.02,
        }
        for i in range(9)
        for row in "BCD"
    ]
    table = pl.DataFrame(rows).with_columns(
        signal=pl.col("signal") * np.exp(0.03 * rng.standard_normal(len(rows)))
    )
    assert growth.analyse(table).tables["suspects"].is_empty()
    for names, by, kind in ((["B5", "C5", "D5"], 0.67, "dose"), (["A3"], 0.05, "reading")):
        changed = pl.when(pl.col("well").is_in(names)).then(by * pl.col("signal")).otherwise("signal")
        found = growth.analyse(table.with_columns(signal=changed))
        (row,) = found.tables["suspects"].to_dicts()
        assert (row["where"], row["kind"]) == (", ".join(names), kind)
        code = "GP-A244" if kind == "dose" else "GP-A243"
        (said,) = [one for one in found.findings if one.code == code]
        assert "--exclude" in said.next_step


@pytest.mark.parametrize("kind", ["bad_standard", "gradient", "dead_vehicle", "outlier_well_growth"])
def test_contaminated_twins_are_flagged(kind):
    """A few of what benchmarks/quality.py does with hundreds."""
    found = study.contaminated(kind, 3)
    assert found["flagged"] == found["beyond"]
    assert found["beyond"] >= 1


def test_clean_twins_are_silent():
    assert not study.CLEAN["elisa"](0)
    assert not study.CLEAN["growth"](1)
