"""Whether a predicted trial's 95 % interval holds what a trial of the true compound shows.

    python -m benchmarks.glue_outcomes [--compounds 200] [--surrogate 800] [--seed 16] [--out FILE]

What holds in patients is a draw of the clinical posterior. A compound has a Kd of 30 nM to 3 uM, efficacies
of 0.1 to 3 and pharmacokinetics of its own, and is measured as in benchmarks/glue_coverage.py by assays in
which the reference behaves as that draw says. From there on the line is the user's: dossier, fit, compound,
dose, 39 virtual trials of 100 patients. The truth is one more trial, of other patients, run with the true
numbers. A compound is one line of FILE; a run that was stopped goes on there.

--surrogate: as many compounds more, whose trials are read off a response surface of all trials in FILE.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, logit

from benchmarks import glue_coverage as plates
from glueprint import trials
from glueprint.calibration import clinical, compound, prediction
from glueprint.calibration.compound import fitting
from glueprint.calibration.compound.latents import SUBSTRATES, Latents
from glueprint.calibration.compound.measured import table_of
from glueprint.calibration.compound.trial import TOGETHER
from glueprint.inference import ResponseSurface, response_surface
from glueprint.mechanism import Compound, Quantity, compounds
from glueprint.runs import streams
from glueprint.trials import ParameterDraws, Protocol, Unit

Floats = np.ndarray
PROTOCOL, PATIENTS, REPLICATES = "mm003", 100, 39
ENDPOINTS = {"orr": "%", "neutropenia_grade_3_4": "%", "median_pfs": "months"}
# Of the reference's; and how far a first study in people is off, SD on log10 and on the logit.
PK = {"clearance_l_per_h": (0.5, 2.0), "central_l": (0.7, 1.5), "peripheral_l": (0.7, 1.5)}
UNBOUND, UNBOUND_NAME = (0.3, 1.2), "fraction_unbound"
PK_SD_LOG10, PK_SD_LOGIT = 0.06, 0.2
# Doses about the one that keeps what the reference's dose does.
DOSE = (0.5, 2.0)
# Surrogate: compounds of numbers from here, draws of each, and groups of compounds left out in turn.
FIRST_OF_SURROGATE, DRAWS, FOLDS = 1_000_000, 399, 5
ALIKE = 0.9999
TRUTH_SEED = 77_000_000


@dataclass(frozen=True)
class Made:
    """One compound as the line sees it before its trials, and the truth.

    inside: which of ratio and efficacies the fit's intervals hold.   draws: of the prediction, a row a trial.
    truth: the one row that is true, of the same names.
    """

    number: int
    protocol: Protocol
    dose_mg: float
    draws: ParameterDraws
    truth: ParameterDraws
    inside: Mapping[str, bool]
    reference: bool
    limits: bool
    status: str

    def inputs(self, draws: ParameterDraws) -> Floats:
        """Logarithms (n, p) of what decides a trial, exposure over Kd in the place of the Kd."""
        own = dict(zip(draws.names, draws.values.T, strict=True))
        exposure = self.dose_mg * own[UNBOUND_NAME] / own["clearance_l_per_h"]
        own["kd_nm"] = exposure / own["kd_nm"]
        # Capacities act as the compound's own rho, which stand beside them.
        names = sorted(name for name in own if not name.endswith("_capacity"))
        return np.asarray(np.log(np.stack([own[name] for name in names], axis=1)))


@lru_cache(maxsize=1)
def bedside() -> ParameterDraws:
    """Every draw of what holds in patients."""
    return clinical.posterior().for_trial(written())


@lru_cache(maxsize=1)
def written() -> Protocol:
    """The reference's arm."""
    return trials.alone(trials.load_protocol(PROTOCOL), patients=PATIENTS)


