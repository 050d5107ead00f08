"""Faults while a study is computed: kill -9, a stopped process, a wrong clock; then count what was lost.

`python -m benchmarks.faults --json` runs 50 rounds in some minutes; `--rounds 6` fewer, `--victim tls` of one
kind: a worker, the driver, or the scheduler of a Dask cluster is killed; a scheduler or worker over TLS; a
driver whose clock is set back again and again; a worker or driver is stopped for a while and goes on.
`benchmarks.disturbances` has Ctrl-C and full disks. Each round runs a
study of 12 small virtual trials on two workers, all in processes of its own, kills one of them, and finishes
the folder here, on another executor, if the run did not end well. The moment is uniform over the computing:
from the first unit kept to the last but one, and anywhere between two units. Then the tables are compared
with those of an undisturbed serial run, byte by byte.

`lost` and `doubled` count virtual trials and patients, `redone` the units begun more than once (every process
writes down what it begins): at most one group for each worker. `victim_kept` is how many units the process
that was hit had kept, or its workers had.
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
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import wraps
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from glueprint.boundary import clock
from glueprint.errors import GlueprintError
from glueprint.runs import units, workspace
from glueprint.runs.units import Receipt
from glueprint.runs.verify import verify

UNITS, WORKERS, PATIENTS = 12, 2, 20  # patients of each arm
GROUP = 2  # units that a worker has in hand; of trials as small as these it would have half the study
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
VICTIMS = ("worker", "driver", "scheduler", "tls", "clock", "stopped")
CLUSTERS = ("scheduler", "tls")
MENDED = ("worker", "stopped")  # faults that one run must outlive
PATIENCE_S = 600
STOPPED_S = 2.0
LOG = "GLUEPRINT_FAULTS_LOG"  # environment variable: where a round's processes write what they begin
CLOCK = "GLUEPRINT_FAULTS_CLOCK"  # set where the clock is set back
TLS = "DASK_DISTRIBUTED__COMM__TLS__"


def watch() -> None:
    """From now on this process writes down each unit that it begins. Comes before `study` is imported."""
    from glueprint import trials
    from glueprint.trials import running

    keep = running.keep_group

    @wraps(keep)
    def told(root: Path, group: trials.Group) -> list[Receipt]:
        with Path(os.environ[LOG]).open("a") as log:
            log.writelines(f"{unit.name} {os.getpid()}\n" for unit in group)
        return keep(root, group)

    for place in (running, trials):  # the room's face has it by name, too
        vars(place)["keep_group"] = told
    vars(running)["MOST_TOGETHER"] = GROUP
    if os.environ.get(CLOCK):
        set_back()


def set_back() -> None:
    """Every look at the clock of this process may find it hours or years earlier than the last."""
    late = clock.now()

    def earlier() -> datetime:
        nonlocal late
        late -= timedelta(hours=random.choice((0, 1, 7, 9000)))
        return late

    vars(clock)["now"] = earlier


def certificate(folder: Path) -> dict[str, str]:
    """A certificate made here and now for everybody on this machine: what Dask finds it by."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    begun = datetime.now(UTC) - timedelta(days=1)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number())
    made = made.not_valid_before(begun).not_valid_after(begun + timedelta(days=9))
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    parts = {"CA_FILE": paths[0]}
    for who in ("SCHEDULER", "WORKER", "CLIENT"):
        parts |= {f"{who}__CERT": paths[0], f"{who}__KEY": paths[1]}
    return {TLS + name: str(path) for name, path in parts.items()}


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
    """A Dask scheduler and workers on loopback, processes of our own. tls: they speak encrypted."""

    def __init__(self, folder: Path, *, tls: bool = False) -> None:
        self._file = folder / "scheduler.json"
        self.environment = {**os.environ, **(certificate(folder) if tls else {})}
        protocol = ("--protocol", "tls") if tls else ()
        self.scheduler = self._start("scheduler", "--port", "0", *protocol)
        while not self._file.exists():
            time.sleep(0.05)
        self.address: str = json.loads(self._file.read_text())["address"]
        words = ("--nthreads", "1", "--no-nanny", "--preload", "benchmarks.faults", *protocol)
        self.workers = [self._start("worker", *words) for _ in range(WORKERS)]

    def _start(self, what: str, *words: str) -> subprocess.Popen[bytes]:
        call = [sys.executable, "-m", f"distributed.cli.dask_{what}", *words, "--host", "127.0.0.1"]
        call += ["--no-dashboard", "--scheduler-file", str(self._file)]
        return subprocess.Popen(
            call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment
        )

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


