"""Whether the clinical fit's 95 % prediction intervals hold in worlds whose truth is known.

    python -m benchmarks.clinic_truth --folder FOLDER [--worlds 1-10] [--workers 1] [--quick] [--summary]

A world has true parameters. MM-002 and MM-003 are conducted in it once, at their own sizes, and printed as
trials are; `burden` is fitted to these numbers as to the published ones, from its known start; then trials of
another case-mix that the fit never read are conducted in that world and predicted with the draws.

The true parameters are of the prior times half of what the published trials say: the prior alone would mostly
give trials that nobody prints, in which nobody responds or no median is reached.

FOLDER keeps what a world has computed, so that a run that was ended goes on where it was. A finished world is
one record, `world-001-small.json`; the summary counts those of FOLDER and those beside this file, in
`clinic_truth/`, but for records of other targets, priors or models. Prints JSON.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import scipy
from numpy.typing import NDArray

import glueprint
from benchmarks.glue_coverage import expected
from benchmarks.prognosis import levels
from glueprint import evidence, trials
from glueprint.calibration import clinical
from glueprint.calibration.clinical.fitting import fit
from glueprint.calibration.clinical.parameters import TRIALS, Free, free
from glueprint.calibration.clinical.result import OTHER
from glueprint.calibration.clinical.simulating import simulate
from glueprint.calibration.clinical.stored import digest
from glueprint.calibration.clinical.summaries import Summary, published
from glueprint.calibration.prediction import nearly_normal
from glueprint.calibration.targets import clinical_targets
from glueprint.runs import streams
from glueprint.trials import RATE, RATIO, ParameterDraws, Protocol, existing, order_statistics

Floats = NDArray[np.float64]
STRUCTURE, KEPT = "burden", Path(__file__).with_suffix("")
EVIDENCE = 0.5  # of what the published trials say, the share that the truth follows
ENDPOINTS = ("orr", "median_pfs", "median_os", "hr_pfs", "hr_os", "neutropenia_grade_3_4")
# Replicates of a prediction, and as many of the truth: one more lies between their ends with 95 %.
REPLICATES, CHUNK, DRAWS, WORLDS_FOR_A_CLAIM, WIDTH_LIMIT = 39, 100, 400, 10, 1.25
SEED = 7_000_000  # of what happens in worlds; the fit's own random numbers begin at 100,000,000
BOTH = "lenalidomide_and_bortezomib"
SHARES = {
    "refractoriness": ({"none": 1.0}, {"lenalidomide": 1.0}, {BOTH: 0.4, "none": 0.6}, {BOTH: 1.0}),
    "ecog": ({"0": 1.0}, {"0": 0.4, "1": 0.5, "2": 0.1}, {"1": 0.4, "2": 0.6}),
}
LINES = ((1.0, 3.0), (2.0, 5.0), (4.0, 12.0))


@dataclass(frozen=True)
class Plan:
    """How much of a world is computed: the fit, held-back trials, their patients in an arm (low, high)."""

    effort: clinical.Effort
    trials: int = 20
    patients: tuple[int, int] = (40, 110)


PLANS = {
    # What fits to one trial are made with; the command's own is "long", with two thirds more simulations.
    "small": Plan(clinical.SMALL),
    "long": Plan(clinical.LONG),
    "quick": Plan(clinical.Effort(0, 0, (60, 60), 150), trials=2, patients=(15, 25)),
}


def standard(given: Free, draws: pl.DataFrame) -> Floats:
    """(n, p) coordinates of draws, the inverse of `Free.values`."""
    a = len(given.assays)
    named = {name: draws[name].cast(pl.Float64).to_numpy() for name in given.names}
    logs = np.log(np.stack([named[name] for name in given.assays], axis=1))
    columns = [np.linalg.solve(given.root, (logs - given.centre).T).T]
    columns += [belief.standard(named[belief.name])[:, None] for belief in given.beliefs[a:]]
    for name in given.effects:
        sd = given.study[name.partition(":")[0]]
        spread = sd if isinstance(sd, float) else named[sd]
        columns.append((np.log10(named[name]) / spread)[:, None])
    return np.concatenate(columns, axis=1)


def tempered(z: Floats, share: float) -> tuple[Floats, Floats]:
    """Mean (p,) and covariance (p, p) of a standard normal prior times a share of what the trials say.

    z: (n, p) draws of the posterior, taken as normal. Its precision less the prior's is that of the trials.
    """
    precision = np.linalg.inv(np.cov(z.T))
    # Where draws scatter more than the prior, by chance, the trials said nothing.
    size, axes = np.linalg.eigh(precision - np.eye(z.shape[1]))
    told = (axes * np.maximum(size, 0.0)) @ axes.T
    covariance = np.linalg.inv(np.eye(z.shape[1]) + share * told)
    return covariance @ (share * precision @ z.mean(axis=0)), covariance


def truth(world: int) -> dict[str, float]:
    """True parameters of a world by name, with the effects of MM-002, MM-003 and of covariates."""
    given = free(STRUCTURE)
    mean, covariance = tempered(standard(given, clinical.posterior(STRUCTURE).draws), EVIDENCE)
    normal = streams.normals(SEED, "clinic truth/parameters", [world], len(given.names))
    values = given.values(mean + normal @ np.linalg.cholesky(covariance).T)
    values |= given.carried_values(streams.normals(SEED, "clinic truth/carried", [world], len(given.carried)))
    return {name: float(value[0]) for name, value in values.items()}


def true_draws(world: int, number: int, count: int) -> ParameterDraws:
    """The truth of a world as draws for held-back trial `number`, each with effects of a trial of its own."""
    given = free(STRUCTURE)
    values = {name: np.full(count, value) for name, value in truth(world).items()}
    purpose = f"clinic truth/effects {number}"
    normal = streams.normals(SEED + world, purpose, np.arange(count), len(given.study))
    for k, ratio in enumerate(given.study):
        values[f"{ratio}:{OTHER}"] = given.effect(ratio, values, normal[:, k])
    return given.draws(values, OTHER)


def printed(summary: Summary, row: Mapping[str, Any] | None) -> Summary | None:
    """A summary with the one reading that a trial gave it, to the digits that are printed; None if it has
    none, such as a median that was not reached."""
    if row is None or row["value"] is None or not row["n"]:
        return None
    # Whole per cent, hundredths of a ratio, tenths of a month or week; no time or ratio is printed as 0.
    value = round(float(row["value"]), {RATE: 0, RATIO: 2}.get(summary.kind, 1))
    if summary.kind != RATE and value <= 0.0:
        return None
    return replace(summary, readings=(value,), n=int(row["n"]))


def targets(world: int) -> tuple[Summary, ...]:
    """What MM-002 and MM-003 print in a world."""
    given, values = free(STRUCTURE), {name: np.array([value]) for name, value in truth(world).items()}
    runs = [trials.run(name, 1, SEED + world, draws=given.draws(values, name)) for name in TRIALS]
    table = pl.concat([run.endpoints for run in runs])
    rows = {(row["trial"], row["arm"], row["endpoint"]): row for row in table.to_dicts()}
    wanted = published(clinical_targets(evidence.load()).targets)
    return tuple(one for one in (printed(s, rows.get(s.key)) for s in wanted) if one is not None)


def kept_simulations(
    folder: Path, simulator: Any, z: Floats, seeds: NDArray[np.int64], _: object = None
) -> Floats:
    """(n, q) summaries of simulations, in chunks that are read from the folder where they are there."""
    parts = []
    for start in range(0, z.shape[0], CHUNK):
        points, own = z[start : start + CHUNK], seeds[start : start + CHUNK]
        name = hashlib.sha256(points.tobytes() + own.tobytes()).hexdigest()[:24]
        path = folder / f"{name}.npy"
        if not path.exists():
            found = simulator(points, own)
            written(path, lambda to, found=found: np.save(to, found))
        parts.append(np.load(path))
    return np.concatenate(parts)


def written(path: Path, write: Any) -> None:
    """Write a file whole or not at all, whenever the process ends."""
    half = path.with_name(f"half-{path.name}")
    write(half)
    half.replace(path)


def fitted(world: int, plan: Plan, folder: Path, workers: int) -> tuple[clinical.ClinicalPosterior, int]:
    """The posterior of a world's fit, and how many numbers it read."""
    path, given, wanted = folder / "draws.parquet", free(STRUCTURE), targets(world)
    if not path.exists():
        simulator = partial(kept_simulations, folder, partial(simulate, STRUCTURE, wanted, workers))
        found = fit(wanted, simulator, given.start, effort=plan.effort, seed=world)
        flat = found.posterior.flat
        chosen = given.values(flat[np.linspace(0, flat.shape[0] - 1, DRAWS).astype(np.int64)])
        table = pl.DataFrame({name: chosen[name] for name in given.names})
        written(path, table.with_columns(status=pl.lit(found.posterior.status)).write_parquet)
    draws = pl.read_parquet(path)
    return replace(clinical.posterior(STRUCTURE), draws=draws, status=draws["status"][0]), len(wanted)


