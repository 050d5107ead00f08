"""The bench plan of both guide routes against sums done by hand, and the balance of every step."""

from __future__ import annotations

import re
import tomllib
import xml.etree.ElementTree as ET
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest

from glueprint.chemistry import at_hand, bench, flow, plan, routes, safety_data, structures
from glueprint.chemistry.route import Route
from glueprint.errors import InputError
from glueprint.report.bench_page import bench_page, summary

# By hand from atomic weights (C 12.011, H 1.008, N 14.007, O 15.999, Na 22.990, Cl 35.45), g/mol.
ANHYDRIDE, AMINE_HCL, ACETATE, HCL = 193.114, 164.592, 82.034, 36.458
OPEN_ACID, NITRO, POMALIDOMIDE, HYDROGEN = 321.245, 303.230, 273.248, 2.016
BOC_GLUTAMINE, DIC, DIU, BOC_AMINE = 246.263, 126.203, 144.218, 228.248
WATER, SALT, ACETIC, CO2, ISOBUTENE = 18.015, 58.440, 60.052, 44.009, 56.108
HEAD = {"name": "mine", "title": "one step", "target": "pomalidomide", "source": "bench"}
REDUCTION = {
    "name": "reduction",
    "reactants": ["4-nitrothalidomide"],
    "smarts": "[c:1][N+](=O)[O-]>>[c:1][NH2]",
    "products": ["pomalidomide"],
    "consumes": {"hydrogen": 3},
    "releases": {"water": 2},
    "yield_percent": 80,
}


def grams(found, step, material, role=None):
    rows = found.plan.table.filter((pl.col("step") == step) & (pl.col("material") == material))
    rows = rows if role is None else rows.filter(pl.col("role") == role)
    return rows["grams"][0]


def out(step):
    return {one.material: one.grams for one in step.outflows}


def test_route_a_by_hand_with_base_and_counter_ion():
    found = bench(routes.load("A"), 10.0)
    # 65 % over three steps, in equal shares.
    share = 0.65 ** (1 / 3)
    last = 10.0 / POMALIDOMIDE
    third, second, first = last / share, last / share**2, last / share**3
    assert grams(found, "ring opening", "3-nitrophthalic anhydride") == pytest.approx(
        first * ANHYDRIDE, rel=2e-5
    )
    amine = grams(found, "ring opening", "3-aminopiperidine-2,6-dione hydrochloride")
    assert amine == pytest.approx(first * AMINE_HCL, rel=2e-5) == pytest.approx(9.2670, abs=2e-4)
    assert grams(found, "ring opening", "sodium acetate") == pytest.approx(first * ACETATE, rel=2e-5)
    assert grams(found, "ring closing", OPENED, "reactant") == pytest.approx(second * OPEN_ACID, rel=2e-5)
    assert grams(found, "nitro reduction", "4-nitrothalidomide") == pytest.approx(third * NITRO, rel=2e-5)
    assert grams(found, "nitro reduction", "hydrogen") == pytest.approx(3 * third * HYDROGEN, rel=2e-5)
    assert grams(found, "nitro reduction", "pomalidomide") == pytest.approx(10.0)
    # The hydrochloride's chloride leaves as table salt, its proton as acetic acid.
    left = out(found.steps[0])
    assert left["sodium chloride"] == pytest.approx(first * share * SALT, rel=1e-4)
    assert left["acetic acid"] == pytest.approx(first * share * ACETIC, rel=2e-5)
    assert "hydrogen chloride" not in left
    assert out(found.steps[2])["water"] == pytest.approx(2 * last * WATER, rel=1e-4)
    weighed = first * (ANHYDRIDE + AMINE_HCL + ACETATE) + 3 * third * HYDROGEN
    assert found.mass_intensity == pytest.approx(weighed / 10.0, rel=2e-5)


OPENED = "2-[(2,6-dioxopiperidin-3-yl)carbamoyl]-6-nitrobenzoic acid"
SALT_NAME = "(S)-3-aminopiperidine-2,6-dione hydrochloride"


