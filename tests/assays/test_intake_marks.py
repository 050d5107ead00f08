"""What a file shows and its cells do not say: hidden rows, cells struck through, formulas never computed,
plates and levels that only the order or another name tells apart."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import polars as pl
import pytest
from tests.assays.test_hostile_files import BOOK, RELATIONS, TYPES

from glueprint.assays import degradation, growth
from glueprint.assays.intake import door
from glueprint.assays.intake.headers import parsed
from glueprint.errors import InputError

DOSES = (0.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)
IC50 = 100.0
STYLES = (
    '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><fonts count="2"><font/>'
    '<font><strike/></font></fonts><fills count="1"><fill/></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf fontId="0"/><xf fontId="1"/>'
    "</cellXfs>"
    "</styleSheet>"
)
SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</worksheet>'


def left(dose, ic50=IC50):
    """What is left, of 0.1 at the far end; the noise is that of the dose and the call's own order."""
    return 1.0 if dose <= 0.0 else 0.1 + 0.9 / (1.0 + dose / ic50)


def noisy(values, seed=1):
    return np.asarray(values) * np.exp(0.02 * np.random.default_rng(seed).standard_normal(len(values)))


def book(rows, header=("dose_nM", "viability"), *, hidden=(), column="", struck=(), formulas=()):
    """A workbook with a header; cells named in `formulas` have no value."""
    lines = []
    for n, row in enumerate([header, *rows], 1):
        cells = []
        for letter, value in zip("ABC", row, strict=False):
            place = f"{letter}{n}"
            style = ' s="1"' if place in struck else ""
            text = f'<c r="{place}"{style} t="inlineStr"><is><t>{value}</t></is></c>'
            number = f'<c r="{place}"{style}><v>{value}</v></c>'
            empty = f'<c r="{place}"><f>1+1</f></c>'
            cells.append(empty if place in formulas else text if isinstance(value, str) else number)
        flag = ' hidden="1"' if n in hidden else ""
        lines.append(f'<row r="{n}"{flag}>{"".join(cells)}</row>')
    columns = f'<cols><col min="{column}" max="{column}" hidden="1"/></cols>' if column else ""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr("[Content_Types].xml", TYPES)
        made.writestr("_rels/.rels", RELATIONS.format("officeDocument", "xl/workbook.xml"))
        made.writestr("xl/workbook.xml", BOOK)
        made.writestr("xl/_rels/workbook.xml.rels", RELATIONS.format("worksheet", "worksheets/sheet1.xml"))
        made.writestr("xl/styles.xml", STYLES)
        made.writestr(
            "xl/worksheets/sheet1.xml", SHEET.format(f"{columns}<sheetData>{''.join(lines)}</sheetData>")
        )
    return packed.getvalue()


def rows(count=2):
    doses = np.repeat(DOSES, count)
    return list(zip(doses.tolist(), noisy([left(dose) for dose in doses]).tolist(), strict=True))


def read(tmp_path, content):
    path = tmp_path / ("a.xlsx" if isinstance(content, bytes) else "a.csv")
    path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content)
    return door.read(path)


def codes(result):
    return [one.code for one in result.findings]


def ic50s(result):
    rows = result.tables["potencies"].filter(pl.col("definition") == "relative IC50")
    return {(row["line"], row["compound"]): row["value"] for row in rows.to_dicts()}


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        ({"hidden": (3, 4)}, "rows 3, 4 hidden"),
        ({"column": "2"}, "columns B hidden"),
        ({"struck": ("B5", "B6")}, "B5, B6 struck through"),
        ({"hidden": (3,), "struck": ("B5",)}, "rows 3 hidden; B5 struck through"),
    ],
)
def test_what_a_workbook_hides_is_read_and_said(tmp_path, marked, said):
    found = read(tmp_path, book(rows(), **marked))
    (noted,) = [one for one in found.findings if one.code == "GP-A225"]
    assert noted.message == f"{said}: read all the same"
    assert "GP-A225" in codes(growth.analyse(found.observations))
    given = growth.read(tmp_path / "a.xlsx", names={"viability": "viability"})
    assert "GP-A225" in codes(growth.analyse(given))
    assert "GP-A225" not in [one.code for one in read(tmp_path, book(rows())).findings]


