"""Whether 95 % intervals hold the truth in 95 of 100 simulated curves, model by model, and the effect test
its level.

    python -m benchmarks.coverage [--json] [--quick] [--curves 4000]

Every model is simulated on a design as laboratories pipette it, with random truth and normal noise, fitted,
and read as potencies. An open bound holds everything on its side; a limit beyond the tested doses holds what
lies beyond its closed bound. "coverage" counts curves with an interval; "unconditional" counts all: there
a curve called without effect claims an EC50 above the highest dose.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import scipy

import glueprint
from glueprint import curves
from glueprint.curves.equilibria import binary_slopes, competition_slopes
from glueprint.curves.logistic import curve

SEED = 20240601
# Ten half-log doses up to 10 uM in duplicate, and four wells without drug.
DOSE_NM = np.concatenate([np.zeros(4), np.repeat(10.0 ** np.arange(-0.5, 4.1, 0.5), 2)])
WITHIN = (0.93, 0.97)


@dataclass(frozen=True)
class Simulated:
    """truth: (n, 5) in the order of `logistic.NAMES`.   response: (n, m)."""

    truth: np.ndarray
    response: np.ndarray


def simulate(model: str, count: int, seed: int) -> Simulated:
    """Curves with plateaus, potencies, slopes and noise as they come from laboratories."""
    draw = np.random.default_rng([SEED, seed])
    truth = np.zeros((count, 5))
    truth[:, 0] = draw.normal(1.0, 0.03, count)
    truth[:, 1] = draw.uniform(0.0, 0.4, count)
    truth[:, 2] = draw.uniform(0.5, 3.5, count)
    if model == "hill":
        truth[:, 0], truth[:, 1] = 0.0, draw.uniform(0.5, 1.2, count)
    if model != "3pl":
        truth[:, 3] = draw.normal(0.0, 0.3, count)
    if model == "5pl":
        truth[:, 4] = draw.normal(0.0, 0.4, count)
    with np.errstate(divide="ignore"):
        log10_dose = np.broadcast_to(np.log10(DOSE_NM), (count, DOSE_NM.size))
    noise = draw.normal(0.0, 1.0, (count, DOSE_NM.size)) * draw.uniform(0.02, 0.08, count)[:, None]
    return Simulated(truth, curve(truth, log10_dose)[0] + noise)


def holds(found: curves.Potency, truth_nm: float) -> bool:
    """Whether what the potency claims is true."""
    if found.relation == "=":
        return (found.low_nm or 0.0) <= truth_nm <= (found.high_nm or math.inf)
    if found.relation == ">":
        return truth_nm >= (found.low_nm if found.low_nm is not None else found.value_nm or 0.0)
    return truth_nm <= (found.high_nm if found.high_nm is not None else found.value_nm or 0.0)


def has_interval(found: curves.Potency) -> bool:
    """Whether an interval was computed, closed or open; a curve without effect has none."""
    never = {"no_effect", "not_reached", "always_past", "flat_without_vehicle", "too_few_points"}
    return found.relation != "none" and not never & {reason.value for reason in found.reasons}


def summary(potencies: Iterable[curves.Potency], truth_nm: np.ndarray) -> dict[str, Any]:
    """Coverage, what was left out and why, open bounds and gross errors."""
    rows = list(zip(potencies, truth_nm, strict=True))
    kept = [(found, truth) for found, truth in rows if has_interval(found)]
    left = Counter(reason.value for found, _ in rows if not has_interval(found) for reason in found.reasons)
    values = [(found.value_nm, truth) for found, truth in kept if found.relation == "=" and found.value_nm]
    misses = [(found, truth) for found, truth in kept if not holds(found, truth)]
    conditional = 1.0 - len(misses) / max(len(kept), 1)
    return {
        "curves": len(rows),
        "coverage": round(conditional, 4),
        "standard_error": round(math.sqrt(0.05 * 0.95 / max(len(kept), 1)), 4),
        "within_93_to_97": WITHIN[0] <= conditional <= WITHIN[1],
        "with_interval": len(kept),
        "left_out": dict(left),
        "unconditional": round(float(np.mean([holds(found, truth) for found, truth in rows])), 4),
        "missed_above": sum(1 for found, truth in misses if (found.value_nm or 0.0) < truth),
        "open_share": round(_share(found.low_nm is None or found.high_nm is None for found, _ in kept), 4),
        "outside_tested_share": round(_share(found.relation != "=" for found, _ in kept), 4),
        "off_by_half_log_share": round(_share(abs(math.log10(v / t)) > 0.5 for v, t in values), 4),
    }


def _share(flags: Iterable[bool]) -> float:
    found = list(flags)
    return sum(found) / len(found) if found else math.nan


def logistic(model: str, count: int) -> dict[str, Any]:
    """Relative and absolute potency of a model of the logistic family."""
    data = simulate(model, count, ["3pl", "4pl", "5pl", "hill"].index(model))
    fits = curves.fit(model, DOSE_NM, data.response)
    front, back, ec50, ln_slope, ln_f = data.truth.T
    level, control = (0.25, 0.0) if model == "hill" else (0.5, 1.0)
    f = np.exp(ln_f)
    odds = (((front - back) / (level - back)) ** (1.0 / f) - 1.0) / (2.0 ** (1.0 / f) - 1.0)
    return {
        "relative": summary(curves.relative(fits), 10.0**ec50),
        "absolute": summary(
            curves.absolute(fits, level, control=control), 10.0 ** (ec50 + np.log10(odds) / np.exp(ln_slope))
        ),
    }


def regressed(fits: curves.Fits, truth: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Coverage of the profile intervals of `curves.fit`, parameter by parameter."""
    found = {}
    for name, true in truth.items():
        low, high = fits.interval(name).T
        known = ~(np.isnan(low) | np.isnan(high))
        held = ((low <= true) & (true <= high))[known]
        found[name] = {
            "curves": int(true.size),
            "coverage": round(float(held.mean()), 4),
            "standard_error": round(math.sqrt(0.05 * 0.95 / max(int(known.sum()), 1)), 4),
            "within_93_to_97": bool(WITHIN[0] <= held.mean() <= WITHIN[1]),
            "with_interval": int(known.sum()),
            "left_out": {} if known.all() else {"no_interval": int((~known).sum())},
            "unconditional": round(float(held.sum() / true.size), 4),
            "missed_above": int((true > high)[known].sum()),
            "open_share": round(float((np.isinf(high) | (low == 0.0))[known].mean()), 4),
            "status": dict(Counter(curves.Status(code).name for code in fits.status.tolist())),
        }
    return found