def test_route_b_by_hand_with_acid_salt_and_base():
    found = bench(routes.load("B"), 10.0, step_yield_percent=80.0)
    moles = [10.0 / POMALIDOMIDE / 0.8**n for n in (4, 3, 2, 1)]
    expected = {
        ("activation and cyclisation", "Boc-L-glutamine"): moles[0] * BOC_GLUTAMINE,
        ("activation and cyclisation", "N,N'-diisopropylcarbodiimide"): moles[0] * DIC,
        ("deprotection", "(S)-Boc-3-aminopiperidine-2,6-dione"): moles[1] * BOC_AMINE,
        ("deprotection", "hydrogen chloride"): moles[1] * HCL,
        ("deprotection", SALT_NAME): moles[1] * 0.8 * AMINE_HCL,
        ("condensation", SALT_NAME): moles[2] * AMINE_HCL,
        ("condensation", "3-nitrophthalic anhydride"): moles[2] * ANHYDRIDE,
        ("condensation", "sodium acetate"): moles[2] * ACETATE,
        ("nitro reduction", "4-nitrothalidomide"): moles[3] * NITRO,
        ("nitro reduction", "hydrogen"): 3 * moles[3] * HYDROGEN,
        ("nitro reduction", "pomalidomide"): 10.0,
    }
    for (step, material), mass in expected.items():
        assert grams(found, step, material) == pytest.approx(mass, rel=1e-4), (step, material)
    steps = {step.name: out(step) for step in found.steps}
    assert steps["activation and cyclisation"]["N,N'-diisopropylurea"] == pytest.approx(
        0.8 * moles[0] * DIU, rel=1e-4
    )
    assert steps["deprotection"]["carbon dioxide"] == pytest.approx(0.8 * moles[1] * CO2, rel=1e-4)
    assert steps["deprotection"]["isobutene"] == pytest.approx(0.8 * moles[1] * ISOBUTENE, rel=1e-4)
    condensation = steps["condensation"]
    assert condensation["water"] == pytest.approx(0.8 * moles[2] * WATER, rel=1e-4)
    assert condensation["sodium chloride"] == pytest.approx(0.8 * moles[2] * SALT, rel=1e-4)
    assert condensation["acetic acid"] == pytest.approx(0.8 * moles[2] * ACETIC, rel=1e-4)
    # What is made of a salt is what the next step takes: 57.18 mmol, 9.412 g.
    assert grams(found, "condensation", SALT_NAME) == pytest.approx(9.4118, abs=2e-4)


@pytest.mark.parametrize("name", routes.available())
@pytest.mark.parametrize("percent", [37.0, 100.0])
def test_every_step_of_every_route_closes_its_mass_balance(name, percent):
    for step in bench(routes.load(name), 3.0, step_yield_percent=percent).steps:
        assert step.out_g == pytest.approx(step.in_g, rel=1e-9)
        assert all(one.grams > 0 for one in step.outflows)


def test_an_excess_is_weighed_and_comes_out_again():
    first = routes.load("A").step[0].model_dump()
    base = {**first["additions"][0], "equivalents": 2.5}
    step = {
        **first,
        "additions": [base],
        "equivalents": {"3-nitrophthalic anhydride": 1.2},
        "yield_percent": 50,
    }
    route = routes.load("A").model_copy(
        update={"step": (type(routes.load("A").step[0]).model_validate(step), *routes.load("A").step[1:])}
    )
    found = bench(route, 10.0, step_yield_percent=100.0)
    left = [(one.material, one.role) for one in found.steps[0].outflows]
    assert ("sodium acetate", "excess") in left
    assert ("3-nitrophthalic anhydride", "excess") in left
    assert found.steps[0].out_g == pytest.approx(found.steps[0].in_g, rel=1e-12)
    assert found.steps[0].limiting == "3-aminopiperidine-2,6-dione hydrochloride"
    assert bench(routes.load("A"), 10.0).steps[0].limiting == "3-nitrophthalic anhydride"


def test_conditions_are_those_of_the_source_or_not_stated():
    (step,) = bench(routes.load("E3"), 1.0).steps
    assert (step.solvent, step.temperature, step.time) == ("acetic acid", "140 C", "12 h")
    assert (step.work_up, step.purification) == ("not stated", "not stated")
    assert {step.solvent for step in bench(routes.load("A"), 1.0).steps} == {"not stated"}


