"""Write counting_datasets.json: start-stop, weighted and clustered data. Run: python counting_datasets.py

All are drawn here, each to hold one difficulty; both R and the tests read them.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def table(time, event, covariates, *, entry=None, weights=None, strata=None, cluster=None):
    """One data set as plain lists; what it lacks is null."""

    def plain(values, kind):
        return None if values is None else [kind(v) for v in values]

    return {
        "entry": plain(entry, float),
        "time": plain(time, float),
        "event": plain(event, int),
        "covariates": [[float(v) for v in x] for x in np.asarray(covariates, float).reshape(len(time), -1)],
        "weights": plain(weights, float),
        "strata": plain(strata, int),
        "cluster": plain(cluster, int),
    }


def drawn(rng, n, *, tick=None, late=0.0, mean=10.0, p=2):
    """Exponential times with an effect of the covariates; a share `late` enters after the start.

    Of those that would have had the event before their entry nobody is seen: they are drawn again.
    """
    rows = []
    while len(rows) < n:
        x = np.append(rng.integers(0, 2), rng.normal(size=p - 1))
        true, censor = rng.exponential(mean * np.exp(-0.5 * x[0] - 0.3 * x[-1])), rng.exponential(15.0)
        entry = rng.exponential(4.0) if rng.random() < late else 0.0
        time = min(true, censor)
        if tick:
            time, entry = np.ceil(time / tick) * tick, np.floor(entry / tick) * tick
        if entry < time:
            rows.append((entry, time, int(true <= censor), x))
    entry, time, event, x = zip(*rows, strict=True)
    return np.array(entry), np.array(time), np.array(event), np.array(x)


def ties(rng):
    """Tied times and weights that differ within a tied set."""
    _, time, event, x = drawn(rng, 60, tick=2.0)
    return table(time, event, x, weights=rng.uniform(0.2, 3.0, 60).round(3))


def ties_with_entry(rng):
    """Entries and times on one grid, so that rows enter at the times of events."""
    entry, time, event, x = drawn(rng, 80, tick=1.0, late=0.7, p=3)
    return table(time, event, x, entry=entry)


def strata_with_entry(rng):
    """Five strata, one of them with a single row and one without an event."""
    entry, time, event, x = drawn(rng, 90, tick=0.5, late=0.5)
    strata = rng.integers(0, 3, 90)
    strata[0] = 3
    strata[1:6], event[1:6] = 4, 0
    return table(time, event, x, entry=entry, strata=strata)


def fractional_weights(rng):
    """Weights over four orders of magnitude, with delayed entry."""
    entry, time, event, x = drawn(rng, 70, late=0.5)
    return table(time, event, x, entry=entry, weights=np.exp(rng.uniform(-4, 4, 70)))


def whole_weights(rng):
    """Whole weights, which stand for so many equal patients."""
    _, time, event, x = drawn(rng, 50, tick=1.0)
    return table(time, event, x, weights=rng.integers(1, 6, 50))


def zero_weights(rng):
    """A fifth of the rows has weight 0, some at times of their own."""
    entry, time, event, x = drawn(rng, 60, tick=0.5, late=0.4)
    weights = rng.integers(1, 4, 60) * 0.5
    weights[::5] = 0.0
    return table(time, event, x, entry=entry, weights=weights, strata=rng.integers(0, 2, 60))


def families(rng):
    """Families of one to six that share their frailty."""
    cluster = np.sort(rng.integers(0, 25, 90))
    frailty = rng.gamma(1.0, 1.0, 25)[cluster] + 0.05
    x = np.column_stack([rng.integers(0, 2, 90), rng.normal(size=90)])
    true, censor = rng.exponential(8 / frailty / np.exp(0.6 * x[:, 0])), rng.exponential(20.0, 90)
    time, event = np.ceil(np.minimum(true, censor)), (true <= censor).astype(int)
    return table(time, event, x, cluster=cluster)


def stretches(rng, patients, *, events=1, weights=False, strata=None):
    """Patients seen every so often, with a covariate that changes: several rows of each."""
    out = {key: [] for key in ("entry", "time", "event", "x", "cluster", "weights", "strata")}
    for who in range(patients):
        fixed, now, seen = rng.integers(0, 2), 0.0, 0
        weight, stratum = rng.uniform(0.5, 2.0), 0 if strata is None else rng.integers(0, strata)
        value = rng.normal()
        for _ in range(int(rng.integers(1, 7))):
            length = float(rng.integers(1, 5))
            hit = int(rng.random() < 0.08 * length * np.exp(0.5 * fixed + 0.4 * value))
            for key, item in zip(
                out, (now, now + length, hit, (fixed, value), who, weight, stratum), strict=True
            ):
                out[key].append(item)
            now, seen, value = now + length, seen + hit, value + rng.normal() * 0.7
            if seen == events:
                break
            # One in five is lost for a while and comes back.
            now += float(rng.integers(1, 4)) if rng.random() < 0.2 else 0.0
    return table(
        out["time"],
        out["event"],
        out["x"],
        entry=out["entry"],
        cluster=out["cluster"],
        weights=out["weights"] if weights else None,
        strata=None if strata is None else out["strata"],
    )


def gap(rng):
    """Everybody has left when ten more enter: nobody is at risk in between."""
    entry, time, event, x = drawn(rng, 30, tick=0.5, late=0.3, mean=4.0)
    later, end = 60.0 + rng.integers(0, 5, 10), 66.0 + rng.integers(0, 9, 10)
    return table(
        np.append(time, end),
        np.append(event, rng.integers(0, 2, 10)),
        np.vstack([x, np.column_stack([rng.integers(0, 2, 10), rng.normal(size=10)])]),
        entry=np.append(entry, later),
    )


def emptied(rng):
    """The first two are alone at risk and have the event before the others enter."""
    entry, time, event, x = drawn(rng, 40, tick=0.5, late=0.5)
    return table(
        np.append([1.0, 1.5], time + 3),
        np.append([1, 1], event),
        np.vstack([[[0, 0.3], [1, -0.2]], x]),
        entry=np.append([0.0, 0.5], entry + 3),
    )


def rounding_entries(rng):
    """Stretches whose ends and next beginnings differ in the last bits: days by two roads."""
    data = stretches(rng, 40)
    data["time"] = [t * 7.0 / 30.4375 for t in data["time"]]
    data["entry"] = [t * (7.0 / 30.4375) * (1 + 4e-16) for t in data["entry"]]
    data["time"] = [t + 3e-10 * (i % 3 == 0) for i, t in enumerate(data["time"])]
    return data


def far_scales(rng):
    """Covariates in the millions and in hundredths, with entry and weights."""
    entry, time, event, x = drawn(rng, 90, tick=0.25, late=0.5, p=4)
    x = x * np.array([1.0, 1e6, 1e-2, 30.0]) + np.array([0.0, 3e6, 0.0, 1000.0])
    return table(time, event, x, entry=entry, weights=rng.uniform(0.5, 1.5, 90).round(2))


def far_strata(rng):
    """Strata whose covariates lie far apart, with entry."""
    entry, time, event, x = drawn(rng, 70, tick=0.5, late=0.5)
    strata = rng.integers(0, 3, 70)
    return table(time, event, x + strata[:, None] * np.array([0.0, 40.0]), entry=entry, strata=strata)


def main():
    rng = np.random.Generator(np.random.Philox(20131007))
    sets = {
        "ties": ties(rng),
        "ties with entry": ties_with_entry(rng),
        "strata with entry": strata_with_entry(rng),
        "fractional weights": fractional_weights(rng),
        "whole weights": whole_weights(rng),
        "zero weights": zero_weights(rng),
        "families": families(rng),
        "time-varying": stretches(rng, 60),
        "time-varying, weights and strata": stretches(rng, 70, weights=True, strata=2),
        "recurrent events": stretches(rng, 50, events=3),
        "gap": gap(rng),
        "emptied": emptied(rng),
        "rounding entries": rounding_entries(rng),
        "far scales": far_scales(rng),
        "far strata": far_strata(rng),
    }
    (HERE / "counting_datasets.json").write_text(json.dumps(sets), encoding="utf-8")


if __name__ == "__main__":
    main()
