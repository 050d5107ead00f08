"""Pooling in two levels with limits: the t interval, REML, a direct likelihood and the meaning of a limit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from glueprint.errors import InputError
from glueprint.inference import random_effects
from glueprint.inference.nested_effects import nested_effects
from glueprint.inference.nested_likelihood import Group, log_likelihood

# Two donors of three and two experiments, two more of two each.
NESTED = np.array([1.0, 1.3, 0.7, 1.9, 1.2, 1.0, 0.4, 0.5, 0.45])
DONOR = np.array([0, 0, 0, 1, 1, 2, 2, 3, 3])


@pytest.mark.parametrize("values", [[1.0, 1.3, 0.7, 1.9], [5.0, 5.2], np.linspace(-3.0, 8.0, 12)])
def test_values_without_own_error_give_the_t_interval(values):
    y = np.asarray(values)
    found = nested_effects(y, y, np.zeros(y.size), np.arange(y.size))
    wanted = stats.t.interval(0.95, y.size - 1, y.mean(), stats.sem(y))
    assert found.mean == pytest.approx(y.mean(), rel=1e-7)
    assert found.interval == pytest.approx(wanted, rel=1e-5)
    assert found.tau_group == pytest.approx(y.std(ddof=1), rel=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_one_level_is_the_restricted_likelihood_of_random_effects(seed):
    draw = np.random.default_rng(seed)
    error = draw.uniform(0.05, 0.3, 6)
    y = draw.normal(7.0, 0.2, 6) + draw.normal(0.0, error)
    ours, plain = nested_effects(y, y, error, np.arange(6)), random_effects(y, error)
    assert ours.mean == pytest.approx(plain.mean, abs=1e-5)
    assert ours.tau_group == pytest.approx(plain.tau, abs=1e-4)


def test_balanced_groups_are_the_analysis_of_variance():
    y = np.array([1.0, 1.2, 2.0, 2.1, 3.1, 3.4, 0.2, 0.1]).reshape(4, 2)
    found = nested_effects(y.ravel(), y.ravel(), np.zeros(8), np.repeat(np.arange(4), 2))
    within = y.var(axis=1, ddof=1).mean()
    between = y.mean(axis=1).var(ddof=1) - within / 2
    assert found.tau_unit == pytest.approx(np.sqrt(within), rel=1e-4)
    assert found.tau_group == pytest.approx(np.sqrt(between), rel=1e-4)
    assert found.mean == pytest.approx(y.mean(), rel=1e-7)
    # The profile over both scatters at once is that of the groups' means: a t interval on 3 degrees.
    wanted = stats.t.interval(0.95, 3, y.mean(), stats.sem(y.mean(axis=1)))
    assert found.interval == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize(("mean", "group", "unit"), [(0.9, 0.4, 0.3), (1.4, 0.2, 0.5), (0.2, 0.6, 0.2)])
def test_limits_enter_by_their_probability(mean, group, unit):
    """Against quadrature over every donor's mean, with one limit in two donors and two limits in another."""
    low, high = NESTED.copy(), NESTED.copy()
    high[[3, 7, 8]], low[6] = np.inf, -np.inf
    width = np.hypot(0.1, unit)

    def density(m, donor):
        value = stats.norm.pdf(m, mean, group)
        for i in np.flatnonzero(donor == DONOR):
            inside = stats.norm.cdf(high[i], m, width) - stats.norm.cdf(low[i], m, width)
            value *= stats.norm.pdf(low[i], m, width) if low[i] == high[i] else inside
        return value

    wanted = sum(
        np.log(integrate.quad(density, mean - 6, mean + 6, args=(donor,), epsabs=1e-12)[0])
        for donor in range(4)
    )
    parts = []
    for donor in range(4):
        has, lacks = (low == high) & (donor == DONOR), (low != high) & (donor == DONOR)
        error = np.full(9, 0.1)
        parts.append(Group(low[has], error[has], low[lacks], high[lacks], error[lacks]))
    found = log_likelihood(tuple(parts), *(np.array([value]) for value in (mean, group, unit)))
    assert found[0] == pytest.approx(wanted, abs=1e-4)


def test_a_limit_pulls_the_mean_but_not_as_far_as_one_thinks():
    y, error = np.array([6.0, 6.2, 5.9, 5.0]), np.full(4, 0.05)
    without = nested_effects(y[:3], y[:3], error[:3], np.arange(3))
    limit = nested_effects(np.append(y[:3], -np.inf), y, error, np.arange(4))
    as_value = nested_effects(y, y, error, np.arange(4))
    assert limit.mean < as_value.mean < without.mean
    assert limit.tau_group > without.tau_group


def test_a_limit_that_says_nothing_changes_nothing_but_the_count():
    y = np.array([6.0, 6.2, 5.9])
    error = np.full(3, 0.05)
    with_empty = nested_effects(np.append(y, -np.inf), np.append(y, 90.0), np.full(4, 0.05), np.arange(4))
    without = nested_effects(y, y, error, np.arange(3))
    assert with_empty.mean == pytest.approx(without.mean, abs=1e-6)
    assert (with_empty.groups, without.groups) == (4, 3)


def test_every_group_lies_between_its_own_mean_and_the_pooled_one():
    found = nested_effects(NESTED, NESTED, np.full(9, 0.1), DONOR)
    own = np.array([NESTED[donor == DONOR].mean() for donor in range(4)])
    assert np.all((found.group_means - own) * (found.group_means - found.mean) <= 0.0)


def test_it_moves_and_scales_with_the_data():
    error = np.full(9, 0.1)
    one = nested_effects(NESTED, NESTED, error, DONOR)
    two = nested_effects(3.0 * NESTED - 7.0, 3.0 * NESTED - 7.0, 3.0 * error, DONOR)
    assert two.mean == pytest.approx(3.0 * one.mean - 7.0, abs=1e-4)
    assert two.interval == pytest.approx(tuple(3.0 * bound - 7.0 for bound in one.interval), abs=1e-4)
    assert two.tau_group == pytest.approx(3.0 * one.tau_group, rel=1e-3)


@pytest.mark.parametrize(
    ("low", "high", "error", "group", "level", "code"),
    [
        ([1.0], [1.0], [0.1], [0], 0.95, "GP-I003"),
        ([1.0, 2.0], [1.0, np.inf], [0.1, 0.1], [0, 1], 0.95, "GP-I003"),
        ([1.0, 2.0], [1.0, 2.0], [0.1, 0.1], [0, 0], 0.95, "GP-I003"),
        ([1.0, 2.0], [1.0, 2.0], [0.1, -0.1], [0, 1], 0.95, "GP-I003"),
        ([1.0, 2.0], [1.0, 1.0], [0.1, 0.1], [0, 1], 0.95, "GP-I003"),
        ([1.0, 2.0], [1.0, 2.0], [0.1, 0.1], [0, 1], 95.0, "GP-I004"),
    ],
)
def test_what_cannot_be_pooled_is_refused(low, high, error, group, level, code):
    with pytest.raises(InputError, match=code):
        nested_effects(low, high, error, group, level=level)
