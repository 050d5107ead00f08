"""What is left out on request is out of the numbers, and stays in the result with its reason."""

from __future__ import annotations

import polars as pl
import pytest

from glueprint.assays import degradation, elisa, growth, layout, readers
from glueprint.assays.quality import exclusions
from glueprint.errors import InputError


@pytest.mark.parametrize(
    ("text", "names", "reason"),
    [
        ("A1", ("A1",), exclusions.NO_REASON),
        ("a01, B2 = a bubble", ("A1", "B2"), "a bubble"),
        ("A1:B2=hook = high", ("A1", "A2", "B1", "B2"), "hook = high"),
        ("p 1:A1,p 2:B2=", ("p 1:A1", "p 2:B2"), exclusions.NO_REASON),
        (
            "line A, experiment 1, 72 h:B3,C4=empty",
            ("line A, experiment 1, 72 h:B3", "line A, experiment 1, 72 h:C4"),
            "empty",
        ),
        ("row 7=spilled", ("row 7",), "spilled"),
        ("3,4=smeared", ("3", "4"), "smeared"),
        ("M 1:3=smeared", ("M 1:3",), "smeared"),
    ],
)
def test_names_and_reasons(text, names, reason):
    assert exclusions.parse(text) == (names, reason)


def test_a_plate_that_looks_like_a_well_begins_no_range():
    assert exclusions.parse("p1:A3=x", ["p1"]) == (("p1:A3",), "x")
    assert exclusions.parse("P1:P3=x") == (("P1", "P2", "P3"), "x")


def test_rows_are_marked_by_name_by_their_own_column_and_by_a_mask():
    table = pl.DataFrame(
        {
            "plate": ["p", "p", "q", "q"],
            "well": ["A1", "A2", "A1", "A2"],
            "exclude": ["", None, "spilled", ""],
            "flag": ["", "masked", "", ""],
        }
    )
    found, said = exclusions.marked(table, ["q:A2=bubble"])
    assert found["exclude"].to_list() == ["", exclusions.MASK_REASON, "spilled", "bubble"]
    assert [one.code for one in said] == ["GP-A242", "GP-A241", "GP-A241"]
    assert "unmask" in said[0].next_step
    both, _ = exclusions.marked(table.drop("exclude", "flag"), ["A1=x"])
    assert both["exclude"].to_list() == ["x", "", "x", ""]


@pytest.mark.parametrize("name", ["B7", "p:A9", "row 9", "  ", "=why"])
def test_a_name_that_nothing_has_is_refused(name):
    table = pl.DataFrame({"plate": ["p"], "well": ["A1"]})
    with pytest.raises(InputError, match="GP-A240"):
        exclusions.marked(table, [name])


def wells():
    """Nine doses in duplicate about an IC50 of 100 nM, vehicle, and one well that is far off."""
    rows = [{"well": f"A{i + 1}", "dose_nm": 0.0, "viability": 1.0 + 0.01 * (-1) ** i} for i in range(4)]
    for i in range(9):
        dose = 10.0 ** (i / 2.0)
        for nth, row in enumerate("BC"):
            left = 1.0 / (1.0 + dose / 100.0) + 0.01 * (-1) ** (i + nth)
            rows.append({"well": f"{row}{i + 1}", "dose_nm": dose, "viability": left})
    return pl.DataFrame(rows)


def ic50(table, **settings):
    return growth.analyse(table, growth.Settings(**settings)).of("", "", "relative IC50")


def test_a_bad_well_of_a_growth_assay_moves_the_ic50_until_it_is_left_out():
    good = wells()
    bad = good.with_columns(viability=pl.when(pl.col("well") == "B6").then(1.0).otherwise("viability"))
    assert ic50(bad).value_nm > 1.15 * ic50(good).value_nm
    result = growth.analyse(bad, growth.Settings(exclude=("B6=pipetted twice",)))
    kept = good.filter(pl.col("well") != "B6")
    assert result.of("", "", "relative IC50").value_nm == pytest.approx(ic50(kept).value_nm, rel=1e-12)
    (row,) = result.tables["excluded"].to_dicts()
    assert (row["where"], row["reason"], row["value"]) == ("B6", "pipetted twice", 1.0)
    assert row["x"] == pytest.approx(10.0**2.5)
    assert "B6" not in result.tables["wells"]["well"].to_list()
    named = growth.analyse(bad.drop("well"), growth.Settings(exclude=("row 15=pipetted twice",)))
    assert named.of("", "", "relative IC50").value_nm == pytest.approx(ic50(kept).value_nm, rel=1e-12)
    said = growth.analyse(bad.with_columns(exclude=pl.when(pl.col("well") == "B6").then(pl.lit("twice"))))
    assert said.of("", "", "relative IC50").value_nm == pytest.approx(ic50(kept).value_nm, rel=1e-12)


