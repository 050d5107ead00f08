"""Whether 95 % intervals of IC50, GI50 and GR50 hold the truth in 95 of 100 simulated cultures, and of
their pools.

    python -m benchmarks.growth_coverage [--json] [--lines 1000]

Every line has three experiments with potencies of their own around its centre, nine half-log doses in
duplicate, six control wells and four at time zero; wells scatter by 3 to 8 % of their signal. A third of
the lines level off high.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np
import polars as pl

from benchmarks.coverage import summary
from glueprint.assays import growth
from glueprint.curves import Potency

SEED = 20260702
DOSES_NM = np.repeat(10.0 ** np.arange(0.0, 4.1, 0.5), 2)
EXPERIMENTS, TAU = 3, 0.1
SIGNAL = 1e4
# Stands for a dose that does not exist: above every limit.
NEVER = 1e30


def level_dose(ec50: float, slope: float, bottom: float, level: float) -> float:
    """Dose at which 1 - (1 - bottom) u equals a level; NEVER where it does not."""
    share = (1.0 - level) / (1.0 - bottom)
    return float(ec50 * (share / (1.0 - share)) ** (1.0 / slope)) if 0.0 < share < 1.0 else NEVER


def line(number: int) -> tuple[list[dict[str, Any]], dict[tuple[str, str], float]]:
    """Wells of one line, and its true potencies by definition and experiment ("" the centre)."""
    draw = np.random.default_rng([SEED, number])
    centre, slope = 10.0 ** draw.uniform(1.0, 3.0), float(np.exp(draw.normal(0.0, 0.2)))
    bottom = draw.uniform(0.55, 0.75) if number % 3 == 0 else draw.uniform(0.02, 0.3)
    divisions, noise = draw.uniform(2.0, 4.5), draw.uniform(0.03, 0.08)
    rows: list[dict[str, Any]] = []
    truth: dict[tuple[str, str], float] = {}
    for experiment in ["", *map(str, range(EXPERIMENTS))]:
        ec50 = centre if not experiment else float(centre * 10.0 ** draw.normal(0.0, TAU))
        levels = {
            "absolute IC50": 0.5,
            "GI50": 0.5 * (1.0 + 2.0**-divisions),
            "GR50": 2.0 ** (divisions * (np.log2(1.5) - 1.0)),
        }
        truth["relative IC50", experiment] = ec50
        truth |= {(name, experiment): level_dose(ec50, slope, bottom, at) for name, at in levels.items()}
        if not experiment:
            continue
        wells = [("control", 0.0, 1.0)] * 6 + [("time0", 0.0, 2.0**-divisions)] * 4
        wells += [
            ("treated", dose, 1.0 - (1.0 - bottom) * dose**slope / (dose**slope + ec50**slope))
            for dose in DOSES_NM.tolist()
        ]
        rows += [
            {
                "line": str(number),
                "experiment": experiment,
                "role": role,
                "dose_nm": dose,
                "time_h": 72.0,
                "signal": SIGNAL * value + SIGNAL * noise * np.sqrt(value) * draw.normal(),
            }
            for role, dose, value in wells
        ]
    return rows, truth


def cover(lines: int) -> dict[str, Any]:
    """Coverage by definition, of single experiments and of the pools over them."""
    found: dict[str, list[Potency]] = {}
    truths: dict[str, list[float]] = {}
    for first in range(0, lines, 200):
        made = [line(number) for number in range(first, min(first + 200, lines))]
        table = pl.DataFrame([row for rows, _ in made for row in rows])
        exact = {(rows[0]["line"], *key): value for rows, truth in made for key, value in truth.items()}
        for one in growth.analyse(table).named:
            if one.definition == "GEC50":
                continue
            key = f"{one.definition}, {'experiment' if one.experiment else 'pool of 3'}"
            found.setdefault(key, []).append(one.potency)
            truths.setdefault(key, []).append(exact[one.line, one.definition, one.experiment])
    rows = {key: summary(potencies, np.array(truths[key])) for key, potencies in found.items()}
    return {"lines": lines, "experiments": EXPERIMENTS * lines, "quantities": rows}


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--lines", type=int, default=1000)
    arguments.add_argument("--json", action="store_true")
    asked = arguments.parse_args()
    found = cover(asked.lines)
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    for name, row in found["quantities"].items():
        print(name, row["coverage"], "of", row["with_interval"], "all", row["unconditional"])


if __name__ == "__main__":
    main()
