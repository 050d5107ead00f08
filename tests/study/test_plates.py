"""From the plate: truths stand beside estimates, the same seed gives the same tables, files say what they
are."""

from __future__ import annotations

import tomllib

import polars as pl
import pytest

from glueprint import evidence, study
from glueprint.assays import degradation, twins
from glueprint.curves import Potency
from glueprint.errors import InputError
from glueprint.runs import ledger
from glueprint.runs.verify import verify
from glueprint.study import definition, pipeline, plate_files, plates
from glueprint.units import convert


@pytest.fixture(scope="module")
def tables():
    return plates.compute(plates.ANALYSES, seed=1)


def estimate(tables, protocol, quantity, of):
    found = tables["plates_estimates"].filter(protocol=protocol, quantity=quantity).filter(pl.col("of") == of)
    return found.row(0, named=True)


def test_every_protocol_has_a_twin_that_says_what_it_is(tables):
    assert tuple(plates.ANALYSES) == tuple(twins.PROTOCOLS)
    assert definition.PlatesRequest().protocols == tuple(twins.PROTOCOLS)
    for row in tables["plates"].to_dicts():
        assert row["simulated"].startswith("simulated, not measured")
        assert f"twin {row['protocol']}, seed 1" in row["simulated"]
        assert row["files"][-2:] == ["truth.toml", "README.txt"]
        assert any(command.startswith("glueprint assay") for command in row["commands"])
    noted = tables["plates_findings"].filter(code="GP-A054")["protocol"].unique(maintain_order=True)
    assert noted.to_list() == list(twins.PROTOCOLS)


@pytest.mark.parametrize(
    ("claim", "where"),
    [
        ("G1-ki-fp", ("fp", "Ki", "pomalidomide")),
        ("G2-tnf-pbmc", ("elisa", "IC50, relative", "pomalidomide, all 4 donors")),
    ],
)
def test_truths_are_the_numbers_of_the_guide(tables, claim, where):
    published = next(one for one in evidence.load() if one.id == claim)
    assert estimate(tables, *where)["truth"] == pytest.approx(convert(published.value, published.unit, "nM"))


def test_truths_follow_from_the_settings(tables):
    kinetics = degradation.Kinetics(0.12, 1.0, 50.0)
    row = estimate(tables, "blot", "DC50 at 6 h, absolute", "IKZF1")
    # Half of the vehicle is left where the truth says that half is left.
    assert float(kinetics.remaining(row["truth"], 6.0)) == pytest.approx(0.5, rel=1e-6)
    assert estimate(tables, "blot", "Dmax at 6 h", "IKZF1")["truth"] == pytest.approx(
        1.0 - float(kinetics.remaining(1e12, 6.0))
    )
    gr50 = estimate(tables, "growth", "GR50 at 72 h", "pomalidomide, line A")["truth"]
    assert 0.1 + 0.9 / (1.0 + (gr50 / 128.0) ** 1.2) == pytest.approx(0.5)
    absolute = estimate(tables, "elisa", "IC50, absolute", "pomalidomide, all 4 donors")["truth"]
    assert 0.95 * absolute / (absolute + 13.0) == pytest.approx(0.5)


def test_the_estimates_recover_the_truth(tables):
    rows = tables["plates_estimates"].to_dicts()
    assert len(rows) == 18
    held = [row["low"] <= row["truth"] <= row["high"] for row in rows]
    assert held == [row["holds"] for row in rows]
    # 95 % intervals, not independent of each other within a protocol: of 18 one or two may miss.
    assert sum(held) >= 16
    for row in rows:
        assert row["value"] == pytest.approx(row["truth"], rel=0.5), row


def test_another_seed_gives_other_files_and_the_same_truth(tables):
    other = plates.compute(["fp"], seed=2)["plates_estimates"]
    mine = tables["plates_estimates"].filter(protocol="fp")
    assert other["truth"].equals(mine["truth"])
    assert (other["value"] != mine["value"]).all()


def test_the_same_seed_gives_the_same_tables(tables):
    again = plates.compute(["elisa", "growth"], seed=1)
    for name, table in again.items():
        if name.count("_") > 1:
            assert table.equals(tables[name]), name