def test_lanes_and_wells_of_a_workbook_say_what_is_hidden(tmp_path):
    path = tmp_path / "a.xlsx"
    lanes = [(6.0, dose, value) for dose, value in rows()]
    path.write_bytes(book(lanes, ("time_h", "dose_nM", "fraction_remaining"), hidden=(4,)))
    assert "GP-A225" in [one.code for one in degradation.joining.read(path).findings]
    wells = [(f"{'ABCD'[n % 4]}{1 + n // 4}", value) for n, (_, value) in enumerate(rows())]
    path.write_bytes(book(wells, ("well", "value"), hidden=(4,)))
    plate = door.read(path)
    assert plate.wells is not None
    assert "GP-A225" in [one.code for one in plate.wells.findings]


@pytest.mark.parametrize("place", ["A3", "B3", "B17"])
def test_formulas_that_were_never_computed_are_refused(tmp_path, place):
    with pytest.raises(InputError, match="GP-A226") as caught:
        read(tmp_path, book(rows(), formulas=(place,)))
    assert place in caught.value.message
    assert "save it" in caught.value.next_step


def signals(level, labels, ic50=IC50):
    doses = np.repeat(DOSES, 3)
    values = noisy([level * left(dose, ic50) for dose in doses], seed=int(level))
    return [(*labels(dose), dose, round(value)) for dose, value in zip(doses, values, strict=True)]


@pytest.mark.parametrize("name", ["plate", "Plate ID", "Barcode"])
def test_a_compound_is_divided_by_the_controls_of_its_own_plate(name):
    parts = [
        *signals(10000.0, lambda dose: ("p1", "A" if dose else "DMSO")),
        *signals(25000.0, lambda dose: ("p2", "B" if dose else "DMSO")),
    ]
    table = pl.DataFrame(parts, schema=[name, "compound", "dose_nM", "RLU"], orient="row")
    found = ic50s(growth.analyse(table))
    assert found["", "A"] == pytest.approx(IC50, rel=0.15)
    assert found["", "B"] == pytest.approx(IC50, rel=0.15)
    lost = table.filter((pl.col(name) != "p2") | (pl.col("compound") != "DMSO"))
    assert "GP-A220" in codes(growth.analyse(lost))