def competition(count: int) -> dict[str, Any]:
    """Ki by the exact three-species model, protein and tracer near their Kd."""
    draw = np.random.default_rng([SEED, 10])
    dose = np.concatenate([np.zeros(4), np.repeat(10.0 ** np.arange(0.5, 5.1, 0.5), 2)])
    ki, constants = 10.0 ** draw.uniform(0.5, 3.0, count), {"protein_nm": 30.0, "tracer_nm": 5.0}
    exact = competition_slopes(
        np.full((count, dose.size), 30.0), np.full((count, dose.size), 5.0),
        np.tile(dose, (count, 1)), tracer_kd=np.full((count, 1), 20.0), ki=ki[:, None],
    )  # fmt: skip
    response = _polarised(draw, exact.tracer_bound / 5.0)
    fits = curves.fit("competition", dose, response, constants={**constants, "tracer_kd_nm": 20.0})
    return regressed(fits, {"ki_nm": ki})


def saturation(count: int) -> dict[str, Any]:
    """Kd of a tracer that uses up protein."""
    draw = np.random.default_rng([SEED, 11])
    protein = np.concatenate([np.zeros(2), np.repeat(1000.0 * 0.5 ** np.arange(12), 2)])
    kd = 10.0 ** draw.uniform(0.5, 2.2, count)
    shape = (count, protein.size)
    bound = binary_slopes(np.tile(protein, (count, 1)), np.full(shape, 5.0), kd[:, None])[0]
    fits = curves.fit("saturation", protein, _polarised(draw, bound / 5.0), constants={"tracer_nm": 5.0})
    return regressed(fits, {"kd_nm": kd})


def _polarised(draw: np.random.Generator, bound: np.ndarray) -> np.ndarray:
    """Readings in mP of bound shares (n, m), with noise of 1 to 4 mP."""
    count = len(bound)
    free, top = draw.normal(50.0, 5.0, (count, 1)), draw.normal(220.0, 10.0, (count, 1))
    return np.asarray(
        free + (top - free) * bound + draw.normal(size=bound.shape) * draw.uniform(1.0, 4.0, (count, 1))
    )


