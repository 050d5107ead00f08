"""The public SBML Test Suite: every case is right or is refused with a code, none is silently wrong.

The cases lie beside the repository in ../shared/data/sbml-semantic (third-party, not part of it); without
them these tests skip, and test_sbml.py and test_events.py still cover each construct.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from glueprint import engine
from glueprint.engine import Settings
from glueprint.errors import GlueprintError

CASES = Path(__file__).parents[3] / "shared" / "data" / "sbml-semantic"
SETTINGS = Settings(accuracy=1e-9, smallest=1e-12, threads=1)
REFUSED_ODE = {("01533", "GP-N026")}  # it has 106 events, the limit is 64

if not CASES.is_dir():
    pytest.skip("the SBML Test Suite is not at ../shared/data/sbml-semantic", allow_module_level=True)


def listed():
    with (CASES / "index.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [pytest.param(row["case"], row["class"], id=row["case"]) for row in rows]


def settings_of(case):
    lines = (CASES / case / "settings.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def names_in(text):
    return {name.strip() for name in text.split(",")}


def run(case):
    """Names, what the suite expects and what the engine gives, (times, variables)."""
    wished = settings_of(case)
    with (CASES / case / "results.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.reader(file) if row]
    names = [name.strip() for name in rows[0][1:]]
    want = np.array([[float(cell) for cell in row[1:]] for row in rows[1:]])
    start, duration, steps = float(wished["start"]), float(wished["duration"]), int(wished["steps"])
    times = np.linspace(start, start + duration, steps + 1)
    model = engine.compile(CASES / case / "model.xml")
    sizes = [model.system.compartment.get(name, name) for name in names]
    result = model.ensemble(settings=SETTINGS).simulate(times, outputs=[*names, *sizes])
    assert not result.status.any(), result.reasons
    got = result.values[0, :, : len(names)].copy()
    size = result.values[0, :, len(names) :]
    for j, name in enumerate(names):
        is_amount = name in model.system.amounts
        if name in model.species and name in names_in(wished.get("amount", "")) and not is_amount:
            got[:, j] *= size[:, j]
        if name in model.species and name in names_in(wished.get("concentration", "")) and is_amount:
            got[:, j] /= size[:, j]
    return names, want, got, float(wished["absolute"]), float(wished["relative"])


@pytest.mark.parametrize(("case", "kind"), listed())
def test_right_or_refused(case, kind):
    try:
        names, want, got, absolute, relative = run(case)
    except GlueprintError as error:
        refusal = error
    else:
        refusal = None
    if refusal is not None:
        assert refusal.next_step
        assert kind != "ode" or (case, refusal.code) in REFUSED_ODE, str(refusal)
        return
    with np.errstate(invalid="ignore"):
        near = np.abs(got - want) <= absolute + relative * np.abs(want)
    right = near | (got == want) | (np.isnan(got) & np.isnan(want))
    assert right.all(), [(names[j], i, got[i, j], want[i, j]) for i, j in np.argwhere(~right)[:5]]
