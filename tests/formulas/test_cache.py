"""Compiled code on disk: found again, never trusted blindly, never in the way."""

from __future__ import annotations

import ctypes
import hashlib
import math
import os
import stat

import numpy as np
import pytest

from glueprint import engine
from glueprint.formulas.cache import Cache, default_cache
from glueprint.formulas.compiler import load

TEXT = "define void @seven(ptr %x) {\n  store i64 7, ptr %x\n  ret void\n}\n"


OTHER = TEXT.replace("i64 7", "i64 8")


def objects(folder):
    return sorted(path for path in folder.iterdir() if path.name.endswith(".glueprint-object"))


def code(folder):
    """The one file that holds code; the others hold a name of it."""
    return max(objects(folder), key=lambda path: path.stat().st_size)


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


def test_another_key_of_the_same_text_takes_the_code_that_is_there(tmp_path):
    machine(tmp_path)
    assert machine(tmp_path, "seven as well").from_cache
    assert len(objects(tmp_path)) == 3  # two names of one code


def test_another_text_is_other_code(tmp_path):
    machine(tmp_path)
    eight = load("eight", lambda: OTHER, Cache(tmp_path), {"seven": (ctypes.c_void_p,)})
    assert not eight.from_cache
    number = np.zeros(1, dtype=np.int64)
    eight.functions["seven"](number.ctypes.data)
    assert number[0] == 8


def test_a_text_is_written_once_for_a_key(tmp_path):
    machine(tmp_path)
    load("seven", lambda: pytest.fail("written again"), Cache(tmp_path), {"seven": (ctypes.c_void_p,)})


def test_a_name_whose_code_is_gone_is_compiled_again(tmp_path):
    machine(tmp_path)
    code(tmp_path).unlink()
    assert not machine(tmp_path).from_cache
    assert machine(tmp_path).from_cache


def test_models_that_differ_in_numbers_share_their_code(tmp_path, monkeypatch):
    monkeypatch.setenv("GLUEPRINT_CACHE", str(tmp_path))
    first, second = (engine.compile(f"species A = 1; A -> ; k*A; k = {k}") for k in (0.1, 0.25))
    assert first.hash != second.hash
    assert not first.solver.machine.from_cache
    assert second.solver.machine.from_cache
    left = [model.ensemble(patients=1).simulate([1.0]).values.item() for model in (first, second)]
    assert left == pytest.approx([math.exp(-0.1), math.exp(-0.25)], rel=1e-6)


def test_a_damaged_file_is_compiled_again(tmp_path):
    machine(tmp_path)
    file = code(tmp_path)
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


def test_swapped_objects_are_compiled_again(tmp_path):
    """Each is whole and of our making, but under the other's name."""
    machine(tmp_path)
    load("eight", lambda: OTHER, Cache(tmp_path), {"seven": (ctypes.c_void_p,)})
    one, two = sorted(objects(tmp_path), key=lambda path: path.stat().st_size)[-2:]
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    again = machine(tmp_path)
    assert not again.from_cache
    number = np.zeros(1, dtype=np.int64)
    again.functions["seven"](number.ctypes.data)
    assert number[0] == 7
    assert machine(tmp_path).from_cache  # rebuilt


def test_an_object_with_a_sum_of_its_own_is_no_object_of_ours(tmp_path):
    machine(tmp_path)
    file = code(tmp_path)
    content = file.read_bytes()[32:]
    file.write_bytes(hashlib.sha256(content).digest() + content)
    assert not machine(tmp_path).from_cache


def test_another_user_s_secret_seals_nothing_for_us(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "theirs"))
    machine(tmp_path / "cache")
    assert machine(tmp_path / "cache").from_cache
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "ours"))
    assert not machine(tmp_path / "cache").from_cache


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no owners and modes here")
def test_the_secret_is_the_user_s_alone_or_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    machine(tmp_path / "cache")
    secret = tmp_path / "state/glueprint/cache-secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    assert machine(tmp_path / "cache").from_cache
    secret.chmod(0o644)
    assert not machine(tmp_path / "cache").from_cache
    (tmp_path / "nowhere").write_text("in the way")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "nowhere"))
    assert not machine(tmp_path / "cache").from_cache


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no owners and modes here")
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_a_folder_that_others_may_write_into_is_not_used_and_said(tmp_path, mode):
    folder = tmp_path / "cache"
    machine(folder)
    folder.chmod(mode)
    with pytest.warns(RuntimeWarning, match="others may write into it"):
        assert not machine(folder).from_cache
    folder.chmod(0o755)
    assert machine(folder).from_cache


def test_a_pipe_under_an_object_s_name_does_not_make_us_wait(tmp_path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes with names here")
    machine(tmp_path)
    file = code(tmp_path)
    file.unlink()
    os.mkfifo(file)
    assert not machine(tmp_path).from_cache