def test_a_catalyst_without_amount_is_named_and_has_none():
    table = bench(routes.load("F2"), 1.0, step_yield_percent=80.0).plan.table
    catalyst = table.row(by_predicate=pl.col("role") == "catalyst", named=True)
    assert (catalyst["material"], catalyst["grams"]) == ("palladium on carbon", None)
    assert catalyst["assumption"] == "amount not stated; SYN-014"
    gas = table.row(by_predicate=pl.col("material") == "hydrogen", named=True)
    # 24.790 L/mol at 25 C and 1 bar.
    assert gas["volume_ml"] == pytest.approx(gas["mmol"] * 24.790, rel=1e-4)


# How the sources write what has a row under another name.
WRITTEN = {"Pd/C": "palladium on carbon", "DMAP": "4-(dimethylamino)pyridine", "acid": "hydrogen chloride"}


@pytest.mark.parametrize("name", routes.available())
def test_a_plan_lists_every_reagent_named_and_a_catalyst_for_every_hydrogenation(name):
    route = routes.load(name)
    table = bench(route, 1.0, step_yield_percent=80.0).plan.table
    for step in route.step:
        rows = table.filter(pl.col("step") == step.name)
        listed = rows["material"].to_list()
        for reagent in step.reagents:
            if "hydrogenation" not in reagent:
                assert reagent in listed or WRITTEN[reagent.split(",")[0]] in listed
        if "hydrogen" in step.consumes:
            (catalyst,) = rows.filter(pl.col("role") == "catalyst").to_dicts()
            assert catalyst["material"] in ("palladium on carbon", "not stated")
            assert catalyst["grams"] is None


def test_what_is_assumed_and_what_is_not_stated_are_told_apart():
    plans = {name: bench(routes.load(name), 1.0, step_yield_percent=80.0) for name in ("A", "F2", "I")}
    said = {
        name: found.plan.table.row(by_predicate=pl.col("role") == "catalyst", named=True)
        for name, found in plans.items()
    }
    assert "assumed: the source states no catalyst" in said["A"]["assumption"]
    assert (said["F2"]["material"], said["F2"]["assumption"]) == (
        "palladium on carbon",
        "amount not stated; SYN-014",
    )
    assert said["I"]["material"] == "not stated"
    assert "nitro reduction: catalyst not stated" in plans["I"].not_counted
    # A base or acid with an amount says which part of it no source states.
    for route in map(routes.load, routes.available()):
        for one in (one for step in route.step for one in step.additions):
            assert one.claim or one.assumed
            assert one.equivalents is None or one.assumed


def test_a_solvent_has_its_volume_by_mass_and_by_volume():
    def solvent(**changes):
        route = Route.model_validate({**HEAD, "step": [{**REDUCTION, "solvent": "acetone", **changes}]})
        table = bench(route, 10.0).plan.table
        return table.row(by_predicate=pl.col("role") == "solvent", named=True), table["grams"][0]

    row, first = solvent(solvent_g_per_g=20)
    assert row["grams"] == pytest.approx(20 * first)
    assert row["volume_ml"] == pytest.approx(20 * first / 0.790)
    row, first = solvent(solvent_ml_per_g=10)
    assert row["volume_ml"] == pytest.approx(10 * first)
    assert row["grams"] == pytest.approx(10 * first * 0.790)
    row, _ = solvent()
    assert (row["grams"], row["assumption"]) == (None, "amount not stated")


def test_a_range_of_yields_is_a_range_of_grams():
    found = bench(routes.load("C"), 10.0)
    assert found.expected_g == pytest.approx((10.0, 10.0 * 47 / 38))
    assert "10.00 to 12.37 g" in summary(found)
    assert bench(routes.load("A"), 10.0).expected_g == (10.0, 10.0)
    assert bench(routes.load("I"), 9.0).expected_g == pytest.approx((9.0, 10.0))


