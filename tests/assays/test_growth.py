"""Growth: closed forms of GR and division, exact curves, controls' errors, limits, real sets, bad
tables."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from glueprint.assays import growth
from glueprint.assays.growth import Settings
from glueprint.errors import InputError

SHARED = Path(__file__).parents[3] / "shared" / "data"
SARCOMA, NEUTRALISATION = SHARED / "viability-sarcoma-triplicates", SHARED / "neutralization-doud2018"
SARCOMA_NM = (0.0, 0.17, 0.51, 1.52, 4.57, 13.72, 41.15, 123.5, 370.4, 1111.0, 3333.0, 10000.0)
DOSES_NM = (0.0, 0.0, 0.0, *np.repeat(10.0 ** np.arange(0.0, 4.1, 0.5), 2).tolist())


def left(dose, ec50=100.0, bottom=0.2, slope=1.0):
    share = np.asarray(dose) ** slope
    return 1.0 - (1.0 - bottom) * share / (share + ec50**slope)


def plate(ec50=100.0, bottom=0.2, noise=0.0, seed=1, **columns):
    dose = np.array(DOSES_NM)
    draw = np.random.default_rng(seed)
    values = left(dose, ec50, bottom) + noise * draw.normal(size=dose.size)
    table = pl.DataFrame({"dose_nm": dose, "viability": values})
    return table.with_columns(**{name: pl.lit(value) for name, value in columns.items()})


def with_start(ec50=100.0, bottom=0.2, divisions=3.0, blank=50.0):
    """Raw signals with blanks and time zero; the truth is exact."""
    rows = [("control", 0.0, 1000.0 + blank)] * 3 + [("time0", None, 1000.0 * 2.0**-divisions + blank)] * 2
    rows += [("blank", None, blank)] * 2
    rows += [("treated", dose, 1000.0 * float(left(dose, ec50, bottom)) + blank) for dose in DOSES_NM if dose]
    return pl.DataFrame(rows, schema=["role", "dose_nm", "signal"], orient="row")


def codes(result):
    return [finding.code for finding in result.findings]


def test_gr_values_of_known_growth():
    # Control 8-fold (3 divisions): no growth is GR 0, half of the divisions GR 2^0.5 - 1, all dead -1.
    assert growth.gr_value([1.0, 1.0 / 8.0, 8.0**-0.5, 0.0], 3.0) == pytest.approx(
        [1.0, 0.0, 2.0**0.5 - 1.0, -1.0], abs=1e-3
    )
    # Hafner's definition from counts: 2^(log2(x/x0)/log2(c/x0)) - 1.
    x, x0, c = 3000.0, 1000.0, 6000.0
    assert float(growth.gr_value(x / c, np.log2(c / x0))) == pytest.approx(
        2.0 ** (np.log2(3.0) / np.log2(6.0)) - 1.0
    )


def test_area_over_a_straight_curve():
    # GR falls from 1 to 0 evenly in log dose: half of the area.
    assert growth.area_over_curve([1.0, 10.0, 100.0], [1.0, 0.5, 0.0]) == pytest.approx(0.5)
    assert growth.area_over_curve([1.0, 10.0, 1000.0], [1.0, 1.0, 0.0]) == pytest.approx(1.0 / 3.0)


def test_division_of_a_known_culture():
    # 100 founders: 40 stay, 30 divide once (60 cells), 30 twice (120 cells).
    cells = [40.0, 60.0, 120.0]
    assert float(growth.divided_percent(cells)) == pytest.approx(60.0)
    assert float(growth.division_index(cells)) == pytest.approx(0.9)
    assert float(growth.proliferation_index(cells)) == pytest.approx(1.5)
    assert np.isnan(growth.proliferation_index([5.0, 0.0]))


def test_exact_viability_gives_relative_and_absolute_ic50():
    result = growth.analyse(plate())
    assert result.of("", "", "relative IC50").value_nm == pytest.approx(100.0, rel=1e-5)
    # 0.5 = 1 - 0.8 u: u = 0.625, dose = 100 u/(1 - u).
    assert result.of("", "", "absolute IC50").value_nm == pytest.approx(100.0 * 0.625 / 0.375, rel=1e-5)
    assert result.of("", "", "GI50") is None
    row = result.tables["curves"].row(0, named=True)
    assert row["emax_percent"] == pytest.approx(100.0 * (1.0 - float(left(1e4))), rel=1e-4)
    assert {"GP-A167", "GP-A168"} <= set(codes(result))


def test_exact_signals_give_gi50_and_gr_metrics():
    result = growth.analyse(with_start())
    # Half of the growth from 1/8 to 1 is 9/16: u = (7/16)/0.8.
    share = (7.0 / 16.0) / 0.8
    assert result.of("", "", "GI50").value_nm == pytest.approx(100.0 * share / (1.0 - share), rel=1e-5)
    # GR 0.5 at viability 2^(3 (log2 1.5 - 1)) = 0.421875: u = 0.578125/0.8. The GR curve is no logistic, so
    # 2 %.
    share = (1.0 - 0.75**3) / 0.8
    assert result.of("", "", "GR50").value_nm == pytest.approx(100.0 * share / (1.0 - share), rel=0.02)
    row = result.tables["growth_rate"].row(0, named=True)
    assert row["divisions"] == pytest.approx(3.0)
    assert row["gr_max"] == pytest.approx(float(growth.gr_value(left(1e4), 3.0)))
    doses = np.unique([dose for dose in DOSES_NM if dose])
    assert row["gr_aoc"] == pytest.approx(growth.area_over_curve(doses, growth.gr_value(left(doses), 3.0)))


def test_doubling_time_stands_in_for_time_zero():
    timed = growth.analyse(plate(time_h=72.0, doubling_time_h=24.0))
    assert timed.tables["growth_rate"]["divisions_from"].to_list() == ["doubling time"]
    started = growth.analyse(with_start())
    assert timed.of("", "", "GR50").value_nm == pytest.approx(started.of("", "", "GR50").value_nm, rel=1e-6)
    assert timed.of("", "", "relative IC50").time_h == 72.0


def test_the_same_drug_on_a_slower_line_has_another_ic50_but_the_same_gr50():
    # GR stands for the rate: the same share of the growth rate, at 2 and at 4 divisions.
    dose = np.array([0.0, *np.geomspace(1.0, 1e4, 17)])
    rate = 1.0 - 0.9 * dose / (dose + 100.0)
    tables = [
        pl.DataFrame({"dose_nm": dose, "viability": 2.0 ** (n * (rate - 1.0))}).with_columns(
            line=pl.lit(name), time_h=pl.lit(72.0), doubling_time_h=pl.lit(72.0 / n)
        )
        for name, n in (("slow", 2.0), ("fast", 4.0))
    ]
    result = growth.analyse(pl.concat(tables))
    slow, fast = (result.of(name, "", "absolute IC50").value_nm for name in ("slow", "fast"))
    assert slow > 1.5 * fast
    slow, fast = (result.of(name, "", "GR50").value_nm for name in ("slow", "fast"))
    assert slow == pytest.approx(fast, rel=1e-6)


def test_the_error_of_the_control_widens_the_absolute_ic50_only():
    table = plate(noise=0.02)
    shaky = with_noisy_control(table, 0.2)
    calm, wide = growth.analyse(table), growth.analyse(shaky)
    assert calm.tables["curves"]["control_wells"].to_list() == [3]

    def width(result, definition):
        found = result.of("", "", definition)
        return np.log(found.high_nm / found.low_nm)

    assert width(wide, "absolute IC50") > 1.5 * width(wide, "relative IC50")
    assert width(calm, "absolute IC50") < 1.5 * width(calm, "relative IC50")


def with_noisy_control(table, spread):
    """The same wells as signals with control wells that scatter, their mean kept."""
    offsets = [-spread, 0.0, spread, *[0.0] * (table.height - 3)]
    return table.with_columns(signal=pl.col("viability") + pl.Series(offsets)).drop("viability")


def test_a_line_that_levels_off_high_has_emax_and_a_limit():
    result = growth.analyse(plate(bottom=0.65, noise=0.01, line="RPMI"))
    found = result.of("RPMI", "", "absolute IC50")
    assert (found.relation, found.value_nm, [r.value for r in found.reasons]) == (">", 1e4, ["not_reached"])
    assert result.of("RPMI", "", "relative IC50").value_nm == pytest.approx(100.0, rel=0.3)
    assert result.tables["curves"]["emax_percent"][0] == pytest.approx(35.0, abs=2.0)
    assert "GP-A166" in codes(result)


def test_a_flat_curve_has_no_potency():
    result = growth.analyse(plate(bottom=1.0, noise=0.03))
    found = result.of("", "", "relative IC50")
    assert (found.relation, [r.value for r in found.reasons]) == (">", ["no_effect"])
    assert "GP-A171" in codes(result)


def test_a_response_that_turns_back_is_no_missing_effect():
    rows = plate(noise=0.02)
    back = (
        pl.when(pl.col("dose_nm") > 30.0)
        .then(0.3 + 0.28 * (pl.col("dose_nm") / 30.0).log10())
        .otherwise("viability")
    )
    result = growth.analyse(rows.with_columns(viability=back))
    found = result.of("", "", "absolute IC50")
    assert (found.relation, [r.value for r in found.reasons]) == ("none", ["turns"])
    assert "GP-A236" in codes(result)


def test_the_false_discovery_rate_replaces_the_test_of_each_curve():
    tables = [plate(bottom=1.0 if i else 0.2, noise=0.05, seed=i, line=str(i)) for i in range(40)]
    result = growth.analyse(pl.concat(tables), Settings(effect="discover"))
    status = dict(zip(result.tables["curves"]["line"], result.tables["curves"]["status"], strict=True))
    assert status["0"] == "FINE"
    assert sum(value == "NO_EFFECT" for value in status.values()) >= 38


def test_experiments_are_pooled_and_every_one_lies_between_its_own_and_the_pool():
    tables = [
        plate(ec50, noise=0.02, seed=i, experiment=str(i)) for i, ec50 in enumerate((70.0, 100.0, 150.0))
    ]
    result = growth.analyse(pl.concat(tables))
    pooled = result.of("", "", "relative IC50")
    assert pooled.n == 3
    rows = result.tables["potencies"].filter(pl.col("definition") == "relative IC50")
    assert rows["experiment"].to_list() == ["", "0", "1", "2"]
    for row in rows.filter(pl.col("experiment") != "").to_dicts():
        low, high = sorted([row["value"], pooled.value_nm])
        assert low * (1.0 - 1e-9) <= row["expected"] <= high * (1.0 + 1e-9)
    assert rows["tau"][0] > 0.05


def test_a_resting_control_is_refused():
    table = with_start(divisions=3.0).with_columns(
        signal=pl.when(pl.col("role") == "time0").then(pl.lit(1500.0)).otherwise(pl.col("signal"))
    )
    result = growth.analyse(table)
    assert result.refused
    assert "GP-A170" in codes(result)
    assert result.of("", "", "GR50") is None
    assert result.of("", "", "relative IC50").value_nm == pytest.approx(100.0, rel=1e-4)


def test_treg_generations_to_a_dose_response():
    rows = []
    for well, dose in enumerate(DOSES_NM):
        # Of 1000 founders a share divides, each twice: 4 cells.
        share = 0.6 * float(left(dose, 30.0, 0.0))
        rows += [
            (well, dose, 0, 1000.0 * (1.0 - share)),
            (well, dose, 1, 0.0),
            (well, dose, 2, 4000.0 * share),
        ]
    table = pl.DataFrame(rows, schema=["well", "dose_nm", "generation", "count"], orient="row")
    for index in ("divided", "division-index"):
        result = growth.analyse(table.with_columns(donor=pl.lit("D1")), Settings(index=index))
        assert result.of("D1", "", "absolute IC50").value_nm == pytest.approx(30.0, rel=1e-5)
    twice = table.drop("well").with_columns(dose_nm=pl.lit(10.0))
    for bad in (twice, table.with_columns(generation=pl.lit(0.5))):
        with pytest.raises(InputError, match="GP-A172"):
            growth.analyse(bad)


def test_fixed_plateaus_per_cent_and_missing_wells():
    table = plate(bottom=0.0).with_columns(viability_percent=100.0 * pl.col("viability")).drop("viability")
    empty = table.with_columns(
        viability_percent=pl.when(pl.int_range(pl.len()) == 5)
        .then(None)
        .otherwise(pl.col("viability_percent"))
    )
    result = growth.analyse(empty, Settings(top=1.0, bottom=0.0))
    assert result.of("", "", "absolute IC50").value_nm == pytest.approx(100.0, rel=1e-6)
    assert "GP-A174" in codes(result)
    assert "GP-A169" in codes(result)


@pytest.mark.skipif(
    not NEUTRALISATION.exists(), reason="the neutralisation data are not beside this repository"
)
def test_neutcurve_ic50_and_bounds():
    # neutcurve 2.5.0, top 1, bottom 0, slope free; its own numbers beside the data.
    names = {
        "concentration": "dose",
        "fraction infectivity": "viability",
        "virus": "line",
        "serum": "compound",
        "replicate": "experiment",
    }
    table = pl.read_csv(NEUTRALISATION / "data.csv", infer_schema=False).rename(names)
    result = growth.analyse(table, Settings(top=1.0, bottom=0.0, dose_unit="ug/mL"))
    relations = {"interpolated": "=", "lower": ">", "upper": "<"}
    with (NEUTRALISATION / "neutcurve_fits.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["replicate"] != "average"]
    for row in rows:
        found = result.of(row["virus"], row["serum"], "absolute IC50", row["replicate"])
        assert found.relation == relations[row["ic50_bound"]]
        # Of a curve that passes half just beyond the doses, the data may not exclude the last of them.
        near = 1e-3 if found.relation == "=" else 5e-3
        assert found.value_nm == pytest.approx(float(row["ic50"]), rel=near)
    assert len(rows) == 36
    assert result.potencies == ()
    assert set(result.tables["potencies"]["unit"]) == {"ug/mL"}
    assert "GP-A176" in codes(result)


@pytest.mark.skipif(not SARCOMA.exists(), reason="the sarcoma data are not beside this repository")
def test_triplicates_of_sarcoma_lines_beside_curvecurator():
    wide = pl.read_csv(SARCOMA / "responses.tsv", separator="\t")
    wide = wide.filter(pl.col("Name").str.contains("Dasatinib|Dinaciclib|Alisertib"))
    doses = {f"Raw {i}": dose for i, dose in enumerate(SARCOMA_NM)}
    parts = pl.col("Name").str.split(" ")
    table = wide.unpivot(index="Name", value_name="viability").with_columns(
        dose_nm=pl.col("variable").replace_strict(doses, return_dtype=pl.Float64),
        line=parts.list.head(parts.list.len() - 2).list.join(" "),
        compound=parts.list.get(-2),
        experiment=parts.list.get(-1),
    )
    result = growth.analyse(table)
    with (SARCOMA / "curvecurator_combined.tsv").open(encoding="utf-8") as file:
        combined = {row["Name"]: row for row in csv.DictReader(file, delimiter="\t")}
    with (SARCOMA / "curvecurator_independent.tsv").open(encoding="utf-8") as file:
        single = {row["Name"]: row for row in csv.DictReader(file, delimiter="\t")}
    misses, pools = [], []
    for one in result.named:
        if one.definition != "relative IC50" or one.potency.relation != "=":
            continue
        name = f"{one.line} {one.compound} {one.experiment}".strip()
        theirs = (single if one.experiment else combined).get(name)
        if theirs is None or theirs["Curve Regulation"] != "down" or one.potency.high_nm is None:
            continue
        if float(theirs["Curve Slope"]) < 10.0 and one.potency.low_nm is not None:
            (misses if one.experiment else pools).append(abs(one.potency.p_molar - float(theirs["pEC50"])))
    # CurveCurator 0.6: single replicates agree, and pools lie near its fit to all three
    # (docs/potencies.md).
    assert len(misses) > 60
    assert np.quantile(misses, 0.95) < 0.11
    assert max(misses) < 0.18
    assert len(pools) > 15
    assert np.median(pools) < 0.03


@pytest.mark.parametrize(
    ("change", "drop", "code", "said"),
    [
        ({}, ["dose_nm"], "GP-A160", "no column dose_nm"),
        ({"vability": "low"}, ["viability"], "GP-A160", 'did you mean "vability"'),
        ({"viability": "dead"}, [], "GP-A161", '"dead"'),
        ({"dose_nm": -1.0}, [], "GP-A161", "-1"),
        ({"dose_nm": 0.0}, [], "GP-A161", "no treated well"),
        ({"dose": 5.0}, ["dose_nm"], "GP-A162", "without a unit"),
        ({"dose": 5.0, "dose_unit": "seconds"}, ["dose_nm"], "GP-A162", '"seconds"'),
        ({"viability": 100.0}, [], "GP-A201", "fractions that reach 100"),
        ({"role": "treted"}, [], "GP-A175", 'did you mean "treated"'),
    ],
)
def test_bad_tables_are_named(change, drop, code, said):
    table = plate().with_columns(**{name: pl.lit(value) for name, value in change.items()}).drop(drop)
    with pytest.raises(InputError, match=code) as caught:
        growth.analyse(table)
    assert said in str(caught.value)


def test_signals_without_a_control_and_mixed_units():
    alone = with_start().filter(pl.col("role") != "control")
    with pytest.raises(InputError, match="GP-A164"):
        growth.analyse(alone)
    units = ["nM", "ug/mL"] * 20
    table = plate().rename({"dose_nm": "dose"})
    with pytest.raises(InputError, match="GP-A162"):
        growth.analyse(table.with_columns(dose_unit=pl.Series(units[: table.height])))
    molar = table.with_columns(dose=pl.col("dose") / 1000.0, dose_unit=pl.lit("uM"))
    assert growth.analyse(molar).of("", "", "relative IC50").value_nm == pytest.approx(100.0, rel=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": "6pl"},
        {"effect": "yes"},
        {"index": "all"},
        {"confidence": 0.0},
        {"top": 100.0},
        {"top": 0.1, "bottom": 0.5},
        {"effect": "discover", "bottom": 0.0},
    ],
)
def test_settings_that_are_no_choice(wrong):
    with pytest.raises(InputError, match="GP-A163"):
        growth.analyse(plate(), Settings(**wrong))


def test_results_are_json():
    found = growth.analyse(with_start()).as_dict()
    assert set(found) == {"assay", "settings", "tables", "potencies", "quality", "findings"}
    assert set(found["tables"]) == {
        "wells",
        "curves",
        "growth_rate",
        "potencies",
        "fitted",
        "suspects",
        "excluded",
    }
