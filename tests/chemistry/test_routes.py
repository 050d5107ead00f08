"""Routes: every shipped step run, the regiochemistry trap, and faults that are found with code and place."""

from __future__ import annotations

import pytest

from glueprint import evidence
from glueprint.chemistry import reactions, routes, structures
from glueprint.errors import InputError

WRONG = {"3-nitrophthalic anhydride": "4-nitrophthalic anhydride"}
REDUCTION = "[c:1][N+](=O)[O-]>>[c:1][NH2]"
POMALIDOMIDE = "UVSMNLNDYGZFPF-UHFFFAOYSA-N"

HEAD = 'kind = "routes"\nversion = 1\n'
OWN_ROUTE = (
    HEAD
    + """
[[route]]
name = "mine"
title = "from my own nitro compound"
target = "pomalidomide"
source = "bench"
structures = { "my nitro" = "O=C1CCC(N2C(=O)c3cccc([N+](=O)[O-])c3C2=O)C(=O)N1" }
[[route.step]]
name = "reduction"
reactants = ["my nitro"]
smarts = "[c:1][N+](=O)[O-]>>[c:1][NH2]"
products = ["pomalidomide"]
consumes = { hydrogen = 3 }
releases = { water = 2 }
yield_percent = 80.0
equivalents = { hydrogen = 10 }
"""
)
CONDENSATION = (
    HEAD
    + """
[[route]]
name = "mine"
title = "two steps"
target = "pomalidomide"
source = "bench"
[[route.step]]
name = "condensation"
reactants = ["4-nitrophthalic anhydride", "3-aminopiperidine-2,6-dione"]
smarts = """
    + '"""'
    + """[c:8]1[c:9][C:4](=[O:5])O[C:1]1=[O:2].[NX3;H2:6][CX4:7]>>\\
[c:8]1[c:9][C:4](=[O:5])[N:6]([C:7])[C:1]1=[O:2]"""
    + '"""'
    + """
products = ["4-nitrothalidomide"]
releases = { water = 1 }
[[route.step]]
name = "reduction"
reactants = ["4-nitrothalidomide"]
smarts = "[c:1][N+](=O)[O-]>>[c:1][NH2]"
products = ["pomalidomide"]
consumes = { hydrogen = 3 }
releases = { water = 2 }
"""
)


@pytest.fixture
def written(tmp_path):
    def write(text):
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("name", routes.available())
def test_every_step_gives_exactly_its_named_product_in_balance(name):
    checked = routes.check(routes.load(name))
    assert checked.problems == ()
    assert all(step.as_named and not step.imbalance for step in checked.outcome.steps)
    assert checked.outcome.product.inchikey == structures.load(routes.load(name).target).inchikey


def test_all_routes_of_the_evidence_are_there_and_all_steps_counted():
    assert routes.available() == (
        "A", "B", "C", "D", "E1", "E2", "E3", "F1", "F2", "F3", "F4", "G1", "G2", "H", "I"
    )  # fmt: skip
    assert sum(len(routes.load(name).step) for name in routes.available()) == 32


@pytest.mark.parametrize("name", routes.available())
def test_yields_are_those_of_the_evidence_rows_named(name):
    known = evidence.load()
    route = routes.load(name)
    assert route.claims
    assert all(claim_id in known for claim_id in route.claims)
    stated = [(route.yield_claim, route.overall_yield_percent, route.overall_yield_range_percent)]
    stated += [(step.yield_claim, step.yield_percent, step.yield_range_percent) for step in route.step]
    for claim_id, value, spread in stated:
        assert bool(claim_id) == (value is not None or spread is not None)
        if value is not None:
            assert known[claim_id].value == value
        if spread is not None:
            high = known[claim_id].high
            assert (known[claim_id].low, 100.0 if high is None else high) == spread
    if route.purity_percent is not None:
        assert known["SYN-001c"].value == route.purity_percent


