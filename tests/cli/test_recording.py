"""Records of commands: every command that makes numbers leaves one, and the page about them is true."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest
import typer
from tests.envelope import payload
from typer.core import TyperGroup
from typer.testing import CliRunner

from glueprint.calibration import clinical
from glueprint.cli import groups, recording
from glueprint.cli.app import app
from glueprint.errors import InputError
from glueprint.runs import records, store

PAGE = (Path(__file__).parents[2] / "docs" / "records.md").read_text("utf-8")
(CSV,) = re.findall(r"```csv\n(.*?)```", PAGE, flags=re.DOTALL)
LINES = [
    line for block in re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL) for line in block.splitlines()
]
FIT = ["fit", "doses.csv", "--x", "dose_nM", "--y", "response", "--by", "compound"]
PATIENTS = {
    "weeks": [6, 7, 10, 13, 16, 22, 23, 6, 1, 2, 3, 4, 5, 8, 11, 12, 15, 17],
    "dead": [1, 1, 1, 1, 1, 1, 0, 0] + [1] * 10,
    "drug": ["new"] * 8 + ["old"] * 10,
}
SURVIVAL = ["survival", "patients.csv", "--time", "weeks", "--event", "dead", "--arm", "drug"]


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("doses.csv").write_text(CSV)
    pl.DataFrame(PATIENTS).write_csv("patients.csv")


def run(*words, code=0):
    done = CliRunner().invoke(app, list(map(str, words)))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.output


def test_the_page_of_records_is_true():
    for line in LINES:
        program, *words = shlex.split(line)
        if program == "glueprint":
            run(*words)
        elif program == "cat":
            Path(words[2]).write_text(Path(words[0]).read_text())
        elif shutil.which(program):
            subprocess.run([program, *words], check=True, capture_output=True)
        else:
            pytest.skip(f"no {program} here")
    told = payload(run("verify", "results", "--trusted", "trusted", "--json"))
    assert (told["findings"], told["origin"]) == ([], "Ada Lovelace as author")
    assert "origin: Ada Lovelace as author" in run("verify", "results", "--trusted", "trusted")
    assert "origin unverified: the keys of its signatures were not named" in run("verify", "results")
    Path("results/more.csv").write_text("x")
    assert "more.csv: no record vouches for it" in run("verify", "results", code=1)


CALLS = {
    "fit": ([*FIT, "--out", "out"], "doses.csv"),
    "survival": ([*SURVIVAL, "--out", "out"], "patients.csv"),
    "experiment": (["experiment", "run", "fp_competition", "--out", "out"], None),
    "twin": (["assay", "twin", "fp", "--out", "out", "--seed", "3"], None),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_command_that_writes_results_leaves_one_record(name):
    words, source = CALLS[name]
    run(*words)
    record = records.read(Path("out/record.json"))
    assert record.command == tuple(words)
    assert record.exit_status == 0
    assert record.seed == (3 if name == "twin" else record.seed)
    named = {one.name: one.sha256 for one in record.outputs}
    there = {p.relative_to("out").as_posix() for p in Path("out").rglob("*") if p.is_file()}
    assert set(named) == there - {"record.json"} != set()
    assert all(store.file_hash(Path("out", file)) == digest for file, digest in named.items())
    if source:
        assert [(one.path, one.sha256) for one in record.inputs] == [(source, store.file_hash(Path(source)))]
    assert "0 findings" in run("verify", "out")


def test_a_trial_is_read_only_as_it_was_left():
    # A command has a process of its own, in which nobody has read the posterior before.
    clinical.posterior.cache_clear()
    run("trial", "run", "mm003", "--out", "trial", "--seed", "2")
    record = records.read(Path("trial/record.json"))
    assert record.seed == 2
    assert any(name.startswith("calibration/") for name in record.packaged)  # its posterior
    run("trial", "export", "trial", "--out", "adam")
    export = records.read(Path("adam/record.json"))
    assert "trial/patients.parquet" in {one.path for one in export.inputs}
    assert "0 findings" in run("verify", "adam")
    table = Path("trial/visits.parquet")
    table.write_bytes(table.read_bytes() + b" ")
    assert "visits.parquet: was changed" in run("verify", "trial", code=1)
    with pytest.raises(InputError, match="GP-R029") as caught:
        run("trial", "export", "trial", "--out", "adam2")
    assert "visits.parquet was changed" in str(caught.value)
    assert not Path("adam2").exists()


def test_a_table_of_a_model_has_its_record_beside_it():
    Path("decay.ant").write_text("species x; x = 2; k = 0.5; J: x -> ; k*x")
    for name in ("t.csv", "t.parquet"):
        run("model", "simulate", "decay.ant", "--until", "4", "--out", name)
        record = records.read(Path(f"{name}.record.json"))
        assert [(one.path, one.sha256) for one in record.outputs] == [(name, store.file_hash(Path(name)))]
        assert [one.path for one in record.inputs] == ["decay.ant"]
    assert "0 findings" in run("verify", ".")


def test_a_figure_by_itself_and_one_beside_a_folder():
    run(*SURVIVAL, "--figure", "curves.svg")
    record = records.read(Path("curves.svg.record.json"))
    assert [(one.path, one.name) for one in record.outputs] == [("curves.svg", None)]
    run(*SURVIVAL, "--figure", "curves.svg", "--out", "out")
    assert Path("curves.svg.record.json").read_bytes() == Path("out/record.json").read_bytes()
    assert "0 findings" in run("verify", ".")
    Path("curves.svg").write_text("<svg/>")
    assert "curves.svg: was changed" in run("verify", ".", code=1)


def test_a_second_command_into_a_folder_keeps_the_first_record():
    run(*FIT, "--out", "out")
    first = records.read(Path("out/record.json"))
    run(*SURVIVAL, "--out", "out")
    last = records.read(Path("out/record.json"))
    assert last.previous == first.digest
    assert records.read(Path("out") / records.earlier_name(first.digest)) == first
    assert "0 findings" in run("verify", "out")


def test_a_command_that_writes_nothing_leaves_nothing():
    before = sorted(Path().rglob("*"))
    run(*FIT)
    run("survival", "--help")
    assert sorted(Path().rglob("*")) == before


def test_somebody_elses_record_is_found_before_any_work():
    Path("out").mkdir()
    Path("out/record.json").write_text("{}")
    with pytest.raises(InputError, match="GP-R022"):
        run(*FIT, "--out", "out")
    assert [path.name for path in Path("out").iterdir()] == ["record.json"]


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (typer.Exit(1), 1),
        (InputError("GP-T001", "no"), 2),
        (KeyboardInterrupt(), 130),
        (SystemExit("bye"), 1),
        (ValueError("bug"), 3),
        (MemoryError(), 2),
        (OSError(28, "no room"), 2),
    ],
)
def test_a_command_that_ends_early_says_how_in_the_record_of_what_it_wrote(end, status):
    def command(**given):
        store.write_file(given["out"] / "a.csv", "x")
        raise end

    with pytest.raises(type(end)):
        recording._recorded(command)(out=Path("out"), seed=None)
    assert records.read(Path("out/record.json")).exit_status == status


def test_an_error_of_the_command_stays_the_first_where_its_record_cannot_be_written(monkeypatch):
    def command(**given):
        store.write_file(given["out"] / "a.csv", "x")
        monkeypatch.setattr(store, "_write_new", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
        raise InputError("GP-T001", "no")

    with pytest.raises(InputError, match="GP-T001") as caught:
        recording._recorded(command)(out=Path("out"))
    assert any("record of this command" in note for note in caught.value.__notes__)


def leaves(command):
    if isinstance(command, TyperGroup):
        return [leaf for inner in command.commands.values() for leaf in leaves(inner)]
    return [command]


def test_every_command_of_a_group_that_makes_numbers_is_recorded():
    assert {*groups.GROUPS, *groups.COMMANDS} >= recording.GROUPS
    found = 0
    for name in recording.GROUPS:
        every = groups._commands(name).values() if name in groups.GROUPS else [groups._command(name)]
        for leaf in (leaf for command in every for leaf in leaves(command)):
            assert leaf.callback.__code__ is recording._recorded(print).__code__, leaf.name
            found += 1
    assert found > 20


def test_signing_in_words_and_as_json(tmp_path):
    keys = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
    serial = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    key = tmp_path / "key"
    private = keys.Ed25519PrivateKey.generate()
    key.write_bytes(
        private.private_bytes(
            serial.Encoding.PEM, serial.PrivateFormat.PKCS8, serial.BestAvailableEncryption(b"secret")
        )
    )
    key.chmod(0o600)
    run(*FIT, "--out", "out")
    with pytest.raises(InputError, match="GP-R028") as caught:
        run("sign", "out", "--key", key, "--as", "aprover")
    assert 'did you mean "approver"' in str(caught.value)
    with pytest.raises(InputError, match="GP-R025") as caught:
        run("sign", "out", "--key", key, "--as", "approver")
    assert "--passphrase" in caught.value.next_step
    words = ["sign", "out", "--key", str(key), "--as", "approver", "--passphrase", "--json"]
    done = CliRunner().invoke(app, words, input="secret\n")
    assert done.exit_code == 0, done.output
    assert '"as": "approver"' in done.stdout
    assert "signed as approver" in run("verify", "out")


def test_trust_may_be_asked_for_by_a_variable(monkeypatch):
    run(*FIT, "--out", "out")
    Path("trusted").write_text("no key\n")
    monkeypatch.setenv("GLUEPRINT_TRUSTED", "trusted")
    with pytest.raises(InputError, match="GP-R027"):
        run("verify", "out")
