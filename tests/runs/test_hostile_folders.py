"""Folders of somebody else's: links, names that lead out, forged entries, emptied ledgers, SQL as names."""

from __future__ import annotations

import hashlib
import json
import os
import shutil

import polars as pl
import pytest

from glueprint.errors import GlueprintError, InputError
from glueprint.runs import ledger, lock, provenance, store, units, workspace
from glueprint.runs.query import Limits, query
from glueprint.runs.verify import doubts, verify

PATIENTS = pl.DataFrame({"patient": [1, 2, 3], "arm": ["A", "B", "A"]})
SELECT = "select count(*) from it_patients"


def finish(folder):
    with workspace.claim(folder) as space:
        record = provenance.new("test", {}, {})
        space.begin(record, {})
        space.publish({"it_patients": PATIENTS}, {"study.json": "{}"}, record)
    return folder


@pytest.fixture
def folder(tmp_path):
    return finish(tmp_path / "out")


@pytest.fixture
def victim(tmp_path):
    path = tmp_path / "victim.txt"
    path.write_text("precious")
    return path


def forge(folder, event, facts):
    """An entry that follows the last one and is sealed as ours are."""
    book = folder / ledger.FILE_NAME
    last = json.loads(book.read_bytes().splitlines()[-1])
    new = {name: value for name, value in last.items() if name != "hash"}
    new |= {"number": last["number"] + 1, "event": event, "previous": last["hash"], "facts": facts}
    new["hash"] = ledger.seal(new)
    with book.open("ab") as stream:
        stream.write(json.dumps(new, ensure_ascii=False).encode() + b"\n")


@pytest.mark.parametrize(
    "name", [".lock", "ledger.jsonl", "provenance.json", "tables", "tables/x.parquet", "plates"]
)
def test_a_link_in_a_folder_is_neither_followed_nor_written_through(folder, victim, name):
    place = folder / name
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
    place.symlink_to(victim if "." in name else victim.parent)
    for look in (verify, lambda one: query(one, SELECT), lambda one: workspace.claim(one).__enter__()):
        with pytest.raises(InputError, match=r"GP-R0(17|04|13)"):
            look(folder)
    assert victim.read_text() == "precious"


def test_a_lock_or_ledger_that_is_another_name_of_a_file_is_refused(folder, victim):
    (folder / lock.FILE_NAME).unlink()
    (folder / lock.FILE_NAME).hardlink_to(victim)
    with pytest.raises(GlueprintError, match="GP-R001"), workspace.claim(folder):
        pass
    (folder / ledger.FILE_NAME).unlink()
    (folder / ledger.FILE_NAME).hardlink_to(victim)
    with pytest.raises(GlueprintError, match=r"GP-R0(01|11)"):
        ledger.append(folder, "begun", {})
    assert victim.read_text() == "precious"


def test_a_pipe_does_not_make_us_wait(folder):
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes with names here")
    os.mkfifo(folder / "report.html")
    with pytest.raises(InputError, match="GP-R017") as caught:
        verify(folder)
    assert "report.html" in str(caught.value)


@pytest.mark.parametrize(
    "facts",
    [
        {"files": {"plates/../../victim.txt": "0" * 64}},
        {"files": {"/etc/hostname": "0" * 64}},
        {"files": {"..": "0" * 64}},
        {"files": {"a\\b": "0" * 64}},
        {"files": {"c:x": "0" * 64}},
        {"files": {"report.html": 7}},
        {"files": ["report.html"]},
        {},
        [],
    ],
)
@pytest.mark.parametrize("event", ["added", "finished"])
def test_a_forged_entry_that_leads_out_is_no_entry(folder, victim, event, facts):
    forge(folder, event, facts)
    assert any(finding.file == ledger.FILE_NAME for finding in verify(folder).findings)
    for look in (doubts, lambda one: query(one, SELECT)):
        with pytest.raises(InputError, match="GP-R011"):
            look(folder)
    assert victim.read_text() == "precious"


def test_deep_json_is_no_entry_no_record_and_no_receipt(folder):
    deep = b"[" * 100_000 + b"]" * 100_000
    (folder / ledger.FILE_NAME).write_bytes(deep + b"\n")
    assert "line 1 is not an entry" in ledger.broken_at(folder / ledger.FILE_NAME)
    (folder / provenance.FILE_NAME).write_bytes(deep)
    with pytest.raises(InputError, match="GP-R005"):
        provenance.read(folder / provenance.FILE_NAME)
    (folder / units.RECEIPT).write_bytes(deep)
    assert units.receipt_of(folder) is None


