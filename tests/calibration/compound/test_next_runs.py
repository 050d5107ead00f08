"""What one more experiment is expected to leave: as a fit with that experiment leaves it, and never more."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.calibration import compound
from glueprint.calibration.compound.measured import table_of
from glueprint.calibration.compound.next_runs import NOW, PERFECT, RUN


def row(assay, experiment, name, quantity, value, *, run="", **more):
    half = 10.0 ** (1.96 * 0.05)
    digest = f"{assay}{experiment}{run}{name}{quantity}{more.get('target', '')}"
    return {
        "assay": assay, "experiment": experiment, "run": run, "compound": name, "quantity": quantity,
        "value": value, "low": value / half, "high": value * half, "log10_se": 0.05, "file": digest,
        "sha256": digest, **more,
    }  # fmt: skip


def polarisation(run="", shift=0.0):
    pair = (("GLX", 60.0 * 10.0**shift), ("pomalidomide", 180.0))
    return [row("fp", "fp-1", name, "ki", ki_nm, run=run) for name, ki_nm in pair]


def fitted(rows):
    dossier = compound.dossier(table_of(rows), compound="GLX", reference="pomalidomide")
    return compound.fit(dossier, seed=1)


def spreads(posterior, experiment, what):
    (found,) = (
        each
        for each in posterior.next_runs.to_dicts()
        if (each["experiment"], each["what"]) == (experiment, what)
    )
    return np.sqrt(np.diag(compound.covariance_of(found)))


@pytest.fixture(scope="module")
def alone():
    """One plate of polarisation, the reference on it."""
    return fitted(polarisation(run="1"))


def test_as_it_is_is_the_covariance_of_the_draws(alone):
    draws = np.log10(np.stack([alone.column(name) for name in compound.COORDINATES], axis=1))
    found = compound.covariance_of(alone.next_runs.to_dicts()[0])
    assert alone.next_runs["what"][0] == NOW
    assert found == pytest.approx(np.cov(draws.T), abs=1e-12)


def test_one_more_run_leaves_what_a_fit_with_it_leaves(alone):
    expected = spreads(alone, "fp-1", RUN)[0]
    # Two plates differ by some 0.12 log10 (the median under the prior of their errors); how much they do is
    # learnt as well, so that plates that agree better leave less.
    again = fitted([*polarisation(run="1"), *polarisation(run="2", shift=0.12)])
    assert expected < 0.85 * spreads(alone, "", NOW)[0]
    assert spreads(again, "", NOW)[0] == pytest.approx(expected, rel=0.15)


def test_an_assay_that_nobody_made_is_planned_and_tells_what_the_others_cannot(alone):
    planned = alone.next_runs.filter(alone.next_runs["assay"] == "degradation").to_dicts()
    (one,) = planned
    now, after = spreads(alone, "", NOW), np.sqrt(np.diag(compound.covariance_of(one)))
    assert one["experiment"] == ""
    assert (after[1:] < 0.7 * now[1:]).all()
    # One more plate of the same says nothing of an efficacy.
    assert spreads(alone, "fp-1", RUN)[1] == pytest.approx(now[1], rel=0.02)


def test_no_run_beats_one_without_error_and_none_makes_it_worse(alone):
    now, run, perfect = (
        compound.covariance_of(each)
        for each in alone.next_runs.to_dicts()
        if each["what"] == NOW or each["experiment"] == "fp-1"
    )
    for better, worse in ((run, now), (perfect, run)):
        assert np.linalg.eigvalsh(worse - better).min() > -1e-9


def test_limits_and_experiments_without_a_value_are_no_candidates():
    rows = [*polarisation(), row("degradation", "blot-1", "GLX", "dmax", 0.2, relation="<", target="IKZF1",
                                 cells="MM1S", time_h=6.0, unit="fraction")]  # fmt: skip
    found = fitted(rows).next_runs
    assert set(found["experiment"]) == {"", "fp-1"}
    assert PERFECT in found["what"].to_list()
