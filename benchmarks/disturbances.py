"""Ctrl-C while a study is computed, and a disk that is full at each write: what is left, what comes after.

    python -m benchmarks.disturbances --interrupts 100 --load 16 --json

Each interrupt goes to the whole group of a run on two workers, as a terminal sends it, at a moment by chance,
beside as many busy processes as asked. Afterwards no process of the run lives, nothing half-written lies in
its folder or in that for temporary files, and the exit code is 130 (0 if it had ended). The same folder is
used again and again until its run ends, and then holds the bytes of a calm run.

A run here is given a disk that is full at its n-th write, for every n: a file's content, a file's sync, an
entry of the ledger, a folder's sync. It ends with an error that has a code, and the next run ends with the
bytes of a calm one.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks import faults
from glueprint.errors import GlueprintError
from glueprint.runs import store
from glueprint.runs.verify import verify

WORKERS = 2
COMMAND = "import sys; from glueprint.cli import main; sys.argv[0] = 'glueprint'; main()"
BURN = "while True: sum(range(10000))"
ENDED_S = 20.0  # that children may take to go after their owner
LONGEST_S = 25.0  # to the latest interrupt


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """So many processes that do nothing but take time."""
    made = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(processes)]
    try:
        yield
    finally:
        for one in made:
            one.kill()
            one.wait()


def alive(session: int) -> list[int]:
    """Processes of a session that are there and no corpses."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            words = place.read_text().rpartition(")")[2].split()
            if int(words[3]) == session and words[0] != "Z":
                found.append(int(place.parent.name))
    return found


def half_written(*folders: Path) -> list[str]:
    """Names of what was begun and not ended."""
    names = [path.name for folder in folders if folder.exists() for path in folder.rglob("*")]
    return sorted(name for name in names if ".partial" in name or name.endswith(".part"))


