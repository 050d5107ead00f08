"""The ledger: every changed, missing or inserted line is found; a torn last line never counted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from glueprint.errors import EnvironmentProblemError, InputError
from glueprint.runs import ledger


@pytest.fixture
def book(tmp_path):
    for number in range(4):
        ledger.append(tmp_path, "begun", {"seed": number, "titel": "Größe"})
    return tmp_path / ledger.FILE_NAME


def test_entries_say_who_when_where_and_what(book):
    entries = ledger.read(book)
    assert [entry.number for entry in entries] == [1, 2, 3, 4]
    assert entries[0].previous == "0" * 64
    assert [entry.previous for entry in entries[1:]] == [entry.hash for entry in entries[:-1]]
    last = entries[-1]
    assert last.event == "begun"
    assert last.facts == {"seed": 3, "titel": "Größe"}
    assert last.who
    assert "processors" in last.where
    assert last.utc.endswith("+00:00")
    assert ledger.broken_at(book) == ""


def test_every_single_changed_byte_is_found(book):
    content = book.read_bytes()
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1
        book.write_bytes(bytes(changed))
        assert ledger.broken_at(book), place


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda lines: lines[:1] + lines[2:], "line 2 does not follow"),
        (lambda lines: [lines[0], lines[2], lines[1], lines[3]], "line 2 does not follow"),
        (lambda lines: lines[:2] + lines[1:], "line 3 does not follow"),
        (lambda lines: [*lines, b"note to self"], "line 5 is not an entry"),
        (lambda lines: [lines[0].replace(b'"seed": 0', b'"seed": 9'), *lines[1:]], "line 1 was changed"),
        (lambda lines: [lines[0].replace(b'"version": 2', b'"version": 9'), *lines[1:]], "version 9"),
    ],
)
def test_a_changed_history_is_refused_with_its_line(book, change, words):
    lines = book.read_bytes().splitlines()
    book.write_bytes(b"\n".join(change(lines)) + b"\n")
    assert words in ledger.broken_at(book)
    with pytest.raises(InputError, match="GP-R011") as caught:
        ledger.append(book.parent, "finished", {})
    assert words in str(caught.value)


def test_a_line_that_was_never_finished_does_not_count_and_goes(book):
    whole = book.read_bytes()
    torn = json.dumps({"kind": "glueprint-ledger", "number": 5}).encode()[:-4]
    book.write_bytes(whole + torn)
    assert len(ledger.read(book)) == 4
    assert ledger.broken_at(book) == "the last line was never finished"
    ledger.append(book.parent, "resumed", {})
    assert ledger.broken_at(book) == ""
    assert book.read_bytes().startswith(whole)
    assert len(ledger.read(book)) == 5


def test_lines_cut_off_the_end_are_seen_by_the_head(book):
    lines = book.read_bytes().splitlines(keepends=True)
    assert ledger.cut_off(book) == ""
    for left in range(len(lines)):
        book.write_bytes(b"".join(lines[:left]))
        assert ledger.broken_at(book) == ""
        assert "was shortened" in ledger.cut_off(book)
    book.unlink()
    assert "was shortened" in ledger.cut_off(book)


def test_a_head_that_was_removed_changed_or_taken_from_another_ledger_is_seen(book, tmp_path):
    head = book.with_name(ledger.HEAD)
    content = head.read_bytes()
    other = tmp_path / "other"
    other.mkdir()
    ledger.append(other, "begun", {"seed": 9})
    for wrong in (b"", b"{}", content + b" ", (other / ledger.HEAD).read_bytes()):
        head.write_bytes(wrong)
        assert "names an entry that is not there" in ledger.cut_off(book)
    head.unlink()
    assert ledger.cut_off(book) == 'its head, "ledger.head", is missing'


def test_a_head_that_a_kill_left_behind_is_no_finding_and_the_next_entry_mends_it(book):
    head = book.with_name(ledger.HEAD)
    behind = head.read_bytes()
    ledger.append(book.parent, "finished", {"files": {}})
    head.write_bytes(behind)
    assert ledger.cut_off(book) == ""
    ledger.append(book.parent, "begun", {})
    assert head.read_bytes() != behind
    assert ledger.cut_off(book) == ""


def test_a_run_that_ends_at_its_first_entry_can_be_gone_on_from(tmp_path, monkeypatch):
    write = ledger.write_file

    def full(path, text):
        if json.loads(text)["number"]:
            raise EnvironmentProblemError("GP-R002", "the disk is full")
        return write(path, text)

    monkeypatch.setattr(ledger, "write_file", full)
    with pytest.raises(EnvironmentProblemError):
        ledger.append(tmp_path, "begun", {})
    monkeypatch.undo()
    book = tmp_path / ledger.FILE_NAME
    first = (tmp_path / ledger.HEAD).read_bytes()
    assert ledger.cut_off(book) == ""
    ledger.append(tmp_path, "begun", {})
    assert ledger.cut_off(book) == ""
    (tmp_path / ledger.HEAD).write_bytes(first)  # behind by more than a kill leaves it
    assert "names an entry that is not there" in ledger.cut_off(book)


def test_ledgers_of_before_have_no_head(book):
    archive = Path(__file__).parents[1] / "data-archive/0.1.0/finished" / ledger.FILE_NAME
    assert ledger.cut_off(archive) == ""


def test_no_variable_says_who_it_was(book, monkeypatch):
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "mallory")
    assert ledger.append(book.parent, "begun", {}).who != "mallory"
