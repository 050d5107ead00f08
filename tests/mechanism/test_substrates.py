"""Substrates are rows: those that ship, those of a compound's own file, and what a module makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from glueprint.errors import InputError, NotSupportedError
from glueprint.mechanism import (
    Scenario,
    body,
    cards,
    composition,
    compounds,
    lines,
    models,
    parameters,
    substrates,
)
from glueprint.mechanism.substrates import CellOfBody

PRIOR = 'prior = { distribution = "lognormal", sd_log10 = 0.3 }'
NUMBER = f'unit = "dimensionless", role = "measured", why = "ours", {PRIOR} }}'
ROW = f"""
[substrates.ZNF692]
intrinsic_kd_nm = {{ typical = 900.0, unit = "nM", role = "measured", why = "ours", {PRIOR} }}
[substrates.ZNF692.cells.myeloma]
capacity = {{ typical = 10.0, {NUMBER}
kdeg_per_h = {{ typical = 0.1, unit = "1/h", role = "measured", why = "ours", {PRIOR} }}
"""
EFFICACY = f"[pharmacology.efficacy]\nZNF692 = {{ typical = 0.5, {NUMBER}\n"
# A module of the body that reads the new substrate.
READER = """model reader
  species zinc_seen;
  growth: -> zinc_seen; 0.1 per_h * (1 - znf692_myeloma);
  zinc_seen = 0;
end
"""


def test_the_rows_that_ship():
    known = substrates.rows()
    assert set(known) == {"IKZF1", "IKZF3", "CK1alpha", "ZFP91", "SALL4", "GSPT1"}
    assert {name for name, row in known.items() if row.where_not_listed == "unknown"} == {"IKZF1", "IKZF3"}


def test_pairs_come_cell_by_cell():
    assert list(substrates.pairs(substrates.rows()).items()) == [
        ("ikzf1_myeloma", ("IKZF1", "myeloma")),
        ("ikzf3_myeloma", ("IKZF3", "myeloma")),
        ("ikzf1_tcell", ("IKZF1", "tcell")),
        ("ikzf3_tcell", ("IKZF3", "tcell")),
        ("ikzf1_progenitor", ("IKZF1", "progenitor")),
    ]


@pytest.mark.parametrize("structure", list(body.TUMOURS))
def test_the_trial_model_follows_what_its_modules_read(structure):
    known = substrates.rows()
    assert body.followed(structure, known) == tuple(substrates.pairs(known))
    assert body.followed(structure, {"GSPT1": known["GSPT1"]}) == ()


def test_a_row_of_ones_own_loads_and_is_spoken_of(own):
    glue = own(f'[pharmacology]\ndegrades = ["ZNF692"]\n{EFFICACY}{ROW}')
    assert glue.efficacy("ZNF692").typical == 0.5
    assert glue.rho("ZNF692", "myeloma", 10.0) == 5.0
    assert "znf692_myeloma" in substrates.pairs(glue.known_substrates)
    assert glue.quantities()["substrates.ZNF692.cells.myeloma.capacity"].typical == 10.0
    assert "ZNF692" not in substrates.rows()


def test_without_its_row_it_is_refused_and_the_row_named(own):
    with pytest.raises(InputError, match=r'GP-M014 .*degrades: "ZNF692" .*efficacy: "ZNF692" ') as caught:
        own(f'[pharmacology]\ndegrades = ["ZNF692"]\n{EFFICACY}')
    assert "[substrates.NAME]" in caught.value.expected


@pytest.mark.parametrize("name", ["IKZF1", "ikzf1", "ZNF-692", '"ZNF 692"', "9ZNF"])
def test_a_row_that_cannot_be_told_from_others_is_refused(own, name):
    with pytest.raises(InputError, match=r"GP-M014 .*substrates\."):
        own(f'[substrates.{name}]\nwhere_not_listed = "unknown"\n')


def test_rows_of_one_file_cannot_be_alike(own):
    with pytest.raises(InputError, match=r"GP-M014 .*substrates\.znf692: ZNF692 is a row already"):
        own("[substrates.ZNF692]\n[substrates.znf692]\n")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (f", {PRIOR}", "", r'GP-M004 .*intrinsic_kd_nm.*"intrinsic_kd_nm" has no prior'),
        ('unit = "1/h"', 'unit = "1/d"', r"GP-M004 .*kdeg_per_h.*give the value in 1/h"),
        ("typical = 0.1", "typical = -0.1", r"GP-M004 .*kdeg_per_h.*needs a typical value above 0"),
        ("cells.myeloma]", "cells.mieloma]", r'GP-M004 .*did you mean "myeloma"'),
        ("typical = 900.0", "typical = 9e12", r"GP-M080 .*substrates\.ZNF692\.intrinsic_kd_nm"),
        ('why = "ours"', 'why = "EXAMPLE"', r"GP-M080 .*substrates\.ZNF692\.\w+: .*template's example"),
    ],
)
def test_a_bad_number_of_a_row_is_named(own, old, new, told):
    assert old in ROW
    with pytest.raises(InputError, match=told):
        own(ROW.replace(old, new, 1))


def test_cells_in_culture_follow_a_substrate_of_ones_own(own):
    line = lines.load("MM1S")
    line = line.model_copy(update={"substrates": {**line.substrates, "ZNF692": line.substrates["IKZF3"]}})
    glue = with_znf692(own, EFFICACY)
    model = models.build("culture_myeloma", Scenario.of(glue, line=line))
    wells = model.ensemble({"dose_nm": np.array([0.0, 1000.0])})
    wells.advance(24.0)
    untreated, treated = wells["znf692"]
    assert untreated == pytest.approx(1.0)
    assert treated < 0.5
    assert "znf692" not in models.build("culture_myeloma", Scenario.of(line=line)).observables


def with_znf692(own, efficacy=""):
    """Pomalidomide and a row of its own, with what the file says of its efficacy there."""
    there, glue = own(efficacy + ROW), compounds.load("pomalidomide")
    pharmacology = glue.pharmacology.model_copy(
        update={"efficacy": {**glue.pharmacology.efficacy, **there.pharmacology.efficacy}}
    )
    return glue.model_copy(update={"pharmacology": pharmacology, "substrates": there.substrates})


@pytest.fixture
def reader(monkeypatch):
    """A body with a module that reads ZNF692 in myeloma cells."""
    tissues, text = body._tissues, composition.module_text
    monkeypatch.setattr(body, "_tissues", lambda structure: (*tissues(structure), composition.Part("reader")))
    monkeypatch.setattr(composition, "module_text", lambda name: READER if name == "reader" else text(name))
    body._read_by_tissues.cache_clear()
    yield
    body._read_by_tissues.cache_clear()


def test_a_module_that_reads_a_new_substrate_makes_the_body_follow_it(own, reader):
    glue = with_znf692(own, EFFICACY)
    scenario = Scenario.of(glue)
    assert body.followed("claret", glue.known_substrates)[2] == "znf692_myeloma"
    known = parameters.typical(scenario)
    assert known["znf692_myeloma_rho"] == 5.0
    assert known["znf692_myeloma_kdeg_per_h"] == 0.1
    assert parameters.typical(scenario.with_overrides({"znf692_myeloma_capacity": 4.0}))[
        "znf692_myeloma_rho"
    ] == pytest.approx(2.0)
    patients = models.trial(scenario).ensemble(patients=1)
    patients.set("glue_gut", 4.0)
    patients.advance(12.0)
    assert patients["znf692_myeloma"][0] < 0.95
    assert patients["zinc_seen"][0] > 0.0
    assert cards.missing(glue)["trial"] == ()
    assert cards.acts_on(glue)["substrates.ZNF692.cells.myeloma.kdeg_per_h"] == cards.PATIENT


def test_a_substrate_of_which_a_file_does_not_speak_is_not_degraded_and_says_so(own, reader):
    rho = parameters.quantities(Scenario.of(with_znf692(own)))["znf692_myeloma_rho"][1]
    assert rho.typical == 0.0
    assert rho.role == "assumed"
    assert rho.why == "the file of pomalidomide does not speak of ZNF692, so it is taken as not degraded"


@pytest.mark.parametrize("said", ["unknown", "degraded"])
def test_a_substrate_of_which_too_little_is_known_stops_a_trial(own, reader, said):
    glue = with_znf692(own)
    if said == "unknown":
        row = glue.substrates["ZNF692"].model_copy(update={"where_not_listed": "unknown"})
        glue = glue.model_copy(update={"substrates": {"ZNF692": row}})
    else:
        pharmacology = glue.pharmacology.model_copy(update={"degrades": ("ZNF692",)})
        glue = glue.model_copy(update={"pharmacology": pharmacology})
    with pytest.raises(NotSupportedError, match=r"GP-M005 .*pharmacology\.rho\.znf692_myeloma"):
        models.trial(Scenario.of(glue))
    assert cards.missing(glue)["trial"] == ("pharmacology.rho.znf692_myeloma",)


def test_nobody_follows_a_row_that_no_module_reads(own):
    glue = with_znf692(own, EFFICACY)
    assert models.source("trial", Scenario.of(glue)) == models.source("trial", Scenario.of())
    assert cards.acts_on(glue)["substrates.ZNF692.cells.myeloma.capacity"] == cards.NOTHING
    assert isinstance(glue.substrates["ZNF692"].cells["myeloma"], CellOfBody)
