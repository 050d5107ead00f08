"""Pomalidomide measured as if it were new, with itself as reference: its trials beside the reference's own.

    python -m benchmarks.glue_identity [--replicates 200] [--patients 100] [--errors 0.05 0.2 0.5]

Both trials enrol the same patients with the same chance and the same draw of what is not known of patients,
so that they differ by the error of the measured ratio and efficacies alone. Its centre should then be the
reference's within a tenth, and its width the reference's plus what that error moves, the more the worse the
measurement.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.glue_coverage import NEW, REFERENCE
from benchmarks.glue_outcomes import ENDPOINTS, PROTOCOL, endpoints
from glueprint import trials
from glueprint.calibration import clinical, compound, prediction
from glueprint.calibration.compound.measured import table_of
from glueprint.mechanism import compounds
from glueprint.trials import ParameterDraws, Protocol

# What pomalidomide shows on these plates: Ki, EC50 and rho by substrate, TNF-alpha in monocytes; nM.
KI_NM, TNF_NM = 157.0, 12.0
RATES = {"IKZF1": (50.0, 8.3), "IKZF3": (30.0, 8.0)}
# One plate of polarisation, three membranes, four donors.
RUNS = {"fp": 1, "degradation": 3, "elisa": 4}
Outcomes = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Pair:
    """Endpoints of all trials, (n,) by name, of the compound called new and of the reference."""

    new: Outcomes
    reference: Outcomes


def measured(log10_se: float) -> compound.CompoundPosterior:
    """What a fit makes of plates on which both compounds show the same numbers.

    log10_se: of each of them.
    """
    rows = [row | {"log10_se": log10_se} for name in (NEW, REFERENCE) for row in _shown(name)]
    for row in rows:
        reach = 10.0 ** (1.96 * log10_se)
        row |= {"low": row["value"] / reach, "high": row["value"] * reach}
    return compound.fit(compound.dossier(table_of(rows), compound=NEW))


def _shown(name: str) -> list[dict[str, Any]]:
    about = [
        {"compound": name, "assay": assay, "experiment": assay, "run": str(run + 1)}
        for assay, runs in RUNS.items()
        for run in range(runs)
    ]
    rows = [
        row | {"quantity": "ki", "value": KI_NM}
        if row["assay"] == "fp"
        else row | {"quantity": "ic50_absolute", "target": "TNF-alpha", "value": TNF_NM}
        for row in about
        if row["assay"] != "degradation"
    ]
    for row in about:
        if row["assay"] != "degradation":
            continue
        for target, (ec50_nm, rho) in RATES.items():
            lane = row | {"target": target, "cells": "MM1S"}
            rows.append(lane | {"quantity": "rate_ec50", "value": ec50_nm})
            rows.append(lane | {"quantity": "rate_max_over_k_deg", "value": rho, "unit": "dimensionless"})
    return rows


def reference_trials(replicates: int, patients: int, seed: int) -> tuple[ParameterDraws, Outcomes]:
    """The draws of the shipped posterior, and what it predicts of the reference's arm."""
    written = trials.alone(trials.load_protocol(PROTOCOL), patients=patients)
    beside = clinical.posterior().for_trial(written, count=replicates, seed=seed)
    return beside, _ran(written, beside, seed)


def new_trials(
    found: compound.CompoundPosterior, beside: ParameterDraws, patients: int, seed: int
) -> Outcomes:
    """The same trials with the compound that was measured, in the dose of the reference."""
    reference = compounds.load(REFERENCE)
    glue = compound.compound_of(
        found,
        structure=reference.structure,
        pk=reference.pk,
        fraction_unbound=reference.pharmacology.fraction_unbound,
    )
    plan = trials.load_protocol(PROTOCOL)
    dose_mg = trials.glue_of(plan)[1].dose_mg
    changed = trials.with_glue(plan, glue, dose_mg=dose_mg, patients=patients)
    return _ran(changed, compound.trial_draws(found, glue, beside, seed=seed), seed)


def _ran(plan: Protocol, draws: ParameterDraws, seed: int) -> Outcomes:
    rows = [endpoints(unit) for unit in trials.units_of(plan, len(draws.values), seed, draws=draws)]
    return {name: np.array([row[name] for row in rows]) for name in ENDPOINTS}


def compared(pair: Pair, patients: int) -> dict[str, dict[str, float]]:
    """Centres and widths of each endpoint, widths as SD on the scale on which it is nearly normal.

    sd_of_difference: trial by trial, so of the measured ratio's error alone.   sd_explained: what that error
    makes of the reference's width.   variance_by_chance: two standard errors of what a difference that does
    not hang on the reference's outcome adds to the variance in so many trials, of which few may differ.
    """
    told = {}
    for name, unit in ENDPOINTS.items():
        new, old = pair.new[name], pair.reference[name]
        both = np.isfinite(new) & np.isfinite(old)
        scale = prediction.nearly_normal(name, unit, patients)
        mine, theirs = scale(new[both]), scale(old[both])
        difference = mine - theirs
        apart = float(difference.std(ddof=1))
        products = (theirs - theirs.mean()) * (difference - difference.mean())
        sd = float(theirs.std(ddof=1))
        told[name] = {
            "reference": float(np.median(old)),
            "new": float(np.median(new)),
            "centre_ratio": float(np.median(new) / np.median(old)),
            "sd_reference": sd,
            "sd_new": float(mine.std(ddof=1)),
            "sd_of_difference": apart,
            "sd_explained": math.hypot(sd, apart),
            "variance_by_chance": float(2.0 * 2.0 * products.std(ddof=1) / math.sqrt(len(products))),
        }
    return told


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--patients", type=int, default=100)
    parser.add_argument("--errors", type=float, nargs="+", default=[0.05, 0.2, 0.5])
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    beside, old = reference_trials(asked.replicates, asked.patients, asked.seed)
    for error in asked.errors:
        found = measured(error)
        new = new_trials(found, beside, asked.patients, asked.seed)
        row = compared(Pair(new, old), asked.patients)
        ratio = float(np.std(np.log10(found.column("kd_ratio"))))
        rounded = {name: {key: round(x, 4) for key, x in part.items()} for name, part in row.items()}
        print(json.dumps({"log10_se": error, "sd_log10_of_ratio": round(ratio, 4), **rounded}), flush=True)


if __name__ == "__main__":
    main()
