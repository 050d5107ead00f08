"""Layouts: what people write becomes wells as they mean it, and every slip is a code with its place."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from glueprint.assays import layout, layout_drawing, readers
from glueprint.assays.plate import SIZES
from glueprint.assays.wells import CONTENT, ROLES, SCHEMA
from glueprint.errors import InputError

OWN = Path(__file__).parent / "data"
HEAD = 'kind = "glueprint-layout"\nversion = 1\nconcentration_unit = "nM"\n'


def of(*blocks, head=HEAD):
    text = head + "".join(f"[[well]]\n{block}\n" for block in blocks)
    return layout.parse(text, "my.toml")


def column(found, name):
    return dict(found.table.select("well", name).rows())


def refused(code, *blocks, head=HEAD):
    with pytest.raises(InputError, match=code) as caught:
        of(*blocks, head=head)
    return caught.value


def test_a_series_runs_down_and_is_the_same_side_by_side():
    found = column(
        of('wells = "A1:D2"\nconcentration = {start = 80, factor = 2, zero = true}'), "concentration"
    )
    assert found == {"A1": 80, "A2": 80, "B1": 40, "B2": 40, "C1": 20, "C2": 20, "D1": 0, "D2": 0}


@pytest.mark.parametrize(
    ("direction", "expected"),
    [("down", "ABAB"), ("up", "BABA"), ("right", "AABB"), ("left", "BBAA")],
)
def test_a_list_runs_in_its_direction(direction, expected):
    found = column(of(f'wells = "A1:B2"\nsample = ["A", "B"]\ndirection = "{direction}"'), "sample")
    assert "".join(found[well] for well in ("A1", "B1", "A2", "B2")) == expected


def test_a_longer_list_goes_on_in_the_next_strip():
    found = column(of('wells = "A1:B4"\nreplicates = 2\nsample = ["a", "b", "c", "d"]'), "sample")
    assert [found[well] for well in ("A1", "A2", "B1", "B2")] == ["a", "a", "b", "b"]
    assert [found[well] for well in ("A3", "A4", "B3", "B4")] == ["c", "c", "d", "d"]


def test_each_gives_a_value_to_wells_in_a_row():
    found = column(of('wells = "A1:D1"\nsample = {values = ["a", "b"], each = 2}'), "sample")
    assert list(found.values()) == ["a", "a", "b", "b"]


def test_a_field_has_its_own_direction():
    block = (
        'wells = "A1:B3"\nsample = ["s", "t"]\nconcentration = {start = 9, factor = 3, direction = "right"}'
    )
    found = of(block)
    assert column(found, "sample")["B3"] == "t"
    assert column(found, "concentration") == {"A1": 9, "A2": 3, "A3": 1, "B1": 9, "B2": 3, "B3": 1}


@pytest.mark.parametrize(
    ("wells", "count", "one"),
    [
        ("C3", 1, "C3"),
        ("A", 12, "A12"),
        ("A:B", 24, "B12"),
        ("1", 8, "H1"),
        ("11:12", 16, "H12"),
        ("all", 96, "H12"),
        ("a01:b02", 4, "B2"),
        ("A1-B2", 4, "B2"),
        ("A1, C3:D4", 5, "D4"),
    ],
)
def test_sets_of_wells(wells, count, one):
    found = column(of(f'wells = "{wells}"\nrole = "blank"'), "role")
    assert len(found) == count
    assert found[one] == "blank"


def test_single_wells_take_a_list_in_their_order():
    assert column(of('wells = "C1, A5, B3"\nsample = ["x", "y", "z"]'), "sample") == {
        "C1": "x",
        "A5": "y",
        "B3": "z",
    }


def test_blocks_add_fields_to_the_same_wells():
    found = of('wells = "A1:A2"\nrole = "compound"', 'wells = "1:2"\ndonor = "d7"\nextra = {batch = 4}')
    assert found.table.height == 16
    assert (column(found, "role")["A1"], column(found, "donor")["A1"], column(found, "batch")["A1"]) == (
        "compound", "d7", "4",
    )  # fmt: skip
    assert column(found, "role")["H1"] == ""


def test_the_table_has_every_column_and_a_dilution_of_one():
    found = of('wells = "A1"\nrole = "sample"').table
    assert {name: found.schema[name] for name in CONTENT} == dict(CONTENT)
    assert (found["dilution"][0], found["concentration"][0], found["concentration_unit"][0]) == (
        1.0,
        None,
        "",
    )


@pytest.mark.parametrize("kind", layout.TEMPLATES)
@pytest.mark.parametrize("wells", [96, 384])
def test_every_template_loads_and_uses_roles_that_are_known(kind, wells):
    found = layout.parse(layout.template(kind, wells), kind)
    assert set(found.table["role"]) <= set(ROLES)
    assert found.size == wells
    assert layout.draw(found).count("\n") > SIZES[wells][0]


def test_the_drawing_shows_every_role_and_dose():
    found = of(
        'wells = "A1:C1"\nrole = "standard"\nconcentration = [100, 10, 0]', 'wells = "D2"\nrole = "blank"'
    )
    drawn = layout.draw(found).splitlines()
    assert drawn[0] == "every plate"
    assert drawn[2].split() == ["A", "S", *["."] * 11]
    assert drawn[5].split() == ["D", ".", "B", *["."] * 10]
    assert "  S  standard: 3 wells; 100, 10, 0 nM" in drawn


@pytest.mark.parametrize(
    ("code", "block", "told"),
    [
        ("GP-A033", 'wells = "A1"\nrol = "blank"', 'did you mean "role"?'),
        ("GP-A033", 'role = "blank"', "is missing"),
        ("GP-A004", 'wells = "A1"\nconcentration = "5 nM"', "is not a number"),
        ("GP-A033", 'wells = "A1"\ndilution = 0', "0 cannot be used"),
        ("GP-A033", 'wells = "A1"\nconcentration = -1', "-1 cannot be used"),
        ("GP-A033", 'wells = "A1"\nconcentration = nan', "nan cannot be used"),
        ("GP-A033", 'wells = "A1:A2"\nconcentration = {start = 5, factr = 2}', 'did you mean "factor"?'),
        ("GP-A033", 'wells = "A1:A2"\nconcentration = {start = 5, factor = 0.5}', "factor 0.5"),
        ("GP-A033", 'wells = "A1"\nsample = {start = 5, factor = 2}', "a series is for concentrations"),
        ("GP-A033", 'wells = "A1"\nsample = {values = ["x"], direction = "dwon"}', 'did you mean "down"?'),
        ("GP-A033", 'wells = "A1"\nsample = {values = "x"}', "is no list"),
        ("GP-A033", 'wells = "A1"\nsample = {values = ["x"], each = 0}', "0 cannot be used"),
        ("GP-A033", 'wells = "A1"\nextra = {role = "x"}', "a field of its own"),
        ("GP-A033", 'wells = "A1"\nconcentration_unit = "nM"', "a unit without a concentration"),
        ("GP-A034", 'wells = "A1"\nrole = "standrad"', 'did you mean "standard"?'),
        ("GP-A035", 'wells = "A1:Q3"\nrole = "blank"', "ends at H12"),
        ("GP-A035", 'wells = "A13"\nrole = "blank"', "ends at H12"),
        ("GP-A035", 'wells = "A0"\nrole = "blank"', "is no set of wells"),
        ("GP-A035", 'wells = "B1:A1"\nrole = "blank"', "ends before it begins"),
        ("GP-A035", 'wells = "A1:B"\nrole = "blank"', "is no set of wells"),
        ("GP-A035", 'wells = "A1:2"\nrole = "blank"', "is no set of wells"),
        ("GP-A035", 'wells = "A1;B1"\nrole = "blank"', "is no set of wells"),
        ("GP-A035", 'wells = "BA1"\nrole = "blank"', "is no set of wells"),
        ("GP-A037", 'wells = "A1:C1"\nconcentration = [1, 5, 2, 5]', "4 values for 3 rows and 1 columns"),
        ("GP-A037", 'wells = "A1:B3"\nreplicates = 2\nsample = ["a", "b", "c", "d"]', "4 values"),
        ("GP-A038", 'wells = "A1"\nconcentration = 1\nconcentration_unit = "nm"', 'did you mean "nM"?'),
        ("GP-A005", 'wells = "A1"\nconcentration = "1,5"', "decimal comma"),
    ],
)  # fmt: skip
def test_every_slip_is_told_with_its_block(code, block, told):
    error = refused(code, block)
    assert "my.toml, well[0]" in error.where
    assert told in error.message


def test_a_well_gets_a_field_once():
    error = refused("GP-A036", 'wells = "A1:B2"\nrole = "blank"', 'wells = "B2"\nrole = "sample"')
    assert error.message == 'well B2 has role "blank" already, and now "sample"'
    assert error.where == "my.toml, well[1].role"


def test_a_concentration_needs_a_unit_and_a_role_has_one():
    head = 'kind = "glueprint-layout"\nversion = 1\n'
    assert "without a unit" in refused("GP-A038", 'wells = "A1"\nconcentration = 1', head=head).message
    one = 'wells = "A1"\nrole = "standard"\nconcentration = 1\nconcentration_unit = "ng/mL"'
    other = 'wells = "A2"\nrole = "standard"\nconcentration = 1\nconcentration_unit = "pg/mL"'
    assert "ng/mL and pg/mL" in refused("GP-A039", one, other).message


@pytest.mark.parametrize("unit", ["nM", "uM", "ng/mL", "pg/ml", "ug/mL", "µM", "U/mL", "IU/mL", "%", "mol/L"])
def test_units_of_concentration(unit):
    assert of(f'wells = "A1"\nconcentration = 1\nconcentration_unit = "{unit}"').table.height == 1


@pytest.mark.parametrize("unit", ["nm", "ng", "mL", "OD", "hour", "x", "n M"])
def test_what_is_no_unit_of_concentration(unit):
    refused("GP-A038", f'wells = "A1"\nconcentration = 1\nconcentration_unit = "{unit}"')


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("GP-A031", "kind = "),
        ("GP-A031", HEAD + '[[well]]\nwells = "A1"\nconcentration = 1,5\n'),
        ("GP-A032", "version = 1\n"),
        ("GP-A032", HEAD.replace("version = 1", "version = 2")),
        ("GP-A033", HEAD),
        ("GP-A033", HEAD + "plate_wells = 97\n[[well]]\nwells = 'A1'\n"),
    ],
)
def test_files_that_are_no_layouts(code, text):
    with pytest.raises(InputError, match=code):
        layout.parse(text, "my.toml")


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="GP-A030"):
        layout.read(tmp_path / "none.toml")


@pytest.mark.parametrize(("kind", "wells"), [("elise", 96), ("elisa", 48)])
def test_templates_that_do_not_exist(kind, wells):
    with pytest.raises(InputError, match="GP-A040"):
        layout.template(kind, wells)


# Joining


def test_a_layout_joins_every_channel_of_its_wells():
    plate = readers.read(OWN / "mars.csv")
    wells = layout.apply(plate, of('wells = "A1:A2"\nrole = "blank"', 'wells = "H12"\nrole = "sample"'))
    assert list(wells.table.columns)[: len(SCHEMA)] == list(SCHEMA)
    assert wells.table.height == plate.table.height
    assert wells.table.filter(pl.col("role") == "blank").height == 2 * len(plate.channels)
    told = {finding.code: finding.message for finding in wells.findings}
    assert told["GP-A041"].startswith("22 measured wells are not in the layout")
    assert told["GP-A043"].startswith("1 wells of the layout were not measured: H12")


def test_the_values_are_those_of_the_plate_in_its_order():
    plate = readers.read(OWN / "softmax_plate.txt")
    wells = layout.apply(plate)
    assert wells.table.select(plate.table.columns).equals(plate.table)


def test_a_given_layout_wins_over_the_file_and_says_so():
    plate = readers.read(OWN / "softmax_plate.txt")
    wells = layout.apply(plate, of('wells = "A1:H12"\nrole = "empty"'))
    assert set(wells.table["role"]) == {"empty"}
    assert "GP-A046" in [finding.code for finding in wells.findings]
    plate = readers.read(OWN / "tidy.csv")
    wells = layout.apply(plate, of('wells = "A1:B3"\nrole = "empty"\nextra = {batch = "9"}'))
    (finding,) = [f for f in wells.findings if f.code == "GP-A046"]
    assert "role" in finding.message
    assert set(wells.table["batch"]) == {"9"}


def test_without_any_layout_the_wells_have_no_role():
    wells = layout.apply(readers.read(OWN / "mars.csv"))
    assert set(wells.table["role"]) == {""}
    assert "GP-A044" in [finding.code for finding in wells.findings]


def test_plates_have_layouts_of_their_own():
    content = b"plate,well,value,unit\np1,A1,1,OD\np2,A1,2,OD\n"
    plate = readers.parse(content, "p.csv")
    found = layout.apply(
        plate, of('wells = "A1"\nplate = "p2"\nrole = "blank"', 'wells = "A1"\nrole = "sample"')
    )
    assert dict(found.table.select("plate", "role").rows()) == {"p1": "sample", "p2": "blank"}
    with pytest.raises(InputError, match="GP-A042"):
        layout.apply(plate, of('wells = "A1"\nplate = "p3"\nrole = "blank"'))


def test_a_tidy_file_carries_its_own_layout():
    wells = layout.apply(readers.read(OWN / "tidy.csv")).table
    row = wells.filter((pl.col("well") == "A2") & (pl.col("channel") == "650")).to_dicts()[0]
    assert (row["role"], row["concentration"], row["concentration_unit"], row["batch"]) == (
        "standard", 10.0, "ng/mL", "7",
    )  # fmt: skip


def test_a_tidy_layout_that_contradicts_itself_or_mixes_units_is_told():
    text = (OWN / "tidy.csv").read_text("utf-8")
    with pytest.raises(InputError, match="GP-A006"):
        readers.parse(text.replace("650,0.05,OD,standard,,100", "650,0.05,OD,blank,,100").encode(), "p.csv")
    mixed = text.replace(",10,ng/mL", ",10,pg/mL")
    codes = [f.code for f in layout.apply(readers.parse(mixed.encode(), "p.csv")).findings]
    assert codes == ["GP-A017", "GP-A039"]
    bare = text.replace(",10,ng/mL", ",10,")
    codes = [f.code for f in layout.apply(readers.parse(bare.encode(), "p.csv")).findings]
    assert codes == ["GP-A017", "GP-A038"]
    wrong = text.replace(",10,ng/mL", ",ten,ng/mL")
    with pytest.raises(InputError, match="GP-A004"):
        readers.parse(wrong.encode(), "p.csv")


def test_signs_of_roles_do_not_look_alike():
    signs = [sign for role, sign in layout_drawing.SIGNS.items() if role]
    assert set(layout_drawing.SIGNS) == {*ROLES, ""}
    assert len({sign.upper() for sign in signs}) == len(signs)
    for group in ("OQGC0D8", "EF", "IL1", "UVY", "5S", "2Z", "MNW"):
        assert sum(sign in group for sign in signs) <= 1 + ("D" in group), group
