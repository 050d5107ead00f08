"""Plates of growing cells: from a reader's wells and a layout to the same answers as the tidy table."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from glueprint.assays import growth, layout, readers
from glueprint.assays.growth.plates import cultures_table
from glueprint.errors import InputError

DOSES = 10000.0 / 3.0 ** np.arange(9)
DIVISIONS, EC50 = 3.0, 150.0
LAYOUT = """
kind = "glueprint-layout"
version = 1
concentration_unit = "nM"
[assay]
time_h = 72
[[well]]
plate = "start"
wells = "A1:H1"
role = "blank"
[[well]]
plate = "end"
wells = "A1:H1"
role = "blank"
[[well]]
plate = "end"
wells = "A2:H2"
role = "vehicle"
sample = "DMSO"
[[well]]
plate = "start"
wells = "A2:H2"
role = "time0"
[[well]]
plate = "end"
wells = "A3:B11"
role = "compound"
sample = "glue"
concentration = { start = 10000, factor = 3, direction = "right" }
[[well]]
plate = "start"
wells = "A1:H2"
experiment = "1"
extra = { line = "MM.1S" }
[[well]]
plate = "end"
wells = "A1:H2, A3:B11"
experiment = "1"
extra = { line = "MM.1S" }
"""


def left(dose):
    return 0.2 + 0.8 / (1.0 + dose / EC50)


def tidy_plate(blanks=(100.0, 300.0), marked=""):
    """Two plates as a tidy file: cells in column 2, doses in A3:B11, each plate with a blank of its own."""
    rows = []
    for plate, level, blank in (("start", 1000.0, blanks[0]), ("end", 8000.0, blanks[1])):
        light = {f"{row}1": blank for row in "ABCDEFGH"} | {f"{row}2": blank + level for row in "ABCDEFGH"}
        if plate == "end":
            light |= {
                f"{row}{3 + i}": blank + level * left(dose) for i, dose in enumerate(DOSES) for row in "AB"
            }
        rows += [(plate, well, value, "RLU", marked) for well, value in light.items()]
    table = pl.DataFrame(rows, schema=["plate", "well", "value", "unit", "simulated"], orient="row")
    return (table if marked else table.drop("simulated")).write_csv().encode()


def wells_of(content=None, text=LAYOUT):
    plate = readers.parse(content or tidy_plate(), "plate.csv")
    return layout.apply(plate, layout.parse(text, "layout.toml"))


def table_of(wells):
    return cultures_table(wells.table, wells.assay)


def test_a_plate_says_what_its_wells_hold():
    table, findings = table_of(wells_of())
    result = growth.analyse(table)
    assert findings == ()
    (row,) = result.tables["growth_rate"].to_dicts()
    # 1000 to 8000 above the blanks of their own plates: three doublings, exactly.
    assert row["divisions"] == pytest.approx(DIVISIONS, rel=1e-12)
    assert row["divisions_from"] == "time zero"
    assert row["line"] == "MM.1S"
    found = result.of("MM.1S", "glue", "relative IC50", "1")
    assert found.value_nm == pytest.approx(EC50, rel=1e-4)
    assert found.time_h == 72.0


def test_the_tidy_table_of_the_same_wells_gives_the_same_answers():
    by_plate = growth.analyse(table_of(wells_of())[0])
    rows = [("control", "", None, 8000.0)] * 8 + [("time0", "", None, 1000.0)] * 8
    rows += [("treated", "glue", dose, 8000.0 * float(left(dose))) for dose in DOSES for _ in "AB"]
    table = pl.DataFrame(rows, schema=["role", "compound", "dose_nm", "signal"], orient="row")
    table = table.with_columns(line=pl.lit("MM.1S"), experiment=pl.lit("1"), time_h=pl.lit(72.0))
    by_table = growth.analyse(table)
    for definition in ("relative IC50", "absolute IC50", "GI50", "GR50", "GEC50"):
        one, other = (run.of("MM.1S", "glue", definition, "1") for run in (by_plate, by_table))
        assert one.value_nm == pytest.approx(other.value_nm, rel=1e-6), definition


def test_a_plate_without_blanks_takes_those_of_the_others_and_says_so():
    text = LAYOUT.replace('role = "blank"', 'role = "empty"', 1)
    table, (noticed,) = table_of(wells_of(tidy_plate(blanks=(300.0, 300.0)), text))
    assert noticed.code == "GP-A194"
    assert noticed.where == "start"
    assert growth.analyse(table).tables["growth_rate"]["divisions"][0] == pytest.approx(DIVISIONS)


def test_wells_of_other_roles_are_counted():
    text = LAYOUT.replace('wells = "A2:H2"\nrole = "vehicle"', 'wells = "A2:F2"\nrole = "vehicle"')
    text += '[[well]]\nplate = "end"\nwells = "G2"\nrole = "positive"\n'
    _, (noticed,) = table_of(wells_of(text=text))
    assert noticed.code == "GP-A192"
    assert "1 of role positive" in noticed.message
    assert "1 of no role" in noticed.message


def test_a_compound_at_dose_zero_is_a_control():
    text = LAYOUT.replace(
        'role = "vehicle"\nsample = "DMSO"', 'role = "compound"\nsample = "glue"\nconcentration = 0'
    )
    result = growth.analyse(table_of(wells_of(text=text))[0])
    assert result.tables["curves"]["control_wells"][0] == 8


def test_hours_of_the_wells_win_over_those_of_the_layout():
    text = LAYOUT.replace('extra = { line = "MM.1S" }', 'extra = { line = "MM.1S", time_h = 48 }')
    assert growth.analyse(table_of(wells_of(text=text))[0]).tables["curves"]["time_h"][0] == 48.0
    without = LAYOUT.replace('role = "time0"', 'role = "empty"').replace(
        "[assay]", "[assay]\ndoubling_time_h = 24"
    )
    (row,) = growth.analyse(table_of(wells_of(text=without))[0]).tables["growth_rate"].to_dicts()
    assert row["divisions"] == pytest.approx(3.0)
    assert row["divisions_from"] == "doubling time"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('role = "compound"', 'role = "sample"', "no well with the role compound"),
        ("concentration = { start", "extra = { start", "without a concentration"),
        ("time_h = 72", "time = 72", 'no setting "time"'),
        ('{ line = "MM.1S" }', '{ line = "MM.1S", time_h = "soon" }', 'time_h "soon"'),
        ('{ line = "MM.1S" }', '{ line = "MM.1S", time_h = 0 }', 'time_h "0"'),
    ],
)
def test_layouts_that_are_no_growth_assay(old, new, said):
    with pytest.raises(InputError, match="GP-A193") as caught:
        table_of(wells_of(text=LAYOUT.replace(old, new)))
    assert said in str(caught.value)


def test_one_channel_of_several_must_be_named():
    content = tidy_plate().decode().splitlines()
    head, rows = content[0], content[1:]
    lines = [f"{head},channel", *(f"{row},560" for row in rows), *(f"{row},590" for row in rows)]
    wells = wells_of("\n".join(lines).encode())
    with pytest.raises(InputError, match="GP-A020"):
        cultures_table(wells.table, wells.assay)
    table, _ = cultures_table(wells.table, wells.assay, channel="590")
    assert table.height == 8 + 8 + 18


def test_a_simulated_plate_or_table_says_so():
    wells = wells_of(tidy_plate(marked="yes, seed 1"))
    (note,) = [finding for finding in wells.findings if finding.code == "GP-A054"]
    assert "yes, seed 1" in note.message
    assert "GP-A054" not in [finding.code for finding in wells_of().findings]
    table = table_of(wells)[0]
    assert "GP-A054" not in [finding.code for finding in growth.analyse(table).findings]
    marked = growth.analyse(table.with_columns(simulated=pl.lit("yes")))
    assert [finding.code for finding in marked.findings].count("GP-A054") == 1
