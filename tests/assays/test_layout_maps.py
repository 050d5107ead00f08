"""Maps of a plate: grids of names, doses and roles in text or a workbook, one line a well; layouts that
add."""

from __future__ import annotations

import pytest

from glueprint.assays import layout, readers
from glueprint.errors import InputError

SCALE = ",1,2,3\n"
NAMES = "compound\n" + SCALE + "A,DMSO,Glue,Glue\nB,DMSO,Glue,Blank\n"
DOSES = "dose (nM)\n" + SCALE + "A,0,10,100\nB,0,1000,\n"
ROLES = "role\n" + SCALE + "A,vehicle,compound,compound\nB,Untreated,compound,blank\n"
OWN = "plate,well,value,unit,role,sample\np,A1,1,OD,standard,S\np,A2,2,OD,sample,x\np,B1,3,OD,blank,\n"
PLATE = "Well,RLU\nA1,900\nA2,800\nA3,400\nB1,910\nB2,100\nB3,5\n"


def written(tmp_path, text, name="map.csv"):
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return layout.read(path)


def said(found, *names):
    return {row["well"]: tuple(row[name] for name in names) for row in found.table.to_dicts()}


WANTED = {
    "A1": ("vehicle", "", 0.0),
    "A2": ("compound", "Glue", 10.0),
    "A3": ("compound", "Glue", 100.0),
    "B1": ("vehicle", "", 0.0),
    "B2": ("compound", "Glue", 1000.0),
    "B3": ("blank", "", None),
}


@pytest.mark.parametrize(
    "text",
    [
        NAMES + "\n" + DOSES,
        NAMES + "\n" + DOSES + "\n" + ROLES,
        (NAMES + "\n" + DOSES).replace(",", ";"),
        (NAMES + "\n" + DOSES).replace(",", "\t"),
        "names\n" + SCALE + "A,DMSO,Glue 10 nM,Glue 100 nM\nB,DMSO,Glue 1000nM,Blank\n",
        "Well,Compound,Dose (nM)\nA1,DMSO,0\nA2,Glue,10\nA3,Glue,100\nB1,DMSO,0\nB2,Glue,1000\nB3,Blank,\n",
    ],
)
def test_grids_and_tables_say_what_is_in_the_wells(tmp_path, text):
    found = said(written(tmp_path, text), "role", "sample", "concentration")
    empty = {"vehicle", "blank"}
    plain = {
        well: (role, "" if role in empty else name, 0.0 if role == "vehicle" else dose)
        for well, (role, name, dose) in found.items()
    }
    assert plain == WANTED


def test_a_map_gives_a_plate_what_an_analysis_needs(tmp_path):
    path = tmp_path / "plate.csv"
    path.write_text(PLATE)
    wells = layout.apply(readers.read(path), written(tmp_path, NAMES + "\n" + DOSES))
    assert wells.table["concentration_unit"].to_list()[1] == "nM"
    assert wells.table["role"].to_list() == [
        "vehicle",
        "compound",
        "compound",
        "vehicle",
        "compound",
        "blank",
    ]


def test_a_layout_adds_to_what_the_file_says(tmp_path):
    path = tmp_path / "plate.csv"
    path.write_text(
        "plate,well,value,unit,role,sample\np,A1,1,OD,standard,S\np,A2,2,OD,sample,x\np,B1,3,OD,blank,\n"
    )
    plate = readers.read(path)
    block = '[[well]]\nwells = "A1:A2"\nsample = "mine"\ndilution = 5\nextra = {{ line = "L" }}\n'
    text = 'kind = "glueprint-layout"\nversion = 1\n{}' + block
    added = layout.apply(plate, layout.parse(text.format("adds = true\n"), "l.toml")).table
    assert added.select("role", "sample", "dilution", "line").rows() == [
        ("standard", "mine", 5.0, "L"),
        ("sample", "mine", 5.0, "L"),
        ("blank", "", 1.0, ""),
    ]
    replaced = layout.apply(plate, layout.parse(text.format(""), "l.toml")).table
    assert replaced["role"].to_list() == ["", "", ""]


def test_samples_in_replicate_without_names_stay_together():
    text = (
        'kind = "glueprint-layout"\nversion = 1\n[[well]]\nwells = "A1:B4"\nrole = "sample"\nreplicates = 2\n'
    )
    found = layout.parse(text, "l.toml")
    names = said(found, "sample")
    assert names["A1"] == names["A2"] == ("sample 1",)
    assert names["B3"] == names["B4"] == ("sample 4",)
    assert [finding.code for finding in found.findings] == ["GP-A217"]
    named = layout.parse(text + '[[well]]\nwells = "A1:B4"\nsample = "own"\n', "l.toml")
    assert set(said(named, "sample").values()) == {("own",)}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (NAMES + "\n" + DOSES.replace(" (nM)", ""), "GP-A038"),
        (NAMES + "\n" + DOSES.replace("nM", "furlong"), "GP-A038"),
        (NAMES + "\n" + DOSES.replace("100", "much"), "GP-A004"),
        (ROLES.replace("Untreated", "vehicel"), "GP-A034"),
        (NAMES + "\n" + NAMES, "GP-A218"),
        ("a,b\n1,2\n", "GP-A003"),
        ("Well,Colour\nA1,red\n", "GP-A218"),
        ("", "GP-A002"),
    ],
)
def test_slips_of_a_map_are_named(tmp_path, text, code):
    with pytest.raises(InputError, match=code):
        written(tmp_path, text)


def test_a_map_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="GP-A030"):
        layout.read(tmp_path / "none.csv")
