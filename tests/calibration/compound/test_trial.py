"""Draws of a compound reach a trial: relative to the reference's, with its own pharmacokinetics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from glueprint.calibration import clinical, compound
from glueprint.errors import InputError
from glueprint.mechanism import Scenario, compounds, parameters
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
