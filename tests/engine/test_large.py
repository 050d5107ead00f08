"""Large models: their code in pieces and their elimination over tables give what the straight line gives."""

from __future__ import annotations

import re

import numpy as np
import pytest

from glueprint import engine
from glueprint.engine import Settings, elimination_llvm
from glueprint.engine.compiled import CompiledSolver
from glueprint.engine.emit_llvm import module_text
from glueprint.engine.program import build
from glueprint.formulas import pieces_llvm
from glueprint.formulas.cache import Cache


def network(states):
    """A ring of conversions with degradation, and production that any state may drive."""
    quantities = [
        f"species s{i} = {1 + i % 3}; k{i} = {0.5 + 0.01 * i}; d{i} = {0.1 + 0.001 * i};"
        for i in range(states)
    ]
    drives = [(7 * i + 3) % states for i in range(states)]
    reactions = [
        f"A{i}: s{i} -> s{(i + 1) % states}; k{i}*s{i}; B{i}: -> s{i}; d{i}*s{far}/(1 + s{far}); "
        f"C{i}: s{i} -> ; d{i}*s{i};"
        for i, far in enumerate(drives)
    ]
    return "\n".join([*quantities, *reactions])


SWITCHED = (
    network(12) + "extra = 0; extra' = piecewise(2, s3 > 0.5 && time < 6, s4) - 0.1*extra + max(s1, s2);"
)


def run(model, solver, settings):
    made = engine.ensemble.Ensemble(model.system, solver, {"k1": [0.4, 0.6, 0.9]}, 3, settings)
    return made.simulate(np.linspace(0.0, 20.0, 41))


@pytest.mark.parametrize("settings", [Settings(), Settings.coarse(1e-5)], ids=["fine", "coarse"])
def test_in_pieces_and_over_tables_as_in_one_line(monkeypatch, settings):
    model = engine.compile(SWITCHED)
    line = run(model, CompiledSolver(model.system, "line", Cache(None)), settings)
    monkeypatch.setattr(elimination_llvm, "LARGE", -1)
    monkeypatch.setattr(pieces_llvm, "LONG", 20)
    monkeypatch.setattr(pieces_llvm, "PIECE", 11)
    pieces = run(model, CompiledSolver(model.system, "pieces", Cache(None)), settings)
    text = module_text(build(model.system, fine=True), 2)
    assert "@factor_3(" in text
    assert "@decompose(" in text
    assert line.steps.tolist() == pieces.steps.tolist()
    np.testing.assert_allclose(pieces.values, line.values, rtol=1e-9)


def test_a_network_against_a_solver_of_scipy():
    from scipy.integrate import solve_ivp

    size = 120
    model = engine.compile(network(size))
    assert elimination_llvm.is_large(build(model.system))
    k, d = 0.5 + 0.01 * np.arange(size), 0.1 + 0.001 * np.arange(size)
    drives = (7 * np.arange(size) + 3) % size

    def rates(_, s):
        return np.roll(k * s, 1) - k * s + d * s[drives] / (1 + s[drives]) - d * s

    times = np.linspace(0.0, 30.0, 31)
    start = 1.0 + np.arange(size) % 3
    want = solve_ivp(rates, (0.0, 30.0), start, method="LSODA", t_eval=times, rtol=1e-11, atol=1e-13).y
    got = model.ensemble(patients=1).simulate(times, outputs=[f"s{i}" for i in range(size)]).values[0].T
    np.testing.assert_allclose(got, want, rtol=1e-4)


@pytest.mark.parametrize("states", [60, 240])
def test_no_function_grows_with_the_model(states):
    """So that a compiler's time is in proportion to the number of functions."""
    text = module_text(build(engine.compile(network(states)).system, fine=True), 8)
    longest = max(len(part.splitlines()) for part in re.split(r"\n(?=define )", text))
    assert longest <= pieces_llvm.LONG + 20
    assert len(text.splitlines()) < 1500 + 200 * states
