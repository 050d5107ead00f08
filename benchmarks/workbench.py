"""The workbench: how fast sliders, start, list and queue are, and whether nonsense finds an error of ours.

python -m benchmarks.workbench [--requests 10000] [--only fuzz|sliders|list|queue|start]
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from glueprint.study import course, glue
from glueprint.web import ROUTES, Bench, Jobs, Session, Workspace, designs

HOST = "127.0.0.1:8123"
SMILES = "O=C1CCC(N2Cc3c(cccc3N)C2=O)C(=O)N1"
# Parts of names, numbers and paths that programs have stumbled over.
NONSENSE = (
    "",
    "x",
    "demo",
    "growth-1",
    "..",
    "../../etc/passwd",
    "%2e%2e%2f",
    "%00",
    "%ff%fe",
    "a" * 3000,
    "'\"<script>",
    "-1",
    "1e999",
    "nan",
    "inf",
    "0x10",
    "²",
    "\u202e",
    "{{7*7}}",
    "${x}",
    "A1,A2",
    "A1:H12",
    "Z99",
    "row 7",
    "=1+1",
    "1-21",
    "1-99999999",
    "kd_fold=2",
    "%F0%9F%92%A9",
    "CON",
    "null",
    "[]",
    "a=b&c=d",
    "\r\nx: y",
    ";",
    "|",
    "`id`",
)
FIELDS = (
    "name",
    "compound",
    "smiles",
    "twin_",
    "seed",
    "confirm",
    "ticket",
    "wells",
    "reason",
    "other",
    "back",
    "seen",
    "plate",
    "role",
    "sample",
    "concentration",
    "start",
    "factor",
    "direction",
    "kind",
    "pasted",
    "layout_seen",
    "dose_mg",
    "days",
    "kd_fold",
    "cycles",
    "cycle_days",
    "age_y",
    "pin",
    "q",
    "channel",
    "token",
    "base",
    "do",
    "observed",
    "endpoint",
    "one",
    "two",
    "model",
    "replicate",
    "picture",
    "boxes",
    "lane-1-left",
    "lane-1-dose_nm",
    "band-0-name",
    "doses",
    "schedules",
    "replicates",
    "arm",
    "stratum-0-covariate",
    "stratum-0-cuts",
    "pair-0-value",
    "mix-add",
    "mix-drop",
    "day",
    "days",
)
# Parts of addresses that exist in the project that is asked.
THERE: Mapping[str, tuple[str, ...]] = {
    "project": ("demo",),
    "assay": ("growth-1", "fp-1", "elisa-1", "blot-1"),
    "trial": ("one",),
    "ending": ("toml", "xlsx", "zip", "svg", "csv"),
    "picture": ("1", "2", "99"),
    "table": ("patients.csv", "trial.xlsx", "findings"),
    "figure": ("km_pfs.svg",),
    "replicate": ("1",),
    "patient": ("1",),
}
# Left out of nonsense: what it would rightly do to a real project, or what takes minutes.
KEPT = ("/p/{project}/run", "/p/{project}/report")


def snapshot(folder: Path) -> dict[str, str]:
    """Every file of the projects by name and content; what the workbench keeps for itself is left out."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".workbench" not in path.parts
    }


def fuzz(browser: Any, *, requests: int, seed: int) -> Counter[int]:
    """Nonsense on every address with a right cookie, and half of the time with a right secret.

    Returns how often each status came.
    """
    chance = random.Random(seed)
    routes = [route for route in ROUTES if route.path not in KEPT]
    statuses: Counter[int] = Counter()
    for _ in range(requests):
        route = chance.choice(routes)
        path = re.sub(r"\{(\w+)\}", lambda found: _named(chance, found[1]), route.path)
        fields = {chance.choice(FIELDS): _text(chance) for _ in range(chance.randrange(5))}
        if "POST" in (route.methods or ()):
            answer = browser.post(path, fields, csrf=chance.random() < 0.7)
        else:
            query = "&".join(f"{name}={_part(chance)}" for name in fields)
            hx = {"hx_request": "true"} if chance.random() < 0.5 else {}
            answer = browser.get(f"{path}?{query}" if query else path, **hx)
        statuses[answer.status] += 1
        if answer.status >= 500:
            print(answer.status, path[:200], fields)
    return statuses


