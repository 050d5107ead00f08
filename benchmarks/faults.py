"""Kill -9 while a study is computed: a worker, the driver, a Dask scheduler; then count what was lost.

`python -m benchmarks.faults --json` runs 50 rounds in some minutes; `--rounds 6` fewer. Each round runs a
study of 12 small virtual trials on two workers, all in processes of its own, kills one of them, and finishes
the folder here, on another executor, if the run did not end well. The moment is uniform over the computing:
from the first unit kept to the last but one, and anywhere between two units. Then the tables are compared
with those of an undisturbed serial run, byte by byte.

`lost` and `doubled` count virtual trials and patients, `redone` the units begun more than once (every process
writes down what it begins): at most one for each worker. `victim_kept` is how many units the process that was
hit had kept, or its workers had.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from functools import wraps
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl

from glueprint.errors import GlueprintError
from glueprint.runs import units, workspace
from glueprint.runs.units import Receipt
from glueprint.runs.verify import verify

UNITS, WORKERS, PATIENTS = 12, 2, 20  # patients of each arm
STUDY = """
kind = "glueprint-study"
version = 1
name = "faults"
title = "Faults"
compound = "pomalidomide"
[[trials]]
protocol = "{protocol}"
replicates = {units}
[profiles]
patients = 20
days = 1
"""
VICTIMS = ("worker", "driver", "scheduler")
PATIENCE_S = 600
LOG = "GLUEPRINT_FAULTS_LOG"  # environment variable: where a round's processes write what they begin


def watch() -> None:
    """From now on this process writes down each unit that it begins. Comes before `study` is imported."""
    from glueprint.trials import running

    keep = running.keep_unit

    @wraps(keep)
    def told(root: Path, unit: running.Unit) -> Receipt:
        with Path(os.environ[LOG]).open("a") as log:
            log.write(f"{unit.name} {os.getpid()}\n")
        return keep(root, unit)

    vars(running)["keep_unit"] = told


def dask_setup(_worker: Any) -> None:
    """What Dask calls in a worker that loads this module."""
    watch()


def compute(study: Path, out: Path, **how: Any) -> int:
    """Run the study, or go on with it, in this process; returns the exit code."""
    from glueprint import study as studies

    try:
        studies.run(study, out, **how)
    except GlueprintError as error:
        return error.exit_code
    return 0


class Cluster:
    """A Dask scheduler and workers on loopback, processes of our own."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--port", "0")
        while not self._file.exists():
            time.sleep(0.05)
        self.address: str = json.loads(self._file.read_text())["address"]
        words = ("--nthreads", "1", "--no-nanny", "--preload", "benchmarks.faults")
        self.workers = [self._start("worker", *words) for _ in range(WORKERS)]

    def _start(self, what: str, *words: str) -> subprocess.Popen[bytes]:
        call = [sys.executable, "-m", f"distributed.cli.dask_{what}", *words, "--host", "127.0.0.1"]
        call += ["--no-dashboard", "--scheduler-file", str(self._file)]
        return subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


def start(study: Path, out: Path, address: str) -> subprocess.Popen[bytes]:
    """A driver in a process of its own: with a scheduler's workers, or with its own."""
    call = [sys.executable, "-m", "benchmarks.faults", "--drive", str(study), str(out), address]
    return subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kept(out: Path) -> set[str]:
    root = workspace.units_root(out)
    return {folder.relative_to(root).as_posix() for folder in units.folders(root)}


def begun(log: Path) -> list[tuple[str, int]]:
    """Units that were begun, and by which process."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [(unit, int(pid)) for unit, pid in (line.split() for line in lines)]


def children(process: subprocess.Popen[bytes]) -> list[int]:
    """Worker processes of a driver."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(pid) for pid in listed if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def strike(victim: str, process: subprocess.Popen[bytes], cluster: Cluster | None) -> int:
    """Kill one process and say which; among workers chance decides."""
    if cluster:
        pid = cluster.scheduler.pid
    elif victim == "driver":
        pid = process.pid
    else:
        pid = random.choice(children(process))
    os.kill(pid, signal.SIGKILL)
    return pid


