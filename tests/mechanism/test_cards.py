"""A compound's card: what each number acts on is what the model, the conduct and the cells do."""

from __future__ import annotations

import pytest

from glueprint.mechanism import (
    Compound,
    Scenario,
    cards,
    compounds,
    culture,
    models,
    parameters,
    pharmacokinetics,
)

POMALIDOMIDE = compounds.load("pomalidomide")


def complete(glue):
    """The compound with what a trial needs from pomalidomide, so that its own numbers can be moved in one."""
    own, other = glue.pharmacology, POMALIDOMIDE.pharmacology
    fields = ("kd_nm", "fraction_unbound")
    update = {name: getattr(own, name) or getattr(other, name) for name in fields}
    update["efficacy"] = {**other.efficacy, **own.efficacy}
    pharmacology = own.model_copy(update=update)
    return glue.model_copy(update={"pharmacology": pharmacology, "pk": glue.pk or POMALIDOMIDE.pk})


GLUES = {name: complete(compounds.load(name)) for name in compounds.names()}
NUMBERS = [(name, field) for name, glue in GLUES.items() for field in glue.quantities()]


def moved(glue, field):
    """The compound with one number a little larger, by the place that its field names."""
    content = glue.model_dump(exclude_unset=True)
    here = content
    *way, last = field.split(".")
    for part in way:
        here = here[part]
    here[last]["typical"] = 1.25 * here[last]["typical"] or 0.5
    if here[last]["unit"] == "dimensionless" and field.endswith("fraction_unbound"):
        here[last]["typical"] = 0.9
    return Compound.model_validate(content)


def in_patients(glue):
    """What typical values of a compound set in a trial: parameters of the model, and of the dose."""
    intake = pharmacokinetics.conduct_quantities(glue.pk)
    return parameters.typical(Scenario.of(glue)) | {
        name: quantity.typical for name, quantity in intake.items()
    }


@pytest.mark.parametrize("name", compounds.names())
def test_every_number_of_a_file_has_an_entry(name):
    glue = compounds.load(name)
    acts = cards.acts_on(glue)
    assert acts.keys() == glue.quantities().keys()
    assert all(acts.values())


@pytest.mark.parametrize(("name", "field"), NUMBERS)
def test_what_acts_on_patients_changes_a_trial_and_nothing_else_does(name, field):
    glue = GLUES[name]
    other = moved(glue, field)
    assert other.quantities()[field].typical != glue.quantities()[field].typical
    says = cards.PATIENT in cards.acts_on(glue)[field].split(", ")
    assert (in_patients(other) != in_patients(glue)) == says


def in_culture(glue, form, medium):
    """All numbers of every model of cells in culture."""
    return [
        {
            key: q.typical
            for key, q in models.quantities(model, Scenario.of(glue, form=form, medium=medium)).items()
        }
        for model in culture.CULTURES
    ]


CULTURES = [("reduced", None), ("kinetic", None), *(("reduced", medium) for medium in POMALIDOMIDE.stability)]


@pytest.mark.parametrize("field", POMALIDOMIDE.quantities())
def test_what_acts_on_cells_changes_a_culture_and_nothing_else_does(field):
    said = cards.acts_on(POMALIDOMIDE)[field]
    other = moved(POMALIDOMIDE, field)
    changed = {
        (form, medium)
        for form, medium in CULTURES
        if in_culture(other, form, medium) != in_culture(POMALIDOMIDE, form, medium)
    }
    assert bool(changed) == ("cells" in said)
    if said == cards.KINETIC:
        assert changed == {("kinetic", None)}
    if field.startswith("stability."):
        assert changed == {("reduced", field.split(".")[1])}
    if "blood and plasma" in said:
        assert changed == {("reduced", "blood")}


def test_what_acts_on_nothing_says_so():
    assert cards.acts_on(POMALIDOMIDE)["pk.residual_log_sd"] == cards.NOTHING == "nothing yet"


def test_a_rho_given_directly_takes_the_place_of_the_efficacy():
    one = POMALIDOMIDE.efficacy("IKZF1")
    pairs = ("ikzf1_myeloma", "ikzf1_tcell", "ikzf1_progenitor")
    own = POMALIDOMIDE.pharmacology.model_copy(update={"rho": dict.fromkeys(pairs, one)})
    acts = cards.acts_on(POMALIDOMIDE.model_copy(update={"pharmacology": own}))
    assert acts["pharmacology.efficacy.IKZF1"] == "cells in culture that have IKZF1"
    assert acts["pharmacology.rho.ikzf1_myeloma"] == "patients, cells in culture of type myeloma"
    assert acts["pharmacology.efficacy.IKZF3"].startswith(cards.PATIENT)


def test_what_is_missing_is_named_by_use():
    assert cards.missing(POMALIDOMIDE) == dict.fromkeys(
        ("binding", "enantiomers", "degradation", "ternary complexes", "trial"), ()
    )
    bare = cards.missing(compounds.load("mezigdomide"))
    assert bare["binding"] == ("pharmacology.kd_nm",)
    assert bare["enantiomers"] == ("pharmacology.kd_nm", "pharmacology.eudismic_ratio")
    assert {"pharmacology.fraction_unbound", "pharmacology.rho.ikzf3_tcell", "pk"} <= set(bare["trial"])
