"""Published models as people keep them: right within ten times the default accuracy, or a status.

The models lie beside the repository in ../shared/data/sbml-real (third-party, not part of it);
without them these tests skip.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from glueprint import engine
from glueprint.engine import Settings

MODELS = Path(__file__).parents[3] / "shared" / "data" / "sbml-real"

if not MODELS.is_dir():
    pytest.skip("no published models at ../shared/data/sbml-real", allow_module_level=True)


def names():
    with (MODELS / "index.csv").open(encoding="utf-8") as file:
        return [row["model"] for row in csv.DictReader(file)]


@pytest.mark.parametrize("name", names())
def test_right_within_ten_times_what_was_asked(name):
    with (MODELS / f"{name}.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    species, table = rows[0][1:], np.array(rows[1:], dtype=float)
    model = engine.compile(MODELS / f"{name}.xml")
    run = engine.verified(model, table[:, 0], outputs=species, patients=1)
    assert run.status[0] == 0, run.reasons
    got, want = run.values[0].copy(), table[:, 1:]
    for column, one in enumerate(species):
        if one in model.system.amounts:  # the reference holds concentrations
            got[:, column] /= model.defaults[model.system.compartment[one]]
    size = np.maximum(np.abs(want), 1e-3 * np.abs(want).max(axis=0))
    with np.errstate(invalid="ignore"):
        error = np.abs(got - want) / size
    assert np.nanmax(error) <= 10 * Settings().accuracy
