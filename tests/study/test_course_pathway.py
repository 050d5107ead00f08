"""The pathway of a course: the patient's own values on a day, and cells in culture at the same free glue."""

from __future__ import annotations

import polars as pl
import pytest

from glueprint import experiments
from glueprint.errors import InputError
from glueprint.mechanism import Scenario, compounds
from glueprint.study.course import Plan, follow


def of(course, node):
    return course.pathway.row(by_predicate=pl.col("node") == node, named=True)


def test_without_drug_nothing_moves_but_the_tumour():
    course = follow(Plan(dose_mg=0.0, cycles=1, day=10))
    assert of(course, "free glue")["value"] == of(course, "cereblon bound")["value"] == 0.0
    left = course.pathway.filter((pl.col("before") == 1.0) & (pl.col("unit") == ""))
    assert left["value"].to_list() == pytest.approx([1.0] * left.height, abs=1e-6)
    assert left.height == 7
    assert of(course, "neutrophils")["value"] == pytest.approx(3.4, rel=1e-4)
    assert of(course, "M-protein")["value"] > 20.0


def test_a_step_is_the_mean_of_its_course_over_the_day():
    course = follow(Plan(cycles=1, day=15))
    line = course.table.filter((pl.col("series") == "IKZF1") & pl.col("time_d").is_between(14.0, 15.0))
    assert line.height == 25
    assert of(course, "IKZF1, myeloma")["value"] == pytest.approx(line["value"].mean(), rel=1e-12)


def test_a_day_of_a_later_cycle_is_looked_at_every_hour_too():
    at_peaks = follow(Plan(day=21)), follow(Plan(day=77))
    first, third = (of(course, "free glue")["value"] for course in at_peaks)
    assert third == pytest.approx(first, rel=0.02)


def test_irf4_and_myc_are_those_of_cells_in_culture_at_the_same_free_glue():
    course = follow(Plan(cycles=1, kd_fold=0.5))
    cells = experiments.grow("culture_myeloma", Scenario.of(compounds.load(compounds.REFERENCE)))
    held = {"hydrolysis_per_h": 0.0, "kd_nm": 0.5 * cells.typical("kd_nm")}
    doses = [10.0 * step for step in range(1, 41)]
    found = cells.at(doses, 72.0, ["free_nm", "irf4", "myc"], held)
    above = next(n for n, free in enumerate(found["free_nm"]) if free > of(course, "free glue")["value"])
    for node, name in (("IRF4", "irf4"), ("MYC", "myc")):
        assert found[name][above] < of(course, node)["value"] < found[name][above - 1]
        assert of(course, node)["model"] == "culture"


def test_a_stronger_binder_lowers_every_step_below_cereblon():
    weak, strong = follow(Plan(cycles=1, kd_fold=2.0)), follow(Plan(cycles=1, kd_fold=0.3))
    for node in ("IKZF1, myeloma", "IKZF3, T cells", "IRF4", "MYC", "neutrophils", "platelets"):
        assert of(strong, node)["value"] < of(weak, node)["value"]


@pytest.mark.parametrize("day", [0, 29, 1.5])
def test_a_day_outside_the_cycles_is_refused(day):
    with pytest.raises(InputError) as refusal:
        Plan(cycles=1, day=day)
    assert (refusal.value.code, refusal.value.where) == ("GP-S070", "day")
