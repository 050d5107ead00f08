"""`glueprint trial figures` as a user types it."""

from __future__ import annotations

import pytest
from tests.envelope import payload
from typer.testing import CliRunner

from glueprint import trials
from glueprint.calibration import clinical
from glueprint.cli.trial import app
from glueprint.errors import InputError
from glueprint.trials import kept

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def protocol(tmp_path_factory):
    path = tmp_path_factory.mktemp("protocol") / "tiny.toml"
    path.write_text(trials.template().replace("patients = 60", "patients = 12"), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def kept_result(protocol, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    kept.save(trials.run(trials.load_protocol(str(protocol)), 2, 5), folder)
    return folder


def drawn(*arguments):
    done = RUNNER.invoke(app, ["figures", *map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def test_a_kept_result_is_drawn_in_the_format_asked_for(kept_result, tmp_path):
    done = drawn(kept_result, "--out", tmp_path, "--only", "km, dose-timeline", "--format", "png", "--json")
    found = payload(done.stdout)
    names = [figure["figure"] for figure in found["figures"]]
    assert names == ["km", "km", "dose-timeline"]
    assert found["left_out"] == []
    assert {path.name for path in tmp_path.iterdir()} == {"km_pfs.png", "km_os.png", "dose_timeline.png"}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in tmp_path.iterdir())


def test_a_protocol_is_run_first_and_gives_what_its_result_gives(protocol, tmp_path):
    drawn(protocol, "--seed", "5", "--only", "swimmer", "--out", tmp_path / "one")
    plan = trials.load_protocol(str(protocol))
    most_probable = clinical.posterior().central(plan)
    kept.save(trials.run(plan, 1, 5, draws=most_probable), tmp_path / "kept")
    drawn(tmp_path / "kept", "--only", "swimmer", "--out", tmp_path / "two")
    one, two = ((tmp_path / name / "swimmer.svg").read_bytes() for name in ("one", "two"))
    assert one == two
    assert b"seed 5. Simulated" in one


def test_what_cannot_be_drawn_is_told(kept_result, tmp_path):
    found = payload(drawn(kept_result, "--out", tmp_path, "--json").stdout)
    left_out = {row["figure"]: row["reason"] for row in found["left_out"]}
    assert left_out["prior-posterior"] == "nothing to draw: no posterior was given"
    assert len(found["figures"]) == len(list(tmp_path.iterdir()))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--only", "km,forrest"], "GP-P006"),
        (["--format", "gif"], "GP-P004"),
        (["--only", "intervals"], "GP-P005"),
    ],
)
def test_what_is_not_a_figure_or_a_format_is_refused(kept_result, tmp_path, arguments, code):
    with pytest.raises(InputError, match=code):
        drawn(kept_result, "--out", tmp_path, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_result_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match="GP-T078"):
        drawn(tmp_path, "--out", tmp_path / "out")
