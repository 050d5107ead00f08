"""Draws of a compound reach a trial: relative to the reference's, with its own pharmacokinetics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from glueprint import trials
from glueprint.calibration import clinical, compound
from glueprint.errors import InputError
from glueprint.mechanism import Quantity, Scenario, compounds, parameters
from glueprint.mechanism.quantities import LognormalPrior
from glueprint.trials import ParameterDraws

PAIRS = ("ikzf1_myeloma", "ikzf3_myeloma", "ikzf1_tcell", "ikzf3_tcell", "ikzf1_progenitor")


@pytest.fixture(scope="module")
def reference():
    return compounds.load("pomalidomide")


@pytest.fixture(scope="module")
def bedside():
    return clinical.posterior().for_trial("mm003", count=1000)


def glue_of(posterior, reference, **more):
    return compound.compound_of(
        posterior,
        structure=reference.structure,
        pk=reference.pk,
        fraction_unbound=reference.pharmacology.fraction_unbound,
        **more,
    )


@pytest.fixture(scope="module")
def identity(same, reference, bedside):
    return compound.trial_draws(same, glue_of(same, reference), bedside)


def column(draws, name):
    return draws.values[:, draws.names.index(name)]


def spread(values):
    return float(np.std(np.log10(values)))


def test_identity_keeps_the_centre_and_adds_only_the_ratios_own_error(identity, bedside, same):
    assert identity.label == "predicted"
    ours, theirs = column(identity, "kd_nm"), column(bedside, "kd_nm")
    assert np.median(ours) == pytest.approx(np.median(theirs), rel=0.1)
    added = spread(same.column("kd_ratio"))
    assert spread(theirs) * 0.99 < spread(ours) < np.hypot(spread(theirs), added) * 1.03
    for pair in PAIRS:
        ours, theirs = column(identity, f"{pair}_rho"), column(bedside, f"{pair}_capacity")
        assert np.median(ours) == pytest.approx(np.median(theirs), rel=0.1)
        assert spread(ours) > 0.98 * spread(theirs)


def test_identity_adds_no_pharmacokinetics_that_the_clinical_fit_has_seen(identity, bedside):
    assert set(identity.names) == {*bedside.names, *(f"{pair}_rho" for pair in PAIRS)}


def test_rows_stand_beside_the_references_rows(identity, bedside):
    for name in ("growth_per_d", "study_death_ratio", "ikzf1_myeloma_capacity"):
        assert (column(identity, name) == column(bedside, name)).all()
    ratio = column(identity, "kd_nm") / column(bedside, "kd_nm")
    assert np.corrcoef(np.log(ratio), np.log(column(bedside, "kd_nm")))[0, 1] == pytest.approx(0.0, abs=0.15)


def test_a_trial_with_both_glues_gives_each_its_own(identity, bedside, reference, same):
    truth = identity.truth(3)
    ours, theirs = truth.scenario(glue_of(same, reference)), truth.scenario(reference)
    assert dict(theirs.overrides) == dict(bedside.truth(3).overrides)
    assert ours.overrides["kd_nm"] == identity.truth(3).overrides["kd_nm"] != theirs.overrides["kd_nm"]


def test_the_draws_are_what_a_trial_takes(identity):
    scenario = Scenario(identity.compound, identity.structure, identity.truth(1).overrides)
    values = parameters.typical(scenario)
    assert values["ikzf1_tcell_rho"] == pytest.approx(column(identity, "ikzf1_tcell_rho")[0])


def test_wider_measurements_give_wider_draws(plates, reference, bedside):
    widths = []
    for se in (0.03, 0.2, 0.5):
        found = plates(se=se).fit()
        draws = compound.trial_draws(found, glue_of(found, reference), bedside)
        widths.append(spread(column(draws, "kd_nm") / column(bedside, "kd_nm")))
    assert widths[0] < widths[1] < widths[2]


def test_without_a_reference_the_constant_is_what_is_known(plates, reference, bedside):
    """A row in which the reference binds more weakly must say that the ratio is smaller."""
    found = plates(reference=False, parts=("fp", "degradation")).fit()
    draws = compound.trial_draws(found, glue_of(found, reference), bedside)
    ratio = column(draws, "kd_nm") / column(bedside, "kd_nm")
    assert np.corrcoef(np.log(ratio), np.log(column(bedside, "kd_nm")))[0, 1] < -0.2
    assert spread(column(draws, "kd_nm")) < np.hypot(spread(column(bedside, "kd_nm")), spread(ratio))


def test_the_same_seed_gives_the_same_bits(same, reference, bedside, identity):
    glue = glue_of(same, reference)
    assert (compound.trial_draws(same, glue, bedside).values == identity.values).all()
    assert (compound.trial_draws(same, glue, bedside, seed=2).values != identity.values).any()


def test_pharmacokinetics_of_its_own_are_drawn_from_their_priors(same, reference, bedside):
    said = reference.pk.model_dump(exclude_none=True)
    wide = {"distribution": "lognormal", "sd_log10": 0.2}
    said["clearance_l_per_h"] |= {"prior": wide, "role": "assumed", "why": "scaled"}
    pk = type(reference.pk).model_validate(said)
    glue = compound.compound_of(
        same, structure=reference.structure, pk=pk, fraction_unbound=reference.pharmacology.fraction_unbound
    )
    draws = compound.trial_draws(same, glue, bedside)
    clearance = column(draws, "clearance_l_per_h")
    assert np.median(clearance) == pytest.approx(7.78, rel=0.05)
    assert spread(clearance) == pytest.approx(0.2, rel=0.1)


def test_more_rows_than_draws_use_them_again(same, reference, bedside):
    many = ParameterDraws(bedside.names, np.tile(bedside.values, (3, 1)), bedside.structure, bedside.label)
    assert len(compound.trial_draws(same, glue_of(same, reference), many).values) == 3000


def test_draws_of_another_compound_are_refused(same, reference, bedside):
    other = replace(bedside, compound=compounds.load("lenalidomide"))
    with pytest.raises(InputError, match="GP-K035"):
        compound.trial_draws(same, glue_of(same, reference), other)


def test_draws_without_the_affinity_are_refused(same, reference, bedside):
    bare = ParameterDraws(("growth_per_d",), np.full((3, 1), 0.017))
    with pytest.raises(InputError, match="GP-K035"):
        compound.trial_draws(same, glue_of(same, reference), bare)


def test_a_glue_known_by_its_file_carries_what_its_file_does_not_know(bedside):
    glue = compounds.load("lenalidomide")
    found = compound.file_draws(glue, bedside)
    assert (found.compound.digest, found.label, found.beside) == (glue.digest, bedside.label, bedside)
    pharmacology = glue.pharmacology
    ratio = column(found, "kd_nm") / column(bedside, "kd_nm")
    assert np.median(ratio) == pytest.approx(1.0, rel=0.1)
    assert spread(ratio) == pytest.approx(pharmacology.kd_nm.prior.sd_log10, rel=0.1)
    for pair in PAIRS:
        efficacy = column(found, f"{pair}_rho") / column(bedside, f"{pair}_capacity")
        known = pharmacology.efficacy[pair[:5].upper()]
        assert np.median(efficacy) == pytest.approx(known.typical, rel=0.15)
        assert spread(efficacy) == pytest.approx(known.prior.sd_log10, rel=0.1)
    assert spread(column(found, "clearance_l_per_h")) == pytest.approx(0.15, rel=0.1)
    for name in ("growth_per_d", "omega2.growth_per_d"):
        assert np.array_equal(column(found, name), column(bedside, name))


def test_a_rho_that_a_file_states_is_drawn_from_its_own_prior(reference, bedside):
    """It needs no capacity and no efficacy, and is not multiplied by either."""
    prior = LognormalPrior(distribution="lognormal", sd_log10=0.2)
    stated = Quantity(typical=3.0, unit="dimensionless", role="assumed", why="stated", prior=prior)
    pharmacology = reference.pharmacology.model_copy(
        update={
            "rho": {pair: stated for pair in PAIRS if pair.startswith("ikzf1")},
            "efficacy": {"IKZF3": reference.pharmacology.efficacy["IKZF3"]},
        }
    )
    own = reference.model_copy(update={"name": "own", "pharmacology": pharmacology})
    found = compound.file_draws(own, bedside)
    rho = column(found, "ikzf1_tcell_rho")
    assert np.median(rho) == pytest.approx(3.0, rel=0.1)
    assert spread(rho) == pytest.approx(0.2, rel=0.1)
    assert np.array_equal(column(found, "ikzf3_myeloma_rho"), column(bedside, "ikzf3_myeloma_capacity"))


def test_a_copy_of_the_reference_is_the_reference_in_every_draw(reference, bedside):
    changed = reference.pk.model_copy(
        update={"lag_h": reference.pk.lag_h.model_copy(update={"typical": 0.3})}
    )
    found = compound.file_draws(reference.model_copy(update={"name": "copy", "pk": changed}), bedside)
    for name in ("kd_nm", "fraction_unbound"):
        assert name not in bedside.names or np.array_equal(column(found, name), column(bedside, name))
    for pair in PAIRS:
        assert np.array_equal(column(found, f"{pair}_rho"), column(bedside, f"{pair}_capacity"))


def test_each_glue_of_a_protocol_has_draws_of_its_own():
    plan = trials.load_protocol("mm002")
    first, second = plan.arms[0], plan.arms[1]
    len_, avd = compounds.load("lenalidomide"), compounds.load("avadomide")
    given = [trials.with_glue(plan, len_, dose_mg=25.0, rules="none", arm=first.name).arms[0]]
    assert second.glue is not None
    own = plan.model_copy(update={"arms": (*given, second)})
    draws = clinical.posterior().for_trial(own, count=4)
    assert [draws.compound.name, draws.beside.compound.name] == ["lenalidomide", "pomalidomide"]
    truth = draws.truth(2)
    assert truth.scenario(len_).overrides["kd_nm"] == column(draws, "kd_nm")[1]
    assert truth.scenario(second.glue).overrides["kd_nm"] == column(draws.beside, "kd_nm")[1]
    # One that no draws are of follows the reference's affinity.
    ratio = avd.kd().typical / second.glue.kd().typical
    assert truth.scenario(avd).overrides["kd_nm"] == pytest.approx(ratio * column(draws.beside, "kd_nm")[1])
