"""Projects as folders: listed, copied, packed to the same bytes, put away and fetched back; hostile zips."""

from __future__ import annotations

import io
import os
import stat
import zipfile

import pytest
from tests.web.conftest import SMILES

from glueprint.errors import InputError
from glueprint.study import glue
from glueprint.web import Limits, Workspace

TRICKY = [
    "",
    ".",
    "..",
    "a/b",
    "../x",
    "a\\b",
    "/etc",
    "a" * 61,
    ".workbench",
    "-rf",
    "é",
    "a\x00",
    "a b",
    "con:",
]


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path / "projects", Limits(files=20, bytes=10_000_000, ratio=50.0))


@pytest.fixture
def one(workspace):
    workspace.new("one", compound="GLX-1", smiles=SMILES)
    return workspace


def zip_of(entries):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, text, *mode in entries:
            about = zipfile.ZipInfo(name)
            about.compress_type = zipfile.ZIP_DEFLATED
            about.external_attr = (mode[0] if mode else 0o100644) << 16
            pack.writestr(about, text)
    return content.getvalue()


def nothing_is_left(workspace, names=()):
    assert [entry.name for entry in workspace.projects()] == list(names)
    incoming = workspace.hidden / "incoming"
    assert not incoming.exists() or not any(incoming.iterdir())


def test_a_project_is_listed_with_its_state_and_size(one):
    (entry,) = one.projects()
    assert (entry.name, entry.compound, entry.state, entry.assays) == ("one", "GLX-1", "new", 0)
    assert entry.size == sum(path.stat().st_size for path in one.place("one").rglob("*") if path.is_file())


def test_what_is_no_project_is_not_listed_and_what_cannot_be_read_says_so(one):
    (one.folder / "other").mkdir()
    (one.folder / "link").symlink_to(one.place("one"))
    (one.folder / "broken").mkdir()
    (one.folder / "broken" / "glue.toml").write_text("[[[")
    assert [(entry.name, entry.state) for entry in one.projects()] == [
        ("broken", "unreadable"),
        ("one", "new"),
    ]
    with pytest.raises(InputError, match="GP-B010"):
        one.place("link")


@pytest.mark.parametrize("name", TRICKY)
def test_a_name_is_never_a_path(one, name):
    with pytest.raises(InputError, match="GP-B010"):
        one.place(name)
    with pytest.raises(InputError, match="GP-B009"):
        one.new(name, compound="A", smiles=SMILES)
    with pytest.raises(InputError, match="GP-B009"):
        one.duplicate("one", name)
    nothing_is_left(one, ["one"])


def test_a_copy_is_the_same_and_a_taken_name_is_refused(one):
    target = one.duplicate("one", "two")
    assert (target / "glue.toml").read_bytes() == (one.place("one") / "glue.toml").read_bytes()
    with pytest.raises(InputError, match="GP-B011"):
        one.duplicate("one", "two")
    (target / "raw" / "link").symlink_to("/etc/passwd")
    with pytest.raises(InputError, match="GP-B022"):
        one.duplicate("two", "three")
    with pytest.raises(InputError, match="GP-B022"):
        one.packed("two")


def test_a_packed_project_opens_elsewhere_to_the_same_bytes(one, tmp_path):
    content = one.packed("one")
    elsewhere = Workspace(tmp_path / "elsewhere")
    elsewhere.unpack(content, "again")
    assert glue.load(elsewhere.place("again")).model_dump() == glue.load(one.place("one")).model_dump()
    os.utime(elsewhere.place("again") / "glue.toml", (0, 0))
    assert elsewhere.packed("again") == content


def test_a_deleted_project_comes_back_or_goes_for_good(one):
    ticket = one.put_away("one")
    assert one.projects() == ()
    assert one.put_away_names() == (ticket,)
    one.fetch_back(ticket)
    assert [entry.name for entry in one.projects()] == ["one"]
    one.put_away("one")
    for wrong in ("one.99", "../../etc.1", "one", ""):
        with pytest.raises(InputError, match="GP-B010"):
            one.fetch_back(wrong)
    assert one.empty_trash() == 1
    assert one.put_away_names() == ()


@pytest.mark.parametrize(
    "name",
    ["../out", "/etc/out", "a/../../out", "a//b", "./a", "c:x", "a\\b", "..", "a\x01b"],
)
def test_a_zip_whose_names_lead_out_leaves_nothing(workspace, name):
    content = zip_of([("glue.toml", "x"), (name, "x")])
    with pytest.raises(InputError, match="GP-B022"):
        workspace.unpack(content, "new")
    nothing_is_left(workspace)
    assert not (workspace.folder.parent / "out").exists()


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_a_zip_with_a_link_or_a_device_leaves_nothing(workspace, kind):
    with pytest.raises(InputError, match="GP-B022"):
        workspace.unpack(zip_of([("glue.toml", "x"), ("raw/x", "/etc/passwd", kind | 0o777)]), "new")
    nothing_is_left(workspace)


def test_a_zip_bomb_leaves_nothing(workspace):
    many = zip_of([("glue.toml", "x"), *((f"raw/{n}", "x") for n in range(21))])
    deep = zip_of([("glue.toml", "x"), ("raw/x", b"0" * 60_000_000)])
    for content in (many, deep):
        with pytest.raises(InputError, match="GP-B021"):
            workspace.unpack(content, "new")
        nothing_is_left(workspace)


def test_a_zip_that_lies_about_its_size_is_stopped_by_its_bytes(workspace):
    content = bytearray(zip_of([("glue.toml", "x"), ("raw/x", b"0" * 60_000_000)]))
    size = (60_000_000).to_bytes(4, "little")
    assert content.count(size) >= 1
    lied = bytes(content).replace(size, (10).to_bytes(4, "little"))
    with pytest.raises(InputError, match=r"GP-B02[01]"):
        workspace.unpack(lied, "new")
    nothing_is_left(workspace)


@pytest.mark.parametrize("content", [b"", b"PK", b"x" * 1000, b"PK\x05\x06" + bytes(18)])
def test_what_is_no_zip_or_no_project_leaves_nothing(workspace, content):
    with pytest.raises(InputError, match="GP-B020"):
        workspace.unpack(content, "new")
    nothing_is_left(workspace)


def test_a_zip_of_a_project_that_cannot_be_read_leaves_nothing(workspace):
    with pytest.raises(InputError, match="GP-S02"):
        workspace.unpack(zip_of([("glue.toml", "kind = 1")]), "new")
    nothing_is_left(workspace)
