"""Log-rank test and Cox regression of many trials: Glueprint against lifelines, in one run.

    python -m benchmarks.survival [--replicates 1000] [--patients 455] [--lifelines-replicates 20]

Prints JSON: versions, seconds of each, the ratio per replicate, and the largest difference of the answers.
`python -m benchmarks.trials` asks the same of virtual trials of MM-003.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from typing import Any

import lifelines
import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import scipy
from lifelines.statistics import logrank_test

import glueprint
from glueprint import survival
from glueprint.runs.streams import uniforms


def trials(replicates: int, patients: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Exponential times of a 2:1 trial with a hazard ratio of 0.6, seen at visits every 28 days."""
    group = (np.arange(patients) % 3 > 0).astype(np.int64)
    death, leave = (
        -np.log(uniforms(1, purpose, np.arange(replicates), patients))
        for purpose in ("benchmark death", "benchmark censoring")
    )
    true, censor = 8 / np.where(group == 1, 0.6, 1.0) * death, 24 * leave
    visits = np.ceil(np.minimum(true, censor) * 30.4375 / 28) * 28 / 30.4375
    return visits, (true <= censor).astype(np.int64), np.broadcast_to(group, visits.shape)


def ours(months: np.ndarray, event: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    test = survival.replicate_log_rank(months, event, group)
    fit = survival.replicate_cox(months, event, group)
    return test.chi2, fit.coefficient


def theirs(months: np.ndarray, event: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    chi2, coefficient = [], []
    for t, e, g in zip(months, event, group, strict=True):
        treated = g == 1
        chi2.append(logrank_test(t[treated], t[~treated], e[treated], e[~treated]).test_statistic)
        table = pd.DataFrame({"t": t, "e": e, "g": g})
        coefficient.append(lifelines.CoxPHFitter().fit(table, "t", "e").params_["g"])
    return np.array(chi2), np.array(coefficient)


def seconds(call: Callable[[], object], repeats: int) -> float:
    """The best of a few runs: what else the machine does can only add."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


def compare(months: np.ndarray, event: np.ndarray, group: np.ndarray, few: int) -> dict[str, Any]:
    """Both tools on the same trials, (replicates, patients) each; lifelines on the first `few`."""
    fast = seconds(lambda: ours(months, event, group), 3)
    part = (months[:few], event[:few], group[:few])
    slow = seconds(lambda: theirs(*part), 1)
    (chi2, beta), (their_chi2, their_beta) = ours(*part), theirs(*part)
    replicates, patients = months.shape
    return {
        "benchmark": "log-rank and Cox (Efron) of two arms",
        "replicates": replicates,
        "patients": patients,
        "glueprint_s": round(fast, 4),
        "lifelines_s_per_replicate": round(slow / few, 5),
        "glueprint_s_per_replicate": round(fast / replicates, 7),
        "ratio": round(slow / few / (fast / replicates), 1),
        "largest_relative_difference": {
            "chi2": float(np.abs(chi2 / their_chi2 - 1).max()),
            "coefficient": float(np.abs(beta / their_beta - 1).max()),
        },
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    arguments.add_argument("--replicates", type=int, default=1000)
    arguments.add_argument("--patients", type=int, default=455)
    arguments.add_argument("--lifelines-replicates", type=int, default=20)
    asked = arguments.parse_args()
    answer = compare(*trials(asked.replicates, asked.patients), asked.lifelines_replicates) | {
        "versions": {
            "glueprint": glueprint.__version__,
            "lifelines": lifelines.__version__,
            "numpy": np.__version__,
            "scipy": scipy.__version__,
            "python": platform.python_version(),
        },
        "machine": platform.machine(),
    }
    print(json.dumps(answer, indent=2))


if __name__ == "__main__":
    main()
