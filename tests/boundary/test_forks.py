"""`multiprocessing.Pool` after calls into every room: each works in the fork or is refused."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from tests import processes

import glueprint

# Every call is made here first, so that all threads there can be are there; then in a fork of its own.
PROGRAM = """
import multiprocessing, os
import numpy as np, polars as pl
import glueprint as gp
from glueprint.runs import store

place = {place!r}
curves = pl.DataFrame({{"dose": [1.0, 10, 100, 1000, 10000], "y": [98.0, 91, 55, 14, 6]}})
patients = pl.DataFrame({{"t": range(1, 41), "e": [1, 0] * 20, "arm": ["a", "b", "b", "a"] * 10}})
request = gp.survival.Request(time="t", event="e", arm="arm")
compiled = gp.engine.compile("S = 1; S' = -S;")
CALLS = {{
    "assays": lambda: gp.assays.readers.read(place + "/p.csv"),
    "intake": lambda: gp.assays.tidy_table.read(place + "/p.csv"),
    "curves": lambda: gp.curves.fit_table(curves, x="dose", y="y"),
    "engine": lambda: gp.engine.verified(compiled, np.linspace(0, 3, 4)),
    "survival": lambda: gp.survival.kaplan_meier(patients["t"].to_numpy(), patients["e"].to_numpy() > 0),
    "survival tables": lambda: gp.survival.analyse(patients, request),
    "trials": lambda: gp.trials.run("mm003"),
    "study": lambda: gp.study.load("pomalidomide"),
    "experiments": lambda: gp.experiments.run(gp.experiments.available()[0]),
    "evidence": lambda: gp.evidence.load(),
    "mechanism": lambda: gp.mechanism.compounds.load("pomalidomide"),
    "store": lambda: store.write_tables(gp.runs.store.Path(place), {{"t": curves}}),
    "kept": lambda: store.read_table(store.Path(place) / "t.parquet", "t"),
}}

def attempt(name):
    try:
        CALLS[name]()
    except Exception as error:
        return getattr(error, "code", repr(error))
    return "works"

if __name__ == "__main__":
    pl.DataFrame({{"a": range(100_000)}}).group_by(pl.col("a") % 1000).len().sort("a")
    for name in CALLS:
        assert attempt(name) == "works", (name, attempt(name))
    for name in CALLS:
        with multiprocessing.get_context("fork").Pool(1) as pool:
            try:
                print(name, pool.apply_async(attempt, (name,)).get(timeout=60), sep=": ")
            except multiprocessing.TimeoutError:
                print(name, "hangs", sep=": ")
"""
WORKS = {"engine", "survival", "study", "mechanism"}  # need no table


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_after_calls_into_every_room_a_fork_works_or_is_refused(tmp_path):
    (tmp_path / "p.csv").write_text("plate,well,value,unit\np,A1,0.5,OD\np,A2,0.7,OD\n")
    file = tmp_path / "forking.py"
    file.write_text(PROGRAM.format(place=str(tmp_path)))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = processes.run([sys.executable, str(file)], 600, env=environment)
    assert done.returncode == 0, done.stderr
    said = dict(line.split(": ") for line in done.stdout.splitlines())
    assert len(said) == 13
    assert set(said.values()) == {"works", "GP-X006"}, said
    assert {name for name, word in said.items() if word == "works"} == WORKS


def test_our_modules_reach_polars_by_one_name():
    package = Path(glueprint.__file__).parent
    texts = {path: path.read_text(encoding="utf-8") for path in package.rglob("*.py")}
    named = [
        line
        for text in texts.values()
        for line in re.findall(r"^.*\bimport\b.*\bpolars\b.*$|^from polars.*$", text, re.M)
    ]
    assert len(named) > 100
    assert {line.strip() for line in named} == {"import polars as pl"}
    # In a function the name is not there to be taken away; commands are processes of their own.
    late = [
        (path.name, before.strip())
        for path, text in texts.items()
        if "cli" not in path.parts
        for before in re.findall(r"^(.*)\n +import polars as pl$", text, re.M)
    ]
    assert [one for one in late if not one[1].startswith(("if TYPE_CHECKING", "forks.refuse()"))] == []
