"""Whether 95 % intervals of DC50, Dmax and rates hold the truth in 95 of 100 simulated blots.

    python -m benchmarks.degradation_coverage [--json] [--experiments 2000]

Every experiment has a truth of its own, six doses by four times with two vehicle lanes, proportional
errors, and in half of them a detection limit that some lanes fall below. A limit of a DC50 counts as right
where the truth lies beyond its closed bound; an open bound holds everything on its side.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np
import polars as pl

from benchmarks.coverage import summary
from glueprint.assays.degradation import Kinetics, Settings, joint, reading
from glueprint.curves import Potency

SEED = 20260701
DOSES_NM = (0.0, 0.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
TIMES_H = (1.0, 3.0, 6.0, 24.0)
NOISE = (0.08, 0.2)
DETECTION = 0.06


def experiment(number: int) -> tuple[Kinetics, pl.DataFrame]:
    """One simulated experiment and its truth."""
    draw = np.random.default_rng([SEED, number])
    truth = Kinetics(
        float(10.0 ** draw.uniform(-1.5, -0.8)),
        float(10.0 ** draw.uniform(-0.5, 0.4)),
        float(10.0 ** draw.uniform(1.3, 2.5)),
        float(np.exp(draw.normal(0.0, 0.15))),
    )
    dose, time = (part.ravel() for part in np.meshgrid(DOSES_NM, TIMES_H))
    # The vehicle's own error shifts all lanes of a membrane alike.
    left = truth.remaining(dose, time) * np.exp(draw.normal(0.0, 0.05))
    left = left * np.exp(draw.normal(0.0, draw.uniform(*NOISE), dose.size))
    below = (left < DETECTION) & (number % 2 == 0)
    table = pl.DataFrame(
        {
            "dose_nm": dose,
            "time_h": time,
            "fraction_remaining": np.where(below, DETECTION, left),
            "relation": np.where(below, "<", "="),
        }
    )
    return truth, table


def cover(count: int) -> dict[str, Any]:
    """Coverage by quantity."""
    potencies: dict[str, list[Potency]] = {}
    truths: dict[str, list[float]] = {}
    held: dict[str, list[bool]] = {}
    opened: dict[str, int] = {}
    hooks = 0
    for number in range(count):
        truth, table = experiment(number)
        (lanes,) = reading.experiments(reading.tidy(table), [])
        found = joint.fit(lanes, Settings(), logarithm=True)
        hooks += found.hooked
        for definition, time_h in (("relative", 6.0), ("absolute", 6.0), ("absolute", 24.0)):
            name = f"DC50 {definition} {time_h:g} h"
            of = truth.relative_dc50_nm if definition == "relative" else truth.absolute_dc50_nm
            dose = float(of(time_h))
            potencies.setdefault(name, []).append(joint.potency(found, time_h, definition))
            truths.setdefault(name, []).append(dose if np.isfinite(dose) else np.inf)
        rates = {"k_deg": truth.k_deg_per_h, "k_max": truth.k_max_per_h, "Dmax 24 h": float(truth.dmax(24.0))}
        for name, exact in rates.items():
            dmax = name.startswith("Dmax")
            measured = joint.dmax_of(found, 24.0) if dmax else joint.ln(joint.RATES[name][0], found)
            if measured is not None:
                low, high = measured.low or 0.0, measured.high or np.inf
                held.setdefault(name, []).append(low <= exact <= high)
                opened[name] = opened.get(name, 0) + (measured.low is None or measured.high is None)
    rows: dict[str, Any] = {name: summary(found, np.array(truths[name])) for name, found in potencies.items()}
    rows |= {
        name: {"experiments": len(part), "coverage": round(float(np.mean(part)), 4), "open": opened[name]}
        for name, part in held.items()
    }
    return {"experiments": count, "hooks_called": hooks, "quantities": rows}


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--experiments", type=int, default=2000)
    arguments.add_argument("--json", action="store_true")
    asked = arguments.parse_args()
    found = cover(asked.experiments)
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    print("experiments", found["experiments"], "hooks called", found["hooks_called"])
    for name, row in found["quantities"].items():
        print(name, row["coverage"])


if __name__ == "__main__":
    main()
