"""Routes in and out: every built-in route comes back and holds; what others write is checked by our rules."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit.Chem import rdChemReactions
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint.chemistry import exchange, routes, standard, structures
from glueprint.cli.synthesis import app
from glueprint.errors import EnvironmentProblemError, GlueprintError, InputError

NITRO = "O=C1CCC(N2C(=O)c3cccc([N+](=O)[O-])c3C2=O)C(=O)N1"
POMALIDOMIDE = "Nc1cccc2c1C(=O)N(C1CCC(=O)NC1=O)C2=O"
AMINE = "NC1CCC(=O)NC1=O"
RIGHT, WRONG = "O=C1OC(=O)c2c1cccc2[N+](=O)[O-]", "O=C1OC(=O)c2ccc(cc12)[N+](=O)[O-]"
# A template as a retrosynthesis program writes it, from product to reactants, with mapped atoms.
TEMPLATE = (
    "[O;D1;H0:2]=[C:1]1-[c:8]:[c:9]-[C:4](=[O;D1;H0:5])-[N;H0;D3;+0:6]-1-[C:7]"
    ">>[O;D1;H0:2]=[C:1]1-[c:8]:[c:9]-[C:4](=[O;D1;H0:5])-O-1.[C:7]-[NH2;D1;+0:6]"
)


def mol(smiles, *children, stock=False):
    return {"type": "mol", "smiles": smiles, "in_stock": stock, "children": list(children)}


def step(product, *reactants, template=""):
    smiles = ".".join(one["smiles"] for one in reactants)
    metadata = {"template": template} if template else {}
    return {
        "type": "reaction",
        "smiles": f"{product}>>{smiles}",
        "metadata": metadata,
        "children": list(reactants),
    }


def tree_of(anhydride, template=""):
    condensation = step(NITRO, mol(anhydride, stock=True), mol(AMINE, stock=True), template=template)
    return mol(POMALIDOMIDE, step(POMALIDOMIDE, mol(NITRO, condensation)))


def written(tmp_path, data, name="tree.json"):
    path = tmp_path / name
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", routes.available())
@pytest.mark.parametrize("form", ["json", "rsmi", "rdf"])
def test_every_built_in_route_comes_back_and_holds(name, form, tmp_path):
    route = routes.load(name)
    text = {
        "json": lambda: json.dumps(exchange.tree(route)),
        "rsmi": lambda: "\n".join(exchange.reaction_smiles(route)),
        "rdf": lambda: exchange.rxn(route),
    }[form]()
    (back,) = exchange.read(written(tmp_path, text, f"mine.{form}"))
    assert routes.check(back).problems == ()
    assert len(back.step) == len(route.step)
    target = back.material(back.target)
    assert target.inchikey == route.material(route.target).inchikey
    for one, other in zip(back.step, route.step, strict=True):
        assert {standard.key(back.material(n).smiles) for n in one.products} == {
            standard.key(route.material(n).smiles) for n in other.products
        }
        assert one.racemises == other.racemises


@pytest.mark.parametrize("template", ["", TEMPLATE])
def test_a_tree_with_the_right_reagent_holds(tmp_path, template):
    (route,) = exchange.read(written(tmp_path, tree_of(RIGHT, template)))
    assert routes.check(route).holds
    assert route.step[0].reactants == ("3-nitrophthalic anhydride", "3-aminopiperidine-2,6-dione")
    assert route.target == "pomalidomide"


@pytest.mark.parametrize("template", ["", TEMPLATE])
def test_a_tree_with_the_guides_wrong_reagent_is_found_out(tmp_path, template):
    (route,) = exchange.read(written(tmp_path, tree_of(WRONG, template)))
    problems = routes.check(route).problems
    assert problems[0].code == "GP-H009"
    assert "gives 5-nitrothalidomide, not 4-nitrothalidomide" in problems[0].what
    assert "3-nitrophthalic anhydride" in problems[0].remedy


def test_a_template_runs_where_no_reaction_is_known(tmp_path):
    # Bromination of benzene is in no built-in route; the template carries it, hydrogen bromide is missing.
    tree = mol(
        "Brc1ccccc1",
        step("Brc1ccccc1", mol("c1ccccc1"), mol("BrBr"), template="[c:1][Br:2]>>[cH:1].[Br:2]Br"),
    )
    (route,) = exchange.read(written(tmp_path, tree))
    assert route.step[0].smarts == "[cH:1].[Br:2]Br>>[c:1][Br:2]"
    (problem,) = routes.check(route).problems
    assert (problem.code, problem.what) == ("GP-H010", "out of balance by Br -1, H -1")


def test_a_reaction_that_no_one_knows_is_taken_as_written_and_says_so():
    (route,) = exchange.read("CCBr.[OH-].[Na+]>>CCO.[Na+].[Br-] |f:1.2,4.5|")
    assert "taken as written" in route.step[0].assumed
    assert routes.check(route).holds
    (route,) = exchange.read("CCO>>CCN")
    assert [problem.code for problem in routes.check(route).problems] == ["GP-H010"]


def test_a_missing_small_molecule_is_completed_and_said():
    (route,) = exchange.read(
        "O=C1OC(=O)c2ccccc12.Cl.NC1CCC(=O)NC1=O>>O=C1CCC(N2C(=O)c3ccccc3C2=O)C(=O)N1 |f:1.2|"
    )
    assert routes.check(route).holds
    assert dict(route.step[0].releases) == {"water": 1.0, "hydrogen chloride": 1.0}
    assert route.step[0].assumed == "balance completed by water, hydrogen chloride"
    assert route.step[0].reactants[1] == "3-aminopiperidine-2,6-dione hydrochloride"


def test_an_ionised_salt_in_a_route_is_its_substance():
    (route,) = exchange.read(f"{RIGHT}.[Cl-].[NH3+]C1CCC(=O)NC1=O>>{NITRO} |f:1.2|")
    assert routes.check(route).holds
    named = routes.load("A").model_copy(update={"structures": {"amine salt": "[Cl-].[NH3+]C1CCC(=O)NC1=O"}})
    first = named.step[0].model_copy(update={"reactants": ("3-nitrophthalic anhydride", "amine salt")})
    assert routes.check(named.model_copy(update={"step": (first, *named.step[1:])})).holds


def test_a_product_named_as_its_sodium_salt_is_off_by_sodium_and_not_another_product():
    route = routes.load("F1")
    sodium = route.model_copy(
        update={
            "structures": {"salt": "[Na+].Nc1cccc2c1C(=O)N(C1CCC(=O)[N-]C1=O)C2=O"},
            "step": (route.step[0].model_copy(update={"products": ("salt",)}),),
        }
    )
    (problem,) = routes.check(sodium).problems
    assert problem.code == "GP-H010"
    assert "H -1, Na +1" in problem.what
    assert "salt is written with sodium" in problem.remedy


def test_agents_and_names_of_a_reaction_smiles_are_kept():
    (route,) = exchange.read(f"{NITRO}.[H][H]>CC(C)=O>{POMALIDOMIDE}.O reduction of mine")
    assert (route.step[0].name, route.step[0].reagents) == ("reduction of mine", ("acetone",))
    assert dict(route.step[0].consumes) == {"hydrogen": 3.0}


def test_rxn_blocks_are_read_by_others():
    for name in routes.available():
        for block in exchange.rxn(routes.load(name)).split("$RFMT\n")[-len(routes.load(name).step) :]:
            found = rdChemReactions.ReactionFromRxnBlock(block.split("$DTYPE")[0])
            assert found.GetNumReactantTemplates() >= 1
            assert found.GetNumProductTemplates() >= 1


def test_trees_of_a_list_are_routes_of_their_own(tmp_path):
    several = exchange.read(written(tmp_path, [tree_of(RIGHT), tree_of(WRONG)]))
    assert [route.name for route in several] == ["tree-1", "tree-2"]
    assert [routes.check(route).holds for route in several] == [True, False]
    assert len(exchange.read(written(tmp_path, {"trees": [tree_of(RIGHT)]}))) == 1


@pytest.mark.parametrize(
    ("name", "content", "where"),
    [
        ("a.json", "{", "a.json, line 1"),
        ("a.json", "[]", "a.json"),
        ("a.json", '{"smiles": ' + "9" * 5000 + "}", "a.json"),
        ("a.json", '{"smiles": 3}', "a.json, tree 1"),
        ("a.json", '{"smiles": "C", "children": 3}', "a.json, tree 1"),
        ("a.json", '{"smiles": "C", "children": [{"children": []}]}', "a.json, tree 1"),
        ("a.json", '{"smiles": "C"}', "a.json, tree 1"),
        ("a.rsmi", "# none\nC>>C\nCCO>CC\n", "a.rsmi, line 3"),
        ("a.rsmi", "", "a.rsmi"),
        ("a.rdf", "$RDFILE 1\n$RFMT\n$RXN\nnonsense\n", "a.rdf, line 3"),
        ("a.rxn", "nothing", "a.rxn"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(tmp_path, name, content, where):
    with pytest.raises(InputError, match="GP-H022") as caught:
        exchange.read(written(tmp_path, content, name))
    assert str(caught.value.where).endswith(where)


def test_a_bad_smiles_in_a_route_has_its_line(tmp_path):
    with pytest.raises(InputError, match="GP-H002") as caught:
        exchange.read(written(tmp_path, "CCO>>CC=O\nC1CC>>C\n", "a.rsmi"))
    assert caught.value.where.endswith("a.rsmi, line 2")
    with pytest.raises(EnvironmentProblemError, match="GP-H008"):
        exchange.read(str(tmp_path / "none.rxn"))


@settings(deadline=None, max_examples=60)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["smiles", "children", "metadata", "trees", "type"]), inner, max_size=4
            )
        ),
    )
)
def test_any_json_is_a_route_or_a_coded_error(tmp_path_factory, data):
    refused = ""
    try:
        exchange.read(written(tmp_path_factory.mktemp("any"), data))
    except GlueprintError as error:
        refused = error.code
    assert refused in ("", "GP-H022", "GP-H002")


def test_the_commands_take_and_give_routes(tmp_path):
    def run(*words, code=0):
        result = CliRunner().invoke(app, list(words), env={"COLUMNS": "400"})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.stdout

    assert run("export", "A").count(">>") == 3
    assert run("export", "A", "--format", "rxn").startswith("$RDFILE")
    assert (
        json.loads(run("export", "A", "--format", "tree"))["smiles"] == structures.load("pomalidomide").smiles
    )
    path = tmp_path / "a.json"
    run("export", "A", "--format", "tree", "--out", str(path))
    assert "gives its product in balance" in run("check", str(path))
    assert payload(run("plan", str(path), "--step-yield", "80", "--json"))["target"] == "pomalidomide"
    assert "step" in run("show", str(path))
    wrong = written(tmp_path, tree_of(WRONG), "wrong.json")
    assert "GP-H009" in run("check", wrong, code=1)
    with pytest.raises(InputError, match="GP-H023"):
        run("export", "A", "--out", str(path))
