"""Write switching_data.json: data for switching.R and its test. Run: python switching_data.py

Twenty trials in which patients change treatment, and start-stop rows of six of them; each set has a
difficulty of its own.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def drawn(
    rng,
    n,
    *,
    psi=-0.4,
    share=0.6,
    tick=None,
    cut=(8, 24),
    strata=1,
    both=False,
    shape=1.2,
    ratio=0.5,
    early=False,
):
    """Lives without treatment, prolonged by it; control switches at a second baseline, by a covariate."""
    new = rng.random(n) < ratio
    x = rng.normal(size=n)
    untreated = 10 * rng.weibull(shape, n) * np.exp(0.4 * x)
    reached = rng.uniform(0.05 if early else 0.2, 0.3 if early else 0.8, n) * untreated
    wants = rng.random(n) < share / (1 + np.exp(-x)) * 2
    factor = np.exp(-psi)
    on_until = np.where(both & (rng.random(n) < 0.3), 0.5 * untreated * factor, np.inf)
    life = np.where(
        new,
        np.where(np.isfinite(on_until), on_until + 0.5 * untreated, untreated * factor),
        np.where(wants, reached + (untreated - reached) * factor, untreated),
    )
    limit = rng.uniform(*cut, n)
    time, event = np.minimum(life, limit), (life <= limit).astype(int)
    switch = np.where(new, on_until, np.where(wants, reached, np.inf))
    baseline = np.where(new, np.inf, reached)
    if tick:
        time, limit, switch, baseline = (np.ceil(v / tick) * tick for v in (time, limit, switch, baseline))
    switch = np.where(switch < time, switch, np.inf)
    baseline = np.where(baseline < time, baseline, np.inf)

    def plain(values):
        return [float(v) if np.isfinite(v) else None for v in values]

    return {
        "time": plain(time),
        "event": event.tolist(),
        "arm": new.astype(int).tolist(),
        "switch": plain(switch),
        "baseline": plain(baseline),
        "covariate": plain(x),
        "follow_up": plain(np.maximum(limit, time)),
        "strata": rng.integers(0, strata, n).tolist(),
    }


def rows_of(rng, trial, width):
    """Start-stop rows of about one width with a covariate that wanders about the patient's own."""
    columns = {name: [] for name in ("patient", "entry", "time", "event", "arm", "switch", "covariate")}
    for i, end in enumerate(trial["time"]):
        begins = np.arange(0, end, width)
        wander = trial["covariate"][i] + np.cumsum(rng.normal(0, 0.3, begins.size))
        for begin, value in zip(begins, wander, strict=True):
            last = begin + width >= end
            row = (i, begin, min(begin + width, end), trial["event"][i] if last else 0, trial["arm"][i])
            for name, item in zip(columns, (*row, trial["switch"][i], value), strict=True):
                columns[name].append(None if item is None else float(item))
    return columns


def main():
    rng = np.random.default_rng(21)
    sets = {
        "plain": drawn(rng, 120),
        "no effect": drawn(rng, 120, psi=0.0),
        "harm": drawn(rng, 120, psi=0.3),
        "strong": drawn(rng, 120, psi=-1.0),
        "ties": drawn(rng, 140, tick=1.0),
        "months from days": drawn(rng, 100, tick=1 / 30.4375),
        "few switch": drawn(rng, 120, share=0.08),
        "nearly all switch": drawn(rng, 120, share=0.97),
        "early switches": drawn(rng, 120, early=True),
        "short follow-up": drawn(rng, 150, cut=(3, 6)),
        "nobody censored": drawn(rng, 90, cut=(500, 900)),
        "two to one": drawn(rng, 150, ratio=0.67),
        "small": drawn(rng, 40, psi=-0.7),
        "three strata": drawn(rng, 150, strata=3),
        "strata and ties": drawn(rng, 150, strata=4, tick=1.0),
        "heavy tail": drawn(rng, 120, shape=0.7),
        "rising hazard": drawn(rng, 120, shape=2.5),
        "both arms": drawn(rng, 140, both=True),
        "both arms, strata": drawn(rng, 140, both=True, strata=2),
        "large": drawn(rng, 400, psi=-0.3),
    }
    kept = ("plain", "ties", "few switch", "two to one", "rising hazard", "short follow-up")
    rows = {name: rows_of(rng, sets[name], 2.0) for name in kept}
    text = json.dumps({"trials": sets, "rows": rows}, separators=(",", ":"))
    (HERE / "switching_data.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
