"""Write methods_data.json: data for methods.R and test_methods_against_r.py. Run: python methods_data.py

Each set holds one difficulty; reference/datasets.py has the ones of the older functions.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def drawn(rng, n, *, mean=8.0, censor=12.0, groups=2, strata=1, tick=None, effect=0.4, causes=2, shape=1.0):
    """Weibull times with an effect of group and covariate; the odds of the causes hang on the group."""
    group = rng.integers(0, groups, n)
    x = np.column_stack([group, rng.normal(size=n)])
    rate = np.exp(-effect * group + 0.3 * x[:, 1]) / mean
    true = (rng.exponential(1.0, n)) ** (1 / shape) / rate
    limit = rng.exponential(censor, n)
    time, event = np.minimum(true, limit), (true <= limit).astype(int)
    if tick:
        time = np.ceil(time / tick) * tick
    other = (rng.random((n, causes - 1)) < 0.3 + 0.1 * (group[:, None] == 0)).sum(axis=1)
    return pack(time, event, group, rng.integers(0, strata, n), event * (1 + other), x)


def pack(time, event, group, strata, cause, x):
    """One set as plain lists; `left` and `right` are the last look before and the first after the event."""
    time, event = np.asarray(time, float), np.asarray(event)
    width = max(1.0, float(np.median(time)) / 3)
    left = np.floor(time / width) * width
    right = np.where(event == 1, left + width, np.inf)
    exact = (np.arange(time.size) % 5 == 0) & (event == 1)
    left, right = np.where(exact, time, left), np.where(exact, time, right)
    left = np.where(event == 0, time, left)
    return {
        "time": time.tolist(),
        "event": event.astype(int).tolist(),
        "group": np.asarray(group).astype(int).tolist(),
        "strata": np.asarray(strata).astype(int).tolist(),
        "cause": np.asarray(cause).astype(int).tolist(),
        "covariates": np.asarray(x, float).tolist(),
        "left": left.tolist(),
        "right": [float(r) if np.isfinite(r) else None for r in right],
        "tau": float(np.quantile(time, 0.5)),
    }


def crossing(rng):
    """Curves that cross: better early, worse late."""
    n = 160
    group = rng.integers(0, 2, n)
    true = np.where(group == 1, 9 * rng.weibull(0.7, n), 7 * rng.weibull(2.0, n))
    limit = rng.exponential(25, n)
    time, event = np.minimum(true, limit), (true <= limit).astype(int)
    x = np.column_stack([group, rng.normal(size=n)])
    return pack(time, event, group, np.zeros(n), event * rng.integers(1, 3, n), x)


def delayed(rng):
    """No difference for six months, then half the hazard."""
    n = 220
    group = rng.integers(0, 2, n)
    early = rng.exponential(10, n)
    true = np.where((early > 6) & (group == 1), 6 + (early - 6) * 2, early)
    limit = rng.uniform(6, 30, n)
    time, event = np.minimum(true, limit), (true <= limit).astype(int)
    x = np.column_stack([group, rng.normal(size=n)])
    return pack(time, event, group, rng.integers(0, 3, n), event * rng.integers(1, 3, n), x)


def leaves_early(rng):
    """A group of which nobody is left long before the end, and a stratum that holds one group only."""
    data = drawn(rng, 90, groups=3, tick=1.0)
    time, group = np.array(data["time"]), np.array(data["group"])
    event, cause = np.array(data["event"]), np.array(data["cause"])
    late = (group == 2) & (time > 4)
    event[late], cause[late] = 0, 0
    time[late] = 4.0
    strata = np.where((group == 1) & (np.arange(90) % 7 == 0), 1, 0)
    return pack(time, event, group, strata, cause, data["covariates"])


def gone_at_once(rng):
    """A group in which nearly all have the cause at the first time."""
    data = drawn(rng, 80, groups=3, effect=0.2)
    time, group = np.array(data["time"]), np.array(data["group"])
    event, cause = np.array(data["event"]), np.array(data["cause"])
    first = (group == 0) & (np.arange(80) % 9 > 0)
    time[first], event[first], cause[first] = time.min() / 2, 1, 1
    return pack(time, event, group, np.zeros(80), cause, data["covariates"])


def all_seen(rng):
    """Nobody is censored: the censoring curve of Fine and Gray stays at 1."""
    data = drawn(rng, 70, censor=1e9)
    keys = ("time", "event", "group", "strata", "cause", "covariates")
    return pack(*(data[key] for key in keys))


def far_scales(rng):
    """Covariates in the millions and the thousandths, times in days."""
    data = drawn(rng, 150, mean=300.0, censor=500.0, tick=1.0, shape=1.4)
    x = np.array(data["covariates"]) * np.array([1.0, 1e6]) + np.array([0.0, 4e6])
    return pack(*(data[key] for key in ("time", "event", "group", "strata", "cause")), x)


def main():
    rng = np.random.Generator(np.random.Philox(20240217))
    sets = {
        "plain": drawn(rng, 120),
        "tied visits": drawn(rng, 150, tick=2.0, strata=3),
        "three causes, four groups": drawn(rng, 200, groups=4, causes=3, strata=2),
        "heavy censoring": drawn(rng, 140, censor=2.0, strata=2),
        "nobody censored": all_seen(rng),
        "crossing curves": crossing(rng),
        "delayed effect": delayed(rng),
        "a group that leaves early": leaves_early(rng),
        "small": drawn(rng, 14, tick=0.5),
        "far scales": far_scales(rng),
        "a group gone at once": gone_at_once(rng),
    }
    (HERE / "methods_data.json").write_text(json.dumps(sets), encoding="utf-8")


if __name__ == "__main__":
    main()
