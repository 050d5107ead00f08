"""Files of any spreadsheet: encodings, decimal marks, separators, sheets of workbooks, tables of Prism."""

from __future__ import annotations

import pytest
from tests.assays.shapes import workbook

from glueprint.assays import growth, readers, tidy_table
from glueprint.assays.intake import door
from glueprint.assays.intake.sheets import names, of_bytes
from glueprint.errors import InputError

PLAIN = "dose,dose_unit,viability\n0,µM,1.01\n0.1,µM,0.86\n1,µM,0.5\n10,µM,0.14\n"
WANTED = [("0", "µM", "1.01"), ("0.1", "µM", "0.86"), ("1", "µM", "0.5"), ("10", "µM", "0.14")]
COMMAS = PLAIN.replace(",", ";").replace(".", ",")


def prism(y_format="replicates", x_title="log[Glue], M", excluded=""):
    """A Prism file of two tables, the second with two data sets in duplicate."""
    doses, first = (-9, -8, -7, -6, -5), ((99, 97), (93, 95), (70, 74), (30, 26), (8, 12))
    x = "".join(f"<d>{dose}</d>" for dose in doses)
    subs = "".join(
        "<Subcolumn>"
        + "".join(f"<d{excluded if i == 2 and k == 0 else ''}>{row[k]}</d>" for i, row in enumerate(first))
        + "</Subcolumn>"
        for k in (0, 1)
    )
    sets = "".join(
        f'<YColumn Subcolumns="2"><Title>{name}</Title>{subs}</YColumn>' for name in ("Pom", "Len")
    )
    axis = f"<XColumn><Title>{x_title}</Title><Subcolumn>{x}</Subcolumn></XColumn>"
    table = (
        f'<Table ID="T0" XFormat="numbers" YFormat="{y_format}"><Title>Viability</Title>{axis}{sets}</Table>'
    )
    empty = '<Table ID="T1"><Title>Notes</Title></Table>'
    space = 'xmlns="http://graphpad.com/prism/Prism.htm"'
    return f"<GraphPadPrismFile {space}>{empty}{table}</GraphPadPrismFile>".encode()


def rows(content, name="a.csv", sheet=None):
    return tidy_table.of_sheet(of_bytes(content, name, sheet), name).frame.rows()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("text", [PLAIN, COMMAS, PLAIN.replace(",", "\t"), COMMAS.replace(";", "\t")])
def test_every_encoding_and_decimal_mark_gives_the_same_table(encoding, text):
    assert rows(text.encode(encoding)) == WANTED
    assert rows(text.replace("\n", "\r\n").encode(encoding)) == WANTED


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a;b\n1,234;x\n12;y\n", ("1.234", "x")),
        ("a;b\n1.234,5;x\n12;y\n", ("1234.5", "x")),
        ("a\tb\n1,234,567\tx\n12\ty\n", ("1234567", "x")),
        ('a,b\n"0,5",x\n12,y\n', ("0.5", "x")),
        ('a,b\n"1,234.5",x\n12,y\n', ("1234.5", "x")),
        ("a;b\n1,0e-3;x\n2;y\n", ("1.0e-3", "x")),
    ],
)
def test_a_comma_that_can_be_one_thing_only_is_read(text, wanted):
    assert rows(text.encode())[0] == wanted


@pytest.mark.parametrize(
    "text", ["a\tb\n1,234\tx\n", 'a,b\n"12,345",x\n', "a;b\n1,5;0.5\n", "a;b\n1,5;1,234,567\n"]
)
def test_a_comma_that_may_be_two_things_is_refused(text):
    with pytest.raises(InputError, match="GP-A005"):
        rows(text.encode())


def test_titles_units_per_cent_and_repeated_names():
    sheet = of_bytes(b"Plate of Monday,,\n\nDose,Glue,\nuM,%,%\n0,100%,99 %\n1,50%,49 %\n", "a.csv")
    found = tidy_table.of_sheet(sheet, "a.csv")
    assert found.frame.columns == ["Dose (uM)", "Glue (%)", "Glue #2 (%)"]
    assert found.frame.rows() == [("0", "100", "99"), ("1", "50", "49")]
    assert found.above == ("Plate of Monday",)


