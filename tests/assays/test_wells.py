"""Tables that people bring: completed, checked, refused with the column."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glueprint.assays import plate
from glueprint.assays.plate import SIZES
from glueprint.assays.wells import SCHEMA, check
from glueprint.errors import InputError

TABLE = pl.DataFrame({"well": ["A1", "A2"], "value": [1, 2], "mine": ["x", "y"]})


def test_what_is_not_there_is_added():
    found = check(TABLE)
    assert dict(found.schema.items()) == {**SCHEMA, "mine": pl.String}
    row = found.row(0, named=True)
    assert (row["plate"], row["role"], row["dilution"], row["concentration"], row["value"]) == (
        "",
        "",
        1.0,
        None,
        1.0,
    )


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (TABLE.rename({"value": "valu"}), 'did you mean "valu"?'),
        (TABLE.with_columns(value=pl.lit("x")), "wrong type"),
        (pl.concat([TABLE, TABLE]), "stands in 4 rows"),
    ],
)
def test_what_cannot_be_used_is_refused(table, told):
    with pytest.raises(InputError, match="GP-A045") as caught:
        check(table)
    assert told in caught.value.message


def test_a_channel_is_named_or_the_only_one():
    table = pl.DataFrame({"channel": ["450", "650"], "value": [1.0, 2.0]})
    assert plate.channel(table, "650")["value"].to_list() == [2.0]
    assert plate.channel(table.head(1))["value"].to_list() == [1.0]
    for name, told in ((None, "2 channels and none is named"), ("451", 'did you mean "450"?')):
        with pytest.raises(InputError, match="GP-A020") as caught:
            plate.channel(table, name)
        assert told in caught.value.message


@given(st.sampled_from(list(SIZES.values())), st.data())
def test_names_and_places_of_wells_are_one_to_one(shape, data):
    row, column = (data.draw(st.integers(0, side - 1)) for side in shape)
    name = f"{plate.row_letters(row)}{column + 1}"
    assert plate.well_place(name) == (row, column)
    assert plate.well_name(name.lower()) == name
    assert plate.well_name(f"{plate.row_letters(row)}{column + 1:03d}") == name
    assert plate.plate_shape([(shape[0] - 1, shape[1] - 1), (row, column)]) == shape


@pytest.mark.parametrize("text", ["", "A", "1", "A0", "A49", "AG1", "A1B", "ſ1", "A١"])
def test_what_is_no_well(text):
    assert plate.well_name(text) is None


def test_nan_is_nothing_and_an_infinite_value_is_flagged():
    nan, inf = float("nan"), float("inf")
    found = check(
        pl.DataFrame(
            {
                "well": ["A1", "A2", "A3", "A4"],
                "value": [nan, inf, -inf, 1.0],
                "concentration": [nan, 1.0, 2.0, 3.0],
                "dilution": [nan, 2.0, 2.0, 2.0],
            }
        )
    )
    assert found["value"].to_list() == [None, None, None, 1.0]
    assert found["flag"].to_list() == ["", "error: infinite", "error: infinite", ""]
    assert found["concentration"].to_list() == [None, 1.0, 2.0, 3.0]
    assert found["dilution"].to_list() == [1.0, 2.0, 2.0, 2.0]
