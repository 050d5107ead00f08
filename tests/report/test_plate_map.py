"""The plate map: every well once, roles and flags visible, the same each time."""

from __future__ import annotations

from pathlib import Path

import pytest

from glueprint.assays import layout, readers
from glueprint.errors import InputError
from glueprint.report import figures
from glueprint.report.figures.plate_map import plate_map

OWN = Path(__file__).parents[1] / "assays" / "data"


def wells(name):
    return layout.apply(readers.read(OWN / name)).table


def data_of(chart):
    """The rows of each map, in the order of the channels."""
    found = chart.to_dict()
    return [found["datasets"][part["data"]["name"]] for part in found["vconcat"] if "layer" in part]


@pytest.mark.parametrize(
    ("name", "maps", "size"), [("softmax_line.txt", 3, 96), ("gen5_polarization.txt", 3, 24)]
)
def test_every_well_of_every_channel_is_there_once(name, maps, size):
    found = data_of(plate_map(wells(name)))
    assert [len(rows) for rows in found] == [size] * maps
    assert all(len({row["well"] for row in rows}) == size for rows in found)


def test_roles_and_flags_have_signs():
    (first, *_) = data_of(plate_map(wells("gen5_absorbance.txt")))
    signs = {row["well"]: row["sign"] for row in first}
    assert {well: signs[well] for well in ("A1", "B1", "D1", "B3", "C4", "D4", "D6", "C5")} == {
        "A1": "S", "B1": "X", "D1": "B", "B3": "▲", "C4": "·", "D4": "!", "D6": "▼", "C5": "",
    }  # fmt: skip
    values = {row["well"]: row["value"] for row in first}
    assert values["B3"] is None
    assert 0.2 < values["A1"] < 1.7


def test_the_legend_names_what_is_drawn():
    text = figures.svg(plate_map(wells("gen5_absorbance.txt")))
    for word in ("standard", "sample", "blank", "control", "above range", "missing", "OD"):
        assert word in text


def test_the_same_wells_give_the_same_figure():
    table = wells("mars.csv")
    assert plate_map(table).to_dict() == plate_map(table).to_dict()


def test_tooltips_are_for_the_screen():
    assert "tooltip" not in str(plate_map(wells("mars.csv")).to_dict())
    assert "tooltip" in str(plate_map(wells("mars.csv"), interactive=True).to_dict())


def test_a_plate_where_nothing_could_be_read_is_still_drawn():
    content = b"plate,well,value,unit\np,A1,OVRFLW,OD\np,B2,MISSED,OD\n"
    assert "<svg" in figures.svg(plate_map(layout.apply(readers.parse(content, "p.csv")).table))


def test_a_missing_column_is_refused():
    with pytest.raises(InputError, match="GP-P001"):
        plate_map(wells("mars.csv").drop("flag"))
