"""Twenty ways to change a finished folder: what is seen without signatures, and all of it with them."""

from __future__ import annotations

import json
import shutil

import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.envelope import payload

from glueprint import study
from glueprint.cli.app import app
from glueprint.errors import InputError
from glueprint.runs import audit, keys, ledger, provenance, signatures, store, workspace
from glueprint.runs.query import query
from glueprint.runs.verify import verify
from glueprint.study import glue

SMALL = """
kind = "glueprint-study"
version = 1
name = "small"
title = "A small study"
compound = "pomalidomide"
[plates]
protocols = ["fp"]
[[trials]]
protocol = "mm003"
[profiles]
patients = 20
days = 2
"""
TABLE = "tables/mm003_endpoints.parquet"
REFUSED = r"GP-(S00[67]|R0(04|05|11|18))"
SELECT = "select count(*) from mm003_patients"


def key_of(folder, name):
    """A key in a file, and its public half in another, as `ssh-keygen` would leave them."""
    key = Ed25519PrivateKey.generate()
    path = folder / name
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    path.chmod(0o600)
    path.with_suffix(".pub").write_text(f"{keys.public_text(key)} {name}\n")
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A study that is finished, the same one signed, and the keys that its reader trusts."""
    folder = tmp_path_factory.mktemp("made")
    plan = folder / "small.toml"
    plan.write_text(SMALL)
    plain = study.run(plan, folder / "plain").folder
    (plain / "report.html").write_text("<p>ORR 31 %</p>")
    study.add_file(plain, plain / "report.html")
    signed = shutil.copytree(plain, folder / "signed")
    author = key_of(folder, "author")
    audit.sign(signed, author, "author")
    return plan, plain, signed, keys.trusted(author.with_suffix(".pub"))


def lines_of(folder):
    return (folder / ledger.FILE_NAME).read_bytes().splitlines(keepends=True)


def rewrite(folder, lines):
    (folder / ledger.FILE_NAME).write_bytes(b"".join(lines))


def reseal(folder, change):
    """The whole ledger sealed anew, entry by entry, and its head, as Glueprint itself would."""
    entries, previous = [], ledger.START
    for line in lines_of(folder):
        content = {name: value for name, value in json.loads(line).items() if name != "hash"}
        entries.append(content)
    entries = change(entries)
    (folder / ledger.FILE_NAME).unlink()
    for number, content in enumerate(entries, start=1):
        content |= {"number": number, "previous": previous}
        previous = content["hash"] = ledger.seal(content)
        with (folder / ledger.FILE_NAME).open("ab") as stream:
            stream.write(json.dumps(content, ensure_ascii=False).encode() + b"\n")
    head = {"kind": "glueprint-ledger-head", "version": 1, "number": len(entries), "hash": previous}
    (folder / ledger.HEAD).write_text(json.dumps(head) + "\n")


def record_says(folder, **changed):
    path = folder / provenance.FILE_NAME
    path.write_text(json.dumps(json.loads(path.read_text()) | changed, indent=2, ensure_ascii=False) + "\n")


def a_number(folder):
    table = pl.read_parquet(folder / TABLE).with_columns(value=pl.col("value") * 1.5)
    return store.write_tables(folder / "tables", {"mm003_endpoints": table})["mm003_endpoints"]


def a_number_and_its_hash(folder):
    outputs = json.loads((folder / provenance.FILE_NAME).read_text())["outputs"]
    record_says(folder, outputs={**outputs, "mm003_endpoints": a_number(folder)})


def ledger_emptied(folder):
    rewrite(folder, [])


def ledger_removed(folder):
    (folder / ledger.FILE_NAME).unlink()


def ledger_and_head_removed(folder):
    ledger_removed(folder)
    (folder / ledger.HEAD).unlink()


def last_line_removed(folder):
    rewrite(folder, lines_of(folder)[:-1])


def last_line_and_head_removed(folder):
    last_line_removed(folder)
    (folder / ledger.HEAD).unlink()


def line_removed(folder):
    rewrite(folder, [*lines_of(folder)[:1], *lines_of(folder)[2:]])


def line_changed(folder):
    rewrite(folder, [line.replace(b'"seed": 1', b'"seed": 7') for line in lines_of(folder)])


def line_changed_and_sealed(folder):
    first = json.loads(lines_of(folder)[0])
    content = {name: value for name, value in first.items() if name != "hash"} | {"who": "somebody"}
    sealed = json.dumps({**content, "hash": ledger.seal(content)}, ensure_ascii=False).encode() + b"\n"
    rewrite(folder, [sealed, *lines_of(folder)[1:]])


def record_removed(folder):
    (folder / provenance.FILE_NAME).unlink()


def record_changed(folder):
    record_says(folder, seconds=0.1)


def table_removed(folder):
    (folder / TABLE).unlink()


def table_added(folder):
    shutil.copy(folder / TABLE, folder / "tables/mm003_more.parquet")


def tables_exchanged(folder):
    one, other = folder / TABLE, folder / "tables/mm003_visits.parquet"
    one.rename(folder / "x")
    other.rename(one)
    (folder / "x").rename(other)


def report_changed(folder):
    (folder / "report.html").write_text("<p>ORR 62 %</p>")


def raw_file_changed(folder):
    path = folder / "plates/fp/plate.txt"
    path.write_bytes(path.read_bytes() + b" ")


def everything_rewritten(folder):
    """A number, its hash in the record, the record's in the ledger, every seal after it, the head."""
    a_number_and_its_hash(folder)
    now = {name: store.file_hash(folder / name) for name in (TABLE, provenance.FILE_NAME)}

    def change(entries):
        for entry in entries:
            if entry["event"] == "finished":
                entry["facts"]["files"] |= now
        return entries

    reseal(folder, change)


