"""How fast virtual trials are, how much memory many of them take, and whether their statistics hold.

`python -m benchmarks.trials --json` prints every number; `--only` takes parts of it:

once        MM-003, everybody followed for 24 months and seen weekly throughout, conducted and analysed once.
statistics  log-rank test and hazard ratio of 1,000 trials at once, against lifelines, and against R.
scale       the same weekly trial as units of a study on two workers: time and peak memory of 10,000 and of
            100,000 patients, each run in a process of its own.
no_effect   type-I error and coverage, see benchmarks/no_effect.py.
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
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl

from benchmarks import no_effect
from benchmarks.survival import compare
from glueprint import survival, trials
from glueprint.runs import executor, provenance, units
from glueprint.runs.executor import Choice
from glueprint.trials.protocol.document import Protocol
from glueprint.trials.running import Unit, groups_of, keep_group, run_unit, units_of

MONTHS = 24.0
WEEKS = 110  # of 24 months and a visit beyond
SEED, RUNS = 1, 5
REPLICATES, FEW = 1_000, 20  # trials of ours, and of them those that lifelines gets
CONDUCTED = 10  # trials that the patients of those 1,000 are drawn from
SIZES = (10_000, 100_000)
WORKERS = 2
POOL, TRIALS = 20_000, 40_000  # at 10,000 the error of a share of 2.5 % is 0.16 %, at 40,000 half of that
REFERENCE = Path(__file__).parents[1] / "tests" / "survival" / "reference"
ALL = ("once", "statistics", "scale", "no_effect")
# What each number shall be: name -> least and most. Memory is growth from the smallest run to the largest.
TARGETS = {
    "MM-003 once, s": (0.0, 0.4),
    "one weekly trial, s": (0.0, 2.0),
    "log-rank and Cox of 1,000 trials, s": (0.0, 0.3),
    "times lifelines": (50.0, 1e9),
    "difference from R": (0.0, 1e-10),
    "100,000 patients, s": (0.0, 45.0),
    "growth of memory": (-1.0, 0.05),
    "one-sided error at 2.5 %, %": (2.1, 2.9),
    "coverage at 95 %, %": (94.4, 95.6),
}


def weekly(name: str = "mm003-weekly") -> Protocol:
    """MM-003 with everybody followed for 24 months, counts and dose decisions weekly until the end."""
    plan = trials.load_protocol("mm003")
    follow_up = dict.fromkeys(("minimum_months", "median_months", "maximum_months"), MONTHS)
    return plan.model_copy(
        update={
            "name": name,
            "visits": plan.visits.model_copy(update={"weekly_for_weeks": WEEKS}),
            "follow_up": plan.follow_up.model_copy(update=follow_up),
        }
    )


def once(runs: int) -> dict[str, Any]:
    """Seconds of one replicate with all its tables; the first run, which compiles the model, apart."""
    found: dict[str, Any] = {}
    for plan in (weekly(), trials.load_protocol("mm003")):
        clock = []
        for seed in range(runs + 1):
            before, spent = time.perf_counter(), time.process_time()
            patients, visits, *_ = run_unit(Unit(plan, seed, 1))
            clock.append((time.perf_counter() - before, time.process_time() - spent))
        found[plan.name] = {
            "patients": patients.height,
            "months": plan.follow_up.maximum_months,
            "visits": visits.height,
            "first_s": clock[0][0],
            "median_s": median(wall for wall, _ in clock[1:]),
            "best_s": min(wall for wall, _ in clock[1:]),
            "best_cpu_s": min(spent for _, spent in clock[1:]),
        }
    return found


def statistics(replicates: int, few: int) -> dict[str, Any]:
    """Both tools on progression-free survival of MM-003 trials, and ours against R."""
    plan = trials.load_protocol("mm003")
    patients = trials.run(plan, replicates=CONDUCTED, seed=SEED).patients.filter(status=0)
    chance = np.random.default_rng(SEED)
    rows, groups = [], []
    for number, arm in enumerate(plan.arms):
        mine = np.flatnonzero((patients["arm"] == arm.name).to_numpy())
        rows.append(chance.choice(mine, (replicates, arm.patients)))
        groups.append(np.full((replicates, arm.patients), 1 - number))
    row, group = np.concatenate(rows, axis=1), np.concatenate(groups, axis=1)
    months, event = patients["pfs_months"].to_numpy()[row], patients["pfs_event"].to_numpy()[row]
    return compare(months, event.astype(np.int64), group, few) | {"against_r": against_r()}


def against_r() -> dict[str, Any]:
    """Largest relative difference from the numbers of R's survival in the tests."""
    sets = json.loads((REFERENCE / "mm003.json").read_text(encoding="utf-8"))
    answers = json.loads((REFERENCE / "mm003_reference.json").read_text(encoding="utf-8"))
    months, event, group, stratum = (
        np.array([one[name] for one in sets]) for name in ("months", "event", "group", "stratum")
    )
    largest = 0.0
    for kind, strata in (("all", None), ("stratified", stratum)):
        test = survival.replicate_log_rank(months, event, group, strata=strata)
        fit = survival.replicate_cox(months, event, group, strata=strata)
        for number, answer in enumerate(answers["sets"]):
            pairs = [(test.chi2, answer[kind]["chi2"]), (test.p_value, answer[kind]["p_value"])]
            pairs += [(getattr(fit, name), value) for name, value in answer[kind]["efron"].items()]
            largest = max(largest, *(abs(ours[number] / theirs - 1) for ours, theirs in pairs))
    return {"largest_relative_difference": float(largest), "versions": answers["versions"]}


