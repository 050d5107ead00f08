"""From the evidence rows to a posterior: fit, then say of every parameter and every summary what came out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint import evidence
from glueprint.calibration.clinical import held_out
from glueprint.calibration.clinical.fitting import FULL, LONG, SMALL, Effort, Fit, Told, fit
from glueprint.calibration.clinical.parameters import SCOPES, STRUCTURES, free
from glueprint.calibration.clinical.result import ClinicalPosterior, summarise
from glueprint.calibration.clinical.simulating import simulate
from glueprint.calibration.clinical.stored import digest
from glueprint.calibration.clinical.summaries import observed, published
from glueprint.calibration.targets import clinical_targets
from glueprint.errors import InputError
from glueprint.evidence import Claim
from glueprint.runs import streams

__all__ = ["calibrate", "usual_effort"]

Floats = NDArray[np.float64]
KEPT = 2000
# Draws from a normal distribution wider than the posterior that the evidence integral averages over.
INTEGRAL_DRAWS, INTEGRAL_WIDER = 20_000, 1.2


def calibrate(
    claims: Iterable[Claim] | None = None,
    *,
    structure: str = STRUCTURES[0],
    scope: str = "trials",
    effort: Effort | None = None,
    seed: int = 1,
    workers: int = 1,
    told: Told | None = None,
) -> ClinicalPosterior:
    """Fit the trial model to the published summaries of the calibration trials.

    claims: evidence.load() if None.   structure: of the tumour, one of STRUCTURES.   scope: one of SCOPES;
    "arms" leaves the hazard ratios between arms out and predicts them (`held_out`), the name of a trial all
    others.   effort: `usual_effort` if None.   seed: same seed, same bits, whatever the workers (processes).
    told: called with (stage, done, all).
    Raises InputError GP-K012 for a structure, scope, seed or workers that cannot be used.
    """
    _check_request(structure, scope, seed, workers)
    known = list(evidence.load() if claims is None else claims)
    effort = effort or usual_effort(structure, scope)
    given, summaries = free(structure), published(clinical_targets(known).targets, scope)
    simulator = partial(simulate, structure, summaries, workers)
    found = fit(summaries, simulator, given.start, effort=effort, seed=seed, told=told)
    flat = found.posterior.flat
    chosen = flat[np.linspace(0, flat.shape[0] - 1, KEPT).astype(np.int64)]
    values = given.values(chosen)
    misfit = found.likelihood.misfit(chosen)
    draws = pl.DataFrame(
        {name: values[name] for name in given.names}
        | {"misfit": misfit, "minus_log_posterior": found.likelihood.minus_log_posterior(chosen)}
    )
    posterior = ClinicalPosterior(
        structure=structure,
        scope=scope,
        draws=draws,
        parameters=summarise(given, flat[:: max(flat.shape[0] // 20_000, 1)]),
        summaries=_summaries(found, chosen),
        diagnostics=pl.DataFrame(
            {
                "coordinate": given.names,
                "r_hat": found.posterior.r_hat,
                "effective_draws": found.posterior.effective,
            }
        ),
        log_evidence=_log_evidence(found, seed),
        misfit=float(misfit.min()),
        targets=len(found.summaries),
        simulations=int(found.z.shape[0]) + effort.generations * effort.offspring,
        settings={
            "seed": seed,
            "generations": effort.generations,
            "offspring": effort.offspring,
            **{f"round_{k + 1}": count for k, count in enumerate(effort.rounds)},
            "steps": effort.steps,
            "checks": effort.checks,
        },
        status=found.posterior.status,
        reason=found.posterior.reason,
        digest=digest(structure, scope),
    )
    if scope == "trials":
        return posterior
    if told:
        told("the check inside the evidence", 0, 1)
    checked = held_out.check(posterior, known, replicates=effort.checks, seed=seed, workers=workers)
    return replace(posterior, held_out=checked)


def usual_effort(structure: str, scope: str = "trials") -> Effort:
    """What the fits that come with Glueprint were made with."""
    if not free(structure).begun:
        return FULL
    return LONG if scope == "trials" else SMALL


def _check_request(structure: str, scope: str, seed: int, workers: int) -> None:
    if structure not in STRUCTURES or scope not in SCOPES or seed < 0 or workers < 1:
        raise InputError(
            "GP-K012",
            f'structure "{structure}", scope "{scope}", seed {seed}, {workers} workers',
            where="calibrate",
            expected=f"a structure of {', '.join(STRUCTURES)}, a scope of {', '.join(SCOPES)}, "
            "a seed of 0 or more, at least one worker",
            next_step="correct the argument",
        )


def _summaries(found: Fit, z: Floats) -> pl.DataFrame:
    """Every published summary beside what the surface expects, with and without a trial's own sampling."""
    expected = found.surface.mean(z)
    root = np.linalg.cholesky(found.surface.covariance)
    noise = streams.normals(1, "calibration/clinical/predictive", np.arange(z.shape[0]), expected.shape[1])
    again = expected + noise @ root.T
    wanted, scatter = observed(found.summaries), np.sqrt(np.diag(found.surface.covariance))
    rows = []
    for k, s in enumerate(found.summaries):
        middle = s.natural(np.quantile(expected[:, k], (0.5, 0.025, 0.975)))
        trial = s.natural(np.quantile(again[:, k], (0.025, 0.975)))
        rows.append(
            {
                "trial": s.trial,
                "arm": s.arm,
                "endpoint": s.endpoint,
                "unit": s.unit,
                "published": float(s.natural(wanted[k : k + 1])[0]),
                "readings": ", ".join(f"{value:g}" for value in s.readings),
                "patients": s.n,
                "expected": float(middle[0]),
                "expected_low": float(middle[1]),
                "expected_high": float(middle[2]),
                "trial_low": float(trial[0]),
                "trial_high": float(trial[1]),
                "z": float((wanted[k] - np.median(expected[:, k])) / scatter[k]),
                "inside": bool(trial[0] <= s.natural(wanted[k : k + 1])[0] <= trial[1]),
                "label": "calibrated",
                "claims": ", ".join(s.claim_ids),
            }
        )
    return pl.DataFrame(rows)


def _log_evidence(found: Fit, seed: int) -> float:
    """Logarithm of the prior's mean likelihood, by importance sampling from a normal about the posterior."""
    flat = found.posterior.flat
    p = flat.shape[1]
    centre = flat.mean(axis=0)
    root = INTEGRAL_WIDER * np.linalg.cholesky(np.cov(flat.T))
    normal = streams.normals(seed, "calibration/clinical/evidence", np.arange(INTEGRAL_DRAWS), p)
    z = centre + normal @ root.T
    log_prior = -0.5 * (z**2).sum(axis=1) - 0.5 * p * np.log(2.0 * np.pi)
    log_proposal = (
        -0.5 * (normal**2).sum(axis=1) - 0.5 * p * np.log(2.0 * np.pi) - np.log(np.diag(root)).sum()
    )
    weight = found.likelihood.log_likelihood(z) + log_prior - log_proposal
    top = weight.max()
    return float(top + np.log(np.mean(np.exp(weight - top))))
