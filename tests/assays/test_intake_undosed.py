"""Wells without a dose: controls by name, by a logarithm that nothing has, by level; others left out."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from glueprint.assays import growth
from glueprint.assays.intake import canonical
from glueprint.errors import InputError

DOSES = [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0]
TRUTH_NM = 80.0


def light(dose, ec50=TRUTH_NM):
    return 50_000.0 / (1.0 + dose / ec50)


def plate(*controls, full=50_000.0):
    """Two compounds beside controls without a dose, each given as its name and its level."""
    rows = [(name, None, level * k) for name, level in controls for k in (0.97, 1.0, 1.03)]
    rows += [("A", d, light(d) * k) for d in DOSES for k in (0.98, 1.02)]
    rows += [("B", d, light(d, 10 * TRUTH_NM) * k) for d in DOSES for k in (0.98, 1.02)]
    return pl.DataFrame(rows, ["Compound", "Conc (nM)", "Luminescence"], orient="row")


def ic50s(table):
    found = growth.analyse(table)
    rows = found.tables["potencies"].filter(pl.col("definition") == "relative IC50")
    return dict(rows.select("compound", "value").rows()), found


@pytest.mark.parametrize(
    ("control", "other"),
    [
        ("DMSO", "Staurosporine"),
        ("DMSO", "Bortezomib 1 uM"),
        ("NC", "PC"),
        ("Neg", "Pos"),
        ("0% inhibition", "100% inhibition"),
        ("100 % viability", "0 % viability"),
        ("High control", "Low control"),
        ("Max", "Min"),
        ("Min", "Max"),
        ("HC", "LC"),
    ],
)
def test_controls_need_no_dose_and_other_wells_without_one_are_left_out_by_name(control, other):
    found, result = ic50s(plate((control, 50_000.0), (other, 1_000.0)))
    assert found["A"] == pytest.approx(TRUTH_NM, rel=0.05)
    assert found["B"] == pytest.approx(10 * TRUTH_NM, rel=0.05)
    (said,) = [one.message for one in result.findings if one.code == "GP-A212"]
    assert said == f"3 wells are not used: 3: {other}, no dose"


def test_a_control_of_full_effect_does_not_become_the_untreated_one():
    with pytest.raises(InputError) as raised:
        growth.analyse(plate(("NC", 1_000.0), ("PC", 50_000.0)))
    assert raised.value.code == "GP-A202"


@pytest.mark.parametrize("high", [20_000.0, 90_000.0])
def test_the_higher_of_two_is_no_control_where_the_lowest_doses_read_otherwise(high):
    with pytest.raises(InputError) as raised:
        growth.analyse(plate(("High", high), ("Low", 1_000.0)))
    assert raised.value.code == "GP-A164"


def test_a_compound_that_lacks_one_dose_is_still_refused():
    table = plate(("DMSO", 50_000.0))
    lost = pl.DataFrame([("A", None, 40_000.0)], table.schema, orient="row")
    with pytest.raises(InputError, match="no dose") as raised:
        growth.analyse(pl.concat([table, lost]))
    assert raised.value.code == "GP-A161"


def log_table(first, readings):
    rows = [(None, *first), *((np.log10(d * 1e-9), *readings(d)) for d in DOSES)]
    return pl.DataFrame(rows, ["log[Glue] (M)", "Y1", "Y2"], orient="row")


@pytest.mark.parametrize("full", [100.0, 50_000.0])
def test_a_row_without_a_logarithm_of_the_dose_is_the_control(full):
    table = log_table(
        (full * 0.98, full * 1.02), lambda d: [full * light(d) / 50_000.0 * k for k in (0.99, 1.01)]
    )
    found = growth.analyse(table)
    assert found.potencies[0].value_nm == pytest.approx(TRUTH_NM, rel=0.05)
    changes = canonical(table).changes
    assert "1 row without a logarithm of the dose as control" in changes


def test_such_a_row_of_full_effect_is_refused():
    with pytest.raises(InputError) as raised:
        growth.analyse(log_table((900.0, 1_100.0), lambda d: [light(d), 1.02 * light(d)]))
    assert raised.value.code == "GP-A202"


def test_a_dose_of_zero_that_is_written_needs_no_word():
    table = plate(("DMSO", 50_000.0)).with_columns(pl.col("Conc (nM)").fill_null(0.0))
    assert not [one for one in canonical(table).changes if "dose" in one and "not used" in one]


def test_lanes_of_a_blot_without_a_dose_are_left_out_too():
    rows = [
        ("DMSO", None, 1.0),
        ("MG132", None, 1.1),
        *(("A", d, 0.1 + 0.9 / (1.0 + d / 50.0)) for d in DOSES),
    ]
    read = canonical(pl.DataFrame(rows, ["compound", "dose_nm", "fraction_remaining"], orient="row"))
    assert read.table["role"].to_list()[:3] == [None, "unused: MG132, no dose", None]
    assert "no dose, not used: MG132" in read.changes