@pytest.mark.parametrize("field", ["outputs", "settings", "inputs", "packages"])
def test_a_record_of_another_shape_is_refused(folder, field):
    path = folder / provenance.FILE_NAME
    record = json.loads(path.read_text())
    for value in ([1], {"../../x": "0" * 64} if field == "outputs" else "text"):
        path.write_text(json.dumps({**record, field: value}))
        with pytest.raises(InputError, match="GP-R005"):
            provenance.read(path)


def number_changed(folder):
    table = PATIENTS.with_columns(arm=pl.lit("forged"))
    return store.write_tables(folder / "tables", {"it_patients": table})["it_patients"]


def record_changed(folder):
    """The table and its hash in the record, as one would who does not know of the ledger."""
    digest = number_changed(folder)
    path = folder / provenance.FILE_NAME
    record = json.loads(path.read_text())
    record["outputs"]["it_patients"] = digest
    path.write_text(json.dumps(record))


def ledger_emptied(folder):
    (folder / ledger.FILE_NAME).write_bytes(b"")


def ledger_removed(folder):
    (folder / ledger.FILE_NAME).unlink()


def ledger_shortened(folder):
    lines = (folder / ledger.FILE_NAME).read_bytes().splitlines(keepends=True)
    (folder / ledger.FILE_NAME).write_bytes(b"".join(lines[:-1]))


def record_removed(folder):
    (folder / provenance.FILE_NAME).unlink()


def table_removed(folder):
    (folder / "tables/it_patients.parquet").unlink()


def table_added(folder):
    shutil.copy(folder / "tables/it_patients.parquet", folder / "tables/it_more.parquet")


def request_changed(folder):
    (folder / "study.json").write_text("[]")


def report_removed_from_the_ledger_and_changed(folder):
    forge(folder, "added", {"files": {"report.html": hashlib.sha256(b"x").hexdigest()}})
    (folder / "report.html").write_bytes(b"y")


FORGERIES = (
    number_changed, record_changed, ledger_emptied, ledger_removed, ledger_shortened, record_removed,
    table_removed, table_added, request_changed, report_removed_from_the_ledger_and_changed,
)  # fmt: skip


@pytest.mark.parametrize("change", FORGERIES)
def test_an_inconsistent_folder_is_a_finding_and_is_not_queried(folder, change):
    assert doubts(folder) == []
    change(folder)
    assert doubts(folder)
    assert verify(folder).findings
    with pytest.raises(InputError, match="GP-R018"):
        query(folder, "select 1")


def test_a_changed_unit_of_a_run_in_progress_is_not_queried(tmp_path):
    with workspace.claim(tmp_path) as space:
        space.begin(provenance.new("test", {}, {}), {})
        units.keep(space.units, "it/000001", {"patients": PATIENTS}, {})
        assert query(tmp_path, SELECT).rows == ((3,),)
        path = space.units / "it/000001/patients.parquet"
        path.write_bytes(path.read_bytes() + b"x")
        with pytest.raises(InputError, match="GP-R018") as caught:
            query(tmp_path, SELECT)
    assert "patients.parquet" in str(caught.value)


def test_the_name_of_a_file_is_no_sql(tmp_path, monkeypatch):
    name = "a\" as select 1; create table stolen as select 7 as x; copy (select 42) to 'pwned.csv'; --"
    monkeypatch.chdir(tmp_path)
    with workspace.claim(tmp_path / "out") as space:
        record = provenance.new("test", {}, {})
        space.begin(record, {})
        space.publish({"it_patients": PATIENTS}, {}, record)
    source = tmp_path / "out/tables/it_patients.parquet"
    shutil.copy(source, source.with_name(f"{name}.parquet"))
    with pytest.raises(InputError, match="GP-R018"):
        query(tmp_path / "out", "select * from stolen")
    # Vouched for by a ledger that its forger sealed, it is the name of a table and nothing else.
    digest = store.file_hash(source)
    files = ledger.read(tmp_path / "out/ledger.jsonl")[-1].facts["files"]
    forge(tmp_path / "out", "finished", {"files": {**files, f"tables/{name}.parquet": digest}})
    with pytest.raises(InputError, match="GP-R014"):
        query(tmp_path / "out", "select * from stolen")
    assert query(tmp_path / "out", "show tables").rows == ((name,), ("it_patients",))
    assert not (tmp_path / "pwned.csv").exists()


