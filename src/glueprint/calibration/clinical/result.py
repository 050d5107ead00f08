"""A finished clinical calibration: what was learnt, what was not, and the draws that trials are run with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint.calibration.beliefs import verdict
from glueprint.calibration.clinical.parameters import TRIALS, Free, free
from glueprint.calibration.compound import file_draws
from glueprint.calibration.in_vitro.result import LEVELS, NAMES
from glueprint.inference import contraction
from glueprint.runs import streams
from glueprint.trials import (
    CALIBRATED,
    EXTRAPOLATED,
    MOST_PROBABLE,
    PREDICTED,
    ParameterDraws,
    Protocol,
    content_of,
    load_protocol,
    outside,
)

__all__ = ["ClinicalPosterior", "fitted_trial", "label_of", "summarise"]

# In the place of a name: a trial that the fit has not read.
OTHER = "another"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ClinicalPosterior:
    """Draws of every free parameter of one structure of the tumour, and how they were made.

    scope: what was fitted, one of SCOPES; a trial that it leaves out keeps effects of its own as they were
    believed before any fit, and is predicted.
    draws: one row a draw, parameters in their units, with `misfit` and `minus_log_posterior`.
    parameters: of `summarise`.   summaries: every published summary beside what is expected, one row each.
    diagnostics: coordinate, r_hat, effective_draws.   log_evidence: of the published summaries under this
    structure.   misfit: least squared distance of the summaries, in sampling units, of `targets` many.
    status: "ok", "not converged", "stuck" or "stale", with reason.   settings: effort and seed.
    held_out: rows that were not fitted beside their predictions, as `prediction.compare`; None where all
    trials were fitted whole.
    """

    structure: str
    scope: str
    draws: pl.DataFrame
    parameters: pl.DataFrame
    summaries: pl.DataFrame
    diagnostics: pl.DataFrame
    log_evidence: float
    misfit: float
    targets: int
    simulations: int
    settings: Mapping[str, int]
    status: str
    reason: str
    digest: str
    held_out: pl.DataFrame | None = None

    def for_trial(self, trial: Protocol | str, *, count: int | None = None, seed: int = 1) -> ParameterDraws:
        """The draws with which a trial is run; each replicate of it takes the next.

        trial: its protocol, or the name of one that comes with Glueprint. What the fit has read is known by
        its content: such a trial keeps the effect on the hazard of death that was fitted to it, whatever it
        is called, and is calibrated; any other draws one, and is predicted.
        count: how many draws, all if None.
        A glue that is not the fit's has its affinity, efficacy and pharmacokinetics drawn from the priors of
        its file, as a ratio to the fit's own where there is one.
        """
        protocol = load_protocol(trial) if isinstance(trial, str) else trial
        rows = self.draws.height if count is None else min(count, self.draws.height)
        # Evenly spaced, as neighbours of a chain lie close.
        chosen = np.linspace(0, self.draws.height - 1, rows).astype(np.int64)
        values = self._values(chosen) | self._carried(chosen)
        given, fitted = free(self.structure), fitted_trial(protocol)
        if fitted is None:
            purpose = f"calibration/study/{protocol.name}"
            normal = streams.normals(seed, purpose, np.arange(rows), len(given.study))
            for k, ratio in enumerate(given.study):
                values[f"{ratio}:{OTHER}"] = given.effect(ratio, values, normal[:, k])
        reference = found = given.draws(values, fitted or OTHER, self._label(protocol, fitted))
        for glue in protocol.glues:
            if glue.digest != reference.compound.digest:
                found = replace(file_draws(glue, reference, seed=seed), beside=found)
        return found

    def central(self, trial: Protocol | str) -> ParameterDraws:
        """The most probable draw alone, for a trial that stands for the fit where no interval is asked for.

        trial: as in `for_trial`; one that the fit has not read has no effect of its own on the hazard of
        death. Medians of the parameters would not do: they are correlated, and no draw has them all.
        """
        protocol = load_protocol(trial) if isinstance(trial, str) else trial
        best = self.draws["minus_log_posterior"].arg_min() or 0
        given, fitted = free(self.structure), fitted_trial(protocol)
        values = self._values(np.array([best]))
        values |= {f"{ratio}:{OTHER}": np.ones(1) for ratio in given.study}
        read = fitted is not None and self._read(fitted)
        return given.draws(values, fitted or OTHER, CALIBRATED if read else MOST_PROBABLE)

    def _read(self, trial: str) -> bool:
        """Whether the fit has read this trial of the reference: one to a single trial has not read others."""
        return self.scope not in TRIALS or trial == self.scope

    def _label(self, protocol: Protocol, fitted: str | None) -> str:
        return label_of(protocol) if fitted is None or self._read(fitted) else PREDICTED

    def _values(self, rows: NDArray[np.int64]) -> dict[str, Floats]:
        """Parameters of these draws, (n,) by name."""
        chosen = self.draws[rows]
        return {name: chosen[name].cast(pl.Float64).to_numpy() for name in free(self.structure).names}

    def _carried(self, rows: NDArray[np.int64]) -> dict[str, Floats]:
        """Effects of covariates that go with these draws, (n,) by name: each draw keeps its own."""
        given = free(self.structure)
        normal = streams.normals(1, "calibration/clinical/carried draws", rows, len(given.carried))
        return given.carried_values(normal)

    @property
    def effective_parameters(self) -> float:
        """How many parameters the trials set, as the sum of what each learnt."""
        return float(self.parameters["contraction"].clip(lower_bound=0.0).sum())

    def correlations(self, *, least: float = 0.4) -> pl.DataFrame:
        """Pairs of parameters that the trials tie together, strongest first: one, other, correlation."""
        names = free(self.structure).names
        matrix = np.corrcoef([np.log(self.draws[name].cast(pl.Float64).to_numpy()) for name in names])
        first, second = np.triu_indices(len(names), 1)
        rows = [
            (names[i], names[j], float(matrix[i, j]))
            for i, j in zip(first, second, strict=True)
            if abs(matrix[i, j]) >= least
        ]
        schema = {"one": pl.String, "other": pl.String, "correlation": pl.Float64}
        return pl.DataFrame(sorted(rows, key=lambda r: -abs(r[2])), schema=schema, orient="row")


def fitted_trial(protocol: Protocol) -> str | None:
    """The trial of the calibration that a protocol is by its content, None for any other."""
    return _fitted().get(content_of(protocol))


@lru_cache(maxsize=1)
def _fitted() -> dict[str, str]:
    return {content_of(load_protocol(name)): name for name in TRIALS}


def label_of(protocol: Protocol) -> str:
    """How results of a trial under draws of the posterior are to be read."""
    if fitted_trial(protocol):
        return CALIBRATED
    return EXTRAPOLATED if outside(protocol) else PREDICTED


def summarise(given: Free, z: Floats) -> pl.DataFrame:
    """Quantiles and contraction of every parameter, from coordinates (n, p).

    Columns name, unit, prior, low_95, low_50, median, high_50, high_95, prior_median, prior_low, prior_high,
    contraction (share of the prior variance that the trials removed), verdict (of `beliefs.verdict`).
    """
    values, prior = given.values(z), given.values(_prior_draws(given))
    units = {b.name: b.unit for b in given.beliefs}
    told = {b.name: str(b) for b in given.beliefs}
    layer = np.arange(len(given.names)) < len(given.assays)
    rows = []
    for k, name in enumerate(given.names):
        # Coordinates of the in-vitro layer are mixed; what one parameter learnt shows on its own scale.
        after = np.log(values[name]) if layer[k] else z[:, k]
        before = np.log(prior[name]).std() if layer[k] else 1.0
        learnt = float(contraction([before], [after.std(ddof=1)])[0])
        ends = np.quantile(prior[name], (0.5, 0.025, 0.975))
        rows.append(
            {
                "name": name,
                "unit": units.get(name, "dimensionless"),
                "prior": told.get(name) or _of_effect(given, name),
                **dict(zip(NAMES, map(float, np.quantile(values[name], LEVELS)), strict=True)),
                **dict(zip(("prior_median", "prior_low", "prior_high"), map(float, ends), strict=True)),
                "contraction": learnt,
                "verdict": verdict(learnt),
            }
        )
    return pl.DataFrame(rows)


def _of_effect(given: Free, name: str) -> str:
    """The prior of an effect of a trial, in words."""
    sd = given.study[name.partition(":")[0]]
    return f"lognormal, median 1, SD {sd if isinstance(sd, str) else f'{sd:g}'} log10"


def _prior_draws(given: Free) -> Floats:
    return streams.normals(1, "calibration/clinical/prior", np.arange(20_000), len(given.names))