def test_the_first_sheet_that_holds_anything_or_the_one_asked_for():
    table = [["dose", "dose_unit", "viability"], *([float(d), u, float(v)] for d, u, v in WANTED)]
    content = workbook(Empty=[], First=table, Second=[["a", "b"], [1.0, 2.5]])
    assert rows(content, "a.xlsx") == WANTED
    assert rows(content, "a.xlsx", "Second") == [("1", "2.5")]
    assert of_bytes(content, "a.xlsx").others == ("Empty", "Second")
    with pytest.raises(InputError, match="GP-A215") as caught:
        rows(content, "a.xlsx", "Secund")
    assert 'did you mean "Second"?' in str(caught.value)
    with pytest.raises(InputError, match="GP-A215"):
        rows(PLAIN.encode(), "a.csv", "First")
    with pytest.raises(InputError, match="GP-A158"):
        rows(b"\xd0\xcf\x11\xe0" + b"\0" * 600, "a.xls")


def test_a_prism_file_is_curves_of_its_data_sets(tmp_path):
    path = tmp_path / "a.pzfx"
    path.write_bytes(prism(excluded=' Excluded="1"'))
    found = door.read(path)
    assert 'table "Viability" of a Prism file' in found.line
    assert found.curves.select("compound", "doses", "wells").rows() == [("Pom", 5, 9), ("Len", 5, 9)]
    result = growth.analyse(found.given)
    # Half at 10^-6.6 M.
    assert result.of("", "Len", "absolute IC50").value_nm == pytest.approx(251.0, rel=0.3)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize("first", ["", '<?xml version="1.0" encoding="UTF-8"?>', "<?xml version='1.0'?>"])
def test_an_editor_may_save_a_prism_file_in_another_encoding(encoding, first):
    plain = prism()
    text = first + plain[plain.index(b"<GraphPadPrismFile") :].decode()
    content = ("\ufeff" * (encoding == "utf-16-be") + text).encode(encoding)
    assert rows(content, "a.pzfx") == rows(plain, "a.pzfx")
    assert names(content, "a.pzfx") == ("Viability",)


def test_the_spread_of_a_prism_table_is_no_replicate(tmp_path):
    path = tmp_path / "a.pzfx"
    path.write_bytes(prism("SDN"))
    columns = tidy_table.read(path).columns
    assert columns == ["log[Glue], M", "Pom mean", "Pom SD", "Len mean", "Len SD"]
    assert door.read(path).curves["wells"].to_list() == [5, 5]


@pytest.mark.parametrize(
    "content",
    [
        b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><GraphPadPrismFile>&b;</GraphPadPrismFile>',
        b"<GraphPadPrismFile><Table>",
        b"<GraphPadPrismFile></GraphPadPrismFile>",
        b"<a><GraphPadPrismFile/></a>",
        b"<GraphPadPrismFile>" + b"<a>" * 100 + b"</a>" * 100 + b"</GraphPadPrismFile>",
    ],
)
def test_xml_that_declares_nests_or_breaks_off_is_refused(content):
    with pytest.raises(InputError, match="GP-A158"):
        rows(content, "a.pzfx")


def test_a_plate_drawn_in_any_sheet_of_a_workbook(tmp_path):
    drawn = [
        ["", *map(float, range(1, 13))],
        *([letter, *(float(10 * i + j) for j in range(12))] for i, letter in enumerate("ABCDEFGH")),
    ]
    path = tmp_path / "a.xlsx"
    path.write_bytes(workbook(Notes=[["Monday"]], Plate=drawn))
    found = readers.read(path, sheet="Plate")
    assert found.table.filter(well="H12")["value"].to_list() == [81.0]
    assert found.table.height == 96
