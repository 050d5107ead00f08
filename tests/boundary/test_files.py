"""Plain files only, and nothing outside a folder."""

from __future__ import annotations

import os

import pytest

from glueprint.boundary import files


@pytest.mark.parametrize("name", ["a", "a/b.csv", "plates/fp/naïve file.csv", ".lock", "a..b", "x [1]/y"])
def test_names_inside(name):
    assert files.is_name_inside(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "/a",
        "a/",
        "a//b",
        "a/../b",
        "./a",
        "a\\b",
        "c:a",
        "a\x00",
        "a\n",
        "x" * 2000,
        None,
        7,
        ["a"],
    ],
)
def test_names_that_lead_out_or_have_another_spelling(name):
    assert not files.is_name_inside(name)


def test_only_a_plain_file_is_read(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    assert files.read_plain(tmp_path / "a", 3) == b"123"
    (tmp_path / "link").symlink_to(tmp_path / "a")  # named by the user
    assert files.read_plain(tmp_path / "link", 9) == b"12345"
    with pytest.raises(IsADirectoryError):
        files.read_plain(tmp_path, 3)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        for endless in (tmp_path / "pipe", "/dev/zero"):
            with pytest.raises(OSError, match="plain file"):
                files.read_plain(endless, 3)


def test_removing_follows_no_link_and_leaves_no_folder(tmp_path):
    folder, outside = tmp_path / "out", tmp_path / "outside"
    for place in (folder / "plates/fp", outside):
        place.mkdir(parents=True)
        (place / "x.csv").write_text("precious")
    files.remove_inside(folder, "plates/fp/x.csv")
    files.remove_inside(folder, "plates/fp/x.csv")
    files.remove_inside(folder, "plates/none/x.csv")
    assert not (folder / "plates/fp/x.csv").exists()
    (folder / "plates/link").symlink_to(outside)
    with pytest.raises(OSError, match=r"x\.csv|link|directory"):
        files.remove_inside(folder, "plates/link/x.csv")
    for name in ("../outside/x.csv", str(outside / "x.csv"), "plates/../../outside/x.csv"):
        with pytest.raises(ValueError, match="leads out"):
            files.remove_inside(folder, name)
    assert (outside / "x.csv").read_text() == "precious"
    # A link is removed as such.
    (folder / "x.csv").symlink_to(outside / "x.csv")
    files.remove_inside(folder, "x.csv")
    assert (outside / "x.csv").exists()


def test_links_pipes_and_devices_are_odd(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/plain").touch()
    assert files.odd_entries(tmp_path) == []
    (tmp_path / "a/b/link").symlink_to("/")
    (tmp_path / "gone").symlink_to("nowhere")
    assert files.odd_entries(tmp_path) == ["a/b/link", "gone"]
    assert files.odd_entries(tmp_path / "missing") == []
