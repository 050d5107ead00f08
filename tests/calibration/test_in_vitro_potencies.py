"""The parameter that is solved for a potency gives this potency, forwards."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.calibration.in_vitro.parameters import beliefs, free
from glueprint.calibration.in_vitro.potencies import PARTS, solve
from glueprint.experiments import forward
from glueprint.mechanism import Scenario

N = 6
WANTED = {"MM1S": 128.0, "RPMI8226": 3000.0, "OPM2": 3000.0, "monocyte": 13.0, "treg": 1000.0}


def drawn(spread=0.5, seed=3):
    rng = np.random.default_rng(seed)
    return {name: beliefs()[name].value(spread * rng.normal(size=N)) for name in free()}


def own(part, values):
    chosen = {name: values[given] for name, given in part.shared.items()}
    return {
        name: value
        for name, value in chosen.items()
        if name != "assay_days" or part.model == "culture_myeloma"
    }


def forwards(part, values, log10_value):
    parameters = own(part, values) | {part.solved: 10.0**log10_value}
    if part.output == "cells":
        return forward.proliferation(parameters, Scenario.of(line=part.line))
    return (forward.tnf_alpha if part.output == "tnf" else forward.treg)(parameters)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_forwards_gives_the_potency_back(part):
    values = drawn() | {"kd_nm": np.full(N, 264.0)}
    wanted = {name: np.log10(nm) + np.linspace(-0.2, 0.2, N) for name, nm in WANTED.items()}
    found = solve(values, wanted)[part.name]
    known = np.isfinite(found.log10_value)
    assert known.sum() >= 4
    back = forwards(part, values, found.log10_value)
    np.testing.assert_allclose(back[known], wanted[part.name][known], atol=0.01)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_the_slope_is_that_of_two_potencies(part):
    values, step = drawn(0.2) | {"kd_nm": np.full(N, 264.0)}, 0.1
    wanted = {name: np.full(N, np.log10(nm)) for name, nm in WANTED.items()}
    below, above = (
        solve(values, {name: x + move for name, x in wanted.items()})[part.name].log10_value
        for move in (-step, step)
    )
    slope = solve(values, wanted)[part.name].slope
    np.testing.assert_allclose(slope, (above - below) / (2 * step), rtol=0.05)


def test_what_no_capacity_gives_is_no_number():
    # Half the TNF-alpha at a millionth of the Kd: no capacity up to 1000 does that.
    wanted = {name: np.full(N, np.log10(nm)) for name, nm in WANTED.items()}
    wanted["monocyte"] = np.full(N, -4.0)
    found = solve(drawn(0.0), wanted)
    assert np.isnan(found["monocyte"].log10_value).all()
    assert np.isfinite(found["MM1S"].log10_value).all()


def test_walkers_do_not_depend_on_their_neighbours():
    values, wanted = drawn(), {name: np.full(N, np.log10(nm)) for name, nm in WANTED.items()}
    whole = solve(values, wanted)
    first = solve({k: v[:1] for k, v in values.items()}, {k: v[:1] for k, v in wanted.items()})
    for name, found in first.items():
        np.testing.assert_array_equal(found.log10_value, whole[name].log10_value[:1])