def many(patients: int, workers: int) -> dict[str, Any]:
    """Weekly trials as units on disk until there are so many patients; time and peak memory."""
    plan = weekly()
    run_unit(Unit(plan, SEED, 1))  # compiles, once, before the clock starts
    work = list(units_of(plan, -(-patients // plan.patients), SEED))
    failed = done = 0
    with tempfile.TemporaryDirectory(prefix="glueprint-trials-") as folder:
        root, before = Path(folder), time.perf_counter()
        crew_of = executor.start(Choice("processes", workers) if workers > 1 else Choice())
        groups = groups_of(work, workers)
        with crew_of as crew, closing(crew.run(partial(keep_group, root), groups)) as answers:
            for _, receipts in answers:
                done += sum(receipt.facts["patients"] for receipt in receipts)
                failed += sum(receipt.facts["failed"] for receipt in receipts)
        endpoints = pl.concat(units.read(root, unit.name, "endpoints") for unit in work)
        seconds = time.perf_counter() - before
        kept = sum(file.stat().st_size for file in root.rglob("*.parquet"))
    own, crews = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "patients": done,
        "failed": failed,
        "trials": len(work),
        "workers": workers,
        "endpoint_rows": endpoints.height,
        "seconds": seconds,
        "cpu_seconds": own.ru_utime + own.ru_stime + crews.ru_utime + crews.ru_stime,
        "driver_memory_mb": own.ru_maxrss / 1024,
        "largest_worker_memory_mb": crews.ru_maxrss / 1024,
        "kept_mb": kept / 1e6,
    }


def scale(sizes: tuple[int, ...], workers: int) -> dict[str, Any]:
    """`many` of each size in a process of its own, all whose processes compute on one thread each."""
    threads = dict.fromkeys(("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    rows = []
    for size in sizes:
        call = [sys.executable, "-m", "benchmarks.trials", "--one", str(size), str(workers)]
        done = subprocess.run(call, capture_output=True, text=True, check=True, env={**os.environ, **threads})
        rows.append(json.loads(done.stdout))
    growth = {
        name: rows[-1][name] / rows[0][name] - 1 for name in ("driver_memory_mb", "largest_worker_memory_mb")
    }
    return {"runs": rows, "memory_growth": growth}


def level(patients: int, count: int) -> dict[str, Any]:
    """Type-I error, and coverage without and with an effect."""
    source = no_effect.pool(patients, SEED)
    return {
        "pool": patients,
        "no_effect": no_effect.rejections(source, count, SEED),
        "effect": no_effect.coverage(source, count, SEED),
    }


def against_targets(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Each number with a target: the worst of what was measured, and whether it is met."""
    values: dict[str, list[float]] = {}
    if row := found.get("once"):
        values["MM-003 once, s"] = [row["mm003"]["median_s"]]
        values["one weekly trial, s"] = [row["mm003-weekly"]["median_s"]]
    if row := found.get("statistics"):
        values["log-rank and Cox of 1,000 trials, s"] = [row["glueprint_s"] * 1_000 / row["replicates"]]
        values["times lifelines"] = [row["ratio"]]
        values["difference from R"] = [row["against_r"]["largest_relative_difference"]]
    if row := found.get("scale"):
        largest = row["runs"][-1]
        values["100,000 patients, s"] = [largest["seconds"] * 100_000 / largest["patients"]]
        values["growth of memory"] = list(row["memory_growth"].values())
    if row := found.get("no_effect"):
        shares = [*row["no_effect"], *row["effect"]]
        for name, nominal in (("one-sided error at 2.5 %, %", 2.5), ("coverage at 95 %, %", 95.0)):
            values[name] = [one["percent"] for one in shares if one["nominal_percent"] == nominal]
    return [
        {
            "what": name,
            "least": min(mine),
            "most": max(mine),
            "target": TARGETS[name],
            "met": TARGETS[name][0] <= min(mine) and max(mine) <= TARGETS[name][1],
        }
        for name, mine in values.items()
    ]


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """Every number of the parts asked for."""
    found: dict[str, Any] = {
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "load_before": os.getloadavg()[0],
        "versions": provenance.versions(),
    }
    if "once" in asked.only:
        found["once"] = once(asked.runs)
    if "statistics" in asked.only:
        found["statistics"] = statistics(asked.replicates, FEW)
    if "scale" in asked.only:
        sizes = tuple(size for size in SIZES if size <= asked.largest) or (asked.largest,)
        found["scale"] = scale(sizes, asked.workers)
    if "no_effect" in asked.only:
        found["no_effect"] = level(asked.pool, asked.trials)
    found["targets"] = against_targets(found)
    found["load_after"] = os.getloadavg()[0]
    return found


def tell(found: dict[str, Any]) -> None:
    """The numbers as lines of text."""
    for name, row in found.get("once", {}).items():
        print(
            f"{name}: {row['patients']} patients, {row['visits']} visits, {row['median_s']:.2f} s "
            f"({row['best_cpu_s']:.2f} s of one processor)"
        )
    if row := found.get("statistics"):
        difference = row["against_r"]["largest_relative_difference"]
        print(
            f"{row['replicates']} trials, log-rank and Cox: {row['glueprint_s']:.2f} s, "
            f"{row['ratio']:.0f} x lifelines, {difference:.1e} from R"
        )
    for row in found.get("scale", {}).get("runs", ()):
        print(
            f"{row['patients']:>9,} patients: {row['seconds']:.0f} s, "
            f"workers of {row['largest_worker_memory_mb']:.0f} MB, driver {row['driver_memory_mb']:.0f} MB"
        )
    level_found = found.get("no_effect", {})
    for row in (*level_found.get("no_effect", ()), *level_found.get("effect", ())):
        kind = " stratified" if row.get("stratified") else ""
        print(
            f"{row['endpoint']}{kind}, {row['what']}: {row['percent']:.2f} % (se {row['standard_error']:.2f})"
        )
    for target in found["targets"]:
        print(f"{target['what']}: {'met' if target['met'] else 'NOT MET'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    parser.add_argument("--only", nargs="+", choices=ALL, default=ALL, help="parts to measure")
    parser.add_argument("--runs", type=int, default=RUNS, help="timed runs of one trial")
    parser.add_argument("--replicates", type=int, default=REPLICATES, help="trials of the statistics")
    parser.add_argument("--largest", type=int, default=SIZES[-1], help="most patients of a run")
    parser.add_argument("--workers", type=int, default=WORKERS, help="processes of the largest runs")
    parser.add_argument("--pool", type=int, default=POOL, help="patients conducted for the level")
    parser.add_argument("--trials", type=int, default=TRIALS, help="trials drawn for the level")
    parser.add_argument("--one", nargs=2, type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(many(*asked.one)))
        return
    found = measure(asked)
    if asked.json:
        print(json.dumps(found, indent=2))
    else:
        tell(found)


if __name__ == "__main__":
    # By the module's own name: workers import what they run by it.
    importlib.import_module("benchmarks.trials").main()