@pytest.mark.parametrize("name", ["A", "B", "C"])
def test_from_4_nitrophthalic_anhydride_the_route_ends_in_another_compound_of_the_same_mass(name):
    outcome = routes.run(routes.load(name), replace=WRONG)
    assert not outcome.reaches_target
    assert outcome.product.inchikey == "IICWMVJMJVXCLY-UHFFFAOYSA-N"
    assert outcome.product.name == "5-aminothalidomide"
    assert outcome.product.exact_mass_g_per_mol == pytest.approx(
        outcome.target.exact_mass_g_per_mol, abs=1e-9
    )
    assert all(not step.imbalance for step in outcome.steps)


def test_the_mechanochemical_route_has_no_regiochemistry_to_lose():
    product = routes.run(routes.load("D")).product
    assert product.inchikey == POMALIDOMIDE
    assert "3-nitrophthalic anhydride" not in routes.load("D").step[0].reactants


def test_the_anhydride_opens_to_two_acids_and_both_close_to_one_imide():
    opening, closing, _ = routes.run(routes.load("A")).steps
    assert len(opening.products) == 2
    assert [product.name for product in closing.products] == ["4-nitrothalidomide"]


def test_the_centre_is_lost_in_route_b_and_kept_in_route_h():
    steps = routes.run(routes.load("B")).steps
    assert [step.products[0].stereo for step in steps] == ["S", "S", *["racemate or undefined"] * 2]
    assert {step.products[0].stereo for step in routes.run(routes.load("H")).steps} == {"S"}


def test_a_route_that_lies_is_caught_with_code_and_place():
    route = routes.load("A")
    unbalanced = route.step[2].model_copy(update={"releases": {"water": 1.0}})
    (found,) = routes.check(route.model_copy(update={"step": (*route.step[:2], unbalanced)})).problems
    assert str(found) == "GP-H010 route A, step nitro reduction: out of balance by H -2, O -1"
    misnamed = route.step[2].model_copy(update={"products": ("5-aminothalidomide",)})
    (found,) = routes.check(route.model_copy(update={"step": (*route.step[:2], misnamed)})).problems
    assert (found.code, found.what) == ("GP-H009", "gives pomalidomide, not 5-aminothalidomide")
    (found,) = routes.check(route.model_copy(update={"step": route.step[:2]})).problems
    assert str(found) == "GP-H011 route A: the route ends in 4-nitrothalidomide, not pomalidomide"
    loose = route.model_copy(update={"step": (routes.load("E1").step[0], *route.step)})
    (found,) = routes.check(loose).problems
    assert str(found) == "GP-H011 route A, step condensation: no later step uses thalidomide"


def test_reactants_that_do_not_react_end_in_no_product():
    outcome = routes.run(routes.load("A"), replace={"3-nitrophthalic anhydride": "thalidomide"})
    assert outcome.product is None
    assert not outcome.reaches_target


def test_own_routes_are_read_and_checked(written):
    (route,) = routes.read(written(OWN_ROUTE))
    assert routes.check(route).holds
    assert routes.require(route).product.inchikey == POMALIDOMIDE


def test_a_wrong_reagent_is_refused_with_its_place_and_the_right_one(written):
    path = written(CONDENSATION)
    (route,) = routes.read(path)
    with pytest.raises(InputError, match="GP-H009") as caught:
        routes.require(route)
    error = caught.value
    assert error.where == f"{path}, route mine, step condensation"
    assert error.message.startswith("gives 5-nitrothalidomide, not 4-nitrothalidomide. Also: GP-H009")
    assert error.next_step.startswith("use 3-nitrophthalic anhydride (= 4-nitroisobenzofuran-1,3-dione)")


def test_an_unbalanced_step_is_refused_with_its_place(written):
    path = written(OWN_ROUTE.replace("releases = { water = 2 }", ""))
    with pytest.raises(InputError, match="GP-H010") as caught:
        routes.require(*routes.read(path))
    assert caught.value.where == f"{path}, route mine, step reduction"
    assert "H -4, O -2" in caught.value.message