def interrupt(study: Path, out: Path, temporary: Path) -> dict[str, Any]:
    """One run, interrupted."""
    call = [sys.executable, "-c", COMMAND, "study", "run", str(study), "--out", str(out)]
    temporary.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [*call, "--workers", str(WORKERS)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    )
    moment = random.uniform(0.5, LONGEST_S)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=moment)
    computing = process.poll() is None
    if computing:
        os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=faults.PATIENCE_S)
    deadline = time.monotonic() + ENDED_S
    while (left := alive(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.1)
    rest = half_written(out, temporary) + [path.name for path in temporary.iterdir()]
    # Before our first function ran, Python itself answers to the signal: in silence before it has begun.
    bare = process.returncode == -signal.SIGINT or (process.returncode == 1 and "KeyboardInterrupt" in said)
    early = bare and ", in main" not in said
    code = 130 if early else process.returncode
    return {
        "moment_s": round(moment, 1),
        "computing": computing,
        "code": process.returncode,
        "early": early,
        "processes_left": len(left),
        "files_left": rest,
        "good": code in ((130, 0) if computing else (0,)) and not left and not rest,
        "said": "" if code in (0, 130) else said[-300:],
    }


def interrupts(rounds: int, study: Path, folder: Path, calm: Path) -> dict[str, Any]:
    """So many interrupts; a folder whose run ended well is compared and a new one begun."""
    rows: list[dict[str, Any]] = []
    ended = unequal = 0
    out = folder / "out0"
    for number in range(rounds):
        row = interrupt(study, out, folder / "temporary")
        rows.append(row)
        print(f"interrupt {number + 1}: {row}", file=sys.stderr, flush=True)
        if row["code"] == 0:
            ended += 1
            unequal += bool(differences(out, calm))
            out = folder / f"out{number + 1}"
    if out.exists():
        faults.compute(study, out, executor="serial")
        ended, unequal = ended + 1, unequal + bool(differences(out, calm))
    return {
        "rounds": rounds,
        "good": sum(row["good"] for row in rows),
        "while_computing": sum(row["computing"] for row in rows),
        "before_our_first_line": sum(row["early"] for row in rows),
        "processes_left": sum(row["processes_left"] for row in rows),
        "files_left": sum(len(row["files_left"]) for row in rows),
        "codes": dict(Counter(str(row["code"]) for row in rows)),
        "folders_ended": ended,
        "unequal": unequal,
        "bad": [row for row in rows if not row["good"]],
    }


def differences(out: Path, calm: Path) -> list[str]:
    """Tables that are not as in the calm run, and what verification finds."""
    tables = sorted(path.name for path in (calm / "tables").glob("*.parquet"))
    return [
        *(n for n in tables if (out / "tables" / n).read_bytes() != (calm / "tables" / n).read_bytes()),
        *(str(finding) for finding in verify(out).findings),
    ]


class FullDisk:
    """The n-th write of this process, and all later ones, find no room; a file is half written then.

    number: 0 for a disk with room enough, which counts.
    """

    def __init__(self, number: int) -> None:
        self._number, self.writes = number, 0
        self._sync, self._write = os.fsync, vars(store)["_write_new"]

    def __enter__(self) -> FullDisk:
        """From here on."""
        vars(os)["fsync"] = self._synced
        vars(store)["_write_new"] = self._written
        return self

    def __exit__(self, *_: object) -> None:
        """Room again."""
        vars(os)["fsync"] = self._sync
        vars(store)["_write_new"] = self._write

    def _synced(self, handle: int) -> None:
        self._count()
        self._sync(handle)

    def _written(self, path: Path, data: bytes) -> None:
        try:
            self._count()
        except OSError:
            path.write_bytes(data[: len(data) // 2])
            raise
        self._write(path, data)

    def _count(self) -> None:
        self.writes += 1
        if 0 < self._number <= self.writes:
            raise OSError(errno.ENOSPC, "No space left on device")


def full_disks(study: Path, folder: Path, calm: Path, first: int = 1) -> dict[str, Any]:
    """A run for each of its writes from the `first` on, which finds the disk full, and a second with room."""
    from glueprint import study as studies

    with FullDisk(0) as roomy:
        studies.run(study, folder / "counted", executor="serial")
    codes: Counter[str] = Counter()
    bad = []
    for number in range(first, roomy.writes + 1):
        out = folder / f"full{number}"
        said = "none"
        try:
            with FullDisk(number):
                studies.run(study, out, executor="serial")
        except GlueprintError as error:
            said = error.code
        except Exception as error:
            said = type(error).__name__
        codes[said] += 1
        left = half_written(out)
        # What is written last is a copy of what is there; a run may outlive that it could not be synced.
        fine = said.startswith("GP-R00") and not left
        studies.run(study, out, executor="serial")
        wrong = differences(out, calm)
        if wrong or not fine:
            bad.append({"write": number, "said": said, "half_written": left, "wrong": wrong})
        print(f"full disk at write {number} of {roomy.writes}: {said}", file=sys.stderr, flush=True)
    tried = roomy.writes - first + 1
    counts = {"writes": roomy.writes, "first": first, "good": tried - len(bad)}
    return {**counts, "codes": dict(codes), "bad": bad}


def main() -> None:
    """As the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--interrupts", type=int, default=100)
    parser.add_argument("--load", type=int, default=0, help="busy processes beside it")
    parser.add_argument("--no-disk", action="store_true")
    parser.add_argument("--first", type=int, default=1, help="write that finds the disk full first")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    random.seed(given.seed)
    with tempfile.TemporaryDirectory(prefix="glueprint-disturbances-") as name:
        folder, calm = Path(name), Path(name, "calm")
        study = faults.written(folder, units=3)
        faults.compute(study, calm, executor="serial")
        disks = {} if given.no_disk else full_disks(study, folder, calm, given.first)
        with busy(given.load):
            found = interrupts(given.interrupts, study, folder, calm)
        load = os.getloadavg()
    made = {"seed": given.seed, "load": load, "full_disks": disks, "interrupts": found}
    print(json.dumps(made, indent=2) if given.json else made)
    good = found["good"] == given.interrupts and not found["unequal"] and not disks.get("bad")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
