"""Compiled code on disk: found again, never trusted blindly, never in the way."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from glueprint.formulas.cache import Cache, default_cache
from glueprint.formulas.compiler import load

TEXT = "define void @seven(ptr %x) {\n  store i64 7, ptr %x\n  ret void\n}\n"


def machine(folder, key="seven"):
    return load(key, lambda: TEXT, Cache(folder), {"seven": (ctypes.c_void_p,)})


def test_the_second_time_comes_from_disk(tmp_path):
    assert not machine(tmp_path).from_cache
    assert machine(tmp_path).from_cache


def test_code_from_disk_runs_as_compiled_code_does(tmp_path):
    for _ in range(2):
        number = np.zeros(1, dtype=np.int64)
        machine(tmp_path).functions["seven"](number.ctypes.data)
        assert number[0] == 7


def test_another_key_is_other_code(tmp_path):
    machine(tmp_path)
    assert not machine(tmp_path, "eight").from_cache


def test_a_damaged_file_is_compiled_again(tmp_path):
    machine(tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    assert not machine(tmp_path).from_cache


def test_a_folder_that_cannot_be_made_costs_nothing(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way", encoding="utf-8")
    assert not machine(blocked / "cache").from_cache


def test_the_folder_comes_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("GLUEPRINT_CACHE", str(tmp_path))
    assert default_cache().folder == tmp_path
    monkeypatch.setenv("GLUEPRINT_CACHE", "")
    assert default_cache().folder is None
    monkeypatch.delenv("GLUEPRINT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache().folder == tmp_path / "glueprint"


@pytest.mark.parametrize("name", ["missing"])
def test_what_is_not_there_is_none(tmp_path, name):
    assert Cache(tmp_path).get(name) is None
    assert Cache(None).get(name) is None
