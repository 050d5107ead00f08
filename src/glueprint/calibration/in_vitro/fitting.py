"""The hierarchical fit itself: starts, sampler, and draws in the units that people use."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint import evidence, references
from glueprint.calibration.beliefs import of_quantity
from glueprint.calibration.in_vitro.claims import data
from glueprint.calibration.in_vitro.likelihood import Datum, minus_log_posterior, shown, solved
from glueprint.calibration.in_vitro.parameters import (
    ASSAYS,
    COORDINATES,
    OTHER_KD,
    OTHER_RHO,
    beliefs,
    free,
    values,
)
from glueprint.calibration.in_vitro.potencies import ABOUT, PARTS
from glueprint.calibration.in_vitro.predictions import TYPICAL
from glueprint.calibration.in_vitro.result import InVitroPosterior, summarise, unspoken
from glueprint.calibration.in_vitro.stored import digest
from glueprint.errors import InputError
from glueprint.evidence import Claim
from glueprint.experiments import forward
from glueprint.inference import sample
from glueprint.inference.posterior import Progress
from glueprint.mechanism import Quantity, compounds
from glueprint.runs import streams

__all__ = ["QUICK_STEPS", "STEPS", "fit"]

Floats = NDArray[np.float64]
# Two ensembles of 96 walkers, two fifths of the steps for the warm-up: about two minutes on two processors.
STEPS, QUICK_STEPS = 800, 200
ENSEMBLES, WALKERS = 2, 96
# Draws that are turned into parameters and summarised, and every how many of them is kept.
SUMMARISED, EVERY = 6000, 3
WARM_UP = 0.4
# Starts are drawn this many times over: for some no capacity gives the potency.
SPARE, START_SD = 6, 0.7
POTENCY_START_SD, KD_START = 0.15, 500.0
COMPOUND = references.default().compound
OTHER_EFFICACY = f"{ABOUT.comparator.compound}_efficacy"


def fit(
    claims: Iterable[Claim] | None = None,
    *,
    steps: int = STEPS,
    seed: int = 1,
    progress: Progress | None = None,
    without: Collection[str] = (),
) -> InVitroPosterior:
    """Fit all in-vitro claims at once.

    claims: evidence.load() if None.   steps: of each walker, 50 or more; too few show in the status.
    seed: the same seed gives the same bits.   progress: told (done, all) after each step.
    without: ids of claims that the fit does not read, and so predicts.
    Raises InputError GP-K003 for steps or seed, GP-K004 for claims that are missing, GP-K006 for one to be
    left out that is not fitted.
    Source: own derivation, docs/calibration.md, "The hierarchical fit".
    """
    if steps < 50 or seed < 0:
        raise InputError(
            "GP-K003",
            f"{steps} steps with seed {seed}",
            where="fit",
            expected="50 steps or more, and a seed of 0 or more",
            next_step=f"{STEPS} steps are the default, {QUICK_STEPS} a quick look",
        )
    given = data(evidence.load() if claims is None else claims)
    for claim_id in without:
        if claim_id not in given:
            raise unspoken(claim_id, given)
    read = {claim_id: datum for claim_id, datum in given.items() if claim_id not in without}
    begin = _starts(given, read, seed)
    found = sample(
        lambda vectors: minus_log_posterior(vectors, read),
        begin,
        steps=steps,
        warm_up=int(WARM_UP * steps),
        seed=seed,
        progress=progress,
    )
    diagnostics = pl.DataFrame({
        "coordinate": COORDINATES, "r_hat": found.r_hat, "effective_draws": found.effective,
        "autocorrelation_steps": found.autocorrelation_steps,
    })  # fmt: skip
    # Evenly spaced over ensembles and steps, so that kept draws lie as far apart as they can.
    chosen = np.linspace(0, found.flat.shape[0] - 1, SUMMARISED).astype(np.int64)
    draws = _natural(found.flat[chosen], seed).with_columns(
        pl.Series("minus_log_posterior", found.objective.ravel()[chosen])
    )
    return InVitroPosterior(
        draws=draws.gather_every(EVERY).cast(pl.Float32),
        parameters=summarise(draws),
        diagnostics=diagnostics,
        accepted=found.accepted,
        evaluations=found.evaluations,
        settings={"steps": steps, "seed": seed, "ensembles": ENSEMBLES, "walkers": WALKERS},
        status=found.status,
        reason=found.reason,
        digest=digest(),
        without=tuple(without),
    )


def _starts(given: dict[str, Datum], read: dict[str, Datum], seed: int) -> Floats:
    """Walkers (e, w, p): parameters about their priors, constants and potencies about the claims.

    given: all claims.   read: those of this fit. A claim that is not read is a place to begin, and no more.
    """
    wanted, first = ENSEMBLES * WALKERS, len(free())
    pool = START_SD * streams.normals(seed, "calibration/starts", np.arange(SPARE * wanted), len(COORDINATES))
    claim_ids = [*ASSAYS.values(), *(part.claim_id for part in PARTS)]
    about = np.array([given[claim_id].value for claim_id in claim_ids])
    pool[:, first:] = about + POTENCY_START_SD / START_SD * pool[:, first:]
    for name in ("kd_nm", OTHER_KD):
        belief, k = beliefs()[name], COORDINATES.index(name)
        pool[:, k] = 0.5 * pool[:, k] + (np.log10(KD_START) - np.log10(belief.middle)) / belief.spread
    # The dearest starts hold a whole ensemble back, as the others must first learn to leave them alone.
    cost = minus_log_posterior(pool, read)
    return pool[np.sort(np.argsort(cost, kind="stable")[:wanted])].reshape(ENSEMBLES, WALKERS, -1)


def _natural(vectors: Floats, seed: int) -> pl.DataFrame:
    """Draws with every parameter in its unit, what each assay shows, and what was held out, in nM."""
    found = values(vectors)
    columns = {name: found[name] for name in free()}
    columns |= {name: 10.0**log10_value for name, log10_value, _ in solved(found)}
    columns |= {f"{name}_constant_nm": 10.0 ** found[f"assay:{name}"] for name in ASSAYS}
    columns |= {f"shown:{claim_id}": 10.0**model for claim_id, model in shown(found).items()}
    loss = f"shown:{ABOUT.comparator.loss}"
    columns[loss] = 100.0 * columns[loss] / (1.0 + columns[loss])
    units = np.arange(vectors.shape[0])
    unbound = of_quantity("fraction_unbound", _fraction_unbound(), f"compounds/{COMPOUND}.toml")
    columns["fraction_unbound"] = unbound.value(streams.normals(seed, "calibration/unbound", units, 1)[:, 0])
    typical = {**found, **{f"assay:{name}": np.log10(found["kd_nm"]) for name in ASSAYS}}
    columns |= {TYPICAL[claim]: 10.0 ** shown(typical)[claim] for claim in _competitions()}
    free_share = columns["fraction_unbound"]
    columns[f"shown:{ABOUT.blood}"] = columns[f"shown:{ABOUT.potencies['monocyte']}"] / free_share
    columns[f"shown:{ABOUT.blood_shift}"] = 1.0 / free_share
    columns[OTHER_EFFICACY] = columns[OTHER_RHO] / columns["MM1S_rho"]
    columns[f"shown:{ABOUT.comparator.tnf_alpha}"] = _tnf_of_the_other(columns)
    another = streams.normals(seed, "calibration/another assay", units, 1)[:, 0]
    columns["another_assay_nm"] = columns["kd_nm"] * 10.0 ** (columns["tau_log10"] * another)
    return pl.DataFrame(columns)


def _competitions() -> list[str]:
    """Claims whose assay shows an IC50 that depends on the plate."""
    return [assay.claim for assay in ABOUT.assays if assay.shows == "competition"]


def _tnf_of_the_other(columns: dict[str, Floats]) -> Floats:
    """IC50, nM, of the second glue in the same monocytes; infinite where it never halves TNF-alpha."""
    shared = ("kdeg_per_h", "hydrolysis_per_h", "tnf_mrna_per_h", "tnf_mrna_with_drug_per_h",
              "tnf_transcription_max", "tnf_per_h")  # fmt: skip
    own = {name: columns[name] for name in shared}
    own["kd_nm"] = columns[OTHER_KD]
    own["rho"] = columns["monocyte_rho"] * columns[OTHER_EFFICACY]
    return 10.0 ** forward.tnf_alpha(own)


def _fraction_unbound() -> Quantity:
    found = compounds.load(COMPOUND).pharmacology.fraction_unbound
    assert found is not None
    return found
