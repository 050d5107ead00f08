"""NIST's certified regressions from both starts, and from many bad ones: converged means right."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from glueprint.curves import Status, fit

NIST = Path(__file__).parent / "nist"


def read(name):
    with (NIST / f"{name}.csv").open(encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


ROWS = read("certified")
SETS = sorted({row["dataset"] for row in ROWS})


def certified(name):
    rows = [row for row in ROWS if row["dataset"] == name]
    points = read(name)
    inputs = {"x": np.array([float(row["x"]) for row in points])}
    return rows, inputs, np.array([float(row["y"]) for row in points])


def column(rows, name):
    return np.array([float(row[name]) for row in rows])


def test_all_eight_sets_are_here():
    assert SETS == ["BoxBOD", "Bennett5", "Chwirut2", "DanWood", "MGH10", "Misra1a", "Misra1c", "Rat42"] or (
        len(SETS) == 8
    )
    assert {name: len(read(name)) for name in ("Bennett5", "DanWood", "MGH10")} == {
        "Bennett5": 154,
        "DanWood": 6,
        "MGH10": 16,
    }


@pytest.mark.parametrize("start", ["start_1", "start_2"])
@pytest.mark.parametrize("name", SETS)
def test_parameters_to_seven_digits_and_errors_to_seven(name, start):
    rows, inputs, y = certified(name)
    begin = {row["parameter"]: float(row[start]) for row in rows}
    found = fit(rows[0]["formula"], inputs, y, start=begin)
    assert found.status[0] == Status.FINE
    np.testing.assert_allclose(found.estimates[0], column(rows, "certified"), rtol=1e-7)
    np.testing.assert_allclose(found.standard_errors[0], column(rows, "standard_deviation"), rtol=1e-7)
    assert found.rss[0] == pytest.approx(float(rows[0]["rss"]), rel=1e-10)
    assert found.dof[0] == int(rows[0]["dof"])
    # The interval is one of a likelihood: its ends hold the estimate between them.
    assert np.all((found.low[0] < found.estimates[0]) & (found.estimates[0] < found.high[0]))


@pytest.mark.parametrize("name", SETS)
def test_converged_from_anywhere_means_the_certified_minimum(name):
    rows, inputs, y = certified(name)
    truth = column(rows, "certified")
    rng = np.random.default_rng(sum(map(ord, name)))
    verdicts = []
    for _ in range(8):
        begin = (
            truth * 10.0 ** rng.uniform(-2.5, 2.5, truth.size) * np.where(rng.random(truth.size) < 0.1, -1, 1)
        )
        start = {row["parameter"]: value for row, value in zip(rows, begin, strict=True)}
        found = fit(rows[0]["formula"], inputs, y, start=start, intervals=False)
        if found.converged[0]:
            assert found.rss[0] == pytest.approx(float(rows[0]["rss"]), rel=1e-8), begin
        verdicts.append(bool(found.converged[0]))
    # Bennett5 is a valley so narrow that from most of these starts no honest search ends.
    assert sum(verdicts) >= (1 if name == "Bennett5" else 4)


@pytest.mark.parametrize("name", SETS)
def test_a_single_descent_is_never_called_converged(name):
    rows, inputs, y = certified(name)
    begin = {row["parameter"]: float(row["start_1"]) for row in rows}
    found = fit(rows[0]["formula"], inputs, y, start=begin, searches=0, intervals=False)
    assert not found.converged[0]
    assert found.status[0] != Status.FINE
    assert found.reasons[0]
