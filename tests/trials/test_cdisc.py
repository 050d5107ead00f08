"""A virtual trial as analysis datasets: what stands in them, their files, and back to its own numbers."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from xml.etree import ElementTree as Xml

import polars as pl
import pytest
from typer.testing import CliRunner

from glueprint import survival, trials
from glueprint.cli.app import app
from glueprint.errors import InputError
from glueprint.trials import cdisc, kept
from glueprint.trials.cdisc import Dataset, Variable
from glueprint.trials.protocol.loading import protocol_from_text

SMALL = trials.template().replace("patients = 60", "patients = 25")
WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NAMES = ("ADSL", "ADTTE", "ADRS", "ADLB", "ADAE", "ADEX")
ODM = "{http://www.cdisc.org/ns/odm/v1.3}"
# Required at the top and of a column by Dataset-JSON 1.1, and what a column may have.
TOP = {
    "datasetJSONCreationDateTime",
    "datasetJSONVersion",
    "itemGroupOID",
    "records",
    "name",
    "label",
    "columns",
}
MORE = {"originator", "sourceSystem", "studyOID", "metaDataVersionOID", "metaDataRef", "rows"}
COLUMN, COLUMN_MORE = {"itemOID", "name", "label", "dataType"}, {"length", "keySequence"}
JSON_TYPES = {"string": str, "integer": int, "float": (int, float)}


@pytest.fixture(scope="module")
def result():
    return trials.run(protocol_from_text(SMALL, where="small"), replicates=2, seed=11)


@pytest.fixture(scope="module")
def found(result):
    return cdisc.datasets(result.protocol, result.patients, result.visits, 2)


def of(found, name):
    return next(dataset for dataset in found if dataset.name == name).frame


def test_the_six_datasets_hold_one_trial(result, found):
    assert tuple(dataset.name for dataset in found) == NAMES
    patients = result.patients.filter(replicate=2)
    adsl = of(found, "ADSL")
    assert adsl.height == adsl["USUBJID"].n_unique() == patients.height
    assert adsl["TRT01P"].to_list() == patients["arm"].to_list()
    for dataset in found:
        assert set(dataset.frame["USUBJID"]) <= set(adsl["USUBJID"])
        assert dataset.frame.columns == [variable.name for variable in dataset.variables]
        for variable in dataset.variables:
            assert re.fullmatch("[A-Z][A-Z0-9]{0,7}", variable.name)
            assert len(variable.label) <= 40
            if variable.terms:
                assert set(dataset.frame[variable.name].drop_nulls().cast(pl.String)) <= set(variable.terms)


def test_rows_are_told_apart_by_their_keys(found):
    for name in ("ADSL", "ADTTE", "ADLB", "ADAE"):
        dataset = next(d for d in found if d.name == name)
        assert dataset.frame.select(dataset.keys).is_unique().all(), name


def test_times_and_censoring_are_those_of_the_patients(result, found):
    patients = result.patients.filter(replicate=2)
    overall = of(found, "ADTTE").filter(PARAMCD="OS")
    assert overall["AVAL"].to_list() == patients["os_months"].to_list()
    assert (overall["CNSR"] == 0).to_list() == patients["os_event"].to_list()
    assert set(overall.filter(CNSR=0)["EVNTDESC"]) <= {"DEATH"}
    responders = of(found, "ADTTE").filter(PARAMCD="DOR")
    assert responders.height == patients["dor_months"].is_not_null().sum()


def test_the_baseline_is_the_measurement_of_day_one(found):
    adlb = of(found, "ADLB")
    first = adlb.filter(ABLFL="Y")
    assert first["AVAL"].to_list() == first["BASE"].to_list()
    assert (first["ADY"] == 1).all()
    assert adlb["CHG"].to_list() == (adlb["AVAL"] - adlb["BASE"]).to_list()


def test_grades_say_what_they_rest_on(result, found):
    patients = result.patients.filter(replicate=2)
    events = of(found, "ADAE")
    for name, term in (("neutropenia", "Neutropenia"), ("pneumonia", "Pneumonia")):
        rows = events.filter(AEDECOD=term)
        assert rows.height == (patients[f"{name}_grade"] > 0).sum()
        assert set(rows["AEBASIS"]) <= {"clinical" if name == "pneumonia" else "laboratory"}


def test_a_patient_that_could_not_be_computed_is_in_adsl_alone(result):
    patients = result.patients.with_columns(
        status=pl.when((pl.col("replicate") == 2) & (pl.col("patient") == 3)).then(1).otherwise("status"),
        reason=pl.when(pl.col("patient") == 3).then(pl.lit("step limit")).otherwise("reason"),
    )
    made = cdisc.datasets(result.protocol, patients, result.visits, 2)
    row = of(made, "ADSL").filter(SUBJID="00003").to_dicts()[0]
    assert (row["ITTFL"], row["SAFFL"], row["STATUS"]) == ("N", "N", "step limit")
    for dataset in made[1:]:
        assert row["USUBJID"] not in set(dataset.frame["USUBJID"])


def test_dataset_json_is_as_the_standard_asks(found, tmp_path):
    cdisc.write(found, tmp_path, "dataset-json", created=WHEN)
    for dataset in found:
        about = json.loads((tmp_path / f"{dataset.name.lower()}.json").read_text("utf-8"))
        assert TOP <= about.keys() <= TOP | MORE
        assert about["datasetJSONVersion"] == "1.1.0"
        assert about["datasetJSONCreationDateTime"] == "2026-01-02T03:04:05Z"
        assert about["records"] == len(about["rows"]) == dataset.frame.height
        keys = [c["keySequence"] for c in about["columns"] if "keySequence" in c]
        assert sorted(keys) == list(range(1, len(dataset.keys) + 1))
        for place, column in enumerate(about["columns"]):
            assert COLUMN <= column.keys() <= COLUMN | COLUMN_MORE
            kind = JSON_TYPES[column["dataType"]]
            values = [row[place] for row in about["rows"] if row[place] is not None]
            assert all(isinstance(value, kind) for value in values)
            if column["dataType"] == "string":
                assert all(len(value) <= column["length"] for value in values)


@pytest.mark.parametrize("form", ["dataset-json", "xpt"])
def test_files_come_back_as_they_were(found, tmp_path, form):
    if form == "xpt":
        pytest.importorskip("pyreadstat")
    written = cdisc.write(found, tmp_path, form)
    for dataset, path in zip(found, written, strict=False):
        back = cdisc.read(path)
        assert back.columns == dataset.frame.columns
        for variable in dataset.variables:
            ours, theirs = dataset.frame[variable.name], back[variable.name]
            if variable.type == "string":
                assert theirs.fill_null("").to_list() == ours.fill_null("").to_list()
            else:
                # A transport file has 56 bits of fraction, more than ours.
                assert theirs.cast(pl.Float64).to_list() == ours.cast(pl.Float64).to_list()


def test_the_description_names_every_variable(found, tmp_path):
    cdisc.write(found, tmp_path, "csv", created=WHEN)
    root = Xml.parse(tmp_path / "define.xml").getroot()
    groups = {group.get("Name"): group for group in root.iter(f"{ODM}ItemGroupDef")}
    items = {item.get("OID"): item for item in root.iter(f"{ODM}ItemDef")}
    lists = {item.get("OID") for item in root.iter(f"{ODM}CodeList")}
    assert tuple(groups) == NAMES
    for dataset in found:
        named = [ref.get("ItemOID") for ref in groups[dataset.name].iter(f"{ODM}ItemRef")]
        assert [items[oid].get("Name") for oid in named] == [v.name for v in dataset.variables]
        assert (tmp_path / f"{dataset.name.lower()}.csv").is_file()
    assert all(ref.get("CodeListOID") in lists for ref in root.iter(f"{ODM}CodeListRef"))


def test_adtte_gives_the_trials_own_numbers(result, tmp_path):
    kept.save(result, tmp_path / "trial")
    done = CliRunner().invoke(
        app, ["trial", "export", str(tmp_path / "trial"), "--out", str(tmp_path / "adam"), "--replicate", "2"]
    )
    assert done.exit_code == 0, done.output
    table = cdisc.read(tmp_path / "adam" / "adtte.json")
    arms = [arm.name for arm in result.protocol.arms]
    own = {
        (row["arm"], row["endpoint"]): row
        for row in result.endpoints.filter(replicate=2).iter_rows(named=True)
    }
    for code, name in (("OS", "os"), ("PFS", "pfs")):
        request = survival.Request(
            "AVAL", "CNSR=0", arm="TRTP", reference=arms[1], unit="months", where=(f"PARAMCD={code}",)
        )
        analysed = survival.analyse(table, request)
        for row in analysed.tables["groups"].fill_nan(None).to_dicts():
            expected = own[row["arm"], f"median_{name}"]
            assert (row["median"], row["low"], row["high"]) == (
                expected["value"],
                expected["low"],
                expected["high"],
            )
        (ratio,) = analysed.tables["hazard_ratios"].to_dicts()
        expected = own[f"{arms[0]} vs {arms[1]}", f"hr_{name}"]
        assert ratio["hazard_ratio"] == pytest.approx(expected["value"], rel=1e-10)


def test_bad_requests_say_how_to_go_on(result, found, tmp_path):
    def refused(code, call):
        with pytest.raises(InputError) as caught:
            call()
        assert caught.value.code == code
        return caught.value.render()

    assert "dataset-json" in refused("GP-T082", lambda: cdisc.write(found, tmp_path, "sas"))
    (tmp_path / "no.json").write_text("{}", "utf-8")
    assert "datasetJSONVersion" in refused("GP-T085", lambda: cdisc.read(tmp_path / "no.json"))
    refused("GP-T085", lambda: cdisc.read(tmp_path / "absent.json"))
    columns = '"columns": [{"name": "A", "dataType": "string"}], "records": 1'
    deep = f'{{"datasetJSONVersion": "1.1.0", {columns}, "rows": [[{{"a": [[["x"]]]}}]]}}'
    (tmp_path / "deep.json").write_text(deep)
    assert "a cell that is a table" in refused("GP-T085", lambda: cdisc.read(tmp_path / "deep.json"))
    kept.save(result, tmp_path / "trial")
    arguments = ["trial", "export", str(tmp_path / "trial"), "--out", str(tmp_path), "--replicate", "9"]
    refused("GP-T086", lambda: CliRunner().invoke(app, arguments, catch_exceptions=False))


def test_rows_that_are_fewer_than_said_are_refused(found, tmp_path):
    path = cdisc.write(found, tmp_path, "dataset-json")[0]
    about = json.loads(path.read_text("utf-8"))
    about["rows"].pop()
    path.write_text(json.dumps(about), "utf-8")
    with pytest.raises(InputError, match="are said"):
        cdisc.read(path)


def test_what_a_transport_file_cannot_hold_is_refused(tmp_path):
    pytest.importorskip("pyreadstat")
    for text, label in (("Zürich", "Site"), ("x" * 201, "Site"), ("x", "S" * 41)):
        variables = (Variable("STUDYID", "Study"), Variable("SITE", label))
        frame = pl.DataFrame({"STUDYID": ["s"], "SITE": [text]})
        dataset = Dataset.of(("AD", "Sites", "One a site", ("SITE",)), variables, frame)
        with pytest.raises(InputError) as caught:
            cdisc.write([dataset], tmp_path, "xpt")
        assert caught.value.code == "GP-T084"
    (tmp_path / "bad.xpt").write_bytes(b"HEADER RECORD*******LIBRARY HEADER" + bytes(500))
    with pytest.raises(InputError) as caught:
        cdisc.read(tmp_path / "bad.xpt")
    assert caught.value.code == "GP-T085"


def test_without_the_library_the_message_says_how_to_get_it(found, tmp_path, monkeypatch):
    monkeypatch.setattr("glueprint.trials.cdisc.transport.import_module", _absent)
    with pytest.raises(InputError) as caught:
        cdisc.write(found, tmp_path, "xpt")
    assert caught.value.code == "GP-T083"
    assert "glueprint[cdisc]" in caught.value.render()


def _absent(name):
    raise ImportError(name)
