"""A patient's result is the same bits whoever else is there, in any order, chunk or number of threads."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from glueprint import engine
from glueprint.engine import Doses, Settings
from glueprint.engine.compiled import CompiledSolver
from glueprint.engine.switches import switches

TEXT = """
species gut = 0, drug = 0, protein = 1, cells = 1;
J1: gut -> drug; ka*gut;  J2: drug -> ; ke*drug;
J3: -> protein; kin;  J4: protein -> ; kin*(1 + emax*drug^h/(ec^h + drug^h))*protein;
J5: -> cells; g*cells*(1 - cells/10)*protein;
ka = 1; ke = 0.2; kin = 3; emax = 8; ec = 0.5; h = 1.7; g = 0.1;
at cells > 5, priority = 1: cells = 2;
low := protein/(1 + cells);
"""
COUNT = 300


@pytest.fixture(scope="module")
def model():
    return engine.compile(TEXT)


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(7)
    return {name: np.exp(0.4 * rng.standard_normal(COUNT)) for name in ("ka", "emax", "h", "g")}


def run(model, values, *, threads=1):
    n = len(values["ka"])
    doses = Doses.every_patient(n, [0.0, 24.0, 48.0], "gut", 3.0 * values["emax"])
    settings = Settings(threads=threads)
    result = model.ensemble(values, settings=settings).simulate(
        [1.0, 30.0, 72.0], doses, ["drug", "low", "cells"]
    )
    assert not result.status.any()
    return result.values


def test_order_does_not_matter(model, drawn):
    base = run(model, drawn)
    order = np.random.default_rng(1).permutation(COUNT)
    np.testing.assert_array_equal(run(model, {k: v[order] for k, v in drawn.items()}), base[order])


def test_neighbours_do_not_matter(model, drawn):
    base = run(model, drawn)
    for i in (0, 17, 299):
        np.testing.assert_array_equal(run(model, {k: v[i : i + 1] for k, v in drawn.items()})[0], base[i])


def test_threads_do_not_matter(model, drawn):
    np.testing.assert_array_equal(run(model, drawn, threads=3), run(model, drawn, threads=1))


def test_chunks_do_not_matter(model, drawn, monkeypatch):
    base = run(model, drawn)
    monkeypatch.setattr("glueprint.engine.ensemble.RECORD_BYTES_PER_CHUNK", 3000)
    np.testing.assert_array_equal(run(model, drawn), base)


def test_a_failing_neighbour_does_not_matter(model, drawn):
    base = run(model, drawn)
    values = {k: v.copy() for k, v in drawn.items()}
    values["h"][5] = np.nan
    n = COUNT
    doses = Doses.every_patient(n, [0.0, 24.0, 48.0], "gut", 3.0 * values["emax"])
    got = model.ensemble(values).simulate([1.0, 30.0, 72.0], doses, ["drug", "low", "cells"])
    assert got.status[5] != 0
    assert np.isnan(got.values[5]).all()
    rest = np.arange(n) != 5
    np.testing.assert_array_equal(got.values[rest], base[rest])


def test_a_stream_of_parts_is_the_whole(model, drawn):
    doses = Doses.every_patient(COUNT, [0.0, 90.0], "gut", 3.0)
    times, names = [1.0, 30.0], ["drug", "cells"]
    whole = model.ensemble(drawn).simulate(times, doses, names)
    parts = list(model.ensemble(drawn).stream(times, doses, names, patients_per_part=77))
    assert [len(part.status) for part in parts] == [77, 77, 77, 69]
    np.testing.assert_array_equal(np.concatenate([part.values for part in parts]), whole.values)
    assert sum(part.doses_after_end for part in parts) == whole.doses_after_end == COUNT


@pytest.mark.parametrize("width", [2, 4])
def test_narrow_vectors_give_the_same_trajectories(model, drawn, width):
    """Processors without AVX-512 run 4 or 2 patients in a vector; only rounding may differ."""
    narrow = dataclasses.replace(model, solver=CompiledSolver(model.system, model.hash, width=width))
    np.testing.assert_allclose(run(narrow, drawn), run(model, drawn), rtol=1e-6)


def test_what_switches_is_looked_for_once_in_a_model(model):
    other = engine.compile("y' = -k*y*(time < 2); y = 1; k = 1;")
    assert switches(model.system) is switches(model.system)
    assert not switches(model.system)
    assert switches(other.system)
