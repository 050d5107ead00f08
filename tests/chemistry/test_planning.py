"""The bill of materials and the numbers of a route, against sums done by hand."""

from __future__ import annotations

import polars as pl
import pytest

from glueprint.chemistry import flow, metrics, plan, routes
from glueprint.chemistry.planning import SCHEMA
from glueprint.chemistry.route import Route
from glueprint.errors import InputError, NotSupportedError

REDUCTION = {
    "reactants": ["4-nitrothalidomide"],
    "smarts": "[c:1][N+](=O)[O-]>>[c:1][NH2]",
    "products": ["pomalidomide"],
    "consumes": {"hydrogen": 3},
    "releases": {"water": 2},
}
HEAD = {"name": "mine", "title": "one step", "target": "pomalidomide", "source": "bench"}


def row(found, material):
    return found.table.row(by_predicate=pl.col("material") == material, named=True)


def one_step(**changes):
    return Route.model_validate({**HEAD, "step": [{"name": "reduction", **REDUCTION, **changes}]})


def test_bill_of_materials_for_ten_grams_by_route_a():
    found = plan(routes.load("A"), 10.0)
    # By hand: 10 g / 273.248 g/mol = 36.597 mmol; / 0.65 = 56.303 mmol; x 193.114 g/mol = 10.873 g anhydride.
    anhydride = row(found, "3-nitrophthalic anhydride")
    assert anhydride["mmol"] == pytest.approx(56.3028, abs=1e-3)
    assert anhydride["grams"] == anhydride["weigh_g"] == pytest.approx(10.8729, abs=1e-3)
    assert row(found, "hydrogen")["equivalents"] == 3.0
    assert found.yields_are.startswith("assumed")
    weighed = found.table.filter((pl.col("role") != "product") & pl.col("grams").is_not_null())
    assert weighed["assumption"].str.starts_with("assumed").all()
    unknown = found.table.filter(pl.col("grams").is_null())
    assert set(unknown["role"]) == {"solvent", "catalyst"}
    assert unknown["assumption"].str.contains("not stated").all()
    assert row(found, "pomalidomide")["grams"] == pytest.approx(10.0)
    assert found.table.schema == SCHEMA


def test_a_plan_scales_with_the_amount():
    one, ten = (plan(routes.load("A"), g).table["grams"].drop_nulls().to_numpy() for g in (1.0, 10.0))
    assert ten == pytest.approx(10.0 * one)


def test_a_purity_raises_what_is_weighed_and_nothing_else():
    pure, all_98 = plan(routes.load("A"), 10.0), plan(routes.load("A"), 10.0, purity_percent=98.0)
    anhydride = row(all_98, "3-nitrophthalic anhydride")
    assert anhydride["grams"] == row(pure, "3-nitrophthalic anhydride")["grams"]
    assert anhydride["weigh_g"] == pytest.approx(anhydride["grams"] / 0.98)
    assert "pure" not in anhydride["assumption"]
    assert all_98.table["grams"].equals(pure.table["grams"])
    made = pl.col("material").is_in(["4-nitrothalidomide", "pomalidomide"])
    assert all_98.table.filter(made).equals(pure.table.filter(made))
    one = plan(routes.load("A"), 10.0, purity_percent={"3-nitrophthalic anhydride": 95.0})
    assert row(one, "3-nitrophthalic anhydride")["purity_percent"] == 95.0
    assert "assumed: pure" in row(one, "hydrogen")["assumption"]
    with pytest.raises(InputError, match="GP-H006") as caught:
        plan(routes.load("A"), 10.0, purity_percent={"3-nitrophtalic anhydride": 95.0})
    assert 'did you mean "3-nitrophthalic anhydride"' in caught.value.message


def test_given_equivalents_are_used_and_no_longer_assumed():
    found = row(plan(one_step(yield_percent=100, equivalents={"hydrogen": 6}), 1.0), "hydrogen")
    assert found["equivalents"] == 6.0
    assert found["mmol"] == pytest.approx(6 * 1000 / 273.248, rel=1e-5)
    assert found["assumption"] == "assumed: pure"


def test_a_range_of_yields_is_planned_at_its_lower_end_and_says_so():
    found = plan(routes.load("C"), 10.0)
    assert row(found, "3-nitrophthalic anhydride")["mmol"] == pytest.approx(36.5968 / 0.38, rel=1e-4)
    assert "lower end of 38 to 47 %" in found.yields_are
    assert any("no starting material" in text for text in found.assumptions)
    assert "lower end of 90" in plan(routes.load("I"), 1.0).yields_are


def test_without_a_yield_nothing_is_planned_unless_given():
    with pytest.raises(NotSupportedError, match="GP-H007"):
        plan(routes.load("B"), 10.0)
    given = plan(routes.load("B"), 10.0, step_yield_percent=100.0)
    assert given.table["mmol"][0] == pytest.approx(1000.0 * 10.0 / 273.248, rel=1e-6)


