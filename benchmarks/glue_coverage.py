"""Whether 95 % intervals of a compound's fit hold the truth in 95 of 100 simulated compounds.

    python -m benchmarks.glue_coverage [--compounds 800] [--plates 100] [--workers 1] [--json]

Compounds have a Kd of 30 nM to 3 uM and efficacies of 0.1 to 3 (log-uniform, IKZF1 and IKZF3 apart; with
--from-prior they are of the prior of the fit instead). The reference, its cells and the error of each assay
are drawn from the in-vitro posterior, errors of runs and repeats from their priors. Each compound is measured
by degradation and by some of polarisation, ELISA and growth, as a value or, beyond the tested doses, a limit;
85 of 100 beside the reference. --plates adds compounds whose polarisation plate is simulated as a raw file
with the reference on it, read and analysed.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np
from scipy.stats import beta

from glueprint.assays import layout, polarization, readers, twins
from glueprint.calibration import compound
from glueprint.calibration.compound import fitting, forward, likelihood
from glueprint.calibration.compound.latents import SUBSTRATES, Latents
from glueprint.calibration.compound.measured import EFFECTS, table_of
from glueprint.runs import streams

NEW, REFERENCE = "GLX-1", "pomalidomide"
KD_NM, EFFICACY = (30.0, 3000.0), (0.1, 3.0)
WITH_REFERENCE = 0.85
# Assay -> how often it is done, runs, standard error of one run in log10.
DONE = {
    "fp": (0.8, 1, 0.06),
    "degradation": (1.0, 3, 0.05),
    "elisa": (0.6, 3, 0.06),
    "growth": (0.5, 3, 0.04),
}
PLATE_SE = 0.075
# Tested doses, nM.
DOSES = {
    "fp": (1.0, 30_000.0),
    "degradation": (1.0, 10_000.0),
    "elisa": (0.1, 10_000.0),
    "growth": (0.5, 10_000.0),
}
# A loss of less than a tenth is not told from none.
LEAST_LOSS = 0.1
PARAMETERS = ("kd_ratio", *(f"efficacy:{name}" for name in SUBSTRATES))
Row = dict[str, Any]


@dataclass(frozen=True)
class Held:
    """One compound: which parameters its intervals hold, how wide they are (log10), and what it was like."""

    inside: Mapping[str, bool]
    width: Mapping[str, float]
    reference: bool
    limits: bool
    raw: bool
    status: str


def simulated(number: int, seed: int, *, from_prior: bool) -> tuple[list[Row], dict[str, float]]:
    """Rows of one compound and its reference, and the true ratio and efficacies."""
    chance = streams.uniforms(seed, "glue coverage/design", [number], 16)[0]
    template = _template(chance)
    space = fitting.space_of(template)
    normal = streams.normals(seed, "glue coverage/truth", [number], space.count)
    values = _values(space, normal, None if from_prior else chance[8:11])
    noise = streams.normals(seed, "glue coverage/noise", [number], len(template))[0]
    rows = _measured(template, _seen(template, values, noise))
    return rows, {name: float(values[name][0]) for name in PARAMETERS}


def _seen(template: list[Row], values: Mapping[str, np.ndarray], noise: np.ndarray) -> list[float]:
    """What the rows show on the scale of comparison, with all errors."""
    given = likelihood.terms(template)
    shown = forward.readers(template, NEW).shown(values)[0]
    off = given.common(values["tau_log10"], values["run_log10"])[0]
    off += values["repeat_log10"][0] ** 2 * given.own + np.diag(given.se**2)
    return [float(x) for x in shown + np.linalg.cholesky(off) @ noise]


def _template(chance: np.ndarray) -> list[Row]:
    """Rows without values: what is measured, in which runs, with which error."""
    names = (NEW, REFERENCE) if chance[0] < WITH_REFERENCE else (NEW,)
    rows = []
    for k, (assay, (often, runs, se)) in enumerate(DONE.items()):
        if chance[k + 1] >= often:
            continue
        about = {"assay": assay, "experiment": "1", "relation": "=", "value": 1.0, "log10_se": se}
        for run in range(runs):
            for name in names:
                row = about | {"run": str(run + 1), "compound": name}
                if assay == "degradation":
                    both = ("rate_ec50", "nM"), ("rate_max_over_k_deg", "dimensionless")
                    rows += [
                        row | {"quantity": q, "unit": unit, "target": target, "cells": "MM1S"}
                        for target in SUBSTRATES
                        for q, unit in both
                    ]
                elif assay == "fp":
                    rows.append(row | {"quantity": "ki", "shared_log10_se": PLATE_SE})
                elif assay == "elisa":
                    rows.append(row | {"quantity": "ic50_absolute", "target": "TNF-alpha"})
                else:
                    rows.append(row | {"quantity": "ic50_absolute", "cells": "MM1S", "time_h": 120.0})
    return table_of(rows).to_dicts()


def _values(space: Latents, normal: np.ndarray, chance: np.ndarray | None) -> dict[str, np.ndarray]:
    values = space.values(normal)
    if chance is not None:
        kd_nm = KD_NM[0] * (KD_NM[1] / KD_NM[0]) ** chance[0]
        values["kd_ratio"] = kd_nm / values["kd_nm"]
        for name, share in zip(SUBSTRATES, chance[1:], strict=True):
            values[f"efficacy:{name}"] = np.array([EFFICACY[0] * (EFFICACY[1] / EFFICACY[0]) ** share])
    return values


def _measured(template: list[Row], seen: list[float]) -> list[Row]:
    """The rows with their values, or with limits beyond the tested doses."""
    rows = []
    lost = {
        (row["compound"], row["target"], row["run"]): value
        for row, value in zip(template, seen, strict=True)
        if row["quantity"] in EFFECTS
    }
    least = math.log10(LEAST_LOSS / (1.0 - LEAST_LOSS))
    for row, value in zip(template, seen, strict=True):
        low, high = DOSES[row["assay"]]
        if lost.get((row["compound"], row["target"], row["run"]), least) < least:
            if row["quantity"] in EFFECTS:
                rows.append(row | {"relation": "<", "value": 10.0**least, "log10_se": 0.05})
            continue
        if row["quantity"] not in EFFECTS and not low < 10.0**value < high:
            side = "<" if 10.0**value <= low else ">"
            rows.append(row | {"relation": side, "value": low if side == "<" else high})
            continue
        rows.append(row | {"value": 10.0**value})
    return rows


def measured_on_a_plate(number: int, seed: int) -> tuple[list[Row], dict[str, float]]:
    """As `simulated`, with the polarisation from a raw file of one plate with the reference on it."""
    chance = streams.uniforms(seed, "glue coverage/plate", [number], 16)[0]
    chance[0] = 0.0
    template = [row for row in _template(chance) if row["assay"] != "fp"]
    rows, truth = _of_plate(template, number, seed, chance)
    return rows, truth


def _of_plate(
    template: list[Row], number: int, seed: int, chance: np.ndarray
) -> tuple[list[Row], dict[str, float]]:
    space = fitting.space_of(template)
    values = _values(space, streams.normals(seed, "glue coverage/raw", [number], space.count), chance[8:11])
    noise = streams.normals(seed, "glue coverage/raw noise", [number], len(template) + 3)[0]
    tau, repeat = (float(values[name][0]) for name in ("tau_log10", "repeat_log10"))
    reference = float(np.log10(values["kd_nm"][0])) + tau * noise[0]
    own = reference + float(np.log10(values["kd_ratio"][0]))
    ki = {NEW: 10.0 ** (own + repeat * noise[1]), REFERENCE: 10.0 ** (reference + repeat * noise[2])}
    table = ", ".join(f'"{name}" = {value:.6g}' for name, value in ki.items())
    twin = twins.simulate("fp", seed=number + 1, changes=[f"ki_nm={{ {table} }}"])
    plate = readers.parse(twin.files["plate.txt"], "plate.txt")
    wells = layout.apply(plate, layout.parse(twin.files["layout.toml"].decode(), "layout.toml"))
    found = polarization.analyse(wells)
    rows = compound.measurements("fp", found, compound.Source("plate.txt", "", "1")).to_dicts()
    truth = {name: float(values[name][0]) for name in PARAMETERS}
    return [*rows, *_measured(template, _seen(template, values, noise[3:]))], truth


def held(rows: list[Row], truth: Mapping[str, float], *, raw: bool) -> Held:
    """Fit one compound and compare its intervals with the truth."""
    gathered = compound.dossier(table_of(rows), compound=NEW)
    found = compound.fit(gathered, quick=True)
    inside, width = {}, {}
    for row in found.parameters.filter(found.parameters["name"] != "kd_nm").to_dicts():
        inside[row["name"]] = row["low_95"] <= truth[row["name"]] <= row["high_95"]
        width[row["name"]] = math.log10(row["high_95"] / row["low_95"])
    return Held(
        inside,
        width,
        any(row["compound"] == REFERENCE for row in rows),
        any(row["relation"] != "=" for row in gathered.fitted if row["compound"] == NEW),
        raw,
        found.status,
    )


def job(number: int, seed: int, *, from_prior: bool, raw: bool) -> Held:
    """One compound from its number to its intervals."""
    made = measured_on_a_plate(number, seed) if raw else simulated(number, seed, from_prior=from_prior)
    return held(*made, raw=raw)


def compounds(count: int, plates: int, seed: int, *, from_prior: bool, workers: int = 1) -> Iterator[Held]:
    """All compounds in turn, those with a raw plate last."""
    plain = partial(job, seed=seed, from_prior=from_prior, raw=False)
    raw = partial(job, seed=seed, from_prior=from_prior, raw=True)
    if workers == 1:
        yield from map(plain, range(count))
        yield from map(raw, range(plates))
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as crew:
        yield from crew.map(plain, range(count), chunksize=8)
        yield from crew.map(raw, range(plates), chunksize=4)


def expected(n: int, share: float = 0.95, level: float = 0.99) -> tuple[float, float]:
    """Exact binomial interval about a share that is so: Clopper and Pearson for n * share of n."""
    k = round(share * n)
    tail = 0.5 * (1.0 - level)
    return float(beta.ppf(tail, k, n - k + 1)), float(beta.ppf(1.0 - tail, k + 1, n - k))


def summary(found: Iterable[Held]) -> dict[str, Any]:
    """Coverage and median width by parameter, of all and of parts of the compounds."""
    every = list(found)
    parts = {
        "all": every,
        "with reference": [one for one in every if one.reference and not one.raw],
        "without reference": [one for one in every if not one.reference],
        "with limits": [one for one in every if one.limits],
        "raw plate": [one for one in every if one.raw],
    }
    told: dict[str, Any] = {"not converged": sum(one.status != "ok" for one in every)}
    for name, some in parts.items():
        if not some:
            continue
        low, high = expected(len(some))
        told[name] = {"compounds": len(some), "expected": [round(low, 4), round(high, 4)]}
        for parameter in PARAMETERS:
            share = float(np.mean([one.inside[parameter] for one in some]))
            width = float(np.median([one.width[parameter] for one in some]))
            told[name][parameter] = {"coverage": round(share, 4), "width_log10": round(width, 3)}
    return told


def main() -> None:
    """Run and print."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--compounds", type=int, default=800)
    arguments.add_argument("--plates", type=int, default=100)
    arguments.add_argument("--seed", type=int, default=16)
    arguments.add_argument("--workers", type=int, default=1)
    arguments.add_argument("--from-prior", action="store_true")
    arguments.add_argument("--json", action="store_true")
    asked = arguments.parse_args()
    start, found = time.perf_counter(), []
    asked_for = {"from_prior": asked.from_prior, "workers": asked.workers}
    for one in compounds(asked.compounds, asked.plates, asked.seed, **asked_for):
        found.append(one)
        if not asked.json and len(found) % 50 == 0:
            so_far = summary(found)["all"]
            print(f"{time.perf_counter() - start:.0f} s: {so_far}", flush=True)
    told = summary(found) | {"seconds": round(time.perf_counter() - start)}
    print(json.dumps(told, indent=2) if asked.json else "\n".join(f"{k}: {v}" for k, v in told.items()))


if __name__ == "__main__":
    main()