def test_lanes_are_left_out_of_a_degradation():
    doses = [0.0, 0.0, 1.0, 10.0, 30.0, 100.0, 1000.0, 10000.0]
    left = [1.0, 1.0, 0.94, 0.61, 0.38, 0.20, 0.11, 0.10]
    table = pl.DataFrame(
        {
            "lane": [str(i) for i in range(1, 9)],
            "time_h": [6.0] * 8,
            "dose_nm": doses,
            "fraction_remaining": left,
        }
    )
    odd = table.with_columns(
        fraction_remaining=pl.when(pl.col("lane") == "5").then(0.9).otherwise("fraction_remaining")
    )
    out = degradation.analyse(odd, degradation.Settings(exclude=("5=smeared",)))
    kept = degradation.analyse(table.filter(pl.col("lane") != "5"))
    assert out.at(6.0).relative == kept.at(6.0).relative
    (row,) = out.tables["excluded"].to_dicts()
    assert (row["where"], row["x"], row["value"], row["reason"]) == ("5", 30.0, 0.9, "smeared")


PLATE = "plate,well,value,unit,role,sample,concentration,concentration_unit,exclude\n"


def elisa_file(reason=""):
    """Standards that follow a logistic but for the top one, and a sample."""
    rows = []
    for nth, x in enumerate([0.0, 1.0, 2.5, 6.25, 15.6, 39.0, 98.0, 244.0]):
        od = (0.06 + 2.4 * x / (x + 20.0)) * (0.6 if x == 244.0 else 1.0)
        out = reason if x == 244.0 else ""
        rows += [f"p,{'ABCDEFGH'[nth]}{c},{od + 0.004 * c:.4f},OD,standard,,{x},ng/mL,{out}" for c in (1, 2)]
    rows += [f"p,A{c},{0.06 + 2.4 * 30.0 / 50.0 + 0.004 * c:.4f},OD,sample,s1,,," for c in (3, 4)]
    return readers.parse((PLATE + "\n".join(rows) + "\n").encode(), "plate.csv")


def test_standards_are_left_out_by_setting_and_by_file_alike():
    plain = layout.apply(elisa_file()).table
    assert elisa.analyse(plain).tables["samples"]["relation"][0] != "="
    asked = elisa.analyse(plain, elisa.Settings(exclude=("H1:H2=hook",)))
    (sample,) = asked.tables["samples"].to_dicts()
    assert sample["result"] == pytest.approx(30.0, rel=0.03)
    assert asked.tables["excluded"].select("where", "x", "reason").rows() == [
        ("p:H1", 244.0, "hook"),
        ("p:H2", 244.0, "hook"),
    ]
    assert (
        asked.tables["standards"].filter(pl.col("nominal") == 244.0)["flag"].to_list()
        == ["excluded: hook"] * 2
    )
    filed = elisa.analyse(layout.apply(elisa_file("hook")).table)
    assert filed.tables["samples"].equals(asked.tables["samples"])
    assert [one.code for one in filed.findings if one.code == "GP-A241"] == ["GP-A241"]


def test_a_layout_says_why_a_well_is_left_out():
    text = """
kind = "glueprint-layout"
version = 1
plate_wells = 96

[[well]]
wells = "A1:A2"
role = "blank"

[[well]]
wells = "A2"
extra = { exclude = "spilled" }
"""
    plate = readers.parse(b"plate,well,value,unit\np,A1,0.1,OD\np,A2,0.2,OD\n", "plate.csv")
    found, said = exclusions.marked(layout.apply(plate, layout.parse(text, "layout.toml")).table, ())
    assert found["exclude"].to_list() == ["", "spilled"]
    assert "spilled" in said[0].message
