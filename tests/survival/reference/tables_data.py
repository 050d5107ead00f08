"""Tables for tables.R, as own tables come: 24 of them, of which every third has late entry or weights.

Run in this folder: python tables_data.py
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

SIZES = (24, 40, 60, 90, 130, 200)


def one(number: int) -> dict[str, object]:
    """A table: two or three arms, hazards that may cross, ties in most, two causes, two strata."""
    chance = np.random.default_rng([2026, number])
    n = SIZES[number % len(SIZES)]
    arms = 3 if number % 5 == 4 else 2
    arm = chance.permutation(np.arange(n) % arms)
    x = np.round(chance.normal(size=n), 2)
    shape = (0.7, 1.0, 1.6)[number % 3]
    scale = 10 * np.exp(0.4 * arm - 0.3 * x)
    time = scale * chance.weibull(shape, n) + 0.01
    limit = chance.uniform(4, 25, n)
    cause = np.where(time <= limit, 1 + (chance.random(n) < 0.35), 0)
    step = (0.01, 0.5, 1.0)[number % 3 if number % 4 else 2]
    time = np.maximum(np.ceil(np.minimum(time, limit) / step), 1) * step
    found = {
        "time": np.round(time, 6),
        "cause": cause,
        "arm": arm,
        "x": x,
        "strata": chance.integers(0, 2, n),
    }
    if number % 3 == 1:
        found["entry"] = np.round(time * chance.uniform(0, 0.6, n) * (chance.random(n) < 0.6), 6)
    if number % 3 == 2:
        found["weights"] = np.round(chance.uniform(0.3, 2.5, n), 2)
    return {name: values.tolist() for name, values in found.items()}


if __name__ == "__main__":
    tables = {f"table {number:02d}": one(number) for number in range(24)}
    Path("tables_data.json").write_text(json.dumps(tables) + "\n", encoding="utf-8")
