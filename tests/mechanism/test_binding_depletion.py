"""Glues that run short, racemates and bivalent degraders: balances, limits, hook and no hook."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glueprint.errors import InputError
from glueprint.mechanism import binding, mass_action

concentration = st.floats(1e-6, 1e7)
cooperativity = st.floats(1e-3, 1e3)
IKZF1, CK1ALPHA = (252.0, 4.2), (2300.0, 30.7)
K0, ALPHA = zip(IKZF1, CK1ALPHA, strict=True)


@given(
    glue=concentration, cereblon=concentration, s1=concentration, s2=concentration, kd=concentration,
    k0=concentration, alpha=cooperativity,
)  # fmt: skip
def test_every_partner_is_conserved(glue, cereblon, s1, s2, kd, k0, alpha):
    got = binding.ternary_depleted(
        [[glue]], [cereblon], [[s1, s2]], kd=[kd], intrinsic_kd=[k0, 2300.0], alpha=[alpha, 30.7]
    )
    with_cereblon = got.binary.sum() + got.bound_without_glue.sum() + got.ternary.sum()
    assert got.cereblon_free[0] + with_cereblon == pytest.approx(cereblon, rel=1e-13)
    assert got.glue_free + got.binary + got.ternary.sum(-1) == pytest.approx(glue, rel=1e-13)
    on_substrates = got.bound_without_glue + got.ternary.sum(1)
    assert (got.substrate_free + on_substrates)[0] == pytest.approx([s1, s2], rel=1e-13)
    # Detailed balance: every constant is met, around the cycle too.
    assert got.cereblon_free * got.glue_free[0] == pytest.approx(kd * got.binary[0], rel=1e-12)
    assert got.binary[0] * got.substrate_free[0, 0] * alpha == pytest.approx(
        k0 * got.ternary[0, 0, 0], rel=1e-12, abs=1e-300
    )


def test_a_glue_has_no_hook_even_when_it_runs_short():
    totals = np.logspace(-3, 8, 300)
    got = binding.ternary_depleted(
        totals[:, None], [130.0], [[100.0, 780.0]], kd=[264.0], intrinsic_kd=K0, alpha=ALPHA
    )
    assert np.all(np.diff(got.ternary.sum((1, 2))) > 0.0)
    alone = binding.ternary_depleted(
        totals[:, None], [130.0], [[100.0]], kd=[264.0], intrinsic_kd=[252.0], alpha=[4.2]
    )
    assert np.all(np.diff(alone.ternary[:, 0, 0]) > 0.0)


def test_a_competing_substrate_may_turn_the_first_one_back_at_high_dose():
    # No hook of the glue: a substrate of higher alpha takes the cereblon from one that gains nothing.
    totals = np.logspace(0, 7, 100)
    got = binding.ternary_depleted(
        totals[:, None], [13.0], [[10.0, 5000.0]], kd=[264.0], intrinsic_kd=[50.0, 2300.0], alpha=[1.0, 300.0]
    )
    first = got.ternary[:, 0, 0] + got.bound_without_glue[:, 0]
    assert np.all(np.diff(first) < 0.0)


def test_a_glue_in_excess_is_the_limit():
    # 1 mM glue beside 13 nM cereblon: at most 13 nM of it is bound.
    short = binding.ternary_depleted(
        [[1e6]], [13.0], [[100.0, 780.0]], kd=[264.0], intrinsic_kd=K0, alpha=ALPHA
    )
    excess = binding.ternary([1e6], [13.0], [[100.0, 780.0]], kd=[264.0], intrinsic_kd=K0, alpha=ALPHA)
    assert short.ternary[0, 0] == pytest.approx(excess.ternary[0], rel=1e-7)
    exactly = binding.ternary(
        short.glue_free[:, 0], [13.0], [[100.0, 780.0]], kd=[264.0], intrinsic_kd=K0, alpha=ALPHA
    )
    assert short.ternary[0, 0] == pytest.approx(exactly.ternary[0], rel=1e-13)


def test_without_glue_only_the_intrinsic_affinity_acts():
    got = binding.ternary_depleted([[0.0]], [13.0], [[100.0]], kd=[264.0], intrinsic_kd=[252.0], alpha=[4.2])
    assert got.ternary[0, 0, 0] == 0.0
    assert got.glue_free[0, 0] == 0.0
    assert got.bound_without_glue[0, 0] == pytest.approx(
        float(binding.binary_complex(13.0, 100.0, 252.0)), rel=1e-13
    )


def test_a_glue_that_blocks_keeps_the_substrate_away():
    got = binding.ternary_depleted([[1e7]], [13.0], [[100.0]], kd=[1.0], intrinsic_kd=[252.0], alpha=[0.0])
    assert got.ternary[0, 0, 0] == 0.0
    assert got.bound_without_glue[0, 0] < 1e-5


def test_a_racemate_in_excess_acts_with_the_mean_of_both_affinities():
    kd = float(binding.racemate_kd(145.2, 1452.0))
    assert kd == pytest.approx(264.0)
    halves = binding.ternary_depleted(
        [[5e5, 5e5]], [13.0], [[100.0]], kd=[145.2, 1452.0], intrinsic_kd=[252.0], alpha=[4.2]
    )
    whole = binding.ternary_depleted([[1e6]], [13.0], [[100.0]], kd=[kd], intrinsic_kd=[252.0], alpha=[4.2])
    assert halves.ternary.sum() == pytest.approx(whole.ternary.sum(), rel=1e-5)
    assert halves.ternary[0, 0, 0] / halves.ternary[0, 1, 0] == pytest.approx(10.0, rel=1e-4)


def test_a_racemate_that_runs_short_has_no_single_affinity():
    # Half of the glue is nearly inert, so 10 nM racemate fills less of 10 nM cereblon than one Kd would say.
    halves = binding.ternary_depleted(
        [[50.0, 50.0]], [100.0], [[0.0]], kd=[0.55, 5.5], intrinsic_kd=[252.0], alpha=[4.2]
    )
    whole = binding.binary_complex(100.0, 100.0, float(binding.racemate_kd(0.55, 5.5)))
    assert halves.binary.sum() < 0.98 * float(whole)


def test_pure_forms_are_the_ends_of_the_racemate():
    assert float(binding.racemate_kd(145.2, 1452.0, 1.0)) == pytest.approx(145.2)
    assert float(binding.racemate_kd(145.2, 1452.0, 0.0)) == pytest.approx(1452.0)
    with pytest.raises(InputError, match=r"GP-M008 binding, 1 - s_share"):
        binding.racemate_kd(1.0, 10.0, 1.5)


@given(
    b=concentration, a=concentration, c=concentration, k1=concentration, k2=concentration, alpha=cooperativity
)
def test_a_bivalent_degrader_conserves_all_three(b, a, c, k1, k2, alpha):
    got = binding.bivalent(b, a, c, kd_ligase=k1, kd_target=k2, alpha=alpha)
    assert float(got.ligase_free + got.with_ligase + got.ternary) == pytest.approx(a, rel=1e-13)
    assert float(got.degrader_free + got.with_ligase + got.with_target + got.ternary) == pytest.approx(
        b, rel=1e-13
    )
    assert float(got.target_free + got.with_target + got.ternary) == pytest.approx(c, rel=1e-13)


@given(b=concentration, a=concentration, c=concentration, k1=concentration, k2=concentration)
def test_without_cooperativity_the_closed_form_holds(b, a, c, k1, k2):
    got = binding.bivalent(b, a, c, kd_ligase=k1, kd_target=k2)
    closed = binding.bivalent_without_cooperativity(b, a, c, kd_ligase=k1, kd_target=k2)
    assert float(got.ternary) == pytest.approx(float(closed), rel=1e-12)


@given(
    b=concentration, a=concentration, c=concentration, k1=concentration, k2=concentration, alpha=cooperativity
)
def test_given_what_is_free_the_closed_form_holds_at_any_cooperativity(b, a, c, k1, k2, alpha):
    got = binding.bivalent(b, a, c, kd_ligase=k1, kd_target=k2, alpha=alpha)
    closed = binding.bivalent_at_free(got.degrader_free, a, c, kd_ligase=k1, kd_target=k2, alpha=alpha)
    assert float(got.ternary) == pytest.approx(float(closed), rel=1e-12)


@pytest.mark.parametrize("alpha", [0.1, 1.0, 50.0])
def test_the_hook_stands_at_the_mean_of_both_affinities(alpha):
    free = np.logspace(-3, 7, 20001)
    complexes = binding.bivalent_at_free(free, 20.0, 300.0, kd_ligase=264.0, kd_target=8.0, alpha=alpha)
    top = int(np.argmax(complexes))
    assert free[top] == pytest.approx(float(binding.hook_peak(264.0, 8.0)), rel=2e-3)
    assert np.all(np.diff(complexes[: top + 1]) > 0.0)
    assert np.all(np.diff(complexes[top:]) < 0.0)
    # Far above both constants each further degrader takes the complex apart in proportion.
    assert complexes[-1] * free[-1] == pytest.approx(alpha * 20.0 * 300.0, rel=5e-3)


def test_totals_rise_into_a_hook_too():
    totals = np.logspace(0, 7, 200)
    got = binding.bivalent(totals, 20.0, 300.0, kd_ligase=264.0, kd_target=8.0, alpha=5.0)
    top = int(np.argmax(got.ternary))
    assert 0 < top < 199
    assert got.ternary[-1] < 0.01 * got.ternary[top]


def test_a_bivalent_degrader_that_hardly_binds_its_target_alone_is_a_glue():
    # The same ternary constant from both rooms, with the other binary complex too weak to count.
    degrader = binding.bivalent(
        np.array([10.0, 1e3]), 13.0, 100.0, kd_ligase=264.0, kd_target=1e13, alpha=4.2e10
    )
    glue = binding.ternary_depleted(
        [[10.0], [1e3]], [13.0], [[100.0]], kd=[264.0], intrinsic_kd=[1e13], alpha=[4.2e10]
    )
    assert degrader.ternary == pytest.approx(glue.ternary[:, 0, 0], rel=1e-6)


def test_arrays_broadcast_and_keep_their_shape():
    got = binding.bivalent(np.ones((4, 1)), np.ones(3), 2.0, kd_ligase=1.0, kd_target=1.0)
    assert got.ternary.shape == (4, 3)
    found = binding.competition(np.ones((4, 1)), np.ones(3), 2.0, tracer_kd=1.0, ki=1.0)
    assert found.tracer_bound.shape == (4, 3)
    glue = binding.ternary(np.ones((2, 3)), 13.0, [100.0], kd=264.0, intrinsic_kd=[252.0], alpha=[4.2])
    assert glue.ternary.shape == (2, 3, 1)


def test_impossible_numbers_are_refused_by_name():
    with pytest.raises(InputError, match=r"GP-M008 binding, glues: "):
        binding.ternary_depleted([[-1.0]], [1.0], [[1.0]], kd=[1.0], intrinsic_kd=[1.0], alpha=[1.0])
    with pytest.raises(InputError, match=r"GP-M008 binding, kd_target: "):
        binding.bivalent(1.0, 1.0, 1.0, kd_ligase=1.0, kd_target=0.0)


def test_a_hundred_thousand_balances_all_settle():
    rng = np.random.default_rng(77)
    n = 100_000
    totals, constants = 10.0 ** rng.uniform(-6, 7, (n, 4)), 10.0 ** rng.uniform(-7, 6, (n, 3))
    alpha = 10.0 ** rng.uniform(-3, 3, (n, 2))
    together = constants[:, :1] * constants[:, 1:] * alpha
    members = ((0, 1), (0, 2), (0, 3), (0, 1, 2), (0, 1, 3))
    found = mass_action.solve(totals, np.concatenate([constants, together], axis=1), members)
    assert found.settled.all()
    balance = found.free.copy()
    for column, parts in enumerate(members):
        for part in parts:
            balance[:, part] += found.complexes[:, column]
    np.testing.assert_allclose(balance, totals, rtol=1e-14)
