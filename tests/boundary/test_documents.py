"""TOML files as editors and strangers leave them."""

from __future__ import annotations

import os

import pytest

from glueprint import study
from glueprint.errors import InputError

GOOD = (
    'kind = "glueprint-study"\r\nversion = 1\nname = "a"\ntitle = "µ"\ncompound = "pomalidomide"\n'
    '[[trials]]\nprotocol = "mm003"\n'
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_byte_order_mark_and_utf_16_are_read(tmp_path, encoding):
    path = tmp_path / "a.toml"
    path.write_bytes(GOOD.encode(encoding))
    assert study.load(path).title == "µ"


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (GOOD.encode() + b"# \x00\nseed = 3\n", "GP-S002", "zero byte"),
        (GOOD.encode() + b"# \xe9\n", "GP-S002", "not UTF-8"),
        (b"a = " + b"[" * 100_000 + b"]" * 100_000, "GP-S003", "nest too deep"),
        (b"a = " + b"9" * 10_000, "GP-S003", "digits"),
        (
            b"a = [{b = 1}, {b = -" + b"9" * 400 + b"}]",
            "GP-S003",
            "a[1].b: a whole number of more than 64 bits",
        ),
        (b"a." * 40_000 + b"b = 1", "GP-S003", "more than 100 parts"),
        (b"a = {" + b'"x" . ' * 40_000 + b"b = 1}", "GP-S003", "more than 100 parts"),
        (b"", "GP-S004", "kind"),
    ],
)
def test_what_is_no_toml_is_said(tmp_path, content, code, words):
    path = tmp_path / "a.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=code) as caught:
        study.load(path)
    assert words in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_pipes_and_devices_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "a.toml")
    (tmp_path / "b.toml").symlink_to("/dev/zero")
    for name in ("a.toml", "b.toml"):
        with pytest.raises(InputError, match="GP-S002"):
            study.load(tmp_path / name)


def test_many_fractions_are_no_long_name(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(GOOD + "seed = [" + "1.5, " * 5000 + "]\n")
    with pytest.raises(InputError, match="GP-S005"):
        study.load(path)
