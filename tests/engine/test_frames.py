"""Results as tables of other libraries."""

from __future__ import annotations

import importlib

import numpy as np
import polars as pl
import pytest

from glueprint import engine
from glueprint.errors import EnvironmentProblemError

MODEL = "species S = 1, T = 0; k = 0.5; J: S -> T; k*S;"


def trajectories():
    ensemble = engine.compile(MODEL).ensemble({"k": [0.1, 0.5, 1.0]})
    return ensemble.simulate(np.array([0.0, 1.0]), outputs=["S", "T"])


def test_a_table_has_a_row_for_each_patient_and_time():
    result = trajectories()
    table = result.to_table()
    assert table.columns == ["patient", "time_h", "S", "T"]
    assert table["patient"].to_list() == [0, 0, 1, 1, 2, 2]
    assert table.filter((pl.col("patient") == 1) & (pl.col("time_h") == 1.0))["S"][0] == result["S"][1, 1]
    assert "Trajectories, 6 rows" in result._repr_html_()
    assert pl.DataFrame(result).equals(table)  # by the Arrow stream


def test_pandas_and_xarray_have_the_same_numbers():
    pytest.importorskip("pandas")
    pytest.importorskip("xarray")
    result = trajectories()
    assert result.to_pandas()["T"].to_numpy() == pytest.approx(result["T"].reshape(-1))
    array = result.to_xarray()
    assert array.dims == ("patient", "time", "output")
    assert float(array.sel(patient=2, time=1.0, output="S")) == result["S"][2, 1]


@pytest.mark.parametrize("name", ["pandas", "xarray"])
def test_without_a_library_the_remedy_is_named(name, monkeypatch):
    real = importlib.import_module

    def without(wanted, *more):
        if wanted == name:
            raise ImportError(wanted)
        return real(wanted, *more)

    result = trajectories()
    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(EnvironmentProblemError, match=name) as caught:
        getattr(result, f"to_{name}")()
    assert caught.value.code == "GP-N090"
