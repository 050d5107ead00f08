"""A trial doses the glue that its protocol names: every number of its file acts where its card says so."""

from __future__ import annotations

import copy

import numpy as np
import polars as pl
import pytest

from glueprint import trials
from glueprint.mechanism import Compound, cards, compounds
from glueprint.trials import ParameterDraws
from glueprint.trials.protocol.content import content_of
from glueprint.trials.protocol.rules_loading import rules_from_text

POMALIDOMIDE = compounds.load("pomalidomide")
RULES = trials.rules_text("pomalidomide-us-label").replace(
    'compounds = ["pomalidomide"]', 'compounds = ["any"]'
)
DAYS = 'days = "1-21"'


def protocol(glue=POMALIDOMIDE, *, arms=None, patients=24, months=3.0, rules=None):
    """One arm, or several as (name, glue, mg), of the reference trial's patients."""
    mm003 = trials.load_protocol("mm003")
    with_glue = mm003.arms[0]
    chosen = rules if rules is not None else rules_from_text(RULES, where="any.toml")
    made = []
    for name, compound, dose_mg in arms or (("GLUE+LoDEX", glue, 4.0),):
        own, dexamethasone = with_glue.drugs
        drugs = [own.model_copy(update={"compound": compound, "dose_mg": dose_mg, "rules": chosen})]
        update = {"name": name, "patients": patients, "after_progression": None}
        made.append(
            with_glue.model_copy(update={**update, "drugs": (*(drugs if compound else ()), dexamethasone)})
        )
    ratio = {"ratio": (1,) * len(made), "blocks_of": len(made), "strata": ()}
    follow_up = {"minimum_months": months, "median_months": months, "maximum_months": months}
    return mm003.model_copy(
        update={
            "name": "any-glue",
            "arms": tuple(made),
            "randomisation": mm003.randomisation.model_copy(update=ratio),
            "follow_up": mm003.follow_up.model_copy(update=follow_up),
        }
    )


def patients(glue, **choices):
    return trials.run(protocol(glue, **choices), 1, 7).patients


def endpoint(result, name, arm=None):
    rows = result.endpoints.filter(pl.col("endpoint") == name)
    return (rows if arm is None else rows.filter(pl.col("arm") == arm)).get_column("value")


def changed(path, factor=0.8):
    """Pomalidomide with one number of its file changed; path: keys into its tables."""
    tables = copy.deepcopy(POMALIDOMIDE.model_dump(mode="json"))
    here = tables
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] *= factor
    return Compound.model_validate(tables | {"name": "GLX"})


def numbers(tables, place=()):
    """The place of every number of a file that is said of the compound: values, variances, covariances,
    strengths of covariates."""
    for key, value in tables.items() if isinstance(tables, dict) else enumerate(tables):
        if key == "prior":
            continue
        if isinstance(value, dict | list):
            yield from numbers(value, (*place, key))
        elif key in ("typical", "omega2", "value", "coefficient", "reference") and value:
            yield (*place, key)


PLACES = list(numbers(POMALIDOMIDE.model_dump(mode="json")))
ACTS = cards.acts_on(POMALIDOMIDE)


def says_patients(place):
    if place[0] == "pk" and place[1] in ("covariance", "covariate"):
        return True
    return "patients" in ACTS[".".join(place[:-1])]


@pytest.fixture(scope="module")
def as_it_is():
    return patients(POMALIDOMIDE)


def conditions(place):
    """Covariates that only a condition of the arm or a rare patient has."""
    if place[:2] != ("pk", "covariate"):
        return None
    return POMALIDOMIDE.pk.covariate[place[2]].covariate


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_every_number_acts_where_the_card_says_so(as_it_is, place):
    covariate = conditions(place)
    drawn = trials.load_protocol("mm003").case_mix.names
    if covariate is not None and covariate not in (*drawn, "sex_female"):
        # Nobody in this case-mix has it: tests/mechanism/test_covariates.py follows what it does.
        assert patients(changed(place)).equals(as_it_is)
        return
    same = patients(changed(place)).equals(as_it_is)
    assert same is not says_patients(place)


def test_numbers_of_the_file_are_all_tried():
    fields = {".".join(place[:-1]) for place in PLACES if place[-1] == "typical"}
    assert set(ACTS) - fields <= {field for field in ACTS if not POMALIDOMIDE.quantities()[field].typical}
    assert sum(map(says_patients, PLACES)) > 15


def test_its_own_numbers_under_another_name_give_the_same_bits(as_it_is):
    copied = POMALIDOMIDE.model_copy(update={"name": "GLX"})
    assert patients(copied).equals(as_it_is)
    assert content_of(protocol(copied)) == content_of(protocol())


