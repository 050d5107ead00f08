"""Whether numbers can be what their column says: scales, complements, directions, logarithms, limits."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from glueprint.assays import degradation, growth
from glueprint.assays.intake import RESPONSES, canonical, door, is_vehicle, meaning, role_of
from glueprint.errors import InputError
from glueprint.report.figures.growth import growth_curves

DOSES_UM = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
NOISE = (0.01, -0.02, 0.015, 0.0, -0.01, 0.02, -0.005, 0.01)


def left(dose, ic50=0.5, bottom=0.05):
    return 1.0 - (1.0 - bottom) * np.asarray(dose) / (np.asarray(dose) + ic50)


def curve(column="viability", change=lambda left: left, doses=DOSES_UM, controls=(1.01, 0.98, 1.0), **labels):
    """A table of one compound with three controls; `change` turns what is left into what the column holds."""
    values = [*controls, *(left(DOSES_UM) + NOISE)]
    table = pl.DataFrame({"dose": [0.0] * 3 + list(doses), column: [float(change(v)) for v in values]})
    return table.with_columns(dose_unit=pl.lit("uM"), **{name: pl.lit(text) for name, text in labels.items()})


def ic50(table):
    result = growth.analyse(table)
    return {one.potency.value_nm for one in result.named if one.definition == "absolute IC50"}


def test_the_curve_itself_is_read_right():
    # 0.5 = 1 - 0.95 u: u = 0.526, dose = 500 u/(1 - u) = 556 nM.
    (found,) = ic50(curve())
    assert found == pytest.approx(556.0, rel=0.12)


@pytest.mark.parametrize(
    ("column", "change", "code"),
    [
        ("viability_percent", lambda v: v, "GP-A201"),
        ("viability", lambda v: 100.0 * v, "GP-A201"),
        ("inhibition_percent", lambda v: 1.0 - v, "GP-A201"),
        ("inhibition", lambda v: 100.0 - 100.0 * v, "GP-A201"),
        ("viability", lambda v: 0.5 * v, "GP-A202"),
        ("viability_percent", lambda v: 50.0 * v, "GP-A202"),
        ("viability", lambda v: 2.0 * v - 1.0, "GP-A203"),
        ("viability", np.log2, "GP-A203"),
        ("viability", lambda v: 1.0 - v, "GP-A204"),
        ("viability_percent", lambda v: 100.0 - 100.0 * v, "GP-A204"),
        ("inhibition", lambda v: v, "GP-A204"),
        ("inhibition_percent", lambda v: 100.0 * v, "GP-A204"),
        ("signal", lambda v: 5000.0 - 3000.0 * v, "GP-A204"),
    ],
)
def test_a_response_that_is_not_what_its_column_says_is_refused(column, change, code):
    with pytest.raises(InputError, match=code):
        growth.analyse(curve(column, change))


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("viability_percent", lambda v: 100.0 * v),
        ("inhibition", lambda v: 1.0 - v),
        ("inhibition_percent", lambda v: 100.0 - 100.0 * v),
        ("signal", lambda v: 30000.0 * v),
    ],
)
def test_every_scale_and_its_complement_give_the_same_ic50(column, change):
    (wanted,), (found,) = ic50(curve()), ic50(curve(column, change))
    assert found == pytest.approx(wanted, rel=0.02)


def test_a_control_a_little_off_is_a_warning():
    result = growth.analyse(curve(change=lambda v: 0.85 * v))
    assert [f.severity for f in result.findings if f.code == "GP-A202"] == ["warning"]


def test_one_rising_curve_has_no_potency_and_the_others_have():
    falling = curve(compound="falls")
    rising = curve(change=lambda v: 2.0 - v, compound="rises").filter(pl.col("dose") > 0.0)
    shared = curve(compound="").filter(pl.col("dose") == 0.0)
    result = growth.analyse(pl.concat([falling, rising, shared], how="diagonal"))
    assert {one.compound for one in result.named} == {"falls"}
    assert result.refused
    assert [f.where for f in result.findings if f.code == "GP-A204"] == ['rises, column "viability"']


@pytest.mark.parametrize(
    "doses",
    [
        np.log10(np.array(DOSES_UM) * 1e-6),
        [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
        [0.5 * i for i in range(1, 9)],
        np.log(3.0) * np.arange(1, 9),
        np.log10([10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0, 30000.0]),
        [9.0, 8.5, 8.0, 7.5, 7.0, 6.5, 6.0, 5.5],
    ],
)
def test_logarithms_named_as_doses_are_refused(doses):
    with pytest.raises(InputError, match="GP-A205"):
        growth.analyse(curve(doses=doses))


@pytest.mark.parametrize(
    "doses",
    [
        [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0],
        [0.005, 0.014, 0.041, 0.123, 0.37, 1.11, 3.33, 10.0],
        [0.1, 0.316, 1.0, 3.16, 10.0, 31.6, 100.0, 316.0],
        [0.078, 0.156, 0.312, 0.625, 1.25, 2.5, 5.0, 10.0],
        [2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0],
    ],
)
def test_amounts_are_no_logarithms(doses):
    assert meaning.doses("dose", [0.0, *doses]) == []


def test_a_name_says_that_doses_are_logarithms_or_not():
    logs = (
        curve().with_columns(pl.col("dose").log10() - 6.0).rename({"dose": "log10_dose_M"}).drop("dose_unit")
    )
    (found,) = ic50(logs.filter(pl.col("log10_dose_M").is_finite()))
    assert found == pytest.approx(556.0, rel=0.15)
    linear = curve(doses=[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]).rename({"dose": "linear_dose"})
    assert ic50(linear)


@pytest.mark.parametrize(("factor", "unit"), [(1e-6, "nM"), (1e5, "M"), (1e-9, "uM")])
def test_doses_that_cannot_be_are_refused(factor, unit):
    table = curve(doses=[factor * dose for dose in DOSES_UM]).with_columns(dose_unit=pl.lit(unit))
    with pytest.raises(InputError, match="GP-A206"):
        growth.analyse(
            table.with_columns(dose_nm="dose").drop("dose", "dose_unit") if unit == "nM" else table
        )


def test_two_units_of_one_dose_are_refused():
    with pytest.raises(InputError, match="GP-A206"):
        growth.analyse(curve().rename({"dose": "Dose (nM)"}))


@pytest.mark.parametrize(("name", "hours"), [("time_h", 4320.0), ("doubling_time_h", 1.2)])
def test_minutes_and_days_named_as_hours_are_refused(name, hours):
    with pytest.raises(InputError, match="GP-A207"):
        growth.analyse(curve().with_columns(**{name: pl.lit(hours)}))


def test_times_without_a_unit_are_refused_and_with_one_converted():
    two = pl.concat([curve().with_columns(time=pl.lit(t)) for t in (2.0, 3.0)])
    with pytest.raises(InputError, match="GP-A207"):
        growth.analyse(two)
    result = growth.analyse(two.rename({"time": "Time (days)"}))
    assert result.tables["curves"]["time_h"].to_list() == [48.0, 72.0]


def test_two_times_are_two_curves_with_their_own_controls():
    late = curve(controls=(2.02, 1.97, 2.0), column="signal", change=lambda v: v).with_columns(
        time_h=pl.lit(72.0)
    )
    late = late.with_columns(
        signal=pl.when(pl.col("dose") > 0.0).then(2.0 * pl.col("signal")).otherwise("signal")
    )
    early = curve("signal").with_columns(time_h=pl.lit(48.0))
    result = growth.analyse(pl.concat([early, late]))
    assert result.tables["curves"]["time_h"].to_list() == [48.0, 72.0]
    assert result.of("", "", "absolute IC50") is None
    found = [result.of("", "", "absolute IC50", time_h=hours).value_nm for hours in (48.0, 72.0)]
    assert found[0] == pytest.approx(found[1], rel=0.02)


@pytest.mark.parametrize(
    "word", ["DMSO", "vehicle", "-", "none", "Control", "untreated", "0.1 % DMSO", "Neg. control", "0"]
)
def test_wells_of_dose_0_under_a_name_of_no_compound_are_controls(word):
    table = curve(compound="p").with_columns(
        compound=pl.when(pl.col("dose") == 0.0).then(pl.lit(word)).otherwise("compound")
    )
    result = growth.analyse(table)
    assert result.tables["curves"]["control_wells"].to_list() == [3]
    assert "GP-A212" not in [f.code for f in result.findings]


def test_words_that_are_compounds_are_no_vehicle():
    assert not any(map(is_vehicle, ("pomalidomide", "DMSO2", "1", "-1", "10 nM", "CC-4047")))
    roles = [role_of(word) for word in ("Sample", "media only", "T0", "kill", "?!")]
    assert roles == ["treated", "blank", "time0", "unused", None]


def test_wells_of_no_curve_are_named():
    other = curve(line="B").filter(pl.col("dose") == 0.0)
    kill = curve(line="A").head(2).with_columns(role=pl.lit("kill"))
    result = growth.analyse(pl.concat([curve(line="A"), other, kill], how="diagonal"))
    (found,) = [f for f in result.findings if f.code == "GP-A212"]
    assert found.message.startswith(
        "5 wells are not used: 3: control of B, where nothing was treated; 2: role"
    )


def test_a_response_without_a_name_is_told_by_its_control_or_refused():
    (wanted,) = ic50(curve())
    assert ic50(curve("value")) == {wanted}
    (found,) = ic50(curve("Readout", lambda v: 100.0 * v))
    assert found == pytest.approx(wanted, rel=1e-6)
    with pytest.raises(InputError, match="GP-A213"):
        growth.analyse(curve("value", lambda v: 1.0 - v))
    with pytest.raises(InputError, match="GP-A213"):
        growth.analyse(curve("value", lambda v: 30000.0 * v).filter(pl.col("dose") > 0.0))


def test_a_label_that_nobody_reads_is_not_pooled():
    two = pl.concat([curve(medium="RPMI"), curve(change=lambda v: v**0.5, medium="DMEM")])
    with pytest.raises(InputError, match="GP-A214"):
        growth.analyse(two)
    assert len(ic50(two.rename({"medium": "line"}))) == 2
    assert len(ic50(two.rename({"medium": "replicate"}))) == 1
    halves = curve().with_columns(
        operator=pl.when(pl.col("dose") > 0.1).then(pl.lit("a")).otherwise(pl.lit("b"))
    )
    assert len(ic50(halves)) == 1


def blot(change=lambda left: left, column="fraction_remaining"):
    doses, values = (0.0, 1.0, 10.0, 100.0, 1000.0, 10000.0), (1.0, 0.97, 0.8, 0.4, 0.15, 0.1)
    rows = [
        (dose, hours, float(change(value)))
        for hours in (1.0, 6.0)
        for dose, value in zip(doses, values, strict=True)
    ]
    return pl.DataFrame(rows, schema=["dose_nm", "time_h", column], orient="row")


@pytest.mark.parametrize(
    ("column", "change", "code"),
    [
        ("fraction_remaining", lambda v: 100.0 * v, "GP-A201"),
        ("percent_remaining", lambda v: v, "GP-A201"),
        ("fraction_remaining", lambda v: 1.0 - v, "GP-A204"),
        ("percent_degraded", lambda v: 100.0 * v, "GP-A204"),
        ("fraction_remaining", lambda v: 0.3 * v, "GP-A202"),
        ("fraction_remaining", np.log2, "GP-A203"),
    ],
)
def test_lanes_that_are_not_what_their_column_says_are_refused(column, change, code):
    with pytest.raises(InputError, match=code):
        degradation.analyse(blot(change, column))


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("Remaining (%)", lambda v: 100.0 * v),
        ("% degraded", lambda v: 100.0 - 100.0 * v),
        ("fraction_degraded", lambda v: 1.0 - v),
    ],
)
def test_what_was_lost_is_the_complement_of_what_remains(column, change):
    wanted, found = degradation.analyse(blot()).at(6.0), degradation.analyse(blot(change, column)).at(6.0)
    assert found.dmax == pytest.approx(wanted.dmax)


def test_a_protein_that_gathers_is_no_contradiction():
    result = degradation.analyse(blot(lambda v: 2.0 - v))
    assert "GP-A204" not in [f.code for f in result.findings]


def test_optical_densities_have_a_limit():
    assert meaning.densities("OD", np.array([60.0, 800.0, 2100.0]), "p")[0].code == "GP-A209"
    assert meaning.densities("OD", np.array([0.06, 0.8, 2.1]), "p") == []
    assert meaning.scale("signal", RESPONSES["signal"], np.array([5e4])) == []


def test_the_curves_of_two_times_are_drawn_apart():
    two = pl.concat([curve("signal", time_h=48.0, line="A"), curve("signal", time_h=72.0, line="A")])
    text = json.dumps(growth_curves(growth.analyse(two).tables).to_dict())
    assert '"A 48 h"' in text
    assert '"A 72 h"' in text


def test_plates_of_other_gain_are_divided_by_their_own_controls():
    first, second = curve("signal", plate="p1"), curve("signal", lambda v: 3.0 * v, plate="p2")
    (wanted,), (found,) = ic50(curve("signal")), ic50(pl.concat([first, second]))
    assert found == pytest.approx(wanted, rel=0.01)
    alone = pl.concat([first, second.filter(pl.col("dose") > 0.0)])
    assert "GP-A220" in [finding.code for finding in growth.analyse(alone).findings]


def test_counts_called_cells_are_readings_and_kinds_that_are_no_roles_are_labels():
    counts = pl.concat([curve("cells", lambda v, i=i: 40000.0 * v + i) for i in range(2)])
    (wanted,), (found,) = ic50(curve()), ic50(counts)
    assert found == pytest.approx(wanted, rel=0.05)
    assert ic50(curve(type="myeloma")) == {wanted}


def test_a_second_response_is_named_as_unused():
    both = curve().with_columns(signal=pl.lit(5.0))
    assert canonical(both).unused == ("signal",)


def test_samples_without_dilution_beside_diluted_ones_are_named():
    (said,) = meaning.undiluted({"one": [10.0, 10.0], "two": [1.0, 1.0], "three": [10.0, 100.0]})
    assert (said.code, said.severity) == ("GP-A210", "warning")
    assert said.message.endswith(": two")
    for fine in ({"one": [1.0]}, {"one": [10.0]}, {"one": [1.0, 10.0], "two": [1.0]}, {}):
        assert meaning.undiluted(fine) == []


def test_a_column_with_infinity_is_no_fault(tmp_path):
    """One of the generated inputs: 400 digits in a column that might tell curves apart."""
    rows = ["compound,dose_nm,viability,gain"]
    for n, (dose, value) in enumerate(((1, 1.0), (10, 0.9), (100, 0.6), (1000, 0.2), (10000, 0.05)) * 4):
        rows.append(f"GLX-1,{dose},{value},{'9' * 400 if n == 3 else n % 5}")
    path = tmp_path / "plate.csv"
    path.write_text("\n".join(rows) + "\n")
    assert door.read(path).curves["compound"].unique().to_list() == ["GLX-1"]