@pytest.mark.parametrize(
    ("relation", "low", "high", "truth", "holds"),
    [
        ("=", 5.0, 20.0, 10.0, True),
        ("=", 5.0, 20.0, 4.0, False),
        ("=", None, 20.0, 1e-9, True),
        ("=", 5.0, None, 1e9, True),
        ("<", None, None, 9.0, True),
        ("<", None, None, 11.0, False),
        (">", None, None, 11.0, True),
        (">", None, None, 9.0, False),
        (">", 8.0, None, 9.0, True),
    ],
)
def test_limits_and_open_bounds_claim_what_lies_on_their_side(relation, low, high, truth, holds):
    found = Potency("IC50", "relative", 10.0, low, high, relation=relation)
    assert plates._holds(found, truth) is holds


SMALL = """
kind = "glueprint-study"
version = 1
name = "plates"
title = "A small study with plates"
compound = "pomalidomide"
[[trials]]
protocol = "mm003"
[profiles]
patients = 20
days = 2
[plates]
protocols = ["fp", "growth"]
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plates")
    path = folder / "plates.toml"
    path.write_text(SMALL)
    return path, study.run(path, folder / "first")


def raw(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted((folder / plate_files.FOLDER).rglob("*"))
        if path.is_file()
    }


def test_the_folder_holds_the_raw_files_and_the_ledger_vouches_for_them(done):
    _, result = done
    files = raw(result.folder)
    assert set(files) == {
        f"plates/{protocol}/{name}"
        for protocol in ("fp", "growth")
        for name in ("plate.txt", "layout.toml", "truth.toml", "README.txt")
    }
    assert all(b"simulated" in content.lower() for content in files.values())
    assert tomllib.loads(files["plates/fp/truth.toml"].decode())["seed"] == result.study.seed
    verdict = verify(result.folder)
    assert verdict.findings == ()
    assert verdict.unknown == ()


def test_the_record_knows_what_decides_the_plates(done):
    _, result = done
    assert {"plates", "plates_estimates", "plates_fp_wells", "plates_growth_fitted"} <= set(
        result.record.outputs
    )
    assert "plates" in result.record.inputs
    assert plates.truths(["fp"]) != plates.truths(["growth"])


def test_a_finished_study_is_left_alone_and_lost_files_come_back(done):
    path, result = done
    before, entries = raw(result.folder), len(ledger.read(result.folder / ledger.FILE_NAME))
    again = study.run(path, result.folder)
    assert len(ledger.read(result.folder / ledger.FILE_NAME)) == entries
    assert again.tables["plates_estimates"].equals(result.tables["plates_estimates"])
    # As if the run had been killed between its tables and its files.
    (result.folder / "plates/fp/plate.txt").unlink()
    study.run(path, result.folder)
    assert raw(result.folder) == before
    assert verify(result.folder).findings == ()


def test_a_study_without_plates_takes_the_old_ones_away(done, tmp_path):
    path, _ = done
    folder = tmp_path / "study"
    study.run(path, folder)
    (folder / "plates/fp/notes.txt").write_text("mine")
    plain = tmp_path / "plain.toml"
    plain.write_text(SMALL[: SMALL.index("[plates]")])
    assert "plates" not in study.run(plain, folder, fresh=True).tables
    assert list(raw(folder)) == ["plates/fp/notes.txt"]
    assert verify(folder).unknown == ("plates/fp/notes.txt",)


def test_what_is_asked_for_without_plates_is_stored_as_it_always_was(done):
    path, result = done
    assert '"plates":' in (result.folder / "study.json").read_text()
    without = definition.load(path).model_copy(update={"plates": None})
    assert '"plates":' not in pipeline._asked(without)


@pytest.mark.parametrize("asked", ["[]", '["fp", "fp"]', '["western"]'])
def test_protocols_that_cannot_be_asked_for(asked, tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(SMALL.replace('["fp", "growth"]', asked))
    with pytest.raises(InputError, match="GP-S005") as caught:
        study.load(path)
    assert "plates" in caught.value.where


def test_the_reference_study_asks_for_all_of_them():
    assert study.load("pomalidomide").plates == definition.PlatesRequest()