def test_what_is_at_hand_limits_the_target():
    # 10.8729 g of anhydride make 10 g; half of it makes 5 g, and sodium acetate is there for more.
    made, short = at_hand(
        routes.load("A"), {"3-nitrophthalic anhydride": 10.87285 / 2, "sodium acetate": 4.0}
    )
    assert (made, short) == (pytest.approx(5.0, rel=1e-5), "3-nitrophthalic anhydride")
    made, short = at_hand(routes.load("A"), {"3-nitrophthalic anhydride": 50.0, "sodium acetate": 4.61874})
    assert (made, short) == (pytest.approx(10.0, rel=1e-5), "sodium acetate")
    for have in ({"sodium acetat": 1.0}, {"sodium acetate": 0.0}, {}):
        with pytest.raises(InputError, match="GP-H006"):
            at_hand(routes.load("A"), have)


def test_checks_warn_of_the_isomer_and_give_the_ion():
    condensation = bench(routes.load("B"), 1.0, step_yield_percent=80.0).steps[2]
    said = " ".join(condensation.checks)
    assert "CAS 641-70-3" in said
    assert "not its isomer 4-nitrophthalic anhydride" in said
    # C13H10N3O6+: 303.04914 (monoisotopic C13H9N3O6) + 1.00728.
    assert "[M+H]+ 304.0564" in said
    assert "5-nitrothalidomide has the same mass" in said
    assert "teratogen" in condensation.safety


def test_a_purity_counts_for_the_base_too():
    found = plan(routes.load("A"), 10.0, purity_percent={"sodium acetate": 95.0})
    row = found.table.row(by_predicate=pl.col("material") == "sodium acetate", named=True)
    assert row["weigh_g"] == pytest.approx(row["grams"] / 0.95)
    assert "sodium acetate" in flow.weighed(routes.load("A"))


@pytest.mark.parametrize(
    ("changes", "code", "word"),
    [
        ({"gives": {"sodium chloride": 1}}, "GP-H010", "sodium acetate"),
        ({"equivalents": 0.5}, "GP-H005", "0.5 equivalents"),
        ({"equivalents": None}, "GP-H005", "its equivalents are needed"),
    ],
)
def test_an_addition_that_cannot_be_is_told(tmp_path, changes, code, word):
    step = routes.load("A").step[0]
    base = {**step.additions[0].model_dump(), **changes}
    if code == "GP-H005":
        with pytest.raises(ValueError, match=re.escape(word)):
            type(step.additions[0]).model_validate(base)
        return
    changed = step.model_copy(update={"additions": (type(step.additions[0]).model_validate(base),)})
    route = routes.load("A").model_copy(update={"step": (changed, *routes.load("A").step[1:])})
    (problem,) = routes.check(route).problems
    assert problem.code == code
    assert word in problem.what
    with pytest.raises(InputError, match=code):
        plan(route, 1.0)


def test_a_salt_that_is_not_product_and_acid_is_told():
    step = (
        routes.load("B")
        .step[1]
        .model_copy(update={"isolated_as": "3-aminopiperidine-2,6-dione trifluoroacetate"})
    )
    steps = routes.load("B").step
    route = routes.load("B").model_copy(update={"step": (steps[0], step, *steps[2:])})
    (problem,) = routes.check(route).problems
    assert (problem.code, problem.where) == ("GP-H010", "route B, step deprotection")


def test_hazards_have_a_source_or_say_that_they_are_not_listed():
    found = {one.name: one for one in bench(routes.load("E1"), 1.0).hazards}
    assert [code for code, _ in found["triethylamine"].statements] == ["H225", "H302", "H312", "H314", "H332"]
    assert found["triethylamine"].source.startswith("CLP Annex VI")
    assert all(words for one in found.values() for _, words in one.statements)
    assert found["thalidomide"].source.startswith("thalidomide class: handle as a human teratogen")
    assert safety_data.hazard("unheard-of").source == safety_data.NOT_LISTED


HAZARDS, SOLVENTS = (
    tomllib.loads((files("glueprint.chemistry") / "data" / f"{name}.toml").read_text("utf-8"))
    for name in ("hazards", "solvents")
)