def held_back(world: int, number: int, patients: tuple[int, int]) -> Protocol:
    """A trial that no fit reads: arms, sizes, lines, refractoriness and performance status of its own."""
    chance = streams.uniforms(SEED + world, "clinic truth/design", [number], 6)[0]
    plans = {name: trials.load_protocol(name) for name in TRIALS}
    arms = {arm.name: arm for plan in plans.values() for arm in plan.arms}
    pairs = (("POM+LoDEX", "HiDEX"), ("POM+LoDEX", "POM"), ("POM", "HiDEX"))
    pair = pairs[int(3 * chance[0])]
    low, high = patients
    size = low + int((high - low + 1) * chance[1])
    base = plans["mm002" if chance[2] < 0.5 else "mm003"]
    lines = dict(zip(("low", "high"), LINES[int(3 * chance[3])], strict=True))
    mix: dict[str, Any] = {"prior_lines": base.case_mix.prior_lines.model_copy(update=lines)}
    for name, share in zip(SHARES, chance[4:], strict=True):
        mix[name] = levels(**SHARES[name][int(len(SHARES[name]) * share)])
    even = {"ratio": (1, 1), "blocks_of": 2, "strata": ()}
    changed = {
        "name": f"held back {number}",
        "arms": tuple(arms[name].model_copy(update={"patients": size}) for name in pair),
        "randomisation": base.randomisation.model_copy(update=even),
        "case_mix": base.case_mix.model_copy(update=mix),
    }
    return base.model_copy(update=changed)


