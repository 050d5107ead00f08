"""Figures of experiments: every panel is drawn, vehicle has a place, published values are marked."""

from __future__ import annotations

import json

import pytest

from glueprint import experiments
from glueprint.report import figures
from glueprint.report.figures.experiments import experiment


def layers_of(chart):
    """The layers of the first panel, each with its rows."""
    whole = chart.to_dict()
    layers = whole["vconcat"][0]["hconcat"][0]["layer"]
    return [(layer, rows_of(layer["data"], whole)) for layer in layers]


def rows_of(data, whole):
    return data["values"] if "values" in data else whole["datasets"][data["name"]]


@pytest.mark.parametrize("name", experiments.available())
def test_every_experiment_has_a_valid_figure_with_all_its_panels(name):
    found = experiments.run(name)
    chart = experiment(found)
    said = json.dumps(chart.to_dict())  # checks the whole chart against the schema
    for panel in found.panels:
        assert panel.title in said
        assert panel.points.columns == panel.lines.columns == ["series", "x", "y"]
        assert panel.points.height > 0
    drawn = figures.svg(chart)
    assert found.title.split(":")[0] in drawn
    assert "NaN" not in drawn


def test_published_values_are_diamonds_at_their_dose():
    layers = layers_of(experiment(experiments.run("proliferation")))
    (rows,) = [rows for layer, rows in layers if layer["mark"].get("shape") == "diamond"]
    assert [row["x"] for row in rows] == [128.0, 8000.0, 10000.0]


def test_vehicle_stands_left_of_the_lowest_dose():
    found = experiments.run("nk_killing", doses_nm=(1.0, 10.0, 100.0, 1000.0))
    layer, rows = next(each for each in layers_of(experiment(found)) if each[0]["mark"]["type"] == "point")
    xs = sorted({row["x"] for row in rows})
    assert xs[1:] == [1.0, 10.0, 100.0, 1000.0]
    assert 0.0 < xs[0] < 1.0
    assert layer["encoding"]["x"]["axis"]["values"][0] == pytest.approx(xs[0], rel=1e-4)


def test_lines_that_lie_on_each_other_are_dashed():
    layers = layers_of(experiment(experiments.run("angiogenesis")))
    (dashed,) = [rows for layer, rows in layers if layer["mark"].get("strokeDash") == [5, 4]]
    assert {row["series"] for row in dashed} == {"bFGF"}
