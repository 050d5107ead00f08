"""PQ: a plate gives back its truth, a glue in its own place is itself, posteriors are of this model."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from glueprint import references, trials
from glueprint.assays import polarization, twins
from glueprint.calibration import clinical, in_vitro
from glueprint.mechanism import compounds
from glueprint.qualification.contract import Seen

__all__ = ["identity", "likelihood", "plate", "posteriors", "prediction", "processes", "same_bits", "whole"]

PATIENTS, SEED = 12, 2
TWIN = "fp"
REPLICATES = 39  # the fewest of which a 95 % interval can be read
# Draws are kept in single precision.
LIKELIHOOD_ERROR = 1e-3
LIKELIHOODS = 20


def plate() -> Seen:
    """The raw files of a simulated polarisation plate, read and analysed as any other's."""
    made = twins.simulate(TWIN, seed=SEED)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        twins.write(made, folder)
        found = polarization.analyse(polarization.read(folder / "plate.txt", layout=folder / "layout.toml"))
    truth: dict[str, float] = made.truth.model_dump()["ki_nm"]
    rows = found.fits.filter(pl.col("sample").is_in([*truth])).iter_rows(named=True)
    told = [
        (row["sample"], truth[row["sample"]], row["ki_nm"], row["ki_low_nm"], row["ki_high_nm"])
        for row in rows
    ]
    good = len(told) == len(truth) and all(low < true < high for _, true, _, low, high in told)
    said = [f"{name} {ki:.4g} ({low:.4g} to {high:.4g})" for name, _, ki, low, high in told]
    wanted = [f"{name} {true:g}" for name, true in truth.items()]
    return Seen(good, f"the 95 % interval holds the Ki, nM: {', '.join(wanted)}", ", ".join(said) or "no Ki")


def _protocol() -> trials.Protocol:
    """The first trial of the reference compound."""
    return trials.load_protocol(next(iter(references.default().trials.values())))


def identity() -> Seen:
    """The reference in its own place, by its own file: the same patients with the same outcomes."""
    return _itself(PATIENTS)


def whole() -> Seen:
    """The same with all patients of the arm."""
    return _itself(None)


def _itself(patients: int | None) -> Seen:
    protocol = _protocol()
    glue, written = compounds.load(references.default().compound), trials.glue_of(protocol)[1]
    plans = (
        trials.alone(protocol, patients=patients),
        trials.with_glue(protocol, glue, dose_mg=written.dose_mg, patients=patients),
    )
    one, other = (trials.run(plan, seed=SEED) for plan in plans)
    good = one.patients.equals(other.patients) and one.endpoints.equals(other.endpoints)
    said = f"{one.patients.height} patients, {'the same bits' if good else 'different'}"
    return Seen(good, "the same patients and endpoints, bit by bit", said)


def processes() -> Seen:
    """Replicates in one process and in two."""
    protocol = trials.alone(_protocol(), patients=PATIENTS)
    one, two = (trials.run(protocol, 4, SEED, workers=workers) for workers in (1, 2))
    good = one.patients.equals(two.patients)
    return Seen(good, "the same bits", f"4 replicates, {'the same bits' if good else 'different'}")


def prediction() -> Seen:
    """Trials of the posterior's draws: intervals about their middle, the same each time, and none failed."""
    protocol = trials.alone(_protocol(), patients=PATIENTS)
    draws = clinical.posterior().for_trial(protocol, count=REPLICATES, seed=SEED)
    one, two = (trials.run(protocol, REPLICATES, SEED, draws=draws) for _ in range(2))
    rows = trials.prediction_intervals(one.endpoints).drop_nulls(["low", "median", "high"])
    ordered = rows.filter((pl.col("low") <= pl.col("median")) & (pl.col("median") <= pl.col("high")))
    good = one.endpoints.equals(two.endpoints) and not one.failed and 0 < rows.height == ordered.height
    said = f"{REPLICATES} trials, {rows.height} intervals, {one.failed} patients failed, labelled {one.label}"
    return Seen(good, "the same intervals twice, each about its middle", said)


def same_bits() -> Seen:
    """One trial twice with one seed, and once with another."""
    protocol = trials.alone(_protocol(), patients=PATIENTS)
    first, again, other = (trials.run(protocol, seed=seed) for seed in (SEED, SEED, SEED + 1))
    same = first.patients.equals(again.patients)
    moved = not first.patients.equals(other.patients)
    words = {True: "the same", False: "different"}
    said = f"same seed: {words[same]}; another seed: {words[not moved]}"
    return Seen(same and moved, "same seed, same bits", said)


def posteriors() -> Seen:
    """The posteriors that come with Glueprint follow from the evidence, priors and model as they are here."""
    found: dict[str, str] = {"in vitro": in_vitro.posterior().status}
    for structure, scope in clinical.SHIPPED:
        found[f"{structure} {scope}"] = clinical.posterior(structure, scope).status
    said = ", ".join(f"{name}: {status}" for name, status in found.items())
    return Seen(set(found.values()) == {"ok"}, "every digest as it was when they were fitted", said)


def likelihood() -> Seen:
    """Kept draws of the in-vitro posterior, judged once more by claims, priors and model as they are."""
    kept, computed = in_vitro.recomputed(in_vitro.posterior(), LIKELIHOODS)
    away = float(np.max(np.abs(kept - computed)))
    said = f"{kept.size} draws, at most {away:.1g} away"
    return Seen(away <= LIKELIHOOD_ERROR, f"minus log posterior to {LIKELIHOOD_ERROR:g}", said)
