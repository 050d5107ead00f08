"""A finished fit: what was learnt of each parameter, what was not, and every claim beside its prediction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from glueprint import evidence
from glueprint.calibration.beliefs import Belief, verdict
from glueprint.calibration.in_vitro.parameters import beliefs
from glueprint.calibration.in_vitro.predictions import Predictive, column, predict, spoken_of
from glueprint.errors import InputError, nearest
from glueprint.evidence import Claim
from glueprint.inference import contraction

__all__ = ["InVitroPosterior", "summarise", "unspoken"]

Floats = NDArray[np.float64]
LEVELS = (0.025, 0.25, 0.5, 0.75, 0.975)
NAMES = ("low_95", "low_50", "median", "high_50", "high_95")


@dataclass(frozen=True)
class InVitroPosterior:
    """Draws of every parameter, with how they were made and whether they can be trusted.

    draws: one row a draw; parameters in their units, "shown:CLAIM" and "typical:CLAIM" what an assay shows.
    parameters: of `summarise`, from more draws than are kept.
    diagnostics: coordinate, r_hat, effective_draws, autocorrelation_steps.   status: "ok", "not converged",
    "stuck" or "stale", with reason.   digest: of the priors and claims it follows from.
    without: claims of the likelihood that this fit did not read.
    """

    draws: pl.DataFrame
    parameters: pl.DataFrame
    diagnostics: pl.DataFrame
    accepted: float
    evaluations: int
    settings: Mapping[str, int]
    status: str
    reason: str
    digest: str
    without: tuple[str, ...] = ()

    def correlations(self, *, least: float = 0.3) -> pl.DataFrame:
        """Pairs of parameters that the claims tie together, strongest first: one, other, correlation.

        least: the smallest correlation shown, on each parameter's own scale (log10, logit or linear).
        """
        known = list(beliefs().values())
        matrix = np.corrcoef([belief.scaled(self._column(belief.name)) for belief in known])
        first, second = np.triu_indices(len(known), 1)
        rows = [
            (known[i].name, known[j].name, float(matrix[i, j]))
            for i, j in zip(first, second, strict=True)
            if abs(matrix[i, j]) >= least
        ]
        rows.sort(key=lambda row: -abs(row[2]))
        schema = {"one": pl.String, "other": pl.String, "correlation": pl.Float64}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def comparison(self, claims: Iterable[Claim] | None = None) -> pl.DataFrame:
        """Every claim that was fitted or held out, in the columns of `Predictive`."""
        given = {claim.id: claim for claim in (evidence.load() if claims is None else claims)}
        rows = [
            asdict(predict(self.draws, given[name], self.without)) for name in spoken_of() if name in given
        ]
        return pl.DataFrame(rows, infer_schema_length=None)

    def predictive(self, claim_id: str, claims: Iterable[Claim] | None = None) -> Predictive:
        """The posterior predictive of one claim.   Raises InputError GP-K006 for one it does not speak to."""
        known = spoken_of()
        if claim_id not in known:
            raise unspoken(claim_id, known)
        (claim,) = (c for c in (evidence.load() if claims is None else claims) if c.id == claim_id)
        return predict(self.draws, claim, self.without)

    def another_assay(self) -> tuple[float, float, float]:
        """Median and 95 % limits, nM, of the constant that one more binding assay would show."""
        found = np.quantile(self._column("another_assay_nm"), (0.5, 0.025, 0.975))
        return float(found[0]), float(found[1]), float(found[2])

    def one_set(self) -> dict[str, float]:
        """The single set of parameters of highest posterior density among the draws, by name."""
        row = self.draws.row(int(self.draws["minus_log_posterior"].arg_min() or 0), named=True)
        return {name: float(row[name]) for name in beliefs()}

    def _column(self, name: str) -> Floats:
        return column(self.draws, name)


def unspoken(claim_id: str, known: Iterable[str]) -> InputError:
    """The error for a claim that the fit says nothing about."""
    names = tuple(known)
    return InputError(
        "GP-K006",
        f'the fit says nothing about "{claim_id}"{nearest(claim_id, names)}',
        expected=f"one of {', '.join(names)}",
        next_step="`glueprint calibrate in-vitro --claims` says why a claim was left out",
    )


def summarise(draws: pl.DataFrame) -> pl.DataFrame:
    """Quantiles and contraction of every parameter.

    Columns name, unit, prior, low_95, low_50, median, high_50, high_95, the same with "prior_sd:" before them
    (standard normal numbers of the prior), contraction (share of the prior variance that the claims removed,
    on `scale`), scale, verdict (of `beliefs.verdict`).
    """
    return pl.DataFrame([_summary(belief, column(draws, belief.name)) for belief in beliefs().values()])


def _summary(belief: Belief, values: Floats) -> dict[str, object]:
    spread = float(np.std(belief.scaled(values), ddof=1))
    learnt = float(contraction([belief.sd], [spread])[0])
    quantiles = np.quantile(values, LEVELS)
    return {
        "name": belief.name,
        "unit": belief.unit,
        "prior": str(belief),
        **dict(zip(NAMES, map(float, quantiles), strict=True)),
        **{f"prior_sd:{n}": float(z) for n, z in zip(NAMES, belief.standard(quantiles), strict=True)},
        "contraction": learnt,
        "scale": belief.scale,
        "verdict": verdict(learnt),
    }
