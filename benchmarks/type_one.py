"""Type I error and power of designs with interim looks, on patients that the mechanism has conducted.

    python -m benchmarks.type_one FOLDER [--trials 160000] [--pool 20000] [--seed 21]

A pool of patients under the control treatment of MM-003, without a data cut and without crossover, is
conducted once and kept in FOLDER. Under the null both arms of a trial draw whole patients from it; under the
alternative the new arm's times have the pool's hazard times the ratio. Patients come evenly over time, each
look is made at its number of events, and its log-rank test is held against the boundary. The closed form is
the design's own: the error spent, and the power of Schoenfeld's information. Trials are done 10,000 at a
time, each batch a file of FOLDER with a seed of its own; a run that was stopped goes on there.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from glueprint import survival, trials
from glueprint.calibration import clinical

PROTOCOL, CONTROL = "mm003", "HiDEX"
BATCH = 10_000
MONTHS = 60.0
LOOKS = (0.5, 0.75, 1.0)  # two interim looks
# Endpoint, spending, follow-up of the last patient and hazard of leaving, months: enough patients that the
# planned events come.
DESIGNS: Mapping[str, tuple[str, str, float, float]] = {
    "OS, O'Brien-Fleming": ("os", "obrien-fleming", 12.0, 0.02),
    "PFS, Pocock": ("pfs", "pocock", 2.0, 0.06),
}
RATIO = 0.7


def pool(folder: Path, patients: int, seed: int) -> pl.DataFrame:
    """Control patients followed to the end, nothing after progression; conducted once."""
    path = folder / f"pool-{patients}-{seed}.parquet"
    if not path.is_file():
        plan = trials.load_protocol(PROTOCOL)
        (arm,) = (arm for arm in plan.arms if arm.name == CONTROL)
        arm = arm.model_copy(update={"patients": patients, "after_progression": None})
        follow_up = plan.follow_up.model_copy(
            update={"minimum_months": MONTHS, "median_months": MONTHS + 0.5, "maximum_months": MONTHS + 1.0}
        )
        randomisation = plan.randomisation.model_copy(update={"ratio": (1,), "blocks_of": 1})
        plan = plan.model_copy(
            update={"name": "pool", "arms": (arm,), "follow_up": follow_up, "randomisation": randomisation}
        )
        draws = clinical.posterior("claret").central(PROTOCOL)
        table = trials.run(plan, seed=seed, draws=draws).patients
        if (table["status"] != 0).any():
            raise RuntimeError("patients of the pool could not be computed")
        folder.mkdir(parents=True, exist_ok=True)
        table.select("os_months", "os_event", "pfs_months", "pfs_event").write_parquet(path)
    return pl.read_parquet(path)


def planned(table: pl.DataFrame, design: str) -> survival.Plan:
    """The design for the pool's own median."""
    endpoint, spending, follow_up, dropout = DESIGNS[design]
    median = survival.kaplan_meier(table[f"{endpoint}_months"], table[f"{endpoint}_event"]).median
    stated = survival.Assumptions(RATIO, median, accrual=18.0, follow_up=follow_up, dropout=dropout)
    return survival.plan(stated, LOOKS, spending=spending)


def batches(folder: Path, table: pl.DataFrame, design: str, ratio: float, count: int) -> Iterator[Any]:
    """The behaviour of each batch of trials, read again where it was kept."""
    endpoint = DESIGNS[design][0]
    of = planned(table, design)
    columns = (table[f"{endpoint}_months"].to_numpy(), table[f"{endpoint}_event"].to_numpy())
    for number in range(math.ceil(count / BATCH)):
        path = folder / f"{endpoint}-{ratio:g}-{number:03d}.json"
        if not path.is_file():
            seen = survival.behaviour(of, ratio, trials=BATCH, seed=1000 + number, patients=columns)
            kept = {
                name: np.asarray(getattr(seen, name)).tolist()
                for name in ("stop_for_benefit", "power", "events", "patients", "time", "without_look")
            }
            path.write_text(json.dumps(kept), "utf-8")
        yield json.loads(path.read_text("utf-8"))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trials", type=int, default=160_000)
    parser.add_argument("--pool", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=21)
    options = parser.parse_args()
    table = pool(options.folder, options.pool, options.seed)
    result: dict[str, Any] = {"pool": table.height, "trials": options.trials}
    for design in DESIGNS:
        of = planned(table, design)
        found: dict[str, Any] = {
            "median": of.assumptions.median,
            "events": of.events,
            "patients": of.patients,
            "look_events": of.look_events,
            "boundaries": of.boundaries.efficacy.tolist(),
        }
        for truth, true in (("none", 1.0), ("as planned", RATIO)):
            # The error of a power of 90 % is 0.15 % at a quarter of the trials.
            count = options.trials if true == 1.0 else options.trials // 4
            seen = list(batches(options.folder, table, design, true, count))
            share = float(np.mean([batch["power"] for batch in seen]))
            looks = np.mean([batch["stop_for_benefit"] for batch in seen], axis=0)
            n = BATCH * len(seen)
            closed = of.boundaries.alpha if true == 1.0 else of.boundaries.power
            error = math.sqrt(share * (1 - share) / n)
            found[truth] = {
                "hazard_ratio": true,
                "trials": n,
                "stopped_percent": 100 * share,
                "limits_percent": [100 * (share - 1.96 * error), 100 * (share + 1.96 * error)],
                "closed_form_percent": 100 * closed,
                "by_look_percent": (100 * looks).tolist(),
                "closed_by_look_percent": (
                    100 * (of.boundaries.stop_under_null if true == 1.0 else of.boundaries.stop_for_benefit)
                ).tolist(),
                "events": float(np.mean([batch["events"] for batch in seen])),
                "without_look": int(sum(batch["without_look"] for batch in seen)),
            }
        result[design] = found
    json.dump(result, sys.stdout, indent=1)
    print()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
