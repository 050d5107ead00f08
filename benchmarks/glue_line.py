"""From an empty folder to the predicted trial of a made-up glue and its report: how long, and was it true?

    python -m benchmarks.glue_line [--seed 3] [--workers 2] [--folder DIR]

Simulated raw files of four protocols, two compounds on each plate, then `glue run` and its page, with no
number typed. Prints the seconds of each part, by the clock and of all processes together, and the truth
beside the posterior. The aim is five minutes on two free cores; on a busy machine the seconds of the
processes over two say what it would be.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from glueprint.mechanism import compounds
from glueprint.report import glue_page
from glueprint.study import glue

AIM_S = 300.0
SMILES = "O=C1CCC(N2Cc3c(cccc3N)C2=O)C(=O)N1"


def main() -> None:
    """Run it once and print what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        print(json.dumps(line(given.folder or Path(place) / "glue", given.seed, given.workers), indent=1))


def line(folder: Path, seed: int, workers: int) -> dict[str, Any]:
    """Seconds of each part, and the truth beside what was found."""
    begun, used = time.perf_counter(), _used()
    seconds: dict[str, float] = {}

    def timed(what: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        found = work()
        seconds[what] = round(time.perf_counter() - start, 1)
        return found

    timed("new", lambda: glue.new(folder, compound="GLX-1", smiles=SMILES, twin=True, seed=seed))
    result = timed("run", lambda: glue.run(folder, workers=workers))
    timed("report", lambda: glue_page.write(result, result.folder / glue_page.FILE))
    wall, processes = time.perf_counter() - begun, _used() - used
    return {
        "seconds": seconds,
        "wall_s": round(wall, 1),
        "processes_s": round(processes, 1),
        "on_free_cores_s": round(processes / workers, 1),
        "within_the_aim": min(wall, processes / workers) <= AIM_S,
        "truth": truths(folder, result),
    }


def truths(folder: Path, result: glue.GlueResult) -> dict[str, Any]:
    """What was put in beside the posterior's interval, by quantity."""
    truth = compounds.load(folder / "truth" / f"{result.project.compound}.toml")
    beside = compounds.load(result.project.reference or compounds.REFERENCE)
    put_in = {
        "kd_ratio": truth.kd().typical / beside.kd().typical,
        **{f"efficacy:{name}": truth.efficacy(name).typical for name in ("IKZF1", "IKZF3")},
    }
    rows = {row["name"]: row for row in result.tables["learnt"].to_dicts()}
    return {
        name: {
            "truth": value,
            "median": rows[name]["median"],
            "low": rows[name]["low_95"],
            "high": rows[name]["high_95"],
            "holds": rows[name]["low_95"] <= value <= rows[name]["high_95"],
        }
        for name, value in put_in.items()
    }


def _used() -> float:
    """Seconds of processor time of this process and of those that it has ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    main()
