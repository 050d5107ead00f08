"""Rows on other glues and on prognosis: nothing lost, roles that keep them out of the fit, corrections."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from glueprint.calibration.targets import clinical_targets
from glueprint.evidence import Claims, run_checks
from glueprint.units import convert

COLLECTED = Path(__file__).parents[3] / "shared" / "evidence"
NUMBER = re.compile(r"(?<![\w.])[+-]?\d+(?:\.\d+)?(?![\w.])")
# How the collected files spell a unit, where a claim spells it otherwise; words that are no unit became
# the qualifier, and rows of text have none.
UNITS = {
    "months": "month",
    "years": "year",
    "patients": "count",
    "HR": "1",
    "-": "1",
    "r": "1",
    "R2": "1",
    "percent": "%",
    "percent of alone": "%",
    "percent higher": "%",
    "percent of dose": "%",
    "percent bound": "%",
    "percent of total as S or R": "%",
    "percent: >80 / 50-80 / 30-50 / <30 mL/min": "%",
    "fraction added": "1",
    "variance": "1",
    "dimensionless": "1",
    "per mL/min from 94.42": "1/(mL/min)",
    "per kg from 74.5": "1/kg",
    "nM*h (total)": "nM*h",
    "ng*h/mL from ng/mL": "ng*h/mL",
    "text": "",
    "rank": "",
    "qualitative": "",
}
INTERVALS = {
    "": "",
    "none": "",
    "approximate": "",
    "approximate median": "",
    "slightly below": "",
    "SD 0.03": "",
    "95% CI": "ci95",
    "95% UI": "ui95",
    "5-95 % bootstrap": "bootstrap",
    "lower bound": "lower-bound",
}


def collected(name):
    path = COLLECTED / f"{name}.csv"
    if not path.exists():
        pytest.skip("the collected files lie outside the repository (../shared/evidence)")
    with path.open(encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def of_row(claims, row):
    parts = claims.parts(row["id"])
    assert parts, row["id"]
    return parts


def interval_kind(word):
    if word in INTERVALS:
        return INTERVALS[word]
    return "sd" if word.startswith("SD ") else word.split()[0].strip(",")


def ids_of(text):
    """The identifiers in a source as collected, in the spelling of a claim."""
    found = {f"doi:{one.rstrip(';')}" for one in re.findall(r"10\.\d{4,}/[^\s;]+", text)}
    found |= {f"nct:{one}" for one in re.findall(r"NCT\d+", text)}
    found |= {f"pmcid:{one}" for one in re.findall(r"PMC\d+", text)}
    return found | {f"pmid:{one}" for one in re.findall(r"PMID[: ](\d+)", text)}


@pytest.mark.parametrize(("name", "rows"), [("glues", 86), ("prognosis", 222)])
def test_every_row_is_there(claims, name, rows):
    found = collected(name)
    assert len(found) == rows
    assert [row["id"] for row in found if not claims.parts(row["id"])] == []


@pytest.mark.parametrize("name", ["glues", "prognosis"])
def test_values_and_intervals_are_those_collected(claims, name):
    for row in collected(name):
        parts = of_row(claims, row)
        said = {number for part in parts for number in (part.value, part.low, part.high)}
        text = " ".join(part.text for part in parts)
        for column in ("value", "low", "high"):
            for number in NUMBER.findall(row[column]):
                assert float(number) in said or number in text, (row["id"], column, number)
        if len(parts) == 1 and parts[0].is_number:
            (claim,) = parts
            for column in ("low", "high"):
                # An upper end that was not reached stays open, and a bound needs no second end.
                if getattr(claim, column) is None:
                    assert row[column] in ("", "NE") or claim.interval_kind == "lower-bound", row["id"]
            assert claim.interval_kind == interval_kind(row["interval_kind"]), row["id"]
            if row["high"] == "NE":
                assert "not reached" in claim.qualifier, row["id"]


@pytest.mark.parametrize("name", ["glues", "prognosis"])
def test_units_are_those_collected(claims, name):
    for row in collected(name):
        unit = UNITS.get(row["unit"], row["unit"])
        for claim in of_row(claims, row):
            if row["id"] == "GLU078" or claim.id == "GLU085c":  # six numbers and a ratio, each with its unit
                assert claim.unit, claim.id
            elif claim.unit != unit:
                assert convert(1.0, claim.unit, unit) == 1.0, claim.id


@pytest.mark.parametrize("name", ["glues", "prognosis"])
def test_sources_places_and_surroundings_are_those_collected(claims, name):
    for row in collected(name):
        for claim in of_row(claims, row):
            assert ids_of(row["source_id"]) <= set(claim.sources), claim.id
            assert claim.sources, claim.id
            assert claim.citation == row["source_citation"], claim.id
            assert row["where"].split(" (")[0] in claim.place, claim.id
            assert claim.system == row.get("system", row.get("system_or_population")), claim.id
            assert row["conditions"] in claim.conditions, claim.id
            if row["n"]:
                assert str(claim.n) == row["n"] or row["n"] in claim.conditions or claim.n == claim.value
            for column in ("target", "assay"):
                assert getattr(claim, column) == row.get(column, ""), claim.id


@pytest.mark.parametrize("name", ["glues", "prognosis"])
def test_notes_keep_every_number_and_the_grade_follows_the_tier(claims, name):
    for row in collected(name):
        tier = row["note"][:2]
        # What one file writes of another's filing is no part of the number.
        note = re.sub(r"U-008.*?\)|T\d", "", row["note"])
        for claim in of_row(claims, row):
            kept = " ".join((claim.note, claim.qualifier, claim.quantity, claim.text, claim.place))
            missing = [number for number in NUMBER.findall(note) if number not in kept]
            assert missing == [] or claim.same_as, (claim.id, missing)
            # Rows that repeat a claim have its grade.
            assert claim.grade == "C" or tier == "T1" or row["note"].startswith("already"), claim.id


def test_prognosis_and_other_glues_are_no_targets(claims):
    new = [claim for claim in claims if claim.id.startswith(("GLU", "PRG"))]
    assert len(new) == 325
    for claim in new:
        assert claim.role == "prior" if claim.id.startswith("PRG") else claim.role in ("input", "context")
    with_them, without = clinical_targets(claims), clinical_targets([c for c in claims if c not in new])
    assert with_them == without
    assert len(with_them.targets) == 48


def test_what_was_opened_is_no_target_of_the_present_fit(claims):
    opened = [claim for claim in claims if claim.role == "open"]
    rows = {f"CL{number}" for number in range(134, 146)} | {f"SAF{number}" for number in range(232, 238)}
    assert {claim.id for claim in opened} == rows
    found = clinical_targets(claims)
    read = {name for target in found.targets for name in target.claim_ids} | {
        e.claim_id for e in found.excluded
    }
    assert read.isdisjoint(rows)


def test_pools_with_a_trial_kept_for_prediction_stay_context(claims):
    for number in range(184, 192):
        claim = claims[f"SAF{number}"]
        assert claim.role == "context"
        assert "never a target" in claim.note


def test_corrected_numbers_point_to_those_in_their_place(claims):
    assert {claim.id: claim.superseded_by for claim in claims if claim.superseded_by} == {
        "SAF272": "PRG263",
        "SAF273": "PRG264",
    }
    overall, progression = claims["PRG263"], claims["PRG264"]
    assert (overall.endpoint, overall.value, overall.low, overall.high) == ("hr_os", 1.8, 1.3, 2.7)
    assert (progression.endpoint, progression.value, progression.low, progression.high) == (
        "hr_pfs",
        1.3,
        1.0,
        1.6,
    )
    age = claims["SAF269"]
    assert (age.value, age.low, age.high) == (1.7, 1.4, 2.1)


def test_the_null_of_prior_lines_is_no_instruction(claims):
    note = claims["SAF231"].note
    assert "do not add" not in note
    assert "0.13" in note


def test_what_is_not_blind_says_so(claims):
    backbone = [claim for number in range(200, 215) for claim in claims.parts(f"CL{number}")]
    assert all("not blind for the kinetics of M-protein on lenalidomide" in claim.note for claim in backbone)
    counts = [f"CL{number}" for number in range(218, 228)] + ["SAF098", "SAF099", "SAF100", "SAF101"]
    assert all("not blind for the blood counts on avadomide" in claims[name].note for name in counts)


def test_conflicts_among_the_new_rows_are_found(claims):
    apart = {f.claim_ids for f in run_checks(claims) if f.code in ("EV-apart", "EV-analysis")}
    assert {("GLU064", "GLU074"), ("PRG148", "PRG155")} <= apart


def test_one_line_more_costs_as_much_in_each_arm(claims):
    """What the rows are for, derived anew: median PFS after one line over that after two or more."""
    pairs = [("PRG001", "PRG002"), ("PRG003", "PRG004"), ("PRG028", "PRG123"), ("PRG125", "PRG126")]
    ratios = [claims[one].value / claims[more].value for one, more in pairs]
    assert all(1.0 < ratio < 1.6 for ratio in ratios)
    assert Claims([claims[name] for pair in pairs for name in pair]).select(role="prior").frame.height == 8