def made(number: int, seed: int, count: int) -> Made:
    """One compound from its number to the draws of its trials.

    count: draws of the prediction, none of them the true one.
    """
    chance = streams.uniforms(seed, "glue outcomes/design", [number], 24)[0]
    every = bedside().values
    order = np.argsort(streams.uniforms(seed, "glue outcomes/patients", [number], len(every))[0])
    true = dict(zip(bedside().names, every[order[0]], strict=True))
    rows, known = _measured(number, seed, chance, true)
    gathered = compound.dossier(table_of(rows), compound=plates.NEW)
    found = compound.fit(gathered, quick=True)
    stated, pk = _pharmacokinetics(number, seed, chance[11:14])
    reference = compounds.load(plates.REFERENCE)
    glue = compound.compound_of(
        found, structure=reference.structure, pk=stated[0], fraction_unbound=stated[1]
    )
    dose_mg = _dose(found, glue, reference) * DOSE[0] * (DOSE[1] / DOSE[0]) ** chance[14]
    beside = ParameterDraws(bedside().names, every[order[1 : count + 1]], label=bedside().label)
    draws = compound.trial_draws(found, glue, beside, seed=number + 1)
    truth = [_true(name, true, known, pk) for name in draws.names]
    inside = {
        row["name"]: row["low_95"] <= known[row["name"]] <= row["high_95"]
        for row in found.parameters.to_dicts()
        if row["name"] in known
    }
    own = [row for row in gathered.fitted if row["compound"] == plates.NEW]
    return Made(
        number,
        trials.with_glue(trials.load_protocol(PROTOCOL), glue, dose_mg=dose_mg, patients=PATIENTS),
        dose_mg,
        draws,
        ParameterDraws(draws.names, np.array([truth]), draws.structure, draws.label, glue),
        inside,
        any(row["compound"] == plates.REFERENCE for row in rows),
        any(row["relation"] != "=" for row in own),
        found.status,
    )


def _measured(
    number: int, seed: int, chance: Floats, true: Mapping[str, float]
) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """What the assays show of a compound and its reference, and the true ratio and efficacies."""
    template = plates.template_of(chance)
    space = fitting.space_of(template)
    normal = streams.normals(seed, "glue outcomes/assays", [number], space.count)
    values = plates.values_of(space, _as_in_patients(space, normal, true), chance[8:11])
    noise = streams.normals(seed, "glue outcomes/noise", [number], len(template))[0]
    rows = plates.measured(template, plates.seen(template, values, noise))
    return rows, {name: float(values[name][0]) for name in plates.PARAMETERS}


def _as_in_patients(space: Latents, normal: Floats, true: Mapping[str, float]) -> Floats:
    """The coordinates (1, p), with the reference as `true` has it and the rest as the in-vitro fit then
    expects it (Matheron's rule)."""
    begin = 1 + len(SUBSTRATES)
    end = begin + space.centre.size
    joint = space.centre + normal[:, begin:end] @ space.root.T
    names = {ours.removeprefix("reference:"): theirs for ours, theirs in TOGETHER.items()}
    at = [space.shared.index(name) for name in names]
    wanted = np.log10([true[name] for name in names.values()])
    covariance = space.root @ space.root.T
    joint = joint + (wanted - joint[:, at]) @ np.linalg.solve(covariance[np.ix_(at, at)], covariance[at])
    changed = normal.copy()
    changed[:, begin:end] = np.linalg.solve(space.root, (joint - space.centre).T).T
    return changed


def _pharmacokinetics(
    number: int, seed: int, chance: Floats
) -> tuple[tuple[Any, Quantity], dict[str, float]]:
    """What a study in people states, with its error as prior, and the true numbers by name."""
    reference = compounds.load(plates.REFERENCE)
    pk, unbound = reference.pk, reference.pharmacology.fraction_unbound
    assert pk is not None
    assert unbound is not None
    z = streams.normals(seed, "glue outcomes/stated", [number], len(PK) + 1)[0]
    true, said = dict[str, float](), dict[str, Quantity]()
    shares = (chance[0], chance[1], chance[1])
    for k, ((name, (low, high)), share) in enumerate(zip(PK.items(), shares, strict=True)):
        quantity = getattr(pk, name)
        true[name] = quantity.typical * low * (high / low) ** share
        prior = {"distribution": "lognormal", "sd_log10": PK_SD_LOG10}
        said[name] = _stated(quantity, true[name] * 10.0 ** (PK_SD_LOG10 * z[k]), prior)
    low, high = UNBOUND
    true[UNBOUND_NAME] = unbound.typical * low * (high / low) ** chance[2]
    off = float(expit(logit(true[UNBOUND_NAME]) + PK_SD_LOGIT * z[-1]))
    prior = {"distribution": "logit-normal", "sd_logit": PK_SD_LOGIT}
    return (pk.model_copy(update=said), _stated(unbound, off, prior)), true


def _stated(quantity: Quantity, value: float, prior: Mapping[str, Any]) -> Quantity:
    said = {"typical": value, "role": "assumed", "evidence": (), "why": "SIMULATED", "prior": dict(prior)}
    return Quantity.model_validate(quantity.model_dump(exclude_none=True) | said)