def test_a_copy_under_draws_is_what_the_original_is():
    draws = ParameterDraws(("kd_nm", "ikzf1_myeloma_capacity"), np.array([[400.0, 30.0]]))
    one, other = (
        trials.run(protocol(glue), 1, 3, draws=draws).patients
        for glue in (POMALIDOMIDE, POMALIDOMIDE.model_copy(update={"name": "GLX"}))
    )
    assert one.equals(other)
    assert not one.equals(trials.run(protocol(), 1, 3).patients)


def test_affinity_of_another_glue_moves_with_the_draws():
    tight = changed(("pharmacology", "kd_nm", "typical"), 0.2)
    draws = ParameterDraws(("kd_nm",), np.array([[400.0]]))
    moved = changed(("pharmacology", "kd_nm", "typical"), 0.2 * 400.0 / 264.0)
    by_draws = trials.run(protocol(tight), 1, 3, draws=draws).patients
    by_file = trials.run(protocol(moved), 1, 3).patients
    for name in ("lowest_anc_1e9_per_l", "os_months"):
        assert by_draws[name].to_numpy() == pytest.approx(by_file[name].to_numpy(), rel=1e-3, nan_ok=True)


def test_two_arms_of_a_glue_and_its_copy_do_not_differ():
    copied = POMALIDOMIDE.model_copy(update={"name": "GLX"})
    plan = protocol(arms=(("A", POMALIDOMIDE, 4.0), ("B", copied, 4.0)), patients=120, months=12.0)
    found = trials.run(plan, 3, 1)
    # The standard error of a mean of three log ratios with about 100 events an arm is 0.08.
    for name in ("hr_pfs", "hr_os"):
        assert abs(np.log(endpoint(found, name).to_numpy()).mean()) < 0.25


def without_intolerance():
    """Parameters under which nothing of the glue acts but through cereblon's substrates."""
    return ParameterDraws(("other_toxicity_per_month",), np.zeros((1, 1)))


def test_without_efficacy_or_dose_the_partner_is_alone():
    nothing = POMALIDOMIDE.model_copy(
        update={
            "pharmacology": POMALIDOMIDE.pharmacology.model_copy(
                update={
                    "efficacy": {
                        name: quantity.model_copy(update={"typical": 0.0})
                        for name, quantity in POMALIDOMIDE.pharmacology.efficacy.items()
                    }
                }
            )
        }
    )
    settings = {"patients": 120, "months": 12.0, "rules": "none"}
    runs = [
        trials.run(plan, 1, 5, draws=without_intolerance())
        for plan in (
            protocol(arms=(("A", None, 0.0),), **settings),
            protocol(arms=(("A", nothing, 4.0),), **settings),
            protocol(arms=(("A", POMALIDOMIDE, 0.0),), **settings),
        )
    ]
    alone = runs[0]
    for found in runs[1:]:
        for name in ("orr", "median_pfs", "median_os", "neutropenia_grade_3_4"):
            assert endpoint(found, name).to_list() == pytest.approx(endpoint(alone, name).to_list(), rel=1e-3)


def test_a_hundred_times_weaker_is_the_partner_within_chance():
    settings = {"patients": 120, "months": 9.0, "rules": "none"}
    weak = changed(("pharmacology", "kd_nm", "typical"), 100.0)
    plan = protocol(arms=(("weak", weak, 4.0), ("partner", None, 0.0)), **settings)
    found = trials.run(plan, 2, 2, draws=without_intolerance())
    # The standard error of a mean of two log ratios with about 110 events an arm is 0.1.
    assert abs(np.log(endpoint(found, "hr_pfs").to_numpy()).mean()) < 0.3


def test_response_rises_with_potency():
    rates = []
    for fold in (100.0, 2.0, 0.1):
        glue = changed(("pharmacology", "kd_nm", "typical"), fold)
        found = trials.run(protocol(glue, patients=150, months=6.0, rules="none"), 1, 5)
        rates.append(endpoint(found, "orr")[0])
    assert rates == sorted(rates)
    assert rates[-1] > rates[0] + 5.0


def test_glues_of_other_compartments_share_a_trial():
    lenalidomide = compounds.load("lenalidomide")
    assert lenalidomide.pk.compartments != POMALIDOMIDE.pk.compartments
    both = trials.run(
        protocol(arms=(("POM", POMALIDOMIDE, 4.0), ("LEN", lenalidomide, 25.0)), rules="none"), 1, 3
    )
    assert both.failed == 0
    for arm, glue, mg in (("POM", POMALIDOMIDE, 4.0), ("LEN", lenalidomide, 25.0)):
        mine = both.patients.filter(pl.col("arm") == arm)
        assert mine.get_column("days_on_drug").min() > 0
        # Whose arm it is does not change a patient whom the same glue treats in both.
        other = trials.run(protocol(arms=(("POM", glue, mg), ("LEN", glue, mg)), rules="none"), 1, 3)
        again = other.patients.filter(pl.col("arm") == arm)
        assert mine.get_column("lowest_anc_1e9_per_l").to_numpy() == pytest.approx(
            again.get_column("lowest_anc_1e9_per_l").to_numpy(), rel=1e-3
        )
