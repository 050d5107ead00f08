"""Routes: every shipped step run, the regiochemistry trap, faults to be seen, the bill of materials."""

from __future__ import annotations

import polars as pl
import pytest

from glueprint.chemistry import plan, reactions, routes, structures
from glueprint.errors import EnvironmentProblemError, InputError, NotSupportedError

WRONG = {"3-nitrophthalic anhydride": "4-nitrophthalic anhydride"}
REDUCTION = "[c:1][N+](=O)[O-]>>[c:1][NH2]"

OWN_ROUTE = """
[[route]]
name = "mine"
title = "reduction only"
target = "pomalidomide"
source = "bench"
[[route.step]]
name = "reduction"
reactants = ["4-nitrothalidomide"]
smarts = "[c:1][N+](=O)[O-]>>[c:1][NH2]"
products = ["pomalidomide"]
consumes = { hydrogen = 3 }
releases = { water = 2 }
yield_percent = 80.0
"""


@pytest.mark.parametrize("name", ["A", "B"])
def test_every_step_gives_exactly_its_named_product_in_balance(name):
    checked = routes.check(routes.load(name))
    assert checked.problems == ()
    assert all(step.as_named and not step.imbalance for step in checked.outcome.steps)
    assert checked.outcome.product.inchikey == "UVSMNLNDYGZFPF-UHFFFAOYSA-N"


@pytest.mark.parametrize("name", ["A", "B"])
def test_from_4_nitrophthalic_anhydride_the_route_ends_in_another_compound_of_the_same_mass(name):
    outcome = routes.run(routes.load(name), replace=WRONG)
    assert not outcome.reaches_target
    assert outcome.product.inchikey == "IICWMVJMJVXCLY-UHFFFAOYSA-N"
    assert outcome.product.name == "5-aminothalidomide"
    assert outcome.product.exact_mass_g_per_mol == pytest.approx(
        outcome.target.exact_mass_g_per_mol, abs=1e-9
    )
    assert all(not step.imbalance for step in outcome.steps)


def test_the_anhydride_opens_to_two_acids_and_both_close_to_one_imide():
    opening, closing, _ = routes.run(routes.load("A")).steps
    assert len(opening.products) == 2
    assert [product.name for product in closing.products] == ["4-nitrothalidomide"]


def test_route_b_keeps_the_centre_of_glutamine_until_the_condensation():
    steps = routes.run(routes.load("B")).steps
    assert [step.products[0].stereo for step in steps] == ["S", "S", *["racemate or undefined"] * 2]


def test_a_route_that_lies_is_caught():
    route = routes.load("A")
    unbalanced = route.step[2].model_copy(update={"releases": {"water": 1.0}})
    checked = routes.check(route.model_copy(update={"step": (*route.step[:2], unbalanced)}))
    assert checked.problems == ("step nitro reduction: out of balance by H -2, O -1",)
    misnamed = route.step[2].model_copy(update={"products": ("5-aminothalidomide",)})
    checked = routes.check(route.model_copy(update={"step": (*route.step[:2], misnamed)}))
    assert checked.problems == ("step nitro reduction: gives pomalidomide, not 5-aminothalidomide",)
    short = routes.check(route.model_copy(update={"step": route.step[:2]}))
    assert short.problems == ("the route ends in 4-nitrothalidomide, not pomalidomide",)


def test_reactants_that_do_not_react_end_in_no_product():
    outcome = routes.run(routes.load("A"), replace={"3-nitrophthalic anhydride": "thalidomide"})
    assert outcome.product is None
    assert not outcome.reaches_target


def test_own_routes_are_read_and_checked(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(OWN_ROUTE, encoding="utf-8")
    (route,) = routes.read(path)
    assert routes.check(route).holds
    assert plan(route, 1.0).yields_are == "stated per step"


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("yield_percent = 80.0", "yield_percent = 120.0", "step.0.yield_percent"),
        ("hydrogen = 3", "hydrogen = -3", "step.0.consumes.hydrogen"),
        ('title = "reduction only"', "", "title"),
        ('source = "bench"', 'source = "bench"\nsorce = "x"', "sorce"),
    ],
)
def test_a_faulty_route_file_names_the_field(tmp_path, old, new, field):
    path = tmp_path / "mine.toml"
    path.write_text(OWN_ROUTE.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match="GP-H005") as caught:
        routes.read(path)
    assert f'"{field}"' in caught.value.message
    assert caught.value.where == str(path)


@pytest.mark.parametrize("text", ["", "not toml", "[other]\nx = 1"])
def test_a_file_that_is_no_route_file_is_refused(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="GP-H005"):
        routes.read(path)


def test_a_route_file_that_cannot_be_read_is_an_environment_problem(tmp_path):
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    for name in ("none.toml", "binary.toml"):
        with pytest.raises(EnvironmentProblemError, match="GP-H008"):
            routes.read(tmp_path / name)


def test_unknown_route_and_unreadable_reactions_are_refused():
    with pytest.raises(InputError, match="GP-H003"):
        routes.load("Z")
    nitro = structures.load("4-nitrothalidomide")
    for smarts, reactants in (
        ("nonsense", [nitro]),
        (REDUCTION, [nitro, nitro]),
        ("[c:1]>>[c:1].[N]", [nitro]),
    ):
        with pytest.raises(InputError, match="GP-H004") as caught:
            reactions.products(smarts, reactants, where="route X, step 1")
        assert caught.value.where == "route X, step 1"


def test_bill_of_materials_for_ten_grams_by_route_a():
    found = plan(routes.load("A"), 10.0)
    # By hand: 10 g / 273.248 g/mol = 36.597 mmol; / 0.65 = 56.303 mmol; x 193.114 g/mol = 10.873 g anhydride.
    anhydride = found.table.row(by_predicate=pl.col("material") == "3-nitrophthalic anhydride", named=True)
    assert anhydride["mmol"] == pytest.approx(56.3028, abs=1e-3)
    assert anhydride["grams"] == pytest.approx(10.8729, abs=1e-3)
    hydrogen = found.table.row(by_predicate=pl.col("material") == "hydrogen", named=True)
    assert hydrogen["equivalents"] == 3.0
    assert found.yields_are.startswith("assumed")
    assert (found.table.filter(pl.col("role") != "product")["assumption"].str.starts_with("assumed")).all()
    assert found.table.filter(pl.col("material") == "pomalidomide")["grams"].to_list() == pytest.approx(
        [10.0]
    )


def test_a_plan_scales_with_the_amount():
    one, ten = (plan(routes.load("A"), grams).table["grams"].to_numpy() for grams in (1.0, 10.0))
    assert ten == pytest.approx(10.0 * one)


def test_without_a_yield_nothing_is_planned_unless_given():
    with pytest.raises(NotSupportedError, match="GP-H007"):
        plan(routes.load("B"), 10.0)
    given = plan(routes.load("B"), 10.0, step_yield_percent=100.0)
    assert given.table["mmol"][0] == pytest.approx(1000.0 * 10.0 / 273.248, rel=1e-6)


@pytest.mark.parametrize(
    ("grams", "percent"), [(0.0, None), (-1.0, None), (float("nan"), None), (1.0, 0.0), (1.0, 101.0)]
)
def test_impossible_amounts_are_refused(grams, percent):
    with pytest.raises(InputError, match="GP-H006"):
        plan(routes.load("A"), grams, step_yield_percent=percent)