def test_controls_of_two_levels_that_nothing_tells_apart_are_named():
    parts = [
        *signals(10000.0, lambda dose: ("A549" if dose else "", "glue" if dose else "DMSO")),
        *signals(25000.0, lambda dose: ("MM1S" if dose else "", "glue" if dose else "DMSO")),
    ]
    table = pl.DataFrame(parts, schema=["line", "compound", "dose_nM", "RLU"], orient="row")
    said = [one for one in growth.analyse(table).findings if one.code == "GP-A221"]
    assert len(said) == 2
    assert "two levels" in said[0].message
    one = pl.DataFrame(parts[: len(parts) // 2], schema=table.schema, orient="row")
    assert "GP-A221" not in codes(growth.analyse(one))


@pytest.mark.parametrize("column", ["viability", "RLU"])
@pytest.mark.parametrize("other", [1000.0, 30000.0])
def test_two_tables_below_each_other_are_no_replicates(column, other):
    """A table pasted below another one, of another compound; the second may never be halved."""
    level = 1.0 if column == "viability" else 20000.0
    doses = [*DOSES, *DOSES] * 2
    values = [level * left(d) for d in doses[:16]] + [level * left(d, other) for d in doses[16:]]
    table = pl.DataFrame({"dose_nM": doses, column: noisy(values)})
    assert "GP-A223" in codes(growth.analyse(table))
    same = pl.DataFrame({"dose_nM": doses, column: noisy([level * left(d) for d in doses])})
    assert "GP-A223" not in codes(growth.analyse(same))


@pytest.mark.parametrize("header", ["Confluence (%)", "reading"])
def test_what_grows_without_compound_is_a_signal_and_no_per_cent(header):
    times, doses = np.repeat([24.0, 48.0, 72.0], 16), np.tile(np.repeat(DOSES, 2), 3)
    grown = [20.0 * 2.0 ** (t / 24.0 * left(d)) for t, d in zip(times, doses, strict=True)]
    result = growth.analyse(pl.DataFrame({"time_h": times, "dose_nM": doses, header: noisy(grown)}))
    found = result.tables["potencies"].filter(pl.col("definition") == "absolute IC50").sort("time_h")
    # At 48 h half is left where 2^(2 (1 - left)) = 2, so left = 1/2 and the dose is 125 nM.
    assert found["relation"].to_list() == [">", "=", "="]
    assert found["value"][1] == pytest.approx(125.0, rel=0.15)


def test_logarithms_with_three_decimals_have_no_points_between_thousands(tmp_path):
    logs = [f"{np.log10(dose * 1e-9):.3f}" if dose else "-12" for dose in DOSES]
    body = "".join(f"{log},{100.0 * left(dose):.1f}\n" for log, dose in zip(logs, DOSES, strict=True))
    found = growth.analyse(read(tmp_path, "log[M],viability_percent\n" + body).observations)
    assert ic50s(found)["", ""] == pytest.approx(IC50, rel=0.05)


@pytest.mark.parametrize("name", ["IC50 (nM)", "logIC50", "Hill slope", "Emax"])
def test_what_was_computed_of_a_curve_is_no_reading_of_it(name):
    doses = np.repeat(DOSES, 2)
    table = pl.DataFrame({"dose_nM": doses, "value": noisy([100.0 * left(dose) for dose in doses])})
    given = table.with_columns(pl.lit(77.0).alias(name))
    assert ic50s(growth.analyse(given)) == ic50s(growth.analyse(table))


@pytest.mark.parametrize("column", ["fraction_remaining", "RLU"])
def test_a_second_treatment_at_one_dose_is_not_pooled_with_the_first(column):
    """A rescue by MG132 at one dose, in a column that nobody reads."""
    level = 1.0 if column == "fraction_remaining" else 5000.0
    doses = [*np.repeat(DOSES, 2), 1000.0, 1000.0]
    values = noisy([*(level * left(dose) for dose in doses[:-2]), 0.96 * level, 0.96 * level])
    labels = ["none"] * 16 + ["MG132"] * 2
    table = pl.DataFrame({"time_h": [6.0] * 18, "dose_nM": doses, column: values, "beside": labels})
    with pytest.raises(InputError, match="GP-A214") as caught:
        degradation.analyse(table)
    assert "none, MG132" in caught.value.message
    # Who did it says nothing of the reading, and a remark on one lane is none of a curve.
    operators = table.head(16).with_columns(beside=pl.Series(["A"] * 12 + ["A", "B"] * 2))
    assert degradation.analyse(operators).potencies
    remarks = table.head(16).with_columns(beside=pl.Series(["smear"] + [None] * 15))
    assert degradation.analyse(remarks).potencies


def test_wells_of_zero_light_are_named():
    doses = np.repeat(DOSES, 3)
    light = [round(10000.0 * value) for value in noisy([left(dose) for dose in doses])]
    table = pl.DataFrame({"dose_nM": doses, "RLU": light})
    assert "GP-A250" not in codes(growth.analyse(table))
    light[4] = 0
    (said,) = [
        one
        for one in growth.analyse(table.with_columns(RLU=pl.Series(light))).findings
        if one.code == "GP-A250"
    ]
    assert said.message.startswith("one well reads exactly 0, where no other reads below 1")
    assert "row 5" in said.message


@pytest.mark.parametrize("column", ["compound", "cell line"])
def test_labels_that_differ_in_spelling_alone_are_named(column):
    def said(*labels):
        parts = [
            pl.DataFrame(
                {column: [label] * 8, "dose_nM": DOSES, "viability": noisy([left(d) for d in DOSES], n)}
            )
            for n, label in enumerate(labels)
        ]
        return [one.message for one in growth.analyse(pl.concat(parts)).findings if one.code == "GP-A227"]

    assert said("CC-885", "CC885", "cc 885") == [
        '"CC-885 and CC885 and cc 885" differ in spelling alone and count as several'
    ]
    assert said("CRBN-/-", "CRBN+/+") == said("dBET1", "dBET6") == said("KMS 1.5", "KMS 15") == []
    if column == "compound":
        assert said("glue", "DMSO", "dmso") == []


def test_a_ratio_to_the_loading_control_is_not_divided_by_it_again():
    doses = np.repeat(DOSES, 2)
    load = np.exp(0.3 * np.random.default_rng(4).standard_normal(16))
    band = noisy([5000.0 * left(dose) for dose in doses]) * load
    table = pl.DataFrame({"time_h": [6.0] * 16, "dose_nM": doses, "IKZF1": band, "Tubulin": 2e4 * load})
    both = degradation.analyse(
        table.with_columns((pl.col("IKZF1") / pl.col("Tubulin")).alias("IKZF1/Tubulin"))
    )
    found = [row["value_nm"] for row in both.labelled() if row["definition"] == "relative"]
    assert len(found) == 2
    assert found[0] == pytest.approx(found[1], rel=1e-6)


@pytest.mark.parametrize("name", ["Blot", "gel no", "membrane"])
def test_each_membrane_is_divided_by_its_own_vehicle(name):
    parts = [
        pl.DataFrame({name: [label] * 8, "time_h": [6.0] * 8, "dose_nM": DOSES, "signal": values})
        for label, values in (
            ("1", noisy([5000.0 * left(dose) for dose in DOSES])),
            ("2", noisy([12000.0 * left(dose) for dose in DOSES], 2)),
        )
    ]
    result = degradation.analyse(pl.concat(parts))
    found = [row["value_nm"] for row in result.labelled() if row["definition"] == "relative"]
    assert all(value == pytest.approx(IC50, rel=0.3) for value in found)
    assert "GP-A223" not in codes(result)


@pytest.mark.parametrize("name", ["viable cells (10^6/mL)", "Viable cells x10^6", "viable cells per mL"])
def test_cells_that_were_counted_are_no_share_of_their_control(name):
    doses = np.repeat(DOSES, 2)
    table = pl.DataFrame({"dose_nM": doses, name: noisy([0.86 * left(dose) for dose in doses])})
    result = growth.analyse(table)
    found = result.tables["potencies"].filter(pl.col("definition") == "absolute IC50")["value"].to_list()
    # 0.5 = 0.1 + 0.9 / (1 + d / 100) at a dose of 125 nM.
    assert found == [pytest.approx(125.0, rel=0.1)]
    assert "GP-A202" not in codes(result)


def test_a_header_with_a_dose_holds_readings_and_no_doses():
    assert parsed("Glue (nM)").ours == parsed("Glue nM").ours == "dose"
    assert parsed("Glue 100 nM").ours == ""
    table = pl.DataFrame({"Time (h)": [24.0, 48.0], "DMSO": [1.0, 2.0], "Glue 100 nM": [0.9, 1.4]})
    with pytest.raises(InputError, match="GP-A160"):
        growth.analyse(table)


@pytest.mark.parametrize("dose", [0.0, 300.0], ids=["a control", "a dose"])
def test_a_reason_to_leave_a_well_out_tells_no_curves_apart(dose):
    rows = [
        (d, value, "")
        for _ in range(3)
        for d, value in zip(DOSES, noisy([left(d) for d in DOSES]), strict=True)
    ]
    place = next(k for k, row in enumerate(rows) if row[0] == dose)
    rows[place] = (dose, 0.3 * rows[place][1], "bubble")
    table = pl.DataFrame(rows, schema=["dose_nM", "viability", "exclude"], orient="row")
    found = growth.analyse(table)
    assert found.tables["excluded"]["reason"].to_list() == ["bubble"]
    assert "GP-A221" not in codes(found)
