"""Tables of several membranes as one: columns that agree, membranes of their own, rows found again."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from glueprint.assays import degradation, simulated
from glueprint.assays.degradation.joining import joined
from glueprint.errors import InputError

TRUTH = degradation.Kinetics(0.1, 1.2, 200.0)


def membrane(level=1.0, **columns):
    dose, time = (part.ravel() for part in np.meshgrid((0.0, 0.0, 10.0, 100.0, 1000.0), (1.0, 6.0, 24.0)))
    left = level * TRUTH.remaining(dose, time)
    table = pl.DataFrame({"dose_nm": dose, "time_h": time, "fraction_remaining": left})
    return table.with_columns(**{name: pl.lit(value) for name, value in columns.items()})


def test_one_table_stays_as_it_is():
    table = membrane()
    found = joined([("a.csv", table)])
    assert found.table is table
    assert found.findings == ()


def test_each_table_keeps_a_level_of_its_own():
    tables = [("a.csv", membrane()), ("b.csv", membrane(level=1.3))]
    found = joined(tables)
    (noticed,) = found.findings
    assert noticed.code == "GP-A191"
    assert noticed.where == "a, b"
    result = degradation.analyse(found)
    assert result.findings[0] == noticed
    found = result.at(6.0)
    assert found.absolute.value_nm == pytest.approx(float(TRUTH.absolute_dc50_nm(6.0)), rel=1e-4)
    # The vehicles differ by 30 %: on one common level that would be scatter of the lanes.
    apart = found.dmax_high - found.dmax_low
    common = degradation.analyse(pl.concat([part for _, part in tables])).at(6.0)
    assert apart < 1e-4 < 0.02 < common.dmax_high - common.dmax_low


def test_experiments_of_several_tables_are_pooled_and_named_membranes_stay():
    tables = [(f"{name}/bands.csv", membrane(experiment=name, membrane=f"m{name}")) for name in "123"]
    found = joined(tables)
    assert found.findings == ()
    assert found.table["membrane"].unique().sort().to_list() == ["m1", "m2", "m3"]
    assert degradation.analyse(found).at(6.0).n == 3


def test_files_of_the_same_name_are_told_apart_by_their_folders():
    found = joined([("a/bands.csv", membrane()), ("b/bands.csv", membrane())])
    (noticed,) = found.findings
    assert found.table["membrane"].unique().sort().to_list() == ["a/bands.csv", "b/bands.csv"]
    assert "a/bands.csv" in noticed.where


def test_columns_that_disagree_are_named_with_their_table():
    plain, more = membrane(), membrane(target="IKZF1")
    with pytest.raises(InputError, match="GP-A190") as caught:
        joined([("a.csv", more), ("b.csv", plain)])
    assert caught.value.where == "b.csv"
    assert 'no column "target"' in str(caught.value)
    with pytest.raises(InputError, match="GP-A190") as caught:
        joined([("a.csv", plain), ("b.csv", more)])
    assert 'a column "target" that a.csv has not' in str(caught.value)
    # The order of columns is nobody's business.
    joined([("a.csv", plain), ("b.csv", plain.select(reversed(plain.columns)))])


def test_a_table_given_twice_is_refused():
    with pytest.raises(InputError, match="GP-A190") as caught:
        joined([("a.csv", membrane()), ("a.csv", membrane())])
    assert "twice" in str(caught.value)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("time_h", "soon", "b.csv, row 2"),
        ("dose_nm", "-1", "b.csv, row 2"),
        ("treatment", "MLX", "b.csv, row 2"),
    ],
)
def test_a_bad_row_is_named_in_the_table_that_it_came_from(column, value, said):
    good = membrane(treatment="").cast(pl.String)
    at = pl.int_range(pl.len()) == 2
    bad = good.with_columns(pl.when(at).then(pl.lit(value)).otherwise(pl.col(column)).alias(column))
    lanes = joined([("a.csv", good), ("b.csv", bad)])
    with pytest.raises(InputError) as caught:
        degradation.analyse(lanes)
    assert said in caught.value.where


def test_a_lane_twice_is_named_in_both_tables():
    lanes = pl.int_range(pl.len()).cast(pl.String).alias("lane")
    table = membrane(membrane="1").with_columns(lanes)
    with pytest.raises(InputError, match="GP-A143") as caught:
        degradation.analyse(joined([("a.csv", table), ("b.csv", table)]))
    assert "a.csv, row 0; b.csv, row 0" in str(caught.value)


def test_a_simulated_table_says_so():
    marked = degradation.analyse(membrane(simulated="yes, seed 1"))
    (note,) = [finding for finding in marked.findings if finding.code == "GP-A054"]
    assert note.severity == "note"
    assert "yes, seed 1" in note.message
    for said in ("no", "", "False"):
        codes = [finding.code for finding in degradation.analyse(membrane(simulated=said)).findings]
        assert "GP-A054" not in codes
    half = pl.concat([membrane(simulated="yes"), membrane(simulated="")])
    assert simulated.of_table(half)[0].message.startswith("15 of 30 rows: ")
