"""`glueprint synthesis` and `glueprint compound` over the same functions."""

from __future__ import annotations

import pytest
from tests.envelope import payload

from glueprint.chemistry import routes
from glueprint.cli.compound import app as compound_app
from glueprint.cli.synthesis import app as synthesis_app
from glueprint.errors import EnvironmentProblemError, InputError, NotSupportedError

OWN = """
kind = "routes"
version = 1
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


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(OWN, encoding="utf-8")
    return path


def test_check_names_reagent_and_remedy_and_lets_the_known_finding_stand(printed):
    assert "3-nitrophthalic anhydride" in printed(synthesis_app, "check")
    said = payload(printed(synthesis_app, "check", "--json"))
    assert said["routes"] == {name: [] for name in routes.available()}
    assert [finding["code"] for finding in said["findings"]] == ["CH-route-product"]


def test_check_of_one_route_looks_at_what_is_printed_for_it(printed):
    assert payload(printed(synthesis_app, "check", "A", "--json"))["findings"] == []
    assert "5-aminothalidomide" in printed(synthesis_app, "check", "B")


def test_check_of_a_file_of_ones_own(own, printed):
    assert "gives its product in balance" in printed(synthesis_app, "check", str(own))
    own.write_text(OWN.replace("releases = { water = 2 }", ""), encoding="utf-8")
    said = payload(printed(synthesis_app, "check", str(own), "--json", code=1))
    assert said["routes"]["mine"][0]["code"] == "GP-H010"
    assert said["routes"]["mine"][0]["where"] == f"{own}, route mine, step reduction"
    assert "GP-H010" in printed(synthesis_app, "check", str(own), code=1)
    own.write_text(OWN.replace("80.0", "180.0"), encoding="utf-8")
    with pytest.raises(InputError, match="GP-H006"):
        printed(synthesis_app, "check", str(own))


def test_list_and_show_name_routes_and_steps(printed):
    rows = payload(printed(synthesis_app, "list", "--json"))
    assert [row["name"] for row in rows] == list(routes.available())
    assert rows[0]["overall_yield"] == "65 % (SYN-001b)"
    assert "Boc-L-glutamine" in printed(synthesis_app, "list")
    shown = printed(synthesis_app, "show", "A")
    assert "nitro reduction" in shown
    assert "longest linear sequence 3; atom economy 75.1 %" in shown
    assert "teratogen" in shown
    said = payload(printed(synthesis_app, "show", "F1", "--json"))
    assert said["metrics"]["process_mass_intensity"] == pytest.approx(223.08, abs=0.01)
    assert "at least 223.1 g/g" in printed(synthesis_app, "show", "F1")


def test_a_scheme_is_drawn_as_svg_and_png(tmp_path, printed):
    printed(synthesis_app, "show", "A", "--scheme", str(tmp_path / "a.svg"))
    assert (tmp_path / "a.svg").read_text("utf-8").startswith("<svg")
    printed(synthesis_app, "show", "A", "--scheme", str(tmp_path / "a.png"))
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_plan_prints_grams_and_what_to_weigh(printed):
    said = payload(printed(synthesis_app, "plan", "A", "--grams", "10", "--json"))
    assert said["materials"][0]["grams"] == pytest.approx(10.8729, abs=1e-3)
    assert "10.873" in printed(synthesis_app, "plan", "A")
    assert "11.095" in printed(synthesis_app, "plan", "A", "--purity", "98")
    one = printed(synthesis_app, "plan", "A", "--purity", "3-nitrophthalic anhydride=95")
    assert "11.445" in one
    assert "teratogen" in one
    assert "Assumed: the abstract names no starting material" in printed(synthesis_app, "plan", "C")
    for words, code in (
        (("--grams", "-1"), "GP-H006"),
        (("--purity", "high"), "GP-H006"),
        (("--purity", "0"), "GP-H006"),
    ):
        with pytest.raises(InputError, match=code):
            printed(synthesis_app, "plan", "A", *words)
    with pytest.raises(NotSupportedError, match="GP-H007"):
        printed(synthesis_app, "plan", "B")


def test_plan_of_a_file_of_ones_own(own, printed):
    said = payload(printed(synthesis_app, "plan", str(own), "--json"))
    assert said["yields_are"] == "stated per step"
    own.write_text(OWN + OWN[OWN.index("[[route]]") :].replace('"mine"', '"other"'), encoding="utf-8")
    with pytest.raises(InputError, match="GP-H014") as caught:
        printed(synthesis_app, "plan", str(own))
    assert "mine, other" in caught.value.next_step


@pytest.mark.parametrize(
    "name", ["thalidomide", "lenalidomide", "pomalidomide", "avadomide", "iberdomide", "mezigdomide",
             "5-hydroxypomalidomide", "(S)-pomalidomide"],
)  # fmt: skip
def test_every_page_of_the_class_carries_its_safety_note(name, printed):
    assert "human teratogen" in printed(compound_app, "show", name)
    assert "REMS" in payload(printed(compound_app, "show", name, "--json"))["safety"]


def test_a_compound_is_shown_with_published_values_beside(printed):
    said = payload(printed(compound_app, "show", "pomalidomide", "--json"))
    donors = next(row for row in said["descriptors"] if row["name"] == "H-bond donors")
    assert (donors["computed"], donors["published"], donors["claim_id"]) == (2, 2, "CHE-003")
    assert "CHE-003" in printed(compound_app, "show", "pomalidomide")
    assert "teratogen" not in printed(compound_app, "show", "water")
    assert payload(printed(compound_app, "show", "(S)-pomalidomide", "--json"))["stereo"] == "S"
    assert "UVSMNLNDYGZFPF-UHFFFAOYSA-N" in printed(compound_app, "list")
    assert len(payload(printed(compound_app, "list", "--json"))) > 40


def test_compare_tells_change_and_effect(printed):
    said = payload(printed(compound_app, "compare", "thalidomide", "pomalidomide", "--json"))
    assert said["changes"] == [{"gained": "NH2", "lost": "H", "on": "C"}]
    text = printed(compound_app, "compare", "lenalidomide", "pomalidomide")
    assert "TER-002" in text
    assert "teratogen" in text


def test_a_smiles_of_ones_own_is_checked_with_reasons(printed):
    text = printed(compound_app, "check", "O=C1CCC(N2C(=O)c3ccccc3C2=O)C(=O)N1")
    assert "likely" in text
    assert "teratogen" in text
    assert "likely" in printed(compound_app, "check", "pomalidomide")
    assert payload(printed(compound_app, "check", "c1ccccc1", "--json", code=1))["verdict"] == "unlikely"
    with pytest.raises(InputError, match="GP-H002"):
        printed(compound_app, "check", "C1CC")


def test_published_numbers_that_cannot_be_computed_stand_below(printed):
    said = payload(printed(compound_app, "show", "pomalidomide", "--json"))
    assert [claim["id"] for claim in said["evidence"]] == ["CHE-004", "CHE-005"]
    assert "DMSO solubility" in printed(compound_app, "show", "pomalidomide")


def test_stability_shows_constants_and_a_course(printed):
    text = printed(compound_app, "stability")
    assert "CHE-012" in text
    assert "assumed" in text
    assert len(payload(printed(compound_app, "stability", "--json"))) == 5
    said = payload(printed(compound_app, "stability", "thalidomide", "--hours", "8", "--json"))
    assert said["s"][0] == 1.0
    assert said["s"][-1] + said["r"][-1] + said["hydrolysed"][-1] == pytest.approx(1.0)
    text = printed(compound_app, "stability", "pomalidomide")
    assert "Assumed as thalidomide in blood" in text
    assert "plasma" in printed(compound_app, "stability", "lenalidomide")
    assert "teratogen" in text
    with pytest.raises(InputError, match="GP-H001"):
        printed(compound_app, "stability", "pomalidomide", "--medium", "wine")
    with pytest.raises(InputError, match="GP-H006"):
        printed(compound_app, "stability", "thalidomide", "--s-share", "2")


def test_drawings_go_to_a_file_or_to_standard_output(tmp_path, printed):
    printed(compound_app, "draw", "lenalidomide", "--out", str(tmp_path / "x.svg"))
    assert (tmp_path / "x.svg").read_text(encoding="utf-8").startswith("<?xml")
    printed(compound_app, "draw", "lenalidomide", "--out", str(tmp_path / "x.png"))
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    assert "</svg>" in printed(compound_app, "draw", "lenalidomide")
    with pytest.raises(EnvironmentProblemError, match="GP-H008"):
        printed(compound_app, "draw", "lenalidomide", "--out", str(tmp_path / "none" / "x.svg"))
    with pytest.raises(InputError, match="GP-H013"):
        printed(compound_app, "draw", "lenalidomide", "--out", str(tmp_path / "x.gif"))