@pytest.mark.parametrize("name", routes.available())
def test_every_route_can_be_planned_and_ends_in_the_amount_wished(name):
    found = plan(routes.load(name), 2.0, step_yield_percent=80.0)
    assert found.table["grams"][-1] == pytest.approx(2.0)
    assert (found.table["grams"] > 0).all()


@pytest.mark.parametrize(
    ("grams", "percent", "purity"),
    [(0.0, None, None), (-1.0, None, None), (float("nan"), None, None), (1.0, 0.0, None), (1.0, 101.0, None),
     (1.0, None, 101.0), (1.0, None, 0.0)],
)  # fmt: skip
def test_impossible_amounts_are_refused(grams, percent, purity):
    with pytest.raises(InputError, match="GP-H006"):
        plan(routes.load("A"), grams, step_yield_percent=percent, purity_percent=purity)


def test_a_route_that_does_not_hold_is_not_planned():
    with pytest.raises(InputError, match="GP-H010"):
        plan(one_step(yield_percent=80, releases={}), 1.0)


def test_two_branches_meet_and_both_are_made():
    # The aminoglutarimide of route B takes two steps and feeds the condensation: the longest line is four.
    step = routes.load("B").step
    assert metrics.measure(routes.load("B")).longest_linear_sequence == 4
    convergent = routes.load("B").model_copy(
        update={"step": (step[0], step[1], step[2].model_copy(update={"reactants": (
            "3-nitrophthalic anhydride", "(S)-3-aminopiperidine-2,6-dione")}), step[3])}
    )  # fmt: skip
    found = flow.demands(convergent, (50.0, 100.0, 50.0, 100.0), 1.0)
    assert [demand.mmol_in for demand in found] == pytest.approx([4.0, 2.0, 2.0, 1.0])
    assert flow.bought(convergent) == (
        "Boc-L-glutamine",
        "N,N'-diisopropylcarbodiimide",
        "3-nitrophthalic anhydride",
        "hydrogen",
    )


def test_atom_economy_of_the_reduction_by_hand():
    # C13H9N3O6 303.230 + 3 H2 2.016 -> C13H11N3O4 273.248 + 2 H2O: 273.248 / 309.278 = 88.35 %.
    found = metrics.measure(routes.load("F1"))
    assert found.steps[0].atom_economy_percent == pytest.approx(88.35, abs=0.01)
    assert found.atom_economy_percent == pytest.approx(88.35, abs=0.01)


def test_process_mass_intensity_only_where_a_solvent_amount_is_known():
    # 303.230 x (1 + 200) + 6.048 over 273.248 = 223.08 at full yield: a lower bound, no yield is stated.
    dioxane = metrics.measure(routes.load("F1"))
    assert dioxane.process_mass_intensity == pytest.approx(223.077, abs=0.01)
    assert dioxane.is_lower_bound
    assert dioxane.counted == ("nitro reduction",)
    acetone = metrics.measure(routes.load("F2"))
    assert acetone.process_mass_intensity is None
    assert acetone.not_counted == ("nitro reduction",)
    # The lower bound falls away where solvent and yield are both known.
    known = metrics.measure(one_step(yield_percent=80, solvent="acetone", solvent_g_per_g=10))
    assert not known.is_lower_bound
    assert known.process_mass_intensity == pytest.approx((303.230 * 11 + 6.048) / 0.8 / 273.248, rel=1e-4)


def test_mass_intensity_says_what_it_rests_on():
    said = {name: metrics.measure(routes.load(name)).intensity_is for name in ("A", "B", "C", "E1", "I")}
    assert said == {"A": "shared", "B": "at least", "C": "at least", "E1": "stated", "I": "at least"}
    # By hand, E1: phthalic anhydride 148.117 and the trifluoroacetate 242.153 over 0.88 x 258.233.
    one = metrics.measure(routes.load("E1"))
    assert one.mass_intensity == pytest.approx((148.117 + 242.153) / 0.88 / 258.233, rel=1e-4)
    # C at the upper end of its range, so that the number is a lower bound: A's materials at 47 % for 65 %.
    a, c = (metrics.measure(routes.load(name)).mass_intensity for name in ("A", "C"))
    assert c == pytest.approx(a * 65 / 47, rel=0.01)


def test_yields_are_told_as_the_source_does_or_as_not_stated():
    words = {name: metrics.measure(routes.load(name)).overall_yield_words for name in routes.available()}
    assert words["A"] == "65 % (SYN-001b)"
    assert words["B"] == "not stated"
    assert words["C"] == "38 to 47 % (SYN-008b)"
    assert words["E1"] == "88 % (SYN-010b)"
    assert words["I"] == "at least 90 % (SYN-020b)"
    two = [{"name": n, **REDUCTION, "yield_percent": 50} for n in "ab"]
    both = Route.model_validate({**HEAD, "step": two})
    assert metrics.measure(both).overall_yield_words == "25.0 % (product of the steps)"


def test_mass_intensity_is_never_below_what_atoms_allow():
    for name in routes.available():
        found = metrics.measure(routes.load(name))
        assert found.mass_intensity >= 100.0 / found.atom_economy_percent - 1e-9
        assert 0.0 < found.atom_economy_percent < 100.0