def report_changed_and_vouched_for(folder):
    report_changed(folder)
    digest = store.file_hash(folder / "report.html")
    reseal(
        folder,
        lambda all_: [*all_, all_[-1] | {"event": "added", "facts": {"files": {"report.html": digest}}}],
    )


def run_planted(folder):
    """A run that seems to have been stopped before its first unit."""
    record = json.loads((folder / provenance.FILE_NAME).read_text()) | {"outputs": {}}
    request = folder / workspace.UNFINISHED / workspace.REQUEST
    request.parent.mkdir()
    request.write_text(json.dumps(record))
    (request.parent / store.file_hash(request)[:16]).mkdir()
    facts = {"request": store.file_hash(request)}
    reseal(folder, lambda all_: [*all_, all_[-1] | {"event": "begun", "facts": facts}])


INCONSISTENT = (
    a_number,
    a_number_and_its_hash,
    ledger_emptied,
    ledger_removed,
    ledger_and_head_removed,
    last_line_removed,
    last_line_and_head_removed,
    line_removed,
    line_changed,
    line_changed_and_sealed,
    record_removed,
    record_changed,
    table_removed,
    table_added,
    tables_exchanged,
    report_changed,
    raw_file_changed,
)
CONSISTENT = (everything_rewritten, report_changed_and_vouched_for, run_planted)


def test_there_are_twenty_ways():
    assert len({*INCONSISTENT, *CONSISTENT}) == 20


def test_an_unchanged_folder_is_read(made):
    plan, plain, signed, trusted = made
    assert verify(plain).findings == ()
    assert (verify(plain).origin, verify(signed, trusted).origin) == ("unverified", "author as author")
    for folder, known in ((plain, None), (signed, None), (signed, trusted)):
        assert query(folder, SELECT, trusted=known).rows == ((455,),)
        assert study.run(plan, folder, trusted=known).failed == 0
    assert verify(signed, trusted).findings == ()  # reading it changed nothing


