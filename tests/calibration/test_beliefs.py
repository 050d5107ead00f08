"""Priors as maps of a standard normal number: their medians, spreads and inverses."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from glueprint.calibration import clinical
from glueprint.calibration.beliefs import Belief, of_quantity, verdict
from glueprint.calibration.in_vitro.parameters import COORDINATES, beliefs, free
from glueprint.mechanism import compounds

Z = np.linspace(-6, 6, 25)
SHAPES = [
    (Belief("a", "nM", "lognormal", 264.0, 0.3, "here"), stats.lognorm(0.3 * np.log(10), scale=264.0)),
    (Belief("b", "1", "uniform", 0.5, 1.0, "here"), stats.uniform(0.5, 0.5)),
    (Belief("c", "log10", "half-normal", 0.0, 0.5, "here"), stats.halfnorm(scale=0.5)),
]


@pytest.mark.parametrize(("belief", "truth"), SHAPES, ids=lambda x: getattr(x, "shape", ""))
def test_a_standard_normal_number_becomes_the_prior(belief, truth):
    np.testing.assert_allclose(belief.value(Z), truth.ppf(stats.norm.cdf(Z)), rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(belief.standard(belief.value(Z)), Z, atol=1e-5)
    levels = np.array([0.025, 0.5, 0.975])
    np.testing.assert_allclose(belief.quantiles(levels), truth.ppf(levels), rtol=1e-9)


def test_a_logit_normal_prior():
    belief = Belief("d", "1", "logit-normal", 0.7, 0.45, "here")
    np.testing.assert_allclose(belief.value(np.zeros(1)), 0.7)
    # 0.56 to 0.88 of PK008 as 95 %, to the rounding of the spread.
    np.testing.assert_allclose(belief.quantiles(np.array([0.025, 0.975])), [0.49, 0.85], atol=0.01)
    np.testing.assert_allclose(belief.standard(belief.value(Z)), Z, atol=1e-9)


@pytest.mark.parametrize(("belief", "truth"), SHAPES, ids=lambda x: getattr(x, "shape", ""))
def test_the_spread_is_that_of_the_scale_it_is_compared_on(belief, truth):
    draws = belief.value(np.random.default_rng(1).normal(size=200_000))
    assert belief.scaled(draws).std() == pytest.approx(belief.sd, rel=0.01)


def test_fixed_is_fixed():
    belief = Belief("e", "1", "fixed", 1.0, 0.0, "here")
    np.testing.assert_array_equal(belief.value(Z), 1.0)
    np.testing.assert_array_equal(belief.standard(np.ones(3)), 0.0)
    assert str(belief) == "fixed at 1"


def test_a_files_own_prior_is_taken_as_it_stands():
    unbound = compounds.load("pomalidomide").pharmacology.fraction_unbound
    assert str(of_quantity("unbound", unbound, "file")) == "logit-normal, median 0.7, SD 0.45 logit"


def test_every_parameter_has_a_prior_with_a_reason_and_none_is_fixed():
    known = beliefs()
    assert set(free()) <= set(known)
    assert len(COORDINATES) == len(set(COORDINATES)) == 36
    for belief in known.values():
        assert belief.why, belief.name
        assert belief.shape != "fixed", belief.name


def test_no_prior_was_made_with_a_claim_of_the_likelihood():
    # A number may count once: neither twice in the fit, nor in a prior as well.
    for belief in known_to_files():
        assert not {e for e in belief.evidence if e.startswith("G")}, belief.name
        assert not set(belief.evidence) & {"BIN-001", "BIN-004", "IMM-001", "IMM-006", "DWN-001", "DWN-003"}


def known_to_files():
    return [b for b in beliefs().values() if b.source != "calibration/data/in_vitro.toml"]


def test_what_a_contraction_says_changes_at_a_half_and_at_a_fifth():
    words = [verdict(learnt) for learnt in (1.0, 0.5, 0.499, 0.2, 0.199, 0.0, -0.1)]
    assert words == ["identified"] * 2 + ["weakly identified"] * 2 + ["not identified"] * 3


@pytest.mark.parametrize(("structure", "scope"), clinical.SHIPPED)
def test_posteriors_that_come_with_glueprint_carry_these_words(structure, scope):
    found = clinical.posterior(structure, scope)
    learnt = found.parameters["contraction"]
    assert found.parameters["verdict"].to_list() == [verdict(share) for share in learnt]
    # Fewer are set than are free, and fewer than there are summaries.
    assert 5 < found.effective_parameters < min(found.parameters.height, found.targets) - 5
