"""The tables of a trial as CSV and as a workbook are read back with the same values and types."""

from __future__ import annotations

import zipfile

import numpy as np
import polars as pl
import pytest
from python_calamine import CalamineWorkbook
from tests.envelope import payload

from glueprint import trials
from glueprint.cli.app import app
from glueprint.errors import InputError, NotSupportedError
from glueprint.trials import kept, spreadsheets
from glueprint.trials.protocol.loading import protocol_from_text
from glueprint.trials.spreadsheets import names_in, read_spreadsheet, write_spreadsheets

SMALL = protocol_from_text(trials.template().replace("patients = 60", "patients = 15"), where="small")
ODD = pl.DataFrame(
    {
        "text": ["=1+1", None, "a,b", 'say "x"', "-lower", "µ <&> é"],
        "empty": ["", "x", "", "@home", "y", "-1.5"],
        "number": [0.1 + 0.2, None, 1e-300, -1.7976931348623157e308, float("inf"), 3.0],
        "count": [1, None, -5, 2**53, 0, 7],
        "flag": [True, None, False, True, False, True],
    }
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("kept")
    kept.save(trials.run(SMALL, replicates=2, seed=1), where)
    return where


@pytest.mark.parametrize("form", spreadsheets.FORMS)
def test_every_value_comes_back(form, tmp_path):
    nothing = ODD.clear()
    write_spreadsheets({"odd": ODD, "nothing": nothing}, tmp_path, form)
    assert names_in(tmp_path) == ("odd", "nothing")
    back = read_spreadsheet(tmp_path, "odd")
    assert back.schema == ODD.schema
    assert back.equals(ODD, null_equal=True)
    assert read_spreadsheet(tmp_path, "nothing").equals(nothing)


@pytest.mark.parametrize("form", spreadsheets.FORMS)
def test_a_trial_comes_back_and_is_analysed_again(form, folder, tmp_path):
    original = kept.load(folder)
    files = kept.write_out(original, tmp_path, form)
    assert (tmp_path / kept.FILE_NAME) in files
    back = kept.load(tmp_path)
    assert {"patients", "visits", "endpoints", "survival_curves", "subgroups", "grades", "estimands"} <= set(
        back.sheets
    )
    for name in trials.TABLES:
        assert back.table(name).equals(original.table(name)), name
    assert back.analysed().equals(original.table("endpoints"))


def test_a_workbook_is_one_that_others_open(folder, tmp_path):
    kept.write_out(kept.load(folder), tmp_path, "xlsx")
    with zipfile.ZipFile(tmp_path / spreadsheets.WORKBOOK) as packed:
        assert packed.testzip() is None
        assert "[Content_Types].xml" in packed.namelist()
    book = CalamineWorkbook.from_path(str(tmp_path / spreadsheets.WORKBOOK))
    assert book.sheet_names[:2] == ["patients", "visits"]
    rows = book.get_sheet_by_name("patients").to_python()
    assert rows[0][:4] == ["trial", "replicate", "arm", "patient"]
    assert len(rows) == 1 + 2 * 30
    # Numbers are numbers there, and cells that would be computed are text.
    assert isinstance(rows[1][rows[0].index("pfs_months")], float)
    write_spreadsheets({"odd": ODD}, tmp_path, "csv")
    assert "'=1+1" in (tmp_path / "odd.csv").read_text("utf-8")


def test_patients_that_were_changed_change_the_endpoints(folder, tmp_path):
    kept.write_out(kept.load(folder), tmp_path, "csv")
    path = tmp_path / "patients.csv"
    table = pl.read_csv(path, infer_schema=False)
    table.with_columns(best_response=pl.lit("CR")).write_csv(path, quote_style="non_numeric")
    rates = kept.load(tmp_path).analysed().filter(pl.col("endpoint") == "orr")["value"]
    assert np.allclose(rates, 100.0)


def test_what_cannot_be_is_refused(folder, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="GP-T082"):
        write_spreadsheets({"odd": ODD}, tmp_path, "ods")
    with pytest.raises(InputError, match="GP-T098"):
        read_spreadsheet(tmp_path, "odd")
    write_spreadsheets({"odd": ODD}, tmp_path, "csv")
    text = (tmp_path / "odd.csv").read_text("utf-8")
    (tmp_path / "odd.csv").write_text(text.replace('"count"', '"counts"'), "utf-8")
    with pytest.raises(InputError, match="GP-T098"):
        read_spreadsheet(tmp_path, "odd")
    (tmp_path / "odd.csv").write_text(text.replace("-5", "minus five"), "utf-8")
    with pytest.raises(InputError, match="GP-T098"):
        read_spreadsheet(tmp_path, "odd")
    monkeypatch.setattr(spreadsheets, "MOST_ROWS", 5)
    with pytest.raises(NotSupportedError, match="GP-T099"):
        write_spreadsheets({"odd": ODD}, tmp_path, "xlsx")


def test_the_commands(folder, tmp_path, printed):
    out = tmp_path / "sheets"
    told = payload(
        printed(app, "trial", "tables", str(folder), "--out", str(out), "--format", "xlsx", "--json")
    )
    assert any(name.endswith("trial.xlsx") for name in told["files"])
    assert "columns" in printed(app, "trial", "tables", str(folder), "--out", str(tmp_path / "csv"))
    found = payload(printed(app, "trial", "analyse", str(out), "--json"))
    assert len(found["endpoints"]) == kept.load(folder).table("endpoints").height
    assert "ORR" in printed(app, "trial", "analyse", str(tmp_path / "csv"))
