"""Compiled code on disk: found again, never trusted blindly, never in the way."""

from __future__ import annotations

import pytest

from glueprint import engine
from glueprint.engine.cache import Cache, default_cache
from glueprint.engine.compiled import CompiledSolver

TEXT = "species x = 1; J: x -> ; k*x; k = 1;"


def machine(folder):
    model = engine.compile(TEXT)
    return CompiledSolver(model.system, model.hash, Cache(folder)).machine


def test_the_second_time_comes_from_disk(tmp_path):
    assert not machine(tmp_path).from_cache
    assert machine(tmp_path).from_cache


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