def scored(predicted: pl.DataFrame, true: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """Each endpoint of the one trial that was conducted, the first replicate of the true ones, beside the
    intervals of the prediction and of the others that were conducted in the same world.

    A time that is not reached lies beyond all others. ratio: of the widths, on the scale of the fit; None
    where an end of either was not reached.
    """
    tables = [existing(table.filter(pl.col("endpoint").is_in(ENDPOINTS))) for table in (predicted, true)]
    parts = [table.partition_by("arm", "endpoint", as_dict=True) for table in tables]
    for (arm, endpoint), mine in parts[1].items():
        once = mine.filter(replicate=1)
        if once.is_empty() or (arm, endpoint) not in parts[0]:
            continue
        value, others = float(once["value"][0]), mine.filter(pl.col("replicate") > 1)
        ends = [order_statistics(part["value"].to_numpy())[1:] for part in (parts[0][arm, endpoint], others)]
        scale = nearly_normal(str(endpoint), once["unit"][0], float(once["n"][0] or 0))
        widths = [float(np.diff(scale(np.array(pair)))[0]) if np.isfinite(pair).all() else 0 for pair in ends]
        yield {
            "arm": arm,
            "endpoint": endpoint,
            "value": rounded(value),
            "interval": [rounded(end) for end in ends[0]],
            "inside": bool(ends[0][0] <= value <= ends[0][1]),
            "inside_of_truth": bool(ends[1][0] <= value <= ends[1][1]),
            "ratio": rounded(widths[0] / widths[1]) if min(widths) > 0 else None,
        }


def rounded(value: float) -> float | None:
    return float(f"{value:.4g}") if np.isfinite(value) else None


def conducted(world: int, number: int, plan: Plan, found: clinical.ClinicalPosterior) -> list[dict[str, Any]]:
    """The rows of one held-back trial."""
    protocol = held_back(world, number, plan.patients)
    seed = SEED + 1000 * world + number
    draws = found.for_trial(protocol, count=REPLICATES, seed=seed)
    predicted = trials.run(protocol, REPLICATES, seed + 500, draws=draws).endpoints
    true = trials.run(protocol, REPLICATES + 1, seed, draws=true_draws(world, number, REPLICATES + 1))
    return [{"trial": number, **row} for row in scored(predicted, true.endpoints)]


def finish(world: int, effort: str, folder: Path, workers: int) -> None:
    """Compute what a world still lacks, and write its record."""
    plan, about = PLANS[effort], {"world": world, "effort": effort, "digest": digest(STRUCTURE)}
    if any(about.items() <= found.items() for found in records(KEPT, folder)):
        return
    record = folder / f"world-{world:03}-{effort}.json"
    own = folder / f"{record.stem}-{digest(STRUCTURE)[:8]}"
    own.mkdir(parents=True, exist_ok=True)
    found, numbers = fitted(world, plan, own, workers)
    rows: list[dict[str, Any]] = []
    for number in range(plan.trials):
        path = own / f"trial-{number:02}.json"
        if not path.exists():
            text = json.dumps(conducted(world, number, plan, found))
            written(path, lambda to, text=text: to.write_text(text))
        rows += json.loads(path.read_text())
    head = json.dumps(about | {"status": found.status, "targets": numbers, "versions": versions()})
    lines = ",\n".join(json.dumps(row) for row in rows)
    written(record, lambda to: to.write_text(f'{head[:-1]}, "rows": [\n{lines}\n]}}\n'))


def coverage(groups: Iterable[NDArray[np.bool_]]) -> dict[str, Any]:
    """The share inside, and the 99 % interval about 95 % of as many independent rows as these are worth.

    groups: inside or not, of the rows of each world. Rows of one fit err together: their number is divided
    by the design effect, the variance of the share as worlds show it over that of independent rows.
    Source: ratio estimate of a cluster sample, Cochran, Sampling Techniques, 3rd edition, section 9A.
    """
    parts = list(groups)
    n, worlds = sum(part.size for part in parts), len(parts)
    share = sum(int(part.sum()) for part in parts) / n
    away = np.array([part.sum() - share * part.size for part in parts])
    simple = share * (1.0 - share) / n
    between = worlds / (worlds - 1) * float((away**2).sum()) / n**2 if worlds > 1 else 0.0
    effect = max(between / simple, 1.0) if simple > 0 else 1.0
    low, high = expected(max(round(n / effect), 1))
    told = {"rows": n, "inside": round(share, 4), "design_effect": round(effect, 2)}
    within = low <= share <= high if worlds >= WORLDS_FOR_A_CLAIM else None
    return told | {"expected": [round(low, 4), round(high, 4)], "within": within}


def summary(records: Iterable[Mapping[str, Any]], effort: str) -> dict[str, Any]:
    """Coverage and widths of all finished worlds of one effort and of the model as it is."""
    mine = [r for r in records if r["effort"] == effort]
    fresh = list({r["world"]: r for r in mine if r["digest"] == digest(STRUCTURE)}.values())
    stale = {r["world"] for r in mine} - {r["world"] for r in fresh}
    told: dict[str, Any] = {"effort": effort, "worlds": len(fresh), "of_another_model": len(stale)}
    told["not_converged"] = sum(r["status"] != "ok" for r in fresh)
    for name in ("all", *ENDPOINTS):
        some = [[row for row in r["rows"] if name in ("all", row["endpoint"])] for r in fresh]
        some = [rows for rows in some if rows]
        if not some:
            continue
        every_row = [row for rows in some for row in rows]
        ratios = [row["ratio"] for row in every_row if row["ratio"] is not None]
        middle = float(np.median(ratios)) if ratios else None
        told[name] = coverage(np.array([row["inside"] for row in rows]) for rows in some) | {
            "width_ratio": None if middle is None else round(middle, 3),
            "narrow_enough": middle <= WIDTH_LIMIT if middle and len(fresh) >= WORLDS_FOR_A_CLAIM else None,
            "inside_of_truth": round(float(np.mean([row["inside_of_truth"] for row in every_row])), 4),
        }
    return told


def versions() -> dict[str, str]:
    named = {"glueprint": glueprint.__version__, "python": platform.python_version()}
    named |= {"numpy": np.__version__, "scipy": scipy.__version__, "polars": pl.__version__}
    return named | {"machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors"}


def records(*folders: Path) -> Iterator[Mapping[str, Any]]:
    for folder in folders:
        for path in sorted(folder.glob("world-*.json")):
            yield json.loads(path.read_text())


def main() -> None:
    """Run and print."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--folder", type=Path, required=True)
    asked.add_argument("--worlds", default="1-10", help="first and last, such as 1-10")
    asked.add_argument("--effort", choices=("small", "long"), default="small")
    asked.add_argument("--workers", type=int, default=1, help="processes of the fit's simulations")
    asked.add_argument("--quick", action="store_true", help="a small fit and two small trials, to try it out")
    asked.add_argument("--summary", action="store_true", help="of what is finished, without computing")
    chosen = asked.parse_args()
    first, _, last = chosen.worlds.partition("-")
    effort = "quick" if chosen.quick else chosen.effort
    for world in () if chosen.summary else range(int(first), int(last or first) + 1):
        finish(world, effort, chosen.folder, chosen.workers)
    print(json.dumps(summary(records(KEPT, chosen.folder), effort) | versions(), indent=2))


if __name__ == "__main__":
    main()
