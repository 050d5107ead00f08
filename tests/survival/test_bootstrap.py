"""Bootstrap intervals: equal to scipy's on the same resamples, the same bits for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from glueprint import survival

RNG = np.random.Generator(np.random.Philox(11))
SAMPLE = RNG.exponential(3.0, 40)
EVENT = (RNG.random(40) < 0.7).astype(int)


def area(t, e):
    return survival.rmst(t, e, 3.0).value


@pytest.mark.parametrize("method", ["bca", "percentile"])
@pytest.mark.parametrize("level", [0.95, 0.8])
def test_equal_to_scipy_on_the_same_resamples(method, level):
    ours = survival.bootstrap(np.mean, SAMPLE, seed=5, n=500, method=method, level=level)
    theirs = stats.bootstrap(
        (SAMPLE,),
        np.mean,
        n_resamples=500,
        confidence_level=level,
        method=method.replace("bca", "BCa"),
        rng=np.random.Generator(np.random.Philox(5)),
    )
    assert ours.replicates.tolist() == pytest.approx(theirs.bootstrap_distribution.tolist(), rel=1e-14)
    limits = [ours.low, ours.high]
    assert limits == pytest.approx(list(theirs.confidence_interval), rel=1e-12)
    assert ours.std_error == pytest.approx(theirs.standard_error, rel=1e-12)


def test_the_same_seed_gives_the_same_bits_and_another_does_not():
    first, again, other = (survival.bootstrap(area, SAMPLE, EVENT, seed=s, n=200) for s in (3, 3, 4))
    assert first.replicates.tobytes() == again.replicates.tobytes()
    assert (first.low, first.high) == (again.low, again.high)
    assert first.replicates.tobytes() != other.replicates.tobytes()


def test_patients_are_resampled_within_their_arm():
    arm = np.repeat(["a", "b"], [30, 10])
    sizes = set()

    def share(labels, values):
        sizes.add(int((labels == "a").sum()))
        return values[labels == "a"].mean() - values[labels == "b"].mean()

    inside = survival.bootstrap(share, arm, SAMPLE, seed=1, n=200, within=arm, method="percentile")
    assert sizes == {30}
    assert inside.status == "ok"
    survival.bootstrap(share, arm, SAMPLE, seed=1, n=200, method="percentile")
    assert len(sizes) > 5


def test_acceleration_is_that_of_independent_samples():
    # scipy takes two samples apart, as `within` does, and makes its limits of the resamples given.
    arm = np.repeat([0, 1], [30, 10])
    first, second = SAMPLE[arm == 0], SAMPLE[arm == 1]
    ours = survival.bootstrap(
        lambda v, g: v[g == 1].mean() - v[g == 0].mean(), SAMPLE, arm, seed=2, n=4000, within=arm
    )
    result = stats.bootstrap((first, second), difference, n_resamples=2, method="percentile")
    result.bootstrap_distribution = ours.replicates
    theirs = stats.bootstrap(
        (first, second), difference, n_resamples=0, method="BCa", bootstrap_result=result
    )
    assert [ours.low, ours.high] == pytest.approx(list(theirs.confidence_interval), rel=1e-9)


def difference(x, y, axis=-1):
    return y.mean(axis=axis) - x.mean(axis=axis)


def test_the_error_of_a_restricted_mean_is_found_again():
    known = survival.rmst(SAMPLE, EVENT, 3.0)
    found = survival.bootstrap(area, SAMPLE, EVENT, seed=8, n=2000, method="percentile")
    assert found.estimate == known.value
    assert found.std_error == pytest.approx(known.std_error, rel=0.1)
    assert abs(found.bias) < 0.1 * known.std_error


def test_a_resample_that_is_refused_is_counted():
    # Some resamples of six patients hold one arm only, which the test refuses.
    time, event = [1.0, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 1]
    arm = [0, 0, 1, 1, 1, 1]
    found = survival.bootstrap(
        lambda t, e, g: survival.log_rank(t, e, g).chi2, time, event, arm, seed=1, n=300, method="percentile"
    )
    assert 0 < found.undefined < 300
    assert np.isnan(found.replicates).sum() == found.undefined
