"""The ledger: every changed, missing or inserted line is found; a torn last line never counted."""

from __future__ import annotations

import json

import pytest

from glueprint.errors import InputError
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
