"""Draws by importance sampling: one last round where that is enough, several where the posterior bends."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.calibration.compound import importance

PROPOSALS = 900


def drawn(objective):
    told = []
    found = importance.sample(
        objective,
        np.zeros(8),
        proposals=PROPOSALS,
        draws=1000,
        seed=1,
        progress=lambda done, every: told.append((done, every)),
    )
    assert told[-1][0] == told[-1][1]
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    return found, len(told)


def normal(z):
    return 0.5 * (z**2).sum(axis=1)


def bent(z):
    """A curved ridge in the first two of eight coordinates."""
    away = z[:, 1] - 0.6 * (z[:, 0] ** 2 - 1.0)
    return 0.5 * (z[:, 0] ** 2 + (away / 0.3) ** 2 + (z[:, 2:] ** 2).sum(axis=1))


def test_a_normal_posterior_takes_one_last_round():
    found, rounds = drawn(normal)
    assert rounds == 2
    assert importance.LEAST_EFFECTIVE < found.effective <= PROPOSALS
    assert found.draws.std(axis=0) == pytest.approx(1.0, abs=0.15)


def test_last_rounds_are_pooled_until_enough_draws_count(monkeypatch):
    found, rounds = drawn(bent)
    assert rounds > 2
    assert found.effective >= importance.LEAST_EFFECTIVE
    monkeypatch.setattr(importance, "LAST_ROUNDS", 1)
    alone, _ = drawn(bent)
    assert alone.effective < importance.LEAST_EFFECTIVE
    # The true SD are 1 and 0.9: more draws come nearer.
    for k, truth in enumerate((1.0, 0.9)):
        assert abs(found.draws[:, k].std() - truth) < abs(alone.draws[:, k].std() - truth)