def round_of(victim: str, study: Path, folder: Path, pace_s: float) -> dict[str, Any]:
    """One run, struck and finished. pace_s: seconds that a unit takes."""
    out, log = folder / "out", folder / "begun.log"
    os.environ[LOG] = str(log)
    before = time.perf_counter()
    cluster = Cluster(folder) if victim == "scheduler" else None
    moment = random.uniform(1, UNITS - 1)
    try:
        process = start(study, out, cluster.address if cluster else "")
        while len(kept(out)) < int(moment) and process.poll() is None:
            time.sleep(0.005)
        time.sleep(moment % 1 * pace_s / WORKERS)
        there = kept(out)
        computing = process.poll() is None and len(there) < UNITS
        pid = strike(victim, process, cluster) if computing else 0
        code = process.wait(timeout=PATIENCE_S)
        after = kept(out) if code else there
    finally:
        if cluster:
            cluster.stop()
    codes = [code] if code == 0 else [code, compute(study, out, executor="serial")]
    work = begun(log)
    own = {unit for unit, by in work if by == pid}
    return {
        "victim": victim,
        "moment_units": round(moment, 2),
        "struck_while_computing": computing,
        "kept_at_the_strike": len(there),
        "victim_kept": len(own & there) if victim == "worker" else len(there),
        "vanished": len(there - after),
        "codes": codes,
        "redone": sum(Counter(unit for unit, _ in work).values()) - len({unit for unit, _ in work}),
        "seconds": round(time.perf_counter() - before, 1),
    }


def judged(found: dict[str, Any], out: Path, calm: Path) -> dict[str, Any]:
    """What a round left, against the undisturbed run."""
    tables = sorted(path.name for path in (calm / "tables").glob("*.parquet"))
    unequal = [
        name
        for name in tables
        if (out / "tables" / name).read_bytes() != (calm / "tables" / name).read_bytes()
    ]
    patients = pl.read_parquet(out / "tables" / "mm003_patients.parquet")
    row = {
        **found,
        "lost": UNITS - patients.get_column("replicate").n_unique(),
        "doubled": int(patients.select("replicate", "patient").is_duplicated().sum()),
        "unequal": unequal,
        "findings": [finding.what for finding in verify(out).findings],
    }
    # A worker's death is the driver's to mend; the others end the run, and its second go ends well.
    ended_well = row["codes"][-1] == 0 and (row["victim"] != "worker" or len(row["codes"]) == 1)
    faults = ("lost", "doubled", "vanished", "unequal", "findings")
    row["good"] = ended_well and not any(row[name] for name in faults) and row["redone"] <= WORKERS
    return row


def written(folder: Path) -> Path:
    """The study, with a small version of the protocol that comes with Glueprint."""
    text = (files("glueprint.trials.protocol") / "protocols" / "mm003.toml").read_text(encoding="utf-8")
    small = folder / "small.toml"
    small.write_text(re.sub(r"(?m)^patients = \d+", f"patients = {PATIENTS}", text), encoding="utf-8")
    study = folder / "study.toml"
    study.write_text(STUDY.format(protocol=small, units=UNITS))
    return study


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Counts of some rounds."""
    return {
        "rounds": len(rows),
        "good": sum(row["good"] for row in rows),
        "struck_while_computing": sum(row["struck_while_computing"] for row in rows),
        "victim_had_kept_units": sum(row["victim_kept"] > 0 for row in rows),
        "lost": sum(row["lost"] for row in rows),
        "doubled": sum(row["doubled"] for row in rows),
        "unequal": sum(len(row["unequal"]) for row in rows),
        "most_redone": max((row["redone"] for row in rows), default=0),
        "seconds": round(sum(row["seconds"] for row in rows), 1),
    }


def measure(rounds: int, seed: int) -> dict[str, Any]:
    """All rounds, victims in turn, moments by chance."""
    random.seed(seed)
    watch()
    with tempfile.TemporaryDirectory(prefix="glueprint-faults-") as name:
        folder, calm = Path(name), Path(name, "calm")
        study = written(folder)
        os.environ[LOG] = str(folder / "begun.log")
        compute(study, folder / "warm", executor="serial")
        before = time.perf_counter()
        compute(study, calm, executor="serial")
        pace_s = (time.perf_counter() - before) / UNITS
        found = []
        for number in range(rounds):
            place = folder / str(number)
            place.mkdir()
            row = round_of(VICTIMS[number % len(VICTIMS)], study, place, pace_s)
            found.append(judged(row, place / "out", calm))
            print(f"round {number + 1}: {found[-1]}", file=sys.stderr, flush=True)
    kinds = {victim: summary([row for row in found if row["victim"] == victim]) for victim in VICTIMS}
    return {"seed": seed, "unit_s": pace_s, "all": summary(found), **kinds, "each": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    parser.add_argument("--drive", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.drive:
        study, out, address = given.drive
        watch()
        how = {"address": address} if address else {"executor": "processes", "workers": WORKERS}
        sys.exit(compute(Path(study), Path(out), **how))
    found = measure(given.rounds, given.seed)
    if given.json:
        print(json.dumps(found, indent=2))
    else:
        for name in ("all", *VICTIMS):
            print(f"{name}: {found[name]}")
    sys.exit(0 if found["all"]["good"] == given.rounds else 1)


if __name__ == "__main__":
    main()
elif __name__ == "__mp_main__":  # a worker process of a driver
    watch()
