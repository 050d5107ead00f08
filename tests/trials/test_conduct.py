"""Supportive care, life without later therapy, and the log of visits, in conducted trials."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from glueprint.trials import load_protocol
from glueprint.trials.analysis.tables import patients_table
from glueprint.trials.conduct.conducting import conduct
from glueprint.trials.conduct.doserules import Action
from glueprint.trials.conduct.review import ReviewFiles
from glueprint.trials.patients.chance import Stream
from glueprint.trials.patients.population import draw_population
from glueprint.trials.protocol.document import SupportiveCare

MM003 = load_protocol("mm003")
STREAM = Stream(2, "mm003", 1)
PEOPLE = draw_population(MM003, STREAM)
# Regimens: POM+LoDEX, HiDEX, what follows the first, what follows the second.
UNDER_THE_GLUE = [0, 2, 3]


def with_gcsf(**fields):
    care = SupportiveCare(assumed="a test", **fields)
    return conduct(MM003.model_copy(update={"supportive_care": care}), PEOPLE, STREAM)


@pytest.fixture(scope="module")
def usual():
    return conduct(MM003, PEOPLE, STREAM, counterfactual=True)


@pytest.fixture(scope="module")
def primary():
    return with_gcsf(gcsf="primary", gcsf_fold=10.0)


@pytest.fixture(scope="module")
def secondary():
    return with_gcsf(gcsf="secondary", gcsf_fold=10.0, gcsf_days=5)


def counts(done, day_from=14, day_to=60):
    """Neutrophils of the glue's arm between two days."""
    logs = [log for log in done.visits if ((log.day >= day_from) & (log.day < day_to)).any()]
    values = [
        log.labs.anc_1e9_per_l[
            (log.regimen == 0) & (log.line == 0) & (log.day >= day_from) & (log.day < day_to)
        ]
        for log in logs
    ]
    return np.concatenate(values)


def test_without_supportive_care_nobody_receives_gcsf(usual):
    assert not any(log.gcsf.any() for log in usual.visits)
    assert (usual.ward.dosing.gcsf_courses == 0).all()


def test_primary_gcsf_is_given_to_all_under_the_glue_and_to_nobody_else(primary):
    for log in primary.visits:
        assert (log.gcsf == np.isin(log.regimen, UNDER_THE_GLUE)).all()
    first = (PEOPLE.arm == 0) & (primary.ward.dosing.line == 0)
    assert (primary.ward.dosing.gcsf_courses[first] == 1).all()


def test_secondary_gcsf_begins_below_its_limit_and_ends(secondary):
    before = np.zeros(PEOPLE.size, dtype=np.bool_)
    begun, days = 0, np.full(PEOPLE.size, np.nan)
    for log in secondary.visits:
        fresh = log.gcsf & ~before[log.patient]
        assert (log.labs.anc_1e9_per_l[fresh] < 0.5).all()
        assert np.isin(log.regimen[fresh], UNDER_THE_GLUE).all()
        begun += int(fresh.sum())
        going = days[log.patient]
        # The visit at the end of a course either ends it or begins another.
        assert (log.day[np.isfinite(going)] <= going[np.isfinite(going)]).all()
        days[log.patient] = np.where(log.gcsf, log.day + 5, np.nan)
        before[log.patient] = log.gcsf & ~(log.labs.anc_1e9_per_l < 0.5)
    assert begun > 30
    assert secondary.ward.dosing.gcsf_courses.sum() >= begun


def test_primary_gcsf_raises_neutrophils_and_spares_holds(usual, primary):
    mine = PEOPLE.arm == 0
    assert (counts(primary) < 0.5).mean() < (counts(usual) < 0.5).mean()
    assert np.median(counts(primary)) > 1.5 * np.median(counts(usual))
    assert primary.ward.dosing.holds[mine].sum() < usual.ward.dosing.holds[mine].sum()


def after_first_low_count(done):
    """Per patient: day of the first count below 0.5 under the glue, and the count at the next visit."""
    low, following = np.full(PEOPLE.size, np.nan), np.full(PEOPLE.size, np.nan)
    for log in done.visits:
        count = log.labs.anc_1e9_per_l
        waiting = np.isfinite(low[log.patient]) & np.isnan(following[log.patient])
        following[log.patient[waiting]] = count[waiting]
        first = np.isnan(low[log.patient]) & (count < 0.5) & (log.regimen == 0) & (log.line == 0)
        low[log.patient[first]] = log.day[first]
    return low, following


