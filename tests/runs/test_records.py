"""The record of a command: what it holds, what verifies, and every way in which it does not."""

from __future__ import annotations

import json
import shutil

import polars as pl
import pytest

from glueprint.boundary import files, journal, read_text
from glueprint.errors import EnvironmentProblemError, InputError
from glueprint.runs import audit, ledger, records, store
from glueprint.runs.audit import record_findings

WORDS = ("fit", "table.csv", "--out", "out")


def command(folder, name="a.csv", content="x\n1\n", *, out=None, source=None, status=0):
    """A command that reads one file and writes another, with its record."""
    record = records.begun(WORDS, 7)
    with journal.opened() as noted:
        if source is not None:
            read_text(source)
        store.write_file(folder / name, content)
    return records.leave(record, noted, out, status)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("x,y\n1,2\n")
    return path


@pytest.fixture
def folder(tmp_path, table):
    """A folder that two commands wrote into, the second over a file of the first."""
    out = tmp_path / "out"
    command(out, "a.csv", "first\n", out=out, source=table)
    command(out, "b.csv", "b\n", out=out, source=table)
    command(out, "a.csv", "second\n", out=out, source=table)
    return out


def wrong(folder):
    return {finding.file: finding.what for finding in audit.audit(folder).findings}


def test_a_record_says_what_was_asked_read_and_written(tmp_path, table):
    out = tmp_path / "out"
    (place,) = command(out, out=out, source=table)
    assert place == out / "record.json"
    record = records.read(place)
    assert (record.kind, record.version, record.command, record.seed) == ("glueprint-record", 1, WORDS, 7)
    (read,), (written,) = record.inputs, record.outputs
    assert (read.path, read.name, read.bytes) == (str(table), None, 8)
    assert read.sha256 == store.file_hash(table)
    assert (written.name, written.sha256) == ("a.csv", store.file_hash(out / "a.csv"))
    assert {"Glueprint", "Python", "numpy", "machine"} <= set(record.versions)
    assert record.started_utc <= record.ended_utc
    assert (record.exit_status, record.previous, record.origin) == (0, None, "unverified")
    about = json.loads(place.read_text())
    digest = about.pop("digest")
    assert digest == ledger.seal(about) == record.digest


def test_a_command_that_writes_nothing_leaves_nothing(tmp_path, table):
    with journal.opened() as noted:
        read_text(table)
    assert records.leave(records.begun(WORDS, None), noted, tmp_path, 0) == []
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_what_was_written_and_read_again_is_no_input_and_a_head_is_one(tmp_path, table):
    with journal.opened() as noted:
        store.write_file(tmp_path / "made.txt", "made")
        read_text(tmp_path / "made.txt")
        journal.note_read(table, table.read_bytes()[:3], 8)
    assert [(one.path, one.read, one.size) for one in noted.read] == [(str(table), 3, 8)]
    with journal.opened() as noted:
        journal.note_read(table, table.read_bytes()[:3], 8)
        read_text(table)
    assert [(one.read, one.size) for one in noted.read] == [(8, 8)]
    read_text(table)  # after the block nothing is noted
    assert len(noted.read) == 1


def test_a_file_that_changes_while_it_is_read_is_stated_twice(tmp_path, table):
    with journal.opened() as noted:
        read_text(table)
        table.write_text("x,y\n1,3\n")
        read_text(table)
    assert len({one.sha256 for one in noted.read}) == 2


def test_files_of_glueprint_itself_are_stated_apart(tmp_path):
    with journal.opened() as noted:
        path = records.Path(records.glueprint.__file__).parent / "mechanism/data/lines.toml"
        source = path if path.is_file() else records.Path(records.glueprint.__file__)
        read_text(source)
        store.write_file(tmp_path / "a.csv", "x")
    (place,) = records.leave(records.begun(WORDS, None), noted, tmp_path, 0)
    record = records.read(place)
    assert record.inputs == ()
    assert list(record.packaged.values()) == [store.file_hash(source)]


def test_tables_of_glueprint_are_inputs_too(tmp_path):
    store.write_tables(tmp_path, {"t": pl.DataFrame({"x": [1]})})
    with journal.opened() as noted:
        store.read_table(tmp_path / "t.parquet", "t")
    assert [one.sha256 for one in noted.read] == [store.file_hash(tmp_path / "t.parquet")]


def test_a_file_by_itself_has_its_record_beside_it(tmp_path, table):
    (place,) = command(tmp_path, "fig.svg", "<svg/>", source=table)
    assert place == tmp_path / "fig.svg.record.json"
    verdict = audit.audit(tmp_path)
    assert (verdict.findings, verdict.origin) == ((), "unverified")  # other files there are nobody's fault
    (tmp_path / "fig.svg").write_text("<svg />")
    assert wrong(tmp_path) == {"fig.svg": "was changed"}
    (tmp_path / "fig.svg").unlink()
    assert wrong(tmp_path) == {"fig.svg": "is missing"}
    shutil.copy(place, tmp_path / "other.svg.record.json")
    assert wrong(tmp_path)["other.svg.record.json"] == "is the record of another file"