@pytest.mark.parametrize("change", INCONSISTENT, ids=lambda one: one.__name__)
def test_what_contradicts_itself_is_refused_by_run_query_report_and_verify(made, tmp_path, change):
    plan, plain, _, _ = made
    folder = shutil.copytree(plain, tmp_path / "copy")
    change(folder)
    for verdict in (verify(folder), audit.audit(folder)):
        assert verdict.findings
        assert verdict.origin == "unverified"
    for read in (
        lambda: study.run(plan, folder),
        lambda: query(folder, SELECT),
        lambda: study.add_file(folder, folder / "study.json"),
    ):
        with pytest.raises(InputError, match=REFUSED):
            read()


@pytest.mark.parametrize("change", CONSISTENT, ids=lambda one: one.__name__)
def test_what_is_rewritten_whole_is_of_unverified_origin_and_no_later_entry_vouches_for_it(
    made, tmp_path, change
):
    plan, plain, _, _ = made
    folder = shutil.copytree(plain, tmp_path / "copy")
    change(folder)
    verdict = verify(folder)
    assert (verdict.findings, verdict.origin) == ((), "unverified")
    before = len(ledger.read(folder / ledger.FILE_NAME))
    study.run(plan, folder)
    (folder / "report.html").write_text("drawn again")
    study.add_file(folder, folder / "report.html")
    later = ledger.read(folder / ledger.FILE_NAME)[before:]
    vouching = [entry for entry in later if entry.event in ("resumed", "finished", "added")]
    assert [entry for entry in vouching if "report.html" in entry.facts.get("files", {})]
    of_raw_files = "plates/fp/plate.txt"
    assert [
        entry.event
        for entry in vouching
        if entry.facts.get("origin") != "unverified" and of_raw_files not in entry.facts["files"]
    ] == []


@pytest.mark.parametrize("change", [*INCONSISTENT, *CONSISTENT], ids=lambda one: one.__name__)
def test_with_signatures_all_of_it_is_refused(made, tmp_path, change):
    plan, _, signed, trusted = made
    folder = shutil.copytree(signed, tmp_path / "copy")
    change(folder)
    for verdict in (verify(folder, trusted), audit.audit(folder, trusted), verify(folder)):
        assert verdict.findings
        assert verdict.origin == "unverified"
    for read in (
        lambda: study.run(plan, folder, trusted=trusted),
        lambda: study.run(plan, folder),
        lambda: query(folder, SELECT, trusted=trusted),
        lambda: query(folder, SELECT),
        lambda: study.add_file(folder, folder / "study.json"),
    ):
        with pytest.raises(InputError, match=REFUSED):
            read()


@pytest.mark.parametrize("change", CONSISTENT, ids=lambda one: one.__name__)
@pytest.mark.parametrize("own_key", [False, True])
def test_a_forger_without_the_key_is_refused_though_all_fits(made, tmp_path, change, own_key):
    plan, _, signed, trusted = made
    folder = shutil.copytree(signed, tmp_path / "copy")
    shutil.rmtree(folder / signatures.FOLDER)
    change(folder)
    if own_key:
        signatures.sign(folder, key_of(tmp_path, "forger"), "approver")
    (finding,) = verify(folder, trusted).findings
    assert (finding.file, finding.what) == ("signatures", "no signature of a trusted key")
    with pytest.raises(InputError, match="GP-S007") as caught:
        study.run(plan, folder, trusted=trusted)
    assert "no signature of a trusted key" in str(caught.value)
    with pytest.raises(InputError, match="GP-R018"):
        query(folder, SELECT, trusted=trusted)


def test_commands_read_a_signed_folder_and_add_nothing(made, tmp_path, printed):
    plan, _, signed, _ = made
    folder = str(shutil.copytree(signed, tmp_path / "copy"))
    asked = ["--trusted", str(plan.with_name("author.pub"))]
    entries = lines_of(tmp_path / "copy")
    told = payload(printed(app, "study", "run", str(plan), "--out", folder, *asked, "--json"))
    assert told["report"] == str(tmp_path / "copy/report.html")
    assert (tmp_path / "copy/report.html").read_text() == "<p>ORR 31 %</p>"
    assert lines_of(tmp_path / "copy") == entries
    assert "455" in printed(app, "study", "query", folder, SELECT, *asked)
    for words in (["study", "verify"], ["verify"]):
        assert "origin: author as author" in printed(app, *words, folder, *asked)
    forger = key_of(tmp_path, "forger").with_suffix(".pub")
    assert "no signature of a trusted key" in printed(
        app, "study", "verify", folder, "--trusted", str(forger), code=1
    )


