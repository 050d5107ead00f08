"""How often the known optimum of our own PEtab problems is found from random starts.

    python -m benchmarks.workshop_recovery --runs 20 --starts 20

A run is one fit with a seed of its own. It has found the optimum where minus log posterior lies within `NEAR`
of the lowest value that scipy's simplices reach on closed forms, or below it; so for single searches.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import workshop_problems as first
from benchmarks import workshop_problems2 as second
from glueprint import workshop

NEAR = 5e-4


def found(problems: Any, case: Any, runs: int, starts: int, folder: Path) -> tuple[int, int]:
    """Runs and single searches of a case that reach its optimum."""
    problem = workshop.read(problems.write(case, folder))
    lowest, _ = problems.best(case, problems.measured(case))
    good_runs = good_searches = 0
    for seed in range(1, runs + 1):
        fitted = workshop.fit(problem, workshop.Settings(starts, seed, with_profiles=False))
        near = fitted.searched.value <= lowest + NEAR
        good_runs, good_searches = good_runs + int(near[0]), good_searches + int(np.sum(near))
    return good_runs, good_searches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--starts", type=int, default=20)
    asked = parser.parse_args()
    for version, problems in ((1, first), (2, second)):
        every, cases = 0, problems.CASES
        for case in cases:
            with tempfile.TemporaryDirectory() as folder:
                runs, searches = found(problems, case, asked.runs, asked.starts, Path(folder))
            every += runs
            print(f"{version} {case.name:50} {runs:3} runs {searches:4} searches", flush=True)
        print(f"PEtab {version}: {every} of {len(cases) * asked.runs} runs", flush=True)


if __name__ == "__main__":
    main()