@pytest.mark.parametrize("named", ["fig.svg", "fig.svg.record.json"])
def test_one_file_is_held_to_the_record_beside_it(tmp_path, table, named):
    command(tmp_path, "fig.svg", "<svg/>", source=table)
    (tmp_path / "fig.svg.txt").write_text("of nobody")
    verdict = audit.audit(tmp_path / named)
    assert (verdict.findings, verdict.files, verdict.origin) == ((), 2, "unverified")
    (tmp_path / "fig.svg").write_text("<svg />")
    assert wrong(tmp_path / named) == {"fig.svg": "was changed"}
    (tmp_path / "fig.svg").unlink()
    assert wrong(tmp_path / named) == {"fig.svg": "is missing"}
    (tmp_path / "fig.svg").symlink_to(table)
    with pytest.raises(InputError, match="GP-R017"):
        audit.audit(tmp_path / named)
    (tmp_path / "fig.svg.record.json").write_text("{}")
    (tmp_path / "fig.svg").unlink()
    assert wrong(tmp_path / named) == {"fig.svg.record.json": "is no record, or was changed"}


def test_a_file_without_a_record_of_its_own_is_no_folder(folder, table):
    for path, trusted in ((folder / "a.csv", None), (table, None), (table, {})):
        with pytest.raises(InputError, match="GP-R030") as caught:
            audit.audit(path, trusted)
        assert caught.value.message == "is a file, and a folder is asked for"
        assert "the folder that it lies in" in caught.value.next_step
    with pytest.raises(InputError, match="GP-R030"):
        audit.sign(folder / "a.csv", table, "author")