def test_a_route_that_misses_its_target_is_refused(written):
    path = written(OWN_ROUTE.replace('target = "pomalidomide"', 'target = "thalidomide"'))
    with pytest.raises(InputError, match="GP-H011"):
        routes.require(*routes.read(path))


@pytest.mark.parametrize("percent", ["120.0", "0.0", "-5"])
def test_an_impossible_yield_is_refused_with_its_place(written, percent):
    path = written(OWN_ROUTE.replace("80.0", percent))
    with pytest.raises(InputError, match="GP-H006") as caught:
        routes.read(path)
    assert caught.value.where == f"{path}, route[0].step[0].yield_percent"
    assert f"{float(percent):g} % cannot be" in caught.value.message


def test_an_invalid_smiles_is_refused_with_its_place(written):
    path = written(OWN_ROUTE.replace("O=C1CCC(N2", "O=C1CCC(N2C("))
    with pytest.raises(InputError, match="GP-H002") as caught:
        routes.read(path)
    assert caught.value.where == f"{path}, route[0].structures"
    assert '"my nitro": cannot read' in caught.value.message


def test_an_unknown_structure_is_refused_with_its_place(written):
    path = written(OWN_ROUTE.replace('["my nitro"]', '["my nitr"]'))
    with pytest.raises(InputError, match="GP-H001") as caught:
        routes.check(*routes.read(path))
    assert caught.value.where == f"{path}, route mine"
    assert "its SMILES" in caught.value.next_step


def test_an_unreadable_reaction_is_refused_with_its_place(written):
    path = written(OWN_ROUTE.replace(REDUCTION, "nonsense"))
    with pytest.raises(InputError, match="GP-H004") as caught:
        routes.check(*routes.read(path))
    assert caught.value.where == f"{path}, route mine, step reduction"


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("hydrogen = 3 }", "hydrogen = -3 }", "route[0].step[0].consumes.hydrogen"),
        ('title = "from my own nitro compound"', "", "route[0].title"),
        ('source = "bench"', 'source = "bench"\nsorce = "x"', "route[0].sorce"),
        ("hydrogen = 3 }", "hydrogen = inf }", "route[0].step[0].consumes.hydrogen"),
        ("hydrogen = 10", "hydrogen = 1", "route[0].step[0]"),
        ("hydrogen = 10", "zinc = 10", "route[0].step[0]"),
        ("yield_percent = 80.0", "yield_range_percent = [90, 80]", "route[0].step[0].yield_range_percent"),
    ],
)
def test_a_faulty_route_file_names_the_field(written, old, new, field):
    path = written(OWN_ROUTE.replace(old, new))
    with pytest.raises(InputError, match="GP-H005") as caught:
        routes.read(path)
    assert caught.value.where == f"{path}, {field}"


def test_two_routes_of_one_name_are_refused(written):
    with pytest.raises(InputError, match="GP-H005") as caught:
        routes.read(written(OWN_ROUTE + OWN_ROUTE.removeprefix(HEAD)))
    assert "more than one route is called mine" in caught.value.message


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "GP-H012"), ("not toml", "GP-H005"), ("[other]\nx = 1", "GP-H012"), (HEAD, "GP-H005")],
)
def test_a_file_that_is_no_route_file_is_refused(written, text, code):
    with pytest.raises(InputError, match=code):
        routes.read(written(text))


def test_a_route_file_that_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    for name in ("none.toml", "binary.toml"):
        with pytest.raises(InputError, match="GP-H008"):
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


@pytest.mark.parametrize("name", routes.available())
def test_no_step_can_lie_about_balance_or_product(name):
    route = routes.load(name)
    for place, step in enumerate(route.step):

        def with_step(changed, place=place):
            steps = (*route.step[:place], changed, *route.step[place + 1 :])
            return {
                problem.code for problem in routes.check(route.model_copy(update={"step": steps})).problems
            }

        more = {**step.releases, "methanol": 1.0}
        assert "GP-H010" in with_step(step.model_copy(update={"releases": more}))
        assert "GP-H009" in with_step(step.model_copy(update={"products": ("methanol",)}))
