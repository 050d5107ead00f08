"""The response surface finds the surface, its uncertainty and the scatter it was drawn with."""

from __future__ import annotations

import numpy as np

from glueprint.inference import response_surface


def noisy(n: int, p: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    z = random.normal(size=(n, p))
    expected = np.stack([1.0 + 0.5 * z[:, 0] - 0.3 * z[:, 1] ** 2, 2.0 - 0.4 * z[:, 2] * z[:, 3]], axis=1)
    scatter = random.multivariate_normal([0.0, 0.0], [[0.04, 0.018], [0.018, 0.09]], size=n)
    return z, expected, expected + scatter


def test_a_quadratic_is_found_exactly_without_scatter() -> None:
    z, expected, _ = noisy(400, 6, 1)
    surface = response_surface(z, expected, np.zeros(6))
    # The ridge keeps a trace of shrinkage: weights are known to a part in a thousand, not to the last digit.
    np.testing.assert_allclose(surface.mean(z), expected, atol=2e-3)


def test_scatter_is_estimated_with_its_correlation() -> None:
    z, _, outputs = noisy(3000, 6, 2)
    covariance = response_surface(z, outputs, np.zeros(6)).covariance
    np.testing.assert_allclose(np.diag(covariance), [0.04, 0.09], rtol=0.1)
    assert abs(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]) - 0.3) < 0.06


def test_its_own_uncertainty_covers_the_truth() -> None:
    scores = []
    for seed in range(40):
        z, _, outputs = noisy(200, 6, 100 + seed)
        surface = response_surface(z, outputs, np.zeros(6))
        new, expected, _ = noisy(20, 6, 500 + seed)
        scores.append((surface.mean(new) - expected) / np.sqrt(surface.variance(new)))
    spread = float(np.sqrt(np.mean(np.square(scores))))
    assert 0.8 < spread < 1.25


def test_rows_that_failed_are_left_out_and_the_centre_is_only_a_choice() -> None:
    z, expected, _ = noisy(400, 4, 3)
    broken = expected.copy()
    broken[7, 0] = np.nan
    moved = response_surface(z, broken, np.full(4, 0.5))
    np.testing.assert_allclose(moved.mean(z[:5]), expected[:5], atol=5e-3)