def degradation(count: int) -> dict[str, Any]:
    """Rates and EC50 over nine doses, vehicle twice, and five times; the vehicle's level is fitted too."""
    draw = np.random.default_rng([SEED, 12])
    doses = np.concatenate([np.zeros(2), 10.0 ** np.arange(0.0, 4.1, 0.5)])
    dose, time = (a.ravel() for a in np.meshgrid(doses, [1.0, 2.0, 4.0, 8.0, 24.0]))
    truth = {
        "k_deg_per_h": 10.0 ** draw.uniform(-1.7, -1.0, count),
        "k_max_per_h": 10.0 ** draw.uniform(-0.8, 0.3, count),
        "ec50_nm": 10.0 ** draw.uniform(0.8, 2.5, count),
        "slope": np.exp(draw.normal(0.0, 0.2, count)),
    }
    k_deg, k_max, ec50, slope = (values[:, None] for values in truth.values())
    vehicle = draw.normal(1.0, 0.02, (count, 1))
    rate = k_deg + k_max * dose**slope / (dose**slope + ec50**slope)
    left = k_deg / rate + (1.0 - k_deg / rate) * np.exp(-rate * time)
    noise = draw.normal(size=left.shape) * draw.uniform(0.03, 0.08, (count, 1))
    inputs = {"dose_nm": dose, "time_h": time}
    fits = curves.fit("degradation", inputs, vehicle * left + noise, fixed={"vehicle": None})
    return regressed(fits, truth)


def hook(count: int) -> dict[str, Any]:
    """EC50 and window of a bell curve over twelve doses in duplicate."""
    draw = np.random.default_rng([SEED, 13])
    dose = np.concatenate([np.zeros(4), np.repeat(10.0 ** np.arange(-1.0, 4.6, 0.5), 2)])
    truth = {
        "ec50_nm": 10.0 ** draw.uniform(0.3, 2.0, count),
        "window": 10.0 ** draw.uniform(1.3, 3.0, count),
    }
    ec50, far = truth["ec50_nm"][:, None], (truth["ec50_nm"] * truth["window"])[:, None]
    front, back = draw.normal(1.0, 0.03, (count, 1)), draw.uniform(0.0, 0.4, (count, 1))
    bell = dose / (dose + ec50) * (1.0 - dose / (dose + far))
    noise = draw.normal(size=bell.shape) * draw.uniform(0.02, 0.06, (count, 1))
    return regressed(curves.fit("hook", dose, front + (back - front) * bell + noise), truth)


def pooled(count: int) -> dict[str, Any]:
    """The mean potency of a population from plates: a 4PL fit of every experiment, then `curves.pool`."""
    found = {}
    for name, donors, each, tau in (("3 experiments", 3, 1, 0.15), ("4 donors x 3", 4, 3, 0.2)):
        draw = np.random.default_rng([SEED, 20, donors])
        runs, total = count // 20, donors * each
        scatter = np.repeat(draw.normal(0.0, tau, (runs, donors)), each, axis=1)
        truth = np.zeros((runs * total, 5))
        truth[:, 0], truth[:, 1], truth[:, 3] = 1.0, 0.1, draw.normal(0.0, 0.2, runs * total)
        truth[:, 2] = 2.0 + (scatter + draw.normal(0.0, 0.1, scatter.shape)).ravel()
        with np.errstate(divide="ignore"):
            log10_dose = np.broadcast_to(np.log10(DOSE_NM), (len(truth), DOSE_NM.size))
        response = curve(truth, log10_dose)[0] + draw.normal(0.0, 0.05, log10_dose.shape)
        potencies = curves.relative(curves.fit("4pl", DOSE_NM, response))
        labels = [str(i // each) for i in range(total)] if each > 1 else None
        pools = [curves.pool(potencies[i * total : (i + 1) * total], donor=labels) for i in range(runs)]
        found[name] = summary([pool.potency for pool in pools], np.full(runs, 100.0))
    return found


MODELS: Mapping[str, Callable[[int], dict[str, Any]]] = {
    **{name: partial(logistic, name) for name in ("3pl", "4pl", "5pl", "hill")},
    "competition": competition,
    "saturation": saturation,
    "degradation": degradation,
    "hook": hook,
    "pooled": pooled,
}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("--json", action="store_true")
    asked.add_argument("--quick", action="store_true", help="300 curves a model")
    asked.add_argument(
        "--curves", type=int, default=4000, help="simulated curves a model; a twentieth of it pools"
    )
    asked.add_argument("--models", nargs="*", default=list(MODELS), choices=list(MODELS))
    options = asked.parse_args()
    count = 300 if options.quick else options.curves
    answer: dict[str, Any] = {
        "benchmark": "coverage of 95 % intervals",
        "seed": SEED,
        "curves_per_model": count,
        "versions": {
            "glueprint": glueprint.__version__, "python": platform.python_version(),
            "numpy": np.__version__, "scipy": scipy.__version__,
        },
        "models": {name: MODELS[name](count) for name in options.models},
    }  # fmt: skip
    if options.json:
        print(json.dumps(answer, indent=2))
        return
    for name, found in answer["models"].items():
        for what, row in found.items():
            print(
                f"{name:12s} {what:10s} {row['coverage']:.3f} of {row['with_interval']} ({row['left_out']})"
            )


if __name__ == "__main__":
    main()
