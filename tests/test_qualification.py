"""`glueprint qualify`: every check can fail, each requirement has checks and tests, the report holds all."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from functools import partial
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from tests.envelope import envelope
from typer.testing import CliRunner

from glueprint import curves, engine, qualification, survival, trials
from glueprint.calibration import clinical, in_vitro
from glueprint.cli.app import app
from glueprint.qualification import CHECKS, FAILED, PASSED, installation, operation, performance

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "validation" / "README.md").read_text("utf-8")
ROWS = re.findall(r"^\| (R-\d\d) \| (.+) \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def quick():
    return qualification.qualify(quick=True)


def test_the_quick_qualification_passes_here(quick):
    assert [one.id for one in quick.outcomes if one.status != PASSED] == []
    assert quick.status == PASSED
    assert set(quick.left_out) == {check.id for check in CHECKS if not check.quick}


@pytest.mark.parametrize("check", [check for check in CHECKS if not check.quick], ids=lambda check: check.id)
def test_the_others_pass_too(check):
    seen = check.look()
    assert seen.good, seen.found


def test_every_requirement_has_checks_and_tests_that_exist():
    told = {number: set(re.findall(r"[IOP]Q-\d\d", checks)) for number, _, checks, _ in ROWS}
    made = {}
    for check in CHECKS:
        made.setdefault(check.requirement, set()).add(check.id)
    assert told == made
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    for number, _, _, tests in ROWS:
        paths = re.findall(r"`(tests/[\w/]+\.py)`", tests)
        assert paths, number
        assert [path for path in paths if not (ROOT / path).is_file()] == []


def test_the_report_holds_everything(quick, tmp_path):
    data, page = qualification.write(quick, tmp_path / "new")
    read = json.loads(data.read_text("utf-8"))
    assert (read["kind"], read["version"], read["status"]) == ("glueprint-qualification", 1, PASSED)
    assert {"user", "machine", "python", "source", "packages", "utc"} <= set(read["about"])
    text = page.read_text("utf-8")
    assert hashlib.sha256(data.read_bytes()).hexdigest() in text
    for one in quick.outcomes:
        assert f"<td>{one.id}</td>" in text
    assert not re.search(r"https?://", text)


def test_a_check_that_fails_or_raises_fails_the_qualification():
    first, second = CHECKS[2], CHECKS[4]

    def broken():
        raise OSError("no <disk>")

    found = qualification.qualify(checks=[replace(first, look=broken), second])
    assert [one.status for one in found.outcomes] == [FAILED, PASSED]
    assert found.outcomes[0].found == "OSError: no <disk>"
    assert found.status == FAILED


def test_the_page_shows_text_only(tmp_path):
    check = replace(CHECKS[0], look=lambda: qualification.contract.Seen(False, "a", "<script>x</script>"))
    _, page = qualification.write(qualification.qualify(checks=[check]), tmp_path)
    assert "&lt;script&gt;x" in page.read_text("utf-8")


def test_the_command_writes_and_ends_with_1_for_a_failure(tmp_path, monkeypatch):
    failing = replace(CHECKS[0], look=lambda: qualification.contract.Seen(False, "this", "that"))
    monkeypatch.setattr(qualification, "qualify", partial(qualification.qualify, checks=(failing, CHECKS[4])))
    done = CliRunner().invoke(app, ["qualify", "--quick", "--out", str(tmp_path), "--json"])
    read = envelope(done.stdout)
    assert (done.exit_code, read["data"]["status"]) == (1, FAILED)
    assert [finding["id"] for finding in read["findings"]] == [failing.id]
    assert {path.name for path in tmp_path.iterdir()} == {"qualification.html", "qualification.json"}
    done = CliRunner().invoke(app, ["qualify"])
    assert "2 checks, 1 failed" in done.stdout


def test_packages_out_of_their_limits(monkeypatch):
    wanted = ["numpy>=2.0,<3", "llvmlite>=0.45,<0.51", "no-such-name>=1", 'dask>=1; extra == "cluster"']
    monkeypatch.setattr(installation.metadata, "requires", lambda _: wanted)
    real = metadata.version
    versions = {"numpy": "1.26.4", "llvmlite": "0.51.0"}
    monkeypatch.setattr(installation.metadata, "version", lambda name: versions.get(name) or real(name))
    seen = installation.packages()
    assert not seen.good
    for words in ("numpy 1.26.4 is below 2.0", "llvmlite 0.51.0 is not below 0.51", "no-such-name is not"):
        assert words in seen.found
    versions.update(numpy="2.4.6", llvmlite="0.50.9")
    wanted.pop(2)
    assert installation.packages().good


def test_a_changed_file_of_a_wheel(tmp_path, monkeypatch):
    package = tmp_path / "glueprint"
    package.mkdir()
    (package / "a.py").write_bytes(b"x = 1\n")
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"x = 1\n").digest()).rstrip(b"=").decode()

    file = metadata.PackagePath("glueprint/a.py")
    file.hash = metadata.FileHash(f"sha256={digest}")
    monkeypatch.setattr(installation, "FOLDER", package)
    monkeypatch.setattr(installation.metadata, "files", lambda _: [file])
    assert installation.files_as_shipped().good
    (package / "a.py").write_bytes(b"x = 2\n")
    seen = installation.files_as_shipped()
    assert not seen.good
    assert "glueprint/a.py" in seen.found


def without_the_first(real):
    return lambda time, event, *more, **options: real(time, event * (time > 1), *more, **options)


def a_little_higher(real):
    return lambda formula, x, y, **options: real(formula, x, y * 1.001, **options)


def of_three_mg(real):
    return lambda plan: (None, real(plan)[1].model_copy(update={"dose_mg": 3.0}))


@pytest.mark.parametrize(
    ("module", "name", "changed", "look"),
    [
        (curves, "fit", a_little_higher, operation.nist),
        (survival, "kaplan_meier", without_the_first, operation.r_survival),
        (survival, "log_rank", without_the_first, operation.r_survival),
        (survival, "cox", without_the_first, operation.r_survival),
        (trials, "glue_of", of_three_mg, performance.identity),
    ],
)
def test_answers_that_differ_are_seen(monkeypatch, module, name, changed, look):
    monkeypatch.setattr(module, name, changed(getattr(module, name)))
    assert not look().good


def test_a_model_that_is_off_is_named(monkeypatch):
    off = replace(operation.CONSTRUCTS[0], course={5.0: np.exp(-0.5) + 2e-5})
    monkeypatch.setattr(operation, "CONSTRUCTS", (off, operation.CONSTRUCTS[1]))
    seen = operation.constructs()
    assert not seen.good
    assert "decay is off by 2e-05" in seen.found
    monkeypatch.setattr(operation, "REFUSED", {"decay": operation.CONSTRUCTS[1].text})
    assert not operation.refusals().good
    assert engine.compile(off.text).species == ("A",)


def test_a_posterior_of_another_model_is_seen(monkeypatch):
    monkeypatch.setattr(clinical, "posterior", lambda *_: type("Stale", (), {"status": "stale"})())
    seen = performance.posteriors()
    assert not seen.good
    assert "stale" in seen.found


def test_a_likelihood_of_another_model_is_seen(monkeypatch):
    found = in_vitro.posterior()
    kept, computed = in_vitro.recomputed(found, 5)
    np.testing.assert_allclose(kept, computed, atol=1e-3)
    moved = replace(found, draws=found.draws.with_columns(found.draws["kd_nm"] * 1.01))
    kept, computed = in_vitro.recomputed(moved, 5)
    assert np.abs(kept - computed).max() > 1e-3
    monkeypatch.setattr(performance.in_vitro, "posterior", lambda: moved)
    assert not performance.likelihood().good