def _named(chance: random.Random, part: str) -> str:
    """What stands in an address: half of the time what is there, so that nonsense reaches the pages."""
    return chance.choice(THERE[part]) if part in THERE and chance.random() < 0.5 else _part(chance)


def _text(chance: random.Random) -> str:
    return "".join(chance.choice(NONSENSE) for _ in range(chance.randrange(1, 3)))


def _part(chance: random.Random) -> str:
    """Nonsense as it can stand in a line of HTTP: printable ASCII without blanks."""
    return re.sub(r"[^!-~]|[#?&]", "%20", _text(chance)) or "x"


def sliders(rounds: int = 60) -> dict[str, float]:
    """Seconds from a slider's value to the course: median and 95th percentile, the first left out."""
    chance = random.Random(1)
    course.follow(course.Plan())
    seconds = []
    for _ in range(rounds):
        plan = course.Plan(dose_mg=chance.uniform(0.5, 10), kd_fold=10 ** chance.uniform(-1, 1), cycles=3)
        begun = time.perf_counter()
        course.follow(plan)
        seconds.append(time.perf_counter() - begun)
    return {"median_s": float(np.median(seconds)), "p95_s": float(np.percentile(seconds, 95))}


def listed(count: int = 1000) -> float:
    """Seconds to list so many projects."""
    with tempfile.TemporaryDirectory() as place:
        workspace = Workspace(place)
        first = workspace.new("p0", compound="GLX-1", smiles=SMILES)
        text = (first / "glue.toml").read_text("utf-8")
        for n in range(1, count):
            (workspace.folder / f"p{n}" / "raw").mkdir(parents=True)
            (workspace.folder / f"p{n}" / "glue.toml").write_text(text, "utf-8")
        begun = time.perf_counter()
        found = workspace.projects()
        seconds = time.perf_counter() - begun
        assert len(found) == count
        return seconds


def queued(count: int = 20) -> float:
    """Seconds until so many short jobs are over, two at once."""
    with tempfile.TemporaryDirectory() as place:
        jobs = Jobs(Path(place) / "jobs", workers=2)
        begun = time.perf_counter()
        for n in range(count):
            jobs.add(f"job {n}", ["--version"])
        while not all(job.is_over for job in jobs.all()):
            jobs.look()
            time.sleep(0.05)
        assert {job.state for job in jobs.all()} == {"finished"}
        return time.perf_counter() - begun


def started() -> float:
    """Seconds from the command to the address."""
    with tempfile.TemporaryDirectory() as place:
        run = "from glueprint.cli import main; main()"
        begun = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-c", run, "serve", place], stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdout is not None
            while "Open" not in server.stdout.readline():
                pass
            seconds = time.perf_counter() - begun
            server.terminate()
        return seconds


def _fuzzed(requests: int) -> Counter[int]:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    browser_of = importlib.import_module("tests.web.client").Browser

    with tempfile.TemporaryDirectory() as place:
        workspace = Workspace(place)
        glue.new(workspace.folder / "demo", compound="GLX-1", smiles=SMILES, twin=True, seed=3)
        designs.begin(workspace.folder / "demo", "one", "template")
        bench = Bench(workspace, Jobs(workspace.hidden / "jobs"), Session(frozenset({HOST})))
        before = snapshot(workspace.folder)
        found = fuzz(browser_of(bench).enter(), requests=requests, seed=1)
        after = snapshot(workspace.folder)
        changed = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
        print("files of the project changed or made by nonsense:", changed)
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--only", choices=("fuzz", "sliders", "list", "queue", "start"))
    given = parser.parse_args()
    measures: dict[str, Callable[[], object]] = {
        "sliders": sliders,
        "list": listed,
        "queue": queued,
        "start": started,
        "fuzz": lambda: _fuzzed(given.requests),
    }
    for name, measure in measures.items():
        if given.only in (None, name):
            print(name, measure(), flush=True)


if __name__ == "__main__":
    main()