@pytest.mark.parametrize(
    "statement",
    [
        "copy (select 7 as x) to '{table}' (format parquet, use_tmp_file false)",
        "explain analyze copy (select 7 as x) to '{table}' (format parquet, use_tmp_file false)",
        "explain (analyze) copy (select 7 as x) to '{table}' (format csv, use_tmp_file false)",
        "explain analyze create table x as select 1",
        "/* one */ explain select 1",
    ],
)
def test_a_question_changes_no_table(folder, statement):
    table = folder / "tables/it_patients.parquet"
    before = table.read_bytes()
    with pytest.raises(InputError, match="GP-R015"):
        query(folder, statement.format(table=table))
    assert table.read_bytes() == before
    for explained in ("explain select 1", "EXPLAIN ANALYZE select 1", " explain (format json) select 1"):
        assert query(folder, explained).columns == ("explain_key", "explain_value")


@pytest.mark.parametrize(
    "statement", ["select error('LINE 7: x' || chr(10) || '   ^')", "select \udc80", "select '\ud800'"]
)
def test_a_question_that_says_what_it_likes_is_refused_by_name(folder, statement):
    with pytest.raises(InputError, match="GP-R014"):
        query(folder, statement)


def test_half_a_character_is_no_entry(folder):
    book = folder / ledger.FILE_NAME
    last = json.loads(book.read_bytes().splitlines()[-1])
    forged = {
        **last,
        "number": last["number"] + 1,
        "previous": last["hash"],
        "who": "\ud800",
        "hash": "0" * 64,
    }
    with book.open("ab") as stream:
        stream.write(json.dumps(forged).encode() + b"\n")
    assert ledger.broken_at(book) == f"line {forged['number']} is not an entry"


@pytest.mark.parametrize("name", ["x [1]", "what*", "why?", "a'b\"c", "~"])
def test_a_path_is_no_pattern(tmp_path, name):
    other = PATIENTS.with_columns(arm=pl.lit("another folder"))
    folder = finish(tmp_path / name)
    for similar in ("x 1", "whatever", "whyx"):
        store.write_tables(tmp_path / similar / "tables", {"it_patients": other})
    assert query(folder, "select distinct arm from it_patients order by arm").rows == (("A",), ("B",))
    assert store.read_table(folder / "tables/it_patients.parquet", "it_patients").equals(PATIENTS)


@pytest.mark.parametrize(
    ("sql", "limits"),
    [
        ("select count(*) from range(100000000000) a", Limits(seconds=0.2)),
        ("select * from range(2000)", Limits(rows=1000)),
        ("select list(repeat(range::varchar, 1000)) from range(1000000)", Limits(memory_mb=20)),
    ],
)
def test_a_query_that_costs_too_much_is_stopped(folder, sql, limits):
    with pytest.raises(InputError, match="GP-R019") as caught:
        query(folder, sql, limits=limits)
    assert "stopped" in str(caught.value)


def test_a_file_is_written_beside_and_not_through_a_link(tmp_path, victim):
    (tmp_path / f".page.html.{os.getpid()}.partial").symlink_to(victim)
    (tmp_path / "page.html").symlink_to(victim)
    store.write_file(tmp_path / "page.html", "new")
    assert victim.read_text() == "precious"
    assert (tmp_path / "page.html").read_text() == "new"
    assert not (tmp_path / "page.html").is_symlink()


def test_a_panic_of_the_library_is_a_file_that_cannot_be_read(folder, monkeypatch):
    """Some damaged Parquet files end its reader in a panic, which is no Exception in Python."""

    def panicking(*_, **__):
        raise pl.exceptions.PanicException("assertion failed: offset + length <= self.length")

    monkeypatch.setattr(pl, "read_parquet", panicking)
    with pytest.raises(InputError, match="GP-R003"):
        store.read_table(folder / "tables/it_patients.parquet", "it_patients")
