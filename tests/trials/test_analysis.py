"""What is read off a trial follows from its tables: read twice, or from the disk, it is the same."""

from __future__ import annotations

import polars as pl
import pytest

from glueprint import trials
from glueprint.trials import cdisc, kept
from glueprint.trials.analysis import (
    endpoints_table,
    grades_table,
    patients_table,
    subgroups_table,
    survival_curves_table,
    visits_table,
)
from glueprint.trials.conduct import conduct
from glueprint.trials.patients import Stream, draw_population
from glueprint.trials.protocol.loading import protocol_from_text

SMALL = trials.template().replace("patients = 60", "patients = 20")


@pytest.fixture(scope="module")
def result():
    return trials.run(protocol_from_text(SMALL, where="small"), replicates=2, seed=4, counterfactual=True)


@pytest.fixture
def stored(result, tmp_path):
    kept.save(result, tmp_path)
    return kept.load(tmp_path)


@pytest.mark.parametrize("times", [1, 2])
def test_the_analysis_of_stored_tables_is_that_of_the_run(result, stored, times):
    patients = stored.table("patients").partition_by("replicate", maintain_order=True)
    for _ in range(times):
        endpoints = pl.concat(endpoints_table(stored.protocol, part) for part in patients)
        curves = pl.concat(survival_curves_table(stored.protocol, part) for part in patients)
        subgroups = pl.concat(subgroups_table(stored.protocol, part) for part in patients)
        grades = pl.concat(grades_table(stored.protocol, part) for part in patients)
    assert endpoints.equals(result.endpoints)
    assert curves.equals(result.survival_curves)
    assert subgroups.equals(result.subgroups())
    assert grades.equals(result.grades())


def test_datasets_of_stored_tables_are_those_of_the_run(result, stored):
    tables = (result.patients, result.visits), (stored.table("patients"), stored.table("visits"))
    ours, theirs = (cdisc.datasets(stored.protocol, *two, 2) for two in tables)
    for one, other in zip(ours, theirs, strict=True):
        assert one.frame.equals(other.frame)


def test_a_conducted_trial_reads_the_same_twice():
    plan = protocol_from_text(SMALL, where="small")
    stream = Stream(4, plan.name, 1)
    done = conduct(plan, draw_population(plan, stream), stream)
    assert patients_table(plan, done, 1).equals(patients_table(plan, done, 1))
    assert visits_table(plan, done, 1).equals(visits_table(plan, done, 1))
