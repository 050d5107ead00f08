import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from glueprint.errors import InputError
from glueprint.inference import hierarchical_means

Y, SE = np.array([0.18, 0.40, 0.23, -0.11, 0.9]), np.array([0.12, 0.10, 0.2, 0.15, 0.4])


def integrated(y, se, scale, moment):
    """E[moment(tau)] by adaptive quadrature over tau, with the mean integrated out in closed form."""

    def density(tau):
        v = se**2 + tau**2
        mu = (y / v).sum() / (1 / v).sum()
        return np.exp(
            -0.5 * (np.log(v).sum() + np.log((1 / v).sum()) + ((y - mu) ** 2 / v).sum() + (tau / scale) ** 2)
        )

    whole = quad(density, 0, 12 * scale, epsabs=0, epsrel=1e-11, limit=400)[0]
    return quad(lambda t: density(t) * moment(t), 0, 12 * scale, epsabs=0, epsrel=1e-11, limit=400)[0] / whole


def test_one_group_agrees_with_quadrature():
    found = hierarchical_means(Y, SE, np.zeros(5, int), tau_scale=0.2)

    def mu(tau):
        v = SE**2 + tau**2
        return (Y / v).sum() / (1 / v).sum()

    mean = integrated(Y, SE, 0.2, mu)
    sd = integrated(Y, SE, 0.2, lambda t: 1 / (1 / (SE**2 + t**2)).sum() + (mu(t) - mean) ** 2) ** 0.5
    ahead = (sd**2 + integrated(Y, SE, 0.2, lambda t: t * t)) ** 0.5
    # Quadrature of the grid: midpoints would be better, and 1160 points are enough.
    assert found.means[0] == pytest.approx(mean, abs=2e-4)
    assert found.sds[0] == pytest.approx(sd, rel=2e-3)
    assert found.prediction_sds[0] == pytest.approx(ahead, rel=2e-3)


def test_one_study_keeps_its_value_and_is_widened_by_the_prior_of_the_scatter():
    found = hierarchical_means([0.3], [0.1], [0], tau_scale=0.2)
    assert found.means[0] == pytest.approx(0.3)
    # Half-normal: E[tau^2] = scale^2, once for the study's own place and once for the next study's.
    assert found.sds[0] == pytest.approx(np.sqrt(0.01 + 0.04), rel=2e-3)
    assert found.prediction_sds[0] == pytest.approx(np.sqrt(0.01 + 0.08), rel=2e-3)
    assert found.tau == pytest.approx(0.2 * norm.ppf(0.75), rel=5e-3)


def test_without_scatter_it_is_the_fixed_effect_mean():
    found = hierarchical_means(Y, SE, np.zeros(5, int), tau_scale=1e-6)
    weights = SE**-2 / (SE**-2).sum()
    assert found.means[0] == pytest.approx(weights @ Y)
    assert found.sds[0] == pytest.approx((SE**-2).sum() ** -0.5)


def test_groups_share_the_scatter_and_keep_their_means():
    y = np.array([0.0, 0.5, 1.0, 3.0, 3.5, 4.0])
    together = hierarchical_means(y, np.full(6, 0.05), [0, 0, 0, 1, 1, 1], tau_scale=0.5)
    alone = hierarchical_means(y[:3], np.full(3, 0.05), [0, 0, 0], tau_scale=0.5)
    assert together.means == pytest.approx([0.5, 3.5])
    assert together.tau_interval[1] - together.tau_interval[0] < alone.tau_interval[1] - alone.tau_interval[0]
    assert 0.3 < together.tau < 0.7


def test_the_interval_of_the_next_study_holds_95_per_cent():
    rng = np.random.default_rng(4)
    inside = []
    for _ in range(2000):
        tau = abs(rng.normal(0, 0.2))
        studies = rng.normal(0.4, tau, 5)
        found = hierarchical_means(
            studies[:4] + rng.normal(0, 0.1, 4), np.full(4, 0.1), [0] * 4, tau_scale=0.2
        )
        inside.append(abs(studies[4] - found.means[0]) < 1.96 * found.prediction_sds[0])
    # 99 % binomial band of 2000 around 0.95: the normal stands for a mixture of normals.
    assert 0.935 <= np.mean(inside) <= 0.965


@pytest.mark.parametrize(
    ("y", "se", "group", "scale", "code"),
    [
        ([], [], [], 0.2, "GP-I003"),
        ([0.1, np.nan], [0.1, 0.1], [0, 0], 0.2, "GP-I003"),
        ([0.1, 0.2], [0.1, -0.1], [0, 0], 0.2, "GP-I003"),
        ([0.1, 0.2], [0.1, 0.1], [0, 2], 0.2, "GP-I003"),
        ([0.1, 0.2], [0.1], [0, 0], 0.2, "GP-I003"),
        ([0.1], [0.1], [0], 0.0, "GP-I004"),
    ],
)
def test_what_cannot_be_pooled_is_refused(y, se, group, scale, code):
    with pytest.raises(InputError) as caught:
        hierarchical_means(y, se, group, tau_scale=scale)
    assert caught.value.code == code
