"""Time zero on a plate of its own, in a file of its own."""

from __future__ import annotations

import sys

import pytest
from tests.envelope import payload

from glueprint.assays import growth, readers
from glueprint.assays.growth import plates
from glueprint.assays.intake import door
from glueprint.cli import app as application
from glueprint.errors import EnvironmentProblemError, InputError

DOSES = (1.0, 10.0, 100.0, 1000.0, 10000.0)
ROWS = [("A", "DMSO", 0.0), *zip("BCDEF", ["Glue"] * 5, DOSES, strict=True), ("G", "Blank", "")]


def light(name, dose, well):
    grown = 1.0 - 0.8 * (dose or 0.0) / ((dose or 0.0) + 100.0)
    return 50 if name == "Blank" else round(50 + 8000 * grown) + 3 * well


END = "Well,Compound,Dose (nM),value\n" + "".join(
    f"{row}{n},{name},{dose},{light(name, dose, n)}\n" for row, name, dose in ROWS for n in (1, 2, 3)
)
START = "Well,value\n" + "".join(
    f"{row}{n},{20 if row == 'G' else 1020 + n}\n" for row, _, _ in ROWS for n in (1, 2, 3)
)


@pytest.fixture
def files(tmp_path):
    end, start = tmp_path / "end.csv", tmp_path / "start.csv"
    end.write_text(END)
    start.write_text(START)
    return end, start


def test_time_zero_of_another_file_gives_growth_rates(files):
    found = door.with_time_zero(door.read(files[0]), files[1])
    assert "18 readings at time zero from start.csv" in found.line
    table, _ = plates.cultures_table(found.wells.table, found.wells.assay)
    result = growth.analyse(table)
    # Each plate is lowered by its own blank: 8000 from 1002 are three divisions.
    assert result.tables["growth_rate"]["divisions"].to_list() == [pytest.approx(3.0, abs=0.01)]
    assert "GP-A194" not in [finding.code for finding in result.findings]


def test_the_command_takes_both(files, monkeypatch, capsys):
    words = ["glueprint", "assay", "growth", str(files[0]), "--time0", str(files[1]), "--json"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit):
        application.main()
    found = payload(capsys.readouterr().out)
    assert len(found["tables"]["growth_rate"]) == 1


def test_a_plate_without_cells_or_a_table_is_refused(files, tmp_path):
    blank, table = tmp_path / "blank.csv", tmp_path / "table.csv"
    blank.write_text("Well,value\nG1,20\nG2,21\n")
    table.write_text("dose_nm,viability\n0,1\n1,0.9\n10,0.5\n100,0.2\n")
    for first, second in ((files[0], blank), (table, files[1])):
        with pytest.raises(InputError, match="GP-A219"):
            door.with_time_zero(door.read(first), second)


def test_a_vendor_of_allotropy_is_asked_for_by_name(files, monkeypatch):
    monkeypatch.setitem(sys.modules, "allotropy.parser_factory", None)
    with pytest.raises(EnvironmentProblemError, match="GP-A026"):
        readers.read(files[0], "allotropy:PERKIN_ELMER_ENVISION")
