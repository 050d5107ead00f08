"""What units, executors and reductions cost: 10^3 to 10^6 patients, one process, two, and Dask.

`python -m benchmarks.scale --json` prints every number; `--largest 100000` stops earlier; `--small` leaves
out the comparison of executors. Each run is a process of its own, so that its memory is its own. A patient is
four weeks of a small model (drug, effect, cell count) with daily outputs, of which only sums are kept. `rate`
counts patients a second once a tenth of the units is done, so that it leaves out the start of the workers;
`seconds` has everything.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
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
DAYS, PART, SEED = 28, 10_000, 1
SIZES = (1_000, 10_000, 100_000, 1_000_000)
COMPARED = 400_000
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


def keep(root: Path, block: Block) -> Receipt:
    tables, facts = compute(block)
    return units.keep(root, block.name, tables, facts)


def one(patients: int, choice: Choice) -> dict[str, Any]:
    """A whole run: units, their sums, the result; with seconds, rate and memory."""
    blocks = [Block(first, min(PART, patients - first)) for first in range(0, patients, PART)]
    compute(Block(0, 20))  # compiles, once, before the clock starts
    done_at: list[float] = []
    with tempfile.TemporaryDirectory(prefix="glueprint-scale-") as folder:
        before = time.perf_counter()
        with workspace.claim(Path(folder)) as space:
            record = provenance.new("benchmark", {"patients": patients}, {})
            space.begin(record, {})
            work = partial(keep, space.units)
            failed = 0
            with executor.start(choice) as crew, closing(crew.run(work, blocks)) as answers:
                for _, receipt in answers:
                    failed += receipt.facts["failed"]
                    done_at.append(time.perf_counter())
            kept = {
                name: reduce.add(units.read(space.units, block.name, name) for block in blocks)
                for name in ("cells", "low")
            }
            outputs = space.publish(kept, {}, record).outputs
        seconds = time.perf_counter() - before
    tenth = len(blocks) // 10
    steady = done_at[-1] - done_at[tenth] if len(blocks) > tenth + 1 else None
    return {
        "patients": patients,
        "failed": failed,
        "seconds": seconds,
        "rate": (len(blocks) - tenth - 1) * PART / steady if steady else None,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "outputs": dict(outputs),
    }


def apart(patients: int, choice: Choice) -> dict[str, Any]:
    """`one` in a process of its own."""
    call = [
        sys.executable,
        "-m",
        "benchmarks.scale",
        "--one",
        str(patients),
        choice.kind,
        str(choice.workers),
    ]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
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


def measure(largest: int, compared: int) -> dict[str, Any]:
    """Every number of the benchmark."""
    sizes = [apart(size, Choice()) for size in SIZES if size <= largest]
    found: dict[str, Any] = {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "load_before": os.getloadavg()[0],
        "versions": provenance.versions(),
        "serial": sizes,
        "overhead_ms_per_1000_patients": overhead_ms(4 * PART),
    }
    fixed = sizes[0]["seconds"]
    found["ms_per_1000_patients"] = {
        str(row["patients"]): 1e6 * row["seconds"] / row["patients"] for row in sizes
    }
    found["memory_growth"] = sizes[-1]["memory_mb"] / sizes[1]["memory_mb"] - 1 if len(sizes) > 2 else None
    found["seconds_of_the_smallest"] = fixed
    if compared:
        choices = {"one": Choice("processes", 1), "two": Choice("processes", 2), "dask": Choice("dask", 2)}
        runs = {name: apart(compared, choice) for name, choice in choices.items()}
        found["executors"] = runs
        found["two_over_one"] = runs["two"]["rate"] / runs["one"]["rate"]
        found["dask_over_one"] = runs["dask"]["rate"] / runs["one"]["rate"]
        found["equal_bytes"] = len({json.dumps(run["outputs"]) for run in runs.values()}) == 1
    found["load_after"] = os.getloadavg()[0]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="most patients of a run")
    parser.add_argument("--compared", type=int, default=COMPARED, help="patients to compare executors with")
    parser.add_argument("--small", action="store_true", help="leave out the comparison of executors")
    parser.add_argument("--one", nargs=3, metavar=("PATIENTS", "EXECUTOR", "WORKERS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        patients, kind, workers = given.one
        print(json.dumps(one(int(patients), Choice(kind, int(workers)))))
        return
    found = measure(given.largest, 0 if given.small else given.compared)
    if given.json:
        print(json.dumps(found, indent=2))
        return
    for row in found["serial"]:
        print(f"{row['patients']:>9,} patients: {row['seconds']:8.1f} s, {row['memory_mb']:6.0f} MB")
    print(f"keeping costs {found['overhead_ms_per_1000_patients']:.1f} ms per 1,000 patients")
    for name in ("two_over_one", "dask_over_one"):
        if name in found:
            print(f"{name.replace('_', ' ')}: {found[name]:.2f}")


if __name__ == "__main__":
    main()
