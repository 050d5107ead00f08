"""`glueprint synthesis plan` for the bench: table, CSV, page, what is at hand."""

from __future__ import annotations

import csv
import io
from functools import partial

import pytest
from tests.envelope import payload

from glueprint.chemistry.planning import SCHEMA
from glueprint.cli.synthesis import app
from glueprint.errors import InputError


@pytest.fixture
def printed(printed):
    return partial(printed, app)


def test_a_plan_lists_base_catalyst_gas_conditions_hazards_and_solvents(printed):
    text = printed("plan", "A")
    for word in (
        "sodium acetate",
        "palladium on carbon",
        "amount not stated",
        "hydrogen",
        "work-up",
        "purification",
        "H220 Extremely flammable gas",
        "not its isomer 4-nitrophthalic anhydride",
        "human teratogen",
        "Process mass intensity at least 2.50 g/g",
        "limiting",
    ):
        assert word in text
    text = printed("plan", "B", "--step-yield", "80")
    for word in (
        "N-hydroxysuccinimide",
        "hydrogen chloride",
        "(S)-3-aminopiperidine-2,6-dione hydrochloride",
    ):
        assert word in text
    assert "doi:10.1039/c5gc01008j" in printed("plan", "F1", "--step-yield", "80")


def test_json_holds_steps_with_closed_balance(printed):
    said = payload(printed("plan", "B", "--step-yield", "80", "--json"))
    assert len(said["steps"]) == 4
    for step in said["steps"]:
        assert step["out_g"] == pytest.approx(step["in_g"])
    assert said["limited_by"] == ""
    assert said["not_counted"][0] == "activation and cyclisation: additive N-hydroxysuccinimide"


def test_csv_has_the_columns_of_the_plan_and_its_grams(printed):
    rows = list(csv.DictReader(io.StringIO(printed("plan", "A", "--format", "csv"))))
    assert list(rows[0]) == list(SCHEMA)
    base = next(row for row in rows if row["role"] == "base")
    assert float(base["grams"]) == pytest.approx(4.6187, abs=1e-3)
    catalyst = next(row for row in rows if row["role"] == "catalyst")
    assert catalyst["grams"] == ""


def test_a_page_is_written_once_and_not_over_another(tmp_path, printed):
    path = tmp_path / "a.html"
    printed("plan", "A", "--page", str(path))
    assert "What to weigh" in path.read_text("utf-8")
    with pytest.raises(InputError, match="GP-H023"):
        printed("plan", "A", "--page", str(path))


def test_what_is_at_hand_sets_the_amount(printed):
    words = ("plan", "A", "--have", "3-nitrophthalic anhydride=5.436425", "--have", "sodium acetate=4")
    said = payload(printed(*words, "--json"))
    assert said["grams"] == pytest.approx(5.0, rel=1e-5)
    assert said["limited_by"] == "3-nitrophthalic anhydride"
    assert "Limited by what is at hand of 3-nitrophthalic anhydride" in printed(*words)
    for wrong in ("sodium acetate", "sodium acetate=lots", "salt=3"):
        with pytest.raises(InputError, match="GP-H006"):
            printed("plan", "A", "--have", wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        ("--step-yield", "0.8"),
        ("--purity", "0.98"),
        ("--grams", "50", "--have", "3-nitrophthalic anhydride=5"),
        ("--have", "sodium acetate=4", "--have", "sodium acetate=5"),
        ("--purity", "98", "--purity", "hydrogen=99"),
        ("--purity", "hydrogen=98", "--purity", "hydrogen=99"),
    ],
)
def test_shares_for_per_cent_and_two_amounts_are_refused(printed, wrong):
    with pytest.raises(InputError, match="GP-H006"):
        printed("plan", "A", *wrong)