def _dose(found: compound.CompoundPosterior, glue: Compound, reference: Compound) -> float:
    """The dose, mg, that keeps what the reference's does, by what is believed of the compound."""

    def exposure(one: Compound) -> float:
        assert one.pk is not None
        assert one.pk.clearance_l_per_h is not None
        assert one.pharmacology.fraction_unbound is not None
        return one.pharmacology.fraction_unbound.typical / one.pk.clearance_l_per_h.typical

    strength = math.prod(float(np.median(found.column(f"efficacy:{s}"))) for s in SUBSTRATES) ** 0.5
    times = float(np.median(found.column("kd_ratio"))) / strength * exposure(reference) / exposure(glue)
    return trials.glue_of(written())[1].dose_mg * times


def _true(name: str, true: Mapping[str, float], known: Mapping[str, float], pk: Mapping[str, float]) -> float:
    """The true value of a parameter of the trial."""
    if name == "kd_nm":
        return true[name] * known["kd_ratio"]
    if name in true:
        return true[name]
    if name.endswith("_rho"):
        substrate = name.split("_")[0].upper()
        return true[name.removesuffix("_rho") + "_capacity"] * known[f"efficacy:{substrate}"]
    return pk[name]


def outcomes(one: Made) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Every endpoint of the predicted trials (NaN where it does not exist), and of the true one."""
    units = trials.units_of(one.protocol, REPLICATES, one.number + 1, draws=one.draws)
    real = Unit(one.protocol, TRUTH_SEED + one.number, 1, one.truth.truth(1))
    predicted = [endpoints(unit) for unit in units]
    return {name: [row[name] for row in predicted] for name in ENDPOINTS}, endpoints(real)


def endpoints(unit: Unit) -> dict[str, float]:
    found = trials.existing(trials.run_unit(unit)[2])
    values = dict(zip(found["endpoint"], found["value"], strict=True))
    return {name: float(values.get(name, math.nan)) for name in ENDPOINTS}


def told(one: Made, predicted: Mapping[str, Iterable[float]], real: Mapping[str, float]) -> dict[str, Any]:
    """A compound as a line of the file, without its single trials."""
    said: dict[str, Any] = {
        "number": one.number,
        "status": one.status,
        "reference": one.reference,
        "limits": one.limits,
        "dose_mg": one.dose_mg,
        "inside": dict(one.inside),
    }
    for name in ENDPOINTS:
        values = np.array([value for value in predicted[name] if not math.isnan(value)])
        middle, low, high = trials.order_statistics(values)
        rank = float(np.mean(values < real[name]) + 0.5 * np.mean(values == real[name]))
        said[name] = {"truth": real[name], "low": low, "middle": middle, "high": high, "rank": rank}
    return said


def full_line(number: int, seed: int) -> dict[str, Any]:
    """One compound by the whole line, with its single trials for the surrogate."""
    one = made(number, seed, REPLICATES)
    predicted, real = outcomes(one)
    inputs = np.concatenate([one.inputs(one.draws), one.inputs(one.truth)])
    kept = {name: [*values, real[name]] for name, values in predicted.items()}
    single = {"inputs": [[float(f"{x:.5g}") for x in row] for row in inputs], **kept}
    return told(one, predicted, real) | {"trials": single}


@dataclass(frozen=True)
class Surrogate:
    """A response surface of each endpoint over the inputs of a trial, on the scale on which it is normal.

    chosen: (p,) of the inputs, each of which says something of its own.   centre, scale: (p,) of them.
    left_out: share of the variance that is explained in compounds that were left out, by endpoint.
    """

    chosen: Floats
    centre: Floats
    scale: Floats
    surfaces: Mapping[str, ResponseSurface]
    left_out: Mapping[str, float]

    def trials(self, inputs: Floats, normal: Floats) -> dict[str, Floats]:
        """Outcomes (n,) on that scale; normal: (n, endpoints) chance of a trial."""
        z = (inputs[:, self.chosen] - self.centre) / self.scale
        return {
            name: surface.mean(z)[:, 0] + math.sqrt(surface.covariance[0, 0]) * normal[:, k]
            for k, (name, surface) in enumerate(self.surfaces.items())
        }


def surrogate(lines: list[dict[str, Any]]) -> Surrogate:
    """The surface of all single trials."""
    inputs = np.array([row for line in lines for row in line["trials"]["inputs"]])
    compound_of = np.repeat(np.arange(len(lines)), REPLICATES + 1)
    # One parameter may be set in several cells.
    alike = np.abs(np.corrcoef(inputs.T)) > ALIKE
    chosen = np.flatnonzero(np.argmax(alike, axis=1) == np.arange(inputs.shape[1]))
    inputs = inputs[:, chosen]
    centre, scale = inputs.mean(axis=0), inputs.std(axis=0)
    z, surfaces, left_out = (inputs - centre) / scale, {}, {}
    zero = np.zeros(z.shape[1])
    for name, unit in ENDPOINTS.items():
        values = np.array([value for line in lines for value in line["trials"][name]])
        fine = np.isfinite(values)
        y = prediction.nearly_normal(name, unit, PATIENTS)(values[fine])
        x, group = z[fine], compound_of[fine] % FOLDS
        surfaces[name] = response_surface(x, y[:, None], zero)
        missed = 0.0
        for fold in range(FOLDS):
            part = response_surface(x[group != fold], y[group != fold][:, None], zero)
            missed += float(((y[group == fold] - part.mean(x[group == fold])[:, 0]) ** 2).sum())
        left_out[name] = 1.0 - missed / float(((y - y.mean()) ** 2).sum())
    return Surrogate(chosen, centre, scale, surfaces, left_out)


def by_surrogate(number: int, seed: int, model: Surrogate) -> dict[str, Any]:
    """One compound whose trials are read off the surface."""
    one = made(FIRST_OF_SURROGATE + number, seed, DRAWS)
    normal = streams.normals(
        seed, "glue outcomes/chance", np.arange(DRAWS + 1) + number * 1000, len(ENDPOINTS)
    )
    real = model.trials(one.inputs(one.truth), normal[:1])
    predicted = model.trials(one.inputs(one.draws), normal[1:])
    return told(one, predicted, {name: float(values[0]) for name, values in real.items()})


def summary(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """How often intervals hold the truth, with the exact 99 % interval of a share of 95 %."""
    n = len(lines)
    low, high = plates.expected(n)
    found: dict[str, Any] = {"compounds": n, "expected": [round(low, 4), round(high, 4)]}
    found["not converged"] = sum(line["status"] != "ok" for line in lines)
    for name in plates.PARAMETERS:
        found[name] = round(sum(line["inside"][name] for line in lines) / n, 4)
    for name in ENDPOINTS:
        parts = [line[name] for line in lines if not math.isnan(line[name]["truth"])]
        held = sum(part["low"] <= part["truth"] <= part["high"] for part in parts)
        ranks = np.array([part["rank"] for part in parts])
        # Of ranks that are uniform a quarter lies in each quarter.
        quarters = np.histogram(ranks, bins=4, range=(0.0, 1.0))[0] / len(parts)
        found[name] = {
            "trials": len(parts),
            "coverage": round(held / len(parts), 4),
            "quarters": quarters.round(3).tolist(),
        }
    return found


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Whole lines of a file that a run may have been stopped in."""
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.split("\n")[:-1]]


