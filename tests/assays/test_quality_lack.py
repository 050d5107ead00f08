"""Lack of fit in growth, masks of vendors' programs, and the level of what is left out on several plates."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from glueprint.assays import growth, quality
from glueprint.assays.quality import lack
from glueprint.assays.quality.outliers import Readings
from glueprint.report.figures.growth import growth_curves

DOSES = 10.0 ** np.arange(0.0, 4.1, 0.5)


def table(curve, seed=1, wells=4, **columns):
    draw = np.random.default_rng(seed)
    dose = np.repeat(DOSES, wells)
    every = np.append(dose, np.zeros(8))
    value = np.append(curve(dose), np.ones(8)) * np.exp(0.04 * draw.standard_normal(every.size))
    return pl.DataFrame({"dose_nm": every, "viability": value, "experiment": ["1"] * every.size, **columns})


def logistic(dose):
    return 1.0 / (1.0 + dose / 100.0)


def two_steps(dose):
    return 0.5 / (1.0 + (dose / 8.0) ** 3) + 0.5 / (1.0 + (dose / 2000.0) ** 3)


def codes(result):
    return [one.code for one in result.findings]


def test_a_curve_of_another_shape_lacks_fit():
    (finding,) = [one for one in growth.analyse(table(two_steps)).findings if one.code == "GP-A249"]
    assert finding.severity == "warning"
    assert "by more than replicates scatter" in finding.message
    assert "GP-A249" not in codes(growth.analyse(table(logistic)))


def test_logistic_curves_seldom_lack_fit():
    said = sum("GP-A249" in codes(growth.analyse(table(logistic, seed))) for seed in range(40))
    assert said <= 2


def test_several_curves_are_named_in_one_finding():
    both = pl.concat(
        [
            table(curve, seed, compound=[f"glue {seed}"] * 44)
            for seed, curve in enumerate((two_steps, logistic, two_steps))
        ]
    )
    (finding,) = [one for one in growth.analyse(both).findings if one.code == "GP-A249"]
    assert "2 curves" in finding.message
    assert "glue 0" in finding.where
    assert "glue 2" in finding.where
    assert "glue 1" not in finding.where


def test_lack_of_fit_by_hand():
    # Two doses with two wells about a held line: between (1 + 1)^2/2 * 2, within 4 * 0.1^2.
    value = np.array([1.1, 0.9, -0.9, -1.1])
    one = Readings(
        "c", ("a", "b", "c", "d"), np.array([1.0, 1.0, 2.0, 2.0]), value, np.zeros(4), np.zeros((4, 1)),
        np.ones(4), np.zeros(4, dtype=bool),
    )  # fmt: skip
    found = lack.of_curve(one)
    assert found.f == pytest.approx((4.0 / 2.0) / (0.04 / 2.0))
    assert found.p < 0.01
    unreplicated = Readings(
        "c", one.where, np.arange(4.0), value, np.zeros(4), np.zeros((4, 1)), np.ones(4), one.aside
    )
    assert np.isnan(lack.of_curve(unreplicated).p)


def test_a_dose_off_by_two_is_seen_in_the_fall():
    seen = 0
    for seed in range(12):
        right = table(logistic, seed)
        wrong = right.with_columns(
            viability=pl.when(pl.col("dose_nm") == DOSES[4])
            .then(pl.col("viability") * logistic(2.0 * DOSES[4]) / logistic(DOSES[4]))
            .otherwise("viability")
        )
        seen += "GP-A244" in codes(growth.analyse(wrong))
    assert seen >= 11


def plates(wells):
    rows = [
        {
            "plate": plate,
            "well": f"A{i + 1}",
            "dose_nm": dose,
            "role": role,
            "signal": light * level,
            "line": "a",
        }
        for plate, light in (("one", 1000.0), ("two", 3000.0))
        for i, (dose, role, level) in enumerate(wells)
    ]
    return pl.DataFrame(rows)


WELLS = [
    *((0.0, "control", level) for level in (0.98, 1.0, 1.02)),
    *((dose, "treated", float(logistic(dose))) for dose in DOSES.tolist()),
]


def test_what_is_left_out_stands_on_the_level_of_its_plate():
    plain = growth.analyse(plates(WELLS))
    expected = dict(plain.tables["wells"].select("well", "viability").rows())
    out = growth.analyse(plates(WELLS), growth.Settings(exclude=("one:A8=bubble", "two:A8=bubble")))
    drawn = out.tables["excluded"]
    assert drawn.height == 2
    for where, value in drawn.select("where", "value").rows():
        assert value == pytest.approx(expected[where], rel=0.02), where
    # Of a plate that is out altogether nothing says how bright it was.
    names = ",".join(f"two:A{i + 1}" for i in range(len(WELLS)))
    whole = growth.analyse(plates(WELLS), growth.Settings(exclude=(f"{names}=dropped",)))
    assert whole.tables["excluded"].height == len(WELLS)


def test_a_masked_well_keeps_its_value_and_makes_no_number():
    wells = pl.DataFrame(
        {
            "plate": ["p"] * 6,
            "well": [f"A{i}" for i in range(1, 7)],
            "value": [1.0, 1.1, 0.9, 5.0, 5.1, 90.0],
            "role": ["negative"] * 3 + ["positive"] * 3,
            "flag": [""] * 5 + ["masked"],
        }
    )
    found = quality.inspect(wells)
    assert found.tables["channels"]["high"].to_list() == [5.1]
    assert found.tables["channels"]["flagged"].to_list() == [1]
    assert found.quality.filter(pl.col("name").str.starts_with("Z'"))["value"][0] > 0.5


def test_many_lines_are_drawn_in_panels_of_six():
    draw = np.random.default_rng(3)
    lines = [f"line {i + 1}" for i in range(14)]
    every = pl.concat(
        [
            pl.DataFrame({"dose_nm": [0.0, 0.0, *DOSES], "line": line, "compound": compound})
            for line in lines
            for compound in ("one", "two")
        ]
    ).with_columns(viability=logistic(pl.col("dose_nm")))
    noise = np.exp(0.03 * draw.standard_normal(every.height))
    named = every.with_columns(viability=pl.col("viability") * noise)
    result = growth.analyse(named, growth.Settings(exclude=("row 5=odd",)))
    drawn = growth_curves(result.tables).to_dict()
    panels = [panel for row in drawn["vconcat"] for panel in row["hconcat"]]
    assert [panel["title"]["text"] for panel in panels] == [
        f"{compound}, lines {nth} of 3" for compound in ("one", "two") for nth in (1, 2, 3)
    ]
    shown = [
        {
            row["line"]
            for layer in panel["layer"]
            for row in drawn["datasets"][layer["data"]["name"]]
            if "line" in row
        }
        for panel in panels
    ]
    assert all(len(one) <= 6 for one in shown)
    assert set().union(*shown[:3]) == set(lines)
    struck = [str(panel).count("'shape': 'stroke'") for panel in panels]
    assert struck == [1, 0, 0, 0, 0, 0]