@pytest.mark.parametrize("row", HAZARDS["hazard"], ids=lambda row: row["name"])
def test_a_harmonised_classification_has_an_index_number_that_can_be(row):
    numbers = re.findall(r"(\d{3}-\d{3}-\d\d)-([\dX])", row["source"])
    for number, check in numbers:
        # CLP Annex VI, 1.1.1.1: the check digit is that of the ISBN, each digit times its place, modulo 11.
        left = sum(place * int(digit) for place, digit in enumerate(number.replace("-", ""), 1)) % 11
        assert check == ("X" if left == 10 else str(left))
    assert bool(numbers) == row["source"].startswith("CLP Annex VI") != ("not harmonised" in row["source"])
    assert row["checked"]
    assert set(row["h"]) <= set(HAZARDS["statements"])
    assert row["h"] == sorted(row["h"])


def test_the_page_counts_what_was_compared():
    said = [row["checked"].split(",")[0] for row in HAZARDS["hazard"]]
    full, digit, nothing = (said.count(word) for word in ("all", "check digit", "nothing seen"))
    page = (Path(__file__).parents[2] / "docs" / "synthesis.md").read_text("utf-8")
    part = len(said) - full - digit - nothing
    assert f"{full} in full, {part} in part, {digit} by the check digit" in page
    assert f"{nothing} that suppliers notify were seen nowhere else" in page


def test_every_statement_is_used():
    assert {code for row in HAZARDS["hazard"] for code in row["h"]} == set(HAZARDS["statements"])


# Perry's Chemical Engineers' Handbook, 8th edition, table 2-32, at 293.15 K; water: CRC Handbook.
PERRY_G_PER_ML = {
    "water": 0.9982,
    "ethanol": 0.7903,
    "2-propanol": 0.7867,
    "ethyl acetate": 0.8995,
    "acetone": 0.7923,
    "acetic acid": 1.0471,
    "tetrahydrofuran": 0.8853,
    "acetonitrile": 0.7820,
    "toluene": 0.8685,
    "dimethyl sulfoxide": 1.1010,
    "1,4-dioxane": 1.0340,
    "N,N-dimethylformamide": 0.9491,
    "dichloromethane": 1.3277,
}


def test_densities_are_those_of_a_second_table():
    assert {row["name"]: row["density_g_per_ml"] for row in SOLVENTS["solvent"]} == pytest.approx(
        PERRY_G_PER_ML, rel=0.006
    )


def test_solvents_have_their_rank_and_better_ones():
    (note,) = bench(routes.load("F1"), 1.0, step_yield_percent=80.0).solvents
    assert (note.name, note.rank) == ("1,4-dioxane", "hazardous")
    assert "ethyl acetate" in note.advice
    (none,) = {one.rank for one in bench(routes.load("D"), 1.0).solvents} - {""}
    assert none == "none used"
    assert safety_data.solvent("acetic acid, glacial").rank == "problematic"
    assert all(safety_data.solvent(name).rank == "recommended" for name in safety_data.recommended())


@pytest.mark.parametrize("name", ["A", "B"])
def test_the_page_stands_alone_and_holds_scheme_table_steps_and_checks(name):
    found = bench(routes.load(name), 10.0, step_yield_percent=80.0)
    page = bench_page(found)
    ET.fromstring(re.sub(r"<!doctype html>|<meta[^>]*>", "", page).replace("&nbsp;", " "))
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=", page)
    assert page.count('<section class="step">') == len(found.plan.step_yields_percent)
    for row in found.plan.table.to_dicts():
        assert row["material"].replace("'", "&#x27;") in page
    for word in ("human teratogen", "not stated", "CLP Annex VI", "Checked by", "[M+H]+", "<svg"):
        assert word in page


def test_molar_masses_by_hand_are_those_of_the_structures():
    by_hand = {
        "3-nitrophthalic anhydride": ANHYDRIDE,
        "3-aminopiperidine-2,6-dione hydrochloride": AMINE_HCL,
        "sodium acetate": ACETATE,
        "hydrogen chloride": HCL,
        OPENED: OPEN_ACID,
        "4-nitrothalidomide": NITRO,
        "Boc-L-glutamine": BOC_GLUTAMINE,
        "N,N'-diisopropylcarbodiimide": DIC,
        "N,N'-diisopropylurea": DIU,
        "Boc-3-aminopiperidine-2,6-dione": BOC_AMINE,
        "sodium chloride": SALT,
    }
    for name, mass in by_hand.items():
        assert structures.load(name).average_mass_g_per_mol == pytest.approx(mass, abs=0.005)
