"""Maps in the workbook of the plate, of quarters of a plate of 384, and for lanes; EnVision plates."""

from __future__ import annotations

import pytest
from tests.assays.disguises import TRUTH_NM, left
from tests.assays.shapes import workbook

from glueprint.assays import degradation, growth, layout
from glueprint.assays.intake import door
from glueprint.errors import InputError

# A vehicle in the first column, ten doses in uM, a blank in the last.
DOSES = ["0", *(f"{0.003 * 3**n:g}" for n in range(1, 11)), ""]
NAMES = ["DMSO", *["Glue"] * 10, "Blank"]


def light(row, column):
    """Counts of a well: 400 without cells."""
    noise = 1.0 + 0.01 * ((7 * row + 3 * column) % 5 - 2)
    return 400.0 + (0.0 if column == 11 else round(3e4 * noise * left(float(DOSES[column]))))


def drawn(cell, corner=""):
    """A sheet like a plate of 96."""
    scale = [corner, *(float(n) for n in range(1, 13))]
    return [scale, *([letter, *(cell(row, n) for n in range(12))] for row, letter in enumerate("ABCDEFGH"))]


def of_column(values):
    return lambda _row, column: values[column]


MAP = {"dose (uM)": drawn(of_column(DOSES)), "compound": drawn(of_column(NAMES))}
BOTH = workbook(RLU=drawn(light), **MAP)


def text_of(cell, rows=8, columns=12):
    lines = [",".join(["RLU", *(str(n + 1) for n in range(columns))])]
    lines += [",".join([chr(65 + row), *(f"{cell(row, n)}" for n in range(columns))]) for row in range(rows)]
    return "\n".join(lines) + "\n"


def written(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def ic50s(path, chart):
    result = growth.analyse(door.read(path, layout=chart).observations)
    return {one.compound: one.potency.value_nm for one in result.named if one.definition == "absolute IC50"}


def test_a_workbook_holds_its_own_map(tmp_path):
    path = written(tmp_path, "plate.xlsx", BOTH)
    assert ic50s(path, path) == {"Glue": pytest.approx(TRUTH_NM, rel=0.03)}


def test_an_envision_plate_is_read(tmp_path):
    numbers = "".join(",".join(f"{light(row, n):g}" for n in range(12)) + ",\n" for row in range(8))
    content = (
        "Plate information\nPlate,Repeat,Barcode,Measured height,Label,\n1,1,X,N/A,US LUM 96(1),\n\n"
        f"Background information\nPlate,Label,Result,\n\nResults\n{numbers}\nBasic assay information\n"
    )
    path = written(tmp_path, "envision.csv", content)
    chart = written(tmp_path, "map.xlsx", workbook(**MAP))
    found = door.read(path, layout=chart)
    wells = found.wells.table
    assert wells.filter(well="B3")["value"].item() == light(1, 2)
    assert wells["unit"].unique().to_list() == ["RLU"]
    assert ic50s(path, chart) == {"Glue": pytest.approx(TRUTH_NM, rel=0.03)}


def test_several_envision_plates_keep_their_names(tmp_path):
    head = "Plate information\nPlate,Barcode,Measured height,Label,\n{0},X,N/A,US LUM 96(1),\n\nResults\n"
    content = "".join(head.format(n) + (f"{n}," * 12 + "\n") * 8 + "\n" for n in (1, 2))
    table = door.read(written(tmp_path, "envision.csv", content)).plate.table
    assert {(row["plate"], row["value"]) for row in table.to_dicts()} == {("Plate 1", 1.0), ("Plate 2", 2.0)}


def quarters(*numbers):
    sheets = {}
    for number in numbers:
        names = [f"{name} {number}" if name == "Glue" else name for name in NAMES]
        sheets[f"Q{number} dose (uM)"] = drawn(of_column(DOSES))
        sheets[f"Q{number} compound"] = drawn(of_column(names))
    return workbook(**sheets)


def test_four_maps_of_96_are_one_of_384(tmp_path):
    chart = written(tmp_path, "map.xlsx", quarters(1, 2, 3, 4))
    named = {row["well"]: row["sample"] for row in layout.read(chart).table.to_dicts()}
    assert [named[well] for well in ("A3", "A4", "B3", "B4")] == [f"Glue {n}" for n in (1, 2, 3, 4)]
    path = written(tmp_path, "plate.csv", text_of(lambda row, n: light(row // 2, n // 2), 16, 24))
    assert ic50s(path, chart) == {f"Glue {n}": pytest.approx(TRUTH_NM, rel=0.03) for n in (1, 2, 3, 4)}


def test_quarters_that_disagree_are_refused(tmp_path):
    sheets = {"Q1 dose (uM)": drawn(of_column(DOSES)), "Q2 dose (nM)": drawn(of_column(DOSES))}
    with pytest.raises(InputError, match="quadrants of one plate") as caught:
        layout.read(written(tmp_path, "map.xlsx", workbook(**sheets)))
    assert caught.value.code == "GP-A218"


def test_wells_of_a_plate_are_lanes_of_degradation(tmp_path):
    chart = written(tmp_path, "map.xlsx", workbook(**MAP))
    one = written(tmp_path, "one.csv", text_of(light))
    # Twice the light on the second plate: each has a vehicle of its own.
    two = written(tmp_path, "two.csv", text_of(lambda row, n: 2.0 * light(row, n)))
    asked = degradation.Settings(time_h=6.0)
    for paths in ([one], [one, two]):
        (point,) = degradation.analyse(degradation.read(*paths, layout=chart), asked).points
        assert (point.compound, point.absolute.value_nm) == ("Glue", pytest.approx(TRUTH_NM, rel=0.03))
    without = degradation.Settings(time_h=6.0, exclude=("B5=bubble",))
    result = degradation.analyse(degradation.read(one, layout=chart), without)
    assert result.excluded["where"].to_list() == ["B5"]