def test_a_folder_that_cannot_be_read_is_not_said_to_be_written(folder, monkeypatch):
    def refuse(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(audit.verify, "file_hash", refuse)
    with pytest.raises(EnvironmentProblemError, match="cannot be read: Permission") as caught:
        audit.audit(folder)
    assert caught.value.next_step == "change its permissions"


def test_a_file_outside_of_the_folder_has_the_same_record_and_is_said_to_be_elsewhere(tmp_path):
    out = tmp_path / "out"
    with journal.opened() as noted:
        store.write_file(out / "a.csv", "x")
        store.write_file(tmp_path / "fig.svg", "<svg/>")
    there, beside = records.leave(records.begun(WORDS, None), noted, out, 0)
    assert there.read_bytes() == beside.read_bytes()
    verdict = audit.audit(out)
    assert verdict.findings == ()
    assert verdict.unknown == (f"{tmp_path / 'fig.svg'} (elsewhere)",)


def test_later_commands_keep_the_earlier_records(folder):
    verdict = audit.audit(folder)
    assert verdict.findings == ()
    names = sorted(path.name for path in folder.iterdir() if records.is_record(path.name))
    assert len(names) == 3
    last = records.read(folder / "record.json")
    assert records.earlier_name(last.previous) in names
    (folder / "a.csv").write_text("first\n")  # an earlier result put back
    assert wrong(folder) == {"a.csv": "was changed"}


CHANGES = {
    "a file changed": (lambda f: (f / "b.csv").write_text("c\n"), "b.csv", "was changed"),
    "a file removed": (lambda f: (f / "b.csv").unlink(), "b.csv", "is missing"),
    "a file added": (lambda f: (f / "c.csv").write_text("c\n"), "c.csv", "no record vouches for it"),
    "a file added below": (
        lambda f: ((f / "more").mkdir(), (f / "more/c.csv").write_text("c\n")),
        "more/c.csv",
        "no record vouches for it",
    ),
    "the record removed": (lambda f: (f / "record.json").unlink(), "record.json", "is missing"),
    "the record changed": (
        lambda f: (f / "record.json").write_text((f / "record.json").read_text().replace("fit", "fib")),
        "record.json",
        "is no record, or was changed",
    ),
    "the record in another spelling": (
        lambda f: (f / "record.json").write_text(json.dumps(json.loads((f / "record.json").read_text()))),
        "record.json",
        "is no record, or was changed",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_folder_is_a_finding_by_name(folder, name):
    change, file, what = CHANGES[name]
    change(folder)
    assert wrong(folder)[file] == what


def test_an_earlier_record_that_is_gone_exchanged_or_put_there_is_a_finding(folder, tmp_path):
    last = records.read(folder / "record.json")
    earlier = folder / records.earlier_name(last.previous)
    content = earlier.read_text()
    earlier.unlink()
    assert wrong(folder)[earlier.name] == "is missing"
    assert wrong(folder)["b.csv"] == "no record vouches for it"
    shutil.copy(folder / "record.json", earlier)
    assert wrong(folder)[earlier.name] == "is not the record that the later one names"
    earlier.write_text(content)
    shutil.copy(folder / "record.json", folder / "record-0000000000000000.json")
    assert wrong(folder) == {"record-0000000000000000.json": "no later record names it as the one before"}


def test_an_input_that_lies_in_the_folder_is_held_to_what_was_read(tmp_path, table):
    command(tmp_path, out=tmp_path, source=table)
    assert wrong(tmp_path) == {}
    table.write_text("x,y\n1,9\n")
    assert wrong(tmp_path) == {"table.csv": "was changed"}


def forged(folder, **changed):
    """The record with other contents, sealed as ours are."""
    path = folder / "record.json"
    about = {k: v for k, v in json.loads(path.read_text()).items() if k != "digest"} | changed
    about["digest"] = ledger.seal(about)
    path.write_text(json.dumps(about, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


@pytest.mark.parametrize(
    "changed",
    [
        {
            "outputs": [
                {"path": "x", "name": "../../etc/passwd", "sha256": "0" * 64, "bytes": 1, "read": None}
            ]
        },
        {"outputs": [{"path": "x", "name": "x", "sha256": "no", "bytes": 1, "read": None}]},
        {"outputs": [{"path": "x"}]},
        {"outputs": [{"path": 5, "name": "a.csv", "sha256": "0" * 64, "bytes": 1, "read": None}]},
        {"outputs": [{"path": "x", "name": 5, "sha256": "0" * 64, "bytes": 1, "read": None}]},
        {"outputs": [{"path": "x", "name": "x", "sha256": 5, "bytes": 1, "read": None}]},
        {"inputs": "text"},
        {"inputs": {"path": "x"}},
        {"command": {"fit": 1}},
        {"command": 5},
        {"previous": 5},
        {"previous": "../../x"},
        {"kind": "glueprint-study"},
        {"version": 2},
        {"more": 1},
    ],
)
def test_a_forged_record_of_another_shape_is_no_record(folder, changed):
    forged(folder, **changed)
    with pytest.raises(InputError, match="GP-R022"):
        records.read(folder / "record.json")
    assert wrong(folder)["record.json"] == "is no record, or was changed"


def test_a_record_that_names_itself_as_the_one_before_ends(folder):
    forged(folder, previous="0" * 64)
    shutil.copy(folder / "record.json", folder / records.earlier_name("0" * 64))
    assert wrong(folder)


def test_a_file_of_ours_is_not_written_over_somebody_elses_record(tmp_path):
    (tmp_path / "record.json").write_text('{"mine": 1}')
    with pytest.raises(InputError, match="GP-R022"):
        command(tmp_path, out=tmp_path)
    assert (tmp_path / "record.json").read_text() == '{"mine": 1}'


def test_what_reads_a_folder_minds_what_was_changed_and_not_what_was_added(folder):
    assert record_findings(folder.parent) == ()
    (folder / "notes.txt").write_text("mine")
    assert record_findings(folder) == ()
    (folder / "b.csv").write_text("c\n")
    assert [one.file for one in record_findings(folder)] == ["b.csv"]


def test_a_folder_without_records_is_not_verified_and_a_link_is_refused(tmp_path, folder):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="GP-R013"):
        audit.audit(tmp_path / "empty")
    with pytest.raises(InputError, match="GP-R013"):
        audit.audit(tmp_path / "nowhere")
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(InputError, match="GP-R017"):
        audit.audit(folder)


def test_a_name_without_an_encoding_is_written_out(tmp_path):
    record = records.begun(("fit", "x\udcff.csv"), None)
    with journal.opened() as noted:
        store.write_file(tmp_path / "line\nfeed.csv", "x")
    places = records.leave(record, noted, tmp_path, 0)
    assert places == [tmp_path / "line\nfeed.csv.record.json"] or places == []
    with journal.opened() as noted:
        store.write_file(tmp_path / "a.csv", "x")
    (place,) = records.leave(record, noted, tmp_path, 0)
    assert records.read(place).command == ("fit", "x\\udcff.csv")


def test_a_full_disk_is_said(tmp_path, table, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    out = tmp_path / "out"
    with journal.opened() as noted:
        store.write_file(out / "a.csv", "x")
    monkeypatch.setattr(store, "_write_new", full)
    with pytest.raises(EnvironmentProblemError, match="GP-R002"):
        records.leave(records.begun(WORDS, None), noted, out, 0)
    assert [path.name for path in out.iterdir()] == ["a.csv"]


def test_what_glueprint_keeps_for_itself_is_no_input(tmp_path, table):
    with journal.opened() as noted:
        files.read_plain(table, 100, ours=True)
    assert noted.read == ()
