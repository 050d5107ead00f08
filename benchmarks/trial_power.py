"""Power and error of designs simulated from pools, beside the closed form.

    python -m benchmarks.trial_power [--trials 40000]

Hazards are constant and lie at the quantiles of their distributions, so that nothing but the simulation is
compared: the power of `survival.plan` at its bounds with two interim looks, and the error without an effect.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time

import numpy as np

from glueprint import survival
from glueprint.trials import MONTH_DAYS
from glueprint.trials.pools import EVER, Course, Pool, simulate
from glueprint.trials.protocol import Accrual, DataCut, FollowUp, Monitoring

LOOKS = (0.5, 0.75, 1.0)
RATIOS = (0.6, 0.7, 0.8)
MEDIAN, ACCRUAL, MOST_MONTHS = 10.0, 12.0, 120.0
QUANTILES = 20_000


def pool(ratio: float) -> Pool:
    """Both arms at the quantiles of their exponential times."""
    quantile = -np.log1p(-(np.arange(QUANTILES) + 0.5) / QUANTILES) / math.log(2)
    day = np.concatenate([quantile * MEDIAN / ratio, quantile * MEDIAN]) * MONTH_DAYS
    new = np.arange(2 * QUANTILES) < QUANTILES
    return Pool(day, day, np.full(day.size, EVER), new, np.zeros(day.size, dtype=np.int64), None)


def course(planned: survival.Plan, spending: str) -> Course:
    """The design of a plan, as a protocol says it."""
    cuts = tuple(
        DataCut(name=f"{events} events", events=events, endpoint="os", at_most_months=MOST_MONTHS)
        for events in planned.look_events
    )
    said = {"endpoint": "os", "events": planned.events, "spending": spending}
    monitoring = Monitoring.model_validate(said)
    accrual = Accrual(months=ACCRUAL, assumed="an example")
    followed = FollowUp(minimum_months=MOST_MONTHS, median_months=MOST_MONTHS, maximum_months=MOST_MONTHS)
    return Course(("new", "control"), 0.5, "os", monitoring, accrual, cuts, followed)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=40_000)
    options = parser.parse_args()
    found = []
    for spending in ("obrien-fleming", "pocock"):
        for ratio in RATIOS:
            assumed = survival.Assumptions(ratio, MEDIAN, accrual=ACCRUAL, follow_up=24)
            planned = survival.plan(assumed, LOOKS, spending=spending)
            size = 5 * planned.patients // 4  # enough for the events to come
            before = time.process_time()
            for truth, closed in ((True, planned.boundaries.power), (False, planned.boundaries.alpha)):
                chance = np.random.default_rng([int(100 * ratio), len(spending), truth])
                seen = simulate(
                    pool(ratio), course(planned, spending), size, options.trials, chance, effect=truth
                )
                power = seen["power_percent"]
                found.append(
                    {
                        "spending": spending,
                        "hazard_ratio": ratio if truth else 1.0,
                        "patients": size,
                        "events": planned.events,
                        "trials": options.trials,
                        "percent": power,
                        "error_percent": math.sqrt(power * (100 - power) / options.trials),
                        "closed_form_percent": 100 * closed,
                        "cpu_s": time.process_time() - before,
                    }
                )
    json.dump(found, sys.stdout, indent=1)
    print()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