def going_on(path: Path, count: int, seed: int) -> Iterator[int]:
    """Compounds that the file lacks, run and added one by one."""
    whole = lines_of(path)
    there = {line["number"] for line in whole}
    # What was cut off in the middle goes, so that the next line begins on its own.
    path.write_text("".join(json.dumps(line) + "\n" for line in whole))
    for number in range(count):
        if number not in there:
            with path.open("a") as stream:
                stream.write(json.dumps(full_line(number, seed)) + "\n")
            yield number


def main() -> None:
    """Run what is missing and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compounds", type=int, default=200)
    parser.add_argument("--surrogate", type=int, default=0)
    parser.add_argument("--seed", type=int, default=16)
    parser.add_argument("--out", type=Path, default=Path("glue_outcomes.jsonl"))
    asked = parser.parse_args()
    start = time.perf_counter()
    for number in going_on(asked.out, asked.compounds, asked.seed):
        if number % 10 == 9:
            print(f"{time.perf_counter() - start:.0f} s: {number + 1}", file=sys.stderr, flush=True)
    lines = lines_of(asked.out)
    found = {"full line": summary(lines)}
    if asked.surrogate:
        model, more = surrogate(lines), list[dict[str, Any]]()
        for number in range(asked.surrogate):
            more.append(by_surrogate(number, asked.seed, model))
            if number % 100 == 99:
                print(json.dumps(summary(more)), file=sys.stderr, flush=True)
        told_of = {
            "trials behind the surface": len(lines) * (REPLICATES + 1),
            "explained in compounds left out": {k: round(x, 3) for k, x in model.left_out.items()},
            "sd of a trial about it": {
                name: round(math.sqrt(one.covariance[0, 0]), 3) for name, one in model.surfaces.items()
            },
        }
        found["surrogate"] = summary(more) | told_of
    print(json.dumps(found | {"seconds": round(time.perf_counter() - start)}, indent=1))


if __name__ == "__main__":
    main()
