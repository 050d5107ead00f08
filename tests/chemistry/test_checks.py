"""Evidence checked by chemistry: the regiochemistry trap found by running routes, and printed identities."""

from __future__ import annotations

import dataclasses

import pytest

from glueprint import evidence
from glueprint.chemistry import checks, structures


def claim(**changes):
    base = next(c for c in evidence.load() if c.endpoint == "nitro_anhydride" and not c.same_as)
    return dataclasses.replace(base, **changes)


def test_the_guide_names_one_reagent_that_gives_another_compound():
    (found,) = checks.route_products()
    (said,) = (evidence.load()[claim_id] for claim_id in found.claim_ids)
    assert said.text == "4-nitrophthalic anhydride"
    assert found.severity == "error"
    assert "ends in 5-aminothalidomide (IICWMVJMJVXCLY-UHFFFAOYSA-N)" in found.what
    assert "same mass, another compound" in found.what
    assert found.remedy.startswith("use 3-nitrophthalic anhydride (= 4-nitroisobenzofuran-1,3-dione)")


def test_the_right_reagent_by_its_other_name_is_not_accused():
    right = [c for c in evidence.load() if c.text == "4-nitroisobenzofuran-1,3-dione"]
    assert right
    assert checks.route_products(right) == []


@pytest.mark.parametrize("quantity", ["route A: block", "route B: block", "A. three-step", "some block"])
def test_the_rule_speaks_of_structures_and_not_of_names(quantity):
    lying = claim(quantity=quantity, text="a fine reagent", structure="O=C1OC(=O)c2ccc(cc12)[N+](=O)[O-]")
    routes_tried = 2 if quantity == "some block" else 1
    assert len(checks.route_products([lying])) == routes_tried
    honest = claim(
        quantity=quantity, text="4-nitrophthalic anhydride", structure="O=C1OC(=O)c2c1cccc2[N+](=O)[O-]"
    )
    assert checks.route_products([honest]) == []


def test_a_reagent_that_does_not_react_is_found_too():
    (found,) = checks.route_products([claim(quantity="route A: block", text="benzene", structure="c1ccccc1")])
    assert "no single product" in found.what
    assert found.remedy == "use 3-nitrophthalic anhydride"


def test_claims_on_other_products_or_topics_are_left_alone():
    wrong = {"structure": "c1ccccc1", "quantity": "route A: block"}
    assert (
        checks.route_products([claim(**wrong, compound="lenalidomide"), claim(**wrong, topic="chemistry")])
        == []
    )


def test_printed_identities_in_the_evidence_hold():
    assert checks.PrintedIdentity().run(evidence.load()) == []
    keyed = [c for c in evidence.load() if c.topic == "chemistry" and checks.INCHIKEY.fullmatch(c.text)]
    assert len(keyed) >= 3


def test_a_wrong_key_or_mass_is_found():
    isomer = structures.load("5-aminothalidomide")
    key = claim(topic="chemistry", text="UVSMNLNDYGZFPF-UHFFFAOYSA-N", structure=isomer.smiles)
    mass = claim(topic="chemistry", endpoint="molar_mass", text="", value=259.265, structure=isomer.smiles)
    found = checks.PrintedIdentity().run([key, mass])
    assert len(found) == 2
    assert "IICWMVJMJVXCLY" in found[0].what
    assert "273.248" in found[1].what


def test_the_checks_run_beside_those_of_evidence():
    codes = {f.code for f in evidence.run_checks(evidence.load(), checks=evidence.CHECKS + checks.CHECKS)}
    assert {"EV-reagent", "CH-route-product"} <= codes


@pytest.mark.parametrize("name", structures.names())
def test_every_claim_id_of_a_structure_exists(name):
    assert all(claim_id in evidence.load() for claim_id in structures.load(name).claims)
