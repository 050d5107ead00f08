"""Inspection of plates: counts, flags, control pairs, and what cannot be tested."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from glueprint.assays import layout, quality, readers
from glueprint.assays.quality import inspection
from glueprint.errors import InputError

OWN = Path(__file__).parent / "data"


def test_channels_are_counted_with_their_flags():
    wells = layout.apply(readers.read(OWN / "gen5_absorbance.txt"))
    found = inspection.inspect(wells.table, findings=wells.findings)
    first = found.tables["channels"].row(0, named=True)
    assert {name: first[name] for name in ("channel", "unit", "wells", "measured", "flagged")} == {
        "channel": "450", "unit": "OD", "wells": 24, "measured": 19, "flagged": 5,
    }  # fmt: skip
    flags = {flag: wells for _, _, flag, wells in found.tables["flags"].rows()}
    assert flags["above_range"] == ["B3"]
    assert set(wells.findings) <= set(found.findings)
    assert found.as_dict()["channels"][0]["wells"] == 24


@pytest.mark.parametrize(("high", "low"), inspection.CONTROL_PAIRS)
def test_every_pair_of_controls_gets_its_numbers(high, low):
    table = pl.DataFrame(
        {
            "well": ["A1", "A2", "A3", "B1", "B2", "B3"],
            "value": [10.0, 12.0, 11.0, 1.0, 2.0, 3.0],
            "role": [high] * 3 + [low] * 3,
        }
    )
    found = inspection.inspect(table).quality
    assert found["name"].to_list() == [f"{name} of {high} and {low}" for name in ("Z'", "robust Z'", "SSMD")]
    assert found["value"][0] == quality.z_prime([10.0, 12.0, 11.0], [1.0, 2.0, 3.0])
    assert found["verdict"].to_list() == ["poor", "poor", ""]


def test_one_number_in_two_units_is_not_the_same_content():
    table = pl.DataFrame(
        {
            "well": [f"{row}{column}" for row in "ABCD" for column in range(1, 7)],
            "value": [1.0 + 0.01 * ((7 * (i // 6) + 3 * i) % 5) + 5.0 * (i % 6 == 2) for i in range(24)],
            "role": ["compound"] * 24,
            "concentration": [1.0] * 24,
            "concentration_unit": ["nM", "nM", "uM", "nM", "nM", "nM"] * 4,
        }
    )
    found = inspection.inspect(table).tables["positions"]
    # All wells at 1 uM stand in column 3; beside 1 nM they would look like a shifted column.
    assert not found["found"].any()
    one_unit = inspection.inspect(table.with_columns(concentration_unit=pl.lit("nM")))
    assert one_unit.tables["positions"]["found"].any()


def test_one_control_well_is_no_number():
    table = pl.DataFrame({"well": ["A1", "A2"], "value": [1.0, 2.0], "role": ["positive", "negative"]})
    assert inspection.inspect(table).quality.is_empty()


def test_without_replicates_positions_are_not_tested_and_it_says_so():
    wells = layout.apply(readers.read(OWN / "mars.csv")).table
    found = inspection.inspect(wells)
    assert [finding.code for finding in found.findings] == ["GP-A050"] * 3
    assert found.tables["positions"].is_empty()


def test_a_shifted_column_is_a_finding_along_rows():
    values = [
        100.0 + (7 * row + 3 * column) % 5 + 20.0 * (column == 4) for row in range(8) for column in range(12)
    ]
    wells = [f"{'ABCDEFGH'[row]}{column + 1}" for row in range(8) for column in range(12)]
    table = pl.DataFrame({"well": wells, "value": values})
    (finding,) = inspection.inspect(table, replicates="rows").findings
    assert finding.code == "GP-A051"
    assert finding.message.startswith("column 5 is +")


def test_what_is_no_table_of_wells_is_refused():
    with pytest.raises(InputError, match="GP-A045"):
        inspection.inspect(pl.DataFrame({"well": ["A1"]}))
