"""Position effects: exact variance, few false alarms, planted and real ones found, careful corrections."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from glueprint.assays import layout, readers
from glueprint.assays.quality import corrections, inspection, positions
from glueprint.assays.wells import Wells, check
from glueprint.errors import InputError

SHARED = Path(__file__).parents[3] / "shared" / "data"
HEAD = 'kind = "glueprint-layout"\nversion = 1\nplate_wells = 384\n'
PLATE = (8, 12)
ROW, COLUMN = (side.ravel() for side in np.indices(PLATE))


def shifts(values, group, shape=PLATE):
    return {effect.title: effect for effect in positions.effects(values, ROW, COLUMN, group, shape)}


def test_the_score_is_the_exact_permutation_score():
    # Two groups of four over two columns; every arrangement within the groups counted by hand.
    values = np.array([1.0, 2.0, 4.0, 9.0, 3.0, 3.5, 7.0, 8.0])
    group = np.repeat([0, 1], 4)
    column = np.array([0, 0, 1, 1, 0, 1, 1, 1])
    z = np.concatenate([(part - part.mean()) / part.std(ddof=1) for part in (values[:4], values[4:])])
    sums = [
        sum(z[:4][list(first)]) + sum(z[4:][list(second)])
        for first in itertools.combinations(range(4), 2)
        for second in itertools.combinations(range(4), 1)
    ]
    assert np.mean(sums) == pytest.approx(0.0, abs=1e-12)
    on = column == 0
    here = [e for e in positions.effects(np.tile(values, 2), np.repeat([0, 1], 8), np.tile(column, 2),
            np.concatenate([group, group + 2]), (2, 3)) if e.title == "column 1"]  # fmt: skip
    assert here[0].score == pytest.approx(2.0 * z[on].sum() / np.sqrt(2.0 * np.var(sums)))
    assert here[0].shift_sd == pytest.approx(z[on].mean())


def test_plates_without_effects_get_a_finding_once_in_a_hundred():
    random = np.random.default_rng(11)
    found = 0
    for _ in range(400):
        values = 100.0 + 5.0 * random.standard_normal(ROW.size)
        found += any(effect.found for effect in shifts(values, np.zeros(ROW.size)).values())
    # Bonferroni over dependent lines keeps the rate at or below 0.01; 13 of 400 has p < 0.001.
    assert found < 13


def test_a_planted_column_row_and_edge_are_found_and_no_other():
    random = np.random.default_rng(3)
    noise = 2.0 * random.standard_normal(ROW.size)
    for title, here in (("column 5", COLUMN == 4), ("row C", ROW == 2)):
        found = shifts(100.0 + noise + 8.0 * here, np.zeros(ROW.size))
        assert [name for name, effect in found.items() if effect.found] == [title]
        assert found[title].shift_percent == pytest.approx(8.0, abs=2.5)
    edge = (ROW == 0) | (ROW == 7) | (COLUMN == 0) | (COLUMN == 11)
    assert shifts(100.0 + noise + 4.0 * edge, np.zeros(ROW.size))["edge"].found


def test_a_group_within_one_row_says_nothing_of_rows():
    values = np.random.default_rng(5).standard_normal(ROW.size)
    found = positions.effects(values, ROW, COLUMN, ROW, PLATE)
    assert {effect.kind for effect in found} == {"column", "edge", "trend across"}
    assert [effect.name for effect in found if effect.kind == "trend across"] == ["columns"]
    assert positions.effects(values, ROW, COLUMN, np.arange(ROW.size), PLATE) == ()
    assert positions.effects(np.ones(ROW.size), ROW, COLUMN, ROW, PLATE) == ()


def test_scale_and_missing_wells_make_no_difference_to_others():
    values = np.random.default_rng(6).normal(50.0, 3.0, ROW.size)
    group = np.tile(np.arange(4), 24)
    one, other = shifts(values, group), shifts(3.0 * values + 7.0, group)
    assert [e.score for e in one.values()] == pytest.approx([e.score for e in other.values()])
    missing = np.append(values, np.nan)
    again = positions.effects(missing, np.append(ROW, 3), np.append(COLUMN, 3), np.append(group, 0), PLATE)
    assert [e.score for e in again] == pytest.approx([e.score for e in one.values()])


def test_the_real_plate_has_two_bad_columns():
    path = SHARED / "plate-mars-transcreener" / "plate.csv"
    if not path.exists():
        pytest.skip("../shared/data/plate-mars-transcreener is not here")
    text = HEAD + f'[[well]]\nwells = "A1:N20"\nrole = "sample"\nsample = {list("ABCDEFGHIJKLMN")}\n'
    wells = layout.apply(readers.read(path), layout.parse(text.replace("'", '"'), "l"))
    found = inspection.inspect(wells.table).tables["positions"]
    columns = dict(found.filter(pl.col("kind") == "column").select("name", "shift_sd").rows())
    assert (round(columns["12"], 2), round(columns["20"], 2)) == (-1.16, -1.26)
    others = [shift for name, shift in columns.items() if name not in ("12", "20")]
    assert (round(min(others), 2), round(max(others), 2)) == (-0.56, 0.82)
    assert sorted(found.filter("found", pl.col("kind") == "column")["name"].to_list()) == ["12", "20"]


def test_the_quality_of_the_real_plate():
    path = SHARED / "plate-mars-transcreener" / "plate.csv"
    if not path.exists():
        pytest.skip("../shared/data/plate-mars-transcreener is not here")
    text = (
        HEAD + '[[well]]\nwells = "A1:A20"\nrole = "negative"\n'
        '[[well]]\nwells = "N1:N20"\nrole = "positive"\n'
    )
    wells = layout.apply(readers.read(path), layout.parse(text, "l"))
    found = inspection.inspect(wells.table).quality
    assert [round(value, 4) for value in found["value"]] == [0.8099, 0.8119, 22.2718]
    assert found["verdict"].to_list() == ["good", "good", ""]


# Correction


def test_a_plane_of_controls_is_taken_out():
    random = np.random.default_rng(8)
    factor = 1.0 + 0.02 * (ROW - 3.5) - 0.01 * (COLUMN - 5.5)
    values = 200.0 * factor * (1.0 + 0.003 * random.standard_normal(ROW.size))
    group = np.where((ROW + COLUMN) % 3 == 0, "vehicle", "")
    found = positions.polynomial(values, (ROW, COLUMN), group.tolist())
    corrected = values / found.factor
    assert np.std(corrected) / np.mean(corrected) < 0.005
    assert found.after < 0.5 < 4.0 < found.before


def test_pure_noise_is_not_improved():
    values = 100.0 + 5.0 * np.random.default_rng(9).standard_normal(ROW.size)
    group = np.where((ROW + COLUMN) % 3 == 0, "vehicle", "")
    for degree in (1, 2):
        found = positions.polynomial(values, (ROW, COLUMN), group.tolist(), degree)
        assert found.after > 0.95 * found.before


@pytest.mark.parametrize(
    ("where", "degree", "told"),
    [
        (COLUMN == 0, 1, "span 0 % of the columns"),
        ((ROW == 0) & (COLUMN < 5), 1, "5 control wells"),
        (ROW + COLUMN < 0, 1, "0 control wells"),
        ((COLUMN == ROW) | (COLUMN == ROW - 1), 3, "degree 3"),
        (COLUMN == ROW, 1, "lie on a line"),
    ],
)
def test_controls_that_carry_no_surface_are_refused(where, degree, told):
    with pytest.raises(InputError, match="GP-A053") as caught:
        positions.polynomial(np.ones(ROW.size), (ROW, COLUMN), np.where(where, "v", "").tolist(), degree)
    assert told in caught.value.message


def test_values_that_are_not_positive_are_refused():
    with pytest.raises(InputError, match="GP-A053"):
        positions.polynomial(np.zeros(ROW.size), (ROW, COLUMN), ["v"] * ROW.size)


def plate_of(values):
    wells = [f"{'ABCDEFGH'[row]}{column + 1}" for row, column in zip(ROW, COLUMN, strict=True)]
    role = np.where((ROW + COLUMN) % 3 == 0, "vehicle", "compound")
    return Wells(check(pl.DataFrame({"well": wells, "value": values, "role": role})))


def test_a_correction_is_said_and_leaves_order_and_other_columns_alone():
    wells = plate_of(100.0 * (1.0 + 0.03 * (ROW - 3.5)))
    found = corrections.by_controls(wells)
    assert found.table.drop("value").equals(wells.table.drop("value"))
    assert found.table["value"].std() < 1e-9
    (finding,) = found.findings
    assert (finding.code, finding.severity) == ("GP-A052", "warning")
    assert finding.message.startswith("values divided by a plane through the controls")


def test_controls_of_several_donors_are_levelled_by_position_and_not_by_biology():
    donor = np.where(COLUMN < 6, "d1", "d2")
    wells = plate_of(np.where(COLUMN < 6, 100.0, 300.0) * (1.0 + 0.03 * (ROW - 3.5)))
    wells = Wells(wells.table.with_columns(donor=pl.Series(donor)))
    levelled = corrections.by_controls(wells).table.group_by("donor").agg(pl.col("value").std())
    # Only the slope along the rows goes; the donors stay three-fold apart.
    assert levelled["value"].max() < 1e-9


def test_a_correction_that_does_not_help_changes_nothing_and_says_so():
    wells = plate_of(100.0 + 5.0 * np.random.default_rng(9).standard_normal(ROW.size))
    found = corrections.by_controls(wells, degree=2)
    assert found.table.equals(wells.table)
    assert found.findings[0].message.startswith("no correction: a quadratic does not help")