def test_secondary_gcsf_speeds_recovery_of_the_same_patients(usual, secondary):
    (day, without), (same_day, with_care) = map(after_first_low_count, (usual, secondary))
    both = np.isfinite(without) & np.isfinite(with_care)
    assert both.sum() > 20
    assert (day[both] == same_day[both]).all()
    # The same measurement errors on both sides, so the ratio is that of the true counts.
    ratio = with_care[both] / without[both]
    assert np.median(ratio) > 1.1
    assert (ratio > 1.0).mean() > 0.9


def test_life_without_later_therapy_is_that_of_those_who_had_none(usual):
    ward, alone = usual.ward, usual.without_later
    first_only = ward.dosing.line == 0
    assert (alone.end_day[first_only] == ward.follow_up.end_day[first_only]).all()
    assert (alone.died[first_only] == np.isfinite(ward.follow_up.death_day[first_only])).all()


def test_life_without_later_therapy_is_never_longer(usual):
    # The hazard of death follows the tumour alone, which later therapy holds back; chance is the same.
    ward, alone = usual.ward, usual.without_later
    crossed = ward.dosing.line == 1
    assert crossed.sum() > 100
    assert (alone.end_day[crossed] <= ward.follow_up.end_day[crossed] + 1e-6).all()
    assert alone.died.sum() > np.isfinite(ward.follow_up.death_day).sum()
    gained = ward.follow_up.end_day[crossed] - alone.end_day[crossed]
    # A later treatment begins at progression at the earliest, so nobody dies of its absence before.
    early = alone.end_day[crossed] < ward.dosing.second_day[crossed]
    assert (gained[~early] > 0).any()
    assert not alone.died[crossed][early].any() or (gained[early] > 0).all()


def test_nobody_asked_for_it_nobody_pays_for_it():
    assert conduct(MM003, PEOPLE, STREAM).without_later is None


def test_the_log_has_true_and_measured_m_protein(usual):
    error = MM003.measurement
    for log in usual.visits[:6]:
        true, seen = log.true_m_protein_g_per_l, log.labs.m_protein_g_per_l
        sd = np.hypot(error.m_protein_sd_g_per_l, error.m_protein_cv * true)
        score = (seen - true)[true > 5] / sd[true > 5]
        # Around 400 patients: standard error of the mean 0.05, of the standard deviation 0.035.
        assert abs(score.mean()) < 0.25
        assert score.std() == pytest.approx(1.0, abs=0.18)


def test_the_committee_reads_values_of_a_laboratory_of_its_own(usual):
    own = patients_table(MM003, usual, 1)
    trials_own = ReviewFiles(usual.seen.m_protein_g_per_l, np.ones(PEOPLE.size, dtype=np.bool_))
    shared = patients_table(MM003, replace(usual, review=trials_own), 1)
    assert own["pfs_months"].equals(shared["pfs_months"])
    # Other errors of the same samples move a minority, by visits.
    moved = (own["pfs_committee_months"] != shared["pfs_committee_months"]).mean()
    assert 0.02 < moved < 0.5


def test_a_glue_that_is_added_to_what_goes_on_begins_at_its_dose():
    """Dexamethasone alone goes on after progression, and pomalidomide is added to it."""
    leading, control = MM003.arms
    later = control.after_progression.model_copy(
        update={"share_of_progressed": 1.0, "keep_current": True, "drugs": leading.drugs[:1]}
    )
    arms = (leading, control.model_copy(update={"after_progression": later}))
    done = conduct(MM003.model_copy(update={"arms": arms}), PEOPLE, STREAM)
    first = [
        (log.regimen == 3) & (log.day == done.ward.dosing.glue_day[log.patient]) & (log.action == Action.NONE)
        for log in done.visits
    ]
    doses = np.concatenate([log.dose_mg[here] for log, here in zip(done.visits, first, strict=True)])
    assert doses.size > 50
    assert set(doses) == {4.0}
