"""Simulated data with a known truth: bias of estimates, coverage of limits, and what is called unknown.

    python -m benchmarks.workshop_coverage --sets 400

Three designs: one compartment by mouth; degradation of a protein over dose and time; and the same at doses so
high that they cannot tell the potency, with two factors of which only the product acts. Binomial limits are
exact (Clopper and Pearson 1934) at 99 %.
"""

from __future__ import annotations

import argparse
import json

import numpy as np
from scipy.stats import binomtest

from glueprint import engine, workshop
from glueprint.workshop import Experiment, Observable, Parameter, Problem, Rows

ORAL = """
  species gut = 0, central = 0;
  J1: gut -> central; ka*gut;  J2: central -> ; CL/V*central;
  ka = 1.5; CL = 8; V = 70;  conc := central/V;
"""
DEGRADATION = """
  species target = 1;
  J1: -> target; kdeg;  J2: target -> ; (kdeg + factor*kmax*dose/(ec50 + dose))*target;
  kdeg = 0.1; kmax = 0.8; ec50 = 40; dose = 0; factor = 1;
"""
TRUTH = {
    "oral": {"ka": 1.5, "CL": 8.0, "V": 70.0, "sigma": 0.15},
    "degradation": {"kdeg": 0.1, "kmax": 0.8, "ec50": 40.0, "sigma": 0.12},
    "untold": {"kdeg": 0.1, "kmax": 0.8, "ec50": 40.0, "factor": 1.0, "sigma": 0.12},
}
CANNOT_TELL = {"untold": ("ec50", "kmax", "factor")}
KNOWN = "identified"


def rows(times: list[float], experiments: int, repeats: int) -> Rows:
    """The same times in every experiment, for one observable."""
    count = experiments * len(times) * repeats
    return Rows(
        experiment=np.repeat(np.arange(experiments), len(times) * repeats),
        observable=np.zeros(count, dtype=np.int64),
        time=np.tile(np.repeat(times, repeats), experiments),
        value=np.ones(count),
        observable_fill=((),) * count,
        noise_fill=((),) * count,
        where=("",) * count,
    )


def oral() -> Problem:
    doses = [
        engine.Doses.every_patient(1, times, "gut", amount)
        for times, amount in (([0.0], 4000.0), ([0.0, 12.0], 2000.0))
    ]
    return Problem(
        "oral",
        engine.compile(ORAL),
        (
            Parameter("ka", 0.3, 30.0),
            Parameter("CL", 0.5, 100.0),
            Parameter("V", 5.0, 1000.0),
            Parameter("sigma", 0.005, 5.0),
        ),
        (Observable("conc", "conc", "sigma", "log"),),
        tuple(Experiment(f"arm {k}", doses=one) for k, one in enumerate(doses)),
        rows([0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 11.0, 14.0, 24.0], 2, 5),
    )


def degradation(doses: tuple[float, ...], name: str, *extra: Parameter) -> Problem:
    return Problem(
        name,
        engine.compile(DEGRADATION),
        (
            Parameter("kdeg", 1e-3, 10.0),
            Parameter("kmax", 1e-2, 100.0),
            Parameter("ec50", 0.01, 1e5),
            *extra,
            Parameter("sigma", 0.005, 5.0),
        ),
        (Observable("remaining", "target", "sigma", "log"),),
        tuple(Experiment(f"{dose:g} nM", {"dose": dose}) for dose in doses),
        rows([1.0, 2.0, 4.0, 8.0, 24.0], len(doses), 4),
    )


def designs() -> dict[str, Problem]:
    return {
        "oral": oral(),
        "degradation": degradation((3.0, 10.0, 30.0, 100.0, 1000.0), "degradation"),
        "untold": degradation((1e6, 3e6), "untold", Parameter("factor", 1e-2, 100.0)),
    }


def judged(name: str, problem: Problem, sets: int, seed: int) -> dict[str, object]:
    """What `sets` simulated sets of one design show."""
    truth = TRUTH[name]
    data = workshop.simulate_sets(problem, truth, sets, seed)
    found = workshop.fit_sets(problem, data, workshop.Settings(starts=4, seed=seed, accuracy=1e-6))
    told: dict[str, object] = {
        "sets": sets,
        "searches": {one: found.status.count(one) for one in set(found.status)},
    }
    for place, one in enumerate(found.names):
        true = truth[one]
        if one in CANNOT_TELL.get(name, ()):
            called = int((found.verdicts[:, place] != KNOWN).sum())
            told[one] = {"called not identified": called, "of": sets}
            continue
        estimates = found.estimates[:, place]
        inside = int(((found.low[:, place] <= true) & (true <= found.high[:, place])).sum())
        limits = binomtest(round(0.95 * sets), sets).proportion_ci(0.99, "exact")
        told[one] = {
            "bias of the mean, %": round(100 * float(np.nanmean(estimates) / true - 1), 3),
            "bias of the median, %": round(100 * float(np.nanmedian(estimates) / true - 1), 3),
            "inside": inside,
            "of": sets,
            "99 % round 95 %": [round(limits.low, 4), round(limits.high, 4)],
            "limits not found": int(
                np.isnan(found.low[:, place]).sum() + np.isnan(found.high[:, place]).sum()
            ),
            "verdicts": {
                str(v): int(n)
                for v, n in zip(*np.unique(found.verdicts[:, place], return_counts=True), strict=True)
            },
        }
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=sorted(TRUTH))
    asked = parser.parse_args()
    for name, problem in designs().items():
        if asked.only in (None, name):
            print(json.dumps({name: judged(name, problem, asked.sets, asked.seed)}, indent=1), flush=True)


if __name__ == "__main__":
    main()
