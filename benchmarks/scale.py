"""What units, executors and reductions cost: 10^3 to 10^6 patients, one process, two, and Dask.

`python -m benchmarks.scale --json` prints every number in about three minutes; `--only executors` leaves out
the other parts (sizes, keeping), `--largest 100000` stops earlier, `--rounds 1` compares executors once. Each
run is a process of its own, so that its memory is its own. A patient is four weeks of a small model (drug,
effect, cell count) with daily outputs, of which only sums are kept.

Executors, each worker computing on one thread: `one` is one process that does the work itself, `two` are two
workers of our own, `dask` two of a Dask cluster on loopback; they run in turn, as many rounds as asked for.
`rate` counts patients a second once every worker has ended its first unit, so that starting them is left
out; `seconds` has everything, `cpu_seconds` the processor time of all processes. A ratio is the median of the
rounds' own ratios: what else the machine does changes from round to round and hits all runs of one.
`memory_growth` is the largest run against each one of at least a unit.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl

from glueprint import engine
from glueprint.engine import Doses, Model, Settings
from glueprint.runs import executor, provenance, reduce, units, workspace
from glueprint.runs.executor import Choice
from glueprint.runs.streams import normals
from glueprint.runs.units import Receipt

MODEL = """
model small
  compartment c = 1
  species drug in c, cells in c
  drug = 0; cells = 4
  kel = 0.1; ec50 = 20; kout = 0.01
  drug' = -kel * drug
  cells' = kout * (4 * (1 - drug / (drug + ec50)) - cells)