def test_a_run_that_has_not_ended_is_not_signed(made, tmp_path):
    _, plain, _, _ = made
    folder = shutil.copytree(plain, tmp_path / "copy")
    run_planted(folder)
    with pytest.raises(InputError, match="GP-R023") as caught:
        audit.sign(folder, key_of(tmp_path, "author"), "author")
    assert "has not ended" in str(caught.value)


def test_a_signed_folder_that_is_computed_anew_says_that_its_signatures_went(made, tmp_path):
    plan, _, signed, _ = made
    folder = shutil.copytree(signed, tmp_path / "copy")
    a_number(folder)
    study.run(plan, folder, fresh=True)
    assert not study.is_signed(folder)
    begun = [entry for entry in ledger.read(folder / ledger.FILE_NAME) if entry.event == "begun"][-1]
    assert [name[:7] for name in begun.facts["signatures_given_up"]] == ["author-"]
    assert begun.facts["found"]
    assert verify(folder).findings == ()


@pytest.fixture(scope="module")
def project(tmp_path_factory, table_project):
    folder = table_project(tmp_path_factory.mktemp("glue") / "p")
    glue.run(folder, quick=True)
    return folder


def result_of(change):
    def changed(folder):
        change(folder / "result")

    changed.__name__ = change.__name__
    return changed


def learnt_changed(folder):
    path = folder / "result/tables/learnt.parquet"
    path.write_bytes(path.read_bytes() + b" ")


def compound_changed(folder):
    (folder / "result/GLX-1.toml").write_text("mine")


OF_A_RESULT = (
    *map(
        result_of,
        (ledger_emptied, ledger_removed, ledger_and_head_removed, last_line_removed, record_removed),
    ),
    learnt_changed,
    compound_changed,
)


@pytest.mark.parametrize("change", OF_A_RESULT, ids=lambda one: one.__name__)
def test_run_and_status_of_a_glue_refuse_a_changed_result(project, tmp_path, change):
    folder = shutil.copytree(project, tmp_path / "p")
    change(folder)
    assert audit.audit(folder).findings
    for read in (lambda: glue.run(folder, quick=True), lambda: glue.status(folder)):
        with pytest.raises(InputError, match=REFUSED):
            read()


def step_changed(folder):
    path = next((folder / "steps").rglob("*.parquet"))
    path.write_bytes(path.read_bytes() + b" ")


def raw_changed(folder):
    path = folder / "raw/table/measured.csv"
    path.write_text(path.read_text().replace("200", "20"))


def result_gone(folder):
    """Steps of somebody else's would make it again."""
    shutil.rmtree(folder / "result")


@pytest.mark.parametrize(
    "change", [*OF_A_RESULT, step_changed, raw_changed, result_gone], ids=lambda one: one.__name__
)
def test_a_signed_project_is_refused_whatever_was_changed(project, tmp_path, change):
    folder = shutil.copytree(project, tmp_path / "p")
    author = key_of(tmp_path, "author")
    audit.sign(folder, author, "author")
    trusted = keys.trusted(author.with_suffix(".pub"))
    assert glue.run(folder, quick=True, trusted=trusted).computed == ()
    assert glue.status(folder, trusted=trusted).result == "finished"
    assert audit.audit(folder, trusted).origin == "author as author"
    change(folder)
    assert audit.audit(folder, trusted).findings
    for read in (
        lambda: glue.run(folder, quick=True, trusted=trusted),
        lambda: glue.run(folder, quick=True),
        lambda: glue.status(folder, trusted=trusted),
    ):
        with pytest.raises(InputError, match=REFUSED):
            read()
