"""Quality numbers by hand, their symmetries, and what one bad well does to them."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.assays import quality
from glueprint.errors import InputError

HIGH, LOW = [10.0, 12.0, 11.0], [1.0, 2.0, 3.0]


def test_by_hand():
    # Means 11 and 2, both SDs (n - 1) exactly 1: Z' = 1 - 3 * 2 / 9; SSMD = 9 / sqrt(2). MADs are 1.
    assert quality.z_prime(HIGH, LOW) == pytest.approx(1.0 - 6.0 / 9.0)
    assert quality.ssmd(HIGH, LOW) == pytest.approx(9.0 / np.sqrt(2.0))
    assert quality.robust_z_prime(HIGH, LOW) == pytest.approx(1.0 - 3.0 * 2.0 * 1.482602218505602 / 9.0)


def test_swapping_the_controls_only_turns_the_sign_of_ssmd():
    assert quality.z_prime(LOW, HIGH) == quality.z_prime(HIGH, LOW)
    assert quality.ssmd(LOW, HIGH) == -quality.ssmd(HIGH, LOW)


def test_units_do_not_matter():
    scaled = ([1000.0 * x - 5.0 for x in HIGH], [1000.0 * x - 5.0 for x in LOW])
    for number in (quality.z_prime, quality.robust_z_prime, quality.ssmd):
        assert number(*scaled) == pytest.approx(number(HIGH, LOW))


def test_one_bad_well_moves_the_plain_number_and_hardly_the_robust_one():
    rng = np.random.default_rng(1)
    high, low = rng.normal(100.0, 3.0, 16), rng.normal(10.0, 3.0, 16)
    spoilt = high.copy()
    spoilt[0] = 0.0
    assert quality.z_prime(high, low) - quality.z_prime(spoilt, low) > 0.5
    assert abs(quality.robust_z_prime(high, low) - quality.robust_z_prime(spoilt, low)) < 0.1


def test_robust_agrees_with_plain_on_normal_wells():
    rng = np.random.default_rng(2)
    high, low = rng.normal(100.0, 5.0, 20000), rng.normal(0.0, 5.0, 20000)
    assert quality.robust_z_prime(high, low) == pytest.approx(quality.z_prime(high, low), abs=0.01)


def test_perfect_controls_are_perfect():
    assert quality.z_prime([2.0, 2.0], [1.0, 1.0]) == 1.0
    assert quality.ssmd([2.0, 2.0], [1.0, 1.0]) == np.inf


@pytest.mark.parametrize(("high", "low"), [([1.0], LOW), (HIGH, []), ([1.0, np.nan], LOW), (LOW, LOW)])
def test_controls_that_say_nothing_are_refused(high, low):
    for number in (quality.z_prime, quality.robust_z_prime, quality.ssmd):
        with pytest.raises(InputError, match="GP-A008"):
            number(high, low)
