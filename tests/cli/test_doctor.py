"""`glueprint doctor`: all is well here, and each thing that is amiss is a finding with its remedy."""

from __future__ import annotations

from importlib import metadata

import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint.cli import doctor
from glueprint.cli.app import app


def run(*arguments):
    return CliRunner().invoke(app, ["doctor", *arguments])


def found(look):
    return list(doctor._seen(look))


def test_this_machine_has_what_is_needed():
    done = run("--json")
    rows = {row["what"]: row for row in payload(done.stdout)}
    assert done.exit_code == 0, done.output
    assert {
        "glueprint",
        "numpy",
        "llvmlite",
        "processor",
        "compiler",
        "cache",
        "figures",
        "posteriors",
    } <= set(rows)
    assert all(row["status"] != "problem" for row in rows.values())
    assert "0.3678" in rows["compiler"]["found"]


def test_people_see_a_table():
    done = run()
    assert done.exit_code == 0
    assert "This machine" in done.output


def test_a_missing_or_old_package_is_a_problem(monkeypatch):
    real = metadata.version

    def version(name):
        if name == "pint":
            raise metadata.PackageNotFoundError(name)
        return {"numpy": "1.9", "polars": "99.0"}.get(name) or real(name)

    needed = [
        "numpy<3,>=2.0",
        "polars<2,>=1.20",
        "pint>=0.24",
        "dask[distributed]>=2024.8; extra == 'cluster'",
    ]
    monkeypatch.setattr(doctor.metadata, "requires", lambda _: needed)
    monkeypatch.setattr(doctor.metadata, "version", version)
    rows = {check.what: check for check in found(doctor._versions)}
    assert (rows["pint"].status, rows["pint"].remedy) == ("problem", "pip install pint")
    assert rows["numpy"].status == "problem"
    assert "numpy>=2" in rows["numpy"].remedy
    assert (rows["polars"].status, "not below" in rows["polars"].found) == ("problem", True)


def test_places_that_cannot_be_written_or_are_full(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    assert doctor._place("cache", tmp_path / "new", "set it").status == "problem"
    monkeypatch.undo()
    usage = doctor.shutil.disk_usage(tmp_path)._replace(free=1e9)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage)
    full = doctor._place("cache", tmp_path, "set it")
    assert (full.status, full.remedy) == ("warning", "make room: a study wants 2 GB")


def test_no_cache_is_a_warning(monkeypatch):
    monkeypatch.setenv("GLUEPRINT_CACHE", "")
    rows = {check.what: check for check in found(doctor._places)}
    assert rows["cache"].status == "warning"


def test_changed_posteriors_are_a_problem(monkeypatch):
    from glueprint.calibration import clinical

    class Stale:
        status = "stale"

    monkeypatch.setattr(clinical, "posterior", lambda _: Stale())
    (row,) = found(doctor._posteriors)
    assert row.status == "problem"
    assert "claret, two-clone" in row.found


def test_a_check_that_fails_is_a_finding_and_the_exit_code_is_1(monkeypatch):
    def _broken():
        raise OSError("no codec")
        yield

    monkeypatch.setattr(doctor, "CHECKS", (_broken, doctor._text))
    done = run("--json")
    assert done.exit_code == 1
    rows = payload(done.stdout)
    assert (rows[0]["what"], rows[0]["status"], rows[0]["found"]) == (
        "broken",
        "problem",
        "OSError: no codec",
    )
    assert rows[1]["what"] == "text"


@pytest.mark.parametrize(
    ("version", "numbers"), [("2.10.1", (2, 10, 1)), ("1.9.0.post1", (1, 9, 0)), ("5", (5,))]
)
def test_versions_are_compared_as_numbers(version, numbers):
    assert doctor._numbers(version) == numbers