end
"""
DAYS, SEED = 28, 1
PART = 10_000  # patients of a unit
SIZES = (1_000, 10_000, 100_000, 1_000_000)
# Executors are compared on units of half a second; those of a study take longer.
COMPARED, COMPARED_PART, ROUNDS = 1_200_000, 50_000, 3
CHOICES = {"one": Choice(), "two": Choice("processes", 2), "dask": Choice("dask", 2)}
ALL = ("sizes", "keeping", "executors")
VARIED = {"kel": 0.1, "ec50": 20.0, "kout": 0.01}


@dataclass(frozen=True)
class Block:
    """Patients first to first + count, a unit of work."""

    first: int
    count: int

    @property
    def name(self) -> str:
        return f"block/{self.first:09d}"


@lru_cache(maxsize=1)
def model() -> Model:
    return engine.compile(MODEL)


def compute(block: Block) -> tuple[dict[str, pl.DataFrame], dict[str, int]]:
    """Sums of the daily outputs of a block, and how many patients failed."""
    spread = np.exp(0.3 * normals(SEED, "scale", block.first + np.arange(block.count), len(VARIED)))
    given = {name: typical * spread[:, i] for i, (name, typical) in enumerate(VARIED.items())}
    doses = Doses.every_patient(block.count, np.arange(21) * 24.0, "drug", 50.0)
    times = np.arange(1, DAYS + 1) * 24.0
    course = model().ensemble(given, settings=Settings(threads=1)).simulate(times, doses, outputs=["cells"])
    fine = course.status == 0
    cells = course.values[fine, :, 0]
    day = np.broadcast_to(np.arange(1, DAYS + 1), cells.shape).ravel()
    low = cells < 2.0
    when = np.where(low.any(axis=1), low.argmax(axis=1) + 1, DAYS)
    tables = {
        "cells": reduce.sketch(cells, {"day": day}),
        "low": reduce.survival_table(when, low.any(axis=1)),
    }
    return tables, {"patients": block.count, "failed": int((~fine).sum())}


def keep(root: Path, block: Block) -> tuple[Receipt, int]:
    """The receipt of a block, and the process that computed it."""
    tables, facts = compute(block)
    return units.keep(root, block.name, tables, facts), os.getpid()


def one(patients: int, part: int, choice: Choice) -> dict[str, Any]:
    """A whole run: units, their sums, the result; with seconds, rate and memory."""
    blocks = [Block(first, min(part, patients - first)) for first in range(0, patients, part)]
    compute(Block(0, 20))  # compiles, once, before the clock starts
    ended: list[tuple[float, int, int]] = []
    with tempfile.TemporaryDirectory(prefix="glueprint-scale-") as folder:
        before = time.perf_counter()
        with workspace.claim(Path(folder)) as space:
            record = provenance.new("benchmark", {"patients": patients}, {})
            space.begin(record, {})
            work = partial(keep, space.units)
            failed = 0
            with executor.start(choice) as crew, closing(crew.run(work, blocks)) as answers:
                for place, (receipt, worker) in answers:
                    failed += receipt.facts["failed"]
                    ended.append((time.perf_counter(), worker, blocks[place].count))
            kept = {
                name: reduce.add(units.read(space.units, block.name, name) for block in blocks)
                for name in ("cells", "low")
            }
            outputs = space.publish(kept, {}, record).outputs
        seconds = time.perf_counter() - before
    own, workers = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "patients": patients,
        "failed": failed,
        "seconds": seconds,
        "cpu_seconds": own.ru_utime + own.ru_stime + workers.ru_utime + workers.ru_stime,
        "rate": rate(ended),
        "workers": len({worker for _, worker, _ in ended}),
        "memory_mb": own.ru_maxrss / 1024,
        "outputs": dict(outputs),
    }


def rate(ended: list[tuple[float, int, int]]) -> float | None:
    """Patients a second of all workers together, once each has ended its first unit.

    ended: time, worker and patients of each unit, in order.   None if a worker ended too few to say.
    """
    times: dict[int, list[tuple[float, int]]] = {}
    for when, worker, patients in ended:
        times.setdefault(worker, []).append((when, patients))
    begun = max(of[0][0] for of in times.values())
    steady = [[unit for unit in of if unit[0] >= begun] for of in times.values()]
    if any(len(of) < 2 for of in steady):
        return None
    return sum(sum(n for _, n in of[1:]) / (of[-1][0] - of[0][0]) for of in steady)


def apart(patients: int, part: int, choice: Choice) -> dict[str, Any]:
    """`one` in a process of its own, all whose processes compute on one thread each."""
    given = (str(patients), str(part), choice.kind, str(choice.workers))
    call = [sys.executable, "-m", "benchmarks.scale", "--one", *given]
    threads = dict.fromkeys(("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    done = subprocess.run(call, capture_output=True, text=True, check=True, env={**os.environ, **threads})
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def overhead_ms(patients: int) -> float:
    """Milliseconds that keeping adds to 1,000 patients: `keep` against `compute`, median of 5."""
    blocks = [Block(first, PART) for first in range(0, patients, PART)]
    compute(blocks[0])
    rounds = []
    with tempfile.TemporaryDirectory(prefix="glueprint-scale-") as folder:
        for number in range(5):
            spent = []
            root = Path(folder, str(number))
            root.mkdir()
            for work in (compute, partial(keep, root)):
                before = time.perf_counter()
                for block in blocks:
                    work(block)
                spent.append(time.perf_counter() - before)
            rounds.append(1e6 * (spent[1] - spent[0]) / patients)
    return float(np.median(rounds))


def sizes(largest: int) -> dict[str, Any]:
    """Cost and memory from 10^3 to 10^6 patients on one process."""
    rows = [apart(size, PART, Choice()) for size in SIZES if size <= largest]
    return {
        "serial": rows,
        "ms_per_1000_patients": {
            str(row["patients"]): 1e6 * row["seconds"] / row["patients"] for row in rows
        },
        "memory_growth": {
            str(row["patients"]): rows[-1]["memory_mb"] / row["memory_mb"] - 1
            for row in rows
            if row["patients"] >= PART
        },
    }


def _ratios(runs: dict[str, list[dict[str, Any]]], name: str) -> list[float]:
    """The rate of an executor over that of one process, in each round."""
    return [run["rate"] / one["rate"] for run, one in zip(runs[name], runs["one"], strict=True)]


def executors(patients: int, rounds: int) -> dict[str, Any]:
    """The same work on each executor, in turn."""
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in CHOICES}
    for _ in range(rounds):
        for name, choice in CHOICES.items():
            runs[name].append(apart(patients, COMPARED_PART, choice))
    rates = {name: median(run["rate"] for run in of) for name, of in runs.items()}
    outputs = {json.dumps(run["outputs"]) for of in runs.values() for run in of}
    return {
        "executors": runs,
        "rates": rates,
        "two_over_one": median(_ratios(runs, "two")),
        "dask_over_one": median(_ratios(runs, "dask")),
        "equal_bytes": len(outputs) == 1,
    }


def measure(parts: Sequence[str], largest: int, compared: int, rounds: int) -> dict[str, Any]:
    """Every number of these parts of the benchmark."""
    found: dict[str, Any] = {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "load_before": os.getloadavg()[0],
        "versions": provenance.versions(),
    }
    if "sizes" in parts:
        found.update(sizes(largest))
    if "keeping" in parts:
        found["overhead_ms_per_1000_patients"] = overhead_ms(4 * PART)
    if "executors" in parts:
        found.update(executors(compared, rounds))
    found["load_after"] = os.getloadavg()[0]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--only", nargs="+", choices=ALL, default=ALL, help="parts to measure")
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="most patients of a run")
    parser.add_argument("--compared", type=int, default=COMPARED, help="patients to compare executors with")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="runs of each executor")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        patients, part, kind, workers = given.one
        print(json.dumps(one(int(patients), int(part), Choice(kind, int(workers)))))
        return
    found = measure(given.only, given.largest, given.compared, given.rounds)
    if given.json:
        print(json.dumps(found, indent=2))
        return
    for row in found.get("serial", ()):
        print(f"{row['patients']:>9,} patients: {row['seconds']:8.1f} s, {row['memory_mb']:6.0f} MB")
    if "overhead_ms_per_1000_patients" in found:
        print(f"keeping costs {found['overhead_ms_per_1000_patients']:.1f} ms per 1,000 patients")
    for name in ("two_over_one", "dask_over_one"):
        if name in found:
            print(f"{name.replace('_', ' ')}: {found[name]:.2f}")


if __name__ == "__main__":
    # By the module's own name: Dask would send what belongs to "__main__" as code, with every unit.
    importlib.import_module("benchmarks.scale").main()
