"""How often the 95 % interval of a fitted Ki holds the truth when protein and tracer Kd are misstated.

    python -m benchmarks.polarization_coverage [--plates 2000] [--json]

Every plate has its own true protein and tracer Kd; what is stated lies off by a log-normal error of the
stated size. Beside it the same plates fitted as if the stated numbers were exact, as other programs do.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable

import numpy as np

from glueprint.assays.polarization import competition, model, penalised
from glueprint.runs.streams import normals

# Protein, tracer, tracer Kd and Ki, nM: rows of the table of wrong Ki values, from mild to beyond the floor.
SCENARIOS = {
    "mild": (50.0, 5.0, 120.0, 156.6),
    "tracer at its Kd": (100.0, 120.0, 120.0, 156.6),
    "much protein": (500.0, 10.0, 120.0, 156.6),
    "tight": (100.0, 10.0, 120.0, 10.0),
    "near the floor": (100.0, 10.0, 120.0, 1.0),
}
FREE, TOP, NOISE = 0.05, 0.20, 0.004
DOSES = np.repeat(10.0 ** np.arange(0.0, 5.1, 0.5), 3)
CONTROLS = np.concatenate([np.full(6, np.inf), np.zeros(6)])


def coverage(
    plates: int = 2000,
    *,
    protein_cv: float = 0.2,
    tracer_kd_cv: float = 0.2,
    seed: int = 4,
    scenarios: Iterable[str] = tuple(SCENARIOS),
) -> dict[str, dict[str, float]]:
    """Share of intervals that hold the true Ki, their share open below, and the same with exact inputs."""
    found = {}
    for name in scenarios:
        protein, tracer, tracer_kd, ki = SCENARIOS[name]
        simulated = _plates(name, (protein, tracer, tracer_kd, ki), plates, (protein_cv, tracer_kd_cv), seed)
        start = time.perf_counter()
        ours = competition.fit(simulated)
        seconds = time.perf_counter() - start
        exact = competition.Curves(
            simulated.dose, simulated.anisotropy, simulated.stated, np.zeros_like(simulated.stated_sd)
        )
        naive = competition.fit(exact)
        found[name] = {
            "coverage": _held(ours, ki),
            "coverage_if_stated_were_exact": _held(naive, ki),
            "limits": float(np.mean(np.isinf(ours.log10_low))),
            "converged": float(np.mean(ours.converged)),
            "plates_per_s": round(plates / seconds, 1),
        }
    return found


def _plates(
    name: str,
    truth: tuple[float, float, float, float],
    plates: int,
    cvs: tuple[float, float],
    seed: int,
) -> competition.Curves:
    protein, tracer, tracer_kd, ki = truth
    dose = np.tile(np.concatenate([CONTROLS, DOSES]), (plates, 1))
    log_sd = np.sqrt(np.log1p(np.square([*cvs, 0.0, 0.0])))
    stated = np.tile(np.log([protein, tracer_kd, tracer, 1.0]), (plates, 1))
    draws = normals(seed, f"polarization coverage {name}", np.arange(plates), 4 + dose.shape[1])
    actual = stated + log_sd * draws[:, :4]
    theta = np.concatenate([np.tile([FREE, TOP, np.log10(ki)], (plates, 1)), actual], axis=1)
    measured = model.anisotropy(theta, dose)[0] + NOISE * draws[:, 4:]
    return competition.Curves(dose, measured, stated, np.tile(log_sd, (plates, 1)))


def _held(found: penalised.Estimates, ki: float) -> float:
    truth = np.log10(ki)
    return float(np.mean((found.log10_low <= truth) & (truth <= found.log10_high)))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--plates", type=int, default=2000)
    arguments.add_argument("--json", action="store_true")
    asked = arguments.parse_args()
    found: dict[str, dict[str, float]] = {}
    for name in SCENARIOS:
        found |= coverage(asked.plates, scenarios=(name,))
        if not asked.json:
            numbers = "  ".join(f"{key} {value:.4g}" for key, value in found[name].items())
            print(f"{name:18}{numbers}", flush=True)
    if asked.json:
        print(json.dumps({"plates": asked.plates, "confidence": 0.95, "scenarios": found}, indent=2))


if __name__ == "__main__":
    main()
