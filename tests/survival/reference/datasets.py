"""Write datasets.json: the data both R and the tests read. Run: python datasets.py

Two are facts from the literature; the others are drawn here, each to hold one difficulty.
Freireich 1963, doi:10.1182/blood.V21.6.699.699 (remission in weeks, 6-mercaptopurine against placebo).
Embury 1977, as in Miller, Survival Analysis, 1981 (remission in weeks, maintained chemotherapy or not).
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def row(time, event, group, covariates, strata, cause, tau):
    """One data set as plain lists."""
    return {
        "time": [float(t) for t in time],
        "event": [int(e) for e in event],
        "group": [int(g) for g in group],
        "covariates": [[float(v) for v in x] for x in np.asarray(covariates, float).reshape(len(time), -1)],
        "strata": [int(s) for s in strata],
        "cause": [int(c) for c in cause],
        "tau": float(tau),
    }


def censored_text(text):
    """Times and events of "6 6+ 7" notation, where + is censored."""
    parts = text.split()
    return [float(p.rstrip("+")) for p in parts], [0 if p.endswith("+") else 1 for p in parts]


def freireich():
    treated = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
    placebo = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"
    (t1, e1), (t0, e0) = censored_text(treated), censored_text(placebo)
    time, event = t0 + t1, e0 + e1
    group = [0] * len(t0) + [1] * len(t1)
    # The trial matched its patients; thirds of the list stand in for strata, which the paper does not print.
    strata = [i % 3 for i in range(len(time))]
    return row(time, event, group, group, strata, [e * (1 + i % 2) for i, e in enumerate(event)], 20.0)


def embury():
    maintained = "9 13 13+ 18 23 28+ 31 34 45+ 48 161+"
    not_maintained = "5 5 8 8 12 16+ 23 27 30 33 43 45"
    (t1, e1), (t0, e0) = censored_text(maintained), censored_text(not_maintained)
    time, event = t0 + t1, e0 + e1
    group = [0] * len(t0) + [1] * len(t1)
    return row(time, event, group, group, [i % 2 for i in range(len(time))], event, 45.0)


def drawn(rng, n, *, mean, censor_mean, groups=2, covariates=2, strata=1, tick=None, effect=0.5):
    """Exponential times with a proportional effect of group and covariates, and two causes."""
    group = rng.integers(0, groups, n)
    x = np.column_stack([group, rng.normal(size=(n, covariates - 1))]) if covariates > 1 else group[:, None]
    rate = np.exp(-effect * group + 0.3 * x[:, -1]) / mean
    true, censor = rng.exponential(1 / rate), rng.exponential(censor_mean, n)
    time, event = np.minimum(true, censor), (true <= censor).astype(int)
    if tick:
        time = np.ceil(time / tick) * tick
    cause = event * rng.integers(1, 3, n)
    tau = float(np.quantile(time, 0.6))
    return row(time, event, group, x, rng.integers(0, strata, n), cause, tau)


def left_over_groups(rng):
    """Groups 3 and 4 leave before the first event, so that they are never expected to have one."""
    data = drawn(rng, 80, mean=10, censor_mean=15, groups=3)
    early = min(data["time"]) / 4
    for group in (3, 4, 4):
        data["time"].append(early)
        data["event"].append(0)
        data["cause"].append(0)
        data["group"].append(group)
        data["strata"].append(0)
        data["covariates"].append([float(group), 0.1 * group])
    return data


def lonely_strata(rng):
    """Strata with one patient, with one group, or without an event."""
    data = drawn(rng, 60, mean=10, censor_mean=12, strata=3, tick=1.0)
    for k in range(8):
        data["time"].append(1.0 + k)
        data["event"].append(k % 2)
        data["cause"].append(k % 2)
        data["group"].append(1 if k < 4 else k % 2)
        data["strata"].append(3 + (k if k < 4 else 4 + k // 6))
        data["covariates"].append([float(data["group"][-1]), 0.2 * k])
    return data


def rounding_ties(rng):
    """Months reached by two roads, days / 30.4375 and weeks * 7 / 30.4375 with noise of the last bits."""
    data = drawn(rng, 90, mean=100, censor_mean=200, tick=7.0)
    days = np.array(data["time"])
    months = days / 30.4375
    months[::2] = (days[::2] / 7 * (7 / 30.4375)) * (1 + 4e-16)
    months[::5] += 3e-10
    data["time"], data["tau"] = [float(m) for m in months], 3.0
    return data


def flat_median():
    """The curve stands at exactly one half from 4 to 7."""
    time, event = [1, 2, 3, 4, 7, 8, 9, 9], [1, 1, 1, 1, 1, 1, 0, 1]
    return row(time, event, [0, 1] * 4, [[i % 2, i % 3] for i in range(8)], [0, 0, 1, 1] * 2, event, 8.0)


def flat_to_the_end():
    """The curve comes down to exactly one half and stays there."""
    time, event = [0, 2, 2, 3, 5, 6, 7, 8], [1, 1, 1, 1, 0, 0, 0, 0]
    return row(time, event, [0, 1, 0, 0, 1, 0, 1, 1], [[i % 2, i % 3] for i in range(8)], [0] * 8, event, 7.5)


def one_event(rng):
    time = np.arange(1.0, 11.0)
    event = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
    return row(time, event, [0, 1] * 5, rng.normal(size=(10, 1)), [0] * 10, event, 9.0)


def far_scales(rng):
    data = drawn(rng, 300, mean=5, censor_mean=8, covariates=5, tick=0.25)
    factor = np.array([1.0, 1e6, 1e-2, 30.0, 1.0])
    shift = np.array([0.0, 3e6, 0.0, 1000.0, -2.0])
    data["covariates"] = (np.array(data["covariates"]) * factor + shift).tolist()
    return data


def far_strata(rng):
    """Strata whose covariates lie far apart, so that hazards differ by e^40 between them but not within."""
    data = drawn(rng, 120, mean=5, censor_mean=10, covariates=3, strata=4, tick=0.5, effect=1.5)
    offset = np.array(data["strata"])[:, None] * np.array([0.0, -60.0, 130.0])
    data["covariates"] = (np.array(data["covariates"]) + offset).tolist()
    return data


def main():
    rng = np.random.Generator(np.random.Philox(20130408))
    sets = {
        "freireich": freireich(),
        "embury": embury(),
        "visits": drawn(rng, 455, mean=8, censor_mean=30, covariates=3, strata=4, tick=28 / 30.4375),
        "heavy censoring": drawn(rng, 120, mean=50, censor_mean=6, covariates=2, strata=2),
        "few times": drawn(rng, 60, mean=3, censor_mean=4, covariates=3, strata=2, tick=1.0),
        "left-over groups": left_over_groups(rng),
        "lonely strata": lonely_strata(rng),
        "rounding ties": rounding_ties(rng),
        "flat median": flat_median(),
        "flat to the end": flat_to_the_end(),
        "one event": one_event(rng),
        "far scales": far_scales(rng),
        "far strata": far_strata(rng),
    }
    (HERE / "datasets.json").write_text(json.dumps(sets), encoding="utf-8")


if __name__ == "__main__":
    main()
