"""Kill -9 at random moments: of a worker, of the driver, of a Dask scheduler; then count what was lost.

`python -m benchmarks.faults --json` runs 50 rounds; `--rounds 6` fewer. A round starts `glueprint study run`
in a process of its own, kills one victim at a random moment, gives the same command until it ends well, and
compares with an undisturbed serial run. `lost` and `doubled` count virtual trials and patients, `redone` the
units that were computed although they had been kept, `unequal` names the tables whose bytes differ.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl

from glueprint.runs import ledger, units, workspace
from glueprint.runs.verify import verify

REPLICATES, WORKERS = 8, 2
STUDY = f"""
kind = "glueprint-study"
version = 1
name = "faults"
title = "Faults"
compound = "pomalidomide"
[[trials]]
protocol = "mm003"
replicates = {REPLICATES}
[profiles]
patients = 20
days = 1
"""
VICTIMS = ("worker", "driver", "scheduler")
COMMAND = "import sys; from glueprint.cli import main; sys.argv[0] = 'glueprint'; main()"
TRIES = 5
PATIENCE_S = 600


class Cluster:
    """A Dask scheduler and workers on loopback, processes of our own."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--port", "0")
        while not self._file.exists():
            time.sleep(0.05)
        self.address: str = json.loads(self._file.read_text())["address"]
        self.workers = [self._start("worker", "--nthreads", "1", "--no-nanny") for _ in range(WORKERS)]

    def _start(self, what: str, *words: str) -> subprocess.Popen[bytes]:
        call = [sys.executable, "-m", f"distributed.cli.dask_{what}", *words, "--host", "127.0.0.1"]
        call += ["--no-dashboard", "--scheduler-file", str(self._file)]
        return subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


def start(study: Path, out: Path, *words: str) -> subprocess.Popen[bytes]:
    """The command, in a process of its own."""
    call = [sys.executable, "-c", COMMAND, "study", "run", str(study), "--out", str(out), *words]
    return subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kept(out: Path) -> set[str]:
    return set(units.survey(workspace.units_root(out))[0])


def children(process: subprocess.Popen[bytes]) -> list[int]:
    """Worker processes of a driver."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(pid) for pid in listed if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def strike(victim: str, process: subprocess.Popen[bytes], cluster: Cluster | None) -> None:
    """Kill one process; which, is chance among those of the kind."""
    if victim == "scheduler" and cluster:
        cluster.scheduler.kill()
    elif victim == "driver":
        process.kill()
    else:
        # None may be there: the driver is at its beginning or at its end.
        with suppress(OSError, IndexError):
            os.kill(random.choice(children(process)), signal.SIGKILL)


def round_of(victim: str, study: Path, folder: Path, seconds: float) -> dict[str, Any]:
    """One run, struck after a random time of at most `seconds`, and finished by giving the command again."""
    out = folder / "out"
    cluster = Cluster(folder) if victim == "scheduler" else None
    words = ["--executor", "dask", "--address", cluster.address] if cluster else ["--workers", str(WORKERS)]
    after = random.uniform(0.0, seconds)
    try:
        process = start(study, out, *words)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=after)
        before = kept(out)
        strike(victim, process, cluster)
        codes = [process.wait(timeout=PATIENCE_S)]
    finally:
        if cluster:
            cluster.stop()
    there = kept(out)
    while codes[-1] != 0 and len(codes) < TRIES:
        codes.append(start(study, out, "--workers", str(WORKERS)).wait(timeout=PATIENCE_S))
    entries = ledger.read(out / ledger.FILE_NAME)
    resumed = [entry.facts["units"] for entry in entries if entry.event == "resumed"]
    return {
        "victim": victim,
        "after_s": round(after, 2),
        "codes": codes,
        "kept_at_the_strike": len(before),
        "lost_after_the_strike": len(before - there) if codes[0] != 0 else 0,
        "redone": max(len(there) - resumed[0], 0) if resumed else 0,
        "out": out,
    }


def judged(found: dict[str, Any], calm: Path) -> dict[str, Any]:
    """What a round left, against the undisturbed run."""
    out: Path = found.pop("out")
    tables = sorted(path.name for path in (calm / "tables").glob("*.parquet"))
    unequal = [
        name
        for name in tables
        if (out / "tables" / name).read_bytes() != (calm / "tables" / name).read_bytes()
    ]
    patients = pl.read_parquet(out / "tables" / "mm003_patients.parquet")
    return {
        **found,
        "lost": REPLICATES - patients.get_column("replicate").n_unique(),
        "doubled": int(patients.select("replicate", "patient").is_duplicated().sum()),
        "unequal": unequal,
        "findings": [finding.what for finding in verify(out).findings],
    }


def measure(rounds: int, seed: int) -> dict[str, Any]:
    """All rounds, victims in turn, moments by chance."""
    random.seed(seed)
    with tempfile.TemporaryDirectory(prefix="glueprint-faults-") as name:
        folder = Path(name)
        study = folder / "study.toml"
        study.write_text(STUDY)
        start(study, folder / "warm", "--executor", "serial").wait()
        before = time.perf_counter()
        start(study, folder / "calm", "--executor", "serial").wait()
        seconds = time.perf_counter() - before
        found = []
        for number in range(rounds):
            place = folder / str(number)
            place.mkdir()
            found.append(judged(round_of(VICTIMS[number % 3], study, place, seconds), folder / "calm"))
    bad = [row for row in found if row["lost"] or row["doubled"] or row["unequal"] or row["findings"]]
    redone = max((row["redone"] + row["lost_after_the_strike"] for row in found), default=0)
    return {
        "rounds": found,
        "seed": seed,
        "undisturbed_serial_s": seconds,
        "bad_rounds": len(bad),
        "most_kept_units_redone": redone,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    given = parser.parse_args()
    found = measure(given.rounds, given.seed)
    if given.json:
        print(json.dumps(found, indent=2))
    else:
        print(f"{given.rounds} rounds, {found['bad_rounds']} with anything lost, doubled or unequal")
    sys.exit(1 if found["bad_rounds"] else 0)


if __name__ == "__main__":
    main()
