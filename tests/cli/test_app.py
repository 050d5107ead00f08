"""The command line as a whole: exit codes, errors as text and JSON, help for every command."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
from tests.envelope import payload, refusal

import glueprint
from glueprint import study
from glueprint.cli import app as application
from glueprint.cli.groups import GROUPS


def call(capsys, monkeypatch, *words):
    """Exit code, standard output, standard error of one call."""
    monkeypatch.setattr(sys, "argv", ["glueprint", *words])
    with pytest.raises(SystemExit) as ended:
        application.main()
    written = capsys.readouterr()
    return ended.value.code or 0, written.out, written.err


def test_version(capsys, monkeypatch):
    assert call(capsys, monkeypatch, "--version")[:2] == (0, f"glueprint {glueprint.__version__}\n")


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_has_help(capsys, monkeypatch, group):
    code, out, _ = call(capsys, monkeypatch, group, "--help")
    assert code == 0
    assert f"glueprint {group}" in out


def test_bad_input_ends_with_2_and_the_remedy(capsys, monkeypatch):
    code, out, err = call(capsys, monkeypatch, "study", "run", "pomalidomid")
    assert code == 2
    assert out == ""
    assert "GP-S001" in err
    assert "Next: " in err


def test_bad_input_as_json(capsys, monkeypatch):
    code, out, err = call(capsys, monkeypatch, "trial", "run", "mm03", "--json")
    assert (code, out) == (2, "")
    error = refusal(err.splitlines()[-1])
    assert error["code"] == "GP-T001"
    assert error["next_step"]


@pytest.mark.parametrize(
    "words",
    [
        ["fit", "raw/plate1.csv", "--x", "dose", "--y", "y"],
        ["survival", "raw/plate1.csv", "--time", "t", "--event", "e"],
        ["trial", "show", "raw/plate1.csv"],
        ["assay", "plate", "raw/plate1.csv"],
    ],
    ids=" ".join,
)
def test_a_file_that_is_not_there_is_answered_with_the_nearest(capsys, monkeypatch, tmp_path, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "plate_1.csv").write_text("dose,y\n1,2\n")
    code, _, err = call(capsys, monkeypatch, *words)
    assert code == 2
    assert 'raw/plate1.csv is not there (did you mean "plate_1.csv"?)' in err
    _, _, err = call(capsys, monkeypatch, *words, "--json")
    assert any('did you mean "plate_1.csv"' in note for note in refusal(err.splitlines()[-1])["notes"])
    # What is there, or what has no like, gets no such hint.
    _, _, err = call(capsys, monkeypatch, *[word.replace("plate1", "zzzzzzzzzz") for word in words])
    assert "did you mean" not in err


def test_an_unknown_option_ends_with_2(capsys, monkeypatch):
    code, _, err = call(capsys, monkeypatch, "study", "run", "pomalidomide", "--sead", "3")
    assert code == 2
    assert "--sead" in err


def test_our_bug_ends_with_3(capsys, monkeypatch):
    def broken():
        raise ZeroDivisionError("a bug")

    importlib.import_module("glueprint.cli.study")  # before the patch, or what Tab offers keeps it for good
    monkeypatch.setattr(study, "available", broken)
    code, _, err = call(capsys, monkeypatch, "study", "list")
    assert code == 3
    assert "GP-X001" in err
    assert "ZeroDivisionError" in err


def test_the_installed_command_runs():
    found = subprocess.run(
        [sys.executable, "-m", "glueprint", "study", "list", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert payload(found.stdout)[0]["name"] == "pomalidomide"
