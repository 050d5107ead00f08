"""Curves of which some responses are limits: below detection, beyond the detector, or known as a range.

`python -m benchmarks.curves_limits` simulates curves of 8 doses in duplicate (scatter 0.05) with the lowest
responses below detection, the highest beyond the detector, both, or half of the responses rounded down to
tenths, and prints how often 95 % intervals hold the truth: by the likelihood, and with each limit entered as
a number. Fixed seed.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glueprint import curves

Floats = NDArray[np.float64]

DOSE = np.repeat(np.logspace(0.0, 4.0, 8), 2)
BACK, SCATTER, LEVEL, WIDTH = 0.03, 0.05, 0.5, 0.1
# What is read: the least and the most, None for all, and whether half of the responses are ranges.
KINDS: dict[str, tuple[float | None, float | None, bool]] = {
    "below 0.2": (0.2, None, False),
    "above 0.9": (None, 0.9, False),
    "below 0.15, above 0.95": (0.15, 0.95, False),
    "ranges of 0.1": (None, None, True),
}


def simulated(kind: str, n: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Responses and upper ends (n, 16), and log10 of the true EC50 and dose at the level (n,)."""
    draw = np.random.default_rng(list(KINDS).index(kind))
    least, most, ranges = KINDS[kind]
    ec50, slope = 10.0 ** draw.uniform(1.3, 2.7, n), np.exp(draw.normal(0.0, 0.3, n))
    clean = BACK + (1.0 - BACK) / (1.0 + (DOSE / ec50[:, None]) ** slope[:, None])
    low = clean + draw.normal(0.0, SCATTER, clean.shape)
    upper = np.full(low.shape, np.nan)
    if ranges:
        some = draw.random(low.shape) < 0.5
        low = np.where(some, np.floor(low / WIDTH) * WIDTH, low)
        upper = np.where(some, low + WIDTH, upper)
    if most is not None:
        low, upper = np.where(low > most, most, low), np.where(low > most, np.inf, upper)
    if least is not None:
        low, upper = np.where(low < least, -np.inf, low), np.where(low < least, least, upper)
    absolute = ec50 * ((1.0 - BACK) / (LEVEL - BACK) - 1.0) ** (1.0 / slope)
    return low, upper, np.log10(ec50), np.log10(absolute)


def counted(kind: str, n: int) -> dict[str, Any]:
    """Shares of curves with a two-sided interval, and of these that hold the truth."""
    low, upper, relative, absolute = simulated(kind, n)
    fits = curves.fit("4pl", DOSE, low, upper=upper)
    number = np.where(np.isinf(low), upper, np.where(np.isfinite(upper), 0.5 * (low + upper), low))
    number = np.where(np.isinf(upper), low, number)
    naive = curves.fit("4pl", DOSE, number)
    at = curves.absolute(fits, LEVEL, control=1.0)
    ends = np.array([(one.low_nm or np.nan, one.high_nm or np.nan) for one in at], dtype=float)
    status = {name.name: int((fits.status == name).sum()) for name in curves.Status}
    found = {"limits a curve": float((~np.isnan(upper)).sum(axis=1).mean())}
    for name, interval, truth in (
        ("EC50", fits.interval("ec50"), relative),
        ("EC50, limits as numbers", naive.interval("ec50"), relative),
        ("absolute", ends, absolute),
    ):
        two_sided = np.isfinite(interval).all(axis=1) & (interval > 0.0).all(axis=1)
        ended, true = np.log10(interval[two_sided]), truth[two_sided]
        found[f"{name}: two-sided"] = float(two_sided.mean())
        found[f"{name}: holds"] = float(((ended[:, 0] <= true) & (true <= ended[:, 1])).mean())
    return found | {"status": {name: count for name, count in status.items() if count}}


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--curves", type=int, default=500, help="of each kind")
    parser.add_argument("--json", action="store_true", help="JSON instead of lines")
    asked = parser.parse_args()
    for kind in KINDS:
        found = counted(kind, asked.curves)
        if asked.json:
            print(json.dumps({kind: found}), flush=True)
        else:
            print(kind, *(f"\n  {name}: {value}" for name, value in found.items()), flush=True)


if __name__ == "__main__":
    main()
