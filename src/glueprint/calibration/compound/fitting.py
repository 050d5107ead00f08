"""The joint fit of one compound: its measurements as terms beside what the in-vitro posterior says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.calibration.beliefs import verdict
from glueprint.calibration.compound import comparing, importance, thresholds
from glueprint.calibration.compound.dossier import Dossier
from glueprint.calibration.compound.forward import Readers, assay_of, cells_of, readers
from glueprint.calibration.compound.latents import (
    BELIEFS,
    COMMON,
    CORRELATION,
    EFFICACY,
    RATIO,
    SUBSTRATES,
    Latents,
    latents,
    margin,
)
from glueprint.calibration.compound.likelihood import Terms, minus_log_likelihood, terms
from glueprint.calibration.compound.next_runs import next_runs
from glueprint.calibration.compound.posterior import CompoundPosterior
from glueprint.calibration.in_vitro import posterior as in_vitro_posterior
from glueprint.errors import InputError
from glueprint.inference import contraction
from glueprint.inference.posterior import Progress

__all__ = ["DRAWS", "fit"]

Floats = NDArray[np.float64]
# Draws that are kept, and proposals of the last round: of good posteriors a half counts.
DRAWS, PROPOSALS, QUICK = 2000, 6000, 3000
COPIED = ("tau_log10", "repeat_log10", "run_log10")
# Below a twentieth of the variance nothing was learnt: what stands there is the prior.
LEAST_LEARNT = 0.05
LEVELS = (0.025, 0.5, 0.975)


def fit(
    dossier: Dossier, *, seed: int = 1, quick: bool = False, progress: Progress | None = None
) -> CompoundPosterior:
    """Fit all measurements of a compound at once.

    dossier: of `dossier`.   seed: the same seed gives the same bits.   quick: half of the proposals.
    progress: told (done, all) after each round.
    Raises InputError GP-K030 where no measurement can enter, GP-K034 for a seed below 0.
    Source: own derivation, docs/your-glue-fit.md.
    """
    if seed < 0:
        raise InputError(
            "GP-K034",
            f"seed {seed}",
            where="fit",
            expected="a seed of 0 or more",
            next_step="choose another seed",
        )
    rows = dossier.fitted
    if not any(row["compound"] == dossier.compound for row in rows):
        raise InputError(
            "GP-K030",
            f'no measured quantity of "{dossier.compound}" can enter the fit: the prior alone says nothing',
            where="fit",
            expected="a Ki, a DC50, a Dmax or an IC50, as a value or a limit",
            next_step="the dossier's measurements say of each row in `use` why it cannot",
        )
    space = space_of(rows)
    read, given = readers(rows, dossier.compound), terms(rows)
    found = importance.sample(
        lambda z: objective(z, space, read, given),
        np.zeros(space.count),
        proposals=QUICK if quick else PROPOSALS,
        draws=DRAWS,
        seed=seed,
        progress=progress,
    )
    enough = found.effective >= importance.LEAST_EFFECTIVE
    values = space.values(found.draws)
    comparison = comparing.comparison(dossier, values, seed)
    return CompoundPosterior(
        compound=dossier.compound,
        reference=dossier.reference,
        draws=_draws(values, space),
        parameters=summarise(values),
        comparison=comparison,
        next_runs=next_runs(dossier, values),
        findings=(*dossier.findings, *comparing.conflicts(dossier, values)),
        status="ok" if enough else "not converged",
        reason=""
        if enough
        else f"{found.effective:.0f} effective draws, wanted {importance.LEAST_EFFECTIVE:g}; measurements "
        "that contradict each other do this: look at the conflicts",
        settings={"seed": seed, "quick": int(quick), "effective": round(found.effective)},
        digest=digest(dossier),
    )


def space_of(rows: list[dict[str, object]]) -> Latents:
    """The coordinates that these rows need."""
    assays = [assay for row in rows if (assay := assay_of(row)) is not None]
    cells = [name for row in rows if (name := cells_of(row))]
    plate = any(row["assay"] == "fp" and row["quantity"] not in ("kd", "ki") for row in rows)
    return latents(cells, assays, plate=plate)


def objective(z: Floats, space: Latents, read: Readers, given: Terms) -> Floats:
    """Minus the log posterior (n,) at coordinates (n, p)."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        minus = 0.5 * (z**2).sum(axis=1) + minus_log_likelihood(read, given, space.values(z))
    return np.where(np.isfinite(minus), minus, 1e12)


def _draws(values: Mapping[str, Floats], space: Latents) -> pl.DataFrame:
    ratio = values["kd_ratio"]
    columns = {"kd_ratio": ratio, "kd_nm": ratio * values["kd_nm"]}
    columns |= {f"efficacy:{s}": values[f"efficacy:{s}"] for s in SUBSTRATES}
    cells = [name.removesuffix("_rho") for name in values if name.endswith("_rho")]
    for name in cells:
        columns |= {f"rho:{s}:{name}": values[f"{name}_rho"] * values[f"efficacy:{s}"] for s in SUBSTRATES}
    for assay in space.assays:
        needed = np.log10(values[f"{assay.cells}_rho"]) - values[margin(assay)]
        columns[margin(assay).replace("margin", "threshold")] = 10.0**needed
    columns |= {f"reference:{name}": values[name] for name in ("kd_nm", "kdeg_per_h")}
    columns |= {f"reference:{name}_rho": values[f"{name}_rho"] for name in cells}
    return pl.DataFrame(columns | {name: values[name] for name in COPIED})


def summarise(values: Mapping[str, Floats]) -> pl.DataFrame:
    """What was learnt of ratio, Kd and efficacies, from values (n,)."""
    before = in_vitro_posterior().draws["kd_nm"].cast(pl.Float64).to_numpy()
    prior_kd = float(np.hypot(np.log10(before).std(ddof=1), RATIO.spread))
    known = [
        ("kd_ratio", "dimensionless", values["kd_ratio"], RATIO.spread, str(RATIO)),
        ("kd_nm", "nM", values["kd_ratio"] * values["kd_nm"], prior_kd, "the ratio times the reference's"),
    ]
    known += [
        (f"efficacy:{s}", "dimensionless", values[f"efficacy:{s}"], EFFICACY.spread,
         f"{EFFICACY}; correlation {CORRELATION:g} between {' and '.join(SUBSTRATES)}")
        for s in SUBSTRATES
    ]  # fmt: skip
    rows = []
    for name, unit, draws, spread, prior in known:
        learnt = float(contraction([spread], [np.log10(draws).std(ddof=1)])[0])
        low, middle, high = map(float, np.quantile(draws, LEVELS))
        rows.append(
            {
                "name": name,
                "unit": unit,
                "prior": prior,
                "low_95": low,
                "median": middle,
                "high_95": high,
                "contraction": learnt,
                "verdict": verdict(learnt) if learnt >= LEAST_LEARNT else "prior only",
            }
        )
    return pl.DataFrame(rows)


def digest(dossier: Dossier) -> str:
    """SHA-256 of what a posterior follows from: measurements, priors and the in-vitro posterior."""
    numbers = ("value", "low", "high", "confidence", "log10_se", "shared_log10_se", "time_h", "dose_nm")
    words = ("assay", "experiment", "run", "compound", "quantity", "target", "cells", "relation", "unit")
    rows = [[row[name] for name in (*words, *numbers)] for row in dossier.fitted]
    believed = [f"{name} {belief}" for name, belief in BELIEFS.items()]
    priors = [*believed, CORRELATION, COMMON, thresholds.SEEN, in_vitro_posterior().digest]
    about = [dossier.compound, dossier.reference, rows, priors]
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()