def start(study: Path, out: Path, cluster: Cluster | None, *, wrong_clock: bool) -> subprocess.Popen[bytes]:
    """A driver in a process of its own: with a scheduler's workers, or with its own."""
    address = cluster.address if cluster else ""
    call = [sys.executable, "-m", "benchmarks.faults", "--drive", str(study), str(out), address]
    environment = dict(cluster.environment if cluster else os.environ)
    if wrong_clock:
        environment[CLOCK] = "1"
    return subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)


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
    """Kill one process, or stop it for a while, and say which; among workers chance decides."""
    if cluster:
        crew = [cluster.scheduler, *(cluster.workers if victim == "tls" else ())]
        pid = int(random.choice(crew).pid)
    elif victim in ("driver", "clock"):
        pid = process.pid
    else:
        pid = random.choice([*children(process), *([process.pid] if victim == "stopped" else [])])
    if victim == "stopped":
        os.kill(pid, signal.SIGSTOP)
        time.sleep(STOPPED_S)
        os.kill(pid, signal.SIGCONT)
        return 0  # nothing that it had begun may be done again
    os.kill(pid, signal.SIGKILL)
    return pid


def round_of(victim: str, study: Path, folder: Path, pace_s: float) -> dict[str, Any]:
    """One run, struck and finished. pace_s: seconds that a unit takes."""
    out, log = folder / "out", folder / "begun.log"
    os.environ[LOG] = str(log)
    before = time.perf_counter()
    cluster = Cluster(folder, tls=victim == "tls") if victim in CLUSTERS else None
    moment = random.uniform(1, UNITS - 1)
    try:
        process = start(study, out, cluster, wrong_clock=victim == "clock")
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
    ended_well = row["codes"][-1] == 0 and (row["victim"] not in MENDED or len(row["codes"]) == 1)
    faults = ("lost", "doubled", "vanished", "unequal", "findings")
    most = 0 if row["victim"] == "stopped" else GROUP * WORKERS
    row["good"] = ended_well and not any(row[name] for name in faults) and row["redone"] <= most
    return row


def written(folder: Path, units: int = UNITS) -> Path:
    """The study, with a small version of the protocol that comes with Glueprint."""
    text = (files("glueprint.trials.protocol") / "protocols" / "mm003.toml").read_text(encoding="utf-8")
    small = folder / "small.toml"
    small.write_text(re.sub(r"(?m)^patients = \d+", f"patients = {PATIENTS}", text), encoding="utf-8")
    study = folder / "study.toml"
    study.write_text(STUDY.format(protocol=small, units=units))
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


def measure(rounds: int, seed: int, victims: Sequence[str] = VICTIMS) -> dict[str, Any]:
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
            row = round_of(victims[number % len(victims)], study, place, pace_s)
            found.append(judged(row, place / "out", calm))
            print(f"round {number + 1}: {found[-1]}", file=sys.stderr, flush=True)
    kinds = {victim: summary([row for row in found if row["victim"] == victim]) for victim in victims}
    return {"seed": seed, "unit_s": pace_s, "all": summary(found), **kinds, "each": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1, help="of the moments")
    parser.add_argument("--victim", action="append", choices=VICTIMS, help="repeat for more; all if left out")
    parser.add_argument("--drive", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.drive:
        study, out, address = given.drive
        watch()
        how = {"address": address} if address else {"executor": "processes", "workers": WORKERS}
        sys.exit(compute(Path(study), Path(out), **how))
    found = measure(given.rounds, given.seed, given.victim or VICTIMS)
    if given.json:
        print(json.dumps(found, indent=2))
    else:
        for name in ("all", *(given.victim or VICTIMS)):
            print(f"{name}: {found[name]}")
    sys.exit(0 if found["all"]["good"] == given.rounds else 1)


if __name__ == "__main__":
    main()
elif __name__ == "__mp_main__":  # a worker process of a driver
    watch()
