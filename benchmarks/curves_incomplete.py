"""Curves that end before their fall does: who gets a value, a bracket or a limit, and how often it is true.

`python -m benchmarks.curves_incomplete --json` prints every number; `--curves` sets how many.

Each curve has 5 to 12 single doses over at most five and a half decades and no vehicle well, as in the large
screens of cell lines; its fall reaches 20 to 95 % at the highest dose. The far plateau is 0 in half of them
and up to 40 % in the others, slopes are log-normal about 1.1 and for one curve in seven 5 to 12, and the
scatter is 0.03, 0.05 or 0.08 of control, normal in half of the curves and with the heavy tails of Student's t
on 5 degrees of freedom in the others. The truth is the dose at half of control, or none where the curve
never falls so far. `flat` are curves of the same designs without any effect.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint import curves
from glueprint.curves import Potency

__all__ = ["Batch", "answers", "counted", "flat", "relative_values", "simulated"]

DOSES = range(5, 13)
SCATTER = (0.03, 0.05, 0.08)
STEEP, HEAVY, COMPLETE = 0.15, 0.5, 0.5
TAILS = 5.0
SEED = 18
HALF = 0.5
POSSIBLE = (0.0, None)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Batch:
    """Curves of one design: doses (m,) in nM, responses (n, m) and true doses at half of control (n,)."""

    dose: Floats
    response: Floats
    truth: Floats


def simulated(count: int, seed: int = SEED) -> list[Batch]:
    """About `count` incomplete curves, in one batch a number of doses."""
    draw = np.random.default_rng(seed)
    return [_batch(doses, -(-count // len(DOSES)), draw) for doses in DOSES]


def flat(count: int, seed: int = SEED + 1) -> list[Batch]:
    """As `simulated`, without any effect."""
    draw = np.random.default_rng(seed)
    found = []
    for doses in DOSES:
        n = -(-count // len(DOSES))
        response = 1.0 + _noise((n, doses), draw)
        found.append(Batch(_doses(doses), response, np.full(n, np.inf)))
    return found


def answers(batch: Batch, within: tuple[float | None, float | None] = POSSIBLE) -> tuple[Potency, ...]:
    """The absolute IC50 of every curve."""
    fits = curves.fit("4pl", batch.dose, batch.response, within=within)
    return curves.absolute(fits, HALF, "IC50", control=1.0)


def counted(batches: list[Batch], within: tuple[float | None, float | None] = POSSIBLE) -> dict[str, Any]:
    """Counts of each kind of answer, and of those that are true."""
    kinds: Counter[str] = Counter()
    true: Counter[str] = Counter()
    for batch in batches:
        for found, truth in zip(answers(batch, within), batch.truth.tolist(), strict=True):
            kind = _kind(found)
            kinds[kind] += 1
            true[kind] += _holds(found, truth)
    total = sum(kinds.values())
    limits = kinds["limit"]
    return {
        "curves": total,
        "answered": 1.0 - kinds["none"] / total,
        "kinds": dict(kinds),
        "two_sided_hold": true["two-sided"] / max(kinds["two-sided"], 1),
        "one_sided_hold": true["one-sided"] / max(kinds["one-sided"], 1),
        "limits_true": true["limit"] / max(limits, 1),
        "brackets_true": true["bracket"] / max(kinds["bracket"], 1),
        "values": (kinds["two-sided"] + kinds["one-sided"]) / total,
    }


def relative_values(batches: list[Batch]) -> float:
    """Share of the curves that get a value or a bracket half way between their plateaus."""
    found = [
        potency.relation in ("=", "between")
        for batch in batches
        for potency in curves.relative(curves.fit("4pl", batch.dose, batch.response, within=POSSIBLE))
    ]
    return sum(found) / len(found)


def _batch(doses: int, n: int, draw: np.random.Generator) -> Batch:
    dose = _doses(doses)
    back = np.where(draw.random(n) < COMPLETE, 0.0, draw.uniform(0.0, 0.4, n))
    share = np.minimum(draw.uniform(0.2, 0.95, n) / (1.0 - back), 0.97)
    slope = np.exp(draw.normal(0.1, 0.5, n))
    slope = np.where(draw.random(n) < STEEP, draw.uniform(5.0, 12.0, n), slope)
    ec50 = dose[-1] * ((1.0 - share) / share) ** (1.0 / slope)
    fallen = 1.0 / (1.0 + (dose / ec50[:, None]) ** slope[:, None])
    clean = back[:, None] + (1.0 - back[:, None]) * fallen
    truth = ec50 * (HALF / (HALF - back)) ** (1.0 / slope)
    return Batch(dose, clean + _noise(clean.shape, draw), truth)


def _doses(count: int) -> Floats:
    """Four decades up to eight doses, half-log steps beyond."""
    grid = np.linspace(0.0, 4.0, count) if count <= 8 else 0.5 * np.arange(count) - 0.5
    return np.power(10.0, grid)


def _noise(shape: tuple[int, ...], draw: np.random.Generator) -> Floats:
    scatter = draw.choice(SCATTER, (shape[0], 1))
    tails = draw.standard_t(TAILS, shape) * np.sqrt((TAILS - 2.0) / TAILS)
    heavy = draw.random((shape[0], 1)) < HEAVY
    return np.asarray(scatter * np.where(heavy, tails, draw.standard_normal(shape)))


def _kind(found: Potency) -> str:
    if found.relation == "=":
        return "two-sided" if found.low_nm is not None and found.high_nm is not None else "one-sided"
    return {"between": "bracket", "none": "none"}.get(found.relation, "limit")


def _holds(found: Potency, truth: float) -> bool:
    """Whether the truth lies where the answer puts it."""
    low = found.value_nm if found.relation == ">" else found.low_nm
    high = found.value_nm if found.relation == "<" else found.high_nm
    return (low is None or truth >= low) and (high is None or truth <= high)


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--curves", type=int, default=8000)
    parser.add_argument("--json", action="store_true", help="JSON instead of lines")
    asked = parser.parse_args()
    batches, without = simulated(asked.curves), flat(asked.curves)
    found = {
        "possible from 0": counted(batches),
        "nothing said of what is possible": counted(batches, (None, None)),
        "flat": {**counted(without), "relative_values": relative_values(without)},
    }
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    for name, counts in found.items():
        print(name, *(f"\n  {what}: {value}" for what, value in counts.items()))


if __name__ == "__main__":
    main()
