"""Random streams: numpy's Philox, independence of neighbours, and the distribution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from glueprint.runs import streams


def test_equals_numpy_philox_word_for_word():
    key = np.array(streams._key(7, "death"), dtype=np.uint64)
    for unit in (0, 1, 4242):
        # numpy steps the counter before its first block, so it starts one block earlier.
        start = np.array([2**64 - 1, 2**64 - 1, 2**64 - 1, (unit - 1) % 2**64], dtype=np.uint64)
        raw = np.random.Philox(counter=start, key=key).random_raw(12)
        expected = ((raw >> np.uint64(11)).astype(float) + 0.5) * 2.0**-53
        assert np.array_equal(streams.uniforms(7, "death", [unit], 12)[0], expected)


@pytest.mark.parametrize("count", [0, 1, 3, 5, 8, 730])
def test_any_count_of_several_streams(count):
    units, which = np.array([3, 0, 2**40, 3]), np.array([1, 0, 1, 0])
    drawn = streams.uniforms(7, ["death", "labs"], units, count, which)
    assert drawn.shape == (4, count)
    for row, (unit, name) in zip(
        drawn, zip(units, ["labs", "death", "labs", "death"], strict=True), strict=True
    ):
        assert np.array_equal(row, streams.uniforms(7, name, [unit], 732)[0, :count])
    with pytest.raises(IndexError):
        streams.uniforms(7, ["death", "labs"], units, count, which + 1)


def test_a_unit_does_not_see_its_neighbours():
    together = streams.normals(1, "covariates", np.arange(50), 7)
    shuffled = np.random.default_rng(3).permutation(50)
    assert np.array_equal(streams.normals(1, "covariates", shuffled, 7), together[shuffled])
    assert np.array_equal(streams.normals(1, "covariates", [9], 7)[0], together[9])


def test_more_numbers_extend_the_stream():
    assert np.array_equal(streams.uniforms(1, "x", [5], 9)[:, :4], streams.uniforms(1, "x", [5], 4))


@pytest.mark.parametrize("change", [{"seed": 2}, {"purpose": "y"}, {"units": [6]}])
def test_seed_purpose_and_unit_all_matter(change):
    base = {"seed": 1, "purpose": "x", "units": [5]}
    assert not np.array_equal(streams.uniforms(**base, count=4), streams.uniforms(**(base | change), count=4))


def test_numbers_are_uniform_and_normal():
    assert stats.kstest(streams.uniforms(11, "u", np.arange(5000), 4).ravel(), "uniform").pvalue > 1e-3
    assert stats.kstest(streams.normals(11, "n", np.arange(5000), 4).ravel(), "norm").pvalue > 1e-3
